//! Takes the records of several partitions by their times, as far as it is known what comes next.
//!
//! Where much waits, the client hands over partition by partition, each with hours of events, and what is late in the enriched
//! log is decided again. So the partition whose next record is the oldest goes first. One whose next record is not here yet is
//! waited for, unless it is at its end, or has kept the others waiting for long enough: order saves work, and decides nothing.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use city_model::EventTime;

/// How far ahead of a partition that is waited for others may be. More than [`PATIENCE`]: where nothing is behind, a partition
/// that had its last record so long ago is not waited for any more, and nobody waits.
pub(super) const AHEAD_MS: i64 = 2_000;
/// How long a partition that has nothing here is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// What a partition gives when it is asked.
pub(super) enum Next<R> {
    /// Its next record, the time and the bytes of it.
    Record(EventTime, u64, R),
    /// There was none on the broker either; more may have come since.
    End,
    /// None is here yet.
    Nothing,
}

/// What is known of one partition.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lane {
    /// The time of the last record that came.
    latest: EventTime,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It gave a record when it was asked last.
    Here,
    /// Nothing is here, and more may be on its way, since then.
    Dry(Instant),
    /// The broker had nothing more either.
    AtEnd,
}

impl Lane {
    /// One that was not asked yet.
    pub(super) fn new(now: Instant) -> Lane {
        Lane {
            latest: EventTime::from_millis(i64::MIN),
            state: State::Dry(now),
        }
    }

    /// The time that others must not pass, if it is waited for.
    fn bar(&self, now: Instant) -> Option<EventTime> {
        let State::Dry(since) = self.state else {
            return None;
        };
        let bar = self.latest.millis().saturating_add(AHEAD_MS);
        (now.saturating_duration_since(since) < PATIENCE).then(|| EventTime::from_millis(bar))
    }
}

/// Records in the order in which they are taken, and those that were asked for and are not taken yet.
pub(super) struct Taken<R> {
    /// By their times; each with its partition.
    pub(super) records: Vec<(usize, R)>,
    /// At most one a partition: it comes first when the partition is asked again.
    pub(super) left: Vec<(usize, R)>,
    pub(super) bytes: u64,
}

/// The clocks of one call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    pub(super) now: Instant,
    /// A record from the future counts as one of now, or its partition would never be the oldest.
    pub(super) wall: EventTime,
}

/// Takes records until there are so many, or so many bytes, or the oldest that is here must wait. `next` asks a partition.
pub(super) fn take<R, E>(
    lanes: &mut [Lane],
    clock: Clock,
    (records_max, bytes_max): (usize, u64),
    mut next: impl FnMut(usize) -> Result<Next<R>, E>,
) -> Result<Taken<R>, E> {
    let mut taken = Taken {
        records: Vec::new(),
        left: Vec::new(),
        bytes: 0,
    };
    let mut heads: Vec<Option<(u64, R)>> = lanes.iter().map(|_| None).collect();
    let mut order = BinaryHeap::with_capacity(lanes.len());
    let mut ask = |lane: &mut Lane, of: usize, head: &mut Option<(u64, R)>| {
        loop {
            match next(of)? {
                Next::Record(at, bytes, record) => {
                    // A clock that went back does not change the partition's order.
                    lane.latest = lane.latest.max(at.min(clock.wall));
                    lane.state = State::Here;
                    *head = Some((bytes, record));
                    return Ok(Some(Reverse((lane.latest, of))));
                }
                // It was so when the broker said it: what has come since lies behind.
                Next::End => lane.state = State::AtEnd,
                Next::Nothing => {
                    if lane.state == State::Here {
                        lane.state = State::Dry(clock.now);
                    }
                    return Ok(None);
                }
            }
        }
    };
    let mut is_fresh = true;
    for (of, (lane, head)) in lanes.iter_mut().zip(&mut heads).enumerate() {
        order.extend(ask(lane, of, head)?);
    }
    let bar_of = |lanes: &[Lane]| lanes.iter().filter_map(|lane| lane.bar(clock.now)).min();
    let mut bar = bar_of(lanes);
    while taken.records.len() < records_max && taken.bytes < bytes_max {
        let Some(&Reverse((at, of))) = order.peek() else {
            break;
        };
        if bar.is_some_and(|bar| at > bar) {
            // Something may have come for those that are waited for; they are asked once before the others wait.
            if is_fresh {
                break;
            }
            for (of, (lane, head)) in lanes.iter_mut().zip(&mut heads).enumerate() {
                if head.is_none() {
                    order.extend(ask(lane, of, head)?);
                }
            }
            is_fresh = true;
            bar = bar_of(lanes);
            continue;
        }
        order.pop();
        if let Some((bytes, record)) = heads[of].take() {
            taken.bytes += bytes;
            taken.records.push((of, record));
        }
        is_fresh = false;
        order.extend(ask(&mut lanes[of], of, &mut heads[of])?);
        bar = bar.into_iter().chain(lanes[of].bar(clock.now)).min();
    }
    let left = (0..).zip(heads);
    taken.left = left
        .filter_map(|(of, head)| head.map(|(_, record)| (of, record)))
        .collect();
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// What the client's queue of a partition holds: a record with its number, or that the broker had no more then.
    type Queued = Option<(i64, u32)>;

    /// Partitions in memory.
    struct Log {
        lanes: Vec<Lane>,
        /// On the broker, and not here yet.
        away: Vec<VecDeque<(i64, u32)>>,
        here: Vec<VecDeque<Queued>>,
    }

    impl Log {
        fn new(times: &[&[i64]], now: Instant) -> Log {
            let mut number = 0..;
            let numbered = times
                .iter()
                .map(|own| own.iter().map(|at| (*at, number.next().unwrap())).collect());
            Log {
                lanes: vec![Lane::new(now); times.len()],
                away: numbered.collect(),
                here: vec![VecDeque::new(); times.len()],
            }
        }

        /// All of it is here, and each partition at its end.
        fn arrived(times: &[&[i64]], now: Instant) -> Log {
            let mut log = Log::new(times, now);
            (0..times.len()).for_each(|of| log.arrive_all(of));
            log
        }

        fn arrive(&mut self, of: usize, most: usize) {
            let count = most.min(self.away[of].len());
            self.here[of].extend(self.away[of].drain(..count).map(Some));
        }

        fn arrive_all(&mut self, of: usize) {
            self.arrive(of, usize::MAX);
            self.here[of].push_back(None);
        }

        fn take(&mut self, now: Instant, wall: i64, most: usize) -> Vec<(usize, u32, i64)> {
            let here = &mut self.here;
            let clock = Clock {
                now,
                wall: EventTime::from_millis(wall),
            };
            let taken = take(&mut self.lanes, clock, (most, u64::MAX), |of| {
                Ok::<_, Infallible>(match here[of].pop_front() {
                    Some(Some(record)) => Next::Record(EventTime::from_millis(record.0), 1, record),
                    Some(None) => Next::End,
                    None => Next::Nothing,
                })
            });
            let taken = taken.unwrap();
            for (of, record) in taken.left {
                self.here[of].push_front(Some(record));
            }
            let given = taken.records.into_iter();
            given.map(|(of, (at, number))| (of, number, at)).collect()
        }
    }

    const LATE: i64 = i64::MAX;

    fn times(taken: &[(usize, u32, i64)]) -> Vec<i64> {
        taken.iter().map(|it| it.2).collect()
    }

    #[test]
    fn the_oldest_goes_first() {
        let now = Instant::now();
        let mut log = Log::arrived(&[&[10, 40, 70], &[20, 30, 90], &[50]], now);
        assert_eq!(times(&log.take(now, LATE, 4)), [10, 20, 30, 40]);
        assert_eq!(times(&log.take(now, LATE, 10)), [50, 70, 90]);
    }

    #[test]
    fn one_that_is_not_here_is_waited_for_and_not_for_ever() {
        let now = Instant::now();
        let mut log = Log::new(&[&[10, 20, 3_000, 9_000], &[15, 2_500]], now);
        log.arrive_all(0);
        log.arrive(1, 1);
        // Up to two seconds ahead of its last one.
        assert_eq!(times(&log.take(now, LATE, 10)), [10, 15, 20]);
        assert_eq!(times(&log.take(now + PATIENCE / 2, LATE, 10)), [] as [i64; 0]);
        log.arrive_all(1);
        assert_eq!(
            times(&log.take(now + PATIENCE / 2, LATE, 10)),
            [2_500, 3_000, 9_000]
        );
        let mut log = Log::new(&[&[10, 3_000], &[15, 2_500]], now);
        log.arrive_all(0);
        log.arrive(1, 1);
        assert_eq!(times(&log.take(now, LATE, 10)), [10, 15]);
        assert_eq!(times(&log.take(now + PATIENCE, LATE, 10)), [3_000]);
    }

    #[test]
    fn one_that_was_never_here_holds_all_back_until_it_says_what_it_has() {
        let now = Instant::now();
        let mut log = Log::new(&[&[10, 20], &[]], now);
        log.arrive_all(0);
        assert_eq!(times(&log.take(now, LATE, 10)), [] as [i64; 0]);
        log.arrive_all(1);
        assert_eq!(times(&log.take(now, LATE, 10)), [10, 20]);
    }

    #[test]
    fn what_came_after_an_end_is_not_left_for_the_next_time() {
        let now = Instant::now();
        let mut log = Log::new(&[&[10, 20, 30, 40], &[25, 35]], now);
        // Each fetch brought one record, and the broker had no more when it answered.
        for _ in 0..4 {
            for of in 0..2 {
                log.arrive(of, 1);
                log.here[of].push_back(None);
            }
        }
        assert_eq!(times(&log.take(now, LATE, 10)), [10, 20, 25, 30, 35, 40]);
    }

    #[test]
    fn a_record_of_the_future_goes_as_one_of_now() {
        let now = Instant::now();
        let mut log = Log::arrived(&[&[1_000_000, 1_000_001], &[10, 60]], now);
        assert_eq!(times(&log.take(now, 50, 10)), [10, 1_000_000, 1_000_001, 60]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_partitions_keep_their_order(
            given in prop::collection::vec(prop::collection::vec(0i64..20_000, 0..20), 1..5),
            steps in prop::collection::vec((0usize..5, 0usize..6, any::<bool>(), 1usize..8), 0..30),
        ) {
            let mut now = Instant::now();
            let lent: Vec<&[i64]> = given.iter().map(Vec::as_slice).collect();
            let mut log = Log::new(&lent, now);
            let mut taken = Vec::new();
            for (of, more, is_end, most) in steps {
                let of = of % given.len();
                log.arrive(of, more);
                if is_end {
                    log.here[of].push_back(None);
                }
                let step = log.take(now, LATE, most);
                prop_assert!(step.len() <= most);
                taken.extend(step);
                now += PATIENCE / 3;
            }
            // Once all is here, what is left is taken by time.
            (0..given.len()).for_each(|of| log.arrive_all(of));
            let rest = log.take(now, LATE, usize::MAX);
            if given.iter().all(|own| own.is_sorted()) {
                prop_assert!(rest.is_sorted_by_key(|it| it.2));
            }
            taken.extend(rest);
            prop_assert_eq!(taken.len(), given.iter().map(Vec::len).sum::<usize>());
            for (of, own) in given.iter().enumerate() {
                let got: Vec<i64> = taken.iter().filter(|it| it.0 == of).map(|it| it.2).collect();
                prop_assert_eq!(&got, own);
            }
        }
    }
}
