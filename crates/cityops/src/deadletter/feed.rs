//! Feeds dead letters to the topics that they came by: records and their marks by one transaction, so that however often it is
//! run, and wherever it is killed, no letter is fed twice.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use anyhow::Context;
use city_model::EventTime;
use kafka_log::Properties;
use kafka_log::atomic::AtomicSender;
use kafka_log::produce::NewRecord;
use kafka_log::read::{Record, Start, read_topic};
use wire_format::{Topic, headers};

use super::Letter;
use crate::config::{IngestedFrom, Loaded};

/// A transaction ends with so many records …
const BATCH_RECORDS: usize = 200;
/// … or so many bytes, so that readers of what is committed never wait long behind it.
const BATCH_BYTES: usize = 4 << 20;

/// What came of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fed {
    /// Letters that were fed.
    pub fed: usize,
    /// Letters that the topic forgot while it was read.
    pub gone: usize,
}

/// The one name under which a city's dead letters are fed.
pub fn transactional_id(loaded: &Loaded) -> String {
    format!("{}-deadletter", loaded.config.kafka.group_prefix)
}

/// Feeds these letters, ordered by place; `progress` is told how many are done. `sender` must have been started before the
/// letters were read: then nobody else has fed one of them since.
///
/// # Errors
/// When the broker is away or refuses. What was committed until then is marked; running it again goes on from there.
pub fn feed(
    loaded: &Loaded,
    properties: &Properties,
    sender: &mut AtomicSender,
    letters: &[&Letter],
    mut progress: impl FnMut(usize),
) -> anyhow::Result<Fed> {
    let prefix = &loaded.config.kafka.topic_prefix;
    let topic = kafka_log::topic_name(prefix, Topic::DeadLetters);
    let known = kafka_log::admin::topic_partitions(properties, std::time::Duration::from_secs(15))
        .map_err(|error| loaded.no_broker(&error))?;
    let mut batch = Batch {
        dead_letters: &topic,
        // Otherwise the broker's clock replaces it anyway.
        keep_time: loaded.config.time.ingested_from == IngestedFrom::Producer,
        records: Vec::new(),
        bytes: 0,
    };
    let mut wanted: BTreeMap<i32, BTreeMap<i64, &Letter>> = BTreeMap::new();
    for letter in letters {
        wanted
            .entry(letter.partition)
            .or_default()
            .insert(letter.offset, letter);
    }
    let mut result = Fed::default();
    for (partition, mut wanted) in wanted {
        let Some((first, last)) = wanted.keys().next().copied().zip(wanted.keys().last().copied()) else {
            continue;
        };
        let mut failed = None;
        read_topic(properties, &topic, partition, Start::Offset(first), |record| {
            if let Some(letter) = wanted.remove(&record.offset()) {
                let target = kafka_log::topic_name(prefix, letter.topic().unwrap_or(Topic::DeadLetters));
                let partitions = known.get(&target).copied();
                batch.take(record, letter, target, partitions);
            }
            if batch.is_full() || record.offset() >= last {
                match batch.commit(sender) {
                    Ok(fed) => result.fed += fed,
                    Err(error) => failed = Some(error),
                }
                progress(result.fed);
            }
            match failed.is_some() || record.offset() >= last {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })?;
        if failed.is_none() {
            // Where the last one is gone, nothing said that it was the last.
            match batch.commit(sender) {
                Ok(fed) => result.fed += fed,
                Err(error) => failed = Some(error),
            }
        }
        if let Some(error) = failed {
            return Err(error).with_context(|| {
                format!(
                    "{} were fed; run it again for the rest, none is fed twice",
                    result.fed
                )
            });
        }
        result.gone += wanted.len();
    }
    progress(result.fed);
    Ok(result)
}

/// Records of one transaction.
struct Batch<'a> {
    dead_letters: &'a str,
    keep_time: bool,
    records: Vec<Again>,
    bytes: usize,
}

/// A record to be fed, and the letter that it is.
struct Again {
    from: (i32, i64),
    topic: String,
    partition: Option<i32>,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Vec<u8>)>,
    timestamp: Option<EventTime>,
}

impl Batch<'_> {
    fn take(&mut self, record: &Record<'_>, letter: &Letter, topic: String, partitions: Option<i32>) {
        let own = record.headers().into_iter();
        let own = own.filter(|(name, _)| !headers::is_ours(name));
        let mut told: Vec<(String, Vec<u8>)> = own
            .map(|(name, value)| (name.to_owned(), value.to_vec()))
            .collect();
        let from = format!("{}/{}", letter.partition, letter.offset);
        let attempts = letter.attempts.saturating_add(1).to_string();
        told.push((headers::REPLAYED_FROM.to_owned(), from.into_bytes()));
        told.push((headers::ATTEMPTS.to_owned(), attempts.into_bytes()));
        // What is known of its device or ticket is in the partition that it came by, whoever chose that.
        let partition = letter.origin.map(|(partition, _)| partition);
        let partition = partition.filter(|partition| partitions.is_some_and(|count| *partition < count));
        self.bytes += record.value().map_or(0, <[u8]>::len);
        self.records.push(Again {
            from: letter.place(),
            topic,
            partition,
            key: record.key().map(<[u8]>::to_vec),
            value: record.value().map(<[u8]>::to_vec),
            headers: told,
            timestamp: letter.ingested_at.filter(|_| self.keep_time),
        });
    }

    fn is_full(&self) -> bool {
        self.records.len() >= BATCH_RECORDS || self.bytes >= BATCH_BYTES
    }

    /// Commits the records with their marks; gives how many there were.
    fn commit(&mut self, sender: &mut AtomicSender) -> anyhow::Result<usize> {
        if self.records.is_empty() {
            return Ok(0);
        }
        let records = std::mem::take(&mut self.records);
        self.bytes = 0;
        let marks: Vec<String> = records.iter().map(|it| it.from.1.to_string()).collect();
        let marks: Vec<[(&str, &[u8]); 1]> = marks
            .iter()
            .map(|offset| [(headers::REPLAYED, offset.as_bytes())])
            .collect();
        let borrowed: Vec<Vec<(&str, &[u8])>> = records
            .iter()
            .map(|record| {
                let told = record.headers.iter();
                told.map(|(name, value)| (name.as_str(), value.as_slice()))
                    .collect()
            })
            .collect();
        let mut batch = Vec::with_capacity(2 * records.len());
        for ((record, told), mark) in records.iter().zip(&borrowed).zip(&marks) {
            batch.push(NewRecord {
                topic: &record.topic,
                partition: record.partition,
                key: record.key.as_deref(),
                value: record.value.as_deref(),
                timestamp: record.timestamp,
                headers: told,
            });
            batch.push(NewRecord {
                topic: self.dead_letters,
                partition: Some(record.from.0),
                key: None,
                value: None,
                timestamp: None,
                headers: mark,
            });
        }
        sender.send(&batch)?;
        Ok(records.len())
    }
}
