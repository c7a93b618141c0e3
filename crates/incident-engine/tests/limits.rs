//! Deadlines: they run on four clocks, are kept when the band changes, are chased when they are over although nothing comes, and
//! survive a restart.
#![allow(clippy::unwrap_used, reason = "tests")]

mod teller;

use std::sync::Arc;

use city_model::{Action, Band, Command, EventTime, IncidentId, Overdue};
use incident_engine::{Change, Engine, IncidentRecord, Setting};
use teller::{Teller, activation, at, call, command, inspector, rules, sensor};

/// 2026-09-01 is a Tuesday; minutes from its midnight.
const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

fn of(story: &Teller) -> IncidentRecord {
    story.revisions.last().unwrap().clone()
}

fn act(story: &mut Teller, id: &IncidentId, action: Action, minute: i64) {
    story.tick(at(minute));
    let said = story.command(command(&format!("{action}-{minute}"), id, action));
    assert_eq!(said, format!("{action} applied"));
}

fn until(id: &IncidentId, name: &str, deadline: EventTime) -> Command {
    Command {
        deadline: Some(deadline),
        ..command(name, id, Action::Extend)
    }
}

/// Garbage, told of on Tuesday at ten.
fn garbage() -> (Teller, IncidentId) {
    let mut story = Teller::new();
    story.tell(inspector("i1", "garbage_exposed", 0.0, 0.0).at(10 * HOUR));
    let id = story.only().id;
    (story, id)
}

#[test]
fn an_order_that_is_rejected_is_no_rework() {
    let (mut story, id) = garbage();
    let steps = [
        (Action::Dispatch, (0, 0)),
        (Action::Return, (0, 1)),
        (Action::Dispatch, (0, 1)),
        (Action::Resolve, (0, 1)),
        (Action::Return, (1, 1)),
        (Action::Dispatch, (1, 1)),
        (Action::Resolve, (1, 1)),
        (Action::Dispatch, (2, 1)),
    ];
    for (minute, (action, (reworked, rejected))) in steps.into_iter().enumerate() {
        act(&mut story, &id, action, 10 * HOUR + 1 + minute as i64);
        let told = incident_engine::ToldBy::of(story.engine.incident(&id).unwrap());
        assert_eq!(
            (told.reworked, told.rejected),
            (reworked, rejected),
            "{action} {minute}"
        );
    }
}

#[test]
fn rush_and_night_that_never_were_together_count_once() {
    let mut story = Teller::new();
    let hole = |id: &str, caller: u64, minute: i64| {
        call(id, "manhole_missing", 0.0, 0.0).reporter(caller).at(minute)
    };
    story.tell(hole("c1", 1, 19 * HOUR + 20));
    story.tell(hole("c2", 2, 22 * HOUR + 10));
    story.tick(at(22 * HOUR + 11));
    let told = of(&story);
    assert_eq!((told.member_count, told.priority.parts.exposure), (2, 3));
    let hours = |word: &str| {
        told.priority
            .reasons_zh
            .iter()
            .filter(|reason| reason.contains(word))
            .count()
    };
    assert_eq!(
        (hours("晚高峰"), hours("夜间")),
        (1, 0),
        "{:?}",
        told.priority.reasons_zh
    );
}

#[test]
fn noise_at_night_that_three_tell_of_is_more_than_a_nuisance() {
    let tell = |callers: u64, minute: i64| {
        let mut story = Teller::new();
        for caller in 0..callers {
            story.tell(
                call(&format!("c{caller}"), "noise", 0.0, 0.0)
                    .reporter(caller)
                    .at(minute),
            );
        }
        story.tick(at(minute + 1));
        of(&story).priority.band
    };
    assert_eq!(
        (tell(3, 23 * HOUR), tell(2, 23 * HOUR), tell(3, 15 * HOUR)),
        (Band::P3, Band::P4, Band::P4)
    );
}

#[test]
fn a_rise_runs_from_its_moment_and_a_fall_takes_nothing_back() {
    let mut story = Teller::new();
    story.tell(
        call("c1", "manhole_missing", 0.0, 0.0)
            .reporter(1)
            .credibility(5)
            .at(600),
    );
    let first = of(&story).priority;
    assert_eq!(first.band, Band::P2);
    assert_eq!(first.deadline.control_by, at(600 + DAY).into());
    story.tell(
        sensor("t", "manhole_missing", 2.0, 0.0)
            .measured("cover_tilt", 75.0)
            .at(900),
    );
    story.tick(at(901));
    let risen = of(&story).priority;
    assert_eq!(risen.band, Band::P1);
    assert_eq!(
        (risen.deadline.dispatch_by, risen.deadline.control_by),
        (at(615).into(), at(1_020).into())
    );
    let id = story.only().id;
    let pin = |id: &IncidentId, band: Band| Command {
        band: Some(band),
        ..command(&format!("pin-{band}"), id, Action::PinPriority)
    };
    story.command(pin(&id, Band::P3));
    let fallen = of(&story).priority;
    assert_eq!(
        (fallen.band, fallen.previous.unwrap().because.as_ref()),
        (Band::P3, "O5.operator_pin")
    );
    assert!(
        fallen.deadline.control_by > at(1_020 + DAY).into(),
        "five work days"
    );
    assert!(fallen.deadline.dispatch_by >= at(615).into());
}

#[test]
fn what_is_extended_stands_whatever_the_band_does() {
    let (mut story, id) = garbage();
    act(&mut story, &id, Action::Acknowledge, 610);
    let past = story.command(until(&id, "e0", at(600)));
    assert_eq!(
        past,
        "extend refused: an extension needs a deadline that is to come"
    );
    let far = at(40 * DAY);
    assert_eq!(story.command(until(&id, "e1", far)), "extend applied");
    let pin = Command {
        band: Some(Band::P1),
        ..command("pin", &id, Action::PinPriority)
    };
    story.command(pin);
    story.tick(at(615));
    assert_eq!(
        (of(&story).priority.band, of(&story).priority.deadline.control_by),
        (Band::P1, far.into())
    );
}

#[test]
fn t_rises_and_an_overdue_incident_is_chased_though_nothing_comes() {
    let (mut story, id) = garbage();
    act(&mut story, &id, Action::Acknowledge, 10 * HOUR + 1);
    act(&mut story, &id, Action::Dispatch, 10 * HOUR + 2);
    let control_by = story.only().control_by;
    let mut seen = Vec::new();
    // By ten minutes through the days; only the clock moves.
    for step in 0..24 * 6 * 30 {
        story.tick(at(11 * HOUR + step * 10));
        let priority = of(&story).priority;
        let told = (
            priority.parts.time,
            priority.band,
            priority.overrides.contains(&"O8.overdue".to_owned()),
        );
        if seen.last().is_none_or(|(last, _)| *last != told) {
            seen.push((told, story.engine.clock().unwrap()));
        }
    }
    let told: Vec<_> = seen.iter().map(|(told, _)| *told).collect();
    assert_eq!(
        told,
        [
            (0, Band::P4, false),
            (2, Band::P4, false),
            (5, Band::P4, false),
            (10, Band::P3, true),
        ]
    );
    assert!(
        seen[3].1 >= control_by && seen[3].1 - control_by < 600_000,
        "as it falls due"
    );
    let last = of(&story).priority;
    assert_eq!(last.previous.unwrap().because.as_ref(), "O8.overdue");
    assert!(
        last.reasons_zh.contains(&"超过处置时限仍未办结".to_owned()),
        "{:?}",
        last.reasons_zh
    );
    assert!(
        last.reasons_zh.contains(&"处置时限已用100%".to_owned()),
        "{:?}",
        last.reasons_zh
    );
    // More time takes T back; what was dispatched is not lowered.
    story.command(until(&id, "e1", at(200 * DAY)));
    story.tick(at(45 * DAY));
    let eased = of(&story).priority;
    assert_eq!((eased.parts.time, eased.band), (0, Band::P3));
    assert!(
        eased.reasons_zh.contains(&"已派遣，不降级".to_owned()),
        "{:?}",
        eased.reasons_zh
    );
}

#[test]
fn half_of_a_limit_in_work_days_is_half_of_the_work() {
    // Five work days from Tuesday 2026-09-29 16:00 end after the holiday of 1 to 7 October.
    let mut story = Teller::new();
    let begins = 28 * DAY + 16 * HOUR;
    let pin = |id: &IncidentId| Command {
        band: Some(Band::P3),
        ..command("pin", id, Action::PinPriority)
    };
    story.tell(inspector("i1", "illegal_build", 0.0, 0.0).at(begins));
    let id = story.only().id;
    story.command(pin(&id));
    act(&mut story, &id, Action::Dispatch, begins + 1);
    let mut reached = Vec::new();
    for step in 0..24 * 14 {
        let minute = begins + 2 + step * HOUR;
        story.tick(at(minute));
        let points = of(&story).priority.parts.time;
        if reached.last().is_none_or(|(last, _)| *last != points) {
            reached.push((points, minute / DAY));
        }
    }
    // Half: the second day of work after the holiday, 8 and 9 October being Thursday and Friday, 10 October worked (调休).
    assert_eq!(reached, [(0, 28), (2, 38), (5, 39), (10, 41)]);
}

#[test]
fn what_is_acknowledged_and_not_sent_out_is_chased_too_and_not_after() {
    let mut story = Teller::new();
    story.tell(inspector("i1", "illegal_build", 0.0, 0.0).at(10 * HOUR));
    let id = story.only().id;
    act(&mut story, &id, Action::Acknowledge, 10 * HOUR + 1);
    story.tick(at(14 * HOUR + 1)); // four hours of work from ten, the office has no break
    assert_eq!(story.only().overdue(), Some(Overdue::Dispatch));
    let told = of(&story).priority;
    assert_eq!(
        (told.band, told.overrides.last().unwrap().as_str()),
        (Band::P3, "O8.dispatch_overdue")
    );
    act(&mut story, &id, Action::Dispatch, 14 * HOUR + 5);
    assert_eq!(story.only().overdue(), None);
    assert_eq!(
        of(&story).priority.band,
        Band::P3,
        "sent out, so it is not lowered"
    );
}

#[test]
fn a_deadline_falls_due_after_a_restart_as_it_would_have() {
    let told = |restarts: bool| {
        let (mut story, id) = garbage();
        act(&mut story, &id, Action::Dispatch, 10 * HOUR + 2);
        if restarts {
            let setting = Setting::with_rules(Arc::new(activation()), rules()).unwrap();
            let mut engine = Engine::with_setting(setting);
            for value in story.rows.values().flatten() {
                engine.apply(&Change::from_row(value).unwrap()).unwrap();
            }
            story.engine = engine;
        }
        story.tick(at(60 * DAY));
        (story.revisions.clone(), story.rows.clone())
    };
    assert_eq!(told(false), told(true));
    assert!(
        told(true)
            .0
            .last()
            .unwrap()
            .priority
            .overrides
            .contains(&"O8.overdue".to_owned())
    );
}

#[test]
fn nobody_is_late_where_the_centre_says_nothing() {
    let (mut story, _) = garbage();
    story.tick(at(10 * HOUR + 5 * HOUR));
    let record = of(&story);
    assert_eq!((record.priority.parts.time, record.revision), (0, 1));
}

#[test]
fn what_is_opened_again_has_its_limits_anew() {
    let (mut story, id) = garbage();
    act(&mut story, &id, Action::Dispatch, 10 * HOUR + 2);
    act(&mut story, &id, Action::Resolve, 12 * HOUR);
    act(&mut story, &id, Action::Verify, 12 * HOUR + 1);
    act(&mut story, &id, Action::Reopen, 40 * DAY);
    let open = story.only();
    assert_eq!((open.overdue(), open.time_points), (None, 0));
    assert!(open.control_by > at(40 * DAY) && open.dispatch_by > at(40 * DAY));
    assert!(open.handling.resolved_at.is_none() && open.handling.dispatched_at.is_some());
}

#[test]
fn what_its_unit_sends_back_has_its_time_to_be_sent_out_once_more() {
    let mut story = Teller::new();
    story.tell(call("c1", "road_ponding", 0.0, 0.0).at(10 * HOUR));
    let id = story.only().id;
    act(&mut story, &id, Action::Dispatch, 10 * HOUR + 10);
    act(&mut story, &id, Action::Return, 10 * HOUR + 40);
    let told = story.record().priority;
    assert_eq!(
        (told.band, told.overrides),
        (Band::P3, vec!["O7.base_P3".to_owned()])
    );
    assert_eq!(told.deadline.dispatch_by, at(11 * HOUR + 10).into());
    story.tick(at(11 * HOUR + 10));
    assert_eq!(of(&story).priority.overrides[0], "O8.dispatch_overdue");
}

#[test]
fn what_is_opened_again_is_judged_by_its_new_limits() {
    let mut story = Teller::new();
    story.tell(call("c1", "manhole_missing", 0.0, 0.0).at(10 * HOUR));
    let id = story.only().id;
    act(&mut story, &id, Action::Dispatch, 10 * HOUR + 1);
    act(&mut story, &id, Action::Close, 36 * HOUR);
    let over = story.record().priority;
    assert!(
        over.overrides.contains(&"O8.overdue".to_owned()),
        "{:?}",
        over.overrides
    );
    act(&mut story, &id, Action::Reopen, 37 * HOUR);
    let anew = story.record().priority;
    assert_eq!(
        (anew.parts.time, anew.overrides),
        (0, vec!["O2.manhole_missing".to_owned()])
    );
    assert_eq!(anew.deadline.control_by, at(61 * HOUR).into());
}

#[test]
fn what_is_over_rises_by_one_band_although_its_points_rise_too() {
    let mut story = Teller::new();
    story.tell(call("c1", "street_light", 0.0, 0.0).credibility(5).at(10 * HOUR));
    let id = story.only().id;
    act(&mut story, &id, Action::Dispatch, 10 * HOUR + 1);
    let control_by = story.only().control_by;
    story.tick(control_by);
    let told = of(&story).priority;
    assert_eq!(
        (told.score, told.band, told.overrides),
        (30, Band::P3, vec!["O8.overdue".to_owned()])
    );
}

#[test]
fn a_pin_that_is_taken_back_gives_no_time_away() {
    let mut story = Teller::new();
    story.tell(call("c1", "road_ponding", 0.0, 0.0).at(10 * HOUR));
    let id = story.only().id;
    let promised = of(&story).priority.deadline;
    let pin = Command {
        band: Some(Band::P1),
        ..command("pin", &id, Action::PinPriority)
    };
    story.tick(at(10 * HOUR + 5));
    story.command(pin);
    assert_eq!(
        of(&story).priority.deadline.dispatch_by,
        at(10 * HOUR + 10).into()
    );
    act(&mut story, &id, Action::UnpinPriority, 10 * HOUR + 6);
    let told = story.record().priority;
    assert_eq!((told.band, &told.deadline), (Band::P3, &promised));
    assert_eq!(told.previous.unwrap().because.as_ref(), "unpinned");
    // Upward, too.
    let low = Command {
        band: Some(Band::P4),
        ..command("low", &id, Action::PinPriority)
    };
    story.command(low);
    assert_eq!(story.record().priority.band, Band::P4);
    act(&mut story, &id, Action::UnpinPriority, 10 * HOUR + 8);
    let told = story.record().priority;
    assert_eq!(
        (told.band, told.previous.unwrap().because.as_ref()),
        (Band::P3, "unpinned")
    );
}

#[test]
fn said_again_it_is_mended_no_later_and_nobody_arrives_after_it() {
    let (mut story, id) = garbage();
    act(&mut story, &id, Action::Dispatch, 10 * HOUR + 2);
    act(&mut story, &id, Action::Resolve, 11 * HOUR);
    act(&mut story, &id, Action::Resolve, 12 * HOUR);
    assert_eq!(story.only().handling.resolved_at, Some(at(11 * HOUR)));
    let said = story.command(command("late", &id, Action::Arrive));
    assert_eq!(said, "arrive refused: the incident is resolved");
}
