//! The ledger as metrics: absolute counts, always of one ledger, so that a scrape can be summed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use city_model::{Ledger, LedgerCell, Outcome, Source};
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{IntCounterVec, IntGaugeVec, Registry};

use super::opts;

/// How the encoder announces the records by outcome, and how they are announced: a gauge must not be called a total, and a
/// count that may fall is no counter, or each fall would read as a restart. The encoder knows nothing between the two.
const ANNOUNCED: [&str; 2] = [
    "# TYPE cityops_events_outcome_total gauge\n",
    "# TYPE cityops_events_outcome_total untyped\n",
];

/// The text of all metrics, in which the records by outcome have no type.
pub(super) fn untyped(text: String) -> String {
    if text.contains(ANNOUNCED[0]) {
        text.replacen(ANNOUNCED[0], ANNOUNCED[1], 1)
    } else {
        text
    }
}

/// The metrics that show a ledger.
#[derive(Clone)]
pub(super) struct LedgerMetrics {
    consumed: IntCounterVec,
    /// A gauge in spite of its name: a record is counted under its present outcome, so a count falls when one changes.
    outcomes: IntGaugeVec,
    unaccounted: IntGaugeVec,
    complete: Arc<AtomicBool>,
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
                complete: Arc::default(),
                whole: Arc::default(),
            };
            registry.register(Box::new(metrics.clone()))?;
            Ok(metrics)
        };
        make().context("register the ledger's metrics")
    }

    /// From the first ledger on every source and outcome is shown, also those that it does not count.
    pub(super) fn begin(&self) {
        self.complete.store(true, Ordering::Relaxed);
    }

    pub(super) fn set(&self, ledger: &Ledger) {
        let _whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        self.consumed.reset();
        self.outcomes.reset();
        if self.complete.load(Ordering::Relaxed) {
            for source in Source::ALL {
                self.consumed.with_label_values(&[source.as_str()]);
                for outcome in Outcome::ALL {
                    self.outcomes
                        .with_label_values(&[source.as_str(), outcome.as_str()]);
                }
            }
        }
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
