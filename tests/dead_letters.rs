//! The reasons of the dead letters, through the program over files; and that code, README and tests know the same ones.
#![allow(clippy::unwrap_used)]

mod city;

use std::collections::BTreeSet;
use std::fs;

use city::City;
use city::output::sha256;
use city_model::DeadLetterReason;
use city_simulator::Scenario;
use serde_json::{Value, json};

/// Deciding a record can fail only by a mistake in the program: no file reaches it. The worker's own tests do.
const NOT_BY_FILE: &str = "processing_failed";

/// One line for each reason, as a report of the city's own source.
fn lines(good: &Value) -> Vec<(&'static str, Vec<u8>)> {
    let with = |changes: Value| {
        let mut record = good.clone();
        for (field, value) in changes.as_object().unwrap() {
            record[field] = value.clone();
        }
        record.to_string().into_bytes()
    };
    let whole = good.to_string().into_bytes();
    let place = |x: f64, crs: &str| with(json!({"location": {"x": x, "y": 31.03, "crs": crs}}));
    vec![
        ("bad_json", whole[..whole.len() - 1].to_vec()),
        ("bad_avro", vec![0, 1, 2]),
        ("unknown_schema", vec![0, 9, 9, 9, 9, 1]),
        ("bad_utf8", [&whole[..], b"\xff"].concat()),
        ("missing_field", with(json!({"report_id": null}))),
        ("bad_value", with(json!({"report_id": []}))),
        ("unknown_source", with(json!({"source_system": "nobody"}))),
        ("no_time", with(json!({"observed_at": "soon"}))),
        ("time_too_old", with(json!({"observed_at": 0}))),
        ("coord_out_of_bbox", place(31.03, "WGS84")),
        ("crs_missing", place(121.22, "PZ90")),
        (
            "code_unknown",
            with(json!({"category": [], "category_code": null, "title": null, "content": "你好"})),
        ),
        ("too_large", with(json!({"content": "x".repeat(1 << 20)}))),
    ]
}

#[test]
fn each_reason_is_reached_and_counted_once() {
    let city = City::new(Scenario::Normal, 31, 300);
    let own = fs::read_to_string(city.path("report.ndjson")).unwrap();
    let mut good: Value = serde_json::from_str(own.lines().last().unwrap()).unwrap();
    good["event_id"] = json!("spoilt");
    let lines = lines(&good);
    let before = own.lines().count();
    let input = city.input_from("spoilt", |file, mut bytes| {
        if file == "report.ndjson" {
            for (_, line) in &lines {
                bytes.extend(line);
                bytes.push(b'\n');
            }
        }
        Some(bytes)
    });
    let (clean, spoilt) = (city.replayed("clean"), city.replay_of(&input, "spoilt_out", &[]));
    spoilt.check(&input);
    let letters = spoilt.lines("deadletter.ndjson");
    assert_eq!(letters.len(), lines.len());
    for (number, ((reason, line), letter)) in lines.iter().zip(&letters).enumerate() {
        assert_eq!(letter["reason"], *reason);
        assert_eq!(letter["file"], "report.ndjson", "{reason}");
        assert_eq!(letter["line"], json!(before + number + 1), "{reason}");
        assert_eq!(letter["hash"], json!(sha256(line)), "{reason}");
    }
    let more = |outcome: &str| spoilt.count(outcome) - clean.count(outcome);
    assert_eq!(more("deadletter"), lines.len() as i64);
    let reached: BTreeSet<&str> = lines
        .iter()
        .map(|(reason, _)| *reason)
        .chain([NOT_BY_FILE])
        .collect();
    assert_eq!(reached, known());
}

fn known() -> BTreeSet<&'static str> {
    DeadLetterReason::ALL
        .iter()
        .map(|reason| reason.as_str())
        .collect()
}

#[test]
fn the_readme_names_the_reasons_that_there_are() {
    let readme = fs::read_to_string("README.md").unwrap();
    let table = readme.split("| reason | ").nth(1).unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let named: Vec<&str> = rows.map(|row| row.split('`').nth(1).unwrap()).collect();
    let set: BTreeSet<&str> = named.iter().copied().collect();
    assert_eq!(set.len(), named.len(), "each once");
    assert_eq!(set, known());
}
