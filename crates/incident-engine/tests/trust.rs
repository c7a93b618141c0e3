//! Feedback: devices and algorithms whose incidents turn out to be false alarms are believed less, and more again once they do not.
#![allow(clippy::unwrap_used, reason = "tests")]

mod teller;

use std::sync::Arc;

use city_model::{Action, Command, IncidentId};
use incident_engine::{Change, Engine, Setting, Trust, Witness};
use teller::{Teller, activation, at, call, camera, command, rules, sensor};

/// Tells of trouble `number` by a sensor, and answers the id and the points of credibility.
fn alarm(story: &mut Teller, number: i64) -> (IncidentId, u32) {
    // Far apart: each is an incident of its own.
    let told = sensor("s1", "road_ponding", number as f64 * 2_000.0, 0.0).at(number * 100);
    story.tell(told.id(&format!("r{number}")));
    let record = story.revisions.last().unwrap();
    (record.incident_id.clone(), record.priority.parts.credibility)
}

fn said(story: &mut Teller, id: &IncidentId, action: Action) {
    let name = format!("{action}-{}", story.outcomes.len());
    assert_eq!(
        story.command(command(&name, id, action)),
        format!("{action} applied")
    );
}

fn device() -> Witness {
    Witness::Device("s1".into())
}

#[test]
fn a_sensor_that_cries_wolf_is_believed_less_and_once_it_is_mended_more_again() {
    let mut story = Teller::new();
    let mut points = Vec::new();
    for number in 0..6 {
        let (id, believed) = alarm(&mut story, number);
        points.push(believed);
        said(&mut story, &id, Action::FalseAlarm);
    }
    assert_eq!(
        points,
        [6, 6, 6, 6, 6, 2],
        "nothing is concluded from fewer than five"
    );
    let record = story.revisions.last().unwrap();
    let reason = "传感器近5次核实有5次误报，可信度下调";
    assert!(
        record.priority.reasons_zh.iter().any(|told| told == reason),
        "{:?}",
        record.priority.reasons_zh
    );
    // Mended.
    let mut last = 0;
    for number in 6..100 {
        let (id, believed) = alarm(&mut story, number);
        last = believed;
        said(&mut story, &id, Action::Resolve);
        said(&mut story, &id, Action::Verify);
    }
    assert_eq!(last, 7, "the past fades");
}

#[test]
fn each_incident_counts_once_and_a_word_that_is_taken_back_not_at_all() {
    let mut story = Teller::new();
    let (id, _) = alarm(&mut story, 0);
    let trust = |story: &Teller| {
        let Trust { judged, false_alarms } = story.engine.trust_of(&device());
        (judged, false_alarms)
    };
    said(&mut story, &id, Action::Resolve);
    said(&mut story, &id, Action::Resolve);
    assert_eq!(trust(&story), (1, 0));
    said(&mut story, &id, Action::FalseAlarm);
    assert_eq!(trust(&story), (1, 1), "the last word counts");
    said(&mut story, &id, Action::Undo);
    assert_eq!(trust(&story), (1, 0));
    said(&mut story, &id, Action::FalseAlarm);
    said(&mut story, &id, Action::Reopen);
    assert_eq!(trust(&story), (0, 0), "it was none");
}

#[test]
fn an_algorithm_is_judged_by_its_version_and_a_second_witness_never_hurts() {
    let mut story = Teller::new();
    let by = |told: teller::Told, version: &str| {
        let mut told = told;
        told.0.algorithm = Some(format!("acme/ponding/{version}").as_str().into());
        told
    };
    for number in 0..5 {
        let x = f64::from(number) * 2_000.0;
        let told = camera(&format!("v{number}"), "road_ponding", x, 0.0).id(&format!("e{number}"));
        story.tell(by(told, "1.0").at(i64::from(number) * 100));
        let id = story.revisions.last().unwrap().incident_id.clone();
        said(&mut story, &id, Action::FalseAlarm);
    }
    let algorithm = Witness::Algorithm("acme/ponding/1.0".into());
    assert_eq!(
        story.engine.trust_of(&algorithm),
        Trust {
            judged: 5,
            false_alarms: 5
        }
    );
    let points = |story: &Teller| story.revisions.last().unwrap().priority.parts.credibility;
    story.tell(by(camera("v9", "road_ponding", 50_000.0, 0.0).id("a"), "2.0").at(600));
    assert_eq!(points(&story), 4, "another version");
    story.tell(by(camera("v10", "road_ponding", 50_005.0, 0.0).id("b"), "1.0").at(601));
    story.tick(at(602));
    assert_eq!(points(&story), 4, "one more never lowers");
    story.tell(by(camera("v11", "road_ponding", 90_000.0, 0.0).id("c"), "1.0").at(603));
    assert_eq!(points(&story), 1, "never nothing");
    story.tell(call("c1", "road_ponding", 90_000.0, 0.0).credibility(5).at(604));
    story.tick(at(605));
    assert_eq!(
        points(&story),
        10,
        "the caller is believed, and two kinds of source tell"
    );
}

#[test]
fn what_was_learned_is_state() {
    let mut story = Teller::new();
    for number in 0..5 {
        let (id, _) = alarm(&mut story, number);
        said(&mut story, &id, Action::FalseAlarm);
    }
    let setting = Setting::with_rules(Arc::new(activation()), rules()).unwrap();
    let mut engine = Engine::with_setting(setting);
    for value in story.rows.values().flatten() {
        engine.apply(&Change::from_row(value).unwrap()).unwrap();
    }
    assert_eq!(
        engine.trust_of(&device()),
        Trust {
            judged: 5,
            false_alarms: 5
        }
    );
    story.engine = engine;
    assert_eq!(alarm(&mut story, 6).1, 2);
}

#[test]
fn a_pin_says_nothing_of_a_witness() {
    let mut story = Teller::new();
    let (id, _) = alarm(&mut story, 0);
    let pin = Command {
        band: Some(city_model::Band::P1),
        ..command("pin", &id, Action::PinPriority)
    };
    story.command(pin);
    said(&mut story, &id, Action::Close);
    assert_eq!(story.engine.trust_of(&device()), Trust::default());
}
