//! Whether the topics that a loop needs are there. A group shares out what there is, and says nothing of a topic that was deleted:
//! its members read on from the others as if all were well.

use std::time::{Duration, Instant};

use super::failure::Failure;
use super::looked::Looked;
use super::session::{LAG_EVERY, Work};
use crate::probe::Place;

/// How often the loop looks while its partitions stay its own; a topic that goes or comes makes the group share out anew.
const EVERY: Duration = Duration::from_secs(20);

/// What the last look found.
#[derive(Debug, Default)]
pub(super) struct Needed {
    looked: Looked,
    /// What it did not find: told when the next one does not find it either, for brokers that come back know no topics for a moment.
    gone: Vec<String>,
}

impl Needed {
    /// The next look is due at once.
    pub(super) fn look_soon(&mut self) {
        self.looked.forget();
    }

    /// Takes in what is not there now; what was not there before, either.
    fn found(&mut self, gone: Vec<String>) -> Vec<String> {
        let before = std::mem::replace(&mut self.gone, gone);
        let still = self.gone.iter().filter(|topic| before.contains(topic));
        still.cloned().collect()
    }

    fn is_due(&mut self, now: Instant) -> bool {
        let every = if self.gone.is_empty() { EVERY } else { LAG_EVERY };
        self.looked.is_due(now, every)
    }
}

impl Work<'_> {
    /// Asks for the topics that are read, and for those that state and ticks go to: tells which are gone, and ends the loop where the
    /// changelog is not what it was. Where no broker says, what was found last holds.
    pub(super) fn look_at_topics(&mut self) -> Result<(), Failure> {
        if self.config.embedded || !self.needed.is_due(Instant::now()) {
            return Ok(());
        }
        let (observer, worker) = (self.observer, self.config.name);
        let changelog = self.config.name_of(self.config.changelog);
        let (mut gone, mut partitions) = (Vec::new(), 0);
        for topic in self.config.topics() {
            let name = self.config.name_of(topic);
            let found = self.probe.partitions(&name);
            observer.heartbeat(worker);
            match found {
                Ok(Some(count)) if name == changelog => partitions = count,
                Ok(Some(_)) => {}
                Ok(None) => gone.push(name),
                Err(error) => {
                    tracing::debug!(worker, %error, "the topics were not seen");
                    return Ok(());
                }
            }
        }
        let gone = self.needed.found(gone);
        if !gone.is_empty() {
            tracing::error!(worker, topics = gone.join(", "), "topics are gone");
        }
        observer.gone(worker, &gone);
        // All of it: its partitions may be this loop's at any time.
        let places: Vec<Place> = (0..partitions)
            .map(|partition| (changelog.clone(), partition))
            .collect();
        let ends = match self.probe.known_ends(&places, Duration::ZERO) {
            Ok(ends) => ends,
            Err(error) => {
                tracing::debug!(worker, %error, "the ends of the changelog are not known");
                return Ok(());
            }
        };
        let alive = || {
            observer.heartbeat(worker);
            true
        };
        alive();
        let ends = (0..partitions).zip(ends);
        let known = ends.filter_map(|(partition, end)| Some((partition, end?)));
        self.written.borrow_mut().see(self.config, known, &alive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_for_a_moment_is_not_told_and_soon_looked_for_again() {
        let (mut needed, now) = (Needed::default(), Instant::now());
        let gone = || vec!["sensor".to_owned()];
        let at = |seconds| now + Duration::from_secs(seconds);
        assert!(needed.is_due(at(0)) && !needed.is_due(at(19)) && needed.is_due(at(20)));
        assert!(needed.found(gone()).is_empty());
        assert!(!needed.is_due(at(24)) && needed.is_due(at(25)));
        assert_eq!(needed.found(gone()), gone());
        assert!(needed.found(Vec::new()).is_empty());
        assert!(!needed.is_due(at(44)));
        needed.look_soon();
        assert!(needed.is_due(at(44)));
    }
}
