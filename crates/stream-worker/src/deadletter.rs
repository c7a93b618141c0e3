//! A refused record: the value untouched, the reason beside it; and what nobody could decide.

use wire_format::headers::{self, Origin};
use wire_format::{Refusal, Topic};

use city_model::{DeadLetterReason, Input};

use crate::{InputRecord, OutRecord};

/// The record for `city.deadletter.v1`: original key, value and headers, with the reason in headers behind them. A record over the size limit
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
    told.extend(headers::fed_again(record.headers));
    let kept = if refusal.reason == DeadLetterReason::TooLarge {
        told.extend(headers::too_large(value));
        &value[..value.len().min(headers::KEPT_BYTES)]
    } else {
        value
    };
    OutRecord {
        topic: Topic::DeadLetters,
        partition: None,
        key: record.key.map(<[u8]>::to_vec),
        // A record without a value stays one without a value.
        value: record.value.map(|_| kept.to_vec()),
        headers: told,
        own_headers: own_headers(record),
    }
}

/// Most bytes of headers that are kept; whoever needs more to tell what a record is writes a second record.
const MOST_HEADER_BYTES: usize = 64 * 1024;

/// The record's own headers: of a binary CloudEvent they alone say which event it is. Those of an earlier dead letter,
/// which was fed again, are replaced by ours.
fn own_headers(record: &InputRecord<'_>) -> Vec<(String, Vec<u8>)> {
    let mut left = MOST_HEADER_BYTES;
    let own = record.headers.iter().filter(|(name, _)| !headers::is_ours(name));
    let fitting = own.take_while(|(name, value)| match left.checked_sub(name.len() + value.len()) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    });
    fitting
        .map(|(name, value)| ((*name).to_owned(), value.to_vec()))
        .collect()
}

/// The dead letter of an input of the enriched log that `record` held and whose decision failed. The input is scrubbed,
/// since the original stays in its own topic; the origin is its batch in the enriched log.
pub(crate) fn undecided(record: &InputRecord<'_>, input: &Input) -> OutRecord {
    let refusal = Refusal::new(DeadLetterReason::ProcessingFailed, "deciding it failed");
    OutRecord {
        // Our own inputs always serialise: text keys, no failing implementations.
        value: Some(serde_json::to_vec(input).unwrap_or_default()),
        own_headers: Vec::new(),
        ..dead_letter(record, &refusal)
    }
}
