//! Who sends, and what is wrong with their devices: by the source systems that the configuration lists, never by device.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use city_model::{EventTime, Source};
use event_intake::Fault;
use prometheus::{GaugeVec, IntCounterVec};

use super::Maker;
use super::zeroes::EVENTS;

/// What a process has read, by the system that sent it.
pub struct SenderMetrics {
    records: IntCounterVec,
    refused: IntCounterVec,
    faults: IntCounterVec,
    expected_every: GaugeVec,
    newest: GaugeVec,
    /// Systems of which something is expected, with the longest silence that is no trouble.
    expected: Mutex<BTreeMap<String, Duration>>,
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
                "Append time of the newest committed record of a system of which something is expected, whichever process read it, in seconds since 1970; absent where none is known.",
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
    }

    /// The systems that the configuration lists, each with the longest silence that is no trouble, where one is configured. Their
    /// counts begin at zero: the first refusals of a system that sends little are refusals, too.
    pub fn lists<'a>(&self, systems: impl IntoIterator<Item = (&'a str, Option<Duration>)>) {
        for (system, every) in systems {
            for source in EVENTS {
                self.sent(source, system, 0, 0);
            }
            if let Some(every) = every {
                self.lock().insert(system.to_owned(), every);
            }
        }
    }

    /// All that was committed has been read. What is expected is shown from here on alone: beside half of what is known every
    /// system would seem to be silent.
    pub fn known(&self, heard: &BTreeMap<String, EventTime>) {
        for (system, every) in &*self.lock() {
            self.expected_every
                .with_label_values(&[&**system])
                .set(every.as_secs_f64());
        }
        for (system, at) in heard {
            self.heard(system, *at);
        }
    }

    /// The newest committed record of a system was appended then.
    pub fn heard(&self, system: &str, at: EventTime) {
        if self.lock().contains_key(system) {
            self.newest
                .with_label_values(&[system])
                .set(at.millis() as f64 / 1_000.0);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Duration>> {
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
    fn a_listed_system_is_counted_from_zero_and_what_is_expected_is_shown_once_the_log_is_read() {
        let metrics = Metrics::register(&Registry::new()).unwrap();
        let senders = metrics.senders();
        senders.lists([
            ("12345", Some(Duration::from_secs(600))),
            ("seldom", None),
            ("never", Some(Duration::from_secs(60))),
        ]);
        let text = || metrics.text(EventTime::default()).unwrap();
        let shown = |line: &str| text().lines().any(|found| found == line);
        for line in [
            "cityops_source_records_total{source=\"hotline\",source_system=\"seldom\"} 0",
            "cityops_source_refused_total{source=\"hotline\",source_system=\"12345\"} 0",
        ] {
            assert!(shown(line), "{line}");
        }
        senders.sent(Source::Hotline, "12345", 3, 0);
        assert!(!text().contains("expected_every_seconds{") && !text().contains("newest_record_seconds{"));
        let at = EventTime::from_millis(1_500);
        senders.known(&BTreeMap::from([
            ("12345".to_owned(), at),
            ("seldom".to_owned(), at),
        ]));
        let newest = |seconds: &str| {
            format!("cityops_source_newest_record_seconds{{source_system=\"12345\"}} {seconds}")
        };
        assert!(shown(
            "cityops_source_expected_every_seconds{source_system=\"12345\"} 600"
        ));
        assert!(shown(
            "cityops_source_expected_every_seconds{source_system=\"never\"} 60"
        ));
        assert!(shown(&newest("1.5")));
        for system in ["seldom", "never"] {
            let series = format!("newest_record_seconds{{source_system=\"{system}\"}}");
            assert!(!text().contains(&series), "{series}");
        }
        senders.sent(Source::Hotline, "12345", 1, 0);
        assert!(shown(&newest("1.5")), "what is not committed is not heard");
        senders.heard("12345", EventTime::from_millis(2_000));
        assert!(shown(&newest("2")));
    }
}
