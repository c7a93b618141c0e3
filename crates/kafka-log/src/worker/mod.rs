//! Runs one loop: reads its share of the inputs, lets processors decide, and commits everything in transactions.
//!
//! It never undoes: after a failed transaction all state is dropped and restored from the changelog.

mod config;
mod failure;
mod group;
mod session;
mod batch;
mod tasks;
mod restore;
mod transactor;
mod writing;
mod ticking;
mod packing;
mod clocks;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use stream_worker::Processor;
use wire_format::topics::Topic;

pub use config::{TickConfig, WorkerConfig};
pub use failure::WorkerError;

use crate::{Observer, admin, topic_name};
use failure::Failure;
use session::Session;

/// Makes the processor of an input partition.
pub type Factory<'a> = &'a (dyn Fn(Topic, i32) -> Box<dyn Processor> + Sync);

/// Failures in a row, with no commit between them, after which the loop gives up and leaves the rest to its supervisor.
const ATTEMPTS_MAX: u32 = 10;
/// The wait after the first failure; it doubles up to [`BACKOFF_MAX`].
const BACKOFF_MIN: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// How long one look for the broker takes, and how often the log says that it is away.
const REACH_TIMEOUT: Duration = Duration::from_secs(3);

/// Runs the loop on the calling thread until `stop` is set.
///
/// # Errors
/// When the configuration is refused, topics are missing, the broker cannot be reached at the start, or ten attempts in
/// a row failed without a commit between them.
pub fn run(
    config: WorkerConfig,
    factory: Factory<'_>,
    observer: &dyn Observer,
    stop: &AtomicBool,
) -> Result<(), WorkerError> {
    config.check()?;
    let transactional_id = config.new_transactional_id();
    if !reach(&config, Some(config.unreachable_after), stop)? {
        return Ok(());
    }
    check_topics(&config)?;
    let mut attempts = 0;
    loop {
        let failure = match Session::start(&config, &transactional_id, factory, observer) {
            Ok(mut session) => match session.run(stop, &mut attempts) {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            },
            Err(failure) => failure,
        };
        if let Failure::Refused(error) = failure {
            return Err(error);
        }
        attempts += 1;
        tracing::warn!(worker = config.name, attempts, %failure, "the loop starts again");
        if attempts >= ATTEMPTS_MAX {
            return Err(WorkerError::GaveUp { attempts, last: failure.to_string() });
        }
        wait(backoff(attempts), stop);
        // An outage is not the loop's failure: it waits as long as it lasts.
        if !reach(&config, None, stop)? {
            return Ok(());
        }
    }
}

/// Waits for the broker; `false` when stopped before it was there.
fn reach(config: &WorkerConfig, limit: Option<Duration>, stop: &AtomicBool) -> Result<bool, WorkerError> {
    let begun = Instant::now();
    loop {
        if stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let left = limit.map_or(REACH_TIMEOUT, |limit| limit.saturating_sub(begun.elapsed()).min(REACH_TIMEOUT));
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

/// Missing topics are the operator's to create; a loop that waits for them would look alive.
fn check_topics(config: &WorkerConfig) -> Result<(), WorkerError> {
    let found = admin::topic_partitions(&config.properties, REACH_TIMEOUT)
        .map_err(|error| WorkerError::Configuration(format!("topics could not be listed: {error}")))?;
    let missing: Vec<String> = config
        .topics()
        .map(|topic| topic_name(&config.topic_prefix, topic))
        .filter(|name| !found.contains_key(name))
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(WorkerError::MissingTopics(missing)) }
}

fn backoff(attempts: u32) -> Duration {
    BACKOFF_MIN.saturating_mul(1 << attempts.min(10)).min(BACKOFF_MAX)
}

/// Waits, but not past `stop`.
fn wait(duration: Duration, stop: &AtomicBool) {
    let deadline = Instant::now() + duration;
    while !stop.load(Ordering::Relaxed) && Instant::now() < deadline {
        std::thread::park_timeout(deadline.saturating_duration_since(Instant::now()).min(Duration::from_millis(50)));
    }
}
