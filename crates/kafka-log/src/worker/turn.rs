//! One turn of the loop: decide a batch, then commit what came of it in one transaction.

use std::time::{Duration, Instant};

use city_model::EventTime;
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::{Offset, TopicPartitionList};
use stream_worker::Outbox;
use wire_format::topics::Topic;

use super::failure::Failure;
use super::group::GroupConsumer;
use super::reading::Batch;
use super::session::Work;
use super::tasks::Task;
use super::writing::{write, write_records};
use crate::CommitInfo;

/// Offsets that moved over control records alone are committed this late, so that they do not call for commits of their own.
const BARE_OFFSETS_AFTER: Duration = Duration::from_secs(1);

/// Records for other topics are sent when there are so many, whether the batch is decided or not.
const SEND_AT: usize = 1_024;

impl Work<'_> {
    /// Decides a batch and commits what came of it; whether there was anything to commit.
    pub(super) fn turn(&mut self, consumer: &GroupConsumer, batch: Batch<'_>) -> Result<bool, Failure> {
        match self.decide_and_commit(consumer, batch) {
            Err(failure) if self.transactor.is_open() => Err(self.give_up(failure)),
            result => result,
        }
    }

    fn decide_and_commit(&mut self, consumer: &GroupConsumer, batch: Batch<'_>) -> Result<bool, Failure> {
        self.look_ahead(&batch);
        let (begun, bytes) = (batch.begun, batch.bytes);
        // The records' memory goes back before the wait for the broker.
        self.process(batch)?;
        self.pause_held(consumer)?;
        self.advance(consumer)?;
        let ticks = self.look_at_clocks()?;
        let moved = self.tasks.iter().any(|task| task.next != task.committed);
        let records: u64 = self.tasks.iter().map(|task| task.records).sum();
        let needed = ticks
            || records > 0
            || self.transactor.is_open()
            || !self.outbox.is_empty()
            || self
                .tasks
                .iter()
                .any(|task| !task.claimed || !task.rows.is_empty())
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
        self.observer.answered(self.config.name);
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
    fn process(&mut self, batch: Batch<'_>) -> Result<(), Failure> {
        let (begun, mut sending) = (Instant::now(), Duration::ZERO);
        for task in &mut self.tasks {
            task.processor.refresh(&mut self.outbox);
        }
        for task in &mut self.tasks {
            task.take_held(&mut self.outbox);
        }
        for (task, read) in batch.records {
            self.tasks[task].take(read, &mut self.outbox);
            if self.outbox.records.len() >= SEND_AT {
                sending += self.send_some()?;
            }
        }
        for task in self.tasks.iter_mut().filter(|task| task.records > 0) {
            task.processor.checkpoint(&mut self.outbox);
            task.take_rows(&mut self.outbox);
        }
        self.processing = begun.elapsed().saturating_sub(sending);
        Ok(())
    }

    /// Sends the records for other topics that there are so far: they need not wait in memory, and their way to the broker,
    /// until the batch is decided. How long that took.
    fn send_some(&mut self) -> Result<Duration, Failure> {
        let begun = Instant::now();
        let (config, observer) = (self.config, self.observer);
        let alive = || observer.heartbeat(config.name);
        if !self.transactor.is_open() {
            self.transactor.begin()?;
        }
        write_records(config, &self.outbox, &mut self.transactor, &alive)?;
        self.outbox.records.clear();
        Ok(begun.elapsed())
    }

    /// Moves past control records: only the consumer's position knows them. The library resets the position some time
    /// after an assignment, so the one of before must not be believed: it lies behind records that are still to come.
    fn advance(&mut self, consumer: &GroupConsumer) -> Result<(), Failure> {
        self.each_position(consumer, |task, position| {
            // It is behind what was read, also behind what is held or waits.
            if task.held.is_empty() && task.waiting.is_empty() && task.stale_position != Some(position) {
                task.stale_position = None;
                task.next = task.next.max(position);
            }
        })
    }

    /// Pauses the partitions whose records are not ready, and lets those go on whose are. Reading goes on where it
    /// stopped, so what was kept is not read again.
    fn pause_held(&mut self, consumer: &GroupConsumer) -> Result<(), Failure> {
        for task in &mut self.tasks {
            let pause = !task.held.is_empty();
            if pause == task.paused {
                continue;
            }
            let mut partition = TopicPartitionList::new();
            partition.add_partition(&task.name, task.partition);
            let (topic, number, offset) = (task.topic.name(), task.partition, task.next);
            if pause {
                tracing::warn!(
                    topic,
                    partition = number,
                    offset,
                    "a partition waits: its next record is not ready"
                );
                consumer.pause(&partition)
            } else {
                tracing::info!(topic, partition = number, offset, "a partition goes on");
                consumer.resume(&partition)
            }
            .map_err(|error| Failure::of("pause or resume", &error))?;
            task.paused = pause;
        }
        Ok(())
    }

    pub(super) fn each_position(
        &mut self,
        consumer: &GroupConsumer,
        mut each: impl FnMut(&mut Task, i64),
    ) -> Result<(), Failure> {
        let positions = consumer
            .position()
            .map_err(|error| Failure::of("ask for the position", &error))?;
        for element in positions.elements() {
            let is = |task: &&mut Task| task.partition == element.partition() && task.name == element.topic();
            if let (Offset::Offset(position), Some(task)) = (element.offset(), self.tasks.iter_mut().find(is))
            {
                each(task, position);
            }
        }
        Ok(())
    }

    /// One transaction with everything since the last one; how many records it wrote.
    fn transact(&mut self, consumer: &GroupConsumer) -> Result<u64, Failure> {
        let offsets = self
            .offsets()
            .map_err(|error| Failure::of("list the offsets", &error))?;
        if !self.transactor.is_open() {
            self.transactor.begin()?;
        }
        let (config, observer) = (self.config, self.observer);
        let alive = || observer.heartbeat(config.name);
        let member = if config.embedded {
            None
        } else {
            self.member.as_ref()
        };
        write(config, &self.outbox, &self.tasks, &mut self.transactor, &alive)?;
        let appended = self.transactor.commit(&offsets, member, &alive)?;
        if let (Some(clocks), Some(ms)) = (self.clocks.as_mut(), appended) {
            clocks.committed(EventTime::from_millis(ms));
        }
        if config.embedded && offsets.count() > 0 {
            consumer
                .commit(&offsets, CommitMode::Sync)
                .map_err(|error| Failure::of("commit plainly", &error))?;
        }
        Ok(self.transactor.sent())
    }

    /// Gives the open transaction up; why the loop cannot go on as it is.
    fn give_up(&mut self, failure: Failure) -> Failure {
        let (config, observer) = (self.config, self.observer);
        let alive = || observer.heartbeat(config.name);
        match failure {
            Failure::Retry(_) | Failure::NoRight(_) => match self.transactor.abort(&alive) {
                Ok(()) => failure,
                Err(then) => failure.followed_by(then),
            },
            // Another call on the same client would hang behind it.
            Failure::Hangs(_) => failure,
            failure => {
                // Its end matters to readers now, to us no more: the next start takes the id over and ends it anyway.
                if let Err(error) = self.transactor.abort(&alive) {
                    tracing::debug!(%error, "the last transaction could not be aborted");
                }
                failure
            }
        }
    }

    /// The offsets that moved, and those not yet claimed; beside them this start's name, and how far the changelog has come.
    fn offsets(&self) -> KafkaResult<TopicPartitionList> {
        let mut offsets = TopicPartitionList::new();
        for task in self
            .tasks
            .iter()
            .filter(|task| !task.claimed || task.next != task.committed)
        {
            offsets.add_partition_offset(&task.name, task.partition, Offset::Offset(task.next))?;
            if let Some(mut element) = offsets.find_partition(&task.name, task.partition) {
                element.set_metadata(self.written.borrow().beside(self.owner, task.partition));
            }
        }
        Ok(offsets)
    }
}
