//! Laws that hold for any stream: nothing is lost, a duplicate changes nothing, a restart changes nothing, more evidence
//! never lowers a priority, and parts sum to their score.
#![allow(clippy::unwrap_used, reason = "tests")]

mod teller;

use std::collections::BTreeMap;

use city_model::{EventKey, Outcome, Signal, Source, Status};
use incident_engine::{Change, Engine, Setting, Trust, Witness};
use proptest::prelude::*;
use teller::{Teller, Told, at, call, camera, inspector, sensor};

const KINDS: [&str; 6] = [
    "road_ponding",
    "manhole_missing",
    "garbage_exposed",
    "tree_fallen",
    "fire_smoke",
    "parking_motor",
];

fn told() -> impl Strategy<Value = Told> {
    (
        0..KINDS.len(),
        0..4u8,
        -150..150i32,
        -150..150i32,
        0..600i64,
        0..40i64,
        0..12u64,
        any::<bool>(),
    )
        .prop_map(|(kind, source, x, y, minute, delay, number, clears)| {
            let (kind, x, y) = (KINDS[kind], f64::from(x), f64::from(y));
            let told = match source {
                0 => sensor(&format!("s{}", number % 4), kind, x, y),
                1 => camera(&format!("v{}", number % 4), kind, x, y).id(&format!("v{minute}-{number}")),
                2 => call(&format!("c{minute}-{number}"), kind, x, y)
                    .reporter(number)
                    .ticket(&format!("t{number}")),
                _ => inspector(&format!("i{minute}-{number}"), kind, x, y),
            };
            let told = told.at(minute).came_after(delay);
            if clears && source == 0 {
                told.clears()
            } else {
                told
            }
        })
}

/// A stream in the order in which a log would hold it.
fn stream() -> impl Strategy<Value = Vec<Told>> {
    prop::collection::vec(told(), 1..80).prop_map(|mut stream| {
        stream.sort_by_key(|told| (told.0.ingested_at, told.0.key.clone()));
        stream
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_event_has_one_outcome_and_every_incident_its_members(stream in stream()) {
        let mut story = Teller::new();
        stream.iter().for_each(|told| story.tell(told.clone()));
        let counted: i64 = Outcome::ALL.iter().map(|outcome| story.count(*outcome)).sum();
        prop_assert_eq!(counted, stream.len() as i64);
        // What was decided again is told again: the last word counts.
        let last: BTreeMap<&String, Outcome> =
            story.outcomes.iter().map(|(key, outcome, _)| (key, *outcome)).collect();
        let is_member = |outcome: &&Outcome| matches!(outcome, Outcome::Opened | Outcome::Joined);
        let members = last.values().filter(is_member).count();
        let shown: u64 = story.incidents().iter().map(|incident| incident.member_count).sum();
        prop_assert_eq!(shown, members as u64);
        // A resend is counted, and told of to nobody.
        for outcome in Outcome::ALL.iter().filter(|outcome| **outcome != Outcome::DuplicateId) {
            let told = last.values().filter(|other| *other == outcome).count();
            prop_assert_eq!(told as i64, story.count(*outcome), "{}", outcome);
        }
        for incident in story.incidents() {
            prop_assert!(incident.members.len() as u64 <= incident.member_count);
        }
    }

    #[test]
    fn a_duplicate_changes_nothing(stream in stream(), which in any::<prop::sample::Index>()) {
        let mut once = Teller::new();
        let mut twice = Teller::new();
        let again = which.index(stream.len());
        for (number, told) in stream.iter().enumerate() {
            once.tell(told.clone());
            twice.tell(told.clone());
            if number == again {
                twice.tell(told.clone());
            }
        }
        prop_assert_eq!(once.incidents(), twice.incidents());
        prop_assert_eq!(&once.revisions, &twice.revisions);
        prop_assert_eq!(once.count(Outcome::DuplicateId) + 1, twice.count(Outcome::DuplicateId));
    }

    #[test]
    fn a_restart_changes_nothing(stream in stream(), which in any::<prop::sample::Index>()) {
        let mut calm = Teller::new();
        let mut crashed = Teller::new();
        let cut = which.index(stream.len());
        for (number, told) in stream.iter().enumerate() {
            calm.tell(told.clone());
            if number == cut {
                // Only the rows survive, as a compacted changelog holds them: in any order of keys but the rules first.
                let activation = std::sync::Arc::new(teller::activation());
                let setting = Setting::with_rules(activation, teller::rules()).unwrap();
                let mut engine = Engine::with_setting(setting);
                let rows = crashed.rows.values().flatten();
                let changes: Vec<Change> = rows.map(|value| Change::from_row(value).unwrap()).collect();
                changes.iter().rev().for_each(|change| engine.apply(change).unwrap());
                crashed.engine = engine;
            }
            crashed.tell(told.clone());
        }
        let end = at(2_000);
        calm.tick(end);
        crashed.tick(end);
        prop_assert_eq!(calm.incidents(), crashed.incidents());
        prop_assert_eq!(&calm.revisions, &crashed.revisions);
        prop_assert_eq!(&calm.outcomes, &crashed.outcomes);
        prop_assert_eq!(&calm.rows, &crashed.rows);
    }

    #[test]
    fn what_is_at_rest_decides_nothing(stream in stream()) {
        let mut awake = Teller::new();
        let mut resting = Teller::new();
        for told in &stream {
            awake.tell(told.clone());
            resting.engine.rest();
            resting.tell(told.clone());
        }
        let end = at(2_000);
        awake.tick(end);
        resting.engine.rest();
        resting.tick(end);
        prop_assert_eq!(awake.incidents(), resting.incidents());
        prop_assert_eq!(&awake.revisions, &resting.revisions);
        prop_assert_eq!(&awake.outcomes, &resting.outcomes);
        prop_assert_eq!(&awake.rows, &resting.rows);
    }

    #[test]
    fn revisions_rise_and_parts_sum_to_the_score(stream in stream()) {
        let mut story = Teller::new();
        stream.iter().for_each(|told| story.tell(told.clone()));
        story.tick(at(3_000));
        let mut last: BTreeMap<String, u64> = BTreeMap::new();
        for record in &story.revisions {
            let before = last.insert(record.incident_id.to_string(), record.revision);
            prop_assert!(record.revision > before.unwrap_or(0));
            prop_assert_eq!(record.priority.parts.score(), record.priority.score);
            prop_assert!(!record.priority.reasons_zh.is_empty());
            prop_assert_eq!(record.priority.reasons_zh.len(), record.priority.reasons_en.len());
        }
    }

    #[test]
    fn more_evidence_never_lowers_a_priority(
        stream in stream(),
        channel in 0..3u8,
        reporter in 100..200u64,
    ) {
        let mut story = Teller::new();
        // What is believed of devices is part of their health: whatever it is, it is held fixed here. A storm passes.
        for (device, false_alarms) in [("v0", 9), ("s0", 9), ("s1", 0)] {
            let trust = Trust { judged: 9, false_alarms };
            story.engine.apply(&Change::PutTrust(Witness::Device(device.into()), trust)).unwrap();
        }
        let bad = Trust { judged: 9, false_alarms: 9 };
        story.engine.apply(&Change::PutTrust(Witness::Algorithm("bad".into()), bad)).unwrap();
        let mut storm = teller::warning("w1", city_model::Severity::Orange, "310117", 100);
        storm.expires_at = Some(at(400));
        story.warn(storm);
        for (number, told) in stream.iter().enumerate() {
            let mut told = told.clone();
            if number % 3 == 0 && told.0.source == Source::Video {
                told.0.algorithm = Some("bad".into());
            }
            story.tell(told);
        }
        let Some(open) = story.incidents().into_iter().find(|incident| incident.status == Status::Open) else {
            return Ok(());
        };
        let before = story.assessed(&open.id);
        // One more witness of the same kind at the incident's own place and time, everything else as it was.
        let minute = (open.last_event_at - at(0)) / 60_000;
        let mut more = match channel {
            0 => call("more", open.kind.as_str(), 0.0, 0.0).reporter(reporter),
            1 => inspector("more", open.kind.as_str(), 0.0, 0.0),
            _ => camera("more", open.kind.as_str(), 0.0, 0.0),
        }
        .at(minute);
        more.0.ingested_at = open.last_heard_at;
        if channel == 2 && reporter % 2 == 0 {
            more.0.algorithm = Some("bad".into());
        }
        if let (Some(point), Some(located)) = (open.fused.point(), &mut more.0.located) {
            located.position = city_model::Plane::at(teller::origin()).unproject(point);
        }
        prop_assert_eq!(more.0.signal, Signal::Report);
        story.input(&city_model::Input::Event(std::sync::Arc::new(more.0)));
        let after = story.assessed(&open.id);
        prop_assert!(after.score >= before.score, "{:?} to {:?}", before, after);
        prop_assert!(after.band <= before.band, "{:?} to {:?}", before, after);
    }
}

#[test]
fn row_keys_of_different_events_differ() {
    let key = |system: &str, id: &str| Change::ForgetEvent(EventKey::new(system, id)).key();
    assert_ne!(key("a/b", "c"), key("a", "b/c"));
    let engine = Engine::default();
    assert_eq!(
        engine.removal_of(&key("a/b", "c")),
        Some(Change::ForgetEvent(EventKey::new("a/b", "c")))
    );
    assert_eq!(engine.removal_of("event/9/x"), None);
    assert_eq!(engine.counted(Source::Sensor, Outcome::Opened), 0);
}
