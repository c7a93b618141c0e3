//! What taking a command back must not do: hide what is open, close what was heard of, or take another's command for its own.
#![allow(clippy::unwrap_used, reason = "tests")]

mod teller;

use city_model::{Action, Band, Command, IncidentId, Outcome, Overdue, Status};
use incident_engine::Change;
use teller::desk::{id_of, kept, merging, moving, order, parting, restart, two_heaps};
use teller::{Teller, Told, at, call, sensor};

/// A fight, which is over after a quarter of an hour without a word, and is a P1.
fn fight(id: &str, x: f64, minute: i64) -> Told {
    call(id, "fight", x, 0.0).at(minute)
}

fn state(story: &Teller, id: &IncidentId) -> (Status, u64) {
    let incident = kept(story, id);
    (incident.status, incident.member_count)
}

#[test]
fn what_was_split_off_and_is_open_is_not_put_back_into_what_is_over() {
    let mut story = Teller::new();
    story.tell(fight("a1", 0.0, 0));
    story.tell(fight("a2", 20.0, 0));
    let one = story.only().id;
    story.command(parting("k1", &one, &["a2"]));
    let own = id_of(&story, "a2");
    // Nobody says anything of the first one; the other goes on.
    story.tell(fight("a3", 20.0, 10));
    story.tell(fight("a4", 20.0, 20));
    assert_eq!(state(&story, &one), (Status::Closed, 1));
    assert_eq!(state(&story, &own), (Status::Open, 3));
    restart(&mut story);
    assert_eq!(story.command(order("k2", &own, Action::Undo)), "undo applied");
    assert_eq!(state(&story, &own).0, Status::Merged);
    assert_eq!(
        state(&story, &one),
        (Status::Open, 4),
        "somebody still fights there"
    );
    assert_eq!(kept(&story, &one).band, Band::P1);
    story.tick(at(21));
    assert_eq!(state(&story, &one).0, Status::Open);
    story.tick(at(40));
    assert_eq!(
        state(&story, &one).0,
        Status::Closed,
        "nobody said anything since"
    );
}

#[test]
fn what_is_opened_by_taking_back_is_not_over_with_the_next_tick() {
    let mut story = Teller::new();
    story.tell(fight("a1", 0.0, 0));
    story.tell(fight("b1", 2_000.0, 0));
    let (a, b) = (id_of(&story, "a1"), id_of(&story, "b1"));
    assert_eq!(story.command(merging("k1", &a, &b)), "merge applied");
    story.tell(fight("a2", 0.0, 14));
    story.tell(fight("b2", 2_000.0, 28));
    assert_eq!(state(&story, &a), (Status::Open, 4));
    assert_eq!(story.command(order("k2", &a, Action::Undo)), "undo applied");
    assert_eq!(state(&story, &b).0, Status::Open);
    story.tick(at(29));
    assert_eq!(
        state(&story, &b).0,
        Status::Open,
        "it has its whole time to be heard of"
    );

    let mut story = Teller::new();
    story.tell(fight("a1", 0.0, 0));
    let a = story.only().id;
    assert_eq!(
        story.command(order("k1", &a, Action::FalseAlarm)),
        "false_alarm applied"
    );
    story.tick(at(40));
    assert_eq!(story.command(order("k2", &a, Action::Undo)), "undo applied");
    story.tick(at(41));
    assert_eq!(state(&story, &a).0, Status::Open);
    story.tick(at(56));
    assert_eq!(state(&story, &a).0, Status::Closed);
}

#[test]
fn a_move_that_is_taken_back_leaves_open_what_was_heard_of_since() {
    let mut story = Teller::new();
    story.tell(fight("a1", 0.0, 0));
    story.tell(fight("a2", 3.0, 0));
    story.tell(fight("b1", 2_000.0, 10));
    let (a, b) = (id_of(&story, "a1"), id_of(&story, "b1"));
    story.tick(at(16));
    assert_eq!(state(&story, &a).0, Status::Closed);
    assert_eq!(story.command(moving("k1", &a, &b, &["a2"])), "move applied");
    // It happened before the quarter of an hour was over, and is told of now.
    story.tell(fight("a3", 0.0, 14).came_after(3));
    assert_eq!(state(&story, &a), (Status::Open, 2));
    assert_eq!(story.command(order("k2", &a, Action::Undo)), "undo applied");
    assert_eq!(state(&story, &a), (Status::Open, 3));
    story.tick(at(21));
    assert_eq!(state(&story, &a).0, Status::Open);
}

#[test]
fn more_time_that_is_taken_back_is_gone() {
    let mut story = Teller::new();
    story.tell(call("a1", "road_collapse", 0.0, 0.0).at(0));
    let a = story.only().id;
    let before = kept(&story, &a);
    let extension = Command {
        deadline: Some(at(30 * 24 * 60)),
        ..order("k1", &a, Action::Extend)
    };
    assert_eq!(story.command(extension), "extend applied");
    assert_ne!(kept(&story, &a).control_by, before.control_by);
    assert_eq!(story.command(order("k2", &a, Action::Undo)), "undo applied");
    let after = kept(&story, &a);
    assert_eq!(
        (after.control_by, after.dispatch_by, after.time_points),
        (before.control_by, before.dispatch_by, before.time_points)
    );
    assert_eq!(
        after.lower_since, before.lower_since,
        "its band has nothing to do with it"
    );
}

#[test]
fn what_was_closed_by_mistake_has_the_limits_that_it_had() {
    for action in [Action::Close, Action::FalseAlarm] {
        let mut story = Teller::new();
        story.tell(call("a1", "road_collapse", 0.0, 0.0).at(0));
        let id = story.only().id;
        story.command(order("k1", &id, Action::Acknowledge));
        let promised = kept(&story, &id);
        let limits = |incident: &city_model::Incident| {
            (incident.dispatch_by, incident.control_by, incident.limits_from())
        };
        // Closed a minute before it had to be sent out, and for as long as it had to be under control.
        let over = promised.control_by;
        story.tick(promised.dispatch_by + -60_000);
        story.command(order("k2", &id, action));
        story.tick(over + 60_000);
        assert_eq!(state(&story, &id).0, Status::Closed);
        restart(&mut story);
        assert_eq!(story.command(order("k3", &id, Action::Undo)), "undo applied");
        let back = kept(&story, &id);
        assert_eq!(limits(&back), limits(&promised), "{action}");
        assert_eq!(
            (back.status, back.overdue()),
            (Status::Open, Some(Overdue::Control)),
            "the first revision says that it is over"
        );
        let told = story.record();
        assert!(
            told.priority.overrides.contains(&"O8.overdue".to_owned()),
            "{action}"
        );
        // What was over when it was closed is over.
        story.command(order("k4", &id, action));
        story.command(order("k5", &id, Action::Undo));
        let again = kept(&story, &id);
        assert_eq!(
            (limits(&again), again.overdue()),
            (limits(&promised), Some(Overdue::Control))
        );
        // Who opens again what was rightly closed begins anew.
        story.command(order("k6", &id, action));
        assert_eq!(story.command(order("k7", &id, Action::Reopen)), "reopen applied");
        let anew = kept(&story, &id);
        assert_eq!((anew.overdue(), anew.time_points), (None, 0));
        assert!(anew.control_by > over);
    }
}

#[test]
fn an_id_is_one_operators_own() {
    let mut story = Teller::new();
    for (id, x, minute) in [("a1", 0.0, 0), ("a2", 3.0, 0), ("b1", 2_000.0, 1)] {
        story.tell(fight(id, x, minute));
    }
    let (a, b) = (id_of(&story, "a1"), id_of(&story, "b1"));
    assert_eq!(story.command(moving("1", &a, &b, &["a2"])), "move applied");
    let others = Command {
        operator: "duty-2".into(),
        ..order("1", &b, Action::Dispatch)
    };
    assert_eq!(story.command(others), "dispatch applied");
    restart(&mut story);
    assert_eq!(
        story.command(order("2", &a, Action::Undo)),
        "undo refused: the other incident had a command since: take that one back first"
    );
    assert_eq!((state(&story, &a).1, state(&story, &b).1), (1, 2));
    assert!(kept(&story, &b).handling.dispatched_at.is_some());
}

#[test]
fn a_cause_that_is_over_is_not_brought_back() {
    let mut story = Teller::new();
    story.tell(call("w1", "water_burst", 0.0, 0.0).at(0));
    story.tell(call("a1", "road_ponding", 5.0, 0.0).at(1));
    story.tell(call("a2", "road_ponding", 8.0, 0.0).at(1));
    story.tell(call("b1", "road_ponding", 2_000.0, 0.0).at(1));
    let (w, a, b) = (id_of(&story, "w1"), id_of(&story, "a1"), id_of(&story, "b1"));
    assert_eq!(kept(&story, &a).inhibited_by, Some(w.clone()));
    assert_eq!(story.command(moving("k1", &a, &b, &["a2"])), "move applied");
    assert_eq!(story.command(merging("k2", &b, &a)), "merge applied");
    assert_eq!(story.command(order("k3", &w, Action::Close)), "close applied");
    for id in ["k4", "k5"] {
        assert_eq!(story.command(order(id, &b, Action::Undo)), "undo applied");
        assert_eq!(
            (state(&story, &a).0, kept(&story, &a).inhibited_by),
            (Status::Open, None)
        );
    }
    assert_eq!(state(&story, &a).1, 2);
}

/// What an event said is settled half an hour later; where it belongs is told all the same.
#[test]
fn a_move_of_what_is_settled_since_is_told_when_it_is_taken_back() {
    let (mut story, a, b) = two_heaps();
    story.command(moving("k1", &b, &a, &["b2"]));
    assert_eq!(id_of(&story, "b2"), a);
    story.tick(at(60));
    story.tick(at(61));
    restart(&mut story);
    assert_eq!(story.command(order("k2", &a, Action::Undo)), "undo applied");
    assert_eq!(id_of(&story, "b2"), b);
    let moved = |(key, _, reason): &(String, Outcome, Option<String>)| {
        key == "hotline/b2" && reason.as_deref() == Some("moved by the centre")
    };
    assert_eq!(
        story.outcomes.iter().filter(|told| moved(told)).count(),
        2,
        "there and back"
    );
    let row = story
        .rows
        .values()
        .flatten()
        .find_map(|row| match Change::from_row(row).unwrap() {
            Change::PutEvent(row) if &*row.key.event_id == "b2" => Some(row),
            _ => None,
        });
    assert_eq!(row.unwrap().incident, Some(b));
}

/// By readings that go on with what parts the device would stand for itself in two incidents.
#[test]
fn the_readings_of_a_device_part_with_the_report_that_they_go_on_with() {
    let mut story = Teller::new();
    let alarm = |minute| sensor("w1", "road_ponding", 0.0, 0.0).at(minute);
    story.tell(alarm(0));
    story.tell(call("c1", "road_ponding", 2.0, 0.0).at(1));
    story.tell(alarm(5));
    story.tell(alarm(10));
    let one = story.only().id;
    let first = kept(&story, &one)
        .members
        .iter()
        .find(|member| member.key.source_system.as_ref() == "sensor")
        .unwrap()
        .key
        .clone();
    let apart = Command {
        event_ids: vec![first.to_string().into()],
        ..order("k1", &one, Action::Split)
    };
    assert_eq!(story.command(apart), "split applied");
    let other = kept(&story, &one).related.iter().next().unwrap().clone();
    let holds = |story: &Teller, id: &IncidentId| {
        let incident = kept(story, id);
        (incident.member_count, incident.devices.keys().count())
    };
    assert_eq!((holds(&story, &one), holds(&story, &other)), ((1, 0), (1, 1)));
    restart(&mut story);
    // It goes on where its first report is.
    story.tell(alarm(12));
    assert_eq!(kept(&story, &other).last_event_at, at(12));
    assert_eq!(story.command(order("k2", &one, Action::Undo)), "undo applied");
    assert_eq!(holds(&story, &one), (2, 1));
}
