//! How calls meet that know their place by address alone, or that may mean more than one kind.
#![allow(clippy::unwrap_used)]

mod teller;

use teller::{Teller, Told, call};

/// Which incident, by its kind, each call is in.
fn kinds_of(calls: Vec<Told>) -> Vec<String> {
    let mut story = Teller::new();
    calls.into_iter().for_each(|call| {
        story.tell(call);
    });
    let told: Vec<(String, u64)> = story
        .incidents()
        .iter()
        .map(|incident| (incident.kind.to_string(), incident.member_count))
        .collect();
    told.into_iter()
        .map(|(kind, members)| format!("{kind} {members}"))
        .collect()
}

#[test]
fn calls_with_a_place_and_without_meet_by_address() {
    let lost = |id: &str| {
        call(id, "noise", 0.0, 0.0)
            .nowhere()
            .address("310117107", "涞坊路1500弄")
    };
    let placed = |id: &str, x: f64| call(id, "noise", x, 0.0).address("310117107", "涞坊路1500弄");
    assert_eq!(
        kinds_of(vec![placed("c1", 0.0).at(0), lost("c2").at(10)]),
        ["noise 2"]
    );
    assert_eq!(
        kinds_of(vec![lost("c1").at(0), placed("c2", 0.0).at(10)]),
        ["noise 2"]
    );
    assert_eq!(
        kinds_of(vec![placed("c1", 0.0).at(0), placed("c2", 3_000.0).at(10)]),
        ["noise 1", "noise 1"],
        "two places are compared as places"
    );
    assert_eq!(
        kinds_of(vec![placed("c1", 0.0).at(0), lost("c2").at(10 + 4 * 60)]),
        ["noise 1", "noise 1"],
        "the gap holds"
    );
    let other_town = lost("c2").in_town("310117102");
    assert_eq!(
        kinds_of(vec![placed("c1", 0.0).at(0), other_town.at(10)]),
        ["noise 1", "noise 1"]
    );
    let road = |told: Told| told.address("310117107", "涞坊路");
    assert_eq!(
        kinds_of(vec![road(placed("c1", 0.0)).at(0), road(lost("c2")).at(10)]),
        ["noise 1", "noise 1"],
        "a road alone is no place"
    );
}

#[test]
fn a_doubtful_reading_joins_what_is_open_but_nothing_milder() {
    let flood = |id: &str| call(id, "underpass_flood", 0.0, 0.0).at(0);
    let ponding = |id: &str, x: f64| call(id, "road_ponding", x, 0.0).at(5);
    let doubtful = |id: &str, x: f64| ponding(id, x).or(&["underpass_flood"]);
    assert_eq!(
        kinds_of(vec![flood("c1"), ponding("c2", 10.0)]).len(),
        2,
        "not in doubt"
    );
    assert_eq!(
        kinds_of(vec![flood("c1"), doubtful("c2", 10.0)]),
        ["underpass_flood 2"]
    );
    assert_eq!(
        kinds_of(vec![flood("c1"), doubtful("c2", 200.0)]).len(),
        2,
        "farther than its own kind reaches"
    );
    let own_first = vec![flood("c1"), ponding("c2", 10.0), doubtful("c3", 10.0).at(6)];
    let mut told = kinds_of(own_first);
    told.sort();
    assert_eq!(
        told,
        ["road_ponding 2", "underpass_flood 1"],
        "its own kind comes first"
    );
    let milder = call("c2", "underpass_flood", 10.0, 0.0)
        .or(&["road_ponding"])
        .at(6);
    assert_eq!(
        kinds_of(vec![ponding("c1", 0.0), milder]).len(),
        2,
        "a flood is not hidden in a ponding"
    );
    let foreign = call("c2", "noise", 0.0, 0.0).or(&["vendor"]).at(5);
    assert_eq!(
        kinds_of(vec![call("c1", "vendor", 0.0, 0.0).at(0), foreign]).len(),
        2,
        "another group is decided elsewhere"
    );
}
