//! The vital signs on a real Kafka, over several partitions, with processes killed in the middle: in the end they are those of a
//! replay of the same records, each minute of each cell was told once, and `/api/vitals` has them.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod city;

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use city::feed::{Feed, is_decided_alike};
use city::{City, Running, broker, expect, web};
use city_simulator::{Scenario, SimulatedRecord};
use kafka_log::Properties;
use kafka_log::produce::{NewRecord, Sender};
use serde_json::{Value, json};
use wire_format::Topic;

const RECORDS: usize = 4_000;
const CHUNKS: usize = 4;
/// Every source's partitions.
const PARTITIONS: i32 = 3;
const PATIENCE: Duration = Duration::from_secs(180);
/// One city, so that nothing ends in the seconds between the last two times that its clocks show.
const SEED: u64 = 7;
/// So long after the last record the clocks of all partitions come to the last second of a minute: what is quiet is closed.
const END_MS: i64 = 10 * 3_600_000;
/// So long after that, they come to a time at which that minute is told, and no later one.
const TOLD_AFTER_MS: i64 = 17_000;

/// A cell at the end: how many are open, of which kinds; and how many events of each stream were counted in all its minutes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Cell {
    minute: String,
    open: i64,
    by_kind: BTreeMap<String, i64>,
    events: BTreeMap<String, i64>,
}

/// Every cell by its key, from all records of the topic in their order. No minute is told twice, and none after a later one.
fn cells(told: &[(String, Value)]) -> BTreeMap<String, Cell> {
    let counts = |value: &Value| -> BTreeMap<String, i64> {
        let entries = value.as_object().unwrap().iter();
        entries
            .map(|(name, count)| (name.clone(), count.as_i64().unwrap()))
            .collect()
    };
    let mut cells: BTreeMap<String, Cell> = BTreeMap::new();
    for (key, record) in told {
        let named = [&record["layer"], &record["code"]].map(|text| text.as_str().unwrap());
        assert_eq!(*key, named.join("/"));
        let cell = cells.entry(key.clone()).or_default();
        let minute = record["minute"].as_str().unwrap().to_owned();
        assert!(
            cell.minute < minute,
            "{key}: {minute} is told after {}",
            cell.minute
        );
        cell.minute = minute;
        cell.open = counts(&record["open"]).values().sum();
        cell.by_kind = counts(&record["by_kind"]);
        for (source, count) in counts(&record["by_source"]) {
            *cell.events.entry(source).or_default() += count;
        }
    }
    // When a closed incident was published is the clocks' business, and so is the minute that was told last.
    for cell in cells.values_mut() {
        cell.minute.clear();
    }
    cells
}

/// Records that no source sent: refused, but their partitions' clocks come so far.
fn last_records(at_ms: i64) -> [(&'static str, Topic, Value); 4] {
    let base = json!({"event_id": "end", "source_system": "nobody", "reported_at": at_ms});
    let with = |more: Value| {
        let mut record = base.clone();
        record
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        record
    };
    [
        (
            "sensor.ndjson",
            Topic::Sensor,
            with(json!({"device_id": "d", "metric": "ponding_depth", "value": 1, "observed_at": at_ms})),
        ),
        (
            "hotline.ndjson",
            Topic::Hotline,
            with(json!({"ticket_id": "t", "called_at": at_ms})),
        ),
        (
            "video.ndjson",
            Topic::Video,
            with(json!({"camera_id": "c", "alert_code": "696", "confidence": 0.5, "captured_at": at_ms})),
        ),
        (
            "report.ndjson",
            Topic::Report,
            with(json!({"channel": "inspector", "report_id": "r", "observed_at": at_ms})),
        ),
    ]
}

#[test]
fn the_vital_signs_on_kafka_are_those_of_a_replay_though_processes_die() {
    let city = City::new(Scenario::Typhoon, SEED, RECORDS);
    let records: Vec<SimulatedRecord> = city_simulator::simulate(Scenario::Typhoon, SEED, RECORDS)
        .filter(is_decided_alike)
        .collect();
    let last_ms = records.iter().map(|record| record.arrival_ms).max().unwrap();
    let end_ms = ((last_ms + END_MS) / 60_000 + 1) * 60_000 - 1_000;
    let ends_ms = [end_ms, end_ms + TOLD_AFTER_MS];

    let input = city.input_from("told", |file, bytes| {
        Some(bytes).filter(|_| !["weather.ndjson", "silence.ndjson"].contains(&file))
    });
    for (file, _, record) in ends_ms.into_iter().flat_map(last_records) {
        let file = std::fs::OpenOptions::new().append(true).open(input.join(file));
        writeln!(file.unwrap(), "{record}").unwrap();
    }
    let replayed = city.replay_of(&input, "replayed", &["--vitals"]);
    let told = replayed.lines("vitals.ndjson").into_iter().map(|record| {
        let named = [&record["layer"], &record["code"]].map(|text| text.as_str().unwrap());
        (named.join("/"), record)
    });
    let expected = cells(&told.collect::<Vec<_>>());
    let open = replayed.lines("incidents.ndjson");
    let open = open.iter().filter(|one| one["status"] == "OPEN").count();

    let name = format!("vitals-{}", std::process::id());
    city.on_kafka(&broker(), &name);
    let (config, log, prefix) = (city.config(), city.path("cityops.log"), format!("{name}."));
    let properties = Properties::from([("bootstrap.servers".to_owned(), broker())]);
    expect(0, &["topics", "apply", "--config", &config]);
    let feed = Feed::new(&properties, &prefix);
    let run = || Running::start(&["run", "--config", &config], &log);
    let told_on_kafka = || {
        let mut told = Vec::new();
        let topic = kafka_log::topic_name(&prefix, Topic::Vitals);
        kafka_log::read::read_all(&properties, &topic, |record| {
            let key = String::from_utf8(record.key().unwrap().to_vec()).unwrap();
            told.push((key, serde_json::from_slice(record.value().unwrap()).unwrap()));
            ControlFlow::Continue(())
        })
        .unwrap();
        told
    };
    // Revisions, and the incidents that are open by the last of each.
    let published = || {
        let (mut count, mut last) = (0, BTreeMap::new());
        let topic = kafka_log::topic_name(&prefix, Topic::Incidents);
        kafka_log::read::read_all(&properties, &topic, |record| {
            count += 1;
            let told: Option<Value> = record.value().map(|value| serde_json::from_slice(value).unwrap());
            last.insert(record.key().unwrap().to_vec(), told);
            ControlFlow::Continue(())
        })
        .unwrap();
        let open = last.values().flatten().filter(|told| told["status"] == "OPEN");
        (count, open.count())
    };
    let mut process = run();
    for chunk in records.chunks(records.len().div_ceil(CHUNKS)) {
        let (before, _) = published();
        chunk.iter().for_each(|record| feed.send(record));
        feed.flush();
        // As soon as something of this chunk is out, with the rest of it under way.
        web::wait("incidents are published", &log, || published().0 > before);
        process.kill();
        process = run();
    }
    let seen = told_on_kafka().len();
    let sender = Sender::new(&properties).unwrap();
    let send_last = |at_ms: i64| {
        for (_, topic, record) in last_records(at_ms) {
            let (topic, record) = (kafka_log::topic_name(&prefix, topic), record.to_string());
            for partition in 0..PARTITIONS {
                let record = NewRecord {
                    topic: &topic,
                    partition: Some(partition),
                    key: None,
                    value: Some(record.as_bytes()),
                    timestamp: Some(city_model::EventTime::from_millis(at_ms)),
                    headers: &[],
                };
                sender.send(&record).unwrap();
            }
        }
        sender.flush().unwrap();
    };
    send_last(ends_ms[0]);
    // What the correlators close then must be counted before the minute is told.
    web::wait("what is quiet is closed", &log, || published().1 == open);
    let is_read = |topic: Topic| {
        let topic = kafka_log::topic_name(&prefix, topic);
        let partitions =
            kafka_log::admin::topic_partitions(&properties, Duration::from_secs(10)).unwrap()[&topic];
        let group = format!("{name}-vitals");
        let positions = kafka_log::read::positions(&properties, &group, &topic, partitions).unwrap();
        (0..).zip(positions).all(|(partition, position)| {
            let from = kafka_log::read::Start::Beginning;
            let each = |_: &kafka_log::read::Record<'_>| ControlFlow::Continue(());
            let end = kafka_log::read::read_topic(&properties, &topic, partition, from, each).unwrap();
            position.unwrap_or(0) >= end
        })
    };
    web::wait("all that was published is read", &log, || {
        is_read(Topic::Incidents)
    });
    web::wait("and counted", &log, || is_read(Topic::VitalsFacts));
    send_last(ends_ms[1]);

    let deadline = Instant::now() + PATIENCE;
    while cells(&told_on_kafka()) != expected && Instant::now() < deadline {
        std::thread::park_timeout(Duration::from_millis(500));
    }
    let answered = web::address(&log)
        .and_then(|address| web::get(&address, "/api/vitals?limit=10000"))
        .and_then(|body| serde_json::from_str::<Value>(&body).ok());
    assert_eq!(process.terminate(), Some(0));
    let told = told_on_kafka();
    let found = cells(&told);
    assert!(expected.len() > 100 && seen > 0, "{} cells", expected.len());
    let differ: Vec<String> = expected
        .iter()
        .filter(|(key, cell)| found.get(*key) != Some(cell))
        .map(|(key, cell)| format!("{key}: {cell:?}, on Kafka {:?}", found.get(key)))
        .collect();
    assert!(
        differ.is_empty(),
        "{} of {} differ: {:#?}",
        differ.len(),
        expected.len(),
        &differ[..differ.len().min(5)]
    );
    assert_eq!(found.len(), expected.len());

    // The port answers with the last record of every cell.
    let last: BTreeMap<String, Value> = told.into_iter().collect();
    let answered = answered.expect("/api/vitals answers");
    let shown = answered["vitals"].as_array().unwrap();
    assert_eq!((shown.len(), &answered["next"]), (last.len(), &Value::Null));
    for cell in shown {
        let named = [&cell["layer"], &cell["code"]].map(|text| text.as_str().unwrap());
        assert_eq!(*cell, last[&named.join("/")]);
    }
}
