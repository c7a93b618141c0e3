//! A bounded batch of records, as they lie in the client's memory.

use std::time::{Duration, Instant};

use city_model::EventTime;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;

use super::failure::Failure;
use super::group::GroupConsumer;

/// Records that were read together and will be committed together.
pub(super) struct Batch<'a> {
    pub(super) messages: Vec<BorrowedMessage<'a>>,
    pub(super) bytes: u64,
    /// When the first record came.
    pub(super) begun: Instant,
}

/// Reads until there is nothing at hand or the batch is full; waits for the first record only. What the group says
/// meanwhile ends the batch and waits in the consumer's context.
pub(super) fn gather(
    consumer: &GroupConsumer,
    records_max: usize,
    bytes_max: usize,
    patience: Duration,
) -> Result<Batch<'_>, Failure> {
    let mut batch = Batch {
        messages: Vec::new(),
        bytes: 0,
        begun: Instant::now(),
    };
    let mut wait = patience;
    while batch.messages.len() < records_max && batch.bytes < bytes_max as u64 {
        match consumer.poll(wait) {
            Some(Ok(message)) => {
                if batch.messages.is_empty() {
                    batch.begun = Instant::now();
                    wait = Duration::ZERO;
                }
                batch.bytes += (message.payload_len() + message.key_len()) as u64;
                batch.messages.push(message);
            }
            Some(Err(error)) => {
                if !passes(&error) {
                    return Err(Failure::of("read", &error));
                }
                tracing::debug!(%error, "reading goes on");
                // The broker is away: what was gathered is worth trying, waiting again would only delay `stop`.
                break;
            }
            None => break,
        }
    }
    if batch.messages.is_empty() {
        batch.begun = Instant::now();
    }
    Ok(batch)
}

/// The order in which records are taken: by their times, and those of one partition as they lie. The client hands over what it
/// fetched partition by partition; where much waits, each would begin hours before the last one ended, and all that is late there
/// would be decided again.
pub(super) fn in_turn<M>(records: impl Iterator<Item = (usize, EventTime, M)>) -> Vec<(usize, EventTime, M)> {
    let mut latest: Vec<EventTime> = Vec::new();
    let mut records: Vec<(usize, EventTime, M)> = records
        .map(|(partition, at, record)| {
            if latest.len() <= partition {
                latest.resize(partition + 1, EventTime::from_millis(i64::MIN));
            }
            // A clock that went back there does not change the partition's order.
            let at = at.max(latest[partition]);
            latest[partition] = at;
            (partition, at, record)
        })
        .collect();
    records.sort_by_key(|(_, at, _)| *at);
    records
}

/// Errors that the client mends by itself.
fn passes(error: &KafkaError) -> bool {
    match error {
        KafkaError::PartitionEOF(_) => true,
        KafkaError::MessageConsumptionFatal(_) => false,
        _ => !matches!(
            error.rdkafka_error_code(),
            Some(
                RDKafkaErrorCode::TopicAuthorizationFailed
                    | RDKafkaErrorCode::GroupAuthorizationFailed
                    | RDKafkaErrorCode::ClusterAuthorizationFailed
                    | RDKafkaErrorCode::SaslAuthenticationFailed
                    | RDKafkaErrorCode::Authentication
                    | RDKafkaErrorCode::Fatal
            )
        ),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn partitions_keep_their_order_and_share_one_clock(records in prop::collection::vec((0usize..4, 0i64..50), 0..60)) {
            let given = || (0..).zip(&records).map(|(n, (partition, ms))| (*partition, EventTime::from_millis(*ms), n));
            let taken = in_turn(given());
            for partition in 0..4 {
                let own = |all: &[(usize, EventTime, i32)]| -> Vec<i32> {
                    all.iter().filter(|it| it.0 == partition).map(|it| it.2).collect()
                };
                prop_assert_eq!(own(&taken), own(&given().collect::<Vec<_>>()));
            }
            prop_assert!(taken.is_sorted_by_key(|it| it.1));
            // Where the times of each partition go forward they are what they were.
            let is_even = (0..4).all(|partition| records.iter().filter(|it| it.0 == partition).is_sorted_by_key(|it| it.1));
            if is_even {
                prop_assert!(taken.iter().all(|(_, at, n)| at.millis() == records[*n as usize].1));
            }
        }
    }
}
