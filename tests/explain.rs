//! `cityops explain` over a replay: why an event is where it is, what would have turned it, and all that an incident took in.
#![allow(clippy::unwrap_used, reason = "tests")]

mod city;

use std::collections::BTreeMap;

use city::City;
use city::output::Replayed;
use city_simulator::Scenario;
use serde_json::Value;

/// A storm that is decided again in no time.
fn shower() -> (City, Replayed) {
    let city = City::new(Scenario::Typhoon, 5, 800);
    let replayed = city.replay_of(city.dir.path(), "out", &["--evidence"]);
    (city, replayed)
}

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
    assert!(
        told.contains(&format!("{:.0}", metres.floor())),
        "{metres} m: {told}"
    );
    assert!(
        told.contains("最近而未归入的是") && told.contains("opened incident"),
        "{told}"
    );
    // Nothing is promised that was not tried.
    assert!(!told.contains("would have joined"), "{told}");

    let near = |line: &&Value| line["outcome"] == "joined" && line["why"] == "near";
    let (name, _) = evidence.iter().find(|(_, line)| near(line)).unwrap();
    let told = explain(&replayed, name);
    assert!(told.contains("Same kind, "), "{told}");
    assert!(told.contains("同类问题，距事件位置"), "{told}");
}

/// What is said would turn a decision does turn it, when one sets it; and what is said would not, does not.
#[test]
fn what_would_have_turned_it_holds_when_one_sets_it() {
    let (city, replayed) = shower();
    let evidence = last_words(replayed.lines("evidence.ndjson"));
    let (mut tried, mut turned) = (0, 0);
    let missed = |line: &Value| {
        let because = &line["nearest_miss"]["because"];
        line["outcome"] == "opened" && (because == "farther" || because == "gap")
    };
    let near = |line: &Value| {
        line["outcome"] == "joined" && line["why"] == "near" && line["doubt_milli"].as_i64() > Some(0)
    };
    let names = evidence.iter().filter(|(_, line)| missed(line)).take(3);
    let names = names.chain(evidence.iter().filter(|(_, line)| near(line)).take(2));
    for (name, _) in names {
        let asked = ["--config", &city.config(), "--input", &city.input(), "--json"];
        let told = city::expect(0, &[&arguments(&replayed, name)[..], &asked].concat());
        let told: Value = serde_json::from_str(&told).unwrap();
        for change in told["tried"].as_array().into_iter().flatten() {
            let text = |key: &str| change[key].as_str().unwrap();
            let (kind, key, founder) = (text("kind"), text("key"), text("of"));
            let after = change["after_milli"].as_f64().unwrap() / 1_000.0;
            let rules = match key {
                "gap" => format!("gap = \"{after}s\"\n"),
                "radius" => format!("radius = {after}\n"),
                _ => format!("{key} = {after}\n"),
            };
            std::fs::write(city.path("changed.toml"), format!("[kinds.{kind}]\n{rules}")).unwrap();
            let config = std::fs::read_to_string(city.config()).unwrap();
            let changed = city.path("changed-city.toml");
            std::fs::write(
                &changed,
                format!("{config}\n[rules]\nfiles = [\"changed.toml\"]\n"),
            )
            .unwrap();
            let output = city.path("changed");
            let (config, output) = (changed.display().to_string(), output.display().to_string());
            city::expect(
                0,
                &[
                    "replay",
                    "--config",
                    &config,
                    "--input",
                    &city.input(),
                    "--output",
                    &output,
                ],
            );
            let members = Replayed { dir: output.into() }.members();
            let of = |name: &str| members.get(name).map(|(incident, _)| incident);
            let together = of(name).is_some() && of(name) == of(founder);
            assert_eq!(
                change["together"], together,
                "{rules}: {name} and {founder}: {told}"
            );
            tried += 1;
            turned += usize::from(change["turns"] == true);
        }
    }
    assert!(tried >= 4 && turned >= 2, "{turned} of {tried}");
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
