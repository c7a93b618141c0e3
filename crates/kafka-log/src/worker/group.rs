//! The consumer's side of the group: it gives partitions back at once and leaves taking them to the loop.
//!
//! The group is eager: a rebalance takes everything back before members join again, so the generation cannot change
//! while partitions are held. With the cooperative protocol it can, and a commit under way would be refused for nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientConfig, TopicPartitionList};

use super::WorkerConfig;
use super::failure::Failure;
use crate::settings::{self, Reports};

/// What is read ahead of each partition at least, however many there are.
const READ_AHEAD_MIN_KIB: usize = 16;
/// What is asked for of one partition at once, at most.
const FETCH_MAX_BYTES: usize = 4 * 1024 * 1024;
/// How long a broker may wait for something to send. The library has one request under way to each: while that waits for what
/// partitions at their ends have not got, one that ran dry gets nothing. What is read ahead of a busy one has to last as long.
const FETCH_WAIT_MS: &str = "100";

/// The loop's consumer.
pub(super) type GroupConsumer = BaseConsumer<GroupContext>;

/// What the group has told since the loop looked last.
#[derive(Debug, Default)]
pub(super) struct GroupContext {
    reports: Reports,
    revoked: AtomicBool,
    assigned: Mutex<Option<TopicPartitionList>>,
    closing: AtomicBool,
}

impl GroupContext {
    /// Whether the partitions were taken back since the last call.
    pub(super) fn take_revoked(&self) -> bool {
        self.revoked.swap(false, Ordering::AcqRel)
    }

    /// The partitions that the group gave since the last call. The library waits for `assign`.
    pub(super) fn take_assigned(&self) -> Option<TopicPartitionList> {
        self.assigned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Whether there is something of that to take.
    pub(super) fn has_spoken(&self) -> bool {
        let assigned = self.assigned.lock().unwrap_or_else(PoisonError::into_inner);
        assigned.is_some() || self.revoked.load(Ordering::Acquire)
    }

    /// From now on partitions are given back as they come, so that closing does not wait for a loop that is gone.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }
}

impl ClientContext for GroupContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.reports.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.reports.error(error, reason);
    }
}

impl ConsumerContext for GroupContext {
    // Called inside poll only, and records are processed and committed only between polls: nothing is in flight here.
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        event: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let assigned = event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if assigned && !self.closing.load(Ordering::Acquire) {
            *self.assigned.lock().unwrap_or_else(PoisonError::into_inner) = Some(partitions.clone());
            return;
        }
        self.revoked.store(true, Ordering::Release);
        *self.assigned.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if let Err(error) = consumer.unassign() {
            tracing::warn!(%error, "partitions could not be given back");
        }
    }
}

/// Joins the group.
pub(super) fn join(config: &WorkerConfig, partitions: usize) -> Result<GroupConsumer, Failure> {
    let consumer: GroupConsumer = consumer_config(config, partitions)
        .create_with_context(GroupContext::default())
        .map_err(|error| Failure::of("create the consumer", &error))?;
    let names: Vec<String> = config.inputs.iter().map(|topic| config.name_of(*topic)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    consumer
        .subscribe(&names)
        .map_err(|error| Failure::of("subscribe", &error))?;
    Ok(consumer)
}

/// How a loop reads its share of so many partitions.
pub(crate) fn consumer_config(config: &WorkerConfig, partitions: usize) -> ClientConfig {
    let session = config.session_timeout_ms;
    let mut client = settings::reader(&config.properties, &config.group_id, "read_committed");
    client
        .set("partition.assignment.strategy", "roundrobin")
        .set("session.timeout.ms", session.to_string())
        // A rebalance takes as long as the slowest heartbeat.
        .set(
            "heartbeat.interval.ms",
            (session / 10).clamp(1, 1_000).to_string(),
        )
        // Restoring happens between two polls.
        .set("max.poll.interval.ms", "600000");
    let shares = config.shares();
    let mut read_ahead_kib = shares.read_ahead / 1024;
    if config.in_time {
        // Partitions have queues of their own, and the library's bound is each one's.
        read_ahead_kib = (read_ahead_kib / partitions.max(1)).max(READ_AHEAD_MIN_KIB);
        let bytes = (read_ahead_kib * 1024).min(FETCH_MAX_BYTES).to_string();
        client
            .set("fetch.message.max.bytes", bytes)
            // Which one is at its end is not waited for.
            .set("enable.partition.eof", "true");
    }
    let read_ahead_kib = read_ahead_kib.to_string();
    settings::unless_given(
        &mut client,
        &config.properties,
        &[
            ("queued.max.messages.kbytes", &read_ahead_kib),
            ("fetch.wait.max.ms", FETCH_WAIT_MS),
        ],
    );
    settings::fetch_at_once(&mut client, &config.properties, shares.fetch);
    if config.embedded {
        // That broker answers a fetch only when its wait is over. It forgets what is old, changelogs as well.
        client.set("fetch.wait.max.ms", "10");
    } else {
        // An offset that is not there is no place to go on from: what a topic that was made anew has at lower ones would pass for read.
        // The loop begins again and sees what is there.
        client.set("auto.offset.reset", "error");
    }
    client
}
