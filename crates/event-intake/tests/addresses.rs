//! An address is a place where the city's library has it: for tickets without coordinates, and beside coordinates.
#![allow(clippy::unwrap_used)]

mod desk;

use std::sync::Arc;

use city_grid::Frame;
use city_grid::crs::Systems;
use city_model::{Event, Source};
use city_registry::{Registry, read_addresses};
use desk::{Desk, config, hotline, report, with};
use event_intake::{Decision, Intake, IntakeConfig, address_name};
use serde_json::{Value, json};

const LIBRARY: &str = "address,lon,lat,accuracy_m,spread_m
上海市松江区谷阳北路1480弄,121.2277,31.0322,5,80
谷阳北路1520号,121.2277,31.0340,5,80
谷阳北路近人民路路口,121.2277,31.0300,,115
金地苑,121.2290,31.0330,,90
";

/// A desk whose city has a library.
fn desk() -> Desk {
    let systems = Systems::default();
    let read = read_addresses(LIBRARY.as_bytes(), Frame::anywhere(&systems), address_name).unwrap();
    let config = config();
    let registry = Registry {
        addresses: read.entries,
        ..Registry::default()
    };
    Desk {
        intake: Intake::new(IntakeConfig {
            registry: Arc::new(registry),
            ..config
        }),
        ..Desk::new()
    }
}

fn event(source: Source, record: &Value) -> Event {
    match desk().judge(source, record).result {
        Decision::Event(event) => *event,
        other => panic!("{other:?}"),
    }
}

fn ticket(fields: Value) -> Event {
    let unplaced = json!({"location": null, "town_code": null});
    event(Source::Hotline, &with(&with(&hotline(), unplaced), fields))
}

fn told(event: &Event) -> String {
    let placed = event.placed_by.as_ref().map_or("-".to_owned(), |by| {
        let own = by
            .reported
            .as_ref()
            .map_or("alone".to_owned(), |own| format!("with ±{}", own.u_mm / 1_000));
        format!("{} ±{} {own}", by.address, by.u_mm / 1_000)
    });
    let located = event.located.as_ref().map_or("nowhere".to_owned(), |located| {
        format!(
            "{:.4} {:.4} ±{} {}",
            located.position.lon(),
            located.position.lat(),
            located.u_mm / 1_000,
            located.quality
        )
    });
    let town = event.town.as_deref().unwrap_or("-");
    format!("{located} | {placed} | {} cells, {town}", event.cells.len())
}

#[test]
fn where_tickets_without_coordinates_are() {
    let mut table = String::new();
    for address in [
        "谷阳北路1500弄",
        "松江区谷阳北路1500弄23号302室",
        "谷阳北路1480弄",
        "谷阳北路１５２０号",
        "人民路谷阳北路口",
        "金地苑3号楼",
        "谷阳北路金地苑",
        "谷阳北路",
        "谷阳北路2000弄",
        "沪松公路12号",
    ] {
        let told = told(&ticket(json!({"address": address})));
        table.push_str(&format!("{address}: {told}\n"));
    }
    insta::assert_snapshot!(table);
}

#[test]
fn coordinates_are_kept_beside_what_both_say_together() {
    let at = |lon: f64, lat: f64| {
        let location = json!({"crs": "WGS84", "x": lon, "y": lat, "quality": "DOOR"});
        ticket(json!({"address": "谷阳北路1500弄", "location": location}))
    };
    let near = at(121.2282, 31.0333);
    let by = near.placed_by.clone().unwrap();
    let reported = by.reported.unwrap();
    assert_eq!(near.reported().unwrap(), &reported);
    assert_eq!(
        (reported.position.lon_e9, reported.u_mm),
        (121_228_200_000, 30_000)
    );
    let located = near.located.unwrap();
    assert!(located.u_mm < reported.u_mm, "{located:?}");
    assert!(
        located.position.lon_e9 < reported.position.lon_e9,
        "towards the road"
    );
    // 480 m away: one of the two is wrong, and the coordinates stand.
    let far = at(121.2330, 31.0333);
    assert_eq!(
        (far.placed_by.clone(), far.reported()),
        (None, far.located.as_ref())
    );
    assert!(!far.is_told_only() && ticket(json!({"address": "金地苑"})).is_told_only());
}

#[test]
fn a_stated_town_outweighs_a_road_of_its_name_elsewhere() {
    let there = ticket(json!({"address": "谷阳北路1500弄"}));
    let town = there.town.clone().unwrap();
    let stated = |code: &str| ticket(json!({"address": "谷阳北路1500弄", "town_code": code}));
    assert_eq!(stated(&town).located, there.located);
    let elsewhere = stated("310117107");
    assert_ne!(&*town, "310117107");
    assert_eq!((elsewhere.located, elsewhere.placed_by), (None, None));
    assert_eq!(elsewhere.town.as_deref(), Some("310117107"));
    assert_eq!(
        elsewhere.address_key, there.address_key,
        "it still meets by its address"
    );
}

#[test]
fn reports_of_other_channels_have_addresses_too() {
    let fields = json!({"address": "金地苑", "location": null, "component_id": null});
    let event = event(Source::Report, &with(&report(), fields));
    assert_eq!(event.placed_by.unwrap().address.as_ref(), "金地苑");
}
