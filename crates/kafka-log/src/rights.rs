//! Tries which of the rights that a process needs the broker grants it, and names those that it does not.
//!
//! Asked at a start: without it a missing right shows when the first record wants it, which for a seldom topic is some night.
//! Reading is tried at each topic's end, writing by a record in a transaction that is aborted, so nobody who reads what is
//! committed sees anything of it.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Context;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use wire_format::topics::Topic;

use crate::Properties;
use crate::settings::{self, Reports};
use crate::worker::WorkerConfig;
use crate::worker::failure::Failure;
use crate::worker::transactor::Transactor;

/// How long one try may take.
const TRY_MAX: Duration = Duration::from_secs(10);
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

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {} {}", self.operation, self.resource, self.name)
    }
}

/// The rights of `wanted` that the broker does not grant. Without the right to the transactional id the rights to write and to
/// the group cannot be tried; they are not named then.
///
/// # Errors
/// When a try failed for another reason.
pub fn missing(properties: &Properties, wanted: &Wanted) -> anyhow::Result<Vec<Missing>> {
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

/// Topics that may not be read.
fn unread(properties: &Properties, topics: &[String]) -> anyhow::Result<Vec<Missing>> {
    let mut config = settings::reader(properties, "cityops-reader", "read_committed");
    config
        .set("enable.partition.eof", "true")
        // The end is told with the first answer; it need not wait for a record.
        .set("fetch.wait.max.ms", "10");
    let consumer: BaseConsumer<Reports> = config.create_with_context(Reports::default())?;
    let mut found = Vec::new();
    for topic in topics {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, 0, Offset::End)?;
        consumer.assign(&list)?;
        let deadline = Instant::now() + TRY_MAX;
        loop {
            let granted = match consumer.poll(POLL) {
                Some(Ok(_)) | Some(Err(KafkaError::PartitionEOF(_))) => Some(true),
                Some(Err(error)) if refuses(&error) => Some(false),
                Some(Err(_)) | None => None,
            };
            match granted {
                Some(true) => break,
                Some(false) => {
                    found.push(Missing {
                        operation: "READ",
                        resource: "topic",
                        name: topic.clone(),
                    });
                    break;
                }
                None => anyhow::ensure!(
                    Instant::now() < deadline,
                    "{topic} does not answer: {}",
                    consumer.context().trouble().unwrap_or_default()
                ),
            }
        }
    }
    Ok(found)
}

/// Topics that may not be written, and the group and the transactional id, if they may not be used.
fn unwritten(config: &WorkerConfig, wanted: &Wanted) -> anyhow::Result<Vec<Missing>> {
    let missing = |operation, resource, name: &str| Missing {
        operation,
        resource,
        name: name.to_owned(),
    };
    let start = || Transactor::start(config, &config.new_transactional_id(), &|| {});
    let mut transactor = match start() {
        Ok(transactor) => Some(transactor),
        Err(Failure::NoRight(_)) => {
            let name = format!("{}*", config.transactional_id_prefix);
            return Ok(vec![missing("WRITE", "transactional-id", &name)]);
        }
        Err(failure) => anyhow::bail!("{failure}"),
    };
    let mut found = Vec::new();
    for topic in &wanted.writes {
        let mut current = match transactor.take() {
            Some(current) => current,
            // After a refusal the producer may be of no more use.
            None => start().map_err(|failure| anyhow::anyhow!("{failure}"))?,
        };
        let granted = current.may_write(topic, TRY_MAX);
        match granted.map_err(|failure| anyhow::anyhow!("{failure}"))? {
            true => transactor = Some(current),
            false => found.push(missing("WRITE", "topic", topic)),
        }
    }
    if let (Some(group), Some(topic)) = (&wanted.group, wanted.reads.first()) {
        let reader = settings::reader(&config.properties, group, "read_committed");
        let consumer: BaseConsumer<Reports> = reader.create_with_context(Reports::default())?;
        let member = consumer.group_metadata().context("a consumer without a group")?;
        let member = std::sync::Arc::new(member);
        let mut current = match transactor.take() {
            Some(current) => current,
            None => start().map_err(|failure| anyhow::anyhow!("{failure}"))?,
        };
        let granted = current.may_commit(topic, &member);
        if !granted.map_err(|failure| anyhow::anyhow!("{failure}"))? {
            found.push(missing("READ", "group", group));
        }
    }
    Ok(found)
}

/// Whether an error refuses a topic. The reader's group, which it never joins, may be refused as well.
fn refuses(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::TopicAuthorizationFailed)
}
