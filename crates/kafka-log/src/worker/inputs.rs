//! Whether the topics that a loop needs are there. A group shares out what there is, and says nothing of a topic that was deleted:
//! its members read on from the others as if all were well.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};

use super::failure::Failure;
use super::group::GroupConsumer;
use super::session::{LAG_EVERY, Work};
use super::{REACH_TIMEOUT, bounded};
use crate::probe::Place;

/// How often the loop looks while its partitions stay its own; a topic that goes or comes makes the group share out anew.
const EVERY: Duration = Duration::from_secs(20);

/// What the last look found.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    looked: Option<Instant>,
    /// What it did not find: told when the next one does not find it either, for brokers that come back know no topics for a moment.
    gone: Vec<String>,
}

impl Inputs {
    /// The next look is due at once.
    pub(super) fn look_soon(&mut self) {
        self.looked = None;
    }

    /// Takes in what is not there now; what was not there before, either.
    fn found(&mut self, gone: Vec<String>) -> Vec<String> {
        let before = std::mem::replace(&mut self.gone, gone);
        let still = self.gone.iter().filter(|topic| before.contains(topic));
        still.cloned().collect()
    }

    fn is_due(&mut self, now: Instant) -> bool {
        let every = if self.gone.is_empty() { EVERY } else { LAG_EVERY };
        let is_due = self
            .looked
            .is_none_or(|at| now.saturating_duration_since(at) >= every);
        if is_due {
            self.looked = Some(now);
        }
        is_due
    }
}

impl Work<'_> {
    /// Asks for the topics that are read, and for those that state and ticks go to: tells which are gone, and ends the loop where the
    /// changelog is not what it was. Where no broker says, what was found last holds.
    pub(super) fn look_at_topics(&mut self, consumer: &Arc<GroupConsumer>) -> Result<(), Failure> {
        if self.config.embedded || !self.inputs.is_due(Instant::now()) {
            return Ok(());
        }
        let (observer, worker) = (self.observer, self.config.name);
        let names = self.config.topics().map(|topic| self.config.name_of(topic));
        let (asking, names): (_, Vec<String>) = (consumer.clone(), names.collect());
        let found = bounded(2 * REACH_TIMEOUT, &|| observer.heartbeat(worker), move || {
            sizes(&asking, names)
        });
        match found {
            Ok(Ok(sizes)) => {
                let gone = sizes.iter().filter(|(_, partitions)| partitions.is_none());
                let gone = self.inputs.found(gone.map(|(name, _)| name.clone()).collect());
                if !gone.is_empty() {
                    tracing::error!(worker, topics = gone.join(", "), "topics are gone");
                }
                observer.gone(worker, &gone);
                self.look_at_changelog(&sizes)
            }
            Ok(Err(error)) => {
                tracing::debug!(worker, %error, "the topics were not seen");
                Ok(())
            }
            Err(_) => {
                tracing::debug!(worker, "the topics were not seen in time");
                Ok(())
            }
        }
    }

    /// All of it: its partitions may be this loop's at any time.
    fn look_at_changelog(&self, sizes: &[(String, Option<i32>)]) -> Result<(), Failure> {
        let changelog = self.config.name_of(self.config.changelog);
        let size = sizes.iter().find(|(name, _)| *name == changelog);
        let partitions = size.and_then(|(_, partitions)| *partitions).unwrap_or_default();
        let places: Vec<Place> = (0..partitions)
            .map(|partition| (changelog.clone(), partition))
            .collect();
        let known = self.probe.known_ends(&places, Duration::ZERO);
        self.observer.heartbeat(self.config.name);
        match known {
            Ok(ends) => {
                let ends = places.into_iter().zip(ends);
                let known = ends.filter_map(|(place, end)| Some((place, end?)));
                let alive = || {
                    self.observer.heartbeat(self.config.name);
                    true
                };
                self.written.borrow_mut().see(self.config, known, &alive)
            }
            Err(error) => {
                tracing::debug!(worker = self.config.name, %error, "the ends of the changelog are not known");
                Ok(())
            }
        }
    }
}

/// How many partitions each of the topics has; `None` where the broker does not know it.
fn sizes(consumer: &GroupConsumer, names: Vec<String>) -> KafkaResult<Vec<(String, Option<i32>)>> {
    let deadline = Instant::now() + REACH_TIMEOUT;
    let mut sizes = Vec::with_capacity(names.len());
    for name in names {
        let left = deadline.saturating_duration_since(Instant::now());
        let metadata = consumer.fetch_metadata(Some(&name), left)?;
        let told = metadata.topics().iter().find(|topic| topic.name() == name);
        let is_gone = told
            .and_then(|topic| topic.error())
            .is_some_and(|error| RDKafkaErrorCode::from(error) == RDKafkaErrorCode::UnknownTopicOrPartition);
        let partitions = told.map_or(0, |topic| topic.partitions().len());
        let partitions = i32::try_from(partitions).unwrap_or(i32::MAX);
        sizes.push((name, (!is_gone).then_some(partitions)));
    }
    Ok(sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_for_a_moment_is_not_told_and_soon_looked_for_again() {
        let (mut inputs, now) = (Inputs::default(), Instant::now());
        let gone = || vec!["sensor".to_owned()];
        let at = |seconds| now + Duration::from_secs(seconds);
        assert!(inputs.is_due(at(0)) && !inputs.is_due(at(19)) && inputs.is_due(at(20)));
        assert!(inputs.found(gone()).is_empty());
        assert!(!inputs.is_due(at(24)) && inputs.is_due(at(25)));
        assert_eq!(inputs.found(gone()), gone());
        assert!(inputs.found(Vec::new()).is_empty());
        assert!(!inputs.is_due(at(44)));
        inputs.look_soon();
        assert!(inputs.is_due(at(44)));
    }
}
