//! What a simulation promises: counts, order, identities, truth, shares, and the same bytes for the same seed.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use city_simulator::{Scenario, SimulatedRecord, Source, simulate};
use proptest::prelude::*;
use serde_json::Value;

const BOTH: [Scenario; 2] = [Scenario::Normal, Scenario::Typhoon];

fn records(scenario: Scenario, seed: u64, events: usize) -> Vec<SimulatedRecord> {
    simulate(scenario, seed, events).collect()
}

fn json(record: &SimulatedRecord) -> Value {
    serde_json::from_str(&record.line).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    for scenario in BOTH {
        let first = records(scenario, 42, 3_000);
        assert_eq!(first, records(scenario, 42, 3_000));
        assert_ne!(first, records(scenario, 43, 3_000));
    }
    let files = |seed| {
        let city = simulate(Scenario::Normal, seed, 10);
        (city.devices_csv(), city.components_csv(), city.facilities_csv())
    };
    let addresses = |seed| simulate(Scenario::Normal, seed, 10).addresses_csv();
    assert_eq!(addresses(1), addresses(1));
    assert_eq!(files(1), files(1));
    assert_ne!(files(1), files(2));
}

#[test]
fn there_are_exactly_as_many_records_as_asked_for() {
    for scenario in BOTH {
        for events in [0, 1, 2, 17, 999, 5_000] {
            let simulation = simulate(scenario, 5, events);
            assert_eq!(simulation.len(), events);
            assert_eq!(simulation.count(), events, "{scenario:?} {events}");
        }
    }
}

#[test]
fn records_come_by_arrival() {
    for scenario in BOTH {
        let records = records(scenario, 7, 20_000);
        let sorted = records.is_sorted_by_key(|record| record.arrival_ms);
        assert!(sorted, "{scenario:?}");
    }
}

/// The mandatory fields of each stream.
fn mandatory(source: Source) -> &'static [&'static str] {
    match source {
        Source::Sensor => &[
            "event_id",
            "source_system",
            "device_id",
            "metric",
            "value",
            "observed_at",
        ],
        Source::Hotline => &["event_id", "source_system", "ticket_id", "called_at"],
        Source::Video => &[
            "event_id",
            "source_system",
            "camera_id",
            "alert_code",
            "confidence",
            "captured_at",
        ],
        Source::Report => &["event_id", "source_system", "channel", "report_id", "observed_at"],
        Source::Weather => &[
            "warning_id",
            "revision",
            "signal",
            "severity",
            "region_codes",
            "status",
            "issued_at",
            "effective_at",
        ],
        Source::Silence => &[
            "silence_id",
            "kinds",
            "area",
            "starts_at",
            "ends_at",
            "reason",
            "created_by",
            "created_at",
        ],
        Source::Command => &[],
    }
}

#[test]
fn every_line_is_json_with_its_mandatory_fields_and_no_line_break() {
    for scenario in BOTH {
        for record in records(scenario, 11, 20_000) {
            let value = json(&record);
            for field in mandatory(record.source) {
                assert!(!value[field].is_null(), "{field} in {}", record.line);
            }
            assert!(!record.line.contains('\n'));
            if let Some(id) = value.get("event_id") {
                assert_eq!(id, &Value::from(record.event_id.clone()));
            }
            // No kind name of ours: only a silence may name kinds, which are the centre's own words.
            if record.source != Source::Silence {
                for kind in [
                    "manhole_missing",
                    "tree_fallen",
                    "garbage_exposed",
                    "road_ponding",
                ] {
                    assert!(!record.line.contains(kind), "{}", record.line);
                }
            }
        }
    }
}

#[test]
fn identities_are_unique_but_for_resends_which_are_the_same_bytes() {
    for scenario in BOTH {
        let mut seen = BTreeMap::new();
        let mut resends = 0;
        let all = records(scenario, 13, 30_000);
        for record in &all {
            let earlier = seen.insert(record.event_id.clone(), record.line.clone());
            if let Some(earlier) = earlier {
                assert_eq!(earlier, record.line);
                assert!(record.truth.is_none(), "a resend has no truth of its own");
                resends += 1;
            }
        }
        let share = f64::from(resends) / all.len() as f64;
        assert!((0.007..0.013).contains(&share), "{share}");
    }
}

#[test]
fn shares_are_those_of_the_mix() {
    // sensor, hotline, video, report
    let mixes = [
        (Scenario::Normal, [0.55, 0.20, 0.15, 0.10]),
        (Scenario::Typhoon, [0.51, 0.28, 0.105, 0.10]),
    ];
    for (scenario, mix) in mixes {
        let all = records(scenario, 17, 60_000);
        let share =
            |source| all.iter().filter(|record| record.source == source).count() as f64 / all.len() as f64;
        let got = [Source::Sensor, Source::Hotline, Source::Video, Source::Report].map(share);
        for (got, want) in got.iter().zip(mix) {
            assert!((got - want).abs() < 0.03, "{scenario:?}: {got:.3} for {want}");
        }
        let alarms = all
            .iter()
            .filter(|record| record.source == Source::Sensor && record.truth.is_some())
            .count() as f64;
        let sensors = got[0] * all.len() as f64;
        assert!(alarms / sensors < 0.5, "most readings are quiet");
        assert!(alarms / sensors > 0.05, "some alarm");
    }
}

#[test]
fn truth_has_many_kinds_many_sources_and_lonely_false_alarms() {
    for scenario in BOTH {
        let mut kinds = BTreeSet::new();
        let mut incidents: BTreeMap<String, (BTreeSet<Source>, &str)> = BTreeMap::new();
        for record in records(scenario, 19, 60_000) {
            let Some(truth) = record.truth else { continue };
            kinds.insert(truth.kind);
            let entry = incidents
                .entry(truth.incident)
                .or_insert((BTreeSet::new(), truth.kind));
            assert_eq!(entry.1, truth.kind, "an incident has one kind");
            entry.0.insert(record.source);
        }
        assert!(kinds.len() >= 30, "{scenario:?}: {}", kinds.len());
        let several = incidents
            .values()
            .filter(|(sources, _)| sources.len() > 1)
            .count();
        assert!(several * 5 > incidents.len(), "{several} of {}", incidents.len());
        let mut lonely = 0;
        for (name, (sources, _)) in &incidents {
            if name.starts_with("false-") {
                assert_eq!(sources.len(), 1, "{name}");
                lonely += 1;
            }
        }
        assert!(lonely > 50);
    }
}

#[test]
fn quiet_and_clear_records_and_mere_contacts_have_no_truth() {
    for record in records(Scenario::Normal, 23, 20_000) {
        let value = json(&record);
        let quiet = value["alarm"] == Value::Bool(false)
            || value["phase"] == "END"
            || value["appeal_type"] == "咨询"
            || record.event_id.starts_with('Q');
        assert!(!quiet || record.truth.is_none(), "{}", record.line);
    }
}

#[test]
fn a_ticket_cites_one_that_exists_and_shares_its_key_and_incident() {
    let mut tickets = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut cited = 0;
    let mut all = 0;
    let list = records(Scenario::Typhoon, 29, 60_000);
    for record in list.iter().filter(|record| record.source == Source::Hotline) {
        if record.truth.is_some() {
            let id = json(record)["ticket_id"].as_str().unwrap().to_owned();
            tickets.insert(id, record.truth.clone());
        }
    }
    for record in list.iter().filter(|record| record.source == Source::Hotline) {
        all += 1;
        let value = json(record);
        seen.insert(value["ticket_id"].as_str().unwrap().to_owned());
        let Some(parent) = value["parent_ticket_id"].as_str() else {
            continue;
        };
        cited += 1;
        assert_eq!(record.key, parent);
        assert!(
            seen.contains(parent) || record.truth.is_none(),
            "{parent} is cited before it exists"
        );
        if let (Some(truth), Some(Some(first))) = (&record.truth, tickets.get(parent)) {
            assert_eq!(truth.incident, first.incident);
        }
    }
    let share = f64::from(cited) / f64::from(all);
    assert!((0.015..0.04).contains(&share), "{share}");
}

#[test]
fn a_storm_warns_the_district_and_its_neighbour_up_to_red_and_cancels() {
    let mut severities: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for record in records(Scenario::Typhoon, 37, 20_000) {
        if record.source != Source::Weather {
            continue;
        }
        let value = json(&record);
        let id = value["warning_id"].as_str().unwrap().to_owned();
        let step = match value["status"].as_str().unwrap() {
            "CANCELLED" => "CANCELLED",
            _ => value["severity"].as_str().unwrap(),
        };
        severities.entry(id).or_default().push(step.to_owned());
        let revision = severities[value["warning_id"].as_str().unwrap()].len();
        assert_eq!(value["revision"], revision);
    }
    assert_eq!(severities.len(), 4);
    for (id, steps) in severities {
        assert_eq!(steps[..4], ["BLUE", "YELLOW", "ORANGE", "RED"], "{id}");
        assert_eq!(steps.last().unwrap(), "CANCELLED", "{id}");
    }
}

#[test]
fn files_name_what_the_records_name() {
    let simulation = simulate(Scenario::Normal, 41, 5_000);
    let devices = simulation.devices_csv();
    let components = simulation.components_csv();
    let config = simulation.config_toml();
    let ids = |csv: &str| -> BTreeSet<String> {
        csv.lines()
            .skip(1)
            .map(|line| line.split(',').next().unwrap().to_owned())
            .collect()
    };
    let (devices, components) = (ids(&devices), ids(&components));
    for record in simulation {
        let value = json(&record);
        if let Some(device) = value["device_id"].as_str() {
            assert!(devices.contains(device), "{device}");
        }
        if let Some(component) = value["component_id"].as_str() {
            assert!(components.contains(component), "{component}");
        }
        if let Some(system) = value["source_system"].as_str() {
            assert!(config.contains(&format!("[sources.\"{system}\"]")), "{system}");
        }
    }
}

#[test]
fn scenarios_have_names() {
    for scenario in BOTH {
        assert_eq!(scenario.name().parse(), Ok(scenario));
    }
    assert!("earthquake".parse::<Scenario>().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_seed_and_count_gives_exactly_that_many_by_arrival_with_truth_once(
        seed in any::<u64>(),
        events in 0_usize..1_500,
        storm in any::<bool>(),
    ) {
        let scenario = if storm { Scenario::Typhoon } else { Scenario::Normal };
        let records = records(scenario, seed, events);
        prop_assert_eq!(records.len(), events);
        prop_assert!(records.is_sorted_by_key(|record| record.arrival_ms));
        let mut told = BTreeSet::new();
        for record in records.iter().filter(|record| record.truth.is_some()) {
            prop_assert!(told.insert(&record.event_id), "{} has two truths", record.event_id);
        }
    }
}
