//! Follows topics from their beginning for as long as the process lives, as the board behind HTTP does.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::Offset;
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use wire_format::topics::Topic;

use crate::probe::{Place, Probe};
use crate::read::{Record, Span, assigned, tolerate};
use crate::{Properties, admin, rights, settings, topic_name};

const POLL: Duration = Duration::from_millis(200);

/// What a follower is told.
pub enum Tail<'a> {
    /// A committed record of a followed topic.
    Record(Topic, Record<'a>),
    /// Everything that was there at the start has been told. Comes once.
    CaughtUp,
}

/// Follows all partitions of `topics` from the beginning, committed records only, until `stop`. It joins no group.
///
/// # Errors
/// When a topic is missing or may not be read. An absent broker is waited for.
pub fn follow(
    properties: &Properties,
    topic_prefix: &str,
    topics: &[Topic],
    mut each: impl FnMut(Tail<'_>),
    stop: &AtomicBool,
) -> anyhow::Result<()> {
    let probe = Probe::new(properties)?;
    let partitions = admin::topic_partitions(properties, crate::probe::TIMEOUT)?;
    let mut places: Vec<Place> = Vec::new();
    for topic in topics {
        let name = topic_name(topic_prefix, *topic);
        let Some(&count) = partitions.get(&name) else {
            anyhow::bail!("there is no topic {name}")
        };
        places.extend((0..count).map(|partition| (name.clone(), partition)));
    }
    let starts = probe.beginnings(&places)?;
    let ends = probe.ends(&places)?;
    let spans: Vec<Span> = places
        .into_iter()
        .zip(starts.into_iter().zip(ends))
        .map(|(place, (start, end))| Span { place, start, end })
        .collect();
    let consumer = assigned(
        &settings::reader(properties, "cityops-reader", "read_committed"),
        &spans,
    )?;
    let mut behind: Vec<&Span> = spans.iter().filter(|span| span.start < span.end).collect();
    if behind.is_empty() {
        each(Tail::CaughtUp);
    }
    while !stop.load(Ordering::Relaxed) {
        match consumer.poll(POLL) {
            Some(Ok(message)) => {
                let known = message
                    .topic()
                    .strip_prefix(topic_prefix)
                    .and_then(Topic::by_name);
                if let Some(topic) = known {
                    each(Tail::Record(topic, Record::of(&message)));
                }
                // Asking for positions costs more than a record: seldom while records come, else when there is a pause.
                if behind.is_empty() || message.offset() % 1024 != 0 {
                    continue;
                }
            }
            Some(Err(error)) => tolerate(error).map_err(|error| refused(properties, &spans, error))?,
            None => {}
        }
        if !behind.is_empty() {
            let positions = consumer.position()?;
            behind.retain(|span| {
                let found = positions.find_partition(&span.place.0, span.place.1);
                !matches!(found.map(|element| element.offset()), Some(Offset::Offset(at)) if at >= span.end)
            });
            if behind.is_empty() {
                each(Tail::CaughtUp);
            }
        }
    }
    Ok(())
}

/// What ended reading; where it is a right, which one: the library names no topic.
fn refused(properties: &Properties, spans: &[Span], error: KafkaError) -> anyhow::Error {
    if error.rdkafka_error_code() != Some(RDKafkaErrorCode::TopicAuthorizationFailed) {
        return error.into();
    }
    let mut names: Vec<String> = spans.iter().map(|span| span.place.0.clone()).collect();
    names.dedup();
    let found = rights::unread(properties, &names).unwrap_or_default();
    let named: Vec<String> = found.iter().map(ToString::to_string).collect();
    anyhow::Error::from(error).context(format!(
        "a right is missing (cityops topics plan --acls): {}",
        named.join("; ")
    ))
}
