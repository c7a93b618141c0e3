//! A typhoon over several partitions and two processes of a real Kafka: under its warnings one reading is enough, and what is of a
//! storm is held together, as in a replay, wherever the warnings lie and whoever reads them.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod city;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use city::feed::Feed;
use city::output::Replayed;
use city::{City, Running, broker, expect, seed, web};
use city_simulator::{Scenario, Source};
use kafka_log::Properties;
use serde_json::Value;
use wire_format::Topic;

const RECORDS: usize = 4_000;
/// A second reading within ten minutes, as careful cities want it.
const RULES: &str = "[metrics.ponding_depth]\nconfirm = 2\nconfirm_within = \"10m\"\n";

#[test]
fn under_a_warning_one_reading_is_enough_whichever_partition_it_lies_in() {
    let seed = seed();
    let city = City::new(Scenario::Typhoon, seed, RECORDS);
    let config = city.config();
    std::fs::write(city.path("storm.toml"), RULES).unwrap();
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(
        &config,
        text.replace(
            "[registry]\n",
            "[rules]\nfiles = [\"storm.toml\"]\n\n[registry]\n",
        ),
    )
    .unwrap();
    // What a silence changes depends on the order of reading.
    let without = |left: &'static [&'static str]| {
        move |file: &str, bytes: Vec<u8>| Some(bytes).filter(|_| !left.contains(&file))
    };
    let told = city.input_from("told", without(&["silence.ndjson"]));
    let replayed = city.replay_of(&told, "replayed", &[]);
    let calm = city.input_from("calm", without(&["silence.ndjson", "weather.ndjson"]));
    let calm = city.replay_of(&calm, "without", &[]);
    let waited = [&replayed, &calm].map(waited);
    assert!(
        waited[0] < waited[1],
        "{waited:?} readings waited for a second one, under the warnings and where nobody warned"
    );

    let name = format!("weather-{seed}-{}", std::process::id());
    city.on_kafka(&broker(), &name);
    expect(0, &["topics", "apply", "--config", &config]);
    let properties = Properties::from([("bootstrap.servers".to_owned(), broker())]);
    let feed = Feed::new(&properties, &format!("{name}."));
    // The warnings come last, as late as the broker knows; their own times say when they were given.
    let (warnings, others): (Vec<_>, Vec<_>) = city_simulator::simulate(Scenario::Typhoon, seed, RECORDS)
        .filter(|record| record.source != Source::Silence)
        .partition(|record| record.source == Source::Weather);
    others
        .iter()
        .chain(&warnings)
        .for_each(|record| feed.send(record));
    feed.flush();
    let fed = others.len() + warnings.len();
    let logs = ["one.log", "two.log"].map(|log| city.path(log));
    let processes = logs
        .each_ref()
        .map(|log| Running::start(&["run", "--config", &config], log));
    web::wait("every record has its outcome", &logs[0], || {
        web::address(&logs[0]).is_some_and(|address| {
            let consumed = web::metric(&address, "cityops_events_consumed_total{");
            consumed == fed as f64 && web::metric(&address, "cityops_unaccounted_events ") == 0.0
        })
    });
    for process in processes {
        assert_eq!(process.terminate(), Some(0));
    }
    let read = |command: &str| -> Value {
        serde_json::from_str(&expect(0, &["--json", command, "--config", &config])).unwrap()
    };
    assert_eq!(read("audit")["differences"], serde_json::json!([]));
    let (ledger, expected) = (read("ledger"), replayed.ledger());
    let published = outcomes(
        &properties,
        &kafka_log::topic_name(&format!("{name}."), Topic::Outcomes),
    );
    // Which of an incident's reports is said to have opened it is up to the order of reading.
    let plain = |outcome: &String| outcome.replace("opened", "joined");
    let differ: Vec<_> = replayed
        .outcomes()
        .into_iter()
        .filter(|(event, outcome)| published.get(event).map(plain) != Some(plain(outcome)))
        .map(|(event, outcome)| format!("{event}: {outcome}, on Kafka {:?}", published.get(&event)))
        .collect();
    assert!(
        differ.is_empty(),
        "{} differ: {:?}",
        differ.len(),
        &differ[..differ.len().min(20)]
    );
    for part in ["consumed", "unaccounted", "grouping_digest"] {
        assert_eq!(ledger[part], expected[part], "{part}");
    }
    assert_eq!(whoever_opened(&ledger), whoever_opened(&expected), "outcomes");
    // Whoever it is, the ledger counts what was published.
    let opened = published.values().filter(|outcome| *outcome == "opened").count();
    assert_eq!(ledger["outcomes"]["opened"], opened, "opened");
}

/// How often each outcome, those that opened an incident among those that joined one.
fn whoever_opened(ledger: &Value) -> BTreeMap<String, i64> {
    let mut counts = BTreeMap::new();
    for (outcome, count) in ledger["outcomes"].as_object().unwrap() {
        *counts.entry(outcome.replace("opened", "joined")).or_default() += count.as_i64().unwrap();
    }
    counts
}

/// How many readings were ever told as waiting.
fn waited(replayed: &Replayed) -> usize {
    let told = replayed.lines("outcomes.ndjson");
    told.iter().filter(|row| row["outcome"] == "pending").count()
}

/// The last outcome of each event that was published.
fn outcomes(properties: &Properties, topic: &str) -> BTreeMap<String, String> {
    let mut outcomes = BTreeMap::new();
    kafka_log::read::read_all(properties, topic, |record| {
        let key = String::from_utf8(record.key().unwrap().to_vec()).unwrap();
        let told: Value = serde_json::from_slice(record.value().unwrap()).unwrap();
        outcomes.insert(key, told["outcome"].as_str().unwrap().to_owned());
        ControlFlow::Continue(())
    })
    .unwrap();
    outcomes
}
