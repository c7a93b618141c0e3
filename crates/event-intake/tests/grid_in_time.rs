//! A cell is split on a date: an event gets the cell of its own day, whenever it arrives.
#![allow(clippy::unwrap_used)]

mod desk;

use city_grid::{Crs, LayerConfig, LevelConfig, Timeline};
use city_model::{DAY_MS, Event, HOUR_MS, Source};
use desk::{Desk, NOW, config, hotline, report, with};
use event_intake::{Decision, Intake, Placed};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

/// One cell around 121.22, 31.03 until the end of the 6th of September, two after; and far east one that once was.
fn redrawn() -> Timeline {
    let cell = |code: &str, west: f64, east: f64, from: &str, to: &str| {
        json!({
            "type": "Feature",
            "properties": { "code": code, "name": code, "from": from, "to": to },
            "geometry": { "type": "Polygon", "coordinates": [[
                [west, 31.0], [east, 31.0], [east, 31.1], [west, 31.1], [west, 31.0]
            ]] },
        })
    };
    let features = [
        cell("whole", 121.1, 121.3, "", "2026-09-07"),
        cell("west", 121.1, 121.25, "2026-09-07", ""),
        cell("east", 121.25, 121.3, "2026-09-07", ""),
        cell("lost", 123.0, 123.1, "", "2026-09-07"),
    ];
    let text = json!({ "type": "FeatureCollection", "features": features }).to_string();
    let level = LevelConfig {
        level: "town".to_owned(),
        crs: Crs::Wgs84,
        code: "code".to_owned(),
        label: "name".to_owned(),
        parent: None,
        unit: None,
        valid_from: Some("from".to_owned()),
        valid_to: Some("to".to_owned()),
        encoding: None,
    };
    let layer = LayerConfig {
        name: "duty".to_owned(),
        levels: vec![level],
    };
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    let (timeline, findings) = Timeline::load(&layer, &[text.as_bytes().into()], true, &zone).unwrap();
    assert_eq!(findings, []);
    timeline
}

fn at_desk() -> Desk {
    let mut config = config();
    config.layers = vec![redrawn(), city_grid::builtin().into()];
    Desk {
        intake: Intake::new(config),
        ..Desk::new()
    }
}

fn event(desk: &mut Desk, source: Source, record: &Value) -> (Event, Vec<Placed>) {
    let verdict = desk.judge(source, record);
    match verdict.result {
        Decision::Event(event) => (*event, verdict.placed),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_event_has_the_cell_and_the_version_of_its_own_day() {
    let layer = redrawn();
    // NOW is 07:59:59 of the 7th in Shanghai, so eight hours before is the last second of the 6th
    for (ago_ms, code) in [
        (0, "west"),
        (7 * HOUR_MS, "west"),
        (8 * HOUR_MS, "whole"),
        (DAY_MS, "whole"),
    ] {
        let (event, placed) = event(
            &mut at_desk(),
            Source::Report,
            &with(&report(), json!({"observed_at": NOW - ago_ms})),
        );
        let cell = &event.cells[0];
        assert_eq!((&*cell.layer, &*cell.code), ("duty", code), "{ago_ms}");
        assert_eq!(cell.version, *layer.at(event.event_time).version());
        assert_eq!(event.responsible.unwrap().code, cell.code);
        assert_eq!(placed, [Placed::Inside; 2]);
    }
    assert_ne!(
        layer.at(city_model::EventTime::MIN).version(),
        layer.newest().version()
    );
}

#[test]
fn a_town_that_is_known_by_its_code_is_that_of_the_day() {
    let told = |code: &str, ago_ms: i64| {
        let ticket = with(&hotline(), json!({"town_code": code, "called_at": NOW - ago_ms}));
        let (event, placed) = event(&mut at_desk(), Source::Hotline, &ticket);
        assert_eq!(placed, [Placed::Unlocated; 2]);
        event.cells.first().map(|cell| cell.code.to_string())
    };
    assert_eq!(told("whole", DAY_MS).as_deref(), Some("whole"));
    assert_eq!(told("whole", 0), None);
    assert_eq!(told("west", 0).as_deref(), Some("west"));
    assert_eq!(told("west", DAY_MS), None);
}

#[test]
fn the_box_of_coordinates_is_that_of_all_times() {
    let there = json!({"location": {"x": 123.05, "y": 31.05}});
    let (_, placed) = event(&mut at_desk(), Source::Report, &with(&report(), there));
    assert_eq!(
        placed,
        [Placed::Outside; 2],
        "a cell that once was still has ground in the box"
    );
    let beyond = json!({"location": {"x": 124.0, "y": 31.05}});
    let told = at_desk().tell(Source::Report, &with(&report(), beyond));
    assert!(told.starts_with("coord_out_of_bbox"), "{told}");
}
