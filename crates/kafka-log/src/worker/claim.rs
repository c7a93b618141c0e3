//! Whether what the broker keeps of a group, of its state and of its inputs fits together.

use std::ops::ControlFlow;
use std::time::Duration;

use super::WorkerConfig;
use super::failure::{Failure, WorkerError};
use super::session::Work;
use super::tasks::Task;
use crate::probe::{Place, Probe};
use crate::read::{Span, Start, read_topic};

/// How often an end that lies before what was read is asked for again, each time by a new client: a broker that the others have cut
/// off, and that does not know, tells of its own past, and clients choose whom they ask.
const ASKED_AGAIN: usize = 8;
/// So many answers are believed.
const ENOUGH: usize = 4;
/// Between two of them.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a leader is waited for then.
const LEADERS_WITHIN: Duration = Duration::from_secs(1);

/// Where the group stands in a partition, by the broker; the partition's bounds are not known where nobody leads it.
pub(super) struct Claim {
    pub(super) committed: Option<i64>,
    pub(super) begins: Option<i64>,
    pub(super) ends: Option<i64>,
}

impl Claim {
    /// How many offsets were never read, and are gone.
    pub(super) fn thrown_away(&self) -> Option<i64> {
        let unread = self.begins? - self.committed?;
        (unread > 0).then_some(unread)
    }

    /// From where to read.
    pub(super) fn next(&self) -> i64 {
        self.committed.max(self.begins).unwrap_or_default()
    }

    /// Rows and offsets are committed together. Where one is there without the other the broker has lost it, and to go on would
    /// count everything again, or begin without what is known.
    pub(super) fn check(
        &self,
        config: &WorkerConfig,
        task: &Task,
        (rows, spans): (u64, &[Span]),
        alive: &dyn Fn() -> bool,
    ) -> Result<(), Failure> {
        let changelog = config.name_of(config.changelog);
        let (group, place) = (&config.group_id, format!("{}:{}", task.name, task.partition));
        let lost = |text: String| Err(Failure::Refused(WorkerError::Lost(text)));
        match self.committed {
            None if rows > 0 => lost(format!(
                "the group {group} has no offset for {place}, but {changelog} holds what was decided from it: its offsets have \
                 expired or were deleted, or the topic was made anew. To read it from the beginning would count again what \
                 is counted. If it was made anew, say so: kafka-consumer-groups.sh --bootstrap-server … --group {group} --topic \
                 {place} --reset-offsets --to-earliest --execute (with --to-offset where you know it); else rebuild \
                 (deploy/RUNBOOK.md)"
            )),
            // What came to lie below it since would pass for read.
            Some(committed) if committed > self.ends.unwrap_or(i64::MAX) => {
                if is_reached(config, &task.place(), committed, alive)? {
                    return Ok(());
                }
                let end = self.ends.unwrap_or_default();
                lost(format!(
                    "the group {group} has read {place} up to {committed}, but it ends at {end}: the broker has lost records that \
                     were decided, or one answers that the others have cut off, so see first that all are in the cluster. Which \
                     offsets hold new ones is not known, so say from where to go on: kafka-consumer-groups.sh --bootstrap-server \
                     … --group {group} --topic {place} --reset-offsets --to-latest --execute (or --to-offset)"
                ))
            }
            Some(committed)
                if config.leaves_rows
                    && rows == 0
                    && self.begins.is_some_and(|begins| committed > begins) =>
            {
                let is_unwritten = spans
                    .iter()
                    .any(|span| span.place == (changelog.clone(), task.partition) && span.end == 0);
                if is_unwritten && had_records(config, task, committed)? {
                    return lost(format!(
                        "the group {group} has read {place} up to {committed}, but {changelog} is empty: what was decided is lost. \
                         To go on without it would open everything again: rebuild (deploy/RUNBOOK.md)"
                    ));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Whether some broker says after all that a partition goes up to an offset; a failure where too few say anything.
pub(super) fn is_reached(
    config: &WorkerConfig,
    place: &Place,
    offset: i64,
    alive: &dyn Fn() -> bool,
) -> Result<bool, Failure> {
    let mut denials = 0;
    for _ in 0..ASKED_AGAIN {
        std::thread::park_timeout(PAUSE);
        if !alive() {
            break;
        }
        let probe = Probe::new(&config.properties);
        let ends = probe.and_then(|probe| probe.known_ends(std::slice::from_ref(place), LEADERS_WITHIN));
        match ends.ok().and_then(|ends| *ends.first()?) {
            Some(end) if end >= offset => return Ok(true),
            Some(_) => denials += 1,
            None => {}
        }
    }
    let (topic, partition) = place;
    match denials >= ENOUGH {
        true => Ok(false),
        false => Err(Failure::Retry(format!(
            "whether {topic}:{partition} goes up to {offset} is not known"
        ))),
    }
}

impl Work<'_> {
    /// What follows from a failure to read. Where an offset was not there and all of them are by now, a topic was cut or made anew and
    /// has filled up again: nothing else will tell, and what lies below would pass for read.
    pub(super) fn looked_for(&self, failure: Failure) -> Failure {
        let Failure::Vanished(text) = failure else {
            return failure;
        };
        let places: Vec<Place> = self.tasks.iter().map(Task::place).collect();
        let bounds = self.probe.known_beginnings(&places, LEADERS_WITHIN);
        let bounds = bounds.and_then(|from| Ok((from, self.probe.known_ends(&places, LEADERS_WITHIN)?)));
        let is_there = bounds.is_ok_and(|(from, to)| {
            let bounds = self.tasks.iter().zip(from.into_iter().zip(to));
            let mut there = bounds.map(|(task, bounds)| match bounds {
                (Some(from), Some(to)) => (from..=to).contains(&task.next),
                _ => false,
            });
            there.all(|is_there| is_there)
        });
        match is_there {
            true => Failure::Refused(WorkerError::Lost(format!(
                "an offset that {} had come to was not there, and by now it is: a topic that it reads was cut short or made anew \
                 since, and has filled up again. Say from where to go on (kafka-consumer-groups.sh --reset-offsets), or start again \
                 if nothing was lost ({text})",
                self.config.group_id
            ))),
            // What is missing is told when partitions are taken over.
            false => Failure::Vanished(text),
        }
    }
}

/// Whether there is a record before an offset, other than such as a transaction that was given up has left.
fn had_records(config: &WorkerConfig, task: &Task, before: i64) -> Result<bool, Failure> {
    let mut found = false;
    read_topic(
        &config.properties,
        &task.name,
        task.partition,
        Start::Beginning,
        |record| {
            found = record.offset() < before;
            ControlFlow::Break(())
        },
    )
    .map_err(|error| Failure::Retry(format!("look for the first record of {}: {error:#}", task.name)))?;
    Ok(found)
}
