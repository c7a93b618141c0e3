//! Where records say that things are, and what devices do while they are in an incident.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use city_grid::{Crs, crs::to_wgs84};
use city_simulator::{Scenario, SimulatedRecord, Source, simulate};
use serde_json::Value;

fn records(scenario: Scenario, seed: u64, events: usize) -> Vec<SimulatedRecord> {
    simulate(scenario, seed, events).collect()
}

fn json(record: &SimulatedRecord) -> Value {
    serde_json::from_str(&record.line).unwrap()
}

#[test]
fn one_ticket_in_ten_has_no_usable_coordinates_but_an_address() {
    let mut all = 0;
    let mut lost = 0;
    for record in records(Scenario::Normal, 31, 60_000) {
        let value = json(&record);
        if record.source != Source::Hotline || record.truth.is_none() {
            continue;
        }
        all += 1;
        let quality = value["location"]["quality"].as_str();
        if value["location"].is_null() || matches!(quality, Some("NONE" | "ROAD" | "TOWN")) {
            lost += 1;
            assert!(value["address"].is_string());
        }
    }
    let share = f64::from(lost) / f64::from(all);
    assert!((0.08..0.12).contains(&share), "{share}");
}

#[test]
fn a_device_in_an_incident_sends_no_quiet_reading_between_its_alarms() {
    let mut alarms: BTreeMap<String, BTreeMap<String, (i64, i64)>> = BTreeMap::new();
    let mut quiet = Vec::new();
    for record in records(Scenario::Typhoon, 43, 60_000) {
        if record.source != Source::Sensor {
            continue;
        }
        let observed = json(&record)["observed_at"].as_i64().unwrap();
        if (observed - record.arrival_ms).abs() > 2 * 3_600_000 {
            continue; // a wrong clock
        }
        match record.truth {
            Some(truth) => {
                let spans = alarms.entry(record.key).or_default();
                let span = spans.entry(truth.incident).or_insert((observed, observed));
                *span = (span.0.min(observed), span.1.max(observed));
            }
            None if record.event_id.starts_with('Q') => quiet.push((record.key, observed)),
            None => {}
        }
    }
    assert!(alarms.len() > 100);
    for (device, at) in quiet {
        for &(from, to) in alarms.get(&device).into_iter().flat_map(BTreeMap::values) {
            assert!(!(from..=to).contains(&at), "{device} at {at}");
        }
    }
}

/// The coordinate systems that the configuration declares.
fn declared(config: &str) -> BTreeMap<String, Crs> {
    let mut systems = BTreeMap::new();
    let mut name = String::new();
    for line in config.lines() {
        if let Some(rest) = line.strip_prefix("[sources.\"") {
            name = rest.trim_end_matches("\"]").to_owned();
        } else if let Some(rest) = line.strip_prefix("crs = \"")
            && !name.is_empty()
        {
            systems.insert(name.clone(), crs(rest.trim_end_matches('"')));
        }
    }
    systems
}

fn crs(name: &str) -> Crs {
    Crs::ALL.into_iter().find(|crs| crs.name() == name).unwrap()
}

/// What is declared wrongly lies 450 m or more away; what is declared rightly is mostly within a hundred metres.
#[test]
fn every_source_places_an_incident_where_its_device_is() {
    let simulation = simulate(Scenario::Normal, 47, 100_000);
    let systems = declared(&simulation.config_toml());
    let devices: BTreeMap<String, (f64, f64)> = simulation
        .devices_csv()
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            (
                fields[0].to_owned(),
                (fields[1].parse().unwrap(), fields[2].parse().unwrap()),
            )
        })
        .collect();
    let mut at = BTreeMap::new();
    let mut placed = Vec::new();
    for record in simulation {
        let Some(truth) = &record.truth else { continue };
        let value = json(&record);
        if record.source == Source::Sensor {
            at.insert(truth.incident.clone(), devices[&record.key]);
            continue;
        }
        let location = &value["location"];
        let lost = matches!(location["quality"].as_str(), Some("NONE" | "ROAD" | "TOWN"));
        if location.is_null() || lost || record.source == Source::Video {
            continue;
        }
        let system = value["source_system"].as_str().unwrap().to_owned();
        let named = location["crs"].as_str().map(crs);
        let (x, y) = (location["x"].as_f64().unwrap(), location["y"].as_f64().unwrap());
        let place = to_wgs84(named.unwrap_or(systems[&system]), x, y).unwrap();
        placed.push((system, truth.incident.clone(), place));
    }
    let mut distances: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (system, incident, (lon, lat)) in placed {
        let Some(&(to_lon, to_lat)) = at.get(&incident) else {
            continue;
        };
        let (dx, dy) = ((lon - to_lon) * 95_300.0, (lat - to_lat) * 111_320.0);
        distances
            .entry(system)
            .or_default()
            .push((dx * dx + dy * dy).sqrt());
    }
    assert_eq!(distances.len(), 7, "{:?}", distances.keys());
    for (system, mut distances) in distances {
        distances.sort_by(f64::total_cmp);
        let median = distances[distances.len() / 2];
        assert!(median < 160.0, "{system}: {median} m");
    }
}
