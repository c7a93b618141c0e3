//! When a source system was last heard, as a fact of the log: an input partition writes it with what it decides, so neither a
//! restart nor a rebalance of any process begins it anew.
//!
//! The records lie in enrich's changelog, where each restore passes them over, also that of a version that does not know them: no
//! input topic is called as their keys begin, and nothing is decided by them. Whoever follows the changelog takes the latest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use city_model::EventTime;
use serde::{Deserialize, Serialize};
use wire_format::Topic;

use crate::{InputRecord, OutRecord};

/// What keys of these records begin with; no topic.
const FAMILY: &str = "heard/";
/// A system that goes on sending is written once in so many milliseconds of its records' times: the shortest silence that may be
/// expected is a minute.
const WRITTEN_EVERY_MS: i64 = 1_000;

/// The newest record of a system in one input partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The system, by its own name.
    pub system: String,
    /// The record's append time.
    pub at: EventTime,
}

#[derive(Serialize, Deserialize)]
struct Value {
    at: EventTime,
}

impl Heard {
    /// What a record of enrich's changelog says, if it is one of these.
    pub fn of_record(key: &[u8], value: &[u8]) -> Option<Heard> {
        let named = std::str::from_utf8(key).ok()?.strip_prefix(FAMILY)?;
        let (_, system) = named.split_once('/')?;
        let Value { at } = serde_json::from_slice(value).ok()?;
        Some(Heard {
            system: system.to_owned(),
            at,
        })
    }

    fn into_record(self, topic: Topic, partition: i32) -> OutRecord {
        let key = format!("{FAMILY}{topic}/{}", self.system);
        // A number in a struct always serialises.
        let value = serde_json::to_vec(&Value { at: self.at }).unwrap_or_default();
        OutRecord {
            partition: Some(partition),
            ..OutRecord::keyed(Topic::EnrichChangelog, &key, Some(value))
        }
    }
}

/// Listens for the systems of which something is expected, in one input partition.
#[derive(Default)]
pub(crate) struct Hearing {
    expected: Arc<BTreeSet<String>>,
    /// Where it listens.
    place: Option<(Topic, i32)>,
    heard: BTreeMap<String, Times>,
}

struct Times {
    newest: EventTime,
    written: Option<EventTime>,
}

impl Hearing {
    pub(crate) fn of(expected: Arc<BTreeSet<String>>) -> Hearing {
        Hearing {
            expected,
            ..Hearing::default()
        }
    }

    /// A system has sent a record, whatever becomes of it.
    pub(crate) fn hear(&mut self, system: &str, record: &InputRecord<'_>) {
        if !self.expected.contains(system) {
            return;
        }
        self.place = Some((record.topic, record.partition));
        if let Some(times) = self.heard.get_mut(system) {
            times.newest = times.newest.max(record.timestamp);
        } else {
            let times = Times {
                newest: record.timestamp,
                written: None,
            };
            self.heard.insert(system.to_owned(), times);
        }
    }

    /// What is to be written of it now.
    pub(crate) fn take(&mut self, out: &mut Vec<OutRecord>) {
        let Some((topic, partition)) = self.place else {
            return;
        };
        for (system, times) in &mut self.heard {
            let is_due = times
                .written
                .is_none_or(|written| times.newest - written >= WRITTEN_EVERY_MS);
            if is_due {
                times.written = Some(times.newest);
                let heard = Heard {
                    system: system.clone(),
                    at: times.newest,
                };
                out.push(heard.into_record(topic, partition));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_when_it_is_new_and_once_a_second_after_that() {
        let mut hearing = Hearing::of(Arc::new(["12345/gov".to_owned(), "quiet".to_owned()].into()));
        let mut written = |system: &str, times: &[i64]| {
            for ms in times {
                let record = InputRecord {
                    topic: Topic::Hotline,
                    partition: 3,
                    offset: 0,
                    timestamp: EventTime::from_millis(*ms),
                    key: None,
                    value: None,
                    headers: &[],
                };
                hearing.hear(system, &record);
            }
            let mut out = Vec::new();
            hearing.take(&mut out);
            let read = out.iter().map(|record| {
                assert_eq!(
                    (record.topic, record.partition),
                    (Topic::EnrichChangelog, Some(3))
                );
                let key = record.key.as_deref().unwrap();
                let first = key.split(|byte| *byte == b'/').next().unwrap();
                let first = std::str::from_utf8(first).unwrap();
                assert_eq!(Topic::by_name(first), None, "a restore would enter it");
                let heard = Heard::of_record(key, record.value.as_deref().unwrap()).unwrap();
                (heard.system, heard.at.millis())
            });
            read.collect::<Vec<_>>()
        };
        let of = |ms| vec![("12345/gov".to_owned(), ms)];
        assert_eq!(written("somebody", &[1_000]), [], "nobody expects anything of it");
        assert_eq!(written("12345/gov", &[5_000, 4_000]), of(5_000));
        assert_eq!(written("12345/gov", &[5_100]), []);
        assert_eq!(written("12345/gov", &[5_500, 6_000]), of(6_000));
        assert_eq!(written("somebody", &[90_000]), []);
    }

    #[test]
    fn other_records_of_the_changelog_are_none_of_these() {
        for key in ["city.hotline.tickets.v1/ledger/hotline", "heard/", "heard/x", ""] {
            assert_eq!(Heard::of_record(key.as_bytes(), b"{\"at\":1}"), None, "{key}");
        }
        assert_eq!(Heard::of_record(b"heard/t/s", b"{}"), None);
    }
}
