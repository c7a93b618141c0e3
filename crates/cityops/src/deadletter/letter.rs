//! One dead letter, without what it holds.

use std::collections::BTreeMap;

use city_model::{DeadLetterReason, EventTime};
use kafka_log::read::Record;
use wire_format::{Topic, headers};

/// A dead letter as its headers tell it. Nothing of the record itself is in it but, where it can be read, its source system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its partition in the topic of dead letters.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// When it was written.
    pub refused_at: EventTime,
    /// Why; as its header says.
    pub reason: String,
    /// What exactly is wrong; never a value.
    pub detail: String,
    /// The public name of the topic that the record came by.
    pub topic: String,
    /// The record's partition and offset there.
    pub origin: Option<(i32, i64)>,
    /// When the record was appended there.
    pub ingested_at: Option<EventTime>,
    /// The record's source system, as it says.
    pub system: Option<String>,
    /// The record's length in bytes; `None` where it has no value.
    pub bytes: Option<u64>,
    /// How many of them are kept.
    pub kept: u64,
    /// How many times the record had been fed again before it became this letter.
    pub attempts: u32,
    /// Whether this letter was fed again.
    pub replayed: bool,
}

/// Why a letter cannot be fed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// Only the beginning of the record is kept.
    Truncated,
    /// It failed in the correlator, whose input is no source's: the source's record is in its own topic.
    NotOfASource,
    /// It was fed before and refused again: once more only by an operator's word.
    RefusedAgain,
    /// No header says, in a way that is known, where it came from.
    NoOrigin,
}

impl Obstacle {
    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Obstacle::Truncated => "truncated",
            Obstacle::NotOfASource => "not_of_a_source",
            Obstacle::RefusedAgain => "refused_again",
            Obstacle::NoOrigin => "no_origin",
        }
    }

    /// What to say.
    pub const fn sentence(self) -> &'static str {
        match self {
            Obstacle::Truncated => {
                "only the first 64 KiB are kept; ask the source to send it again, smaller  只保留了前 64 KiB，请来源方缩小后重发"
            }
            Obstacle::NotOfASource => {
                "it failed while it was correlated; the source's own record is in its topic  归并时出错，原始记录仍在其来源主题中"
            }
            Obstacle::RefusedAgain => {
                "it was fed before and refused again; --again feeds it once more  重放后再次被拒；--again 再重放一次"
            }
            Obstacle::NoOrigin => "no header tells a topic of ours that it came by  消息头未说明来源主题",
        }
    }
}

impl Letter {
    /// Reads a record of the topic of dead letters. `None` for a mark.
    pub fn of(record: &Record<'_>) -> Option<Letter> {
        let told: BTreeMap<&str, &[u8]> = record.headers().into_iter().collect();
        if told.contains_key(headers::REPLAYED) && record.value().is_none() {
            return None;
        }
        let text = |name: &str| told.get(name).and_then(|value| std::str::from_utf8(value).ok());
        let number = |name: &str| text(name).and_then(|text| text.parse::<i64>().ok());
        let partition = number(headers::PARTITION).and_then(|number| i32::try_from(number).ok());
        let kept = record.value().map_or(0, <[u8]>::len) as u64;
        let whole = number(headers::LENGTH).and_then(|length| u64::try_from(length).ok());
        Some(Letter {
            partition: record.partition(),
            offset: record.offset(),
            refused_at: record.timestamp(),
            reason: text(headers::REASON).unwrap_or_default().to_owned(),
            detail: text(headers::DETAIL).unwrap_or_default().to_owned(),
            topic: text(headers::TOPIC).unwrap_or_default().to_owned(),
            origin: partition.zip(number(headers::OFFSET)),
            ingested_at: number(headers::INGESTED_AT).map(EventTime::from_millis),
            system: None,
            bytes: record.value().map(|_| whole.unwrap_or(kept)),
            kept,
            attempts: number(headers::ATTEMPTS)
                .and_then(|number| u32::try_from(number).ok())
                .unwrap_or(0),
            replayed: false,
        })
    }

    /// Its place in the topic of dead letters.
    pub fn place(&self) -> (i32, i64) {
        (self.partition, self.offset)
    }

    /// The topic that the record came by, if it is one of ours.
    pub fn topic(&self) -> Option<Topic> {
        Topic::by_name(&self.topic)
    }

    /// Its reason, if it is one of ours.
    pub fn known_reason(&self) -> Option<DeadLetterReason> {
        self.reason.parse().ok()
    }

    /// Why it is not fed again, if it is not; `again` is the operator's word for those that were refused again.
    pub fn obstacle(&self, again: bool) -> Option<Obstacle> {
        match self.topic() {
            None => Some(Obstacle::NoOrigin),
            Some(topic) if topic.source().is_none() => Some(Obstacle::NotOfASource),
            Some(_) if self.bytes.is_some_and(|bytes| bytes != self.kept) => Some(Obstacle::Truncated),
            Some(_) if self.attempts > 0 && !again => Some(Obstacle::RefusedAgain),
            Some(_) => None,
        }
    }
}
