//! Who sends, and what is wrong with their devices: by the source systems that the configuration lists, never by device.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use city_model::{EventTime, Source};
use event_intake::Fault;
use prometheus::{GaugeVec, IntCounterVec};

use super::Maker;
use super::zeroes::EVENTS;
use crate::http::wall_clock;

/// What a process has read, by the system that sent it.
pub struct SenderMetrics {
    records: IntCounterVec,
    refused: IntCounterVec,
    faults: IntCounterVec,
    expected_every: GaugeVec,
    newest: GaugeVec,
    /// Systems of which something is expected.
    expected: Mutex<BTreeSet<String>>,
}

impl SenderMetrics {
    pub(super) fn register(make: &Maker<'_>) -> anyhow::Result<SenderMetrics> {
        Ok(SenderMetrics {
            records: make.counters(
                "source_records_total",
                "Records read, by the listed system that sent them; other stands for all that are not listed, unreadable for those that do not say.",
                &["source", "source_system"],
            )?,
            refused: make.counters(
                "source_refused_total",
                "Records refused, by the system that sent them.",
                &["source", "source_system"],
            )?,
            expected_every: make.seconds(
                "source_expected_every_seconds",
                "The longest silence of a system that is no trouble, as configured, in seconds.",
                &["source_system"],
            )?,
            newest: make.seconds(
                "source_newest_record_seconds",
                "When this process last committed a record of a system of which something is expected, or began; seconds since 1970.",
                &["source_system"],
            )?,
            expected: Mutex::default(),
            faults: make.counters(
                "device_faults_total",
                "Troubles of devices that were told to maintenance, each device's once an hour.",
                &["fault"],
            )?,
        })
    }

    /// A system sent so many records, of which so many were refused. `system` is of the closed set.
    pub fn sent(&self, source: Source, system: &str, records: u64, refused: u64) {
        let labels = [source.as_str(), system];
        self.records.with_label_values(&labels).inc_by(records);
        self.refused.with_label_values(&labels).inc_by(refused);
        if records > 0 && self.lock().contains(system) {
            self.heard(system, wall_clock());
        }
    }

    /// The systems that the configuration lists, each with the longest silence that is no trouble, where one is configured. Their
    /// counts begin at zero: the first refusals of a system that sends little are refusals, too.
    pub fn lists<'a>(&self, systems: impl IntoIterator<Item = (&'a str, Option<Duration>)>) {
        for (system, every) in systems {
            for source in EVENTS {
                self.sent(source, system, 0, 0);
            }
            let Some(every) = every else { continue };
            self.expected_every
                .with_label_values(&[system])
                .set(every.as_secs_f64());
            self.heard(system, wall_clock());
            self.lock().insert(system.to_owned());
        }
    }

    fn heard(&self, system: &str, at: EventTime) {
        self.newest
            .with_label_values(&[system])
            .set(at.millis() as f64 / 1_000.0);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many devices were found to be in this trouble.
    pub fn device_faults(&self, fault: Fault, devices: u64) {
        self.faults.with_label_values(&[fault.as_str()]).inc_by(devices);
    }

    pub(super) fn begin(&self) {
        for fault in Fault::ALL {
            self.faults.with_label_values(&[fault.as_str()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus::Registry;

    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn a_listed_system_is_counted_from_zero_and_one_that_is_expected_has_its_newest_record() {
        let metrics = Metrics::register(&Registry::new()).unwrap();
        metrics
            .senders()
            .lists([("12345", Some(Duration::from_secs(600))), ("seldom", None)]);
        let text = || metrics.text(EventTime::default()).unwrap();
        for line in [
            "cityops_source_expected_every_seconds{source_system=\"12345\"} 600",
            "cityops_source_records_total{source=\"hotline\",source_system=\"seldom\"} 0",
            "cityops_source_refused_total{source=\"hotline\",source_system=\"12345\"} 0",
        ] {
            assert!(text().lines().any(|found| found == line), "{line}");
        }
        assert!(!text().contains("newest_record_seconds{source_system=\"seldom\"}"));
        metrics.senders().heard("12345", EventTime::from_millis(1_500));
        let newest = |seconds: &str| {
            let line = format!("cityops_source_newest_record_seconds{{source_system=\"12345\"}} {seconds}\n");
            text().contains(&line)
        };
        assert!(newest("1.5"));
        metrics.senders().sent(Source::Hotline, "other", 3, 0);
        metrics.senders().sent(Source::Hotline, "12345", 0, 0);
        assert!(newest("1.5"), "nothing came of it");
        metrics.senders().sent(Source::Hotline, "12345", 1, 0);
        assert!(!newest("1.5"));
    }
}
