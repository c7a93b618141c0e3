//! Takes over partitions: the committed offsets first, then the changelog up to the end that it has after that.
//!
//! In this order nothing can slip between: fetching the offsets waits for transactions under way, and a former owner
//! cannot commit new ones, because the group has moved on.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use anyhow::Context;
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use stream_worker::Processor;
use wire_format::topics::Topic;

use super::claim::Claim;
use super::entering::enter;
use super::failure::Failure;
use super::group::GroupConsumer;
use super::latest::Latest;
use super::tasks::Task;
use super::written::{self, Written};
use super::{Factory, WorkerConfig};
use crate::probe::{Place, Probe, is_leaderless};
use crate::read::{Span, read_spans};
use crate::{Observer, settings};

/// Pending offsets end with their transaction: its timeout, and the broker's interval for looking (10 s by default).
const COMMITTED_PATIENCE: Duration = Duration::from_secs(40);
const REQUEST: Duration = Duration::from_secs(5);
/// How long an election may take before a partition counts as one that nobody leads.
const LEADERS_WITHIN: Duration = Duration::from_secs(3);

/// A row is entered in longer than it is read in, so little of a changelog need be here; and what is asked for at once lies here
/// unpacked, several times as long as it was sent.
const READ_AHEAD: [(&str, &str); 2] = [
    ("queued.max.messages.kbytes", "4096"),
    ("fetch.message.max.bytes", "262144"),
];

/// An offset that the group has committed, which loop did it, and how far the changelog had come then, as far as that loop knew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Committed {
    pub(super) offset: i64,
    pub(super) owner: String,
    pub(super) written: Option<i64>,
}

impl Committed {
    /// Whether it is what this loop committed last. The offset alone does not say it: another loop's first commit may
    /// leave the offset where it was and yet write state.
    pub(super) fn is_ours(&self, offset: i64, owner: &str) -> bool {
        self.offset == offset && self.owner == owner
    }
}

/// The stable committed offsets of partitions, in the order asked; `None` where nothing was ever committed.
pub(super) fn committed(
    consumer: &GroupConsumer,
    places: &[Place],
    alive: &dyn Fn() -> bool,
) -> Result<Vec<Option<Committed>>, Failure> {
    let mut asked = TopicPartitionList::with_capacity(places.len());
    for (topic, partition) in places {
        asked.add_partition(topic, *partition);
    }
    let deadline = Instant::now() + COMMITTED_PATIENCE;
    let answers = loop {
        match consumer.committed_offsets(asked.clone(), REQUEST) {
            Ok(answers) => break answers,
            Err(error) => {
                if !alive() {
                    return Err(Failure::Retry("stopped while fetching offsets".to_owned()));
                }
                let waits = matches!(
                    error.rdkafka_error_code(),
                    Some(RDKafkaErrorCode::OperationTimedOut | RDKafkaErrorCode::UnstableOffsetCommit)
                );
                if !waits || Instant::now() >= deadline {
                    return Err(Failure::of("fetch the committed offsets", &error));
                }
            }
        }
    };
    places
        .iter()
        .map(|(topic, partition)| {
            let Some(answer) = answers.find_partition(topic, *partition) else {
                return Ok(None);
            };
            answer
                .error()
                .map_err(|error| Failure::of("fetch the committed offsets", &error))?;
            Ok(match answer.offset() {
                Offset::Offset(offset) => {
                    let (owner, written) = written::read(answer.metadata());
                    Some(Committed {
                        offset,
                        owner: owner.to_owned(),
                        written,
                    })
                }
                _ => None,
            })
        })
        .collect()
}

/// Makes a task for each place, with its state as of the committed offset.
pub(super) fn restore(
    config: &WorkerConfig,
    factory: Factory<'_>,
    observer: &dyn Observer,
    probe: &Probe,
    written: &RefCell<Written>,
    wanted: Vec<(Topic, i32, Option<Committed>)>,
    alive: &dyn Fn() -> bool,
) -> Result<Vec<Task>, Failure> {
    let begun = Instant::now();
    let mut tasks = Vec::with_capacity(wanted.len());
    let mut claims = Vec::with_capacity(wanted.len());
    let places: Vec<Place> = wanted
        .iter()
        .map(|(topic, partition, _)| (config.name_of(*topic), *partition))
        .collect();
    // What has no leader is not read for now; the others are, and its state is here when it comes back.
    let beginnings = probe
        .known_beginnings(&places, LEADERS_WITHIN)
        .map_err(|error| Failure::of("find the beginnings of the inputs", &error))?;
    alive();
    let ends = probe
        .known_ends(&places, LEADERS_WITHIN)
        .map_err(|error| Failure::of("find the ends of the inputs", &error))?;
    alive();
    let spans = beginnings.into_iter().zip(ends);
    for ((topic, partition, committed), ((name, _), (begins, ends))) in
        wanted.into_iter().zip(places.into_iter().zip(spans))
    {
        if let Some(end) = committed.as_ref().and_then(|committed| committed.written) {
            written.borrow_mut().remember(partition, end);
        }
        let committed = committed.map(|committed| committed.offset);
        if begins.is_none() {
            tracing::warn!(
                topic = name,
                partition,
                "no broker leads it: it is not read until one does"
            );
        }
        let claim = Claim {
            committed,
            begins,
            ends,
        };
        if let Some(unread) = claim.thrown_away() {
            tracing::error!(
                topic = name,
                partition,
                offsets = unread,
                "the broker has thrown away what was not read yet: its retention is shorter than the standstill"
            );
            observer.thrown_away(topic, partition, unread);
        }
        let next = claim.next();
        claims.push(claim);
        tasks.push(Task::new(topic, partition, name, factory(topic, partition), next));
    }
    let index: BTreeMap<(Topic, i32), usize> = tasks
        .iter()
        .enumerate()
        .map(|(index, task)| ((task.topic, task.partition), index))
        .collect();
    let mut rows = vec![0_u64; tasks.len()];
    let spans = changelog_spans(config, probe, &tasks, alive)?;
    if !config.embedded {
        let ends = spans.iter().map(|span| (span.place.1, span.end));
        written.borrow_mut().see(config, ends, alive)?;
    }
    let mut reader = settings::reader(&config.properties, &config.group_id, "read_committed");
    settings::unless_given(&mut reader, &config.properties, &READ_AHEAD);
    let processors = tasks
        .iter_mut()
        .map(|task| &mut *task.processor as &mut dyn Processor);
    let read = enter(processors.collect(), threads(), alive, |lanes| {
        let latest = Latest::of(&reader, &spans, alive)?;
        read_spans(
            &reader,
            &spans,
            &mut |record| {
                if !latest.holds(record) {
                    return Ok(ControlFlow::Continue(()));
                }
                let key = std::str::from_utf8(record.key().unwrap_or_default()).context("changelog key")?;
                let (topic, row) = key.split_once('/').context("changelog key without a topic")?;
                let owner = Topic::by_name(topic).and_then(|topic| index.get(&(topic, record.partition())));
                if let Some(&owner) = owner {
                    lanes.put(owner, row, record.value())?;
                    rows[owner] += 1;
                }
                Ok(ControlFlow::Continue(()))
            },
            &mut || alive(),
        )
    });
    if !alive() {
        return Err(Failure::Retry("stopped while restoring".to_owned()));
    }
    read.map_err(|error| unrestored(&config.name_of(config.changelog), &error))?;
    if !config.embedded {
        for ((task, claim), rows) in tasks.iter().zip(&claims).zip(&rows) {
            claim.check(config, task, (*rows, &spans), alive)?;
        }
    }
    for (task, rows) in tasks.iter().zip(rows) {
        observer.restored(task.topic, task.partition, rows, begun.elapsed());
    }
    Ok(tasks)
}

/// Why state could not be restored from a changelog.
fn unrestored(changelog: &str, error: &anyhow::Error) -> Failure {
    let text = format!("restore from {changelog}: {error:#}");
    let refused = error.downcast_ref::<KafkaError>();
    match refused.and_then(KafkaError::rdkafka_error_code) {
        Some(RDKafkaErrorCode::TopicAuthorizationFailed) => {
            Failure::no_topic_right(text).wanting("READ", changelog)
        }
        _ => Failure::Fatal(text),
    }
}

/// On how many threads rows are entered: as many as there are cores.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// The changelog partitions that hold rows of these tasks, to their ends of now.
fn changelog_spans(
    config: &WorkerConfig,
    probe: &Probe,
    tasks: &[Task],
    alive: &dyn Fn() -> bool,
) -> Result<Vec<Span>, Failure> {
    let name = config.name_of(config.changelog);
    let mut places: Vec<Place> = tasks.iter().map(|task| (name.clone(), task.partition)).collect();
    places.sort_unstable();
    places.dedup();
    // There is no state without it. Whoever waited for a leader here would hold up all others when they share out anew.
    let failed = |doing: &str, error: KafkaError| match is_leaderless(&error) {
        true => Failure::Leaderless(format!("{doing}: {error}")),
        false => Failure::of(doing, &error),
    };
    let ends = probe
        .ends(&places)
        .map_err(|error| failed("find the changelog's end", error))?;
    alive();
    let starts = probe
        .beginnings(&places)
        .map_err(|error| failed("find the changelog's beginning", error))?;
    alive();
    let spans = places.into_iter().zip(starts.into_iter().zip(ends));
    Ok(spans
        .map(|(place, (start, end))| Span { place, start, end })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_ours_by_offset_and_owner() {
        let last = Committed {
            offset: 7,
            owner: "us".to_owned(),
            written: None,
        };
        assert!(last.is_ours(7, "us"));
        assert!(!last.is_ours(8, "us"));
        assert!(!last.is_ours(7, "them"));
        assert!(
            !Committed {
                owner: String::new(),
                ..last
            }
            .is_ours(7, "us")
        );
    }
}
