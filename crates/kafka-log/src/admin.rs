//! Looks for the broker, lists, creates and describes topics.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, ConfigSource, NewPartitions, NewTopic, ResourceSpecifier,
    TopicReplication,
};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;

use crate::Properties;
use crate::cause;
use crate::settings::{self, Reports};
use crate::worker::bounded;
use crate::worker::failure::is_no_right;

/// How long the broker may take: a busy one needs many seconds for dozens of topics.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How much longer than it was told to the client may take to say that nobody answers.
const GRACE: Duration = Duration::from_secs(2);

/// How long an altered setting may take to show.
const SHOWS_WITHIN: Duration = Duration::from_secs(5);

/// Nobody answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreachable {
    /// Who was asked.
    pub bootstrap: String,
    /// What the client met last: a refused connection, a wrong password, an unknown certificate …
    pub reason: String,
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Kafka at {} cannot be reached: {}",
            self.bootstrap, self.reason
        )
    }
}

impl std::error::Error for Unreachable {}

/// Whether a broker answers within the timeout.
///
/// # Errors
/// When none does, with the client's reason.
pub fn reachable(properties: &Properties, timeout: Duration) -> Result<(), Unreachable> {
    metadata(properties, timeout).map(|_| ())
}

/// The topics that can be seen and have their leaders, with their numbers of partitions. Without rights the broker shows none.
///
/// # Errors
/// When no broker answers.
pub fn topic_partitions(
    properties: &Properties,
    timeout: Duration,
) -> Result<BTreeMap<String, i32>, Unreachable> {
    let metadata = metadata(properties, timeout)?;
    Ok(metadata
        .topics()
        .iter()
        .filter(|topic| topic.error().is_none() && topic.partitions().iter().all(|it| it.error().is_none()))
        .map(|topic| {
            (
                topic.name().to_owned(),
                i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX),
            )
        })
        .collect())
}

/// The topics that can be seen, with their numbers of partitions, also those that nobody leads at the moment.
///
/// # Errors
/// When no broker answers.
pub fn all_partitions(
    properties: &Properties,
    timeout: Duration,
) -> Result<BTreeMap<String, i32>, Unreachable> {
    let sizes = sizes(properties, timeout)?.into_iter();
    Ok(sizes.map(|(name, size)| (name, size.partitions)).collect())
}

/// How large a topic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// How many partitions it has.
    pub partitions: i32,
    /// How many replicas the one with the fewest has, those that are away among them.
    pub replicas: i32,
}

/// The sizes of the topics that can be seen, also of those whose leaders are away.
///
/// # Errors
/// When no broker answers.
pub fn sizes(properties: &Properties, timeout: Duration) -> Result<BTreeMap<String, Size>, Unreachable> {
    let metadata = metadata(properties, timeout)?;
    let count = |of: usize| i32::try_from(of).unwrap_or(i32::MAX);
    let topics = metadata.topics().iter().filter(|topic| topic.error().is_none());
    Ok(topics
        .map(|topic| {
            let replicas = topic.partitions().iter().map(|it| it.replicas().len());
            let size = Size {
                partitions: count(topic.partitions().len()),
                replicas: count(replicas.min().unwrap_or_default()),
            };
            (topic.name().to_owned(), size)
        })
        .collect())
}

/// By a thread of its own: what the library waits for has its deadline on the wall clock, which may go back.
fn metadata(properties: &Properties, timeout: Duration) -> Result<rdkafka::metadata::Metadata, Unreachable> {
    let asked = properties.clone();
    bounded(timeout + GRACE, &|| {}, move || ask_metadata(&asked, timeout)).unwrap_or_else(|hangs| {
        Err(Unreachable {
            bootstrap: properties.get("bootstrap.servers").cloned().unwrap_or_default(),
            reason: format!("the client gave no answer for {} s", hangs.waited.as_secs()),
        })
    })
}

fn ask_metadata(
    properties: &Properties,
    timeout: Duration,
) -> Result<rdkafka::metadata::Metadata, Unreachable> {
    let bootstrap = properties.get("bootstrap.servers").cloned().unwrap_or_default();
    let unreachable = |reason: String| Unreachable {
        bootstrap: bootstrap.clone(),
        reason,
    };
    let client: BaseConsumer<Reports> = settings::client(properties, &[])
        .create_with_context(Reports::default())
        .map_err(|error| unreachable(error.to_string()))?;
    let deadline = Instant::now() + timeout;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // The library answers "transport failure" for everything at once: the reason is in what it reported meanwhile.
        let error = match client.fetch_metadata(None, left.max(Duration::from_millis(50))) {
            Ok(metadata) => return Ok(metadata),
            Err(error) => error,
        };
        // Serves the queue that brings those reports.
        while client.poll(Duration::from_millis(50)).is_some() {}
        if Instant::now() >= deadline {
            let said = client.context().trouble();
            return Err(unreachable(cause::reason(
                properties,
                said.as_deref(),
                &error.to_string(),
            )));
        }
    }
}

/// A topic as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSpec {
    /// Its name on the broker.
    pub name: String,
    /// How many partitions.
    pub partitions: i32,
    /// How many replicas; `None` is the broker's default.
    pub replication: Option<i32>,
    /// Its settings, `cleanup.policy` and the like.
    pub config: BTreeMap<String, String>,
}

/// What became of one wanted topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// It is new.
    New,
    /// It was there; its settings are not touched.
    Existed,
}

/// Creates the topics that are missing, and waits until they show. Doing it twice changes nothing.
///
/// # Errors
/// When the broker refuses one of them, or does not answer.
pub fn create_topics(
    properties: &Properties,
    specs: &[TopicSpec],
) -> anyhow::Result<BTreeMap<String, Created>> {
    let admin = client(properties)?;
    let topics: Vec<NewTopic<'_>> = specs
        .iter()
        .map(|spec| {
            let replication = TopicReplication::Fixed(spec.replication.unwrap_or(-1));
            spec.config.iter().fold(
                NewTopic::new(&spec.name, spec.partitions, replication),
                |topic, (key, value)| topic.set(key, value),
            )
        })
        .collect();
    if topics.is_empty() {
        return Ok(BTreeMap::new());
    }
    let options = AdminOptions::new()
        .request_timeout(Some(TIMEOUT))
        .operation_timeout(Some(TIMEOUT));
    let mut outcome = BTreeMap::new();
    for result in wait_for(admin.create_topics(&topics, &options))? {
        match result {
            Ok(name) => outcome.insert(name, Created::New),
            Err((name, RDKafkaErrorCode::TopicAlreadyExists)) => outcome.insert(name, Created::Existed),
            Err((name, code)) => anyhow::bail!(
                "topic {name} could not be created: {code}{}",
                asked_for("CREATE", &name, code)
            ),
        };
    }
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let known = topic_partitions(properties, TIMEOUT)?;
        if specs.iter().all(|spec| known.contains_key(&spec.name)) {
            return Ok(outcome);
        }
        let hidden = specs.iter().filter(|spec| !known.contains_key(&spec.name));
        let hidden: Vec<&str> = hidden.map(|spec| spec.name.as_str()).collect();
        anyhow::ensure!(
            Instant::now() < deadline,
            "these topics are there but do not show; is DESCRIBE on them granted, which ALTER brings? {}",
            hidden.join(" ")
        );
        thread::park_timeout(Duration::from_millis(50));
    }
}

/// The settings of topics as the broker has them.
///
/// # Errors
/// When the broker does not answer, or shows no setting of a topic: it is missing, or may not be described.
pub fn describe(
    properties: &Properties,
    topics: &[&str],
) -> anyhow::Result<BTreeMap<String, BTreeMap<String, String>>> {
    let found = settings_of(properties, topics)?;
    let values = |settings: BTreeMap<String, Setting>| {
        let settings = settings.into_iter();
        settings.map(|(name, setting)| (name, setting.value)).collect()
    };
    Ok(found
        .into_iter()
        .map(|(topic, settings)| (topic, values(settings)))
        .collect())
}

/// A topic's setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// What holds.
    pub value: String,
    /// It was set for this topic; else it is the broker's default.
    pub own: bool,
}

/// The settings of topics, and which of them are their own.
///
/// # Errors
/// As [`describe`].
pub fn settings_of(
    properties: &Properties,
    topics: &[&str],
) -> anyhow::Result<BTreeMap<String, BTreeMap<String, Setting>>> {
    if topics.is_empty() {
        return Ok(BTreeMap::new());
    }
    let admin = client(properties)?;
    let wanted: Vec<ResourceSpecifier<'_>> =
        topics.iter().map(|name| ResourceSpecifier::Topic(name)).collect();
    let options = AdminOptions::new().request_timeout(Some(TIMEOUT));
    let mut found = BTreeMap::new();
    for (name, result) in topics
        .iter()
        .zip(wait_for(admin.describe_configs(&wanted, &options))?)
    {
        let resource =
            result.map_err(|code| anyhow::anyhow!("topic {name} could not be described: {code}"))?;
        // The client library loses the broker's refusal and gives an empty list.
        anyhow::ensure!(
            !resource.entries.is_empty(),
            "topic {name} is missing or may not be described (DESCRIBE_CONFIGS on topic {name})"
        );
        let entries = resource.entries.into_iter().filter_map(|entry| {
            let own = matches!(entry.source, ConfigSource::DynamicTopic);
            Some((
                entry.name,
                Setting {
                    value: entry.value?,
                    own,
                },
            ))
        });
        found.insert((*name).to_owned(), entries.collect());
    }
    Ok(found)
}

/// Sets settings of a topic; its others stay. Then looks whether they hold.
///
/// # Errors
/// When the broker does not answer, or they do not hold afterwards: it refused, which it tells nobody.
pub fn alter(
    properties: &Properties,
    topic: &str,
    settings: &BTreeMap<String, String>,
) -> anyhow::Result<()> {
    // The request replaces all of a topic's own settings.
    let before = settings_of(properties, &[topic])?
        .remove(topic)
        .unwrap_or_default();
    let own = before.into_iter().filter(|(_, setting)| setting.own);
    let mut all: BTreeMap<String, String> = own.map(|(name, setting)| (name, setting.value)).collect();
    all.extend(settings.iter().map(|(name, value)| (name.clone(), value.clone())));
    let admin = client(properties)?;
    let entries = all.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let config = AlterConfig {
        specifier: ResourceSpecifier::Topic(topic),
        entries: entries.collect(),
    };
    let options = AdminOptions::new().request_timeout(Some(TIMEOUT));
    for result in wait_for(admin.alter_configs([&config], &options))? {
        result.map_err(|(_, code)| anyhow::anyhow!("topic {topic} could not be altered: {code}"))?;
    }
    let deadline = Instant::now() + SHOWS_WITHIN;
    loop {
        let after = settings_of(properties, &[topic])?
            .remove(topic)
            .unwrap_or_default();
        let missed = settings
            .iter()
            .find(|(name, value)| after.get(*name).is_none_or(|setting| setting.value != **value));
        let Some((name, value)) = missed else {
            return Ok(());
        };
        anyhow::ensure!(
            Instant::now() < deadline,
            "topic {topic} was not altered: {name} is not {value} (is ALTER_CONFIGS on topic {topic} granted?)"
        );
        thread::park_timeout(Duration::from_millis(50));
    }
}

/// Gives a topic more partitions.
///
/// # Errors
/// When the broker refuses, or does not answer.
pub fn widen(properties: &Properties, topic: &str, partitions: i32) -> anyhow::Result<()> {
    let admin = client(properties)?;
    let count = usize::try_from(partitions)?;
    let wanted = NewPartitions::new(topic, count);
    let options = AdminOptions::new()
        .request_timeout(Some(TIMEOUT))
        .operation_timeout(Some(TIMEOUT));
    for result in wait_for(admin.create_partitions([&wanted], &options))? {
        result.map_err(|(name, code)| {
            anyhow::anyhow!(
                "topic {name} could not be widened: {code}{}",
                asked_for("ALTER", &name, code)
            )
        })?;
    }
    Ok(())
}

/// Which right a refusal is about.
fn asked_for(operation: &str, topic: &str, code: RDKafkaErrorCode) -> String {
    match is_no_right(code) {
        true => format!(" ({operation} on topic {topic} is not granted: cityops topics plan --acls)"),
        false => String::new(),
    }
}

fn client(properties: &Properties) -> anyhow::Result<AdminClient<Reports>> {
    reachable(properties, TIMEOUT)?;
    Ok(settings::client(properties, &[]).create_with_context(Reports::default())?)
}

/// Waits for an administrative request; the library answers it from a thread of its own.
fn wait_for<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
