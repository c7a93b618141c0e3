//! What is one trouble and what is two: sources that tell of the same thing, addresses, components, tickets that urge.

use serde_json::json;

use crate::stage::{MINUTE, NOON, SPOT, Stage, alert, at, band, beside, call, of_quality, reading, with};

#[test]
fn ponding_told_by_three_sources_is_one_incident_that_escalates_and_clears() {
    let gauge = |minute, cm| reading("pond-1", minute, "ponding_depth", cm, SPOT);
    let crossing = |id, minute, east, north, phone| {
        let place = of_quality(beside(SPOT, east, north), "INTERSECTION");
        with(
            call(id, minute, "沪松公路近涞坊路积水", phone),
            json!({"location": place, "address": "沪松公路近涞坊路"}),
        )
    };
    let calls = [
        crossing("t1", 5, 40.0, 10.0, "13800000001"),
        crossing("t2", 12, -30.0, 20.0, "13800000002"),
        crossing("t3", 20, 20.0, -40.0, "13800000003"),
    ];
    let told = || {
        Stage::new("")
            .tell("sensor", [gauge(0, 18.0)])
            .tell("hotline", calls.clone())
            .tell("video", [alert("cam-1", 21, "696", beside(SPOT, 70.0, 0.0))])
    };
    let played = told().until(22).play();
    let one = played.only();
    assert_eq!(
        (&one["kind"], &one["member_count"]),
        (&json!("road_ponding"), &json!(5))
    );
    assert_eq!((band(one), &one["status"]), ("P2", &json!("OPEN")));
    let id = one["incident_id"].clone();

    let played = told()
        .tell("sensor", [gauge(25, 26.0), gauge(40, 3.0)])
        .until(51)
        .play();
    let one = played.only();
    assert_eq!((&one["incident_id"], &one["member_count"]), (&id, &json!(5)));
    assert_eq!(played.bands(&one["incident_id"])[..2], ["P2", "P1"]);
    let p1 = played.revisions.iter().find(|one| band(one) == "P1").unwrap();
    assert_eq!(p1["priority"]["previous"]["band"], "P2");
    assert_eq!(p1["priority"]["overrides"][0], "O6.ponding_ge_25cm");
    assert_eq!(
        (&one["status"], &one["close_reason"]),
        (&json!("CLOSED"), &json!("cleared"))
    );
    let closed: jiff::Timestamp = one["closed_at"].as_str().unwrap().parse().unwrap();
    let minute = (closed.as_millisecond() - NOON) / MINUTE;
    assert_eq!(minute, 50, "ten minutes after the gauge cleared");
}

#[test]
fn two_manholes_25_m_apart_are_two_when_their_sensors_tell() {
    let cover = |device, minute, east| reading(device, minute, "cover_tilt", 75.0, beside(SPOT, east, 0.0));
    let registry = "[registry]\ndevices = \"devices.csv\"\n";
    for (components, config) in [(false, ""), (true, registry)] {
        let row = |device: &str, east: f64, component: &str| {
            let (lon, lat) = beside(SPOT, east, 0.0);
            format!("{device},{lon},{lat},5,{component}\n")
        };
        let devices = [
            "device_id,lon,lat,accuracy_m,component_id\n".to_owned(),
            row("tilt-1", 0.0, "M1"),
            row("tilt-2", 25.0, "M2"),
        ];
        let played = Stage::new(config)
            .file("devices.csv", &devices.concat())
            .tell("sensor", [cover("tilt-1", 0, 0.0), cover("tilt-2", 1, 25.0)])
            .until(2)
            .play();
        let holes = played.of_kind("manhole_missing");
        assert_eq!(holes.len(), 2, "components {components}: {holes:#?}");
        assert!(
            holes.iter().all(|hole| band(hole) == "P1"),
            "tilted by 60° and more"
        );
    }
}

#[test]
fn callers_alone_cannot_tell_two_manholes_apart_until_the_centre_splits_them() {
    let caller = |id, minute, east, phone| {
        let place = of_quality(beside(SPOT, east, 0.0), "DOOR");
        with(call(id, minute, "井盖缺失", phone), json!({"location": place}))
    };
    let told = || {
        Stage::new("").tell(
            "hotline",
            [
                caller("t1", 0, 0.0, "13800000001"),
                caller("t2", 1, 25.0, "13800000002"),
            ],
        )
    };
    let played = told().until(2).play();
    let one = played.only();
    assert_eq!((&one["member_count"], band(one)), (&json!(2), "P2"));

    let split = json!({"command_id": "c1", "incident_id": one["incident_id"], "action": "split", "operator": "desk 1",
        "event_ids": ["12345/t2"], "issued_at": NOON + 5 * MINUTE});
    let played = told().tell("command", [split]).until(6).play();
    assert_eq!(played.outcomes["desk 1/c1"], "applied");
    let holes = played.of_kind("manhole_missing");
    assert_eq!(holes.len(), 2);
    assert!(holes.iter().all(|hole| hole["member_count"] == 1));
}

#[test]
fn an_address_in_two_spellings_without_coordinates_is_one_incident_of_its_town() {
    let caller = |id, minute, address: &str, phone| {
        with(
            call(id, minute, "夜间施工噪音很大", phone),
            json!({"address": address, "town_code": "310117107"}),
        )
    };
    let played = Stage::new("")
        .tell(
            "hotline",
            [
                caller("t1", 0, "涞坊路１５００弄", "13800000001"),
                caller("t2", 30, "涞坊路1500弄", "13800000002"),
                caller("t3", 31, "涞坊路1501弄", "13800000003"),
            ],
        )
        .until(32)
        .play();
    let of = |id: &str| played.members[&format!("12345/{id}")].0.clone();
    assert_eq!(of("t1"), of("t2"));
    assert_ne!(of("t1"), of("t3"));
    let incidents = played.of_kind("noise");
    let one = incidents
        .iter()
        .find(|one| one["incident_id"] == of("t1"))
        .unwrap();
    assert_eq!(
        (&one["member_count"], &one["reporter_count"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(one["responsible"]["code"], "310117107");
    assert!(
        one.get("location").is_none(),
        "nobody knows where, and no middle is made up: {one:#}"
    );
    let levels: Vec<&serde_json::Value> = one["cells"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cell| &cell["level"])
        .collect();
    assert!(
        !levels
            .iter()
            .any(|level| **level == "village" || **level == "duty_cell"),
        "{levels:?}"
    );
}

#[test]
fn a_ticket_that_urges_another_on_joins_it_and_its_reporter_counts_once() {
    let first = with(
        call("t1", 0, "餐饮油烟直排", "13800000001"),
        json!({"location": at(SPOT), "reported_at": NOON}),
    );
    let urge = |id, minute, phone| {
        with(
            call(id, minute, "催办：至今没有处理", phone),
            json!({"parent_ticket_id": "t1"}),
        )
    };
    let played = Stage::new("")
        .tell(
            "hotline",
            [
                first,
                urge("t2", 120, "138 0000 0001"),
                urge("t3", 130, "13800000003"),
            ],
        )
        .until(131)
        .play();
    let one = played.only();
    assert_eq!((&one["kind"], &one["member_count"]), (&json!("fume"), &json!(3)));
    assert_eq!(
        one["reporter_count"], 2,
        "the first caller urged once, somebody else once"
    );
    assert_eq!(one["members"][0]["why"], "cited_ticket");
    let after_first_urge = played
        .revisions
        .iter()
        .find(|one| one["member_count"] == 2)
        .unwrap();
    assert_eq!(after_first_urge["reporter_count"], 1);
}
