//! What comes to an incident that the centre closed, opened again or resolved.
#![allow(clippy::unwrap_used, reason = "tests")]

mod teller;

use city_model::{Action, Band, CloseReason, Facility, IncidentId, Input, Severity, Status, Tick, Why};
use incident_engine::Change;
use teller::desk::{id_of, kept, merging, order, restart, rubbish, two_heaps};
use teller::{Teller, at, call, sensor, warning};

fn ponding(id: &str, x_m: f64, minute: i64) -> teller::Told {
    call(id, "road_ponding", x_m, 0.0).at(minute)
}

#[test]
fn what_is_opened_again_has_its_time_anew() {
    let mut story = Teller::new();
    story.tell(ponding("a1", 0.0, 0));
    story.tick(at(61));
    let a = story.only().id;
    assert_eq!(kept(&story, &a).close_reason, Some(CloseReason::Quiet));
    story.tick(at(100));
    assert_eq!(story.command(order("k1", &a, Action::Reopen)), "reopen applied");
    restart(&mut story);
    story.tell(ponding("a2", 5.0, 110));
    assert_eq!(
        story.only().member_count,
        2,
        "ten minutes after it was opened again"
    );
    story.tick(at(171));
    story.tell(ponding("a3", 5.0, 172));
    assert_ne!(id_of(&story, "a3"), a, "an hour after the last of it");
}

#[test]
fn what_tells_of_the_time_before_the_end_belongs_to_what_ended() {
    for action in [Action::Close, Action::FalseAlarm] {
        let mut story = Teller::new();
        story.tell(ponding("a1", 0.0, 0));
        story.tick(at(10));
        let a = story.only().id;
        story.command(order("k1", &a, action));
        story.tell(ponding("late", 5.0, 7).came_after(6));
        let after = story.only();
        assert_eq!(
            (after.member_count, after.status),
            (2, Status::Closed),
            "{action}"
        );
        story.tell(ponding("new", 5.0, 14));
        let new = id_of(&story, "new");
        let new = kept(&story, &new);
        let is_back = action == Action::Close;
        assert_eq!(new.recurrence_of, is_back.then(|| a.clone()), "{action}");
        assert!(
            is_back || new.related.contains(&a),
            "what was a false alarm cannot come back"
        );
    }
}

#[test]
fn who_urges_a_closed_ticket_opens_what_the_next_one_joins() {
    let mut story = Teller::new();
    story.tell(ponding("h1", 0.0, 0).ticket("T1"));
    let first = story.only().id;
    story.tick(at(5));
    story.command(order("k1", &first, Action::Close));
    let urging = |number: i64| {
        let told = call(&format!("u{number}"), "road_ponding", 0.0, 0.0).nowhere();
        told.ticket(&format!("T{number}")).cites("T1").at(8 * number)
    };
    for number in 2..5 {
        story.tell(urging(number));
        restart(&mut story);
    }
    let second = id_of(&story, "u2");
    let again = kept(&story, &second);
    assert_eq!(
        (again.recurrence_of, again.member_count),
        (Some(first.clone()), 3)
    );
    assert_eq!(again.members[0].why, Why::CitedTicket);
    assert_eq!(kept(&story, &first).status, Status::Closed);
    // Once more: what repeated it is closed as well.
    story.command(order("k2", &second, Action::FalseAlarm));
    story.tell(urging(5));
    story.tell(urging(6));
    let third = id_of(&story, "u5");
    assert_eq!(kept(&story, &third).recurrence_of, Some(second));
    assert_eq!(id_of(&story, "u6"), third);
}

#[test]
fn who_opens_again_what_came_back_meanwhile_is_told() {
    for action in [Action::Reopen, Action::Undo] {
        let mut story = Teller::new();
        story.tell(ponding("a1", 0.0, 0));
        let first = story.only().id;
        story.tick(at(5));
        story.command(order("k1", &first, Action::Close));
        story.tell(ponding("a2", 5.0, 14));
        let second = id_of(&story, "a2");
        restart(&mut story);
        assert_eq!(
            story.command(order("k2", &first, action)),
            format!("{action} applied: it came back as {second} meanwhile: merge the two if they are one")
        );
        story.command(merging("k3", &first, &second));
        assert_eq!(kept(&story, &first).member_count, 2);
        // Nothing else is open: nothing to be told.
        story.command(order("k4", &first, Action::Close));
        assert_eq!(
            story.command(order("k5", &first, action)),
            format!("{action} applied")
        );
    }
}

/// Of a false alarm nothing comes back, but another one saw it: whoever opens it again learns of all that he opened.
#[test]
fn who_opens_a_false_alarm_again_is_told_what_others_saw_meanwhile() {
    for action in [Action::Reopen, Action::Undo] {
        let mut story = Teller::new();
        let smoke = |id: &str, minute| call(id, "fire_smoke", 0.0, 0.0).at(minute);
        story.tell(smoke("a1", 0));
        let first = story.only().id;
        story.command(order("k1", &first, Action::FalseAlarm));
        story.tell(smoke("a2", 2));
        let second = id_of(&story, "a2");
        assert_ne!(first, second);
        restart(&mut story);
        assert_eq!(
            story.command(order("k2", &first, action)),
            format!("{action} applied: it came back as {second} meanwhile: merge the two if they are one")
        );
    }
}

#[test]
fn what_was_merged_repeats_what_it_became_part_of() {
    let (mut story, a, b) = two_heaps();
    story.command(merging("k1", &a, &b));
    story.command(order("k2", &a, Action::Close));
    story.tell(rubbish("b3", 401.0, 9));
    let new = id_of(&story, "b3");
    assert_eq!(kept(&story, &new).recurrence_of, Some(a));
}

#[test]
fn what_nobody_mended_is_not_hidden_in_what_is_resolved() {
    let (mut story, a, b) = two_heaps();
    story.command(order("k1", &a, Action::Dispatch));
    story.command(order("k2", &a, Action::Resolve));
    assert_eq!(
        story.command(merging("k3", &a, &b)),
        "merge applied: the handling is open again: what came into it is not resolved"
    );
    let whole = kept(&story, &a);
    assert_eq!(
        (whole.handling.resolved_at, whole.handling.verified_at),
        (None, None)
    );
    assert!(whole.handling.dispatched_at.is_some());
    assert!(
        story
            .command(order("k4", &a, Action::Verify))
            .starts_with("verify refused")
    );
    story.command(order("k5", &a, Action::Undo));
    assert!(kept(&story, &a).handling.resolved_at.is_some());
}

#[test]
fn what_is_mended_and_not_heard_of_again_is_resolved() {
    let mut story = Teller::new();
    story.tell(ponding("a1", 0.0, 0));
    let a = story.only().id;
    story.tick(at(1));
    story.command(order("k1", &a, Action::Dispatch));
    story.tick(at(180));
    story.command(order("k2", &a, Action::Resolve));
    story.tick(at(239));
    assert_eq!(
        kept(&story, &a).status,
        Status::Open,
        "somebody may look at it, for its gap"
    );
    story.tick(at(240));
    let over = kept(&story, &a);
    assert_eq!(
        (over.status, over.close_reason),
        (Status::Closed, Some(CloseReason::Resolved))
    );
}

#[test]
fn what_is_told_after_it_was_mended_says_so() {
    let mut story = Teller::new();
    story.tell(ponding("a1", 0.0, 0).reporter(1));
    let a = story.only().id;
    story.tick(at(10));
    story.command(order("k1", &a, Action::Resolve));
    let told = |story: &mut Teller| {
        story
            .record()
            .priority
            .reasons_zh
            .contains(&"办结后仍有上报".to_owned())
    };
    story.tell(ponding("before", 1.0, 9).came_after(3).reporter(2));
    assert!(!told(&mut story));
    story.tell(ponding("after", 1.0, 20).reporter(3));
    assert!(told(&mut story));
}

#[test]
fn it_comes_back_from_when_it_was_over() {
    // Garbage is quiet after six hours and comes back within a day.
    for (hours, comes_back) in [(28, true), (30, true), (31, false)] {
        let mut story = Teller::new();
        story.tell(rubbish("a1", 0.0, 0));
        let a = story.only().id;
        story.tick(at(6 * 60));
        story.tell(rubbish("a2", 0.0, hours * 60));
        let again = kept(&story, &id_of(&story, "a2"));
        assert_eq!(again.recurrence_of, comes_back.then_some(a), "{hours}");
    }
}

/// Ponding that is a P2 as long as a warning weighs on it, until an hour after midnight, and a P3 without.
fn ponding_in_a_storm() -> (Teller, IncidentId) {
    let mut story = Teller::new();
    let mut red = warning("w1", Severity::Red, "310117", 0);
    red.expires_at = Some(at(60));
    story.warn(red);
    let gauge = sensor("g1", "road_ponding", 0.0, 0.0).measured("ponding_depth", 14.0);
    story.tell(gauge.near(Facility::Metro).at(50));
    let caller = call("c1", "road_ponding", 5.0, 0.0).near(Facility::School);
    story.tell(caller.reporter(1).credibility(5).at(51));
    let id = story.only().id;
    story.tick(at(60));
    let one = story.only();
    assert_eq!((one.band, one.lower_since), (Band::P2, Some(at(60))));
    (story, id)
}

/// Whether a second in which nothing happens writes an incident down.
fn is_written(story: &Teller, minute: i64) -> bool {
    let tick = Input::Tick(Tick {
        clocks: vec![("test".into(), at(minute))],
    });
    let changes = story.engine.decide(&tick).changes;
    changes
        .iter()
        .any(|change| matches!(change, Change::PutIncident(_)))
}

#[test]
fn what_is_sent_out_does_not_wait_to_be_lowered() {
    let (mut story, id) = ponding_in_a_storm();
    story.tick(at(70));
    story.command(order("k1", &id, Action::Dispatch));
    story.tick(at(95)); // by then what was told is settled
    restart(&mut story);
    for minute in [96, 97, 120] {
        assert!(!is_written(&story, minute), "at {minute}");
    }
    story.tick(at(97));
    assert_eq!(story.only().band, Band::P2);
    // Given back it is lowered at once: it was less urgent all the while.
    story.command(order("k2", &id, Action::Return));
    assert_eq!(story.only().band, Band::P3);
}

/// T, and what is said of it.
fn used_up(story: &mut Teller) -> (u32, Vec<String>) {
    let priority = story.record().priority;
    let mut reasons = priority.reasons_en;
    reasons.retain(|reason| reason.contains("time limit"));
    (priority.parts.time, reasons)
}

#[test]
fn what_was_used_up_counts_on_after_a_rise_and_is_said_to_be_of_the_limit_before() {
    let mut story = Teller::new();
    let hole = call("c1", "manhole_missing", 0.0, 0.0).component("m1");
    story.tell(hole.reporter(1).credibility(5).at(600));
    let id = story.only().id;
    story.tick(at(601));
    story.command(order("k1", &id, Action::Dispatch));
    let twenty_hours = 600 + 20 * 60;
    story.tick(at(twenty_hours));
    let eighty = |of: &str| (5, vec![format!("80 % of {of} time limit is used up")]);
    assert_eq!(used_up(&mut story), eighty("the"));
    let tilted = sensor("t1", "manhole_missing", 2.0, 0.0).component("m1");
    story.tell(tilted.measured("cover_tilt", 75.0).at(twenty_hours + 1));
    let risen = story.only();
    assert_eq!(
        (risen.band, risen.control_by),
        (Band::P1, at(twenty_hours + 121)),
        "two hours from now"
    );
    let before = (5, vec!["80 % of an earlier time limit was used up".to_owned()]);
    assert_eq!(used_up(&mut story), before);
    restart(&mut story);
    story.tick(at(twenty_hours + 1 + 95));
    assert_eq!(used_up(&mut story), before);
    // Of the present limit as much is used up now.
    story.tell(
        call("c2", "manhole_missing", 1.0, 0.0)
            .reporter(2)
            .at(twenty_hours + 1 + 97),
    );
    assert_eq!(used_up(&mut story), eighty("the"));
    assert_eq!(story.only().band, Band::P1);
}

#[test]
fn a_limit_that_a_rise_began_outlasts_the_handling_that_is_taken_back() {
    let mut story = Teller::new();
    let hole = call("c1", "manhole_missing", 0.0, 0.0).component("m1");
    story.tell(hole.reporter(1).credibility(5).at(600));
    let id = story.only().id;
    story.tick(at(601));
    story.command(order("k1", &id, Action::Acknowledge));
    story.command(order("k2", &id, Action::Dispatch));
    story.tick(at(1_800));
    let tilted = sensor("t1", "manhole_missing", 2.0, 0.0).component("m1");
    story.tell(tilted.measured("cover_tilt", 75.0).at(1_801));
    let risen = story.only();
    assert_eq!((risen.limits_from(), risen.time_points), (at(1_801), 5));
    story.command(order("k3", &id, Action::Undo));
    let back = story.only();
    assert_eq!(back.handling.dispatched_at, None);
    assert_eq!(
        (back.limits_from(), back.control_by, back.time_points),
        (at(1_801), risen.control_by, 5)
    );
    // Without the handling that time counts for nothing.
    story.command(order("k4", &id, Action::Undo));
    assert_eq!(story.only().time_points, 0);
}

#[test]
fn a_storm_names_neither_what_was_sent_out_before_it_nor_what_was_over() {
    let tree = |id: &str, x| call(id, "tree_fallen", x, 0.0).at(0);
    let told = |actions: &[Action], late: bool| {
        let mut story = Teller::new();
        story.tell(tree("t1", 0.0));
        let id = story.only().id;
        story.tick(at(5));
        for (number, action) in actions.iter().enumerate() {
            story.command(order(&format!("k{number}"), &id, *action));
        }
        let mut storm = warning("w1", Severity::Orange, "310117", 30);
        storm.expires_at = Some(at(300));
        story.warn(storm);
        story.tick(at(31));
        if late {
            story.tell(tree("t2", 1.0).came_after(40).reporter(7));
            assert_eq!(story.only().member_count, 2);
        }
        story.only().storm_id.map(|storm| storm.to_string())
    };
    let sent = [Action::Dispatch];
    let given_back = [Action::Dispatch, Action::Return];
    for late in [false, true] {
        assert_eq!(told(&sent, late), None);
        assert_eq!(told(&given_back, late), None, "the centre has it");
        assert_eq!(told(&[Action::Close], late), None);
        assert_eq!(
            told(&[], late).as_deref(),
            Some("w1"),
            "it lies there in the storm"
        );
    }
    // What it began in names it, whatever was done about it by the time that anybody knew of the warning.
    let mut story = Teller::new();
    story.tell(tree("t1", 0.0));
    let id = story.only().id;
    story.command(order("k1", &id, Action::Dispatch));
    story.warn(warning("w1", Severity::Orange, "310117", -10));
    story.tick(at(2));
    assert_eq!(story.only().storm_id.as_deref(), Some("w1"));
}

#[test]
fn what_was_over_when_it_was_merged_opens_for_what_goes_along_with_it() {
    let mut story = Teller::new();
    story.tell(rubbish("b1", 400.0, 600));
    story.tell(rubbish("a1", 0.0, 660));
    let (a, b) = (id_of(&story, "a1"), id_of(&story, "b1"));
    story.tick(at(965));
    assert_eq!(kept(&story, &b).close_reason, Some(CloseReason::Quiet));
    let promised = kept(&story, &b).dispatch_by;
    story.command(merging("k1", &a, &b));
    // Seen while it was open, typed hours later.
    story.tell(rubbish("b2", 401.0, 660).came_after(310));
    assert_eq!(id_of(&story, "b2"), a);
    assert_eq!(story.command(order("k2", &a, Action::Undo)), "undo applied");
    let again = kept(&story, &b);
    assert_eq!((again.status, again.member_count), (Status::Open, 2));
    assert!(again.dispatch_by > promised, "nobody could mend it meanwhile");
    story.tick(at(971));
    assert_eq!(kept(&story, &b).overdue(), None);
}
