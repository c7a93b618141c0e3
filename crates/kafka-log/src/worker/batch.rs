//! A bounded batch of records, as they lie in the client's memory.

use std::time::{Duration, Instant};

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
