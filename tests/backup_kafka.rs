//! A whole cluster is lost but for a copy of its source topics: on another one the same city is decided from the copy, and goes on. The
//! steps are those of `deploy/RUNBOOK.md`.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod city;

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use city::expect;
use city::town::{EAST, NORTH_WEST, SOUTH_WEST, Town};
use city_model::EventTime;
use kafka_log::produce::NewRecord;
use kafka_log::read::read_all;
use serde_json::{Value, json};
use wire_format::Topic;

/// What has to be kept of a record.
struct Kept {
    topic: Topic,
    partition: i32,
    at: EventTime,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Vec<u8>)>,
}

/// Where a record's own time counts, as it must while a copy is read.
const BY_RECORD: &str = "[time]\ningested_from = \"producer\"\n";

fn sources() -> impl Iterator<Item = Topic> {
    Topic::ALL
        .iter()
        .copied()
        .filter(|topic| topic.source().is_some())
}

fn back_up(town: &Town) -> Vec<Kept> {
    let mut kept = Vec::new();
    for topic in sources() {
        read_all(
            &town.properties,
            &kafka_log::topic_name(&town.prefix, topic),
            |record| {
                let headers = record.headers().into_iter();
                kept.push(Kept {
                    topic,
                    partition: record.partition(),
                    at: record.timestamp(),
                    key: record.key().map(<[u8]>::to_vec),
                    value: record.value().map(<[u8]>::to_vec),
                    headers: headers
                        .map(|(name, value)| (name.to_owned(), value.to_vec()))
                        .collect(),
                });
                ControlFlow::Continue(())
            },
        )
        .unwrap();
    }
    kept
}

fn put_back(town: &Town, kept: &[Kept]) {
    for record in kept {
        let headers: Vec<(&str, &[u8])> = record
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
            .collect();
        town.sender
            .send(&NewRecord {
                topic: &kafka_log::topic_name(&town.prefix, record.topic),
                partition: Some(record.partition),
                key: record.key.as_deref(),
                value: record.value.as_deref(),
                timestamp: Some(record.at),
                headers: &headers,
            })
            .unwrap();
    }
    town.sender.flush().unwrap();
}

fn ledger(town: &Town) -> Value {
    serde_json::from_str(&expect(0, &["--json", "ledger", "--config", &town.config()])).unwrap()
}

/// Ids of all incidents that were ever told.
fn incidents(town: &Town) -> BTreeSet<Vec<u8>> {
    let mut ids = BTreeSet::new();
    read_all(
        &town.properties,
        &kafka_log::topic_name(&town.prefix, Topic::Incidents),
        |record| {
            ids.insert(record.key().unwrap().to_vec());
            ControlFlow::Continue(())
        },
    )
    .unwrap();
    ids
}

#[test]
fn a_copy_of_the_source_topics_is_enough_on_another_cluster() {
    let mut lost = Town::start("backup-lost");
    for round in 0..4 {
        for (name, category, place) in [
            ("garbage", "暴露垃圾", SOUTH_WEST),
            ("ponding", "积水", NORTH_WEST),
            ("parking", "机动车乱停放", EAST),
        ] {
            lost.tell(&format!("{name}-{round}"), category, place);
        }
    }
    // A refused record is kept, too, and refused again.
    lost.tell("refused", "无此类别", SOUTH_WEST);
    lost.incident("garbage-3", 4);
    lost.settle();
    let (before, told) = (ledger(&lost), incidents(&lost));
    let kept = back_up(&lost);
    assert_eq!(kept.len(), lost.sent);

    // Other names stand for another cluster. The copy is there before anything reads it.
    let mut found = Town::prepare("backup-found", BY_RECORD);
    put_back(&found, &kept);
    found.sent = kept.len();
    found.process = Some(Town::run(&found.folder));
    found.settle();
    let after = ledger(&found);
    for part in [
        "consumed",
        "unaccounted",
        "outcomes",
        "by_source",
        "grouping_digest",
    ] {
        assert_eq!(before[part], after[part], "{part}");
    }
    assert!(before["outcomes"]["joined"].as_i64() >= Some(9) && before["outcomes"]["deadletter"] == json!(1));
    // They may have other ids: an incident is named after the report of it that was read first, and partitions are read as it comes.
    assert_eq!(incidents(&found).len(), told.len());

    // From here on the broker tells the time again, and what is reported joins what was restored.
    let config = std::fs::read_to_string(found.config()).unwrap();
    assert!(config.contains(BY_RECORD));
    found.folder.write("cityops.toml", config.replace(BY_RECORD, ""));
    expect(0, &["topics", "apply", "--config", &found.config()]);
    found.process = Some(Town::run(&found.folder));
    found.tell("garbage-4", "暴露垃圾", SOUTH_WEST);
    let incident = found.incident("garbage-4", 5);
    assert!(incidents(&found).contains(incident["incident_id"].as_str().unwrap().as_bytes()));
    assert_eq!(incident["member_count"], 5, "{incident}");
    found.stop();
}
