//! Whether the topics that a loop reads are there. A group shares out what there is, and says nothing of a topic that was deleted:
//! its members read on from the others as if all were well.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};

use super::group::GroupConsumer;
use super::session::Work;
use super::{REACH_TIMEOUT, bounded};

/// How often the loop looks while its partitions stay its own; a topic that goes or comes makes the group share out anew.
const EVERY: Duration = Duration::from_secs(60);

/// What the last look found.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    looked: Option<Instant>,
    gone: Vec<String>,
}

impl Inputs {
    /// The next look is due at once.
    pub(super) fn look_soon(&mut self) {
        self.looked = None;
    }

    fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self
            .looked
            .is_none_or(|at| now.saturating_duration_since(at) >= EVERY);
        if is_due {
            self.looked = Some(now);
        }
        is_due
    }
}

impl Work<'_> {
    /// Asks for the topics that are read, and tells which are gone. Where no broker says, what was found last holds.
    pub(super) fn look_at_inputs(&mut self, consumer: &Arc<GroupConsumer>) {
        if self.config.embedded || !self.inputs.is_due(Instant::now()) {
            return;
        }
        let (observer, worker) = (self.observer, self.config.name);
        let names = self.config.inputs.iter().map(|topic| self.config.name_of(*topic));
        let (asking, names): (_, Vec<String>) = (consumer.clone(), names.collect());
        let found = bounded(2 * REACH_TIMEOUT, &|| observer.heartbeat(worker), move || {
            gone(&asking, names)
        });
        match found {
            Ok(Ok(gone)) => {
                for topic in gone.iter().filter(|topic| !self.inputs.gone.contains(topic)) {
                    tracing::error!(worker, topic, "a topic that is read is gone");
                }
                observer.gone(worker, &gone);
                self.inputs.gone = gone;
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
