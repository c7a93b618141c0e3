//! Reads what was committed to partitions, up to the end that they had at the start.
//!
//! The end counts open transactions and control records: it is reached when everything before it is committed or aborted.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use anyhow::Context;
use city_model::EventTime;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::probe::{Place, Probe};
use crate::settings::{self, Reports};
use crate::worker::bounded;
use crate::{Properties, admin};

/// How long nothing may come, not even the end of an open transaction (at most 15 min by the broker's default).
const STALL_MAX: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);
/// How long a client may take to close.
const CLOSE: Duration = Duration::from_secs(5);
/// How many records are read before it is asked whether to go on.
const ASK_EVERY: u64 = 1_000;

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the first record that is still there.
    Beginning,
    /// At an offset.
    Offset(i64),
}

/// A committed record.
pub struct Record<'a> {
    message: &'a BorrowedMessage<'a>,
}

impl<'a> Record<'a> {
    pub(crate) fn of(message: &'a BorrowedMessage<'a>) -> Record<'a> {
        Record { message }
    }

    /// The topic's name on the broker.
    pub fn topic(&self) -> &str {
        self.message.topic()
    }

    /// The partition.
    pub fn partition(&self) -> i32 {
        self.message.partition()
    }

    /// The offset.
    pub fn offset(&self) -> i64 {
        self.message.offset()
    }

    /// The record's timestamp: when it was appended, or what its producer says.
    pub fn timestamp(&self) -> EventTime {
        timestamp(self.message)
    }

    /// The key.
    pub fn key(&self) -> Option<&[u8]> {
        self.message.key()
    }

    /// The value; `None` is a tombstone.
    pub fn value(&self) -> Option<&[u8]> {
        self.message.payload()
    }

    /// The headers, in order.
    pub fn headers(&self) -> Vec<(&str, &[u8])> {
        headers(self.message)
    }
}

/// The time of a record; 0 for one of a broker too old to keep times.
pub(crate) fn timestamp<M: Message>(message: &M) -> EventTime {
    EventTime::from_millis(message.timestamp().to_millis().unwrap_or(0))
}

/// The headers of a record, in order.
pub(crate) fn headers<M: Message>(message: &M) -> Vec<(&str, &[u8])> {
    message.headers().map_or_else(Vec::new, |headers| {
        headers
            .iter()
            .map(|header| (header.key, header.value.unwrap_or_default()))
            .collect()
    })
}

/// Reads one partition up to the end that it has now; gives the offset after the last record.
///
/// `topic` is the name on the broker. The caller can stop early.
///
/// # Errors
/// When the broker is away or refuses, or nothing came for a minute although the end was not reached.
pub fn read_topic(
    properties: &Properties,
    topic: &str,
    partition: i32,
    from: Start,
    mut each: impl FnMut(&Record<'_>) -> ControlFlow<()>,
) -> anyhow::Result<i64> {
    let read = || format!("read {topic}");
    let place = (topic.to_owned(), partition);
    let probe = Probe::new(properties)?;
    let end = probe.ends(std::slice::from_ref(&place)).with_context(read)?[0];
    let begin = probe
        .beginnings(std::slice::from_ref(&place))
        .with_context(read)?[0];
    let start = match from {
        Start::Beginning => begin,
        Start::Offset(offset) => offset.max(begin),
    };
    let config = settings::reader(properties, "cityops-reader", "read_committed");
    let span = Span { place, start, end };
    read_spans(&config, &[span], &mut |record| Ok(each(record)), &mut || true).with_context(read)?;
    Ok(end)
}

/// The offset at which a partition begins: 0, until retention takes its beginning away.
///
/// # Errors
/// When the broker is away or refuses.
pub fn beginning(properties: &Properties, topic: &str, partition: i32) -> anyhow::Result<i64> {
    let place = (topic.to_owned(), partition);
    let found = Probe::new(properties)?.beginnings(std::slice::from_ref(&place));
    Ok(found.with_context(|| format!("ask where {topic} begins"))?[0])
}

/// Where a group stands in the partitions of a topic, in the order asked: the offset that it committed, and `None` where it never
/// did, or the broker has forgotten it.
///
/// # Errors
/// When the broker is away or refuses.
pub fn positions(
    properties: &Properties,
    group: &str,
    topic: &str,
    partitions: i32,
) -> anyhow::Result<Vec<Option<i64>>> {
    let asks = || format!("ask where the group {group} stands in {topic}");
    let config = settings::reader(properties, group, "read_committed");
    let consumer: BaseConsumer<Reports> = config.create_with_context(Reports::default())?;
    let mut places = TopicPartitionList::new();
    for partition in 0..partitions {
        places.add_partition(topic, partition);
    }
    let deadline = Instant::now() + STALL_MAX;
    let answers = loop {
        match consumer.committed_offsets(places.clone(), crate::probe::TIMEOUT) {
            Ok(answers) => break answers,
            // A commit is under way.
            Err(error)
                if error.rdkafka_error_code() == Some(RDKafkaErrorCode::UnstableOffsetCommit)
                    && Instant::now() < deadline =>
            {
                tracing::debug!(%error, "asking again where a group stands");
            }
            Err(error) => return Err(error).with_context(asks),
        }
    };
    let at = |partition| {
        let Some(answer) = answers.find_partition(topic, partition) else {
            return Ok(None);
        };
        answer.error().with_context(asks)?;
        Ok(match answer.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        })
    };
    (0..partitions).map(at).collect()
}

/// Reads the newest records of the first `partitions` partitions of a topic with one client, at most so many offsets back of each; of
/// one partition in order, of several in any. The caller can stop early.
///
/// # Errors
/// As [`read_topic`].
pub fn read_newest(
    properties: &Properties,
    topic: &str,
    partitions: i32,
    offsets: i64,
    mut each: impl FnMut(&Record<'_>) -> ControlFlow<()>,
) -> anyhow::Result<()> {
    let read = || format!("read the newest of {topic}");
    let places: Vec<Place> = (0..partitions)
        .map(|partition| (topic.to_owned(), partition))
        .collect();
    let probe = Probe::new(properties)?;
    let ends = probe.ends(&places).with_context(read)?;
    let beginnings = probe.beginnings(&places).with_context(read)?;
    let spans: Vec<Span> = places
        .into_iter()
        .zip(beginnings.into_iter().zip(ends))
        .map(|(place, (begin, end))| Span {
            place,
            start: begin.max(end.saturating_sub(offsets)),
            end,
        })
        .collect();
    let config = settings::reader(properties, "cityops-reader", "read_committed");
    read_spans(&config, &spans, &mut |record| Ok(each(record)), &mut || true).with_context(read)
}

/// Reads every partition of a topic as [`read_topic`] does, one after the other.
///
/// # Errors
/// As [`read_topic`], and when there is no such topic.
pub fn read_all(
    properties: &Properties,
    topic: &str,
    mut each: impl FnMut(&Record<'_>) -> ControlFlow<()>,
) -> anyhow::Result<()> {
    let partitions = admin::topic_partitions(properties, crate::probe::TIMEOUT)?;
    let Some(&count) = partitions.get(topic) else {
        anyhow::bail!("there is no topic {topic}")
    };
    for partition in 0..count {
        read_topic(properties, topic, partition, Start::Beginning, &mut each)?;
    }
    Ok(())
}

/// A part of a partition.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) place: Place,
    pub(crate) start: i64,
    pub(crate) end: i64,
}

/// Reads parts of several partitions with one client, each in order, until all ends are reached, `each` breaks or `go_on` says no.
pub(crate) fn read_spans(
    config: &ClientConfig,
    spans: &[Span],
    each: &mut dyn FnMut(&Record<'_>) -> anyhow::Result<ControlFlow<()>>,
    go_on: &mut dyn FnMut() -> bool,
) -> anyhow::Result<()> {
    let mut open: BTreeMap<Place, i64> = spans
        .iter()
        .filter(|span| span.start < span.end)
        .map(|span| (span.place.clone(), span.end))
        .collect();
    if open.is_empty() {
        return Ok(());
    }
    with_assigned(config, spans, |consumer| {
        read_open(consumer, spans, &mut open, each, go_on)
    })
}

fn read_open(
    consumer: &BaseConsumer<Reports>,
    spans: &[Span],
    open: &mut BTreeMap<Place, i64>,
    each: &mut dyn FnMut(&Record<'_>) -> anyhow::Result<ControlFlow<()>>,
    go_on: &mut dyn FnMut() -> bool,
) -> anyhow::Result<()> {
    let (mut last, mut read) = (Instant::now(), 0_u64);
    while !open.is_empty() {
        match consumer.poll(POLL) {
            Some(Ok(message)) => {
                last = Instant::now();
                let record = Record::of(&message);
                let end = spans
                    .iter()
                    .find(|span| span.place.1 == record.partition() && span.place.0 == record.topic())
                    .map_or(i64::MIN, |span| span.end);
                if record.offset() < end && each(&record)?.is_break() {
                    return Ok(());
                }
                if record.offset() + 1 >= end {
                    open.remove(&(record.topic().to_owned(), record.partition()));
                }
                read += 1;
                // A long restore has no pause in which it could say that it lives, or hear that it shall stop.
                if read.is_multiple_of(ASK_EVERY) && !go_on() {
                    return Ok(());
                }
                continue;
            }
            Some(Err(error)) => tolerate(error)?,
            None => {}
        }
        if !go_on() {
            return Ok(());
        }
        // Only the position moves past control records and aborted ones.
        for element in consumer.position()?.elements() {
            let place = (element.topic().to_owned(), element.partition());
            if let (Offset::Offset(position), Some(end)) = (element.offset(), open.get(&place))
                && position >= *end
            {
                open.remove(&place);
            }
        }
        anyhow::ensure!(
            last.elapsed() < STALL_MAX,
            "nothing came for {} s before the end of {open:?}",
            STALL_MAX.as_secs()
        );
    }
    Ok(())
}

/// Reads with a client of its own. One that a broker has let down may never close: nobody waits for it longer than a moment.
pub(crate) fn with_assigned<T>(
    config: &ClientConfig,
    spans: &[Span],
    read: impl FnOnce(&BaseConsumer<Reports>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let consumer = assigned(config, spans)?;
    let result = read(&consumer);
    if bounded(CLOSE, &|| {}, move || drop(consumer)).is_err() {
        tracing::warn!("a reader's client does not close; it is left to itself");
    }
    result
}

/// A reader belongs to no group, although the library wants the name of one.
fn assigned(config: &ClientConfig, spans: &[Span]) -> KafkaResult<BaseConsumer<Reports>> {
    let mut config = config.clone();
    // Says at once when the end is reached, so that the position is looked at without waiting.
    config.set("enable.partition.eof", "true");
    let consumer: BaseConsumer<Reports> = config.create_with_context(Reports::default())?;
    let mut list = TopicPartitionList::with_capacity(spans.len());
    for span in spans {
        list.add_partition_offset(&span.place.0, span.place.1, Offset::Offset(span.start))?;
    }
    consumer.assign(&list)?;
    Ok(consumer)
}

/// Errors that a reader waits out; the others end it.
pub(crate) fn tolerate(error: KafkaError) -> KafkaResult<()> {
    match error.rdkafka_error_code() {
        None if matches!(error, KafkaError::PartitionEOF(_)) => Ok(()),
        // A reader without a group needs no right to one.
        Some(RDKafkaErrorCode::GroupAuthorizationFailed) => Ok(()),
        Some(
            RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::OperationTimedOut
            | RDKafkaErrorCode::Resolve,
        ) => Ok(()),
        _ => Err(error),
    }
}
