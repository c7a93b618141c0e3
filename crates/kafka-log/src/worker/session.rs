//! The loop itself: one consumer, one producer, the tasks; from joining the group to the first failure or the stop.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{Consumer, ConsumerGroupMetadata};
use stream_worker::Outbox;
use wire_format::topics::Topic;

use super::ahead::Ahead;
use super::alone::Alone;
use super::bounded::bounded;
use super::clocks::Clocks;
use super::failure::{Failure, WorkerError};
use super::group::{GroupConsumer, join};
use super::needed::Needed;
use super::reading::{Limits, Queue, gather, gather_in_time};
use super::tasks::Task;
use super::transactor::Transactor;
use super::written::Written;
use super::{ATTEMPTS_MAX, Factory, Streak, WorkerConfig, backoff, wait};
use crate::Observer;
use crate::probe::Probe;

/// How long the loop waits for a first record before it looks around.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long leaving the group may take.
const LEAVE: Duration = Duration::from_secs(5);
/// How often the distance to the ends is looked at without ticks.
pub(super) const LAG_EVERY: Duration = Duration::from_secs(5);

/// Before every offset: a partition that was not read since it was taken over.
const UNREAD: i64 = -1;

/// A member of the group with its producer.
pub(super) struct Session<'a> {
    /// There until the end.
    consumer: Option<Arc<GroupConsumer>>,
    /// One a task, in their order, where records are read in time.
    queues: Vec<Queue>,
    pub(super) work: Work<'a>,
}

/// Everything but the consumer, whose memory the records of a batch borrow.
pub(super) struct Work<'a> {
    pub(super) config: &'a WorkerConfig,
    pub(super) factory: Factory<'a>,
    pub(super) observer: &'a dyn Observer,
    pub(super) probe: Probe,
    pub(super) transactor: Transactor,
    /// This start of this loop, written beside the offsets that it commits.
    pub(super) owner: &'a str,
    /// The membership under which the partitions are held. It is taken when they are assigned and not asked for again:
    /// what the client says while it is losing its membership could pass for "no member at all", which is not fenced.
    pub(super) member: Option<Arc<ConsumerGroupMetadata>>,
    pub(super) tasks: Vec<Task>,
    /// Taken back by a rebalance; they come back to life if nobody else has committed meanwhile.
    pub(super) parked: Vec<Task>,
    pub(super) outbox: Outbox,
    pub(super) clocks: Option<Clocks>,
    pub(super) ahead: Ahead,
    pub(super) last_commit: Instant,
    pub(super) last_lag: Instant,
    pub(super) alone: Alone,
    pub(super) needed: Needed,
    pub(super) written: &'a RefCell<Written>,
    pub(super) processing: Duration,
}

impl<'a> Session<'a> {
    /// Takes over the transactional id and joins the group that shares so many partitions; `written` outlives sessions.
    pub(super) fn start(
        config: &'a WorkerConfig,
        transactional_id: &'a str,
        factory: Factory<'a>,
        observer: &'a dyn Observer,
        partitions: usize,
        written: &'a RefCell<Written>,
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
            ahead: Ahead::new(&config.ahead),
            last_commit: now,
            last_lag: now,
            alone: Alone::default(),
            needed: Needed::default(),
            written,
            processing: Duration::ZERO,
        };
        Ok(Session {
            consumer: Some(Arc::new(join(config, partitions)?)),
            queues: Vec::new(),
            work,
        })
    }

    /// Goes round until `stop`. `streak` counts failures that were not got over yet.
    pub(super) fn run(&mut self, stop: &AtomicBool, streak: &mut Streak) -> Result<(), Failure> {
        let Session {
            consumer,
            queues: own,
            work,
        } = self;
        let Some(consumer) = consumer.as_ref() else {
            return Ok(());
        };
        while !stop.load(Ordering::Relaxed) {
            work.observer.heartbeat(work.config.name);
            work.look_at_group(consumer)?;
            work.look_at_topics()?;
            // Without partitions no tick is sent, so none that is due may hurry the loop: it would spin until the group
            // has spoken, and keep the group's coordinator from speaking.
            let due = work.clocks.as_ref().filter(|_| !work.tasks.is_empty());
            let patience = due.map_or(PATIENCE, |clocks| clocks.due_in(Instant::now()).min(PATIENCE));
            let limits = Limits {
                records: work.config.max_batch_records,
                bytes: work.config.shares().batch as u64,
                patience,
            };
            let batch = match work.config.in_time {
                true if !work.tasks.is_empty() => gather_in_time(consumer, own, &mut work.tasks, limits),
                _ => gather(consumer, &work.tasks, limits),
            };
            let batch = batch.map_err(|failure| {
                streak.stuck_at(work.unreadable());
                work.looked_for(failure)
            })?;
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
                    Ok(true) => {
                        if streak.committed(|topic, partition| work.committed(topic, partition)) {
                            work.observer.recovered(work.config.name);
                        }
                    }
                    Err(mut failure) if failure.keeps_clients() => {
                        streak.stuck_at(work.touched());
                        streak.attempts += 1;
                        work.observer.aborted(work.config.name);
                        let said = streak.said(work.config, work.observer, &mut failure);
                        let (attempts, text) = (streak.attempts, said.log);
                        work.observer.failed(work.config.name, attempts, &said.public);
                        tracing::warn!(
                            worker = work.config.name,
                            attempts,
                            reason = text,
                            "restoring after a failed transaction"
                        );
                        if streak.attempts >= ATTEMPTS_MAX {
                            return Err(Failure::Refused(WorkerError::GaveUp { attempts, last: text }));
                        }
                        wait(backoff(streak.attempts), stop);
                        let held = work
                            .tasks
                            .iter()
                            .map(|task| (task.topic, task.partition))
                            .collect();
                        work.forget();
                        own.clear();
                        *own = work.install(consumer, held, stop)?;
                    }
                    Err(failure) => {
                        // Also of those that end the session: its first commit of nothing but a claim ends no row of failures.
                        streak.stuck_at(work.touched());
                        work.observer.aborted(work.config.name);
                        return Err(failure);
                    }
                }
            }
            if let Some(assigned) = consumer.context().take_assigned() {
                let partitions = known(&assigned, work.config);
                own.clear();
                *own = work.install(consumer, partitions, stop)?;
            }
        }
        Ok(())
    }
}

impl Work<'_> {
    /// The partitions of the records under way, each with its committed offset.
    fn touched(&self) -> impl Iterator<Item = (Topic, i32, i64)> {
        let touched = self.tasks.iter().filter(|task| task.records > 0);
        touched.map(|task| (task.topic, task.partition, task.committed))
    }

    /// The partitions whose reading failed: they must be read, whatever is in them.
    fn unreadable(&self) -> impl Iterator<Item = (Topic, i32, i64)> {
        let unreadable = self.tasks.iter().filter(|task| task.is_unreadable);
        unreadable.map(|task| (task.topic, task.partition, UNREAD))
    }

    /// Up to where a partition is committed, if it is this loop's; [`UNREAD`] until it was read.
    fn committed(&self, topic: Topic, partition: i32) -> Option<i64> {
        let is_it = |task: &&Task| (task.topic, task.partition) == (topic, partition);
        let task = self.tasks.iter().find(is_it)?;
        Some(match task.was_read || !self.config.in_time {
            true => task.committed,
            false => UNREAD,
        })
    }
}

/// The partitions of a list by their topics.
fn known(list: &TopicPartitionList, config: &WorkerConfig) -> Vec<(Topic, i32)> {
    let known = list.elements().into_iter().map(|element| {
        let topic = config.topic_of(element.topic());
        topic.map(|topic| (topic, element.partition()))
    });
    known.flatten().collect()
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.queues.clear();
        let Some(consumer) = self.consumer.take() else {
            return;
        };
        // The client waits until its partitions are given back, also those that it has only been offered.
        consumer.context().close();
        if let Err(error) = consumer.unassign() {
            tracing::debug!(%error, "partitions could not be given back");
        }
        // It tells the group that it leaves, and waits for the answer. Without one the group gives it up by itself.
        let (observer, name) = (self.work.observer, self.work.config.name);
        if bounded(LEAVE, &|| observer.heartbeat(name), move || drop(consumer)).is_err() {
            tracing::warn!(worker = name, "the group did not hear that the loop leaves");
        }
    }
}
