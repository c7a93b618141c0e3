//! Runs one loop: reads its share of the inputs, lets processors decide, and commits everything in transactions.
//!
//! It never undoes: after a failed transaction all state is dropped and restored from the changelog.

mod ahead;
mod alone;
mod bounded;
mod claim;
mod clocks;
mod config;
mod entering;
pub(crate) mod failure;
pub(crate) mod group;
mod handing;
mod in_time;
mod latest;
mod looked;
mod needed;
mod packing;
mod reading;
mod refusal;
mod restore;
mod session;
mod takeover;
mod tasks;
mod ticking;
pub(crate) mod transactor;
mod turn;
mod writing;
mod written;

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use stream_worker::Processor;
use wire_format::topics::Topic;

pub(crate) use bounded::bounded;
pub use config::{BUDGET_MIN_BYTES, Shares, TickConfig, WorkerConfig};
pub use failure::WorkerError;

use crate::{Observer, admin};
use failure::Failure;
use session::Session;
use written::Written;

/// Makes the processor of an input partition.
pub type Factory<'a> = &'a (dyn Fn(Topic, i32) -> Box<dyn Processor> + Sync);

/// Failures in a row, with no commit of what failed between them, after which the loop gives up and leaves the rest to its supervisor.
const ATTEMPTS_MAX: u32 = 10;
/// Calls in a row that did not come back, with no commit between them, after which it does the same: each takes twelve seconds.
const HANGS_MAX: u32 = 4;
/// The wait after the first failure; it doubles up to [`BACKOFF_MAX`].
const BACKOFF_MIN: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// How long one look for the broker takes, and how often the log says that it is away.
const REACH_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a topic that was just created may take to be known to the broker that is asked.
const TOPICS_SHOW_WITHIN: Duration = Duration::from_secs(5);

/// What has failed and was not got over yet.
#[derive(Debug, Default)]
struct Streak {
    /// How often anything did.
    attempts: u32,
    /// How many calls to the library did not come back.
    hangs: u32,
    /// The partitions whose records failed, and the offset that they must get beyond: what others commit does not mend it.
    stuck: Vec<(Topic, i32, i64)>,
    /// The right that was missing, as it was said.
    refused: Option<String>,
}

impl Streak {
    /// A batch failed that had records of these partitions, each from an offset on.
    fn stuck_at(&mut self, partitions: impl Iterator<Item = (Topic, i32, i64)>) {
        for (topic, partition, from) in partitions {
            if !self.stuck.iter().any(|it| (it.0, it.1) == (topic, partition)) {
                self.stuck.push((topic, partition, from));
            }
        }
    }

    /// A commit came through; `position` answers up to where a partition is committed, if it is still the loop's. Whether a row
    /// of failures ended with it.
    fn committed(&mut self, position: impl Fn(Topic, i32) -> Option<i64>) -> bool {
        if self.attempts == 0 {
            return false;
        }
        self.stuck
            .retain(|(topic, partition, from)| position(*topic, *partition).is_some_and(|at| at <= *from));
        let is_over = self.stuck.is_empty();
        if is_over {
            *self = Streak::default();
        }
        is_over
    }
}

/// Runs the loop on the calling thread until `stop` is set.
///
/// # Errors
/// When the configuration is refused, topics are missing, the broker cannot be reached at the start, or ten attempts in
/// a row failed and none of them got beyond what failed, or four calls to the library did not come back.
pub fn run(
    config: WorkerConfig,
    factory: Factory<'_>,
    observer: &dyn Observer,
    stop: &AtomicBool,
) -> Result<(), WorkerError> {
    config.check()?;
    let transactional_id = config.new_transactional_id();
    if !reach(&config, observer, Some(config.unreachable_after), stop)? {
        return Ok(());
    }
    let Some(partitions) = check_topics(&config, observer, stop)? else {
        return Ok(());
    };
    let mut streak = Streak::default();
    let written = RefCell::<Written>::default();
    loop {
        let session = Session::start(
            &config,
            &transactional_id,
            factory,
            observer,
            partitions,
            &written,
        );
        let mut failure = match session {
            Ok(mut session) => match session.run(stop, &mut streak) {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            },
            Err(failure) => failure,
        };
        if let Failure::Refused(error) = failure {
            return Err(error);
        }
        observer.lost(config.name);
        if let Failure::Leaderless(text) = failure {
            tracing::warn!(worker = config.name, reason = text, "waiting for a leader");
            wait(BACKOFF_MAX, stop);
            // It may be gone for good, which is the operator's to mend.
            if !reach(&config, observer, None, stop)? || check_topics(&config, observer, stop)?.is_none() {
                return Ok(());
            }
            continue;
        }
        streak.attempts += 1;
        streak.hangs += u32::from(matches!(failure, Failure::Hangs(_)));
        let Streak { attempts, hangs, .. } = streak;
        let said = streak.said(&config, observer, &mut failure);
        observer.failed(config.name, attempts, &said.public);
        tracing::warn!(
            worker = config.name,
            attempts,
            failure = said.log,
            "the loop starts again"
        );
        if attempts >= ATTEMPTS_MAX || hangs >= HANGS_MAX {
            return Err(WorkerError::GaveUp {
                attempts,
                last: said.log,
            });
        }
        wait(backoff(attempts), stop);
        // An outage is not the loop's failure: it waits as long as it lasts.
        if !reach(&config, observer, None, stop)? {
            return Ok(());
        }
    }
}

/// Waits for the broker; `false` when stopped before it was there.
fn reach(
    config: &WorkerConfig,
    observer: &dyn Observer,
    limit: Option<Duration>,
    stop: &AtomicBool,
) -> Result<bool, WorkerError> {
    let begun = Instant::now();
    loop {
        observer.heartbeat(config.name);
        if stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let left = limit.map_or(REACH_TIMEOUT, |limit| {
            limit.saturating_sub(begun.elapsed()).min(REACH_TIMEOUT)
        });
        match admin::reachable(&config.properties, left.max(Duration::from_millis(100))) {
            Ok(()) => return Ok(true),
            Err(error) => {
                if limit.is_some_and(|limit| begun.elapsed() >= limit) {
                    return Err(WorkerError::Unreachable(error));
                }
                tracing::warn!(worker = config.name, %error, "waiting for the broker");
                wait(Duration::from_millis(500), stop);
            }
        }
    }
}

/// Missing topics are the operator's to create; a loop that waits for them would look alive. Those just created may take
/// a moment to show. How many partitions the inputs have; `None` when stopped before that is known.
fn check_topics(
    config: &WorkerConfig,
    observer: &dyn Observer,
    stop: &AtomicBool,
) -> Result<Option<usize>, WorkerError> {
    let begun = Instant::now();
    let mut there_since = begun;
    loop {
        // Those just created have no leaders yet; what has none for longer is read when it has one, and the others meanwhile.
        let waited = there_since.elapsed() >= TOPICS_SHOW_WITHIN;
        let ask = if waited {
            admin::all_partitions
        } else {
            admin::topic_partitions
        };
        let found = match ask(&config.properties, REACH_TIMEOUT) {
            Ok(found) => found,
            // It was there a moment ago: a broker that goes away at a start is waited for as one that is away.
            Err(error) => {
                let left = config.unreachable_after.saturating_sub(begun.elapsed());
                if left.is_zero() {
                    return Err(WorkerError::Unreachable(error));
                }
                if !reach(config, observer, Some(left), stop)? {
                    return Ok(None);
                }
                there_since = Instant::now();
                continue;
            }
        };
        let names = config.topics().map(|topic| config.name_of(topic));
        let missing: Vec<String> = names.filter(|name| !found.contains_key(name)).collect();
        let count = |topic| found.get(&config.name_of(topic)).copied();
        if missing.is_empty() {
            let widest = config.inputs.iter().filter_map(|topic| count(*topic)).max();
            if count(config.changelog) < widest {
                let number = |count: Option<i32>| count.unwrap_or_default();
                let text = format!(
                    "{} has {} partitions, and an input has {}: state lies beside what it was decided from. For more source \
                     partitions `cityops topics apply` widens it; another number of the enriched log is a rebuild \
                     (deploy/RUNBOOK.md)",
                    config.name_of(config.changelog),
                    number(count(config.changelog)),
                    number(widest)
                );
                return Err(WorkerError::Configuration(text));
            }
            let partitions: i32 = config.inputs.iter().filter_map(|topic| count(*topic)).sum();
            return Ok(Some(usize::try_from(partitions).unwrap_or_default()));
        }
        if waited || stop.load(Ordering::Relaxed) {
            return Err(WorkerError::MissingTopics(missing));
        }
        wait(Duration::from_millis(100), stop);
    }
}

fn backoff(attempts: u32) -> Duration {
    BACKOFF_MIN.saturating_mul(1 << attempts.min(10)).min(BACKOFF_MAX)
}

/// Waits, but not past `stop`.
fn wait(duration: Duration, stop: &AtomicBool) {
    let deadline = Instant::now() + duration;
    while !stop.load(Ordering::Relaxed) && Instant::now() < deadline {
        std::thread::park_timeout(
            deadline
                .saturating_duration_since(Instant::now())
                .min(Duration::from_millis(50)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_commit_does_not_end_a_row_of_failures() {
        let mut streak = Streak::default();
        let (bad, good) = ((Topic::Hotline, 1), (Topic::Sensor, 0));
        for attempt in 1..=ATTEMPTS_MAX {
            streak.attempts += 1;
            streak.stuck_at([(bad.0, bad.1, 40), (good.0, good.1, 7)].into_iter());
            assert_eq!(streak.attempts, attempt);
            // The one goes on, the other stands where it stood.
            let is_over = streak.committed(|topic, _| Some(if topic == good.0 { 90 } else { 40 }));
            assert!(!is_over);
        }
        assert_eq!(streak.attempts, ATTEMPTS_MAX);
        assert!(streak.committed(|_, _| Some(41)));
        assert!(!streak.committed(|_, _| Some(42)), "it ended once");
        assert_eq!(streak.attempts, 0, "what failed is committed");
        streak.attempts += 1;
        streak.stuck_at([(bad.0, bad.1, 41)].into_iter());
        assert!(streak.committed(|_, _| None));
        assert_eq!(streak.attempts, 0, "what failed is another loop's now");
    }
}
