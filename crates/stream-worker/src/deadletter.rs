//! A refused record: the value untouched, the reason beside it; and what nobody could decide.

use wire_format::headers::{self, Origin};
use wire_format::{Refusal, Topic};

use city_model::{DeadLetterReason, Input};

use crate::{InputRecord, OutRecord};

/// The record for `city.deadletter.v1`: original key and value, with the reason in headers. A record over the size limit
/// is kept as its first 64 KiB, its length and its hash.
pub fn dead_letter(record: &InputRecord<'_>, refusal: &Refusal) -> OutRecord {
    let value = record.value.unwrap_or_default();
    let origin = Origin {
        topic: record.topic.name(),
        partition: record.partition,
        offset: record.offset,
        ingested_at: record.timestamp,
    };
    let mut told = headers::dead_letter(refusal, origin);
    let kept = if refusal.reason == DeadLetterReason::TooLarge {
        told.extend(headers::too_large(value));
        &value[..value.len().min(headers::KEPT_BYTES)]
    } else {
        value
    };
    OutRecord {
        topic: Topic::DeadLetters,
        key: record.key.map(<[u8]>::to_vec),
        // A record without a value stays one without a value.
        value: record.value.map(|_| kept.to_vec()),
        headers: told,
    }
}

/// The dead letter of an input of the enriched log that `record` held and whose decision failed. The input is scrubbed,
/// since the original stays in its own topic; the origin is its batch in the enriched log.
pub(crate) fn undecided(record: &InputRecord<'_>, input: &Input) -> OutRecord {
    let refusal = Refusal::new(DeadLetterReason::ProcessingFailed, "deciding it failed");
    OutRecord {
        // Our own inputs always serialise: text keys, no failing implementations.
        value: Some(serde_json::to_vec(input).unwrap_or_default()),
        ..dead_letter(record, &refusal)
    }
}
