//! Changelogs as earlier versions wrote them are restored, and what comes next is told as the version that wrote them told it.
//!
//! Each folder in `golden` is what one version wrote on that day: the rows of a partition's changelog (`rows`, key and value with
//! a tab between, compact values in hexadecimal digits, a key alone is a deletion), the records that came next (`next`), and what was told of them (`told`). Rows and
//! records are never written again. Fields may be new in what is told now; what was told then must be there. When decisions change
//! on purpose, `CITYOPS_GOLDEN=told` writes `told` anew, to be looked at; `CITYOPS_GOLDEN=2026-12-31` adds a folder of that name.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../city/mod.rs"]
mod city;
mod golden;
mod writing;

use std::sync::Arc;

use city_model::Source;
use cityops::config::Loaded;
use serde_json::Value;
use stream_worker::{Correlate, Enrich, InputRecord, Outbox, Processor, Setup};
use wire_format::Topic;

use golden::{Golden, Next};

/// Partitions whose changelogs are kept.
const PARTS: [&str; 5] = ["correlate", "sensor", "hotline", "video", "report"];
/// Those of which the records that came next show what the rows hold.
const REMEMBERING: [&str; 2] = ["correlate", "sensor"];
/// Show again what another topic says.
const BANDS: [Topic; 4] = [
    Topic::IncidentsP1,
    Topic::IncidentsP2,
    Topic::IncidentsP3,
    Topic::IncidentsP4,
];

#[test]
fn old_changelogs_restore_and_tell_the_same() {
    let asked = std::env::var("CITYOPS_GOLDEN").ok();
    if let Some(name) = asked.as_deref().filter(|asked| *asked != "told") {
        writing::write(name);
    }
    let folders = Golden::all();
    assert!(
        !folders.is_empty(),
        "there is no changelog of any earlier version"
    );
    for golden in folders {
        for part in PARTS {
            let (told, rows) = tell(&golden, part);
            if asked.is_some() {
                golden.write_told(part, &told);
            }
            let expected = golden.told(part);
            assert!(rows > 0, "{}/{part}: no rows", golden.name());
            assert!(!expected.is_empty(), "{}/{part}: nothing told", golden.name());
            assert_eq!(told.len(), expected.len(), "{}/{part}", golden.name());
            for (at, (told, expected)) in told.iter().zip(&expected).enumerate() {
                if let Some(path) = lacks(told, expected, String::new()) {
                    panic!(
                        "{}/{part}, line {}: {path} differs\n{expected}\n{told}",
                        golden.name(),
                        at + 1
                    );
                }
            }
        }
    }
}

/// A changelog that is cut off tells something else: the comparison can fail.
#[test]
fn without_its_changelog_a_partition_tells_something_else() {
    for golden in Golden::all() {
        for part in REMEMBERING {
            let mut fresh = processor(&golden, part);
            if part == "correlate" {
                // Its rules lie there, too: without them it would decide nothing at all.
                let activation = golden.rows(part).into_iter().find(|(key, _)| key == "activation");
                let (key, value) = activation.unwrap();
                fresh.restore(&key, value.as_deref()).unwrap();
            }
            let told = process(fresh.as_mut(), &golden.next(part));
            let expected = golden.told(part);
            let same = told.len() == expected.len()
                && (told.iter().zip(&expected))
                    .all(|(told, expected)| lacks(told, expected, String::new()).is_none());
            assert!(!same, "{}/{part}: the rows change nothing", golden.name());
        }
    }
}

/// What a partition tells that goes on from its changelog, and how many rows that has.
fn tell(golden: &Golden, part: &str) -> (Vec<Value>, usize) {
    let mut fresh = processor(golden, part);
    let rows = golden.rows(part);
    for (key, value) in &rows {
        let restored = fresh.restore(key, value.as_deref());
        restored.unwrap_or_else(|error| panic!("{}/{part}: {error:#}", golden.name()));
    }
    (process(fresh.as_mut(), &golden.next(part)), rows.len())
}

/// A partition's processor without state.
fn processor(golden: &Golden, part: &str) -> Box<dyn Processor> {
    match part {
        "correlate" => Box::new(Correlate::new()),
        source => enrich(&setup(golden), source.parse().unwrap()),
    }
}

fn enrich(setup: &Arc<Setup>, source: Source) -> Box<dyn Processor> {
    let activation = Arc::new(setup.activation(&["replay".into()]));
    Box::new(Enrich::new(setup.clone(), source, activation))
}

fn setup(golden: &Golden) -> Arc<Setup> {
    let loaded = Loaded::read(&golden.path("cityops.toml")).unwrap();
    Arc::new(cityops::assemble::setup(&loaded, 1).unwrap())
}

/// Lets a processor decide records, and gives what it tells of each: records for topics, and inputs of the enriched log.
fn process(processor: &mut dyn Processor, records: &[Next]) -> Vec<Value> {
    let mut told = Vec::new();
    for next in records {
        let mut out = Outbox::default();
        let value = next.value.as_bytes();
        processor.process(
            &InputRecord {
                topic: next.topic,
                partition: 0,
                offset: next.offset,
                timestamp: next.timestamp,
                key: None,
                value: Some(value),
                headers: &[],
            },
            &mut out,
        );
        for record in out.records {
            let text = |bytes: Option<Vec<u8>>| bytes.map(|bytes| String::from_utf8(bytes).unwrap());
            let mut value = text(record.value)
                .map(|text| serde_json::from_str::<Value>(&text).unwrap_or(Value::String(text)));
            if BANDS.contains(&record.topic) {
                // The same record again: which revision it is says enough.
                value = value.map(|value| value["revision"].clone());
            }
            told.push(serde_json::json!({
                "topic": record.topic.name(),
                "key": text(record.key),
                "value": value,
            }));
        }
        for input in out.inputs.into_values().flatten() {
            // The rules are this version's, and travel whole.
            if !matches!(input, city_model::Input::Activation(_)) {
                told.push(serde_json::json!({ "input": input }));
            }
        }
    }
    told
}

/// How a decision is worded, and digests of it: later versions may word it otherwise.
const WORDING: [&str; 4] = ["explanation", "decision_digest", "reasons_zh", "reasons_en"];

/// Where something that is expected is missing or other in what is told; fields that are new are no difference.
fn lacks(told: &Value, expected: &Value, path: String) -> Option<String> {
    match (told, expected) {
        (Value::Object(told), Value::Object(expected)) => expected.iter().find_map(|(name, value)| {
            if WORDING.contains(&name.as_str()) {
                return None;
            }
            let path = format!("{path}/{name}");
            match told.get(name) {
                Some(told) => lacks(told, value, path),
                None => Some(path),
            }
        }),
        (Value::Array(told), Value::Array(expected)) if told.len() == expected.len() => {
            let mut both = told.iter().zip(expected).enumerate();
            both.find_map(|(at, (told, expected))| lacks(told, expected, format!("{path}/{at}")))
        }
        _ => (told != expected).then_some(path),
    }
}
