//! Who sends, and what is wrong with their devices: by the source systems that the configuration lists, never by device.

use city_model::Source;
use event_intake::Fault;
use prometheus::IntCounterVec;

use super::Maker;

/// What a process has read, by the system that sent it.
pub struct SenderMetrics {
    records: IntCounterVec,
    refused: IntCounterVec,
    faults: IntCounterVec,
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
