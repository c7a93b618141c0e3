//! Stories of one street, told to the engine line by line: data in, decisions out.
#![allow(clippy::unwrap_used, reason = "tests")]

mod teller;

use std::sync::Arc;

use city_model::{Action, Band, Channel, Facility, Outcome, Quality, Severity, Status};
use incident_engine::{Change, Engine, Setting};
use teller::{Teller, activation, at, call, camera, command, inspector, rules, sensor, silence, warning};

#[test]
fn an_incident_has_both_codes_of_one_report() {
    let filed = |id: &str, old: Option<&str>, new: Option<&str>, derived: bool| {
        let mut told = call(id, "garbage_exposed", 0.0, 0.0).at(1);
        told.0.code_gb2013 = old.map(Into::into);
        told.0.code_gb2026 = new.map(Into::into);
        told.0
            .flags
            .extend(derived.then_some(city_model::Flag::CodeDerived));
        told
    };
    for (first, codes) in [
        // Under an item that only the newer list has, and then under one that both have.
        (
            filed("a", None, Some("06041"), false),
            (None, Some("06041"), false),
        ),
        (
            filed("a", Some("0117"), Some("06017"), true),
            (Some("0117"), Some("06017"), true),
        ),
        (
            filed("a", Some("0110"), Some("06010"), false),
            (Some("0110"), Some("06010"), false),
        ),
        (filed("a", None, None, false), (Some("0114"), Some("06014"), true)),
    ] {
        let mut story = Teller::new();
        story.tell(first);
        story.tell(filed("b", Some("0114"), Some("06014"), true));
        let told = story.record().codes;
        assert_eq!(
            (told.gb2013.as_deref(), told.gb2026.as_deref(), told.derived),
            codes
        );
    }
}

#[test]
fn ponding_told_by_three_sources_is_one_incident_that_escalates_and_clears() {
    let mut story = Teller::new();
    story.tell(
        sensor("pond-1", "road_ponding", 0.0, 0.0)
            .measured("ponding_depth", 18.0)
            .at(0),
    );
    story.tell(call("c1", "road_ponding", 60.0, 10.0).reporter(1).at(5));
    story.tell(call("c2", "road_ponding", -40.0, 20.0).reporter(2).at(12));
    story.tell(call("c3", "road_ponding", 30.0, -50.0).reporter(3).at(20));
    story.tell(camera("cam-1", "road_ponding", 70.0, 0.0).unsure(60).at(21)); // the pole's place
    story.tick(at(22));
    let one = story.only();
    assert_eq!(
        (one.member_count, one.band, one.status),
        (5, Band::P2, Status::Open)
    );
    let id = one.id.clone();

    story.tell(
        sensor("pond-1", "road_ponding", 0.0, 0.0)
            .measured("ponding_depth", 26.0)
            .at(25),
    );
    let one = story.only();
    assert_eq!(
        (&one.id, one.band, one.member_count),
        (&id, Band::P1, 5),
        "the sensor goes on, no new witness"
    );
    assert_eq!(one.previous.as_ref().unwrap().band, Band::P2);
    assert!(
        one.previous.as_ref().unwrap().because.starts_with("O6"),
        "{:?}",
        one.previous
    );

    story.tell(sensor("pond-1", "road_ponding", 0.0, 0.0).clears().at(40));
    story.tick(at(49));
    assert_eq!(story.only().status, Status::Open);
    story.tick(at(51));
    assert_eq!(story.only().close_reason.map(|r| r.as_str()), Some("cleared"));
}

#[test]
fn two_manholes_25_m_apart_stay_two_when_their_sensors_tell() {
    let mut story = Teller::new();
    story.tell(
        sensor("tilt-1", "manhole_missing", 0.0, 0.0)
            .component("m1")
            .at(0),
    );
    story.tell(
        sensor("tilt-2", "manhole_missing", 25.0, 0.0)
            .component("m2")
            .at(1),
    );
    assert_eq!(story.incidents().len(), 2);

    let mut story = Teller::new();
    story.tell(call("c1", "manhole_missing", 0.0, 0.0).reporter(1).at(0));
    story.tell(call("c2", "manhole_missing", 25.0, 0.0).reporter(2).at(1));
    assert_eq!(story.incidents().len(), 1, "callers alone cannot separate them");
}

#[test]
fn an_inferred_component_joins_but_keeps_nobody_apart() {
    let missing = |id: &str, x: f64| call(id, "manhole_missing", x, 0.0);
    // Farther apart than any radius of the kind, but they mean the same cover.
    let mut story = Teller::new();
    story.tell(missing("c1", 0.0).unsure(60).inferred("m1").reporter(1).at(0));
    story.tell(missing("c2", 150.0).unsure(60).inferred("m1").reporter(2).at(1));
    assert_eq!(story.only().member_count, 2);
    story.tell(
        sensor("tilt-1", "manhole_missing", 75.0, 0.0)
            .component("m1")
            .at(2),
    );
    assert_eq!(story.only().member_count, 3);
    // What a sensor says of another cover is another's, but a guess is no evidence against nearness.
    story.tell(
        sensor("tilt-2", "manhole_missing", 80.0, 0.0)
            .component("m2")
            .at(3),
    );
    assert_eq!(story.incidents().len(), 2);

    let mut story = Teller::new();
    story.tell(missing("c1", 0.0).inferred("m1").reporter(1).at(0));
    story.tell(missing("c2", 10.0).inferred("m2").reporter(2).at(1));
    assert_eq!(story.incidents().len(), 1, "two guesses");
    let mut story = Teller::new();
    story.tell(
        sensor("tilt-1", "manhole_missing", 0.0, 0.0)
            .component("m1")
            .at(0),
    );
    story.tell(missing("c2", 10.0).inferred("m2").reporter(2).at(1));
    assert_eq!(story.incidents().len(), 1, "a guess against a name");
    let mut story = Teller::new();
    story.tell(missing("c1", 0.0).inferred("m2").reporter(2).at(0));
    story.tell(
        sensor("tilt-1", "manhole_missing", 10.0, 0.0)
            .component("m1")
            .at(1),
    );
    assert_eq!(story.incidents().len(), 1, "a name against a guess");
}

#[test]
fn a_camera_that_goes_on_for_two_hours_is_one_event_and_twelve_revisions_at_most() {
    let mut story = Teller::new();
    for minute in 0..120 {
        story.tell(
            camera("cam-9", "shop_spill", 0.0, 0.0)
                .id(&format!("a{minute}"))
                .at(minute),
        );
        story.tick(at(minute) + 30_000);
    }
    let one = story.only();
    assert_eq!((one.member_count, one.band), (1, Band::P4));
    assert!(one.revision <= 13, "{} revisions", one.revision);
    assert_eq!(story.count(Outcome::Continued), 119);
}

#[test]
fn the_same_garbage_next_day_is_a_recurrence() {
    let mut story = Teller::new();
    for day in 0..3 {
        story.tell(inspector(&format!("g{day}"), "garbage_exposed", 0.0, 0.0).at(day * 1_380));
        story.tick(at(day * 1_380 + 720));
    }
    let incidents = story.incidents();
    assert_eq!(incidents.len(), 3);
    let mut by_time = incidents.clone();
    by_time.sort_by_key(|incident| incident.opened_at);
    assert_eq!(by_time[1].recurrence_of.as_ref(), Some(&by_time[0].id));
    assert_eq!(by_time[2].recurrence_of.as_ref(), Some(&by_time[1].id));
}

#[test]
fn a_ticket_that_cites_another_joins_it_and_the_same_phone_counts_once() {
    let mut story = Teller::new();
    story.tell(call("c1", "noise", 0.0, 0.0).ticket("T1").reporter(7).at(0));
    story.tell(
        call("c2", "noise", 0.0, 0.0)
            .nowhere()
            .ticket("T2")
            .cites("T1")
            .reporter(7)
            .at(10),
    );
    let one = story.only();
    assert_eq!((one.member_count, one.reporters.len()), (2, 1));
    assert_eq!(one.members[0].why.as_str(), "cited_ticket");
}

#[test]
fn calls_without_a_place_meet_by_town_and_address() {
    let mut story = Teller::new();
    story.tell(
        call("c1", "noise", 0.0, 0.0)
            .nowhere()
            .address("310117107", "涞坊路1500弄")
            .at(0),
    );
    story.tell(
        call("c2", "noise", 0.0, 0.0)
            .nowhere()
            .address("310117107", "涞坊路1500弄")
            .at(10),
    );
    story.tell(
        call("c3", "noise", 0.0, 0.0)
            .nowhere()
            .address("310117102", "涞坊路1500弄")
            .at(11),
    );
    story.tell(call("c4", "noise", 0.0, 0.0).nowhere().at(12));
    assert_eq!(story.incidents().len(), 3);
}

#[test]
fn what_is_seen_again_changes_nothing() {
    let mut story = Teller::new();
    let event = call("c1", "road_damage", 0.0, 0.0).at(0);
    story.tell(event.clone());
    let before = story.only();
    story.tell(event);
    assert_eq!(story.only(), before);
    assert_eq!(story.count(Outcome::DuplicateId), 1);
}

#[test]
fn too_late_is_late_and_older_than_its_life_is_closed_at_once() {
    let mut story = Teller::new();
    story.tell(call("c1", "fire_smoke", 0.0, 0.0).at(0).came_after(25 * 60));
    assert_eq!((story.incidents().len(), story.count(Outcome::Late)), (0, 1));
    story.tell(call("c2", "fire_smoke", 0.0, 0.0).at(0).came_after(5 * 60));
    assert_eq!(story.only().close_reason.map(|r| r.as_str()), Some("stale"));
}

#[test]
fn what_a_device_kept_while_it_was_away_opens_nothing_but_is_on_record() {
    let mut story = Teller::new();
    // 道路积水 is quiet after an hour; a gauge comes back after 5 and sends its alarms from before, the oldest first.
    story.tell(sensor("s1", "road_ponding", 0.0, 0.0).at(0).came_after(5 * 60));
    let kept = story.only();
    assert_eq!(
        (kept.status, kept.close_reason.map(|r| r.as_str())),
        (Status::Closed, Some("stale"))
    );
    assert_eq!(kept.shown_in, None, "no band shows it");
    story.tell(sensor("s1", "road_ponding", 0.0, 0.0).at(300));
    let again = story
        .incidents()
        .into_iter()
        .filter(|incident| incident.status == Status::Open);
    assert_eq!(again.count(), 1, "it alarms now");
}

#[test]
fn a_burst_of_kept_alarms_opens_nothing_in_any_order() {
    // 道路积水 is quiet after an hour: of these, which came at 300, the last one alone is no older.
    let orders: [[i64; 4]; 4] = [[0, 30, 60, 90], [90, 60, 30, 0], [60, 0, 90, 30], [30, 90, 0, 60]];
    for order in orders {
        let mut story = Teller::new();
        for minute in order {
            story.tell(
                sensor("s1", "road_ponding", 0.0, 0.0)
                    .at(minute)
                    .came_after(300 - minute),
            );
            let kept = story.only();
            assert_eq!(
                (
                    kept.status,
                    kept.close_reason.map(|reason| reason.as_str()),
                    kept.shown_in
                ),
                (Status::Closed, Some("stale"), None),
                "{order:?}"
            );
        }
        assert_eq!(story.only().devices.len(), 1);
        // What it sees now opens, and what it kept neither closes that nor opens what is closed.
        story.tell(sensor("s1", "road_ponding", 0.0, 0.0).at(301));
        let is_open = |story: &Teller| {
            let open = story.incidents().into_iter();
            open.filter(|incident| incident.status == Status::Open).count()
        };
        assert_eq!(is_open(&story), 1, "{order:?}");
        story.tell(sensor("s1", "road_ponding", 0.0, 0.0).at(120).came_after(182));
        assert_eq!(is_open(&story), 1, "{order:?}");
    }
}

#[test]
fn a_burst_ends_with_what_its_device_says_of_the_end_whatever_lies_before() {
    // 道路积水 is quiet after an hour, and a cleared incident is closed after ten minutes. A gauge comes back at 600 with episodes
    // nearer to each other than an hour: older ones never open; of the last one the alarm decides, until its end is told.
    let kept = |minute: i64| {
        sensor("s1", "road_ponding", 0.0, 0.0)
            .at(minute)
            .came_after(600 - minute)
    };
    let opens = |story: &Teller| {
        let incidents = story.incidents();
        (incidents.iter().filter(|one| one.status == Status::Open)).count()
    };
    for (last, is_news) in [(530, false), (539, false), (540, true), (550, true)] {
        let mut story = Teller::new();
        for minute in (10..last).step_by(50) {
            story.tell(kept(minute));
            story.tell(kept(minute + 5).clears());
            story.tick(at(600));
            assert_eq!(opens(&story), 0, "{last}: {minute}");
        }
        story.tell(kept(last));
        assert_eq!(opens(&story), usize::from(is_news), "{last}: its end is not told");
        story.tell(kept(last + 5).clears());
        story.tick(at(601));
        assert_eq!(opens(&story), 0, "{last}: it was over for long when it was told");
    }
    // Who saw it after its end, and a clear signal that is not old, keep the ten minutes.
    let mut story = Teller::new();
    story.tell(kept(560));
    story.tell(call("c1", "road_ponding", 0.0, 0.0).reporter(1).at(590));
    story.tell(kept(565).clears());
    story.tick(at(601));
    assert_eq!(opens(&story), 1, "it was seen since");
    let mut story = Teller::new();
    story.tell(kept(590));
    story.tell(kept(595).clears());
    story.tick(at(601));
    assert_eq!(opens(&story), 1);
    story.tick(at(610));
    assert_eq!(opens(&story), 0);
}

#[test]
fn what_was_stale_has_its_time_from_when_it_opens() {
    let mut story = Teller::new();
    story.tell(sensor("s1", "road_ponding", 0.0, 0.0).at(500).came_after(100));
    assert_eq!(story.only().opened_at, at(600));
    story.tell(sensor("s1", "road_ponding", 0.0, 0.0).at(550).came_after(55));
    let open = story.only();
    assert_eq!((open.status, open.opened_at), (Status::Open, at(605)));
    assert!(open.dispatch_by > at(605));
}

#[test]
fn worked_examples_of_the_score() {
    let mut flood = Teller::new();
    flood.warn(warning("w1", Severity::Orange, "310117", 1_090));
    flood.tick(at(1_095));
    // 10:00 UTC + 18:20 … at(1 100) is 18:20 local: the evening rush.
    let near = |teller: teller::Told| teller.near(Facility::Underpass);
    flood.tell(near(sensor("p", "underpass_flood", 0.0, 0.0).measured("ponding_depth", 32.0)).at(1_100));
    flood.tell(near(camera("cam", "underpass_flood", 10.0, 0.0).credibility(2)).at(1_101));
    flood.tell(
        near(
            call("c1", "underpass_flood", 20.0, 0.0)
                .reporter(1)
                .credibility(5),
        )
        .at(1_102),
    );
    flood.tell(
        near(
            call("c2", "underpass_flood", 20.0, 5.0)
                .reporter(2)
                .credibility(5),
        )
        .at(1_103),
    );
    flood.tick(at(1_104));
    let record = flood.record();
    assert_eq!(record.priority.parts_text(), "S40 E11 C13 R2 W7 T0 = 73");
    assert_eq!(record.priority.band, Band::P1);
    assert!(
        record.priority.overrides.iter().any(|id| id.starts_with("O1")),
        "{:?}",
        record.priority.overrides
    );
    assert!(
        record
            .priority
            .reasons_zh
            .iter()
            .any(|reason| reason.contains("32")),
        "{:?}",
        record.priority.reasons_zh
    );

    let mut smoke = Teller::new();
    smoke.tell(sensor("s", "fire_smoke", 0.0, 0.0).at(120)); // 02:00
    let record = smoke.record();
    assert_eq!(record.priority.parts_text(), "S28 E3 C6 R0 W0 T0 = 37");
    assert_eq!(
        (
            record.priority.band,
            record.priority.overrides[0].starts_with("O2")
        ),
        (Band::P2, true)
    );

    let mut garbage = Teller::new();
    garbage.tell(camera("cam", "garbage_exposed", 0.0, 0.0).credibility(2).at(720));
    let record = garbage.record();
    assert_eq!(record.priority.parts_text(), "S6 E0 C2 R0 W0 T0 = 8");
    assert_eq!(record.priority.band, Band::P4);

    let mut hole = Teller::new();
    hole.tell(
        call("c", "manhole_missing", 0.0, 0.0)
            .credibility(5)
            .near(Facility::Arterial)
            .reporter(1)
            .at(1_380),
    );
    let record = hole.record();
    assert_eq!(record.priority.parts_text(), "S40 E11 C5 R0 W0 T0 = 56");
    assert_eq!(record.priority.band, Band::P2);
    hole.tell(
        sensor("t", "manhole_missing", 2.0, 0.0)
            .measured("cover_tilt", 75.0)
            .at(1_381),
    );
    assert_eq!(hole.record().priority.band, Band::P1);
}

#[test]
fn a_silence_holds_back_works_but_never_a_p1() {
    let mut story = Teller::new();
    story.silence(silence("s1", &["noise", "gas_leak"], 0, 600));
    story.tell(call("c1", "noise", 0.0, 0.0).in_town("310117107").at(10));
    story.tell(
        sensor("g1", "gas_leak", 0.0, 0.0)
            .in_town("310117107")
            .measured("ch4", 25.0)
            .at(11),
    );
    assert_eq!(story.count(Outcome::Silenced), 1);
    assert_eq!(story.only().kind.as_str(), "gas_leak");
    story.tell(call("c2", "noise", 0.0, 0.0).in_town("310117107").at(601));
    assert_eq!(
        story.incidents().len(),
        2,
        "when the silence ends, the trouble shows"
    );
}

#[test]
fn a_warning_of_another_district_weighs_nothing() {
    let mut story = Teller::new();
    story.warn(warning("w1", Severity::Red, "310112", 0));
    story.warn(warning("w2", Severity::Blue, "310117", 0));
    story.tick(at(1));
    story.tell(call("c1", "tree_fallen", 0.0, 0.0).in_town("310117107").at(720));
    assert_eq!(story.record().priority.parts.weather, 2);
}

#[test]
fn the_centre_is_obeyed_or_told_why_not() {
    let mut story = Teller::new();
    story.tell(call("c1", "road_damage", 0.0, 0.0).at(600));
    let id = story.only().id;
    let answers: Vec<String> = [
        command("k1", &id, Action::Arrive),
        command("k2", &id, Action::Dispatch),
        command("k3", &id, Action::Arrive),
        command("k4", &id, Action::Verify),
        command("k5", &id, Action::Resolve),
        command("k6", &id, Action::Verify),
        command("k7", &id, Action::Dispatch),
        command("k8", &id, Action::Reopen),
        command("k8", &id, Action::Close),
        command("k9", &id, Action::Merge),
    ]
    .into_iter()
    .map(|command| story.command(command))
    .collect();
    insta::assert_snapshot!(answers.join("\n"), @r"
    arrive refused: the incident was not dispatched
    dispatch applied
    arrive applied
    verify refused: the incident was not resolved
    resolve applied
    verify applied
    dispatch refused: the incident is closed
    reopen applied
    close duplicate_id
    merge refused: a merge needs the other incident
    ");
    let pin = city_model::Command {
        band: Some(Band::P1),
        ..command("k10", &id, Action::PinPriority)
    };
    assert_eq!(story.command(pin), "pin_priority applied");
    let record = story.record();
    assert_eq!(
        (
            record.priority.band,
            record.priority.overrides.last().unwrap().as_str()
        ),
        (Band::P1, "O5.operator_pin")
    );
}

#[test]
fn an_incident_that_the_centre_handles_does_not_go_quiet() {
    let mut story = Teller::new();
    story.tell(call("c1", "fire_smoke", 0.0, 0.0).at(600));
    let id = story.only().id;
    story.command(command("k1", &id, Action::Dispatch));
    story.tick(at(1_400));
    assert_eq!(story.only().status, Status::Open);
    assert!(
        story.record().priority.parts.time > 0,
        "time runs while it is handled"
    );
}

#[test]
fn the_best_position_names_the_cell_and_the_others_are_affected() {
    let mut story = Teller::new();
    story.tell(
        call("c1", "road_ponding", 8.0, 0.0)
            .cell("310117107001001")
            .quality(Quality::Poi)
            .at(0),
    );
    story.tell(
        sensor("s1", "road_ponding", -2.0, 0.0)
            .cell("310117006001001")
            .quality(Quality::Component)
            .at(1),
    );
    story.tick(at(2));
    let record = story.record();
    assert_eq!(&*record.responsible.as_ref().unwrap().code, "310117006001001");
    assert_eq!(
        record.also_affects.iter().map(|c| &**c).collect::<Vec<_>>(),
        ["310117107001001"]
    );
    assert_eq!(
        record.source_types,
        [Channel::Sensor.as_str(), Channel::Hotline.as_str()]
    );
}

#[test]
fn a_warning_sent_again_is_a_duplicate_and_an_older_revision_is_refused() {
    let mut story = Teller::new();
    let first = warning("w1", Severity::Blue, "310117", 0);
    let second = city_model::Warning {
        revision: 2,
        severity: Severity::Red,
        ..first.clone()
    };
    for told in [&first, &second, &second, &first] {
        story.warn(told.clone());
    }
    story.silence(silence("s1", &["noise"], 0, 600));
    story.silence(silence("s1", &["noise"], 0, 600));
    let counts =
        [Outcome::Applied, Outcome::DuplicateId, Outcome::Refused].map(|outcome| story.count(outcome));
    assert_eq!(counts, [3, 2, 1]);
}

#[test]
fn a_caller_after_the_clear_signal_keeps_the_incident_open() {
    let mut story = Teller::new();
    let pond = |minute: i64| {
        sensor("pond", "road_ponding", 0.0, 0.0)
            .measured("ponding_depth", 30.0)
            .at(minute)
    };
    story.tell(pond(0));
    story.tell(sensor("pond", "road_ponding", 0.0, 0.0).clears().at(1));
    story.tell(call("c1", "road_ponding", 5.0, 0.0).reporter(1).at(10));
    story.tick(at(12));
    assert_eq!(
        (story.only().status, story.only().band),
        (Status::Open, Band::P1),
        "somebody still sees water"
    );
    story.tick(at(71));
    assert_eq!(story.only().close_reason.map(|r| r.as_str()), Some("quiet"));

    let mut story = Teller::new();
    story.tell(pond(0));
    story.tell(sensor("pond", "road_ponding", 0.0, 0.0).clears().at(2));
    story.tick(at(13));
    let closed = story.only();
    story.tell(
        call("c1", "road_ponding", 5.0, 0.0)
            .reporter(1)
            .at(1)
            .came_after(13),
    );
    assert_eq!(
        story.only().status,
        Status::Closed,
        "a ticket about the time before the clear is history"
    );
    assert_eq!(story.only().member_count, closed.member_count + 1);
    story.tell(call("c2", "road_ponding", 5.0, 0.0).reporter(2).at(15));
    assert_eq!(story.only().status, Status::Open);
}

#[test]
fn an_event_that_founded_an_incident_is_known_as_long_as_the_incident_is() {
    let mut story = Teller::new();
    story.tell(inspector("a", "illegal_build", 0.0, 0.0).at(0));
    let before = story.only();
    story.tick(at(80 * 60));
    story.tell(inspector("a", "illegal_build", 0.0, 0.0).at(81 * 60));
    assert_eq!(story.count(Outcome::DuplicateId), 1);
    assert_eq!((story.only().id, story.only().member_count), (before.id, 1));
}

#[test]
fn an_unknown_channel_confirms_nothing() {
    let mut story = Teller::new();
    story.tell(inspector("i1", "road_damage", 0.0, 0.0).at(600));
    let alone = story.record().priority.parts.credibility;
    let mut pigeon = inspector("i2", "road_damage", 1.0, 0.0).at(601);
    pigeon.0.channel = Channel::Other;
    story.tell(pigeon);
    assert_eq!(story.record().priority.parts.credibility, alone);
}

#[test]
fn a_pin_that_is_taken_back_leaves_nothing() {
    let mut story = Teller::new();
    story.tell(call("c1", "road_damage", 0.0, 0.0).at(600));
    let id = story.only().id;
    let band = story.only().band;
    story.command(command("k1", &id, Action::Dispatch));
    story.command(city_model::Command {
        band: Some(Band::P1),
        ..command("k2", &id, Action::PinPriority)
    });
    assert_eq!(story.only().band, Band::P1);
    story.command(command("k3", &id, Action::UnpinPriority));
    assert_eq!((story.only().band, story.only().lower_since), (band, None));
}

#[test]
fn a_reporter_counts_once_over_a_change_of_the_key() {
    let old = |id: &str, minute: i64, old: u64| call(id, "road_ponding", 10.0, 0.0).reporter(old).at(minute);
    let both = |id: &str, minute: i64, new: u64, old: u64| {
        let mut told = call(id, "road_ponding", 10.0, 0.0).reporter(new).at(minute);
        told.0.reporter_before = Some(old);
        told
    };
    let mut story = Teller::new();
    story.tell(old("c1", 1, 7));
    story.tell(old("c2", 2, 8));
    assert_eq!(story.only().reporters.len(), 2);
    // One process has the new key, another not yet.
    story.tell(both("c3", 3, 107, 7));
    story.tell(old("c4", 4, 7));
    story.tell(both("c5", 5, 109, 9));
    story.tell(old("c6", 6, 9));
    assert_eq!(story.only().reporters.len(), 3, "7 and 8 and 9");
    // A restart in between: the rows decide.
    let mut restored = Engine::with_setting(Setting::with_rules(Arc::new(activation()), rules()).unwrap());
    for row in story.rows.values().flatten() {
        restored.apply(&Change::from_row(row).unwrap()).unwrap();
    }
    story.engine = restored;
    story.tell(both("c7", 7, 107, 7));
    story.tell(old("c8", 8, 9));
    assert_eq!(story.only().reporters.len(), 3);
    // The earlier key is gone from the configuration.
    story.tell(call("c9", "road_ponding", 10.0, 0.0).reporter(107).at(9));
    story.tell(call("c10", "road_ponding", 10.0, 0.0).reporter(110).at(10));
    let one = story.only();
    assert_eq!((one.member_count, one.reporters.len()), (10, 4));
}
