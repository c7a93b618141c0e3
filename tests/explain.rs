//! `cityops explain` over a replay: why an event is where it is, what would have turned it, and all that an incident took in.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn cityops(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cityops"))
        .args(args)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A small storm, replayed with what was compared.
fn storm(dir: &Path) -> PathBuf {
    let input = dir.join("in");
    let output = dir.join("out");
    cityops::commands::simulate_into(&input, city_simulator::Scenario::Typhoon, 5, 3_000).unwrap();
    let done = cityops(&[
        "replay",
        "--config",
        input.join("cityops.toml").to_str().unwrap(),
        "--input",
        input.to_str().unwrap(),
        "--output",
        output.to_str().unwrap(),
        "--evidence",
    ]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    output
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The last line of each event.
fn last_words(path: &Path) -> BTreeMap<String, Value> {
    let name = |line: &Value| {
        format!(
            "{}/{}",
            line["source_system"].as_str().unwrap(),
            line["event_id"].as_str().unwrap()
        )
    };
    lines(path).into_iter().map(|line| (name(&line), line)).collect()
}

fn explain(output: &Path, id: &str) -> String {
    let told = cityops(&["explain", id, "--output", output.to_str().unwrap()]);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    text(&told)
}

#[test]
fn every_decision_of_a_replay_can_be_explained() {
    let dir = tempfile::tempdir().unwrap();
    let output = storm(dir.path());
    let evidence = last_words(&output.join("evidence.ndjson"));

    let missed = |line: &&Value| {
        let miss = &line["nearest_miss"];
        line["outcome"] == "opened" && miss["because"] == "farther" && miss["radius_mm"] != 0
    };
    let (name, line) = evidence.iter().find(|(_, line)| missed(line)).unwrap();
    let told = explain(&output, name);
    let metres = line["nearest_miss"]["distance_mm"].as_f64().unwrap() / 1_000.0;
    let radius = told.rsplit_once("would have joined at radius ").unwrap().1;
    let radius: f64 = radius
        .split_once(['.', '\n'])
        .map_or(radius, |(whole, _)| whole)
        .parse()
        .unwrap();
    assert!((radius - metres).abs() <= 1.0, "{metres} m: {told}");
    assert!(
        told.contains("就会归入") && told.contains("opened incident"),
        "{told}"
    );

    let near = |line: &&Value| line["outcome"] == "joined" && line["why"] == "near";
    let (name, _) = evidence.iter().find(|(_, line)| near(line)).unwrap();
    let told = explain(&output, name);
    assert!(
        told.contains("Same kind, ") && told.contains("it would not have joined"),
        "{told}"
    );
    assert!(told.contains("同类问题，距事件位置"), "{told}");
}

#[test]
fn an_incident_lists_all_that_it_took_in() {
    let dir = tempfile::tempdir().unwrap();
    let output = storm(dir.path());
    let members = std::fs::read_to_string(output.join("members.csv")).unwrap();
    let mut by_incident: BTreeMap<&str, usize> = BTreeMap::new();
    for line in members.lines().skip(1) {
        *by_incident.entry(line.split(',').nth(2).unwrap()).or_default() += 1;
    }
    let (id, count) = by_incident.into_iter().max_by_key(|(_, count)| *count).unwrap();
    assert!(count > 20, "more than a record shows: {count}");
    let told = cityops(&["explain", id, "--json", "--output", output.to_str().unwrap()]);
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told["members"].as_array().unwrap().len(), count);
    assert_eq!(told["incident"]["incident_id"], id);
    let sentences = told["sentences_zh"].as_array().unwrap();
    assert!(sentences[0].as_str().unwrap().contains("条上报"), "{sentences:?}");
}

#[test]
fn what_cannot_be_explained_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let output = storm(dir.path());
    let told = cityops(&["explain", "nobody/x", "--output", output.to_str().unwrap()]);
    assert_eq!(told.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&told.stderr).contains("no event and no incident is called nobody/x"));
    std::fs::remove_file(output.join("evidence.ndjson")).unwrap();
    let told = cityops(&["explain", "nobody/x", "--output", output.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&told.stderr).contains("replay with --evidence"));
    assert_eq!(cityops(&["explain", "nobody/x"]).status.code(), Some(2));
}
