//! Where several incidents would do, and where addresses are all that is told.
#![allow(clippy::unwrap_used, reason = "tests")]

mod teller;

use city_model::{Band, Status, Why};
use teller::desk::{id_of, kept, parting};
use teller::{Teller, call, inspector, sensor};

const TOWN: &str = "310117001";

#[test]
fn callers_between_two_covers_go_to_the_likelier_one() {
    let mut story = Teller::new();
    story.tell(sensor("m1", "manhole_missing", 0.0, 0.0).at(0));
    story.tell(sensor("m2", "manhole_missing", 25.0, 0.0).at(1));
    let around = [
        (1, 15),
        (-11, 12),
        (-3, -3),
        (23, 2),
        (-1, 9),
        (13, 0),
        (7, -12),
        (-4, -5),
    ];
    for (number, (x, y)) in (0..).zip(around) {
        let caller = call(
            &format!("c{number}"),
            "manhole_missing",
            f64::from(x),
            f64::from(y),
        );
        story.tell(caller.reporter(number).at(4 + number as i64));
    }
    let incidents = story.incidents();
    assert_eq!(incidents.len(), 2, "{incidents:#?}");
    let first = kept(&story, &id_of(&story, "m1@0"));
    assert_eq!(first.band, Band::P1, "a sensor and callers tell of it");
    assert!(first.member_count >= 6 && !first.related.is_empty(), "{first:#?}");
}

#[test]
fn callers_at_what_the_centre_split_go_to_the_likelier_part() {
    let mut story = Teller::new();
    story.tell(inspector("a", "manhole_missing", 0.0, 0.0).unsure(5).at(0));
    story.tell(inspector("b", "manhole_missing", 10.0, 0.0).unsure(5).at(1));
    let one = story.only().id;
    let mut command = parting("k1", &one, &[]);
    command.event_ids = vec!["report/b".into()];
    assert_eq!(story.command(command), "split applied");
    for (number, x) in (0..).zip([-6.0, -12.0, 7.0, 8.0, 13.0]) {
        story.tell(call(&format!("c{number}"), "manhole_missing", x, 0.0).at(8 + number));
    }
    let open = story.incidents();
    assert_eq!(
        open.iter().filter(|one| one.status == Status::Open).count(),
        2,
        "{open:#?}"
    );
}

#[test]
fn where_things_stand_in_rows_a_vague_call_joins_none() {
    let mut story = Teller::new();
    for (number, x) in (0..).zip([0.0, 60.0, 120.0, 180.0]) {
        story.tell(
            inspector(&format!("t{number}"), "tree_fallen", x, 0.0)
                .unsure(5)
                .at(number),
        );
    }
    assert_eq!(story.incidents().len(), 4);
    let vague = call("vague", "tree_fallen", 90.0, 30.0).unsure(60).at(9);
    let compared = story.would_compare(&vague);
    story.tell(vague);
    assert_eq!(story.incidents().len(), 5);
    let (missed, rival) = (compared.nearest_miss.unwrap(), compared.runner_up.unwrap());
    assert_eq!((&*missed.because, &*rival.because), ("rivals", "rivals"));
    let middle = ["t1", "t2"].map(|id| id_of(&story, id));
    assert!(middle.contains(&missed.incident) && middle.contains(&rival.incident));
    assert_ne!(missed.incident, rival.incident, "it is told of both");
}

#[test]
fn who_is_vague_waits_for_those_who_know_better() {
    for waits in [false, true] {
        let mut story = Teller::new();
        story.tell(inspector("t1", "tree_fallen", 0.0, 0.0).unsure(5).at(0));
        let vague = call("vague", "tree_fallen", 55.0, 0.0).unsure(60).at(1);
        story.tell(if waits { vague.waits(60) } else { vague });
        assert_eq!(story.incidents().len(), 1, "it is decided at once");
        story.tell(inspector("t2", "tree_fallen", 60.0, 0.0).unsure(5).at(9));
        let theirs = if waits { "t2" } else { "t1" };
        assert_eq!(id_of(&story, "vague"), id_of(&story, theirs));
        assert_eq!(story.incidents().len(), 2);
    }
}

#[test]
fn two_houses_of_a_lane_are_two_where_lives_are_at_stake() {
    let told = |kind: &str, addresses: &[&str]| {
        let mut story = Teller::new();
        for (number, address) in (0..).zip(addresses) {
            let call = call(&format!("c{number}"), kind, 0.0, 0.0);
            story.tell(call.nowhere().address(TOWN, address).at(3 * number));
        }
        story
    };
    for kind in [
        "elevator_trap",
        "fire_smoke",
        "gas_leak",
        "manhole_missing",
        "road_collapse",
    ] {
        let pairs = [
            ["谷阳北路1500弄3幢", "谷阳北路1500弄18幢"],
            ["谷阳北路1500弄", "谷阳北路1500号"],
            ["金地苑3幢", "金地苑18幢"],
            ["谷阳北路1500弄a座", "谷阳北路1500弄b座"],
        ];
        for pair in pairs {
            assert_eq!(told(kind, &pair).incidents().len(), 2, "{kind} {pair:?}");
        }
        // What is merely less exact does not lead from one house to the other.
        let houses = [
            "谷阳北路1500弄",
            "谷阳北路1500弄3幢",
            "谷阳北路1500弄18幢",
            "谷阳北路1500弄3幢",
        ];
        let story = told(kind, &houses);
        let apart = id_of(&story, "c2");
        assert!(
            ["c1", "c3"].iter().all(|house| id_of(&story, house) != apart),
            "{kind}"
        );
        assert_eq!(id_of(&story, "c1"), id_of(&story, "c3"), "{kind}");
    }
    let lift = told(
        "elevator_trap",
        &["谷阳北路1500弄3幢", "谷阳北路1500弄", "谷阳北路1500弄3幢"],
    )
    .only();
    let why: Vec<Why> = lift.members.iter().map(|member| member.why).collect();
    assert_eq!(why, [Why::SameAddress, Why::SameLane, Why::Founded]);
    let rubbish = told("garbage_exposed", &["谷阳北路1500弄3幢", "谷阳北路1500弄18幢"]).only();
    assert_eq!(
        rubbish.members[0].why,
        Why::SameLane,
        "where it costs no life a lane is enough"
    );
}

#[test]
fn an_address_that_is_a_place_still_keeps_two_houses_apart_where_lives_are_at_stake() {
    let placed = |kind: &str, first: &str, second: &str, x_m: f64| {
        let mut story = Teller::new();
        let call = |id: &str, x_m: f64| call(id, kind, x_m, 0.0);
        story.tell(
            call("c0", 0.0)
                .address(TOWN, first)
                .by_address(80)
                .cell("c")
                .at(0),
        );
        story.tell(
            call("c1", x_m)
                .address(TOWN, second)
                .by_address(80)
                .cell("c")
                .at(3),
        );
        story.incidents().len()
    };
    for kind in ["gas_leak", "elevator_trap", "manhole_missing"] {
        assert_eq!(
            placed(kind, "谷阳北路1500弄", "谷阳北路1502弄", 10.0),
            2,
            "{kind}"
        );
        assert_eq!(
            placed(kind, "谷阳北路1500弄3幢", "谷阳北路1500弄18幢", 0.0),
            2,
            "{kind}"
        );
        assert_eq!(placed(kind, "谷阳北路1500弄", "谷阳北路1500弄", 0.0), 1, "{kind}");
    }
    assert_eq!(
        placed("garbage_exposed", "谷阳北路1500弄", "谷阳北路1502弄", 10.0),
        1
    );
}

#[test]
fn an_address_meets_itself_where_somebody_elses_coordinates_are_wrong() {
    let mut story = Teller::new();
    let call = |id: &str, x_m: f64| call(id, "garbage_exposed", x_m, 0.0).address(TOWN, "谷阳北路1500弄");
    story.tell(call("c0", 1_500.0).at(0));
    story.tell(call("c1", 0.0).by_address(80).at(3));
    assert_eq!(story.only().members[0].why, Why::SameAddress);
    // Coordinates of its own outweigh the address.
    story.tell(call("c2", 5_000.0).at(6));
    assert_eq!(story.incidents().len(), 2);
}
