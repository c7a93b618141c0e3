//! No danger is hidden in another trouble, and none waits to be told: by a citation, a device's bad start, one camera's or one
//! house's two components, or a partition that was never heard of.
#![allow(clippy::unwrap_used, reason = "tests")]

mod teller;

use city_model::{Band, Event, Flag, Input, Status, Tick};
use std::sync::Arc;
use teller::desk::{id_of, order, restart};
use teller::{Teller, Told, activation, at, call, camera, inspector, sensor};

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
    story.command(order("k1", &id, city_model::Action::Close));
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
