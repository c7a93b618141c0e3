//! What reloads came to.

use city_model::EventTime;
use prometheus::{GaugeVec, IntCounterVec, IntGaugeVec, Registry};

use super::Maker;

/// What a reload came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReloadResult {
    /// Something new is in force.
    Applied,
    /// Something was wrong; all stays as it was.
    Refused,
    /// The files say what is in force already.
    Unchanged,
}

impl ReloadResult {
    const ALL: [ReloadResult; 3] = [
        ReloadResult::Applied,
        ReloadResult::Refused,
        ReloadResult::Unchanged,
    ];

    /// The label.
    pub const fn as_str(self) -> &'static str {
        match self {
            ReloadResult::Applied => "applied",
            ReloadResult::Refused => "refused",
            ReloadResult::Unchanged => "unchanged",
        }
    }
}

/// Grid, registries and rules, as a file that may be refused.
const CITY: &str = "city";

/// Reloads by their result, and when the files were last in force.
pub struct ReloadMetrics {
    results: IntCounterVec,
    refused: IntGaugeVec,
    last_success: GaugeVec,
}

impl ReloadMetrics {
    pub(super) fn register(registry: &Registry) -> anyhow::Result<ReloadMetrics> {
        let make = Maker(registry);
        Ok(ReloadMetrics {
            results: make.counters("reloads_total", "Reloads of grid, registries and rules, by what they came to.", &["result"])?,
            refused: make.gauges("reload_refused", "1 while the files that lie there were refused, so that others are in force: of the city (grid, registries, rules), tokens or certificate.", &["what"])?,
            last_success: make.seconds("reload_last_success_timestamp_seconds", "When the files were last read and found good, in seconds since 1970; a refused reload leaves it.", &[])?,
        })
    }

    /// From now on reloads are possible: a counter that is there from the start can be alerted on when it first counts.
    pub fn begin(&self, now: EventTime) {
        for result in ReloadResult::ALL {
            self.results.with_label_values(&[result.as_str()]);
        }
        self.stands(CITY, true);
        self.found_good(now);
    }

    /// Says whether the files of `what` that lie there are those in force.
    pub(crate) fn stands(&self, what: &str, is_good: bool) {
        self.refused.with_label_values(&[what]).set(i64::from(!is_good));
    }

    /// Counts one.
    pub fn count(&self, result: ReloadResult, now: EventTime) {
        self.results.with_label_values(&[result.as_str()]).inc();
        let is_good = result != ReloadResult::Refused;
        self.stands(CITY, is_good);
        if is_good {
            self.found_good(now);
        }
    }

    fn found_good(&self, now: EventTime) {
        self.last_success
            .with_label_values::<&str>(&[])
            .set(now.millis() as f64 / 1_000.0);
    }
}
