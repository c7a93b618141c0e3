//! What a loop tells about itself, as metrics and as health: one observer a loop.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kafka_log::{CommitInfo, Lag, Observer};
use prometheus::IntCounterVec;
use span_export::{Tracer, Transaction};
use wire_format::topics::Topic;

use super::{AppendTimes, Maker, Metrics, seconds};
use crate::http::LoopHealth;

/// Thirty years: no record is that old.
const NEVER_MS: i64 = 30 * 365 * 24 * 3_600_000;

/// What the loops of a process have committed.
pub(super) struct Committed {
    records: IntCounterVec,
    bytes: IntCounterVec,
    written: IntCounterVec,
}

impl Committed {
    pub(super) fn register(make: &Maker<'_>) -> anyhow::Result<Committed> {
        Ok(Committed {
            records: make.counters(
                "records_committed_total",
                "Records read by a worker and committed, batches of the enriched log as one.",
                &["worker"],
            )?,
            bytes: make.counters(
                "committed_bytes_total",
                "Keys and values of the records that a worker read and committed, in bytes.",
                &["worker"],
            )?,
            written: make.counters(
                "records_written_total",
                "Records that a worker wrote and committed, rows of its changelog among them.",
                &["worker"],
            )?,
        })
    }

    fn add(&self, info: &CommitInfo<'_>) {
        let worker = [info.worker];
        self.records.with_label_values(&worker).inc_by(info.records);
        self.bytes.with_label_values(&worker).inc_by(info.bytes);
        self.written.with_label_values(&worker).inc_by(info.written);
    }
}

/// Listens to one loop of a worker.
pub struct LoopObserver {
    metrics: Arc<Metrics>,
    health: Arc<LoopHealth>,
    /// What the loop has, so that the series of what it loses go with it.
    partitions: Mutex<BTreeSet<(Topic, i32)>>,
    tracer: Option<Tracer>,
    /// Whose time the records of source topics have.
    times: AppendTimes,
}

impl LoopObserver {
    /// Listens for these.
    pub fn new(metrics: Arc<Metrics>, health: Arc<LoopHealth>) -> LoopObserver {
        // A counter that is there from the start can be alerted on when it first counts.
        let worker = [health.worker()];
        metrics.transactions_aborted.with_label_values(&worker);
        metrics.rebalances.with_label_values(&worker);
        metrics.restore_duration.with_label_values(&worker);
        metrics.thrown_away.with_label_values(&worker);
        LoopObserver {
            metrics,
            health,
            partitions: Mutex::default(),
            tracer: None,
            times: AppendTimes::ByBroker,
        }
    }

    /// The same where records of source topics have this time.
    pub fn appended(self, times: AppendTimes) -> LoopObserver {
        LoopObserver { times, ..self }
    }

    /// The same with somebody who exports what it commits.
    pub fn traced_by(self, tracer: Option<Tracer>) -> LoopObserver {
        LoopObserver { tracer, ..self }
    }
}

impl LoopObserver {
    /// The loop has these partitions now: what is told of others goes.
    fn holds(&self, worker: &str, partitions: &[(Topic, i32)]) {
        let has: BTreeSet<(Topic, i32)> = partitions.iter().copied().collect();
        let had = std::mem::replace(
            &mut *self.partitions.lock().unwrap_or_else(PoisonError::into_inner),
            has.clone(),
        );
        for (topic, partition) in had.difference(&has) {
            self.metrics.lag.gone(worker, (*topic, *partition));
            let named = stream_worker::input_partition_name(*topic, *partition);
            // A series that was never written is not there to be removed; that is no error.
            let _ = self.metrics.watermark_lag.remove_label_values(&[worker, &*named]);
        }
    }
}

impl Observer for LoopObserver {
    fn batch_committed(&self, info: &CommitInfo<'_>) {
        let metrics = &self.metrics;
        metrics.committed.add(info);
        metrics
            .stage_duration
            .with_label_values(&[info.worker])
            .observe(seconds(info.processing));
        metrics
            .transaction_duration
            .with_label_values(&[info.worker])
            .observe(seconds(info.transaction));
        let read = info
            .sources
            .iter()
            .filter(|(topic, _)| topic.source().is_some())
            .map(|(_, records)| records)
            .sum();
        metrics.records_read.fetch_add(read, Ordering::Relaxed);
        if let Some(tracer) = &self.tracer {
            tracer.committed(&Transaction {
                worker: self.health.worker(),
                records: info.records,
                written: info.written,
                bytes: info.bytes,
                duration: info.duration,
                deciding: info.processing,
                committing: info.transaction,
            });
        }
    }

    fn assigned(&self, worker: &str, partitions: &[(Topic, i32)]) {
        self.health.assigned(partitions.len());
        self.metrics.rebalances.with_label_values(&[worker]).inc();
        self.holds(worker, partitions);
    }

    fn ready(&self, _worker: &str) {
        self.health.restored();
    }
    fn restored(&self, _topic: Topic, _partition: i32, _rows: u64, duration: Duration) {
        self.metrics
            .restore_duration
            .with_label_values(&[self.health.worker()])
            .observe(seconds(duration));
    }

    fn thrown_away(&self, _topic: Topic, _partition: i32, offsets: i64) {
        self.metrics
            .thrown_away
            .with_label_values(&[self.health.worker()])
            .inc_by(u64::try_from(offsets).unwrap_or_default());
    }

    fn gone(&self, _worker: &str, topics: &[String]) {
        self.health.gone(topics);
    }

    fn aborted(&self, worker: &str) {
        if let Some(tracer) = &self.tracer {
            tracer.aborted();
        }
        self.metrics
            .transactions_aborted
            .with_label_values(&[worker])
            .inc();
    }

    fn failed(&self, _worker: &str, attempts: u32, why: &str) {
        self.health.failed(attempts, why);
    }

    fn recovered(&self, _worker: &str) {
        self.health.recovered();
    }

    fn lag(&self, topic: Topic, partition: i32, lag: Lag) {
        // What this program writes has the broker's time.
        let times = match topic.source() {
            Some(_) => self.times,
            None => AppendTimes::ByBroker,
        };
        let metrics = &self.metrics.lag;
        metrics.told(self.health.worker(), (topic, partition), lag, times);
    }

    fn tick(&self, worker: &str, topic: Topic, partition: i32, lag_ms: i64) {
        // A partition that never had a record stands at the epoch: it lags behind nothing.
        if lag_ms >= NEVER_MS {
            return;
        }
        let partition = stream_worker::input_partition_name(topic, partition);
        self.metrics
            .watermark_lag
            .with_label_values(&[worker, &*partition])
            .set(lag_ms as f64 / 1_000.0);
    }

    fn answered(&self, _worker: &str) {
        self.health.answered();
    }

    fn lost(&self, worker: &str) {
        if let Some(tracer) = &self.tracer {
            tracer.aborted();
        }
        // What it had is another's now, or nobody's.
        self.holds(worker, &[]);
        self.health.lost();
    }

    fn heartbeat(&self, _worker: &str) {
        self.health.beat();
    }
}

#[cfg(test)]
mod tests {
    use city_model::EventTime;
    use prometheus::Registry;

    use super::*;
    use crate::http::Health;

    fn behind(records: i64) -> Lag {
        Lag {
            records,
            newest: None,
        }
    }

    #[test]
    fn a_partition_that_went_away_takes_its_series_along() {
        let metrics = Arc::new(Metrics::register(&Registry::new()).unwrap());
        let health = Health::default();
        let observer = LoopObserver::new(metrics.clone(), health.add_loop("enrich"));
        let shown = |line: &str| {
            metrics
                .text(EventTime::default())
                .unwrap()
                .lines()
                .any(|found| found == line)
        };
        observer.assigned("enrich", &[(Topic::Sensor, 0), (Topic::Sensor, 1)]);
        observer.restored(Topic::Sensor, 0, 7, Duration::from_millis(20));
        observer.ready("enrich");
        for partition in 0..2 {
            observer.lag(Topic::Sensor, partition, behind(40));
            observer.tick("enrich", Topic::Sensor, partition, 1_500);
        }
        observer.batch_committed(&CommitInfo {
            worker: "enrich",
            sources: &[(Topic::Sensor, 9), (Topic::Enriched, 1)],
            records: 10,
            bytes: 1,
            written: 1,
            duration: Duration::from_millis(9),
            processing: Duration::from_millis(4),
            transaction: Duration::from_millis(5),
        });
        assert_eq!(metrics.records_read(), 9);
        let lag = |partition| {
            format!(
                "cityops_consumer_lag_records{{partition=\"{partition}\",topic=\"city.sensor.readings.v1\"}} 40"
            )
        };
        assert!(shown(&lag(0)) && shown(&lag(1)));
        let seconds = |partition| {
            let text = metrics.text(EventTime::default()).unwrap();
            text.contains(&format!(
                "cityops_consumer_lag_seconds{{partition=\"{partition}\""
            ))
        };
        assert!(seconds(0) && seconds(1));
        observer.assigned("enrich", &[(Topic::Sensor, 1)]);
        assert!(!shown(&lag(0)) && shown(&lag(1)));
        assert!(!seconds(0) && seconds(1));
        assert!(shown(
            "cityops_watermark_lag_seconds{partition=\"city.sensor.readings.v1-1\",worker=\"enrich\"} 1.5"
        ));
        assert!(!shown(
            "cityops_watermark_lag_seconds{partition=\"city.sensor.readings.v1-0\",worker=\"enrich\"} 1.5"
        ));
        assert!(shown("cityops_rebalances_total{worker=\"enrich\"} 2"));
        assert!(shown("cityops_records_committed_total{worker=\"enrich\"} 10"));
        assert!(shown("cityops_stage_duration_seconds_count{stage=\"enrich\"} 1"));
    }

    #[test]
    fn two_readers_of_one_topic_do_not_hide_each_other() {
        let metrics = Arc::new(Metrics::register(&Registry::new()).unwrap());
        let health = Health::default();
        for (worker, records) in [("correlate", 7), ("vitals", 900)] {
            let observer = LoopObserver::new(metrics.clone(), health.add_loop(worker));
            observer.assigned(worker, &[(Topic::Enriched, 0)]);
            observer.lag(Topic::Enriched, 0, behind(records));
        }
        let text = metrics.text(EventTime::default()).unwrap();
        for line in [
            "cityops_consumer_lag_records{partition=\"0\",topic=\"city.events.enriched.v1\"} 7",
            "cityops_vitals_lag_records{partition=\"0\",topic=\"city.events.enriched.v1\"} 900",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
