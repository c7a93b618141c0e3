//! Topics that a loop reads ahead of everything: all of their records that were appended before a batch are told to every task
//! before that batch is decided, whichever loop owns their partitions.
//!
//! It is no condition: while they cannot be read the loop goes on without, says so, and tries again. What happens in the city is
//! not held up by what is said of it.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use anyhow::Context;
use city_model::EventTime;
use stream_worker::InputRecord;
use wire_format::topics::Topic;

use super::reading::Batch;
use super::session::Work;
use crate::admin;
use crate::probe::Place;
use crate::read::{Span, read_spans};
use crate::settings;

/// However old the records of a batch are, the ends are looked at so often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After a look that failed the next one waits so long: a broker that does not answer costs ten seconds each time.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// How long reading may take: an open transaction may lie before the end.
const READ_WITHIN: Duration = Duration::from_secs(5);

/// Where a loop stands in the topics that it reads ahead.
pub(super) struct Ahead {
    topics: Vec<Topic>,
    /// Each partition and the next offset to read; `None` until they are looked up.
    places: Option<Vec<(Topic, Place, i64)>>,
    /// Everything that was appended until then was told, by the broker's clock.
    known_to: Option<EventTime>,
    looked: Option<Instant>,
    /// The last look failed; it was said once.
    failed: bool,
}

impl Ahead {
    pub(super) fn new(topics: &[Topic]) -> Ahead {
        Ahead {
            topics: topics.to_vec(),
            places: None,
            known_to: None,
            looked: None,
            failed: false,
        }
    }

    /// Other tasks are at work: they must be told everything from the beginning.
    pub(super) fn rewind(&mut self) {
        self.places = None;
        self.known_to = None;
        self.looked = None;
    }

    /// Whether a look is due before records up to `newest` are decided.
    fn is_due(&self, newest: Option<EventTime>, now: Instant) -> bool {
        let Some(looked) = self.looked else { return true };
        let since = now.duration_since(looked);
        if self.failed {
            return since >= LOOK_AGAIN;
        }
        since >= LOOK_EVERY || newest > self.known_to
    }
}

impl Work<'_> {
    /// Tells the tasks what was appended to the topics ahead before the batch was.
    pub(super) fn look_ahead(&mut self, batch: &Batch<'_>) {
        let has_work = !batch.records.is_empty() || self.tasks.iter().any(|task| !task.held.is_empty());
        if self.ahead.topics.is_empty() || self.tasks.is_empty() || !has_work {
            return;
        }
        let newest = batch.records.iter().map(|(_, read)| read.timestamp()).max();
        let now = Instant::now();
        if !self.ahead.is_due(newest, now) {
            return;
        }
        // The broker's clock had come so far before the ends are looked at.
        let clock = self.clocks.as_ref().and_then(|clocks| clocks.appended());
        let looked = self.read_ahead();
        self.ahead.looked = Some(Instant::now());
        match looked {
            Ok(is_whole) => {
                if is_whole {
                    self.ahead.known_to = clock;
                }
                self.ahead.failed = false;
            }
            Err(error) => {
                if !self.ahead.failed {
                    tracing::warn!(
                        worker = self.config.name,
                        error = format!("{error:#}"),
                        "what is to be known first cannot be read; going on without"
                    );
                }
                self.ahead.failed = true;
            }
        }
    }

    /// Reads the topics ahead up to the ends that they have now; whether that was all.
    fn read_ahead(&mut self) -> anyhow::Result<bool> {
        let mut places = match self.ahead.places.take() {
            Some(places) => places,
            None => self.places_ahead()?,
        };
        let asked: Vec<Place> = places.iter().map(|(_, place, _)| place.clone()).collect();
        let ends = match self.probe.ends(&asked) {
            Ok(ends) => ends,
            Err(error) => {
                self.ahead.places = Some(places);
                return Err(error.into());
            }
        };
        let spans: Vec<Span> = places
            .iter()
            .zip(&ends)
            .filter(|((_, _, next), end)| next < *end)
            .map(|((_, place, next), end)| Span {
                place: place.clone(),
                start: *next,
                end: *end,
            })
            .collect();
        let mut is_whole = true;
        let result = if spans.is_empty() {
            Ok(())
        } else {
            let reader = settings::reader(&self.config.properties, &self.config.group_id, "read_committed");
            let (tasks, outbox) = (&mut self.tasks, &mut self.outbox);
            let (observer, name, begun) = (self.observer, self.config.name, Instant::now());
            let mut is_late = false;
            let read = read_spans(
                &reader,
                &spans,
                &mut |record| {
                    let own = places
                        .iter_mut()
                        .find(|(_, place, _)| place.1 == record.partition() && place.0 == record.topic());
                    let Some((topic, _, next)) = own else {
                        return Ok(ControlFlow::Continue(()));
                    };
                    let headers = record.headers();
                    let told = InputRecord {
                        topic: *topic,
                        partition: record.partition(),
                        offset: record.offset(),
                        timestamp: record.timestamp(),
                        key: record.key(),
                        value: record.value(),
                        headers: &headers,
                    };
                    for task in tasks.iter_mut() {
                        // Told again it changes nothing, so those before may hear it twice.
                        if !task.processor.foresee(&told, outbox) {
                            is_whole = false;
                            return Ok(ControlFlow::Break(()));
                        }
                    }
                    *next = record.offset() + 1;
                    Ok(ControlFlow::Continue(()))
                },
                &mut || {
                    observer.heartbeat(name);
                    is_late = begun.elapsed() >= READ_WITHIN;
                    !is_late
                },
            );
            read.and_then(|()| {
                anyhow::ensure!(!is_late, "nothing came for {} s", READ_WITHIN.as_secs());
                Ok(())
            })
        };
        if result.is_ok() && is_whole {
            // Control records lie before the ends, too.
            for ((_, _, next), end) in places.iter_mut().zip(&ends) {
                *next = (*end).max(*next);
            }
        }
        self.ahead.places = Some(places);
        result.map(|()| is_whole)
    }

    fn places_ahead(&self) -> anyhow::Result<Vec<(Topic, Place, i64)>> {
        let counts = admin::topic_partitions(&self.config.properties, READ_WITHIN)?;
        let mut topics = Vec::new();
        let mut places: Vec<Place> = Vec::new();
        for topic in &self.ahead.topics {
            let name = self.config.name_of(*topic);
            // A broker that was just away may know no topics for a moment: taken for its word, nothing would ever be told.
            let count = counts.get(&name).copied().filter(|count| *count > 0);
            let count = count.with_context(|| format!("{name} is not known to the broker"))?;
            for partition in 0..count {
                topics.push(*topic);
                places.push((name.clone(), partition));
            }
        }
        let beginnings = self.probe.beginnings(&places)?;
        let placed = topics.into_iter().zip(places).zip(beginnings);
        Ok(placed
            .map(|((topic, place), next)| (topic, place, next))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Option<EventTime> {
        Some(EventTime::from_millis(ms))
    }

    #[test]
    fn a_look_is_due_for_what_is_newer_than_the_last_one_and_each_second() {
        let now = Instant::now();
        let mut ahead = Ahead::new(&[Topic::Weather]);
        assert!(ahead.is_due(at(5), now), "nothing was looked at");
        (ahead.looked, ahead.known_to) = (Some(now), at(10));
        assert!(!ahead.is_due(at(10), now), "it was appended before the look");
        assert!(ahead.is_due(at(11), now));
        assert!(
            ahead.is_due(at(5), now + LOOK_EVERY),
            "times of producers may lie"
        );
        ahead.failed = true;
        assert!(!ahead.is_due(at(11), now + LOOK_EVERY));
        assert!(ahead.is_due(at(11), now + LOOK_AGAIN));
        ahead.rewind();
        assert!(ahead.is_due(None, now), "new tasks know nothing");
    }
}
