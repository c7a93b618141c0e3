//! What a worker tells about itself while it runs: per batch, never per record.

use std::time::Duration;

use city_model::EventTime;
use wire_format::topics::Topic;

/// One committed transaction.
#[derive(Debug, Clone, Copy)]
pub struct CommitInfo<'a> {
    /// The worker's name.
    pub worker: &'a str,
    /// Input records that it committed, by topic.
    pub sources: &'a [(Topic, u64)],
    /// Input records that it committed.
    pub records: u64,
    /// Their keys and values, in bytes.
    pub bytes: u64,
    /// Records that it wrote, changelog rows and batches among them.
    pub written: u64,
    /// From the first record read to the commit.
    pub duration: Duration,
    /// Of that, in the processors.
    pub processing: Duration,
    /// Of that, in the transaction: sending, draining, committing.
    pub transaction: Duration,
}

/// How far a worker is from the end of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// Offsets between its position and the end, control records and open transactions included.
    pub records: i64,
    /// The highest append time that it has processed there since it got the partition: what waits was appended later.
    pub newest: Option<EventTime>,
}

/// Listens to a worker. Every method does nothing unless it is overridden; none may block.
pub trait Observer: Sync {
    /// A transaction was committed.
    fn batch_committed(&self, _info: &CommitInfo<'_>) {}

    /// The group gave these partitions to the worker; it has no others now.
    fn assigned(&self, _worker: &str, _partitions: &[(Topic, i32)]) {}

    /// All partitions of the worker are restored and it reads.
    fn ready(&self, _worker: &str) {}

    /// A partition's state was restored from this many rows.
    fn restored(&self, _topic: Topic, _partition: i32, _rows: u64, _duration: Duration) {}

    /// So many offsets of a partition were never read: the broker has deleted what lay there.
    fn thrown_away(&self, _topic: Topic, _partition: i32, _offsets: i64) {}

    /// These of the topics that the worker needs are not there, by their names on the broker; told again and again, also when all are
    /// there.
    fn gone(&self, _worker: &str, _topics: &[String]) {}

    /// A transaction was given up; the state is restored.
    fn aborted(&self, _worker: &str) {}

    /// So many attempts in a row have failed, and the loop's partitions have not got beyond what failed; `why` may be shown to
    /// anybody.
    fn failed(&self, _worker: &str, _attempts: u32, _why: &str) {}

    /// They have got beyond it, or are another loop's.
    fn recovered(&self, _worker: &str) {}

    /// How far the worker is from the end of the partition; told every five seconds at least, while the broker answers.
    fn lag(&self, _topic: Topic, _partition: i32, _lag: Lag) {}

    /// A tick names this input partition with a time that is so far behind the wall clock.
    fn tick(&self, _worker: &str, _topic: Topic, _partition: i32, _lag_ms: i64) {}

    /// The broker has answered: a commit, or a look at the ends of the inputs, which comes every five seconds at least.
    fn answered(&self, _worker: &str) {}

    /// The loop has given up its clients and begins again: it has no partitions until [`Observer::assigned`].
    fn lost(&self, _worker: &str) {}

    /// The loop goes round, at least every second, also while it waits for the broker.
    fn heartbeat(&self, _worker: &str) {}
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}
