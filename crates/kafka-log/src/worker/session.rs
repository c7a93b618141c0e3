//! The loop itself: one consumer, one producer, the tasks; from joining the group to the first failure or the stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use city_model::EventTime;
use rdkafka::consumer::{CommitMode, Consumer, ConsumerGroupMetadata};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use stream_worker::{InputRecord, Outbox};
use wire_format::topics::Topic;

use super::batch::{Batch, gather};
use super::clocks::Clocks;
use super::failure::Failure;
use super::group::{GroupConsumer, join};
use super::restore::{committed, restore};
use super::tasks::{Finder, Task};
use super::transactor::Transactor;
use super::{ATTEMPTS_MAX, Factory, WorkerConfig, backoff, wait};
use crate::probe::{Place, Probe};
use crate::{CommitInfo, Observer};

/// How long the loop waits for a first record before it looks around.
const PATIENCE: Duration = Duration::from_millis(100);
/// Offsets that moved over control records alone are committed this late, so that they do not call for commits of their own.
const BARE_OFFSETS_AFTER: Duration = Duration::from_secs(1);
/// How often the distance to the ends is looked at without ticks.
pub(super) const LAG_EVERY: Duration = Duration::from_secs(5);

/// A member of the group with its producer.
pub(super) struct Session<'a> {
    consumer: GroupConsumer,
    pub(super) work: Work<'a>,
}

/// Everything but the consumer, whose memory the records of a batch borrow.
pub(super) struct Work<'a> {
    pub(super) config: &'a WorkerConfig,
    factory: Factory<'a>,
    pub(super) observer: &'a dyn Observer,
    pub(super) probe: Probe,
    pub(super) transactor: Transactor,
    /// This start of this loop, written beside the offsets that it commits.
    owner: &'a str,
    /// The membership under which the partitions are held. It is taken when they are assigned and not asked for again:
    /// what the client says while it is losing its membership could pass for "no member at all", which is not fenced.
    pub(super) member: Option<ConsumerGroupMetadata>,
    pub(super) tasks: Vec<Task>,
    /// Taken back by a rebalance; they come back to life if nobody else has committed meanwhile.
    parked: Vec<Task>,
    pub(super) outbox: Outbox,
    pub(super) clocks: Option<Clocks>,
    pub(super) last_commit: Instant,
    pub(super) last_lag: Instant,
    processing: Duration,
}

impl<'a> Session<'a> {
    /// Takes over the transactional id and joins the group.
    pub(super) fn start(
        config: &'a WorkerConfig,
        transactional_id: &'a str,
        factory: Factory<'a>,
        observer: &'a dyn Observer,
    ) -> Result<Session<'a>, Failure> {
        let alive = || observer.heartbeat(config.name);
        let transactor = Transactor::start(config, transactional_id, &alive)?;
        let probe = Probe::new(&config.properties).map_err(|error| Failure::of("create a client", &error))?;
        let now = Instant::now();
        let work = Work {
            config,
            factory,
            observer,
            probe,
            transactor,
            owner: transactional_id,
            member: None,
            tasks: Vec::new(),
            parked: Vec::new(),
            outbox: Outbox::default(),
            clocks: config.ticks.as_ref().map(Clocks::new),
            last_commit: now,
            last_lag: now,
            processing: Duration::ZERO,
        };
        Ok(Session { consumer: join(config)?, work })
    }

    /// Goes round until `stop`. `attempts` counts failures since the last commit.
    pub(super) fn run(&mut self, stop: &AtomicBool, attempts: &mut u32) -> Result<(), Failure> {
        let Session { consumer, work } = self;
        while !stop.load(Ordering::Relaxed) {
            work.observer.heartbeat(work.config.name);
            let patience = work.clocks.as_ref().map_or(PATIENCE, |clocks| clocks.due_in(Instant::now()).min(PATIENCE));
            let (records, bytes) = (work.config.max_batch_records, work.config.max_batch_bytes);
            let batch = gather(consumer, records, bytes, patience)?;
            if consumer.context().take_revoked() {
                // Nothing is committed of what was gathered, so dropping it is enough.
                work.park();
                drop(batch);
            } else if consumer.assignment_lost() {
                // Another owner may be at work already. The group's word follows with the next poll.
                work.forget();
                drop(batch);
            } else {
                match work.turn(consumer, batch) {
                    Ok(false) => {}
                    Ok(true) => *attempts = 0,
                    Err(Failure::Retry(text)) => {
                        *attempts += 1;
                        work.observer.aborted(work.config.name);
                        tracing::warn!(worker = work.config.name, attempts = *attempts, reason = text, "restoring after a failed transaction");
                        if *attempts >= ATTEMPTS_MAX {
                            return Err(Failure::Fatal(text));
                        }
                        wait(backoff(*attempts), stop);
                        let held = work.tasks.iter().map(|task| (task.topic, task.partition)).collect();
                        work.forget();
                        work.install(consumer, held, stop)?;
                    }
                    Err(failure) => {
                        work.observer.aborted(work.config.name);
                        return Err(failure);
                    }
                }
            }
            if let Some(assigned) = consumer.context().take_assigned() {
                let partitions = known(&assigned, &work.config.topic_prefix);
                work.install(consumer, partitions, stop)?;
            }
        }
        Ok(())
    }
}

/// The partitions of a list by their topics.
fn known(list: &TopicPartitionList, prefix: &str) -> Vec<(Topic, i32)> {
    let known = list.elements().into_iter().map(|element| {
        let topic = element.topic().strip_prefix(prefix).and_then(Topic::by_name);
        topic.map(|topic| (topic, element.partition()))
    });
    known.flatten().collect()
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        // The client waits until its partitions are given back, also those that it has only been offered.
        self.consumer.context().close();
        if let Err(error) = self.consumer.unassign() {
            tracing::debug!(%error, "partitions could not be given back");
        }
    }
}

impl Work<'_> {
    /// Takes over exactly these partitions and starts reading them.
    fn install(&mut self, consumer: &GroupConsumer, partitions: Vec<(Topic, i32)>, stop: &AtomicBool) -> Result<(), Failure> {
        self.tasks.clear();
        let parked = std::mem::take(&mut self.parked);
        self.member = consumer.group_metadata();
        let alive = || {
            self.observer.heartbeat(self.config.name);
            !stop.load(Ordering::Relaxed)
        };
        self.observer.assigned(self.config.name, &partitions);
        let places: Vec<Place> = partitions
            .iter()
            .map(|(topic, partition)| (crate::topic_name(&self.config.topic_prefix, *topic), *partition))
            .collect();
        let offsets = committed(consumer, &places, &alive)?;
        let mut kept = Vec::new();
        let mut wanted = Vec::new();
        for ((topic, partition), offset) in partitions.iter().copied().zip(offsets) {
            wanted.push((topic, partition, offset));
        }
        for task in parked {
            // Another loop's first commit changes the owner, even when the offset stays.
            let same = wanted.iter().position(|(topic, partition, offset)| {
                (*topic, *partition) == (task.topic, task.partition)
                    && offset.as_ref().is_some_and(|it| it.offset == task.committed && it.owner == self.owner)
            });
            if let Some(same) = same {
                wanted.swap_remove(same);
                kept.push(task);
            }
        }
        let fresh = restore(self.config, self.factory, self.observer, &self.probe, wanted, &alive)?;
        for task in &mut kept {
            // What was read of it after its last commit was dropped.
            task.next = task.committed;
            task.stale_position = None;
        }
        self.tasks = kept;
        for mut task in fresh {
            task.processor.begin(&mut self.outbox);
            task.take_rows(&mut self.outbox);
            self.tasks.push(task);
        }
        self.tasks.sort_by_key(|task| (task.topic, task.partition));
        let mut list = TopicPartitionList::with_capacity(self.tasks.len());
        for task in &self.tasks {
            list.add_partition_offset(&task.name, task.partition, Offset::Offset(task.next))
                .map_err(|error| Failure::of("assign", &error))?;
        }
        consumer.assign(&list).map_err(|error| Failure::of("assign", &error))?;
        self.each_position(consumer, |task, position| task.stale_position = Some(position))?;
        tracing::info!(worker = self.config.name, partitions = self.tasks.len(), "reading");
        self.observer.ready(self.config.name);
        Ok(())
    }

    /// Puts the tasks aside: another loop may get their partitions.
    fn park(&mut self) {
        self.outbox = Outbox::default();
        self.parked.extend(self.tasks.drain(..).filter(|task| task.claimed));
        self.member = None;
    }

    /// Drops all state. What is not committed did not happen.
    fn forget(&mut self) {
        self.tasks.clear();
        self.parked.clear();
        self.outbox = Outbox::default();
    }

    /// Decides a batch and commits what came of it; whether there was anything to commit.
    fn turn(&mut self, consumer: &GroupConsumer, batch: Batch<'_>) -> Result<bool, Failure> {
        self.process(&batch);
        self.advance(consumer)?;
        let begun = batch.begun;
        let bytes = batch.bytes;
        // The records' memory goes back before the wait for the broker.
        drop(batch);
        let ticks = self.look_at_clocks()?;
        let moved = self.tasks.iter().any(|task| task.next != task.committed);
        let records: u64 = self.tasks.iter().map(|task| task.records).sum();
        let needed = ticks
            || records > 0
            || !self.outbox.is_empty()
            || self.tasks.iter().any(|task| !task.claimed || !task.rows.is_empty())
            || (moved && self.last_commit.elapsed() >= BARE_OFFSETS_AFTER);
        if !needed {
            return Ok(false);
        }
        let transaction = Instant::now();
        let written = self.transact(consumer)?;
        let mut sources: Vec<(Topic, u64)> = Vec::new();
        for task in self.tasks.iter().filter(|task| task.records > 0) {
            match sources.iter_mut().find(|(topic, _)| *topic == task.topic) {
                Some((_, count)) => *count += task.records,
                None => sources.push((task.topic, task.records)),
            }
        }
        for task in &mut self.tasks {
            task.settle();
        }
        self.outbox = Outbox::default();
        self.last_commit = Instant::now();
        self.observer.batch_committed(&CommitInfo {
            worker: self.config.name,
            sources: &sources,
            records,
            bytes,
            written,
            duration: begun.elapsed(),
            processing: self.processing,
            transaction: transaction.elapsed(),
        });
        Ok(true)
    }

    /// Gives each record to its task, then asks the touched ones for their state rows.
    fn process(&mut self, batch: &Batch<'_>) {
        let begun = Instant::now();
        let mut finder = Finder::default();
        for message in &batch.messages {
            let Some(found) = finder.find(&self.tasks, message.topic(), message.partition()) else { continue };
            let task = &mut self.tasks[found];
            // Once more what was read before an assignment: already decided.
            if message.offset() < task.next {
                continue;
            }
            let timestamp = crate::read::timestamp(message);
            let record = InputRecord {
                topic: task.topic,
                partition: task.partition,
                offset: message.offset(),
                timestamp,
                key: message.key(),
                value: message.payload(),
            };
            task.processor.process(&record, &mut self.outbox);
            task.take_rows(&mut self.outbox);
            task.next = message.offset() + 1;
            task.newest = task.newest.max(Some(timestamp));
            task.records += 1;
        }
        for task in self.tasks.iter_mut().filter(|task| task.records > 0) {
            task.processor.checkpoint(&mut self.outbox);
            task.take_rows(&mut self.outbox);
        }
        self.processing = begun.elapsed();
    }

    /// Moves past control records: only the consumer's position knows them. The library resets the position some time
    /// after an assignment, so the one of before must not be believed: it lies behind records that are still to come.
    fn advance(&mut self, consumer: &GroupConsumer) -> Result<(), Failure> {
        self.each_position(consumer, |task, position| {
            if task.stale_position != Some(position) {
                task.stale_position = None;
                task.next = task.next.max(position);
            }
        })
    }

    fn each_position(&mut self, consumer: &GroupConsumer, mut each: impl FnMut(&mut Task, i64)) -> Result<(), Failure> {
        let positions = consumer.position().map_err(|error| Failure::of("ask for the position", &error))?;
        for element in positions.elements() {
            let is = |task: &&mut Task| task.partition == element.partition() && task.name == element.topic();
            if let (Offset::Offset(position), Some(task)) = (element.offset(), self.tasks.iter_mut().find(is)) {
                each(task, position);
            }
        }
        Ok(())
    }

    /// One transaction with everything since the last one; how many records it wrote.
    fn transact(&mut self, consumer: &GroupConsumer) -> Result<u64, Failure> {
        let offsets = self.offsets().map_err(|error| Failure::of("list the offsets", &error))?;
        self.transactor.begin()?;
        let (config, observer) = (self.config, self.observer);
        let alive = || observer.heartbeat(config.name);
        let member = if config.embedded { None } else { self.member.as_ref() };
        let result = match super::writing::write(config, &self.outbox, &self.tasks, &mut self.transactor) {
            Ok(()) => self.transactor.commit(&offsets, member, &alive),
            Err(failure) => Err(failure),
        };
        match result {
            Ok(appended) => {
                if let (Some(clocks), Some(ms)) = (self.clocks.as_mut(), appended) {
                    clocks.committed(EventTime::from_millis(ms));
                }
            }
            Err(failure @ Failure::Retry(_)) => {
                self.transactor.abort(&alive)?;
                return Err(failure);
            }
            Err(failure) => {
                // Its end matters to readers now, to us no more: the next start takes the id over and ends it anyway.
                if let Err(error) = self.transactor.abort(&alive) {
                    tracing::debug!(%error, "the last transaction could not be aborted");
                }
                return Err(failure);
            }
        }
        if config.embedded && offsets.count() > 0 {
            consumer.commit(&offsets, CommitMode::Sync).map_err(|error| Failure::of("commit plainly", &error))?;
        }
        Ok(self.transactor.sent())
    }

    /// The offsets that moved, and those not yet claimed, with this start's name beside them.
    fn offsets(&self) -> rdkafka::error::KafkaResult<TopicPartitionList> {
        let mut offsets = TopicPartitionList::new();
        for task in self.tasks.iter().filter(|task| !task.claimed || task.next != task.committed) {
            offsets.add_partition_offset(&task.name, task.partition, Offset::Offset(task.next))?;
            if let Some(mut element) = offsets.find_partition(&task.name, task.partition) {
                element.set_metadata(self.owner);
            }
        }
        Ok(offsets)
    }
}
