//! Whether somebody does the work: what this process answers at `/readyz`, and how many input partitions its loops read of
//! those that each worker has in all processes together.

use std::collections::BTreeMap;

use prometheus::{IntGauge, IntGaugeVec};

use super::Maker;

/// How ready a process is, as it was asked last.
pub struct ReadinessMetrics {
    ready: IntGaugeVec,
    expected: IntGaugeVec,
    read: IntGaugeVec,
}

impl ReadinessMetrics {
    pub(super) fn register(make: &Maker<'_>) -> anyhow::Result<ReadinessMetrics> {
        Ok(ReadinessMetrics {
            ready: make.gauges("ready", "Whether /readyz says yes: 1 or 0.", &[])?,
            expected: make.gauges(
                "worker_partitions_expected",
                "Input partitions of a worker, over all processes together.",
                &["worker"],
            )?,
            read: make.gauges(
                "worker_partitions",
                "Input partitions that this process reads: assigned, restored, and the broker answers.",
                &["worker"],
            )?,
        })
    }

    /// So many input partitions a worker has in all.
    pub fn expects(&self, worker: &str, partitions: i64) {
        self.expected.with_label_values(&[worker]).set(partitions);
    }

    /// What holds now: whether the process is ready, and what the loops of each worker read.
    pub fn show(&self, is_ready: bool, read: &BTreeMap<&'static str, usize>) {
        let ready: IntGauge = self.ready.with_label_values::<&str>(&[]);
        ready.set(i64::from(is_ready));
        for (worker, partitions) in read {
            let partitions = i64::try_from(*partitions).unwrap_or(i64::MAX);
            self.read.with_label_values(&[*worker]).set(partitions);
        }
    }
}
