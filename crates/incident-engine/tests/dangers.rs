//! No danger is hidden in another trouble, and none waits to be told: by a citation, a device's bad start, one camera's or one
//! house's two components, or a partition that was never heard of.
#![allow(clippy::unwrap_used, reason = "tests")]

mod teller;

use std::sync::Arc;

use city_model::{Action, Band, CloseReason, Event, Flag, Input, Outcome, Status, Tick};
use teller::desk::{id_of, kept, merging, moving, order, parting, restart, rubbish, two_heaps};
use teller::{Teller, Told, activation, at, call, camera, inspector, sensor, silence};

/// How each event was decided, in the order of the incidents' kinds.
fn kinds(story: &Teller) -> Vec<(String, Band, u64)> {
    let incidents = story.incidents();
    let told = incidents
        .iter()
        .map(|one| (one.kind.as_str().to_owned(), one.band, one.member_count));
    let mut told: Vec<_> = told.collect();
    told.sort();
    told
}

fn is(kind: &str, band: Band, members: u64) -> (String, Band, u64) {
    (kind.to_owned(), band, members)
}

#[test]
fn a_fire_that_cites_a_charging_bicycle_is_a_fire() {
    let told = || {
        [
            call("c1", "ebike_charging", 0.0, 0.0)
                .ticket("T1")
                .reporter(1)
                .at(0),
            call("c2", "fire_smoke", 0.0, 0.0)
                .ticket("T2")
                .cites("T1")
                .reporter(1)
                .at(10),
            camera("v1", "fire_smoke", 10.0, 0.0).at(12),
        ]
    };
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [2, 1, 0]] {
        let mut story = Teller::new();
        for at in order {
            let one = &told()[at];
            story.input(&Input::Event(Arc::new(one.0.clone())));
            restart(&mut story);
        }
        assert_eq!(
            kinds(&story),
            [is("ebike_charging", Band::P2, 1), is("fire_smoke", Band::P1, 2)],
            "{order:?}"
        );
        let incidents = story.incidents();
        for (one, other) in [(0, 1), (1, 0)] {
            let (one, other) = (&incidents[one], &incidents[other]);
            assert!(
                one.related.contains(&other.id),
                "{order:?}: each leads to the other"
            );
        }
    }
}

#[test]
fn what_a_citation_joins() {
    // The kind of the cited ticket, that of the one which cites it, and how many incidents they are.
    for (cited, citing, count) in [
        ("noise", "noise", 1),
        ("road_ponding", "underpass_flood", 2),
        ("underpass_flood", "road_ponding", 1),
        ("parking_motor", "fire_lane_blocked", 2),
        ("fire_lane_blocked", "parking_motor", 1),
        ("fire_smoke", "ebike_charging", 1),
        ("fire_smoke", "elec_hazard", 1),
        // Of another group: it may be decided elsewhere.
        ("street_light", "noise", 2),
    ] {
        let mut story = Teller::new();
        story.tell(call("c1", cited, 0.0, 0.0).ticket("T1").at(0));
        story.tell(call("c2", citing, 0.0, 0.0).nowhere().cites("T1").at(10));
        assert_eq!(story.incidents().len(), count, "{citing} cites {cited}");
    }
}

#[test]
fn a_graver_danger_is_no_recurrence_of_what_it_cites() {
    let mut story = Teller::new();
    story.tell(call("c1", "road_ponding", 0.0, 0.0).ticket("T1").at(0));
    let id = id_of(&story, "c1");
    story.command(order("k1", &id, Action::Close));
    story.tell(call("c2", "underpass_flood", 0.0, 0.0).cites("T1").at(10));
    let flood = id_of(&story, "c2");
    let incidents = story.incidents();
    let flood = incidents.iter().find(|incident| incident.id == flood).unwrap();
    assert_eq!((&flood.recurrence_of, flood.status), (&None, Status::Open));
}

/// A methane sensor whose clock began at nothing.
fn suspect(mut told: Told) -> Told {
    told.0.flags.push(Flag::Suspect);
    told.0.credibility = 1;
    told
}

#[test]
fn a_sensor_that_came_to_its_senses_is_believed() {
    let gas = |minute| {
        sensor("g1", "gas_leak", 0.0, 0.0)
            .measured("ch4", 80.0)
            .at(minute)
    };
    let mut sound = Teller::new();
    for minute in [0, 1] {
        sound.tell(gas(minute));
    }
    assert_eq!(sound.only().band, Band::P1);

    let mut story = Teller::new();
    story.tell(suspect(gas(0)));
    let doubted = story.only().band;
    assert!(doubted > Band::P1, "{doubted:?}");
    story.tell(gas(1));
    let one = story.only();
    assert_eq!(
        (one.band, one.member_count, one.all_suspect),
        (Band::P1, 1, false)
    );

    // One that gets out of its mind later does not take back what it said.
    let mut story = Teller::new();
    story.tell(gas(0));
    story.tell(suspect(gas(1)));
    assert_eq!(story.only().band, Band::P1);
}

#[test]
fn one_camera_that_states_two_covers_sees_two_holes() {
    let hole = |id: &str, cover: &str, minute| {
        camera("v1", "manhole_missing", 0.0, 0.0)
            .id(id)
            .component(cover)
            .at(minute)
    };
    let mut story = Teller::new();
    story.tell(hole("a", "m1", 0));
    story.tell(hole("b", "m2", 1).put(95.0, 0.0));
    story.tell(hole("c", "m1", 2));
    // Which one it means the camera need not say.
    story.tell(camera("v1", "manhole_missing", 0.0, 0.0).id("d").at(3));
    let counts: Vec<u64> = story.incidents().iter().map(|one| one.member_count).collect();
    assert_eq!(counts, [1, 1], "what the same camera says again continues");
}

#[test]
fn two_lifts_of_one_house_are_two_without_coordinates_too() {
    let stuck = |id: &str, lift: &str, minute| {
        call(id, "elevator_trap", 0.0, 0.0)
            .nowhere()
            .address("310117107", "涞坊路1500弄3号")
            .component(lift)
            .at(minute)
    };
    let mut story = Teller::new();
    story.tell(stuck("a", "lift-1", 0));
    story.tell(stuck("b", "lift-2", 1));
    story.tell(stuck("c", "lift-1", 2));
    let mut counts: Vec<u64> = story.incidents().iter().map(|one| one.member_count).collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 2]);
}

#[test]
fn a_rise_to_p1_does_not_wait_for_a_partition_that_was_never_heard_of() {
    let mut activation = activation();
    activation.partitions = vec!["test".into(), "never".into()];
    let mut story = Teller::with(activation);
    let tell = |story: &mut Teller, told: Told| {
        let event: Event = told.0;
        story.input(&Input::Tick(Tick {
            clocks: vec![("test".into(), event.ingested_at.floor_second())],
        }));
        story.input(&Input::Event(Arc::new(event)));
    };
    tell(&mut story, call("c1", "fire_smoke", 0.0, 0.0).reporter(1).at(0));
    tell(&mut story, inspector("i1", "fire_smoke", 0.0, 0.0).at(1));
    assert_eq!(story.engine.clock(), None, "a partition is missing");
    let bands: Vec<Band> = story.revisions.iter().map(|told| told.priority.band).collect();
    assert_eq!(bands, [Band::P2, Band::P1]);

    // What changes without a rise comes with the next second.
    let before = story.revisions.len();
    tell(&mut story, call("c2", "fire_smoke", 0.0, 0.0).reporter(2).at(2));
    story.input(&Input::Tick(Tick {
        clocks: vec![("test".into(), at(2) + 1_000)],
    }));
    assert_eq!(story.revisions.len(), before + 1);
    assert_eq!(story.revisions[before].member_count, 3);
}

#[test]
fn a_stated_cover_is_not_hidden_where_it_was_but_inferred() {
    let mut story = Teller::new();
    let hole = |id: &str, x: f64| inspector(id, "manhole_missing", x, 0.0);
    story.tell(hole("a", 0.0).component("m2").at(0));
    story.tell(hole("b", 12.0).inferred("m1").unsure(7).at(3));
    assert_eq!(story.only().member_count, 2, "an inference keeps nobody apart");
    story.tell(sensor("tilt", "manhole_missing", 14.0, 0.0).component("m1").at(6));
    assert_eq!(story.incidents().len(), 2);
}

/// A fire that a sensor tells of at 0, and what comes then, told by ticks of a minute, until shortly before it would be quiet.
fn fire_then(mut told: Vec<Told>) -> Teller {
    told.insert(0, sensor("s1", "fire_smoke", 0.0, 0.0).at(0));
    let mut story = Teller::new();
    for minute in 0..24 {
        story.tick(at(minute));
        for one in told.iter().filter(|one| one.0.ingested_at == at(minute)) {
            story.tell(one.clone());
            restart(&mut story);
        }
    }
    story
}

#[test]
fn who_saw_it_after_the_devices_were_clear_keeps_it_open_whenever_the_signal_came() {
    let seen = |id: &str, minute| call(id, "fire_smoke", 2.0, 0.0).at(minute);
    let clear = |minute| sensor("s1", "fire_smoke", 0.0, 0.0).at(minute).clears();
    // Measured at 3, read at 9; between a caller who saw it at 5.
    let story = fire_then(vec![seen("c", 5).came_after(1), clear(3).came_after(6)]);
    assert_eq!(
        (story.only().status, story.only().cleared_at),
        (Status::Open, None)
    );
    // The caller comes after the signal, before and after it would have been over.
    for late in [12, 22] {
        let story = fire_then(vec![clear(3).came_after(6), seen("c", 8).came_after(late - 8)]);
        assert_eq!(story.only().status, Status::Open, "read at {late}");
    }
    // Who saw it before that changes nothing.
    for late in [6, 12, 22] {
        let story = fire_then(vec![clear(5).came_after(1), seen("c", 4).came_after(late - 4)]);
        let over = (Status::Closed, Some(CloseReason::Cleared));
        let one = story.only();
        assert_eq!((one.status, one.close_reason), over, "read at {late}");
        assert_eq!(one.member_count, 2);
    }
    // Two cameras, of which the first ended later than the second; its end came first.
    let sees = |device: &str, minute| {
        camera(device, "fire_smoke", 0.0, 0.0)
            .id(&format!("{device}@{minute}"))
            .at(minute)
    };
    let mut story = Teller::new();
    story.tell(sees("v1", 0));
    story.tell(sees("v2", 1));
    story.tell(sees("v1", 5).id("v1-end").clears());
    story.tell(sees("v2", 3).id("v2-end").came_after(3).clears());
    assert_eq!(story.only().cleared_at, Some(at(6)));
}

#[test]
fn a_false_alarm_is_no_word_on_who_had_not_told_yet() {
    let mut story = Teller::new();
    story.tell(sensor("s1", "fire_smoke", 0.0, 0.0).at(0));
    let first = story.only().id;
    story.tick(at(10));
    story.command(order("k1", &first, Action::FalseAlarm));
    story.tell(call("c1", "fire_smoke", 3.0, 0.0).reporter(1).at(9).came_after(5));
    story.tell(call("c2", "fire_smoke", 3.0, 0.0).reporter(2).at(9).came_after(6));
    let other = kept(&story, &id_of(&story, "c1"));
    assert_eq!((other.status, other.member_count), (Status::Open, 2));
    assert_eq!(
        other.recurrence_of, None,
        "there was no trouble that could come back"
    );
    assert!(other.related.contains(&first));
    // What the same sensor sent before that belongs to it.
    story.tell(sensor("s1", "fire_smoke", 0.0, 0.0).at(8).came_after(8));
    assert_eq!(kept(&story, &first).status, Status::Closed);
    assert_eq!(story.incidents().len(), 2);
}

#[test]
fn one_clear_signal_ends_all_that_its_device_alarmed_about() {
    let alarm = |minute| sensor("g1", "gas_leak", 0.0, 0.0).at(minute);
    let mut story = Teller::new();
    story.tell(alarm(0));
    let first = story.only().id;
    story.command(order("k1", &first, Action::Acknowledge));
    story.tell(alarm(420));
    story.tell(alarm(440).clears());
    let incidents = story.incidents();
    assert_eq!(incidents.len(), 2);
    assert!(incidents.iter().all(|one| one.cleared_at == Some(at(440))));
    assert!(
        incidents.iter().all(|one| one.related.len() == 1),
        "each leads to the other"
    );
}

#[test]
fn an_objection_after_the_word_that_it_is_mended_is_not_closed_by_silence() {
    let mut story = Teller::new();
    story.tell(call("c1", "gas_leak", 0.0, 0.0).reporter(1).at(0));
    let id = story.only().id;
    story.tick(at(6));
    for (name, action) in [("k1", Action::Dispatch), ("k2", Action::Resolve)] {
        let mut word = order(name, &id, action);
        word.issued_at = at(6);
        story.command(word);
    }
    story.tell(call("c2", "gas_leak", 1.0, 0.0).reporter(2).at(9));
    story.tick(at(9) + 1_000);
    story.tick(at(2_000));
    let one = story.only();
    assert_eq!(one.status, Status::Open);
    assert!(one.overdue().is_some(), "time counts again");
    let record = story.record();
    let reasons = &record.priority.reasons_en;
    let objection = "still reported after it was said to be mended";
    assert!(reasons.iter().any(|told| told == objection), "{reasons:?}");
}

#[test]
fn what_alarms_again_after_it_was_mended_and_clear_has_nobody_on_site() {
    let gas = |minute| sensor("g1", "gas_leak", 0.0, 0.0).at(minute);
    let mut story = Teller::new();
    story.tell(gas(0));
    let first = story.only().id;
    for (number, action) in [Action::Dispatch, Action::Arrive, Action::Resolve]
        .into_iter()
        .enumerate()
    {
        story.command(order(&format!("k{number}"), &first, action));
    }
    story.tell(gas(2).clears());
    story.tick(at(12));
    assert_eq!(story.only().close_reason, Some(CloseReason::Resolved));
    story.tell(gas(14));
    let again = story.incidents().into_iter().find(|one| one.id != first).unwrap();
    assert_eq!((again.status, again.handling.dispatched_at), (Status::Open, None));
    assert_eq!(again.recurrence_of, Some(first));
}

#[test]
fn what_came_back_and_is_merged_is_no_recurrence_of_itself() {
    let mut story = Teller::new();
    story.tell(rubbish("a", 0.0, 0));
    let first = story.only().id;
    story.command(order("k1", &first, Action::Close));
    story.tell(rubbish("b", 1.0, 60));
    let second = id_of(&story, "b");
    assert_eq!(kept(&story, &second).recurrence_of, Some(first.clone()));
    story.command(merging("k2", &second, &first));
    assert_eq!(kept(&story, &second).recurrence_of, None);
    story.command(order("k3", &second, Action::Undo));
    assert_eq!(kept(&story, &second).recurrence_of, Some(first));
}

#[test]
fn more_time_is_not_given_for_what_comes_back() {
    let mut story = Teller::new();
    story.tell(call("c1", "road_ponding", 0.0, 0.0).at(0));
    let id = story.only().id;
    let mut word = order("k1", &id, Action::Extend);
    word.deadline = Some(at(20_000));
    story.command(word);
    assert_eq!(story.only().control_by, at(20_000));
    story.tick(at(400));
    assert_eq!(story.only().close_reason, Some(CloseReason::Quiet));
    story.tell(call("c2", "road_ponding", 0.0, 0.0).at(20).came_after(390));
    let again = story.only();
    assert_eq!(again.status, Status::Open);
    assert!(again.control_by < at(20_000), "{:?}", again.control_by);
}

#[test]
fn a_silence_that_is_revised_shows_all_that_it_alone_held_back() {
    let power = |minute| {
        sensor("p1", "power_outage", 0.0, 0.0)
            .in_town("310117107")
            .at(minute)
    };
    let works = |id: &str, from, until| silence(id, &["power_outage"], from, until);
    // One silence announced it, and another holds it back afterwards.
    let mut story = Teller::new();
    story.silence(works("s1", 0, 120));
    story.silence(works("s2", 120, 600));
    story.tell(power(110));
    story.tick(at(130));
    assert!(story.incidents().is_empty());
    let mut ended = works("s2", 120, 125);
    ended.reason = "over".into();
    story.silence(ended);
    story.tick(at(130) + 1_000);
    assert_eq!(story.incidents().len(), 1, "nobody holds it back any more");

    // It began later than it was said to.
    let mut story = Teller::new();
    story.silence(works("s1", 0, 600));
    story.tell(power(20));
    assert!(story.incidents().is_empty());
    story.silence(works("s1", 60, 600));
    assert_eq!(story.incidents().len(), 1, "it came before");
}

/// A burst that two tell of, ponding that it explains as long as both are one, and another burst far away.
fn ponding_by_a_burst() -> (Teller, [city_model::IncidentId; 3]) {
    let mut story = Teller::new();
    let burst = |id: &str, x: f64| call(id, "water_burst", x, 0.0);
    story.tell(burst("w1", 0.0).at(0));
    story.tell(burst("w2", 90.0).at(1));
    story.tell(burst("far", 3_000.0).at(1));
    story.tell(call("p1", "road_ponding", 190.0, 0.0).at(2));
    let ids = ["w1", "far", "p1"].map(|event| id_of(&story, event));
    let ponding = kept(&story, &ids[2]);
    assert_eq!(
        (ponding.inhibited_by.as_ref(), ponding.band),
        (Some(&ids[0]), Band::P4)
    );
    (story, ids)
}

#[test]
fn ponding_shows_when_the_burst_that_explained_it_is_moved_away() {
    let (mut story, [burst, far, ponding]) = ponding_by_a_burst();
    assert_eq!(story.command(moving("k1", &burst, &far, &["w2"])), "move applied");
    let alone = kept(&story, &ponding);
    assert_eq!((alone.inhibited_by, alone.band), (None, Band::P3), "at once");
    restart(&mut story);
    assert_eq!(story.command(order("k2", &burst, Action::Undo)), "undo applied");
    assert_eq!(kept(&story, &ponding).inhibited_by, Some(burst));
}

#[test]
fn ponding_is_explained_by_the_part_of_the_burst_that_is_near() {
    let (mut story, [burst, _, ponding]) = ponding_by_a_burst();
    assert_eq!(story.command(parting("k1", &burst, &["w2"])), "split applied");
    let part = id_of(&story, "w2");
    assert_ne!(part, burst);
    let explained = kept(&story, &ponding);
    assert_eq!(
        (explained.inhibited_by.as_ref(), explained.band),
        (Some(&part), Band::P4)
    );
    // What is left of the ponding when the part near it is taken out may be far from both.
    story.tell(call("p2", "road_ponding", 230.0, 0.0).at(3));
    story.tell(call("p3", "road_ponding", 260.0, 0.0).at(4));
    assert_eq!(id_of(&story, "p3"), ponding);
    let answer = story.command(parting("k2", &ponding, &["p1"]));
    assert_eq!(answer, "split applied");
    assert_eq!(kept(&story, &ponding).inhibited_by, None);
    let near = id_of(&story, "p1");
    assert_eq!(kept(&story, &near).inhibited_by, Some(part));
}

#[test]
fn who_saw_it_after_the_devices_were_clear_keeps_it_open_where_events_are_decided_again() {
    // What is read of the other fire comes after the caller's turn, so both are decided again for him.
    let beside = || call("n", "fire_smoke", 210.0, 0.0).at(6);
    let clear = |minute| sensor("s1", "fire_smoke", 0.0, 0.0).at(minute).clears();
    let seen = |minute: i64| {
        call("c", "fire_smoke", 2.0, 0.0)
            .at(minute)
            .came_after(10 - minute)
    };
    for (minute, objects) in [(2, false), (3, false), (4, true), (5, true)] {
        let story = fire_then(vec![beside(), clear(3).came_after(6), seen(minute)]);
        let fire = kept(&story, &id_of(&story, "c"));
        assert_eq!(fire.member_count, 2, "{minute}");
        let open = (Status::Open, None, None);
        let over = (Status::Closed, Some(CloseReason::Cleared), Some(at(9)));
        assert_eq!(
            (fire.status, fire.close_reason, fire.cleared_at),
            if objects { open } else { over },
            "seen at {minute}"
        );
    }
}

#[test]
fn what_a_device_told_of_stays_when_the_handling_is_taken_back() {
    for (minute, is_open) in [(2, false), (5, true)] {
        let mut story = Teller::new();
        let alarm = sensor("s1", "fire_smoke", 0.0, 0.0);
        story.tell(alarm.clone().at(0));
        let id = story.only().id;
        story.command(order("k1", &id, Action::Acknowledge));
        story.tell(alarm.at(3).came_after(6).clears());
        story.command(order("k2", &id, Action::Undo));
        restart(&mut story);
        // Read after the signal; seen before or after what it told of.
        let seen = call("c", "fire_smoke", 2.0, 0.0).at(minute);
        story.tell(seen.came_after(11 - minute));
        story.tick(at(19));
        let is_still = story.only().status == Status::Open;
        assert_eq!(is_still, is_open, "seen at {minute}");
    }
}

/// The members and devices of an incident.
fn holds(story: &Teller, id: &city_model::IncidentId) -> (u64, Vec<String>) {
    let incident = kept(story, id);
    let devices = incident.devices.keys().map(ToString::to_string).collect();
    (incident.member_count, devices)
}

#[test]
fn what_was_heard_at_the_place_of_what_was_merged_goes_along_when_that_is_taken_back() {
    let fire = |device: &str, x, minute| sensor(device, "fire_smoke", x, 0.0).at(minute);
    let mut story = Teller::new();
    story.tell(fire("s1", 0.0, 0));
    let one = story.only().id;
    story.tell(call("c1", "fire_smoke", 600.0, 0.0).ticket("T1").at(0));
    let other = id_of(&story, "c1");
    // A command before: what goes along must not come back when that is taken back as well.
    story.tell(call("c2", "fire_smoke", 2.0, 0.0).at(1));
    story.command(parting("k1", &one, &["c2"]));
    story.command(merging("k2", &one, &other));
    story.tell(fire("s1", 0.0, 3));
    story.tell(fire("s2", 602.0, 3));
    story.tell(fire("s2", 602.0, 4));
    story.tell(call("c3", "fire_smoke", 598.0, 0.0).at(4));
    story.tell(call("c4", "fire_smoke", 0.0, 0.0).nowhere().cites("T1").at(5));
    assert_eq!(holds(&story, &one), (5, vec!["s1".into(), "s2".into()]));
    restart(&mut story);
    assert_eq!(story.command(order("k3", &one, Action::Undo)), "undo applied");
    assert_eq!(holds(&story, &one), (1, vec!["s1".into()]));
    assert_eq!(holds(&story, &other), (4, vec!["s2".into()]));
    let told: Vec<(&str, Option<&str>)> = story.outcomes[story.outcomes.len() - 5..]
        .iter()
        .map(|(key, _, reason)| (key.as_str(), reason.as_deref()))
        .collect();
    let moved = Some("the merge was taken back");
    for key in ["sensor/s2@3", "sensor/s2@4", "hotline/c3", "hotline/c4"] {
        assert!(told.contains(&(key, moved)), "{key}: {told:?}");
    }
    restart(&mut story);
    // It goes on there.
    story.tell(fire("s2", 602.0, 6));
    assert_eq!(kept(&story, &other).last_event_at, at(6));
    assert_eq!(story.command(order("k4", &one, Action::Undo)), "undo applied");
    assert_eq!(holds(&story, &one), (2, vec!["s1".into()]));
    let counted: i64 = [Outcome::Opened, Outcome::Joined]
        .iter()
        .map(|one| story.count(*one))
        .sum();
    assert_eq!(counted, 6);
}

#[test]
fn what_is_settled_by_the_time_stays_where_it_was_heard() {
    let (mut story, a, b) = two_heaps();
    story.command(merging("k1", &a, &b));
    story.tell(rubbish("b3", 401.0, 5));
    story.tick(at(60));
    story.tell(rubbish("b4", 401.0, 61));
    story.command(order("k2", &a, Action::Undo));
    assert_eq!((id_of(&story, "b3"), id_of(&story, "b4")), (a, b));
}

#[test]
fn what_the_component_of_what_was_merged_tells_does_not_move_the_survivor() {
    for swapped in [false, true] {
        let mut story = Teller::new();
        let hole = |id: &str, x: f64, cover: &str, minute| {
            call(id, "manhole_missing", x, 0.0).component(cover).at(minute)
        };
        let mut told = [hole("a", 0.0, "m1", 0), hole("b", 400.0, "m2", 0)];
        if swapped {
            told.reverse();
        }
        told.into_iter().for_each(|one| story.tell(one));
        let [one, other] = ["a", "b"].map(|event| id_of(&story, event));
        story.command(merging("k1", &one, &other));
        let place = kept(&story, &one).fused;
        restart(&mut story);
        story.tell(hole("c", 401.0, "m2", 2));
        let whole = kept(&story, &one);
        assert_eq!((whole.member_count, whole.fused), (3, place), "{swapped}");
        story.command(order("k2", &one, Action::Undo));
        assert_eq!(id_of(&story, "c"), other);
    }
}
