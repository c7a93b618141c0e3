//! The ledger as metrics: absolute counts, always of one ledger, so that a scrape can be summed.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use city_model::{Ledger, LedgerCell};
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{IntCounterVec, IntGaugeVec, Registry};

use super::opts;

/// The metrics that show a ledger.
#[derive(Clone)]
pub(super) struct LedgerMetrics {
    consumed: IntCounterVec,
    /// A gauge in spite of its name: a record is counted under its present outcome, so a count falls when one changes.
    outcomes: IntGaugeVec,
    unaccounted: IntGaugeVec,
    /// Held while a ledger is entered and while it is shown.
    whole: Arc<Mutex<()>>,
}

impl LedgerMetrics {
    pub(super) fn register(registry: &Registry) -> anyhow::Result<LedgerMetrics> {
        let make = || -> prometheus::Result<LedgerMetrics> {
            let metrics = LedgerMetrics {
                consumed: IntCounterVec::new(
                    opts(
                        "events_consumed_total",
                        "Records consumed, as the committed ledger counts them.",
                    ),
                    &["source"],
                )?,
                outcomes: IntGaugeVec::new(
                    opts(
                        "events_outcome_total",
                        "Records by their present outcome, as the committed ledger counts them; falls when an outcome changes.",
                    ),
                    &["source", "outcome"],
                )?,
                unaccounted: IntGaugeVec::new(
                    opts(
                        "unaccounted_events",
                        "Records consumed that have no outcome yet; stays above zero only if some are lost.",
                    ),
                    &[],
                )?,
                whole: Arc::default(),
            };
            registry.register(Box::new(metrics.clone()))?;
            Ok(metrics)
        };
        make().context("register the ledger's metrics")
    }

    pub(super) fn set(&self, ledger: &Ledger) {
        let _whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        self.consumed.reset();
        self.outcomes.reset();
        for (cell, count) in ledger.cells() {
            match cell {
                // A count of records read is never negative.
                LedgerCell::Consumed(source) => {
                    self.consumed
                        .with_label_values(&[source.as_str()])
                        .inc_by(count.max(0) as u64);
                }
                LedgerCell::Outcome(source, outcome) => {
                    self.outcomes
                        .with_label_values(&[source.as_str(), outcome.as_str()])
                        .set(count);
                }
            }
        }
        self.unaccounted
            .with_label_values::<&str>(&[])
            .set(ledger.unaccounted());
    }
}

impl Collector for LedgerMetrics {
    fn desc(&self) -> Vec<&Desc> {
        [
            self.consumed.desc(),
            self.outcomes.desc(),
            self.unaccounted.desc(),
        ]
        .concat()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let _whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        [
            self.consumed.collect(),
            self.outcomes.collect(),
            self.unaccounted.collect(),
        ]
        .concat()
    }
}
