//! What the loop reads: a bounded batch of records, as they lie in the client's memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message, OwnedMessage};

use super::failure::Failure;
use super::group::{GroupConsumer, GroupContext};
use super::in_time::{self, Clock, Next};
use super::tasks::{Finder, Task};
use super::ticking::wall;
use crate::read::timestamp;

/// Records that were read together and will be committed together, in the order in which they are decided.
pub(super) struct Batch<'a> {
    /// Each with the place of its task.
    pub(super) records: Vec<(usize, Read<'a>)>,
    pub(super) bytes: u64,
    /// When the first record came.
    pub(super) begun: Instant,
}

/// A record that was read.
pub(super) enum Read<'a> {
    /// It lies in the client's memory.
    Lent(BorrowedMessage<'a>),
    /// It was read with an earlier batch, and its turn had not come.
    Kept(Box<OwnedMessage>),
}

impl Read<'_> {
    pub(super) fn keep(self) -> Box<OwnedMessage> {
        match self {
            Read::Lent(message) => Box::new(message.detach()),
            Read::Kept(message) => message,
        }
    }

    pub(super) fn timestamp(&self) -> city_model::EventTime {
        match self {
            Read::Lent(message) => timestamp(message),
            Read::Kept(message) => timestamp(&**message),
        }
    }

    fn bytes(&self) -> u64 {
        fn bytes(message: &impl Message) -> u64 {
            (message.payload().map_or(0, <[u8]>::len) + message.key().map_or(0, <[u8]>::len)) as u64
        }
        match self {
            Read::Lent(message) => bytes(message),
            Read::Kept(message) => bytes(&**message),
        }
    }
}

/// How much a batch may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) records: usize,
    pub(super) bytes: u64,
    /// How long the first record is waited for.
    pub(super) patience: Duration,
}

/// A partition's records, apart from those of the others.
pub(super) type Queue = PartitionQueue<GroupContext>;

/// A queue for each task, in their order; from now on nothing of it comes by the queue that partitions share. Those of an assignment
/// before must be gone.
pub(super) fn queues(consumer: &Arc<GroupConsumer>, tasks: &[Task]) -> Result<Vec<Queue>, Failure> {
    let own = tasks.iter().map(|task| {
        let queue = consumer.split_partition_queue(&task.name, task.partition);
        let mut queue =
            queue.ok_or_else(|| Failure::Retry(format!("{} {} has no queue", task.name, task.partition)))?;
        // The loop rests while nothing is here.
        let thread = std::thread::current();
        queue.set_nonempty_callback(move || thread.unpark());
        Ok(queue)
    });
    own.collect()
}

/// Reads until there is nothing at hand or the batch is full; waits for the first record only. What the group says
/// meanwhile ends the batch and waits in the consumer's context.
pub(super) fn gather<'a>(
    consumer: &'a GroupConsumer,
    tasks: &[Task],
    limits: Limits,
) -> Result<Batch<'a>, Failure> {
    let mut batch = Batch {
        records: Vec::new(),
        bytes: 0,
        begun: Instant::now(),
    };
    let mut finder = Finder::default();
    let mut wait = limits.patience;
    while batch.records.len() < limits.records && batch.bytes < limits.bytes {
        match consumer.poll(wait) {
            Some(Ok(message)) => {
                if batch.records.is_empty() {
                    batch.begun = Instant::now();
                    wait = Duration::ZERO;
                }
                // What comes of a partition that is not the loop's any more is not its to decide.
                let Some(task) = finder.find(tasks, message.topic(), message.partition()) else {
                    continue;
                };
                let read = Read::Lent(message);
                batch.bytes += read.bytes();
                batch.records.push((task, read));
            }
            Some(Err(error)) => {
                if !passes(&error) {
                    return Err(Failure::of("read", &error));
                }
                if is_spoilt(&error) {
                    tracing::error!(%error, "what the broker sends cannot be read");
                } else {
                    tracing::debug!(%error, "reading goes on");
                }
                // The broker is away: what was gathered is worth trying, waiting again would only delay `stop`.
                break;
            }
            None => break,
        }
    }
    if batch.records.is_empty() {
        batch.begun = Instant::now();
    }
    Ok(batch)
}

/// How long the loop rests at once while it waits for a record: as late it hears what the group says.
const REST: Duration = Duration::from_millis(20);

/// As [`gather`], by the times of the records over all partitions: see [`in_time`].
pub(super) fn gather_in_time<'a>(
    consumer: &'a GroupConsumer,
    queues: &'a [Queue],
    tasks: &mut [Task],
    limits: Limits,
) -> Result<Batch<'a>, Failure> {
    let begun = Instant::now();
    loop {
        take_common(consumer, tasks)?;
        let now = Instant::now();
        let mut lanes: Vec<in_time::Lane> = tasks.iter().map(|task| task.lane).collect();
        let clock = Clock { now, wall: wall() };
        let taken = in_time::take(&mut lanes, clock, (limits.records, limits.bytes), |of| {
            next(&mut tasks[of], &queues[of])
        })?;
        for (task, lane) in tasks.iter_mut().zip(lanes) {
            task.lane = lane;
        }
        for (task, read) in taken.left {
            tasks[task].waiting.push_front(read.keep());
        }
        let waited = begun.elapsed();
        if !taken.records.is_empty() || waited >= limits.patience || consumer.context().has_spoken() {
            return Ok(Batch {
                records: taken.records,
                bytes: taken.bytes,
                begun: now,
            });
        }
        std::thread::park_timeout(REST.min(limits.patience - waited));
    }
}

/// Hears what the group says. Records do not come this way, for partitions have their own queues before they are fetched; one that did
/// would be its partition's next.
fn take_common(consumer: &GroupConsumer, tasks: &mut [Task]) -> Result<(), Failure> {
    let mut finder = Finder::default();
    while let Some(read) = consumer.poll(Duration::ZERO) {
        match read {
            Ok(message) => {
                if let Some(task) = finder.find(tasks, message.topic(), message.partition()) {
                    tasks[task].waiting.push_back(Box::new(message.detach()));
                }
            }
            Err(error) if passes(&error) => tracing::debug!(%error, "reading goes on"),
            Err(error) => return Err(Failure::of("read", &error)),
        }
    }
    Ok(())
}

/// What a partition has next.
fn next<'a>(task: &mut Task, queue: &'a Queue) -> Result<Next<Read<'a>>, Failure> {
    let read = match task.waiting.pop_front() {
        Some(message) => Read::Kept(message),
        None => match queue.poll(Duration::ZERO) {
            Some(Ok(message)) => Read::Lent(message),
            Some(Err(KafkaError::PartitionEOF(_))) => {
                task.was_read = true;
                return Ok(Next::End);
            }
            Some(Err(error)) if passes(&error) => {
                let now = Instant::now();
                let is_new = |told: Instant| now.saturating_duration_since(told) >= TELL_EVERY;
                if is_spoilt(&error) && task.told.is_none_or(is_new) {
                    task.told = Some(now);
                    tracing::error!(topic = task.name, partition = task.partition, %error, "what the broker sends cannot be read");
                } else {
                    tracing::debug!(%error, "reading goes on");
                }
                return Ok(Next::Nothing);
            }
            Some(Err(error)) => {
                task.is_unreadable = true;
                let reading = format!("read {} {}", task.name, task.partition);
                return Err(Failure::of(&reading, &error).wanting("READ", &task.name));
            }
            None => return Ok(Next::Nothing),
        },
    };
    task.was_read = true;
    Ok(Next::Record(read.timestamp(), read.bytes(), read))
}

/// How often it is told of a partition that what is in it cannot be read.
const TELL_EVERY: Duration = Duration::from_secs(30);

/// Errors that the client tries to mend for ever: what lies on the broker's disk is spoilt.
fn is_spoilt(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::BadMessage
                | RDKafkaErrorCode::BadCompression
                | RDKafkaErrorCode::InvalidMessage
                | RDKafkaErrorCode::InvalidMessageSize
                | RDKafkaErrorCode::Unknown
        )
    )
}

/// Errors that the client mends by itself.
fn passes(error: &KafkaError) -> bool {
    match error {
        KafkaError::PartitionEOF(_) => true,
        KafkaError::MessageConsumptionFatal(_) => false,
        _ => !matches!(
            error.rdkafka_error_code(),
            Some(
                RDKafkaErrorCode::TopicAuthorizationFailed
                    | RDKafkaErrorCode::GroupAuthorizationFailed
                    | RDKafkaErrorCode::ClusterAuthorizationFailed
                    | RDKafkaErrorCode::InvalidSessionTimeout
                    | RDKafkaErrorCode::InconsistentGroupProtocol
                    | RDKafkaErrorCode::AutoOffsetReset
                    | RDKafkaErrorCode::LogTruncation
                    | RDKafkaErrorCode::SaslAuthenticationFailed
                    | RDKafkaErrorCode::Authentication
                    | RDKafkaErrorCode::Fatal
            )
        ),
    }
}
