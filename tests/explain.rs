//! `cityops explain` over a replay: why an event is where it is, what would have turned it, and all that an incident took in.
#![allow(clippy::unwrap_used, reason = "tests")]

mod city;

use std::collections::BTreeMap;

use city::City;
use city::output::Replayed;
use city_simulator::Scenario;
use serde_json::Value;

/// A small storm, replayed with what was compared.
fn storm() -> (City, Replayed) {
    let city = City::new(Scenario::Typhoon, 5, 3_000);
    let replayed = city.replay_of(city.dir.path(), "out", &["--evidence"]);
    (city, replayed)
}

/// The last line of each event.
fn last_words(lines: Vec<Value>) -> BTreeMap<String, Value> {
    let name = |line: &Value| {
        format!(
            "{}/{}",
            line["source_system"].as_str().unwrap(),
            line["event_id"].as_str().unwrap()
        )
    };
    lines.into_iter().map(|line| (name(&line), line)).collect()
}

/// The command that tells of an event or an incident.
fn arguments<'a>(replayed: &'a Replayed, id: &'a str) -> [&'a str; 4] {
    ["explain", id, "--output", replayed.dir.to_str().unwrap()]
}

fn explain(replayed: &Replayed, id: &str) -> String {
    city::expect(0, &arguments(replayed, id))
}

#[test]
fn every_decision_of_a_replay_can_be_explained() {
    let (_city, replayed) = storm();
    let evidence = last_words(replayed.lines("evidence.ndjson"));

    let missed = |line: &&Value| {
        let miss = &line["nearest_miss"];
        line["outcome"] == "opened" && miss["because"] == "farther" && miss["radius_mm"] != 0
    };
    let (name, line) = evidence.iter().find(|(_, line)| missed(line)).unwrap();
    let told = explain(&replayed, name);
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
    let told = explain(&replayed, name);
    assert!(
        told.contains("Same kind, ") && told.contains("it would not have joined"),
        "{told}"
    );
    assert!(told.contains("同类问题，距事件位置"), "{told}");
}

#[test]
fn an_incident_lists_all_that_it_took_in() {
    let (_city, replayed) = storm();
    let members = replayed.members();
    let mut by_incident: BTreeMap<&str, usize> = BTreeMap::new();
    for (incident, _) in members.values() {
        *by_incident.entry(incident).or_default() += 1;
    }
    let (id, count) = by_incident.into_iter().max_by_key(|(_, count)| *count).unwrap();
    assert!(count > 20, "more than a record shows: {count}");
    let told = city::expect(0, &[&arguments(&replayed, id)[..], &["--json"]].concat());
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["members"].as_array().unwrap().len(), count);
    assert_eq!(told["incident"]["incident_id"], id);
    let sentences = told["sentences_zh"].as_array().unwrap();
    assert!(sentences[0].as_str().unwrap().contains("条上报"), "{sentences:?}");
}

#[test]
fn what_cannot_be_explained_is_said() {
    let (_city, replayed) = storm();
    let told = city::run(&arguments(&replayed, "nobody/x"));
    assert_eq!(told.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&told.stderr).contains("no event and no incident is called nobody/x"));
    std::fs::remove_file(replayed.dir.join("evidence.ndjson")).unwrap();
    let told = city::run(&arguments(&replayed, "nobody/x"));
    assert!(String::from_utf8_lossy(&told.stderr).contains("replay with --evidence"));
    city::expect(2, &["explain", "nobody/x"]);
}
