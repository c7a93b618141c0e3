//! Asks where partitions begin and end, control records and open transactions included.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::Properties;
use crate::settings::{self, Reports};

/// How long an answer may take.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);
/// How long one request may take; then it is made by a new client.
const REQUEST: Duration = Duration::from_secs(3);

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// A partition by its name on the broker.
pub(crate) type Place = (String, i32);

/// A client that reads nothing. It is `read_uncommitted`: for a `read_committed` one, a partition ends before the first
/// open transaction.
///
/// A client that asks for offsets alone never hears that a leader has moved while the old one is dead: it would ask that
/// one until it comes back. So a request that nobody answers is made again by a new client.
pub(crate) struct Probe {
    config: ClientConfig,
    consumer: RefCell<BaseConsumer<Reports>>,
}

impl Probe {
    /// Connects lazily.
    pub(crate) fn new(properties: &Properties) -> KafkaResult<Probe> {
        let fixed = [
            ("isolation.level", "read_uncommitted"),
            ("enable.auto.commit", "false"),
        ];
        let config = settings::client(properties, &fixed);
        let consumer = RefCell::new(config.create_with_context(Reports::default())?);
        Ok(Probe { config, consumer })
    }

    /// The offset after the last record of each partition, in the order asked, in one request per broker.
    pub(crate) fn ends(&self, places: &[Place]) -> KafkaResult<Vec<i64>> {
        self.offsets(places, Offset::End, TIMEOUT)?.into_iter().collect()
    }

    /// The offset of the first record of each partition that is still there, in the order asked.
    pub(crate) fn beginnings(&self, places: &[Place]) -> KafkaResult<Vec<i64>> {
        self.offsets(places, Offset::Beginning, TIMEOUT)?
            .into_iter()
            .collect()
    }

    /// As [`Probe::ends`]; `None` where a partition is not known or has no leader after `patience`, as when its brokers are down.
    pub(crate) fn known_ends(&self, places: &[Place], patience: Duration) -> KafkaResult<Vec<Option<i64>>> {
        known(self.offsets(places, Offset::End, patience)?)
    }

    /// As [`Probe::beginnings`], likewise.
    pub(crate) fn known_beginnings(
        &self,
        places: &[Place],
        patience: Duration,
    ) -> KafkaResult<Vec<Option<i64>>> {
        known(self.offsets(places, Offset::Beginning, patience)?)
    }

    /// How many partitions a topic has; `None` where the broker does not know it.
    pub(crate) fn partitions(&self, topic: &str) -> KafkaResult<Option<i32>> {
        let metadata = self.consumer.borrow().fetch_metadata(Some(topic), REQUEST)?;
        let told = metadata.topics().iter().find(|told| told.name() == topic);
        let error = told.and_then(|told| told.error()).map(RDKafkaErrorCode::from);
        let partitions = told.map_or(0, |told| told.partitions().len());
        let partitions = i32::try_from(partitions).unwrap_or(i32::MAX);
        Ok((error != Some(RDKafkaErrorCode::UnknownTopicOrPartition)).then_some(partitions))
    }

    /// What is said of each partition. What the next metadata mends is waited for as long as `patience`, and who gives no answer
    /// for [`TIMEOUT`].
    fn offsets(
        &self,
        places: &[Place],
        which: Offset,
        patience: Duration,
    ) -> KafkaResult<Vec<KafkaResult<i64>>> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let mut asked = TopicPartitionList::with_capacity(places.len());
        for (topic, partition) in places {
            asked.add_partition_offset(topic, *partition, which)?;
        }
        let begun = Instant::now();
        loop {
            // The library sends the offset as the timestamp of the request, where -1 and -2 mean end and beginning.
            let answers = self.consumer.borrow().offsets_for_times(asked.clone(), REQUEST);
            let sorted = match answers {
                Ok(answers) => Ok(Self::sort(places, &answers)),
                // Where nobody leads any of them the library says no more than this.
                Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::UnknownPartition) => {
                    let leaderless = || KafkaError::OffsetFetch(RDKafkaErrorCode::LeaderNotAvailable);
                    Ok(places.iter().map(|_| Err(leaderless())).collect())
                }
                Err(error) => Err(error),
            };
            let failed = match &sorted {
                Ok(sorted) => sorted.iter().find_map(|of| of.as_ref().err()),
                Err(error) => Some(error),
            };
            match failed {
                Some(error) if is_unanswered(error) && begun.elapsed() < TIMEOUT => {
                    tracing::debug!(%error, "asking again for offsets, with a new client");
                    *self.consumer.borrow_mut() = self.config.create_with_context(Reports::default())?;
                    // Some say at once that nobody is there.
                    self.consumer.borrow().poll(PAUSE * 5);
                }
                // Leaders are elected, topics become known.
                Some(error) if passes(error) => {
                    tracing::debug!(%error, "not all offsets are known");
                    self.learn(places, &sorted);
                    if begun.elapsed() >= patience {
                        return sorted;
                    }
                    // Serves what the client has to report, and waits.
                    self.consumer.borrow().poll(PAUSE);
                }
                _ => return sorted,
            }
        }
    }

    /// Asks who leads what was not known: the library takes a partition that had no leader for one that has none, for minutes.
    fn learn(&self, places: &[Place], said: &KafkaResult<Vec<KafkaResult<i64>>>) {
        let is_unknown = |at: usize| said.as_ref().map_or(true, |said| said[at].is_err());
        let unknown = (0..places.len()).filter(|at| is_unknown(*at));
        let topics: BTreeSet<&str> = unknown.map(|at| places[at].0.as_str()).collect();
        for topic in topics {
            if let Err(error) = self.consumer.borrow().fetch_metadata(Some(topic), REQUEST) {
                tracing::debug!(%error, topic, "nobody says who leads it");
                break;
            }
        }
    }

    fn sort(places: &[Place], answers: &TopicPartitionList) -> Vec<KafkaResult<i64>> {
        let sorted = places.iter().map(|(topic, partition)| {
            let answer = answers
                .find_partition(topic, *partition)
                .ok_or(KafkaError::OffsetFetch(RDKafkaErrorCode::UnknownPartition))?;
            answer.error()?;
            match answer.offset() {
                Offset::Offset(offset) => Ok(offset),
                _ => Err(KafkaError::OffsetFetch(RDKafkaErrorCode::NoOffset)),
            }
        });
        sorted.collect()
    }
}

fn known(said: Vec<KafkaResult<i64>>) -> KafkaResult<Vec<Option<i64>>> {
    let known = said.into_iter().map(|of| match of {
        Ok(offset) => Ok(Some(offset)),
        Err(error) if passes(&error) => Ok(None),
        Err(error) => Err(error),
    });
    known.collect()
}

/// Whoever was asked is not there.
fn is_unanswered(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::RequestTimedOut
                | RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::BrokerNotAvailable
                | RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::DestroyBroker
        )
    )
}

/// Nobody leads the partition.
pub(crate) fn is_leaderless(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::LeaderNotAvailable)
}

/// What the next metadata will have mended.
fn passes(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::NotLeaderForPartition
                | RDKafkaErrorCode::LeaderNotAvailable
                | RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnknownPartition
                | RDKafkaErrorCode::FencedLeaderEpoch
                | RDKafkaErrorCode::UnknownLeaderEpoch
                | RDKafkaErrorCode::ReplicaNotAvailable
                // A leader that was elected just now does not know yet how far all others are.
                | RDKafkaErrorCode::OffsetNotAvailable
                | RDKafkaErrorCode::KafkaStorageError
        )
    )
}

#[cfg(test)]
mod tests {
    use rdkafka::mocking::MockCluster;

    use super::*;

    #[test]
    fn a_leader_that_moves_while_the_old_one_is_away_is_found() {
        let cluster = MockCluster::new(3).unwrap();
        cluster.create_topic("moves", 1, 3).unwrap();
        cluster.partition_leader("moves", 0, Some(1)).unwrap();
        let properties = Properties::from([("bootstrap.servers".to_owned(), cluster.bootstrap_servers())]);
        let probe = Probe::new(&properties).unwrap();
        let places = [("moves".to_owned(), 0)];
        assert_eq!(probe.ends(&places).unwrap(), [0]);
        cluster.broker_down(1).unwrap();
        cluster.partition_leader("moves", 0, Some(2)).unwrap();
        assert_eq!(probe.ends(&places).unwrap(), [0]);
    }

    #[test]
    fn a_partition_without_a_leader_hides_no_other() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("led", 3, 1).unwrap();
        cluster.partition_leader("led", 1, None).unwrap();
        let properties = Properties::from([("bootstrap.servers".to_owned(), cluster.bootstrap_servers())]);
        let probe = Probe::new(&properties).unwrap();
        let places: Vec<Place> = (0..3).map(|partition| ("led".to_owned(), partition)).collect();
        let known = [Some(0), None, Some(0)];
        assert_eq!(probe.known_ends(&places, Duration::ZERO).unwrap(), known);
        assert_eq!(probe.known_ends(&places, Duration::ZERO).unwrap(), known);
        let alone = &places[1..2];
        assert_eq!(probe.known_ends(alone, Duration::ZERO).unwrap(), [None]);
        assert!(is_leaderless(&probe.ends(alone).unwrap_err()));
        cluster.partition_leader("led", 1, Some(1)).unwrap();
        assert_eq!(probe.known_ends(&places, TIMEOUT).unwrap(), [Some(0); 3]);
    }
}
