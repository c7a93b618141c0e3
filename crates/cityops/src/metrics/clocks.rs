//! The sources' clocks: how far they are off, and how often that was flagged. By source, never by device.

use city_model::{Flag, Source};
use prometheus::{HistogramVec, IntCounterVec};

use super::Maker;

/// Bounds in seconds: the tolerance of five minutes, the zone's eight hours, the three days of a backfill, both ways.
const BOUNDS_S: [f64; 16] = [
    -259_200.0, -86_400.0, -28_801.0, -28_500.0, -3_600.0, -300.0, -60.0, -10.0, -1.0, 1.0, 10.0, 60.0,
    300.0, 3_600.0, 28_500.0, 86_400.0,
];

/// What a process has seen of the sources' clocks.
pub struct ClockMetrics {
    skew: HistogramVec,
    flags: IntCounterVec,
}

impl ClockMetrics {
    pub(super) fn register(make: &Maker<'_>) -> anyhow::Result<ClockMetrics> {
        Ok(ClockMetrics {
            skew: make.durations(
                "clock_skew_seconds",
                "How far the time of a record lies ahead of its append time, in seconds; negative is behind.",
                &["source"],
                BOUNDS_S.to_vec(),
            )?,
            flags: make.counters(
                "clock_flags_total",
                "Records by what was flagged about their time.",
                &["source", "flag"],
            )?,
        })
    }

    /// Records of a source lay so far ahead of their append times, in milliseconds.
    pub fn skews(&self, source: Source, skews_ms: &[i64]) {
        if skews_ms.is_empty() {
            return;
        }
        let skew = self.skew.with_label_values(&[source.as_str()]);
        for skew_ms in skews_ms {
            skew.observe(*skew_ms as f64 / 1_000.0);
        }
    }

    /// So many records of a source were flagged.
    pub fn flagged(&self, source: Source, flag: Flag, records: u64) {
        self.flags
            .with_label_values(&[source.as_str(), flag.as_str()])
            .inc_by(records);
    }
}

#[cfg(test)]
mod tests {
    use city_model::EventTime;
    use prometheus::Registry;

    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn skews_and_flags_are_shown_by_source() {
        let metrics = Metrics::register(&Registry::new()).unwrap();
        let text = || metrics.text(EventTime::from_millis(0)).unwrap();
        assert!(!text().contains("cityops_clock_"), "nothing was measured");
        metrics.clocks().skews(Source::Sensor, &[-2_000, 28_800_000]);
        metrics.clocks().flagged(Source::Sensor, Flag::ZoneSuspected, 1);
        let text = text();
        for line in [
            "cityops_clock_skew_seconds_bucket{source=\"sensor\",le=\"-1\"} 1",
            "cityops_clock_skew_seconds_bucket{source=\"sensor\",le=\"28500\"} 1",
            "cityops_clock_skew_seconds_bucket{source=\"sensor\",le=\"86400\"} 2",
            "cityops_clock_skew_seconds_sum{source=\"sensor\"} 28798",
            "cityops_clock_flags_total{flag=\"zone_suspected\",source=\"sensor\"} 1",
        ] {
            assert!(text.contains(line), "no {line} in\n{text}");
        }
    }
}
