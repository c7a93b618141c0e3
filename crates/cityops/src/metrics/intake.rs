//! What intake tells batch by batch: counts for the metrics, and a sampled log of codes that no rule maps.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use city_model::{DeadLetterReason, Flag, Quality, Source};
use event_intake::{Fault, Placed};
use stream_worker::{IntakeObserver, Unmapped};

use super::Metrics;
use crate::workers::Role;

/// Hands intake's counts to the metrics. The codes themselves are no labels, because systems invent them without end: the
/// most frequent are kept per source for the whole process.
pub struct IntakeMetrics {
    metrics: Arc<Metrics>,
    unmapped: Mutex<BTreeMap<Source, Unmapped>>,
}

impl IntakeMetrics {
    /// Counts into these.
    pub fn new(metrics: Arc<Metrics>) -> IntakeMetrics {
        IntakeMetrics {
            metrics,
            unmapped: Mutex::default(),
        }
    }

    /// Enters a code; whether it is time to speak of it.
    fn enter(&self, source: Source, code: &str, records: u64) -> bool {
        let mut unmapped = self.unmapped.lock().unwrap_or_else(PoisonError::into_inner);
        let (before, after) = unmapped.entry(source).or_default().add(code, records);
        is_told(before, after)
    }
}

/// A code is told when it comes first, and then each time that its count has doubled.
const fn is_told(before: u64, after: u64) -> bool {
    after.checked_ilog2().is_some() && (before == 0 || before.ilog2() != after.ilog2())
}

impl IntakeObserver for IntakeMetrics {
    fn located(&self, source: Source, quality: Quality, events: u64) {
        self.metrics.located(source, quality, events);
    }

    fn placed(&self, layer: &str, status: Placed, events: u64) {
        self.metrics.placed(layer, status, events);
    }

    fn refused(&self, source: Source, reason: DeadLetterReason, records: u64) {
        self.metrics.dead_letters(source, reason, records);
    }

    fn clocks(&self, source: Source, skews_ms: &[i64]) {
        self.metrics.clocks().skews(source, skews_ms);
    }

    fn clock_flagged(&self, source: Source, flag: Flag, records: u64) {
        self.metrics.clocks().flagged(source, flag, records);
    }

    fn sent(&self, source: Source, system: &str, records: u64, refused: u64) {
        self.metrics.senders().sent(source, system, records, refused);
    }

    fn device_faults(&self, fault: Fault, devices: u64) {
        self.metrics.senders().device_faults(fault, devices);
    }

    fn nowhere(&self, source: Source, records: u64) {
        self.metrics.nowhere(source, records);
    }

    fn unbalanced(&self, _source: Source, records: u64) {
        self.metrics.unbalanced(Role::Enrich, records);
    }

    fn unmapped(&self, source: Source, code: &str, records: u64) {
        self.metrics.unmapped(source, records);
        if self.enter(source, code, records) {
            tracing::warn!(%source, code, records, "no rule maps this code to a kind");
        }
    }
}

#[cfg(test)]
mod tests {
    use city_model::EventTime;
    use prometheus::Registry;

    use super::*;

    #[test]
    fn a_code_is_told_as_its_count_doubles() {
        let metrics = Arc::new(Metrics::register(&Registry::new()).unwrap());
        let intake = IntakeMetrics::new(metrics.clone());
        let told: Vec<u32> = (1..=20)
            .filter(|_| intake.enter(Source::Video, "own 7", 1))
            .collect();
        assert_eq!(told, [1, 2, 4, 8, 16]);
        assert!(intake.enter(Source::Hotline, "own 7", 100), "another source");
        intake.unmapped(Source::Video, "own 7", 3);
        intake.nowhere(Source::Silence, 2);
        let text = metrics.text(EventTime::from_millis(0)).unwrap();
        assert!(
            text.contains("cityops_codes_unmapped_total{source=\"video\"} 3"),
            "{text}"
        );
        assert!(
            text.contains("cityops_orders_nowhere_total{source=\"silence\"} 2"),
            "{text}"
        );
        assert!(!text.contains("own 7"), "{text}");
    }
}
