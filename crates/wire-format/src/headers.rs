//! The headers of a dead letter: our own names, and those that Kafka Connect's tools look for.

use city_model::{DeadLetterReason, EventTime};

use crate::Refusal;

/// Why it was refused.
pub const REASON: &str = "cityops.reason";
/// What exactly was wrong; field names and positions, never values.
pub const DETAIL: &str = "cityops.detail";
/// The topic that it came by.
pub const TOPIC: &str = "cityops.topic";
/// The partition that it came by.
pub const PARTITION: &str = "cityops.partition";
/// Its offset there.
pub const OFFSET: &str = "cityops.offset";
/// Its append time there, in epoch milliseconds.
pub const INGESTED_AT: &str = "cityops.ingested_at";
/// Of a record over the size limit: its whole length in bytes.
pub const LENGTH: &str = "cityops.length";
/// Of a record over the size limit: the SHA-256 of the whole value.
pub const SHA256: &str = "cityops.sha256";
/// On a record that was fed again, and on the dead letter that it became again: which dead letter it was, `partition/offset`.
pub const REPLAYED_FROM: &str = "cityops.replayed_from";
/// On the same: how many times the record has been fed again.
pub const ATTEMPTS: &str = "cityops.attempts";
/// On a mark among the dead letters, a record without key and value: the offset, in the mark's own partition, of the letter that
/// was fed again. Mark and record are committed by one transaction.
pub const REPLAYED: &str = "cityops.replayed";
/// How many bytes are kept of a record over the size limit.
pub const KEPT_BYTES: usize = 64 * 1024;

// KIP-298, DeadLetterQueueReporter of Kafka Connect.
/// Kafka Connect: the topic that it came by.
pub const CONNECT_TOPIC: &str = "__connect.errors.topic";
/// Kafka Connect: the partition that it came by.
pub const CONNECT_PARTITION: &str = "__connect.errors.partition";
/// Kafka Connect: its offset there.
pub const CONNECT_OFFSET: &str = "__connect.errors.offset";
/// Kafka Connect: who refused it.
pub const CONNECT_CONNECTOR: &str = "__connect.errors.connector.name";
/// Kafka Connect: the task.
pub const CONNECT_TASK: &str = "__connect.errors.task.id";
/// Kafka Connect: the stage, one of its own: `VALUE_CONVERTER` where the bytes could not be read, else `TRANSFORMATION`.
pub const CONNECT_STAGE: &str = "__connect.errors.stage";
/// Kafka Connect: the class at work.
pub const CONNECT_CLASS: &str = "__connect.errors.class.name";
/// Kafka Connect: the exception; the reason stands for it.
pub const CONNECT_EXCEPTION: &str = "__connect.errors.exception.class.name";
/// Kafka Connect: its message; the detail stands for it.
pub const CONNECT_MESSAGE: &str = "__connect.errors.exception.message";

/// Where a record came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'a> {
    /// Topic.
    pub topic: &'a str,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// Append time.
    pub ingested_at: EventTime,
}

/// The headers of the dead letter of a record from `origin`.
pub fn dead_letter(refusal: &Refusal, origin: Origin<'_>) -> Vec<(&'static str, String)> {
    let reason = refusal.reason.as_str();
    let (partition, offset) = (origin.partition.to_string(), origin.offset.to_string());
    vec![
        (REASON, reason.to_owned()),
        (DETAIL, refusal.detail.clone()),
        (TOPIC, origin.topic.to_owned()),
        (PARTITION, partition.clone()),
        (OFFSET, offset.clone()),
        (INGESTED_AT, origin.ingested_at.millis().to_string()),
        (CONNECT_TOPIC, origin.topic.to_owned()),
        (CONNECT_PARTITION, partition.clone()),
        (CONNECT_OFFSET, offset),
        (CONNECT_CONNECTOR, "cityops-enrich".to_owned()),
        (CONNECT_TASK, partition),
        (CONNECT_STAGE, stage(refusal.reason).to_owned()),
        (CONNECT_CLASS, "cityops".to_owned()),
        (CONNECT_EXCEPTION, format!("cityops.{reason}")),
        (CONNECT_MESSAGE, refusal.detail.clone()),
    ]
}

/// Connect's name of the step that refuses for this reason.
fn stage(reason: DeadLetterReason) -> &'static str {
    use DeadLetterReason::{BadAvro, BadJson, BadUtf8, MissingField, TooLarge, UnknownSchema};
    match reason {
        BadJson | BadAvro | BadUtf8 | MissingField | TooLarge | UnknownSchema => "VALUE_CONVERTER",
        _ => "TRANSFORMATION",
    }
}

/// Whether a header is one that we write on dead letters.
pub fn is_ours(name: &str) -> bool {
    name.starts_with("cityops.") || name.starts_with("__connect.errors.")
}

/// A place in a topic as [`REPLAYED_FROM`] writes it: partition and offset.
pub fn place(text: &str) -> Option<(i32, i64)> {
    let (partition, offset) = text.split_once('/')?;
    let place = (partition.parse().ok()?, offset.parse().ok()?);
    (place.0 >= 0 && place.1 >= 0).then_some(place)
}

/// What the dead letter of a record keeps of having been fed again. Only numbers are kept: a header may hold anything.
pub fn fed_again(headers: crate::Headers<'_>) -> Vec<(&'static str, String)> {
    let text = |name: &str| {
        let value = headers.iter().rev().find(|(header, _)| *header == name)?.1;
        std::str::from_utf8(value).ok()
    };
    let from = text(REPLAYED_FROM).and_then(place);
    let attempts = text(ATTEMPTS).and_then(|text| text.parse::<u32>().ok());
    let from = from.map(|(partition, offset)| (REPLAYED_FROM, format!("{partition}/{offset}")));
    let attempts = attempts.map(|attempts| (ATTEMPTS, attempts.to_string()));
    from.into_iter().chain(attempts).collect()
}

/// The headers that a dead letter over the size limit has besides.
pub fn too_large(whole: &[u8]) -> Vec<(&'static str, String)> {
    vec![
        (LENGTH, whole.len().to_string()),
        (SHA256, city_model::sha256_hex(whole)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_are_kept_of_having_been_fed_again() {
        let check = |headers: crate::Headers<'_>, expected: &[(&'static str, &str)]| {
            let found = fed_again(headers);
            let found: Vec<_> = found
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            assert_eq!(found, expected);
        };
        check(&[], &[]);
        check(
            &[(REPLAYED_FROM, b"3/77"), (ATTEMPTS, b"2"), ("x", b"y")],
            &[(REPLAYED_FROM, "3/77"), (ATTEMPTS, "2")],
        );
        check(&[(REPLAYED_FROM, b"13912345678"), (ATTEMPTS, b"many")], &[]);
        check(&[(REPLAYED_FROM, b"-1/4"), (ATTEMPTS, b"\xff")], &[]);
    }
}
