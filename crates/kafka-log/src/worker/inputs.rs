//! Whether the topics that a loop needs are there. A group shares out what there is, and says nothing of a topic that was deleted:
//! its members read on from the others as if all were well.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};

use super::group::GroupConsumer;
use super::session::{LAG_EVERY, Work};
use super::{REACH_TIMEOUT, bounded};

/// How often the loop looks while its partitions stay its own; a topic that goes or comes makes the group share out anew.
const EVERY: Duration = Duration::from_secs(60);

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
    /// Asks for the topics that are read, and for those that state and ticks go to, and tells which are gone. Where no broker says,
    /// what was found last holds.
    pub(super) fn look_at_inputs(&mut self, consumer: &Arc<GroupConsumer>) {
        if self.config.embedded || !self.inputs.is_due(Instant::now()) {
            return;
        }
        let (observer, worker) = (self.observer, self.config.name);
        let names = self.config.topics().map(|topic| self.config.name_of(topic));
        let (asking, names): (_, Vec<String>) = (consumer.clone(), names.collect());
        let found = bounded(2 * REACH_TIMEOUT, &|| observer.heartbeat(worker), move || {
            gone(&asking, names)
        });
        match found {
            Ok(Ok(gone)) => {
                let gone = self.inputs.found(gone);
                if !gone.is_empty() {
                    tracing::error!(worker, topics = gone.join(", "), "topics are gone");
                }
                observer.gone(worker, &gone);
            }
            Ok(Err(error)) => tracing::debug!(worker, %error, "the topics that are read were not seen"),
            Err(_) => tracing::debug!(worker, "the topics that are read were not seen in time"),
        }
    }
}

/// Those of the topics that the broker does not know.
fn gone(consumer: &GroupConsumer, names: Vec<String>) -> KafkaResult<Vec<String>> {
    let deadline = Instant::now() + REACH_TIMEOUT;
    let mut gone = Vec::new();
    for name in names {
        let left = deadline.saturating_duration_since(Instant::now());
        let metadata = consumer.fetch_metadata(Some(&name), left)?;
        let is_unknown = metadata.topics().iter().any(|topic| {
            topic.name() == name
                && topic.error().map(RDKafkaErrorCode::from)
                    == Some(RDKafkaErrorCode::UnknownTopicOrPartition)
        });
        if is_unknown {
            gone.push(name);
        }
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_for_a_moment_is_not_told_and_soon_looked_for_again() {
        let (mut inputs, now) = (Inputs::default(), Instant::now());
        let gone = || vec!["sensor".to_owned()];
        let at = |seconds| now + Duration::from_secs(seconds);
        assert!(inputs.is_due(at(0)) && !inputs.is_due(at(59)) && inputs.is_due(at(60)));
        assert!(inputs.found(gone()).is_empty());
        assert!(!inputs.is_due(at(64)) && inputs.is_due(at(65)));
        assert_eq!(inputs.found(gone()), gone());
        assert!(inputs.found(Vec::new()).is_empty());
        assert!(!inputs.is_due(at(124)));
        inputs.look_soon();
        assert!(inputs.is_due(at(124)));
    }
}
