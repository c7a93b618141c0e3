//! How far the loops are behind the ends of their inputs: in records, as the broker counts them, and in time. Records do not
//! tell a topic of ten a day that stands still from one that is read, nor a steady backlog of an hour from one of a second.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use city_model::EventTime;
use kafka_log::Lag;
use prometheus::{GaugeVec, IntGaugeVec};
use wire_format::Topic;

use super::Maker;
use crate::workers::Role;

/// Whose append times the records of an input have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppendTimes {
    /// The broker's: they can be held against the wall clock.
    ByBroker,
    /// Their producers': a backfill's are of another day.
    ByProducer,
}

/// What waits in an input partition, as its loop told it last.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    records: i64,
    newest: Option<EventTime>,
    /// When nothing waited, or else when the loop got the partition.
    since: Instant,
    /// Nothing waited then.
    seen_at_end: bool,
}

impl Waiting {
    /// For how long what waits has done so, at most. It was appended after the newest record that was processed, and after
    /// the partition was last seen at its end. Who has seen neither knows only how long he has been at it.
    fn behind(&self, now: EventTime, at: Instant) -> Duration {
        if self.records == 0 {
            return Duration::ZERO;
        }
        let sight = at.saturating_duration_since(self.since);
        let by_newest = self.newest.map(|newest| {
            let ms = u64::try_from(now.millis().saturating_sub(newest.millis()));
            Duration::from_millis(ms.unwrap_or_default())
        });
        match by_newest {
            Some(by_newest) if self.seen_at_end => by_newest.min(sight),
            Some(by_newest) => by_newest,
            None => sight,
        }
    }
}

/// How far the loops of this process are behind.
pub(super) struct LagMetrics {
    records: IntGaugeVec,
    seconds: GaugeVec,
    /// Vital signs read the enriched log, too: under one name the slower of two readers would hide behind the faster.
    vitals: IntGaugeVec,
    waiting: Mutex<BTreeMap<(Topic, i32), Waiting>>,
}

impl LagMetrics {
    pub(super) fn register(make: &Maker<'_>) -> anyhow::Result<LagMetrics> {
        let labels = &["topic", "partition"];
        Ok(LagMetrics {
            records: make.gauges("consumer_lag_records", "Offsets between a loop's position and the end of its partition.", labels)?,
            seconds: make.seconds("consumer_lag_seconds", "For how long the oldest record that waits in a partition has waited, at most, in seconds; 0 where none waits.", labels)?,
            vitals: make.gauges("vitals_lag_records", "Offsets between the position of the vitals worker and the end of its partition; no incident waits for it.", labels)?,
            waiting: Mutex::default(),
        })
    }

    /// A loop of this worker is so far behind in a partition.
    pub(super) fn told(
        &self,
        worker: &str,
        (topic, partition): (Topic, i32),
        lag: Lag,
        appended: AppendTimes,
    ) {
        let number = partition.to_string();
        let labels = [topic.name(), &*number];
        if worker == Role::Vitals.as_str() {
            self.vitals.with_label_values(&labels).set(lag.records);
            return;
        }
        self.records.with_label_values(&labels).set(lag.records);
        let newest = lag.newest.filter(|_| appended == AppendTimes::ByBroker);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let told = waiting.entry((topic, partition)).or_insert_with(|| Waiting {
            records: 0,
            newest,
            since: Instant::now(),
            seen_at_end: false,
        });
        (told.records, told.newest) = (lag.records, newest);
        if lag.records == 0 {
            (told.since, told.seen_at_end) = (Instant::now(), true);
        }
    }

    /// A loop of this worker has the partition no longer.
    pub(super) fn gone(&self, worker: &str, (topic, partition): (Topic, i32)) {
        let number = partition.to_string();
        let labels = [topic.name(), &*number];
        // A series that was never written is not there to be removed; that is no error.
        if worker == Role::Vitals.as_str() {
            let _ = self.vitals.remove_label_values(&labels);
            return;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.remove(&(topic, partition));
        let _ = self.records.remove_label_values(&labels);
        let _ = self.seconds.remove_label_values(&labels);
    }

    /// Reckons the seconds at a moment on the wall clock: they grow also where a loop says nothing any more.
    pub(super) fn reckon(&self, now: EventTime) {
        let at = Instant::now();
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for ((topic, partition), told) in waiting.iter() {
            self.seconds
                .with_label_values(&[topic.name(), &*partition.to_string()])
                .set(told.behind(now, at).as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    /// Seconds behind, an hour after a loop got a partition: what waits, the age of the newest record processed, and how long
    /// ago the partition was at its end, both in seconds.
    fn behind(records: i64, newest_s: Option<i64>, at_end_s: Option<u64>) -> u64 {
        let got = Instant::now();
        let now = got + Duration::from_secs(3_600);
        let waiting = Waiting {
            records,
            newest: newest_s.map(|ago| EventTime::from_millis(NOW - 1_000 * ago)),
            since: at_end_s.map_or(got, |ago| now - Duration::from_secs(ago)),
            seen_at_end: at_end_s.is_some(),
        };
        waiting.behind(EventTime::from_millis(NOW), now).as_secs()
    }

    #[test]
    fn time_tells_what_records_do_not() {
        assert_eq!(behind(0, Some(86_400), Some(5)), 0, "quiet is not behind");
        assert_eq!(
            behind(1, Some(86_400), Some(700)),
            700,
            "one record stands still after a quiet day"
        );
        assert_eq!(
            behind(90_000, Some(1_200), None),
            1_200,
            "a steady backlog of twenty minutes"
        );
        assert_eq!(behind(90_000, Some(1), Some(2_000)), 1, "read as it comes");
        assert_eq!(
            behind(7, None, None),
            3_600,
            "nothing was read since the loop got it"
        );
        assert_eq!(behind(7, None, Some(60)), 60, "producers' times say nothing");
        assert_eq!(behind(7, Some(-30), None), 0, "a broker's clock runs ahead");
    }
}
