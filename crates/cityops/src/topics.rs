//! The topics of a city on its broker: sizes, settings, and whether they are there.

pub mod differences;
pub mod load;
pub mod retention;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use city_rules::ConfigError;
use kafka_log::Properties;
use kafka_log::admin::TopicSpec;
use wire_format::{Cleanup, Topic};

use crate::config::{IngestedFrom, Loaded};

/// The input topics of the enrich worker.
pub const INPUTS: [Topic; 7] = [
    Topic::Sensor,
    Topic::Hotline,
    Topic::Video,
    Topic::Report,
    Topic::Weather,
    Topic::Silence,
    Topic::Command,
];

/// Those of them that hold events: the engine's clock is the least of their partitions' times.
pub const EVENTS: [Topic; 4] = [Topic::Sensor, Topic::Hotline, Topic::Video, Topic::Report];

/// Dead letters hold untouched personal data: they go after 14 days.
const DEAD_LETTER_MS: i64 = 14 * 24 * 3_600_000;
/// What became of an event is kept for a month after it last changed.
const OUTCOMES_MS: i64 = 31 * 24 * 3_600_000;

/// The client's properties of a configuration.
///
/// # Errors
/// As [`Loaded::kafka_properties`].
pub fn properties(loaded: &Loaded) -> Result<Properties, ConfigError> {
    loaded.kafka_properties()
}

/// The topics that a configuration wants.
pub fn plan(loaded: &Loaded) -> Vec<TopicSpec> {
    Topic::ALL.iter().map(|topic| spec(loaded, *topic)).collect()
}

fn spec(loaded: &Loaded, topic: Topic) -> TopicSpec {
    let sizes = &loaded.config.topics;
    let partitions = match topic {
        // Few records that every engine must hear in one order.
        Topic::Weather | Topic::Silence => 1,
        Topic::Enriched | Topic::CorrelateChangelog | Topic::VitalsChangelog => sizes.enriched_partitions,
        Topic::EnrichChangelog => sizes.source_partitions,
        t if t.source().is_some() => sizes.source_partitions,
        _ => sizes.enriched_partitions,
    };
    let mut config = BTreeMap::new();
    let mut set = |key: &str, value: &str| {
        config.insert(key.to_owned(), value.to_owned());
    };
    set("cleanup.policy", topic.cleanup().as_str());
    let producer_time =
        topic.source().is_some() && loaded.config.time.ingested_from == IngestedFrom::Producer;
    set(
        "message.timestamp.type",
        if producer_time {
            "CreateTime"
        } else {
            "LogAppendTime"
        },
    );
    // The source topics that compact keep the newest of each key for ever.
    if retention::is_least(topic) && topic.cleanup() == Cleanup::Delete {
        let kept = sizes.source_retention.map_or_else(
            || retention::kept_ms(&loaded.config.time),
            |retention| retention.0,
        );
        set("retention.ms", &kept.to_string());
    }
    if let Some(replicas) = sizes.replication {
        set("min.insync.replicas", &retention::in_sync(replicas).to_string());
    }
    if producer_time {
        // Retention goes by the record's timestamp: a backfill of last year would be deleted before it is read.
        set("retention.ms", "-1");
    }
    match topic {
        Topic::DeadLetters => set("retention.ms", &DEAD_LETTER_MS.to_string()),
        Topic::Outcomes => set("retention.ms", &OUTCOMES_MS.to_string()),
        _ => {}
    }
    if matches!(
        topic,
        Topic::EnrichChangelog | Topic::CorrelateChangelog | Topic::VitalsChangelog
    ) {
        // Small segments and quick compaction: a restore reads little more than the live state.
        set("segment.bytes", "16777216");
        set("segment.ms", "600000");
        set("min.cleanable.dirty.ratio", "0.1");
        set("max.compaction.lag.ms", "600000");
    } else if topic.cleanup() != Cleanup::Delete && topic.source().is_none() {
        set("min.cleanable.dirty.ratio", "0.2");
        // A late reader of a band's topic must see the tombstone of what left it.
        set("delete.retention.ms", "86400000");
    }
    TopicSpec {
        name: kafka_log::topic_name(&loaded.config.kafka.topic_prefix, topic),
        partitions: partitions as i32,
        replication: sizes.replication,
        config,
    }
}

/// A broker that is just coming up answers before it knows its topics.
const SETTLING: Duration = Duration::from_secs(5);

/// How many partitions each topic of the city has on the broker.
///
/// # Errors
/// [`crate::exit::Exit::Unreachable`] when no broker answers; a failure that names the missing topics.
pub fn partitions(loaded: &Loaded, properties: &Properties) -> anyhow::Result<BTreeMap<Topic, i32>> {
    let deadline = Instant::now() + SETTLING;
    let (partitions, missing) = loop {
        // What was created just now has its leaders in a moment. What has none for longer is read when it has one.
        let is_late = Instant::now() >= deadline;
        let ask = match is_late {
            false => kafka_log::admin::topic_partitions,
            true => kafka_log::admin::all_partitions,
        };
        let found = ask(properties, Duration::from_secs(15)).map_err(|error| loaded.no_broker(&error))?;
        let (mut partitions, mut missing) = (BTreeMap::new(), Vec::new());
        for topic in Topic::ALL {
            let name = kafka_log::topic_name(&loaded.config.kafka.topic_prefix, *topic);
            match found.get(&name) {
                Some(count) => {
                    partitions.insert(*topic, *count);
                }
                None => missing.push(name),
            }
        }
        if missing.is_empty() || is_late {
            break (partitions, missing);
        }
        std::thread::park_timeout(Duration::from_millis(250));
    };
    anyhow::ensure!(
        missing.is_empty(),
        "these topics are missing, or this user may not see them; `cityops topics apply` creates them, `topics plan --acls` says \
         who may see what: {}",
        missing.join(" ")
    );
    Ok(partitions)
}
