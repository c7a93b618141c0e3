//! Whatever a source may send: every bad record is told with its reason, none of its content is, and the good ones do not
//! notice.
#![allow(clippy::unwrap_used)]

mod city;

use std::collections::BTreeMap;
use std::fs;

use city::City;
use city::output::{INPUTS, OUTPUTS, Replayed, sha256};
use city::records::{SECRET, full};
use city::spoilt::{Lines, bad_in_any, bad_of_its_own, odd_but_good};
use city_simulator::Scenario;
use serde_json::{Value, json};

/// File and line → the reason that is expected, what was done to the line, and its hash.
type Refusals = BTreeMap<(String, i64), (&'static str, String, String)>;

/// A city with one silence and one command besides, so that every file but none has good lines.
fn city(seed: u64) -> (City, i64) {
    let city = City::new(Scenario::Typhoon, seed, 600);
    let first: Value = fs::read_to_string(city.path("sensor.ndjson"))
        .unwrap()
        .lines()
        .next()
        .map(|line| serde_json::from_str(line).unwrap())
        .unwrap();
    let at = first["observed_at"].as_i64().unwrap();
    for file in ["silence.ndjson", "command.ndjson"] {
        fs::write(city.path(file), format!("{}\n", full(file, "good", at))).unwrap();
    }
    (city, at)
}

/// Writes the lines among the city's own into a folder; answers what is expected of each, by file and line.
fn mixed(city: &City, name: &str, all: &[Lines]) -> (Replayed, Refusals) {
    let dir = city.path(name);
    fs::create_dir(&dir).unwrap();
    let mut expected = BTreeMap::new();
    for lines in all {
        let own = fs::read(city.path(lines.file)).unwrap();
        let mut own = own.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let mut written: Vec<u8> = Vec::new();
        let mut number = 0;
        let mut write = |line: &[u8]| {
            written.extend(line);
            written.push(b'\n');
            number += 1;
            number
        };
        // After the first own line, so that they have somebody to take their arrival from.
        write(own.next().unwrap());
        for (line, reason, what) in &lines.lines {
            let number = write(line);
            if let Some(reason) = reason {
                let bytes = line.strip_suffix(b"\r").unwrap_or(line);
                expected.insert(
                    (lines.file.to_owned(), number),
                    (*reason, what.clone(), sha256(bytes)),
                );
            }
            own.next().map(&mut write);
        }
        own.for_each(|line| {
            write(line);
        });
        fs::write(dir.join(lines.file), written).unwrap();
    }
    let (config, input, output) = (
        city.config(),
        dir.display().to_string(),
        city.path(&format!("{name}_out")),
    );
    let args = [
        "replay",
        "--config",
        &config,
        "--input",
        &input,
        "--output",
        &output.display().to_string(),
        "--evidence",
    ];
    let ran = city::run(&args);
    let err = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(0), "{err}");
    assert!(!err.contains("panicked"), "{err}");
    assert!(!err.contains(SECRET) && !err.contains("13800138000"), "{err}");
    let output = Replayed { dir: output };
    output.check(&dir);
    (output, expected)
}

fn lines_of(at: i64, fill: &[fn(&mut Lines)]) -> Vec<Lines> {
    let each = |file: &&'static str| {
        let mut lines = Lines {
            file,
            at,
            lines: Vec::new(),
        };
        fill.iter().for_each(|fill| fill(&mut lines));
        lines
    };
    INPUTS.iter().map(each).collect()
}

fn check_dead_letters(output: &Replayed, expected: &Refusals) {
    let mut told: BTreeMap<(String, i64), Value> = BTreeMap::new();
    for line in output.lines("deadletter.ndjson") {
        let at = (
            line["file"].as_str().unwrap().to_owned(),
            line["line"].as_i64().unwrap(),
        );
        assert_eq!(told.insert(at.clone(), line), None, "{at:?} is told twice");
    }
    let mut wrong = Vec::new();
    for (at, (reason, what, hash)) in expected {
        match told.get(at) {
            None => wrong.push(format!("{at:?} {what}: taken, expected {reason}")),
            Some(line) if line["reason"] != *reason => {
                wrong.push(format!("{at:?} {what}: expected {reason}, told {line}"))
            }
            Some(line) if line["hash"] != *hash => wrong.push(format!("{at:?} {what}: another hash")),
            Some(line) => {
                let fields: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
                assert!(
                    fields
                        .iter()
                        .all(|field| ["file", "line", "reason", "detail", "hash"].contains(field)),
                    "{line}"
                );
            }
        }
    }
    wrong.extend(
        told.iter()
            .filter(|(at, _)| !expected.contains_key(at))
            .map(|(at, line)| format!("{at:?} is refused: {line}")),
    );
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n"));
    for name in OUTPUTS.iter().chain(&["evidence.ndjson"]) {
        let text = String::from_utf8(output.bytes(name)).unwrap();
        // An algorithm is told by the name that its maker gave it, without what is personal in it.
        let secrets = match *name {
            "told_by.ndjson" => &["13800138000"][..],
            _ => &["13800138000", "机密内容"],
        };
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} is in {name}");
        }
    }
}

#[test]
fn bad_records_are_told_and_good_ones_do_not_notice() {
    let (city, at) = city(21);
    let clean = city.replayed("clean");
    let mut all = lines_of(at, &[bad_in_any, bad_of_its_own]);
    for lines in &mut all {
        // What is only odd is the next test's: here the good ones must not notice anything.
        lines.lines.retain(|(_, reason, _)| reason.is_some());
    }
    let huge = format!("{{\"event_id\":\"{SECRET}\",\"x\":\"{}\"}}", "y".repeat(20 << 20));
    all[1].raw(Some("too_large"), "20 MB", huge);
    let (output, expected) = mixed(&city, "mixed", &all);
    assert!(expected.len() > 400, "{}", expected.len());
    check_dead_letters(&output, &expected);
    let unmapped: serde_json::Value = serde_json::from_slice(&output.bytes("unmapped.json")).unwrap();
    for (source, code) in [
        ("sensor", "mood"),
        ("hotline", "X 99999"),
        ("video", "CLASS84 no such"),
        ("report", "GB/T 30428.2-2013 99999"),
    ] {
        let codes = unmapped[source]["codes"].as_array().unwrap();
        assert!(
            codes.iter().any(|entry| entry["code"] == code),
            "{source}: {codes:?}"
        );
    }
    for name in [
        "incidents.ndjson",
        "revisions.ndjson",
        "members.csv",
        "late.ndjson",
        "device_faults.ndjson",
    ] {
        assert!(
            output.bytes(name) == clean.bytes(name),
            "{name} is another without the bad records"
        );
    }
    let (with, without) = (output.ledger(), clean.ledger());
    for (outcome, count) in without["outcomes"].as_object().unwrap() {
        assert_eq!(with["outcomes"][outcome], *count, "{outcome}");
    }
    assert_eq!(output.count("deadletter"), expected.len() as i64);
    // Once more: the same bytes, also about what is bad.
    let (again, _) = mixed(&city, "again", &all);
    for name in OUTPUTS {
        assert!(again.bytes(name) == output.bytes(name), "{name} differs");
    }
}

#[test]
fn odd_records_are_taken() {
    let (city, at) = city(22);
    let mut all = lines_of(at, &[bad_of_its_own, odd_but_good]);
    for lines in &mut all {
        lines.lines.retain(|(_, reason, _)| reason.is_none());
    }
    let (output, expected) = mixed(&city, "mixed", &all);
    assert!(expected.is_empty());
    check_dead_letters(&output, &expected);
    let outcomes = output.outcomes();
    let id = "12345/../../../etc/passwd";
    assert!(
        outcomes
            .get(id)
            .is_some_and(|outcome| outcome == "opened" || outcome == "joined"),
        "{:?}",
        outcomes.get(id)
    );
    // Clocks are told to maintenance, and so are values that cannot be.
    let faults = output.lines("device_faults.ndjson");
    for fault in ["clock_unset", "clock_future", "sentinel", "out_of_range"] {
        assert!(faults.iter().any(|line| line["fault"] == fault), "no {fault}");
    }
    assert!(output.count("device_fault") >= 4);
}

#[test]
fn with_a_default_every_source_is_known() {
    let (city, at) = city(23);
    let config = fs::read_to_string(city.path("cityops.toml")).unwrap();
    fs::write(
        city.path("cityops.toml"),
        format!("{config}\n[sources.default]\ncrs = \"WGS84\"\n"),
    )
    .unwrap();
    let mut lines = Lines {
        file: "hotline.ndjson",
        at,
        lines: Vec::new(),
    };
    lines.changed(None, &[("source_system", json!("nobody"))]);
    let (output, expected) = mixed(&city, "mixed", &[lines]);
    check_dead_letters(&output, &expected);
    assert!(output.outcomes().contains_key("nobody/bad-0"));
}
