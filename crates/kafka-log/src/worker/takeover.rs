//! Takes exactly the assigned partitions, and lets go of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rdkafka::consumer::Consumer;
use rdkafka::{Offset, TopicPartitionList};
use stream_worker::Outbox;
use wire_format::topics::Topic;

use super::failure::Failure;
use super::group::GroupConsumer;
use super::reading::{Queue, queues};
use super::restore::{committed, restore};
use super::session::Work;
use crate::probe::Place;

impl Work<'_> {
    /// Takes over exactly these partitions and starts reading them; where that is done in time, from these queues. Those of an
    /// assignment before must be gone.
    pub(super) fn install(
        &mut self,
        consumer: &Arc<GroupConsumer>,
        partitions: Vec<(Topic, i32)>,
        stop: &AtomicBool,
    ) -> Result<Vec<Queue>, Failure> {
        self.tasks.clear();
        self.ahead.rewind();
        let parked = std::mem::take(&mut self.parked);
        self.member = consumer.group_metadata().map(Arc::new);
        let alive = || {
            self.observer.heartbeat(self.config.name);
            !stop.load(Ordering::Relaxed)
        };
        self.observer.assigned(self.config.name, &partitions);
        let places: Vec<Place> = partitions
            .iter()
            .map(|(topic, partition)| (self.config.name_of(*topic), *partition))
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
                    && offset
                        .as_ref()
                        .is_some_and(|last| last.is_ours(task.committed, self.owner))
            });
            if let Some(same) = same {
                wanted.swap_remove(same);
                kept.push(task);
            }
        }
        let fresh = restore(
            self.config,
            self.factory,
            self.observer,
            &self.probe,
            self.written,
            wanted,
            &alive,
        )?;
        for task in &mut kept {
            // What was read of it after its last commit was dropped.
            task.next = task.committed;
            task.stale_position = None;
            task.drop_undecided();
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
        // Before anything is fetched: what came by the queue that partitions share could be taken after a later record of its partition,
        // and would count as decided.
        let queues = match self.config.in_time {
            true => queues(consumer, &self.tasks)?,
            false => Vec::new(),
        };
        consumer
            .assign(&list)
            .map_err(|error| Failure::of("assign", &error))?;
        // A pause may outlive an assignment.
        consumer
            .resume(&list)
            .map_err(|error| Failure::of("resume", &error))?;
        self.each_position(consumer, |task, position| task.stale_position = Some(position))?;
        tracing::info!(
            worker = self.config.name,
            partitions = self.tasks.len(),
            "reading"
        );
        self.observer.answered(self.config.name);
        self.observer.ready(self.config.name);
        self.needed.look_soon();
        Ok(queues)
    }

    /// Puts the tasks aside: another loop may get their partitions.
    pub(super) fn park(&mut self) {
        self.outbox = Outbox::default();
        self.parked
            .extend(self.tasks.drain(..).filter(|task| task.claimed));
        self.member = None;
    }

    /// Drops all state. What is not committed did not happen.
    pub(super) fn forget(&mut self) {
        self.tasks.clear();
        self.parked.clear();
        self.outbox = Outbox::default();
    }
}
