//! Writes what this version's changelogs hold, as a folder that is kept.

use std::collections::BTreeMap;

use city_model::{Batch, EventTime, Input, Source};
use city_simulator::Scenario;
use stream_worker::{Outbox, Processor};
use wire_format::Topic;

use super::city::City;
use super::golden::{Golden, Next, Row};
use super::{PARTS, processor, setup};

/// A storm's first minutes.
const RECORDS: usize = 220;
const SEED: u64 = 8;
/// Inputs to a batch.
const BATCH: usize = 25;
/// After the rows come so many of a partition's records at most, and of the enriched log's batches.
const NEXT: usize = 40;

/// What belongs to a simulated city stays behind: a later simulator may make another one.
fn config(city: &City) -> String {
    let text = std::fs::read_to_string(city.path("cityops.toml")).unwrap();
    let (before, rest) = text.split_once("[[grid.layers]]").unwrap();
    let sources = &rest[rest.find("[sources").unwrap()..];
    format!("{before}{sources}")
}

pub(super) fn write(name: &str) {
    let golden = Golden::create(name);
    let city = City::new(Scenario::Typhoon, SEED, RECORDS);
    std::fs::write(golden.path("cityops.toml"), config(&city)).unwrap();
    let mut read: BTreeMap<&str, Vec<Next>> = BTreeMap::new();
    read.insert("correlate", batches(&golden, &city));
    for record in city_simulator::simulate(Scenario::Typhoon, SEED, RECORDS) {
        if [Source::Weather, Source::Silence, Source::Command].contains(&record.source) {
            continue;
        }
        let records = read.entry(record.source.as_str()).or_default();
        records.push(Next {
            topic: Topic::of(record.source),
            offset: records.len() as i64,
            timestamp: EventTime::from_millis(record.arrival_ms),
            value: record.line,
        });
    }
    for part in PARTS {
        let mut records = read.remove(part).unwrap();
        let mut next = records.split_off(records.len() / 2);
        next.truncate(NEXT);
        if part != "correlate" {
            // Some that are known already: only the rows say so.
            let timestamp = next[0].timestamp;
            next.extend(records.iter().rev().take(25).map(|known| Next {
                offset: known.offset + 1_000_000,
                timestamp,
                value: known.value.clone(),
                ..*known
            }));
        }
        golden.write_rows(part, &rows(processor(&golden, part).as_mut(), &records));
        golden.write_next(part, &next);
    }
}

/// The changelog after these records, as a broker may keep it: of its first two thirds only the newest row of each key.
fn rows(processor: &mut dyn Processor, records: &[Next]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (at, record) in records.iter().enumerate() {
        let mut out = Outbox::default();
        if at == 0 {
            processor.begin(&mut out);
            rows.extend(std::mem::take(&mut out.rows));
        }
        let input = stream_worker::InputRecord {
            topic: record.topic,
            partition: 0,
            offset: record.offset,
            timestamp: record.timestamp,
            key: None,
            value: Some(record.value.as_bytes()),
            headers: &[],
        };
        processor.process(&input, &mut out);
        processor.checkpoint(&mut out);
        rows.extend(out.rows);
    }
    let dirty = rows.len() * 2 / 3;
    let last: BTreeMap<String, usize> = (rows.iter().enumerate())
        .map(|(at, (key, _))| (key.clone(), at))
        .collect();
    let mut at = 0;
    rows.retain(|(key, _)| {
        let keep = at >= dirty || last[key] == at;
        at += 1;
        keep
    });
    rows
}

/// The enriched log of these records: batches as they are packed, and hours in which nothing comes.
fn batches(golden: &Golden, city: &City) -> Vec<Next> {
    let setup = setup(golden);
    let mut inputs = vec![Input::Activation(Box::new(setup.activation(&["replay".into()])))];
    inputs.extend(file_log::enriched_inputs(setup, city.dir.path()).unwrap());
    let mut at = EventTime::from_millis(0);
    let chunks = inputs.chunks(BATCH).enumerate();
    chunks
        .map(|(offset, inputs)| {
            for input in inputs {
                if let Input::Tick(tick) = input {
                    at = tick.clocks[0].1;
                }
            }
            let inputs = inputs.to_vec();
            Next {
                topic: Topic::Enriched,
                offset: offset as i64,
                timestamp: at,
                value: serde_json::to_string(&Batch { inputs }).unwrap(),
            }
        })
        .collect()
}
