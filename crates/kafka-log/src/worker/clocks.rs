//! Decides what a tick says: how far the time of each input partition has come in this loop.

use std::time::{Duration, Instant};

use city_model::{EventTime, Tick};
use wire_format::topics::Topic;

use super::TickConfig;

/// One input partition at the time of a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) topic: Topic,
    pub(super) partition: i32,
    /// The highest append time processed here.
    pub(super) newest: Option<EventTime>,
    /// Whether everything that the partition holds was processed, as it was seen after the last tick was delivered.
    pub(super) at_end: bool,
}

/// The ticks of one loop.
#[derive(Debug)]
pub(super) struct Clocks {
    every: Duration,
    idle_hold: bool,
    sent: Option<Instant>,
    /// When the broker appended the last tick that was committed.
    appended: Option<EventTime>,
}

impl Clocks {
    pub(super) fn new(config: &TickConfig) -> Clocks {
        let every = Duration::from_millis(config.every_ms);
        Clocks {
            every,
            idle_hold: config.idle_hold,
            sent: None,
            appended: None,
        }
    }

    /// How long until the next tick.
    pub(super) fn due_in(&self, now: Instant) -> Duration {
        self.sent.map_or(Duration::ZERO, |sent| {
            (sent + self.every).saturating_duration_since(now)
        })
    }

    /// A tick was sent.
    pub(super) fn sent(&mut self, now: Instant) {
        self.sent = Some(now);
    }

    /// The last tick was committed; the broker appended it then.
    pub(super) fn committed(&mut self, appended: EventTime) {
        self.appended = self.appended.max(Some(appended));
    }

    /// When the broker appended the last tick: its clock has come so far.
    pub(super) fn appended(&self) -> Option<EventTime> {
        self.appended
    }

    /// The tick. A partition at its end holds nothing older than the last tick that this loop delivered, because the end
    /// was looked at after that delivery; so it counts with that tick's append time, unless idleness holds the clock.
    pub(super) fn tick(&self, progress: &[Progress]) -> Tick {
        let clocks = progress.iter().filter_map(|partition| {
            let idle = if partition.at_end && !self.idle_hold {
                self.appended
            } else {
                None
            };
            let time = partition.newest.max(idle)?;
            Some((
                stream_worker::input_partition_name(partition.topic, partition.partition),
                time,
            ))
        });
        Tick {
            clocks: clocks.collect(),
        }
    }

    /// Whether a tick that names nothing is worth sending: its append time is what the next one will say.
    pub(super) fn wants_empty(&self) -> bool {
        !self.idle_hold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> EventTime {
        EventTime::from_millis(ms)
    }

    fn clocks(idle_hold: bool, appended: Option<i64>) -> Clocks {
        let config = TickConfig {
            every_ms: 1_000,
            enriched: Topic::Enriched,
            partitions: 1,
            idle_hold,
        };
        let mut clocks = Clocks::new(&config);
        if let Some(ms) = appended {
            clocks.committed(at(ms));
        }
        clocks
    }

    fn check(clocks: &Clocks, newest: Option<i64>, at_end: bool, expected: Option<i64>) {
        let progress = Progress {
            topic: Topic::Sensor,
            partition: 3,
            newest: newest.map(at),
            at_end,
        };
        let expected: Vec<_> = expected
            .map(|ms| ("city.sensor.readings.v1-3".into(), at(ms)))
            .into_iter()
            .collect();
        assert_eq!(clocks.tick(&[progress]).clocks, expected);
    }

    #[test]
    fn a_partition_at_its_end_counts_with_the_last_tick() {
        let after = clocks(false, Some(500));
        check(&after, Some(200), true, Some(500));
        check(&after, Some(900), true, Some(900));
        check(&after, None, true, Some(500));
    }

    #[test]
    fn a_partition_that_is_behind_counts_with_what_was_processed() {
        let after = clocks(false, Some(500));
        check(&after, Some(200), false, Some(200));
        check(&after, None, false, None);
    }

    #[test]
    fn holding_keeps_idle_partitions_where_they_are() {
        let holding = clocks(true, Some(500));
        check(&holding, Some(200), true, Some(200));
        check(&holding, None, true, None);
    }

    #[test]
    fn the_first_tick_knows_no_time_of_its_own() {
        let first = clocks(false, None);
        check(&first, None, true, None);
        check(&first, Some(200), true, Some(200));
    }

    #[test]
    fn the_append_time_never_goes_back() {
        let mut after = clocks(false, Some(500));
        after.committed(at(400));
        check(&after, None, true, Some(500));
    }
}
