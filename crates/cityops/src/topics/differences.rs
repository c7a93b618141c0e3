//! Where a broker's topics are not as the configuration wants them, and what of that may be changed without a word.

use std::collections::BTreeMap;

use kafka_log::admin::{Setting, TopicSpec};

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
/// operator's own.
pub fn differences(
    specs: &[TopicSpec],
    partitions: &BTreeMap<String, i32>,
    settings: &BTreeMap<String, BTreeMap<String, Setting>>,
) -> Vec<Difference> {
    let mut found = Vec::new();
    for spec in specs {
        let Some(count) = partitions.get(&spec.name) else {
            continue;
        };
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
        let Some(settings) = settings.get(&spec.name) else {
            continue;
        };
        for (name, wanted) in &spec.config {
            let is = settings.get(name).map_or("", |setting| &setting.value);
            if !same(name, is, wanted) {
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

fn risk(name: &str, is: &str, wanted: &str) -> Risk {
    // -1 is for ever.
    let time = |text: &str| match text.parse::<i64>() {
        Ok(ms) if ms < 0 => i64::MAX,
        Ok(ms) => ms,
        Err(_) => 0,
    };
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

    fn found(count: i32, settings: &[(&str, &str)]) -> Vec<(String, Risk)> {
        let spec = TopicSpec {
            name: "t".into(),
            partitions: 4,
            replication: None,
            config: BTreeMap::from(
                [
                    ("cleanup.policy", "compact,delete"),
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
        differences(
            &[spec],
            &BTreeMap::from([("t".to_owned(), count)]),
            &BTreeMap::from([("t".to_owned(), settings.collect())]),
        )
        .into_iter()
        .map(|difference| (difference.what, difference.risk))
        .collect()
    }

    #[test]
    fn what_would_lose_something_is_told_from_what_would_not() {
        let good = [
            ("cleanup.policy", "delete,compact"),
            ("retention.ms", "1000"),
            ("segment.bytes", "5"),
            ("flush.ms", "7"),
        ];
        let with = |name: &'static str, value: &'static str| {
            good.map(|(key, old)| if key == name { (key, value) } else { (key, old) })
        };
        let check = |found: Vec<(String, Risk)>, what: &str, loses: bool| {
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(found[0].0, what);
            assert_eq!(matches!(found[0].1, Risk::Loses(_)), loses, "{found:?}");
        };
        assert_eq!(found(4, &good), []);
        check(found(2, &good), "partitions", true);
        assert!(matches!(found(5, &good)[0].1, Risk::Impossible(_)));
        check(found(4, &with("segment.bytes", "6")), "segment.bytes", false);
        check(found(4, &with("retention.ms", "999")), "retention.ms", false);
        check(found(4, &with("retention.ms", "1001")), "retention.ms", true);
        check(found(4, &with("retention.ms", "-1")), "retention.ms", true);
        check(
            found(4, &with("cleanup.policy", "delete")),
            "cleanup.policy",
            true,
        );
    }
}
