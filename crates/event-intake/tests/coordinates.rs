//! Whose word counts about coordinates: the record's before its source's, the city's own plane before the published one,
//! and what a record says of a surveyed thing.
#![allow(clippy::unwrap_used)]

mod desk;

use city_grid::Crs;
use city_grid::crs::{PlaneFit, Systems, from_wgs84};
use city_grid::suspicion::Witness;
use city_model::{Event, Position, Source};
use desk::{Desk, config, report, sensor, video, with};
use event_intake::{Decision, Intake};
use serde_json::{Value, json};
use wire_format::{Decoder, Record, SchemaStore};

const PLACE: (f64, f64) = (121.22, 31.03);

fn placed(desk: &mut Desk, record: &Value) -> Position {
    match desk.judge(Source::Report, record).result {
        Decision::Event(event) => event.located.unwrap().position,
        other => panic!("no event: {other:?}"),
    }
}

fn is_at(position: Position, (lon, lat): (f64, f64)) -> bool {
    (position.lon() - lon).abs() < 1e-8 && (position.lat() - lat).abs() < 1e-8
}

#[test]
fn a_record_s_own_system_wins_over_its_source_s() {
    for (source, configured) in [("s", Crs::Wgs84), ("gcj", Crs::Gcj02)] {
        for own in [
            None,
            Some("WGS84"),
            Some("gcj-02"),
            Some("BD09"),
            Some("SH2000"),
            Some(" "),
        ] {
            let meant = match own {
                None | Some(" ") => configured,
                Some("gcj-02") => Crs::Gcj02,
                Some(name) => name.parse().unwrap(),
            };
            let (x, y) = from_wgs84(meant, PLACE.0, PLACE.1);
            let location = json!({"crs": own, "x": x, "y": y});
            let record = with(&report(), json!({"source_system": source, "location": location}));
            let found = placed(&mut Desk::new(), &record);
            assert!(is_at(found, PLACE), "{source} {own:?}: {found:?}");
        }
    }
}

#[test]
fn an_event_carries_the_system_that_its_record_named_against_its_source_s() {
    for (source, own, carried) in [
        ("gcj", None, None),
        ("gcj", Some("GCJ02"), None),
        ("gcj", Some("bd-09"), Some(Crs::Bd09)),
        ("s", Some("CGCS2000"), Some(Crs::Cgcs2000)),
    ] {
        let (x, y) = PLACE;
        let event = |location: Value| {
            let record = with(&report(), json!({"source_system": source, "location": location}));
            match Desk::new().judge(Source::Report, &record).result {
                Decision::Event(event) => event,
                other => panic!("no event: {other:?}"),
            }
        };
        let told = event(json!({"crs": own, "x": x, "y": y}));
        assert_eq!(told.declared_crs, carried, "{source} {own:?}");
        // Records of the log from before read as ones that named none.
        let json = serde_json::to_value(&told).unwrap();
        assert_eq!(json.get("declared_crs").is_some(), carried.is_some());
        assert_eq!(serde_json::from_value::<Event>(json).unwrap(), *told);
        let nowhere = event(json!({"crs": own, "x": 0.0, "y": 0.0}));
        assert_eq!(nowhere.declared_crs, None, "no place, nobody's word");
    }
}

#[test]
fn a_fitted_plane_is_what_sh2000_means() {
    let systems = Systems::with_sh2000(PlaneFit::new(-21.3, -17.2, 1.5, -3.0).unwrap());
    let (x, y) = systems.from_wgs84(Crs::Sh2000, PLACE.0, PLACE.1);
    let record = with(&report(), json!({"location": {"crs": "SH2000", "x": x, "y": y}}));
    let mut desk = Desk::new();
    assert!(
        !is_at(placed(&mut desk, &record), PLACE),
        "the published constants are 27 m off here"
    );
    desk.intake = Intake::new(event_intake::IntakeConfig { systems, ..config() });
    assert!(is_at(placed(&mut desk, &record), PLACE));
}

fn decoded(source: Source, record: &Value) -> Record<'static> {
    let decoder = Decoder::new(SchemaStore::builtin().unwrap());
    let text = record.to_string();
    decoder.decode(source, text.as_bytes()).unwrap().into_owned()
}

#[test]
fn what_a_record_says_of_a_surveyed_thing() {
    let intake = Intake::new(config());
    let here = json!({"x": PLACE.0, "y": PLACE.1});
    let check = |source: Source, record: &Value, expected: Option<(Crs, f64)>| {
        let record = decoded(source, record);
        let comparison = intake.claim(&record).and_then(|claim| intake.compare(&claim));
        let told = comparison.map(|comparison| {
            assert_eq!(comparison.witness, Witness::Registry);
            (comparison.declared, comparison.references[0].lon())
        });
        assert_eq!(told, expected, "{record:?}");
    };
    check(Source::Sensor, &sensor(), None);
    let told = with(&sensor(), json!({"location": here}));
    check(Source::Sensor, &told, Some((Crs::Wgs84, 121.24)));
    check(
        Source::Sensor,
        &with(&told, json!({"source_system": "gcj"})),
        Some((Crs::Gcj02, 121.24)),
    );
    let own = json!({"crs": "BD09", "x": PLACE.0, "y": PLACE.1});
    check(
        Source::Sensor,
        &with(&told, json!({"source_system": "gcj", "location": own})),
        Some((Crs::Bd09, 121.24)),
    );
    check(
        Source::Sensor,
        &with(&told, json!({"source_system": "unknown"})),
        None,
    );
    check(
        Source::Sensor,
        &with(&told, json!({"device_id": "stranger"})),
        None,
    );
    check(
        Source::Sensor,
        &with(&told, json!({"device_id": "stranger", "component_id": "c-2"})),
        Some((Crs::Wgs84, 121.25)),
    );
    check(
        Source::Sensor,
        &with(&told, json!({"location": {"x": 0.0, "y": 0.0}})),
        None,
    );
    check(
        Source::Sensor,
        &with(&told, json!({"location": {"crs": "PZ90", "x": 1.0, "y": 1.0}})),
        None,
    );
    check(Source::Video, &video(), None);
    check(
        Source::Video,
        &with(&video(), json!({"camera_id": "pole"})),
        Some((Crs::Wgs84, 121.23)),
    );
    // A camera that is not listed says nothing by its pole, but by a listed component in its picture.
    let target = json!({"component_id": "c-2", "target_location": here});
    check(Source::Video, &with(&video(), target), Some((Crs::Wgs84, 121.25)));
    check(Source::Report, &report(), None);
    check(
        Source::Report,
        &with(&report(), json!({"component_id": "c-2"})),
        Some((Crs::Wgs84, 121.25)),
    );
}

#[test]
fn a_place_that_came_from_the_registry_is_not_the_source_s_word() {
    let mut desk = Desk::new();
    let mut is_surveyed = |record: &Value| match desk.judge(Source::Report, record).result {
        Decision::Event(event) => desk.intake.is_surveyed(&event),
        other => panic!("no event: {other:?}"),
    };
    let listed = json!({"event_id": "1", "component_id": "c-2", "location": null});
    assert!(is_surveyed(&with(&report(), listed)));
    assert!(!is_surveyed(&with(
        &report(),
        json!({"event_id": "2", "component_id": "c-2"})
    )));
    assert!(!is_surveyed(&report()));
}

#[test]
fn a_device_without_a_place_stands_where_its_component_does() {
    let reading = with(&sensor(), json!({"device_id": "loose", "alarm": true}));
    let Decision::Event(event) = Desk::new().judge(Source::Sensor, &reading).result else {
        panic!("no event");
    };
    assert_eq!(event.component.as_deref(), Some("c-2"));
    assert!(is_at(event.located.unwrap().position, (121.25, 31.03)));
    // Nothing is surveyed of it, so what it says of itself is held against nothing.
    let claim = with(&reading, json!({"location": {"x": 121.22, "y": 31.03}}));
    assert!(
        Intake::new(config())
            .claim(&decoded(Source::Sensor, &claim))
            .is_none()
    );
}

#[test]
fn a_claim_is_news_when_its_words_change() {
    let intake = Intake::new(config());
    let said = |location: Value| {
        let record = decoded(Source::Sensor, &with(&sensor(), json!({"location": location})));
        let claim = intake.claim(&record).unwrap();
        (claim.place, claim.said())
    };
    let one = said(json!({"x": 121.2, "y": 31.0}));
    assert_eq!(one, said(json!({"x": 121.2, "y": 31.0, "accuracy_m": 5.0})));
    for other in [
        json!({"x": 121.3, "y": 31.0}),
        json!({"x": 121.2, "y": 31.1}),
        json!({"x": 121.2, "y": 31.0, "crs": "BD09"}),
    ] {
        let other = said(other);
        assert!(other.0 == one.0 && other.1 != one.1);
    }
}
