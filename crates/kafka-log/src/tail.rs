//! Follows topics from their beginning for as long as the process lives, as the board behind HTTP does.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use wire_format::topics::Topic;

use crate::probe::{Place, Probe};
use crate::read::{Record, Span, tolerate, with_assigned};
use crate::settings::Reports;
use crate::{Properties, admin, rights, settings, topic_name};

const POLL: Duration = Duration::from_millis(200);
/// How often it is looked at whether each partition goes on where it has more.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// After how long a partition that has more and does not go on is given up. An open transaction may hold it up for a minute.
const STANDS: Duration = Duration::from_secs(120);

/// What a follower is told.
pub enum Tail<'a> {
    /// A followed topic's partition, and where it ended when following began; each comes once, before all records.
    Begins(Topic, i32, i64),
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
        .iter()
        .zip(starts.into_iter().zip(ends))
        .map(|(place, (start, end))| Span {
            place: place.clone(),
            start,
            end,
        })
        .collect();
    for span in &spans {
        let (name, partition) = &span.place;
        if let Some(topic) = topic_of(topic_prefix, name) {
            each(Tail::Begins(topic, *partition, span.end));
        }
    }
    let config = settings::reader(properties, "cityops-reader", "read_committed");
    with_assigned(&config, &spans, |consumer| {
        let ends = || probe.ends(&places);
        follow_on(consumer, &spans, topic_prefix, ends, &mut each, stop).map_err(|error| {
            match error.downcast::<KafkaError>() {
                Ok(error) => refused(properties, &spans, error),
                Err(error) => error,
            }
        })
    })
}

/// The topic of a name under this prefix.
fn topic_of(topic_prefix: &str, name: &str) -> Option<Topic> {
    name.strip_prefix(topic_prefix).and_then(Topic::by_name)
}

fn follow_on(
    consumer: &BaseConsumer<Reports>,
    spans: &[Span],
    topic_prefix: &str,
    ends: impl Fn() -> KafkaResult<Vec<i64>>,
    each: &mut impl FnMut(Tail<'_>),
    stop: &AtomicBool,
) -> anyhow::Result<()> {
    let mut standing = Standing::new(Instant::now());
    let mut behind: Vec<&Span> = spans.iter().filter(|span| span.start < span.end).collect();
    if behind.is_empty() {
        each(Tail::CaughtUp);
    }
    while !stop.load(Ordering::Relaxed) {
        let now = Instant::now();
        // Also while records of other partitions come. A broker that does not answer is waited for.
        if standing.is_due(now)
            && let Ok(ends) = ends()
        {
            let positions = consumer.position()?;
            let at = spans.iter().map(|span| position(&positions, span));
            if let Some(stands) = standing.stands(at.zip(ends).collect(), now) {
                let (topic, partition) = &spans[stands].place;
                anyhow::bail!(
                    "{topic} {partition} has more, and nothing of it came for {} s",
                    STANDS.as_secs()
                )
            }
        }
        match consumer.poll(POLL) {
            Some(Ok(message)) => {
                if let Some(topic) = topic_of(topic_prefix, message.topic()) {
                    each(Tail::Record(topic, Record::of(&message)));
                }
                // Asking for positions costs more than a record: seldom while records come, else when there is a pause.
                if behind.is_empty() || message.offset() % 1024 != 0 {
                    continue;
                }
            }
            Some(Err(error)) => tolerate(error)?,
            None => {}
        }
        if !behind.is_empty() {
            let positions = consumer.position()?;
            behind.retain(|span| position(&positions, span) < span.end);
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

/// Up to where a partition was read. The client knows nothing of one of which nothing came: it may begin, and end, anywhere.
fn position(positions: &TopicPartitionList, span: &Span) -> i64 {
    let found = positions.find_partition(&span.place.0, span.place.1);
    match found.map(|element| element.offset()) {
        Some(Offset::Offset(at)) => at,
        _ => span.start,
    }
}

/// Whether partitions that have more go on.
struct Standing {
    looked: Instant,
    /// Of each partition how far it was read, how far it could be, and since when it has not gone on.
    seen: Vec<(i64, i64, Instant)>,
}

impl Standing {
    fn new(now: Instant) -> Standing {
        Standing {
            looked: now,
            seen: Vec::new(),
        }
    }

    fn is_due(&mut self, now: Instant) -> bool {
        let is_due = now.saturating_duration_since(self.looked) >= LOOK_EVERY;
        if is_due {
            self.looked = now;
        }
        is_due
    }

    /// Takes in how far partitions are read, and how far they could be; the first that had more and has stood still for too long.
    fn stands(&mut self, all: Vec<(i64, i64)>, now: Instant) -> Option<usize> {
        let before = std::mem::take(&mut self.seen);
        let mut before = before.into_iter();
        for (at, end) in all {
            let since = match before.next() {
                // What came since the last look may still be on its way.
                Some((was, could, since)) if was == at && at < could => since,
                _ => now,
            };
            self.seen.push((at, end, since));
        }
        let stood = |(_, _, since): &(i64, i64, Instant)| now.saturating_duration_since(*since) >= STANDS;
        self.seen.iter().position(stood)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_that_has_more_and_does_not_go_on_is_given_up() {
        let now = Instant::now();
        let at = |seconds| now + Duration::from_secs(seconds);
        let mut standing = Standing::new(now);
        assert_eq!(standing.stands(vec![(5, 9), (7, 7)], at(0)), None);
        assert_eq!(standing.stands(vec![(5, 9), (7, 7)], at(119)), None);
        // At its end it has nothing to go on to, however long.
        assert_eq!(standing.stands(vec![(6, 9), (7, 7)], at(240)), None);
        assert_eq!(standing.stands(vec![(6, 9), (7, 8)], at(300)), None);
        assert_eq!(standing.stands(vec![(6, 9), (7, 8)], at(361)), Some(0));
        assert_eq!(standing.stands(vec![(9, 9), (7, 8)], at(419)), None);
        assert_eq!(standing.stands(vec![(9, 9), (7, 8)], at(420)), Some(1));
    }

    #[test]
    fn one_of_which_nothing_came_is_where_it_begins() {
        let span = |start| Span {
            place: ("t".to_owned(), 0),
            start,
            end: 50,
        };
        let unread = TopicPartitionList::new();
        // All of it was deleted: there is nothing to wait for, however far its numbers have come.
        for (start, stands) in [(50, None), (3, Some(0))] {
            let (now, at) = (Instant::now(), position(&unread, &span(start)));
            let mut standing = Standing::new(now);
            assert_eq!(standing.stands(vec![(at, 50)], now), None);
            assert_eq!(standing.stands(vec![(at, 50)], now + STANDS), stands);
        }
    }
}
