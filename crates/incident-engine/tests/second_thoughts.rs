//! What the centre says and thinks better of: nobody who told of it meanwhile is closed over, no limit is given away or forgotten, and
//! nothing that it had in hand goes quiet for it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod teller;

use city_model::{Action, Band, CloseReason, Command, EventTime, Incident, IncidentId, Overdue, Status};
use teller::desk::{id_of, kept, merging, moving, order, restart, rubbish, two_heaps};
use teller::{Teller, Told, at, call, sensor};

fn ponding(id: &str, centimetres: f64, minute: i64) -> Told {
    let told = sensor(id, "road_ponding", 0.0, 0.0).measured("ponding_depth", centimetres);
    told.at(minute)
}

fn pin(id: &str, incident: &IncidentId, band: Band) -> Command {
    Command {
        band: Some(band),
        ..order(id, incident, Action::PinPriority)
    }
}

fn limits(incident: &Incident) -> (EventTime, EventTime, EventTime) {
    (incident.dispatch_by, incident.control_by, incident.limits_from())
}

#[test]
fn what_was_told_of_since_it_was_opened_again_stays_open() {
    for is_told in [false, true] {
        let mut story = Teller::new();
        story.tell(call("a1", "road_collapse", 0.0, 0.0).at(0));
        let id = story.only().id;
        story.tick(at(5));
        story.command(order("k1", &id, Action::Close));
        let closed = kept(&story, &id);
        story.tick(at(10));
        story.command(order("k2", &id, Action::Reopen));
        if is_told {
            story.tell(call("a2", "road_collapse", 3.0, 0.0).at(60));
        }
        story.tick(at(70));
        restart(&mut story);
        let said = story.command(order("k3", &id, Action::Undo));
        let back = kept(&story, &id);
        if is_told {
            assert_eq!(
                said,
                "undo applied: it stays open: somebody told of it since it was opened again"
            );
            assert_eq!((back.status, back.member_count), (Status::Open, 2));
        } else {
            assert_eq!(said, "undo applied");
            assert_eq!((back.status, limits(&back)), (Status::Closed, limits(&closed)));
        }
        assert_eq!(story.command(order("k4", &id, Action::Undo)), "undo applied");
        assert_eq!(kept(&story, &id).status, Status::Open);
        assert!(story.command(order("k5", &id, Action::Undo)).contains("refused"));
    }
}

/// A false alarm that stays open teaches nothing of who told of it.
#[test]
fn who_stays_believed_is_not_learned_as_false() {
    let mut story = Teller::new();
    story.tell(ponding("s1", 18.0, 0));
    let id = story.only().id;
    story.command(order("k1", &id, Action::FalseAlarm));
    story.command(order("k2", &id, Action::Reopen));
    let before = kept(&story, &id).care().was_false;
    story.tell(ponding("s1", 19.0, 7).id("later"));
    story.command(order("k3", &id, Action::Undo));
    assert_eq!((kept(&story, &id).care().was_false, before), (None, None));
}

#[test]
fn a_sensor_that_goes_on_alarming_objects() {
    for (clears, status) in [(false, Status::Open), (true, Status::Closed)] {
        let mut story = Teller::new();
        story.tell(ponding("s1", 30.0, 0));
        let id = story.only().id;
        story.command(order("k1", &id, Action::Dispatch));
        story.tick(at(5));
        story.command(order("k2", &id, Action::Resolve));
        // Many tell of an alarm once: that it says nothing more is no objection.
        assert!(!kept(&story, &id).is_objected_to());
        for minute in (6..200).step_by(5) {
            story.tell(ponding("s1", 45.0, minute).id(&format!("r{minute}")));
        }
        restart(&mut story);
        let record = story.record();
        assert!(record.priority.overrides.contains(&"O8.overdue".to_owned()));
        let says = |text: &String| text.contains("still reported after it was said to be mended");
        assert!(record.priority.reasons_en.iter().any(says), "{record:#?}");
        if clears {
            story.tell(ponding("s1", 2.0, 201).id("over").clears());
        }
        story.tick(at(500));
        let after = kept(&story, &id);
        assert_eq!(after.status, status);
        assert_eq!(after.close_reason, clears.then_some(CloseReason::Resolved));
    }
}

#[test]
fn nothing_urgent_is_moved_under_a_pin() {
    let mut story = Teller::new();
    story.tell(ponding("s1", 30.0, 0));
    let urgent = story.only().id;
    assert_eq!(kept(&story, &urgent).band, Band::P1);
    story.tell(call("c2", "road_ponding", 3.0, 0.0).at(1));
    story.tell(call("b1", "road_ponding", 2_000.0, 0.0).at(1));
    let other = id_of(&story, "b1");
    story.command(pin("k1", &other, Band::P4));
    assert_eq!(
        story.command(moving("k2", &urgent, &other, &["c2"])),
        "move refused: the other incident is pinned to P4, this one is P1: take the pin back first"
    );
    story.command(order("k3", &other, Action::UnpinPriority));
    assert_eq!(
        story.command(moving("k4", &urgent, &other, &["c2"])),
        "move applied"
    );
}

#[test]
fn what_is_moved_into_what_is_mended_opens_its_handling() {
    let (mut story, a, b) = two_heaps();
    story.command(order("k1", &b, Action::Dispatch));
    story.command(order("k2", &b, Action::Resolve));
    assert_eq!(
        story.command(moving("k3", &a, &b, &["a2"])),
        "move applied: the handling is open again: what came into it is not resolved"
    );
    assert_eq!(kept(&story, &b).handling.resolved_at, None);
    assert_eq!(story.command(order("k4", &b, Action::Undo)), "undo applied");
    assert!(kept(&story, &b).handling.resolved_at.is_some());
}

#[test]
fn what_rose_while_it_was_merged_has_the_limits_of_its_rise() {
    let told = |merges: bool| {
        let mut story = Teller::new();
        story.tell(ponding("s1", 18.0, 1).id("s1"));
        story.tell(call("c1", "road_ponding", 2_000.0, 0.0).at(2));
        let (own, other) = (id_of(&story, "s1"), id_of(&story, "c1"));
        story.command(order("k1", &own, Action::Acknowledge));
        if merges {
            story.command(merging("k2", &own, &other));
        }
        story.tell(ponding("s1", 40.0, 10).id("deep"));
        story.tick(at(20));
        if merges {
            restart(&mut story);
            assert_eq!(story.command(order("k3", &own, Action::Undo)), "undo applied");
        }
        let own = kept(&story, &own);
        (own.band, limits(&own))
    };
    assert_eq!(told(true), told(false));
    assert_eq!(told(true).0, Band::P1);
}

#[test]
fn what_was_over_while_it_was_merged_is_over() {
    let (mut story, a, b) = two_heaps();
    story.command(order("k1", &a, Action::Acknowledge));
    let promised = limits(&kept(&story, &a));
    story.command(merging("k2", &a, &b));
    story.tick(at(5 * 24 * 60));
    let before = kept(&story, &a);
    assert_eq!(before.overdue(), Some(Overdue::Control));
    story.command(order("k3", &a, Action::Undo));
    let after = kept(&story, &a);
    assert_eq!(
        (after.overdue(), after.band, after.control_by),
        (before.overdue(), before.band, before.control_by)
    );
    assert!(after.control_by <= promised.1 || after.band < Band::P4);
}

#[test]
fn what_is_opened_again_by_hand_is_not_clear_at_once() {
    let mut story = Teller::new();
    story.tell(ponding("s1", 18.0, 1));
    let id = story.only().id;
    story.tell(ponding("s1", 1.0, 10).id("over").clears());
    story.tick(at(40));
    assert_eq!(kept(&story, &id).close_reason, Some(CloseReason::Cleared));
    assert_eq!(story.command(order("k1", &id, Action::Reopen)), "reopen applied");
    story.tick(at(41));
    restart(&mut story);
    assert_eq!(
        story.command(order("k2", &id, Action::Acknowledge)),
        "acknowledge applied"
    );
}

#[test]
fn a_pin_that_is_taken_back_leaves_the_limits_that_were() {
    for minute in [20, 3 * 24 * 60] {
        for (opens, band) in [
            ("road_ponding", Band::P4),
            ("road_collapse", Band::P4),
            ("road_ponding", Band::P1),
        ] {
            let mut story = Teller::new();
            story.tell(call("c1", opens, 0.0, 0.0).at(10 * 60));
            let id = story.only().id;
            story.command(order("k1", &id, Action::Acknowledge));
            story.tick(at(10 * 60 + minute));
            let before = kept(&story, &id);
            story.command(pin("k2", &id, band));
            restart(&mut story);
            assert_eq!(story.command(order("k3", &id, Action::Undo)), "undo applied");
            let after = kept(&story, &id);
            assert_eq!(
                (after.band, after.overdue(), after.dispatch_by, after.control_by),
                (
                    before.band,
                    before.overdue(),
                    before.dispatch_by,
                    before.control_by
                ),
                "{opens} pinned to {band} after {minute}"
            );
        }
    }
}

#[test]
fn what_the_centre_lets_go_of_has_its_time_to_be_heard_of() {
    let (mut story, a, b) = two_heaps();
    story.command(order("k1", &b, Action::Acknowledge));
    story.command(merging("k2", &a, &b));
    story.tick(at(3 * 24 * 60));
    assert_eq!(kept(&story, &a).status, Status::Open);
    story.command(order("k3", &a, Action::Undo));
    story.tick(at(3 * 24 * 60 + 60));
    assert_eq!(kept(&story, &a).status, Status::Open, "it is open for its gap");
    story.tick(at(4 * 24 * 60));
    assert_eq!(kept(&story, &a).status, Status::Closed);
}

#[test]
fn who_was_sent_to_what_is_merged_is_sent() {
    let (mut story, a, b) = two_heaps();
    story.command(order("k1", &b, Action::Acknowledge));
    story.tick(at(6));
    story.command(order("k2", &b, Action::Dispatch));
    story.tick(at(20));
    story.command(merging("k3", &a, &b));
    let (one, other) = (kept(&story, &a), kept(&story, &b));
    assert_eq!(one.band, other.band);
    assert_eq!(one.handling, other.handling);
    // But not where the one is more urgent: who was sent to rubbish was not sent to what is a P1.
    let (mut story, a, b) = two_heaps();
    story.command(pin("k1", &a, Band::P1));
    story.command(order("k2", &b, Action::Dispatch));
    story.command(merging("k3", &a, &b));
    let one = kept(&story, &a).handling;
    assert!(one.acknowledged_at.is_some() && one.dispatched_at.is_none());
}

#[test]
fn what_the_centre_closed_is_named_to_who_comes_after() {
    for (action, because) in [(Action::Close, "closed"), (Action::FalseAlarm, "false_alarm")] {
        let mut story = Teller::new();
        story.tell(rubbish("a1", 0.0, 0));
        let id = story.only().id;
        story.tick(at(5));
        story.command(order("k1", &id, action));
        let next = rubbish("a2", 4.0, 10);
        let miss = story.would_compare(&next).nearest_miss.unwrap();
        assert_eq!(
            (&miss.incident, &*miss.because, miss.distance_mm),
            (&id, because, 3_999)
        );
        // Not what is closed elsewhere, or long ago.
        assert_eq!(story.would_compare(&rubbish("a3", 300.0, 10)).nearest_miss, None);
        assert_eq!(
            story.would_compare(&rubbish("a4", 4.0, 12 * 60)).nearest_miss,
            None
        );
    }
}

#[test]
fn a_gap_is_told_as_long_as_it_was() {
    let mut story = Teller::new();
    story.tell(rubbish("a1", 0.0, 0));
    let id = story.only().id;
    story.command(order("k1", &id, Action::Close));
    story.tick(at(600));
    story.command(order("k2", &id, Action::Reopen));
    let compared = story.would_compare(&rubbish("a2", 0.0, 610));
    assert_eq!(compared.gap_ms, 610 * 60_000);
    story.tell(rubbish("a2", 0.0, 610));
    assert_eq!(kept(&story, &id).member_count, 2);
}

#[test]
fn more_time_for_the_one_is_none_for_what_is_merged_into_it() {
    let (mut story, a, b) = two_heaps();
    let more = Command {
        deadline: Some(at(5_000)),
        ..order("k1", &a, Action::Extend)
    };
    story.command(more);
    let promised = kept(&story, &b).control_by;
    story.command(merging("k2", &a, &b));
    assert_eq!(kept(&story, &a).control_by, promised);
    story.command(order("k3", &a, Action::Undo));
    assert_eq!(kept(&story, &a).control_by, at(5_000));
}
