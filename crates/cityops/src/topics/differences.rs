//! Where a broker's topics are not as the configuration wants them, and what of that may be changed without a word.

use std::collections::BTreeMap;

use kafka_log::admin::{Setting, Size, TopicSpec};
use wire_format::Topic;

use super::retention::is_least;

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The topic's name on the broker.
    pub topic: String,
    /// `partitions`, or the setting's name.
    pub what: String,
    /// What it is.
    pub is: String,
    /// What it should be.
    pub wanted: String,
    /// What a change does.
    pub risk: Risk,
}

/// What a change does to what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Risk {
    /// Nothing.
    None,
    /// It loses something, or mixes it up: only by an operator's word.
    Loses(&'static str),
    /// No broker can do it.
    Impossible(&'static str),
}

/// The differences of topics that are there; a missing one has none. Settings that the configuration says nothing about are the
/// operator's own, and so is what makes records safer than it asks for: a longer retention where it asks for a least one, more
/// replicas, more of them in sync.
pub fn differences(
    specs: &[(Topic, TopicSpec)],
    sizes: &BTreeMap<String, Size>,
    settings: &BTreeMap<String, BTreeMap<String, Setting>>,
) -> Vec<Difference> {
    let mut found = Vec::new();
    for (topic, spec) in specs {
        let Some(size) = sizes.get(&spec.name) else {
            continue;
        };
        let count = &size.partitions;
        let differs = |what: &str, is: String, wanted: String, risk: Risk| Difference {
            topic: spec.name.clone(),
            what: what.to_owned(),
            is,
            wanted,
            risk,
        };
        if *count != spec.partitions {
            let risk = match *count > spec.partitions {
                true => Risk::Impossible(
                    "a topic never gets fewer partitions; keep the number, or begin a new topic_prefix  分区数不能减少",
                ),
                // One trouble would be decided in two places, and no word of an operator mends that.
                false if *topic == Topic::Enriched => Risk::Impossible(
                    "groups of kinds would move and their incidents stay: keep the number, or stop every process and rebuild \
                     (deploy/RUNBOOK.md)  请保持原数；如需更改须全部停机后重建",
                ),
                false => Risk::Loses(
                    "keys move to other partitions, and what is known of a device, a ticket or an incident stays behind  键会换分区，已有状态留在原分区",
                ),
            };
            found.push(differs(
                "partitions",
                count.to_string(),
                spec.partitions.to_string(),
                risk,
            ));
        }
        let replicas = spec.replication.filter(|wanted| size.replicas < *wanted);
        if let Some(wanted) = replicas {
            let risk = Risk::Impossible(
                "a move of data between brokers: kafka-reassign-partitions does it, then apply again  需用 kafka-reassign-partitions 增加副本后再执行",
            );
            found.push(differs(
                "replication",
                size.replicas.to_string(),
                wanted.to_string(),
                risk,
            ));
        }
        let Some(settings) = settings.get(&spec.name) else {
            continue;
        };
        for (name, wanted) in &spec.config {
            let is = settings.get(name).map_or("", |setting| &setting.value);
            // With as few replicas as there are now nothing could be written any more.
            let waits = name == "min.insync.replicas" && replicas.is_some();
            if !waits && !is_safer(*topic, name, is, wanted) && !same(name, is, wanted) {
                found.push(differs(
                    name,
                    is.to_owned(),
                    wanted.clone(),
                    risk(name, is, wanted),
                ));
            }
        }
    }
    found
}

/// A broker may list the policies in another order.
fn same(name: &str, is: &str, wanted: &str) -> bool {
    let sorted = |text: &str| {
        let mut parts: Vec<String> = text.split(',').map(|part| part.trim().to_owned()).collect();
        parts.sort_unstable();
        parts
    };
    match name {
        "cleanup.policy" => sorted(is) == sorted(wanted),
        _ => is == wanted,
    }
}

/// Whether what is set keeps records safer than what is asked for, where that is a least one.
fn is_safer(topic: Topic, name: &str, is: &str, wanted: &str) -> bool {
    match name {
        "min.insync.replicas" => time(is) >= time(wanted),
        "retention.ms" => is_least(topic) && time(is) >= time(wanted),
        _ => false,
    }
}

/// A number of milliseconds, or of anything; -1 is for ever.
fn time(text: &str) -> i64 {
    match text.parse::<i64>() {
        Ok(ms) if ms < 0 => i64::MAX,
        Ok(ms) => ms,
        Err(_) => 0,
    }
}

fn risk(name: &str, is: &str, wanted: &str) -> Risk {
    match name {
        "cleanup.policy" => {
            Risk::Loses("what is kept follows another rule: records may go  清理策略改变，记录可能被删除")
        }
        "retention.ms" if time(wanted) < time(is) => {
            Risk::Loses("records that are kept now are deleted  保留期缩短，记录会被删除")
        }
        "delete.retention.ms" if time(wanted) < time(is) => {
            Risk::Loses("a late reader misses what was taken away  墓碑保留期缩短")
        }
        _ => Risk::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(topic: Topic, size: (i32, i32), settings: &[(&str, &str)]) -> Vec<(String, Risk)> {
        let spec = TopicSpec {
            name: "t".into(),
            partitions: 4,
            replication: Some(3),
            config: BTreeMap::from(
                [
                    ("cleanup.policy", "compact,delete"),
                    ("min.insync.replicas", "2"),
                    ("retention.ms", "1000"),
                    ("segment.bytes", "5"),
                ]
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
            ),
        };
        let settings = settings.iter().map(|(name, value)| {
            let setting = Setting {
                value: (*value).to_owned(),
                own: true,
            };
            ((*name).to_owned(), setting)
        });
        let (partitions, replicas) = size;
        let size = Size { partitions, replicas };
        differences(
            &[(topic, spec)],
            &BTreeMap::from([("t".to_owned(), size)]),
            &BTreeMap::from([("t".to_owned(), settings.collect())]),
        )
        .into_iter()
        .map(|difference| (difference.what, difference.risk))
        .collect()
    }

    const GOOD: [(&str, &str); 5] = [
        ("cleanup.policy", "delete,compact"),
        ("min.insync.replicas", "2"),
        ("retention.ms", "1000"),
        ("segment.bytes", "5"),
        ("flush.ms", "7"),
    ];

    fn with(name: &'static str, value: &'static str) -> [(&'static str, &'static str); 5] {
        GOOD.map(|(key, old)| if key == name { (key, value) } else { (key, old) })
    }

    #[test]
    fn what_would_lose_something_is_told_from_what_would_not() {
        let check = |found: Vec<(String, Risk)>, what: &str, loses: bool| {
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(found[0].0, what);
            assert_eq!(matches!(found[0].1, Risk::Loses(_)), loses, "{found:?}");
        };
        let letters = |partitions, settings: &[_]| found(Topic::DeadLetters, (partitions, 3), settings);
        assert_eq!(letters(4, &GOOD), []);
        check(letters(2, &GOOD), "partitions", true);
        assert!(matches!(letters(5, &GOOD)[0].1, Risk::Impossible(_)));
        // The enriched log alone is rebuilt, and not widened.
        let wider = |topic| found(topic, (2, 3), &GOOD).remove(0).1;
        assert!(matches!(wider(Topic::Enriched), Risk::Impossible(why) if why.contains("rebuild")));
        assert!(matches!(wider(Topic::CorrelateChangelog), Risk::Loses(_)));
        check(letters(4, &with("segment.bytes", "6")), "segment.bytes", false);
        check(letters(4, &with("retention.ms", "999")), "retention.ms", false);
        check(letters(4, &with("retention.ms", "1001")), "retention.ms", true);
        check(letters(4, &with("retention.ms", "-1")), "retention.ms", true);
        check(
            letters(4, &with("cleanup.policy", "delete")),
            "cleanup.policy",
            true,
        );
    }

    #[test]
    fn what_is_safer_than_asked_for_is_the_operators_own() {
        let sensor = |replicas, settings: &[_]| found(Topic::Sensor, (4, replicas), settings);
        for value in ["1001", "-1"] {
            assert_eq!(sensor(3, &with("retention.ms", value)), []);
        }
        assert_eq!(sensor(5, &with("min.insync.replicas", "3")), []);
        let lower = [with("retention.ms", "999"), with("min.insync.replicas", "1")];
        for (settings, what) in lower.iter().zip(["retention.ms", "min.insync.replicas"]) {
            assert_eq!(sensor(3, settings), [(what.to_owned(), Risk::None)]);
        }
        // Two in sync of one replica would stop all writing: first the replicas.
        let few = sensor(1, &with("min.insync.replicas", "1"));
        assert_eq!(few.len(), 1, "{few:?}");
        assert!(few[0].0 == "replication" && matches!(few[0].1, Risk::Impossible(_)));
    }
}
