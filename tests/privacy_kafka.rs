//! On a real Kafka: each reason's dead letter with its headers, and a reporter who counts once while the key changes.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod city;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use city::town::{SOUTH_WEST, Town};
use city::web;
use city_model::{DeadLetterReason, sha256_hex};
use kafka_log::produce::NewRecord;
use kafka_log::read::read_all;
use serde_json::{Value, json};
use wire_format::Topic;

const PHONE: &str = "13912345678";

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_millis() as u64
}

fn send(town: &Town, topic: Topic, key: &str, value: &[u8]) {
    let topic = kafka_log::topic_name(&town.prefix, topic);
    let record = NewRecord {
        topic: &topic,
        partition: None,
        key: Some(key.as_bytes()),
        value: Some(value),
        timestamp: None,
        headers: &[],
    };
    town.sender.send(&record).unwrap();
    town.sender.flush().unwrap();
}

fn report(id: &str, changes: Value) -> Vec<u8> {
    let mut report = json!({"event_id": id, "source_system": "inspector-app", "channel": "app", "report_id": id,
        "category": ["暴露垃圾"], "observed_at": now(), "reporter_phone": PHONE,
        "location": {"x": SOUTH_WEST.0, "y": SOUTH_WEST.1, "accuracy_m": 5.0, "quality": "GNSS"}});
    for (field, value) in changes.as_object().unwrap() {
        report[field] = value.clone();
    }
    report.to_string().into_bytes()
}

/// By key: value and headers of every dead letter.
type Letters = BTreeMap<String, (Vec<u8>, BTreeMap<String, String>)>;

fn letters(town: &Town) -> Letters {
    let mut all = Letters::new();
    let topic = kafka_log::topic_name(&town.prefix, Topic::DeadLetters);
    read_all(&town.properties, &topic, |letter| {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let headers = letter.headers().into_iter();
        let headers = headers
            .map(|(name, value)| (name.to_owned(), text(value)))
            .collect();
        let key = letter.key().map(text).unwrap_or_default();
        assert!(
            all.insert(key, (letter.value().unwrap_or_default().to_vec(), headers))
                .is_none(),
            "a dead letter twice"
        );
        ControlFlow::Continue(())
    })
    .unwrap();
    all
}

#[test]
fn every_reason_has_its_dead_letter_with_headers() {
    let mut town = Town::start("letters");
    // Only the listed source is known.
    let whole = report("whole", json!({}));
    let place = |x: f64, crs: &str| json!({"location": {"x": x, "y": 31.02, "crs": crs}});
    let samples: Vec<(&str, Topic, Vec<u8>)> = vec![
        ("bad_json", Topic::Report, whole[..whole.len() - 1].to_vec()),
        ("bad_avro", Topic::Report, vec![0, 1, 2]),
        ("unknown_schema", Topic::Report, vec![0, 9, 9, 9, 9, 1]),
        ("bad_utf8", Topic::Report, [&whole[..], b"\xff"].concat()),
        (
            "missing_field",
            Topic::Report,
            report("m", json!({"report_id": null})),
        ),
        (
            "bad_value",
            Topic::Report,
            report("v", json!({"report_id": [PHONE]})),
        ),
        (
            "unknown_source",
            Topic::Report,
            report("s", json!({"source_system": PHONE})),
        ),
        (
            "no_time",
            Topic::Report,
            report("n", json!({"observed_at": PHONE})),
        ),
        (
            "time_too_old",
            Topic::Report,
            report("o", json!({"observed_at": 0})),
        ),
        (
            "coord_out_of_bbox",
            Topic::Report,
            report("b", place(31.02, "WGS84")),
        ),
        ("crs_missing", Topic::Report, report("c", place(121.21, PHONE))),
        (
            "code_unknown",
            Topic::Report,
            report("k", json!({"category": [PHONE]})),
        ),
        (
            "too_large",
            Topic::Report,
            report("l", json!({"content": "x".repeat((1 << 20) - 100)})),
        ),
        // Nothing but a mistake of the program leads here: a batch that it did not write stands for one.
        ("processing_failed", Topic::Enriched, b"no batch".to_vec()),
    ];
    let config = town.folder.dir.path().join("cityops.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    town.stop();
    town.folder.write(
        "cityops.toml",
        text + "[sources.inspector-app]\n[city]\ncode = \"310117\"\n",
    );
    town.process = Some(Town::run(&town.folder));
    for (reason, topic, value) in &samples {
        send(&town, *topic, reason, value);
    }
    let log = town.log();
    web::wait("every dead letter is there", &log, || {
        letters(&town).len() >= samples.len()
    });
    let letters = letters(&town);
    for (reason, topic, value) in &samples {
        let (kept, headers) = &letters[*reason];
        assert_eq!(headers["cityops.reason"], *reason, "{headers:?}");
        for name in ["topic", "partition", "offset"] {
            let (ours, connect) = (format!("cityops.{name}"), format!("__connect.errors.{name}"));
            assert_eq!(headers[&ours], headers[&connect], "{reason}");
        }
        assert_eq!(headers["cityops.topic"], topic.name(), "{reason}");
        assert_eq!(
            headers["__connect.errors.exception.class.name"],
            format!("cityops.{reason}")
        );
        assert_eq!(
            headers["__connect.errors.exception.message"],
            headers["cityops.detail"]
        );
        for name in ["stage", "class.name", "connector.name", "task.id"] {
            assert!(
                headers.contains_key(&format!("__connect.errors.{name}")),
                "{reason}: {name}"
            );
        }
        assert!(
            !format!("{headers:?}").contains("12345678"),
            "{reason}: {headers:?}"
        );
        if *reason == "too_large" {
            assert_eq!(kept[..], value[..64 * 1024]);
            assert_eq!(headers["cityops.length"], value.len().to_string());
            assert_eq!(headers["cityops.sha256"], sha256_hex(value));
        } else {
            assert_eq!(kept, value, "{reason}: the value is untouched");
        }
    }
    let reasons: Vec<&str> = samples.iter().map(|(reason, ..)| *reason).collect();
    let known: Vec<&str> = DeadLetterReason::ALL
        .iter()
        .map(|reason| reason.as_str())
        .collect();
    assert_eq!(reasons, known);
    town.stop();
    assert!(
        !std::fs::read_to_string(&log).unwrap().contains("12345678"),
        "in the log"
    );
}

#[test]
fn a_reporter_counts_once_over_a_change_of_the_key_and_restarts() {
    let mut town = Town::start("rotation");
    let plain = std::fs::read_to_string(town.folder.dir.path().join("cityops.toml")).unwrap();
    town.folder.write("old.key", "the old key of this city");
    town.folder.write("new.key", "the new key of this city");
    let mut told = 0;
    let mut under = |town: &mut Town, privacy: &str, phones: &[&str], reporters: u64| {
        town.stop();
        town.folder
            .write("cityops.toml", format!("{plain}[privacy]\n{privacy}"));
        town.process = Some(Town::run(&town.folder));
        for phone in phones {
            told += 1;
            let id = format!("told-{told}");
            send(
                town,
                Topic::Report,
                "one",
                &report(&id, json!({"reporter_phone": phone})),
            );
        }
        let log = town.log();
        let find = |town: &Town| {
            let incidents = web::incidents(&town.address()).into_iter();
            incidents
                .filter(|incident| incident["member_count"].as_u64() == Some(told))
                .find_map(|incident| incident["reporter_count"].as_u64())
        };
        web::wait("all have joined", &log, || find(town).is_some());
        assert_eq!(find(town), Some(reporters), "{privacy}");
    };
    let (old, other) = (PHONE, "13900000001");
    under(&mut town, "reporter_key_file = \"old.key\"\n", &[old, other], 2);
    let both = "reporter_key_file = \"new.key\"\nprevious_reporter_key_file = \"old.key\"\n";
    under(&mut town, both, &[old, other, "13900000002"], 3);
    under(
        &mut town,
        "reporter_key_file = \"new.key\"\n",
        &[old, other, "13900000002"],
        3,
    );
    under(
        &mut town,
        "reporter_key_file = \"new.key\"\n",
        &["13900000003"],
        4,
    );
    town.stop();
}
