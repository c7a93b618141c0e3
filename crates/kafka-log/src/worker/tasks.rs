//! One input partition in this loop: its processor, where it stands, and the state rows not yet committed.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use city_model::EventTime;
use rdkafka::message::{Message, OwnedMessage};
use stream_worker::{InputRecord, Outbox, Processor};
use wire_format::topics::Topic;

use super::in_time::Lane;
use super::reading::Read;
use crate::probe::Place;

/// A partition and what decides about it.
pub(super) struct Task {
    pub(super) topic: Topic,
    pub(super) partition: i32,
    /// The topic's name on the broker.
    pub(super) name: String,
    pub(super) processor: Box<dyn Processor>,
    /// The next offset to read, control records included.
    pub(super) next: i64,
    /// The consumer's position when the partition was assigned: what it says until then is of an earlier assignment.
    pub(super) stale_position: Option<i64>,
    /// What was committed last.
    pub(super) committed: i64,
    /// Whether this loop has committed an offset here: until then, the partition is still its former owner's word.
    pub(super) claimed: bool,
    /// State rows since the last commit.
    pub(super) rows: BTreeMap<String, Option<Vec<u8>>>,
    /// The highest append time processed here.
    pub(super) newest: Option<EventTime>,
    /// Records processed since the last commit.
    pub(super) records: u64,
    /// Records read but not decided, because the first of them is not ready; at most what one batch holds, for the
    /// partition is paused meanwhile.
    pub(super) held: VecDeque<Box<OwnedMessage>>,
    /// Records read whose turn has not come, because those of other partitions are older; all of them come after those held.
    pub(super) waiting: VecDeque<Box<OwnedMessage>>,
    /// Where the partition is beside the others.
    pub(super) lane: Lane,
    /// Whether the consumer was told to pause.
    pub(super) paused: bool,
    /// Reading it failed: what others commit does not mend that.
    pub(super) is_unreadable: bool,
    /// It gave a record, or said that there is none; known only where partitions have queues of their own.
    pub(super) was_read: bool,
    /// When it was last told that the client makes nothing of what the broker sends.
    pub(super) told: Option<Instant>,
}

impl Task {
    pub(super) fn new(
        topic: Topic,
        partition: i32,
        name: String,
        processor: Box<dyn Processor>,
        next: i64,
    ) -> Task {
        Task {
            topic,
            partition,
            name,
            processor,
            next,
            stale_position: None,
            committed: next,
            claimed: false,
            rows: BTreeMap::new(),
            newest: None,
            records: 0,
            held: VecDeque::new(),
            waiting: VecDeque::new(),
            lane: Lane::new(Instant::now()),
            paused: false,
            is_unreadable: false,
            was_read: false,
            told: None,
        }
    }

    /// Decides a record, or keeps it while it, or one before it, is not ready. One that was decided already, read once
    /// more after an assignment, is passed over.
    pub(super) fn take(&mut self, read: Read<'_>, outbox: &mut Outbox) {
        let next = self.held.back().map_or(self.next, |last| last.offset() + 1);
        let decided = match &read {
            Read::Lent(message) => self.is_decided(next, message, outbox),
            Read::Kept(message) => self.is_decided(next, &**message, outbox),
        };
        if !decided {
            self.held.push_back(read.keep());
        }
    }

    fn is_decided<M: Message>(&mut self, next: i64, message: &M, outbox: &mut Outbox) -> bool {
        message.offset() < next || (self.held.is_empty() && self.decide(message, outbox))
    }

    /// Decides what was kept, as far as it is ready now.
    pub(super) fn take_held(&mut self, outbox: &mut Outbox) {
        while let Some(first) = self.held.pop_front() {
            if !self.decide(&*first, outbox) {
                self.held.push_front(first);
                return;
            }
        }
    }

    /// Decides a record if it is ready.
    fn decide<M: Message>(&mut self, message: &M, outbox: &mut Outbox) -> bool {
        let timestamp = crate::read::timestamp(message);
        let headers = crate::read::headers(message);
        let record = InputRecord {
            topic: self.topic,
            partition: self.partition,
            offset: message.offset(),
            timestamp,
            key: message.key(),
            value: message.payload(),
            headers: &headers,
        };
        if !self.processor.is_ready(&record) {
            return false;
        }
        self.processor.process(&record, outbox);
        self.take_rows(outbox);
        self.next = message.offset() + 1;
        self.newest = self.newest.max(Some(timestamp));
        self.records += 1;
        true
    }

    /// What was read and not decided will be read again.
    pub(super) fn drop_undecided(&mut self) {
        self.held.clear();
        self.waiting.clear();
        self.lane = Lane::new(Instant::now());
        self.paused = false;
    }

    pub(super) fn place(&self) -> Place {
        (self.name.clone(), self.partition)
    }

    /// Takes the state rows that the processor has put into the loop's outbox: they belong to this partition.
    pub(super) fn take_rows(&mut self, outbox: &mut Outbox) {
        if !outbox.rows.is_empty() {
            self.rows.append(&mut outbox.rows);
        }
    }

    /// The transaction with everything of this partition was committed.
    pub(super) fn settle(&mut self) {
        self.committed = self.next;
        self.claimed = true;
        self.rows.clear();
        self.records = 0;
    }
}

/// Finds the task of a record. Records of one partition come in runs, so the last answer is tried first.
#[derive(Debug, Default)]
pub(super) struct Finder {
    last: usize,
}

impl Finder {
    pub(super) fn find(&mut self, tasks: &[Task], topic: &str, partition: i32) -> Option<usize> {
        let is = |task: &Task| task.partition == partition && task.name == topic;
        if tasks.get(self.last).is_some_and(is) {
            return Some(self.last);
        }
        let found = tasks.iter().position(is)?;
        self.last = found;
        Some(found)
    }
}
