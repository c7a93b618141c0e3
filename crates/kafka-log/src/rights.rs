//! Tries which of the rights that a process needs the broker grants it, and names those that it does not.
//!
//! Asked at a start: without it a missing right shows when the first record wants it, which for a seldom topic is some night.
//! Reading is tried at each topic's end, writing by a record in a transaction that is aborted, so nobody who reads what is
//! committed sees anything of it.

use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Context;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use wire_format::topics::Topic;

use crate::Properties;
use crate::settings::{self, Reports};
use crate::worker::WorkerConfig;
use crate::worker::bounded;
use crate::worker::failure::Failure;
use crate::worker::transactor::Transactor;

/// How long one try may take.
const TRY_MAX: Duration = Duration::from_secs(10);
/// How long all of them may take.
const ALL_MAX: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// What a process does with a broker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Topics that it reads, by their names on the broker.
    pub reads: Vec<String>,
    /// Topics that it writes in its transactions.
    pub writes: Vec<String>,
    /// The consumer group that it joins.
    pub group: Option<String>,
    /// What its transactional ids begin with; without it nothing is written.
    pub transactional_id_prefix: Option<String>,
}

/// A right that is not granted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// The operation, as the broker's tools call it.
    pub operation: &'static str,
    /// What it is on: `topic`, `group` or `transactional-id`.
    pub resource: &'static str,
    /// Its name; of a transactional id, what it begins with.
    pub name: String,
}

impl Missing {
    pub(crate) fn new(operation: &'static str, resource: &'static str, name: &str) -> Missing {
        Missing {
            operation,
            resource,
            name: name.to_owned(),
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {} {}", self.operation, self.resource, self.name)
    }
}

/// The rights of `wanted` that the broker does not grant. Without the right to the transactional id the rights to write and to
/// the group cannot be tried; they are not named then.
///
/// # Errors
/// When a try failed for another reason, or all of them took longer than a minute.
pub fn missing(properties: &Properties, wanted: &Wanted) -> anyhow::Result<Vec<Missing>> {
    let (properties, wanted) = (properties.clone(), wanted.clone());
    // The client waits with deadlines on the wall clock: one that is set back meanwhile would hold a start for as long, and
    // nobody watches a start yet.
    bounded(ALL_MAX, &|| {}, move || tried(&properties, &wanted))
        .map_err(|hangs| anyhow::anyhow!("no answer for {} s", hangs.waited.as_secs()))?
}

fn tried(properties: &Properties, wanted: &Wanted) -> anyhow::Result<Vec<Missing>> {
    let mut found = unread(properties, &wanted.reads)?;
    if let Some(prefix) = &wanted.transactional_id_prefix {
        let mut config = WorkerConfig::new(
            "rights",
            properties.clone(),
            vec![Topic::DeadLetters],
            Topic::EnrichChangelog,
        );
        config.transactional_id_prefix.clone_from(prefix);
        found.extend(unwritten(&config, wanted)?);
    }
    Ok(found)
}

/// Topics that may not be read. All at once first, for that is how it nearly always is; an error does not say of which topic it is, so
/// then one by one.
pub(crate) fn unread(properties: &Properties, topics: &[String]) -> anyhow::Result<Vec<Missing>> {
    let mut config = settings::reader(properties, "cityops-reader", "read_committed");
    config
        .set("enable.partition.eof", "true")
        // The end is told with the first answer; it need not wait for a record.
        .set("fetch.wait.max.ms", "10");
    let consumer: BaseConsumer<Reports> = config.create_with_context(Reports::default())?;
    if may_read(&consumer, topics)? {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for topic in topics {
        if !may_read(&consumer, std::slice::from_ref(topic))? {
            found.push(Missing::new("READ", "topic", topic));
        }
    }
    Ok(found)
}

/// Whether the first partition of each of these topics lets its end be read.
fn may_read(consumer: &BaseConsumer<Reports>, topics: &[String]) -> anyhow::Result<bool> {
    let mut list = TopicPartitionList::new();
    for topic in topics {
        list.add_partition_offset(topic, 0, Offset::End)?;
    }
    consumer.assign(&list)?;
    let deadline = Instant::now() + TRY_MAX;
    // An end does not say of which topic it is; a record does, and where records come fast there may be no end.
    let mut ends = 0;
    let mut read = BTreeSet::new();
    while ends + read.len() < topics.len() {
        match consumer.poll(POLL) {
            Some(Err(KafkaError::PartitionEOF(_))) => ends += 1,
            Some(Err(error)) if refuses(&error) => return Ok(false),
            Some(Ok(record)) => {
                read.insert(record.topic().to_owned());
            }
            Some(Err(_)) | None => {}
        }
        anyhow::ensure!(
            Instant::now() < deadline,
            "{} does not answer: {}",
            topics.join(", "),
            consumer.context().trouble().unwrap_or_default()
        );
    }
    Ok(true)
}

/// Topics that may not be written, and the group and the transactional id, if they may not be used.
fn unwritten(config: &WorkerConfig, wanted: &Wanted) -> anyhow::Result<Vec<Missing>> {
    let mut producers = Producers { config, ready: None };
    let mut found = Vec::new();
    match producers.take() {
        Ok(first) => producers.ready = Some(first),
        Err(Failure::NoRight(_)) => {
            let name = format!("{}*", config.transactional_id_prefix);
            return Ok(vec![Missing::new("WRITE", "transactional-id", &name)]);
        }
        Err(failure) => anyhow::bail!("{failure}"),
    }
    // As with reading: which one it is shows only where it is alone.
    if !producers.may_write(&wanted.writes)? {
        for topic in &wanted.writes {
            if !producers.may_write(std::slice::from_ref(topic))? {
                found.push(Missing::new("WRITE", "topic", topic));
            }
        }
    }
    if let (Some(group), Some(topic)) = (&wanted.group, wanted.reads.first()) {
        let reader = settings::reader(&config.properties, group, "read_committed");
        let consumer: BaseConsumer<Reports> = reader.create_with_context(Reports::default())?;
        let member = consumer.group_metadata().context("a consumer without a group")?;
        let member = std::sync::Arc::new(member);
        let mut producer = producers.take().map_err(said)?;
        if !producer.may_commit(topic, &member).map_err(said)? {
            found.push(Missing::new("READ", "group", group));
        }
    }
    Ok(found)
}

/// Producers one after the other: after a refusal one may be of no more use.
struct Producers<'a> {
    config: &'a WorkerConfig,
    ready: Option<Transactor>,
}

impl Producers<'_> {
    fn take(&mut self) -> Result<Transactor, Failure> {
        match self.ready.take() {
            Some(ready) => Ok(ready),
            None => Transactor::start(self.config, &self.config.new_transactional_id(), &|| {}),
        }
    }

    fn may_write(&mut self, topics: &[String]) -> anyhow::Result<bool> {
        let mut producer = self.take().map_err(said)?;
        let granted = producer.may_write(topics, TRY_MAX).map_err(said)?;
        if granted {
            self.ready = Some(producer);
        }
        Ok(granted)
    }
}

fn said(failure: Failure) -> anyhow::Error {
    anyhow::anyhow!("{failure}")
}

/// Whether an error refuses a topic. The reader's group, which it never joins, may be refused as well.
fn refuses(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::TopicAuthorizationFailed)
}
