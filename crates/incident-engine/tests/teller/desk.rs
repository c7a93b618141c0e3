//! The centre's desk: its words, and what was told of two heaps of rubbish.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use city_model::{Action, Command, Incident, IncidentId, Status};
use incident_engine::{Change, Engine, Setting};

use super::{Teller, Told, call, command};

/// Rubbish at a place, told by a caller of his own.
pub fn rubbish(id: &str, x: f64, minute: i64) -> Told {
    call(id, "garbage_exposed", x, 0.0).at(minute)
}

pub fn id_of(story: &Teller, event: &str) -> IncidentId {
    let holds = |incident: &&Incident| {
        let mut members = incident.members.iter();
        incident.status != Status::Merged && members.any(|member| &*member.key.event_id == event)
    };
    let incidents = story.incidents();
    let found: Vec<_> = incidents.iter().filter(holds).collect();
    assert_eq!(found.len(), 1, "{event}: {incidents:#?}");
    found[0].id.clone()
}

pub fn order(id: &str, incident: &IncidentId, action: Action) -> Command {
    command(id, incident, action)
}

pub fn merging(id: &str, into: &IncidentId, other: &IncidentId) -> Command {
    Command {
        other_incident_id: Some(other.clone()),
        ..order(id, into, Action::Merge)
    }
}

pub fn parting(id: &str, from: &IncidentId, events: &[&str]) -> Command {
    Command {
        event_ids: events
            .iter()
            .map(|event| format!("hotline/{event}").into())
            .collect(),
        ..order(id, from, Action::Split)
    }
}

/// What a compacted changelog gives back.
pub fn restart(story: &mut Teller) {
    let activation = Arc::new(super::activation());
    let mut engine = Engine::with_setting(Setting::with_rules(activation, super::rules()).unwrap());
    for value in story.rows.values().flatten() {
        engine.apply(&Change::from_row(value).unwrap()).unwrap();
    }
    story.engine = engine;
}

pub fn kept(story: &Teller, id: &IncidentId) -> Incident {
    story.incidents.get(id).unwrap().as_ref().clone()
}

/// Two heaps 400 m apart, each with two callers.
pub fn two_heaps() -> (Teller, IncidentId, IncidentId) {
    let mut story = Teller::new();
    story.tell(rubbish("a1", 0.0, 0));
    story.tell(rubbish("b1", 400.0, 1));
    story.tell(rubbish("a2", 3.0, 2));
    story.tell(rubbish("b2", 403.0, 3));
    let (a, b) = (id_of(&story, "a1"), id_of(&story, "b1"));
    assert_ne!(a, b);
    (story, a, b)
}

/// Events that go from one incident to another.
pub fn moving(id: &str, from: &IncidentId, to: &IncidentId, events: &[&str]) -> Command {
    Command {
        action: Action::Move,
        other_incident_id: Some(to.clone()),
        ..parting(id, from, events)
    }
}
