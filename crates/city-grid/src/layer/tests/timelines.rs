//! Cells that are valid for a time, and what a layer is on each day.

use city_model::EventTime;
use jiff::tz::TimeZone;

use super::written::{Given, flatgeobuf, geojson, ring, shapefile};
use super::*;

fn config() -> LayerConfig {
    let mut config = flat(Crs::Wgs84);
    config.levels[0].valid_from = Some("from".to_owned());
    config.levels[0].valid_to = Some("to".to_owned());
    config
}

fn zone() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap()
}

fn given(code: f64, valid: [&'static str; 2], x: i32, size: i32) -> Given {
    Given {
        code,
        name: "n",
        unit: "",
        valid,
        polygons: vec![vec![ring(x, 0, size)]],
    }
}

fn loaded(cells: &[Given], strict: bool) -> Result<(Timeline, Vec<Finding>), GridError> {
    Timeline::load(&config(), &[geojson(cells).as_slice().into()], strict, &zone())
}

/// 2026-07-01 00:00 in Shanghai.
const JULY: EventTime = EventTime::from_millis(1_782_835_200_000);

/// Cell 1 is split into 11 and 12 in July; cell 2 stays.
fn split() -> Vec<Given> {
    vec![
        given(1.0, ["", "2026-07-01"], 0, 10),
        given(11.0, ["20260701", ""], 0, 5),
        given(12.0, ["2026-06-30T16:00:00Z", "9999-12-31"], 5, 5),
        given(2.0, ["", ""], 20, 10),
    ]
}

#[test]
fn a_split_makes_two_states_with_versions_of_their_own() {
    let (timeline, findings) = loaded(&split(), true).unwrap();
    assert_eq!(findings, []);
    let from: Vec<EventTime> = timeline.states().map(|(from, _)| from).collect();
    assert_eq!(from, [EventTime::MIN, JULY]);
    let (before, after) = (timeline.at(JULY - 1), timeline.at(JULY));
    let place = |layer: &Layer| code_at(layer, 121.002, 31.002);
    assert_eq!(place(before).as_deref(), Some("1"));
    assert_eq!(place(after).as_deref(), Some("11"));
    assert_ne!(before.version(), after.version());
    assert!(timeline.version() != *before.version() && timeline.version() != *after.version());
    assert_eq!(timeline.newest().version(), after.version());
    assert_eq!(timeline.at(EventTime::MIN).version(), before.version());
    // each is the layer that a file of only its cells would give
    let alone = |codes: &[f64]| {
        let cells = split().into_iter().filter(|cell| codes.contains(&cell.code));
        let undated = cells.map(|cell| Given {
            valid: ["", ""],
            ..cell
        });
        let (timeline, _) = loaded(&undated.collect::<Vec<_>>(), true).unwrap();
        assert_eq!(timeline.states().len(), 1);
        timeline.newest().version().clone()
    };
    assert_eq!(*before.version(), alone(&[1.0, 2.0]));
    assert_eq!(*after.version(), alone(&[11.0, 12.0, 2.0]));
}

#[test]
fn order_and_format_do_not_show() {
    let versions = |timeline: &Timeline| -> Vec<_> {
        timeline
            .states()
            .map(|(from, state)| (from, state.version().clone()))
            .collect()
    };
    let (timeline, _) = loaded(&split(), true).unwrap();
    let mut cells = split();
    for _ in 0..cells.len() {
        cells.rotate_left(1);
        let files = shapefile(&cells, false);
        let shapes = LevelSource {
            main: &files.shp,
            dbf: Some(&files.dbf),
            ..LevelSource::default()
        };
        for source in [
            geojson(&cells).as_slice().into(),
            flatgeobuf(&cells, true, 0).as_slice().into(),
            shapes,
        ] {
            let (other, _) = Timeline::load(&config(), &[source], true, &zone()).unwrap();
            assert_eq!(versions(&other), versions(&timeline));
        }
    }
}

#[test]
fn one_code_at_two_times_is_no_duplicate() {
    let redrawn = [
        given(1.0, ["", "2026-07-01"], 0, 10),
        given(1.0, ["2026-07-01", ""], 0, 8),
    ];
    let (timeline, findings) = loaded(&redrawn, true).unwrap();
    assert_eq!((timeline.states().len(), findings.len()), (2, 0));
    let together = [
        given(1.0, ["", "2026-07-02"], 0, 10),
        given(1.0, ["2026-07-01", ""], 0, 8),
    ];
    let (timeline, findings) = loaded(&together, false).unwrap();
    assert_eq!(timeline.states().len(), 3);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].what, What::DuplicateCode);
    assert!(
        findings[0].detail.contains("from 2026-06-30T16:00:00"),
        "{}",
        findings[0]
    );
    assert!(
        loaded(&together, true)
            .unwrap_err()
            .to_string()
            .contains("duplicate_code")
    );
}

#[test]
fn a_cell_that_ends_and_begins_again_as_it_was_makes_no_state() {
    let renewed = [
        given(1.0, ["", "2026-07-01"], 0, 10),
        given(1.0, ["2026-07-01", ""], 0, 10),
    ];
    let (timeline, findings) = loaded(&renewed, true).unwrap();
    assert_eq!((timeline.states().len(), findings.len()), (1, 0));
}

#[test]
fn unreadable_and_reversed_times_are_told_and_read_as_unbounded() {
    for valid in [
        ["soon", ""],
        ["", "20261301"],
        ["2026-07-01", "2026-07-01"],
        ["2027-01-01", "2026-01-01"],
    ] {
        let cells = [given(1.0, valid, 0, 10)];
        let (timeline, findings) = loaded(&cells, false).unwrap();
        assert_eq!(timeline.states().len(), 1, "{valid:?}");
        assert_eq!(findings.len(), 1, "{valid:?}");
        assert_eq!(findings[0].what, What::BadValidity);
        let strict = loaded(&cells, true).unwrap_err().to_string();
        assert!(strict.contains("feature 0 (code 1): bad_validity"), "{strict}");
    }
    let mut other = config();
    other.levels[0].valid_to = Some("until".to_owned());
    let error = Timeline::load(&other, &[geojson(&split()).as_slice().into()], false, &zone()).unwrap_err();
    assert!(
        error.to_string().contains("no feature has the property `until`"),
        "{error}"
    );
}

#[test]
fn parents_are_those_of_the_same_time() {
    let mut config = config();
    let mut beat = config.levels[0].clone();
    beat.level = "town".to_owned();
    config.levels.insert(0, beat);
    let towns = [
        given(1.0, ["", "2026-07-01"], 0, 10),
        given(2.0, ["2026-07-01", ""], 0, 20),
    ];
    let beats = [given(7.0, ["", ""], 1, 3)];
    let files = [geojson(&towns), geojson(&beats)];
    let sources = [files[0].as_slice().into(), files[1].as_slice().into()];
    let (timeline, findings) = Timeline::load(&config, &sources, true, &zone()).unwrap();
    assert_eq!(findings, []);
    let town = |state: &Layer| {
        let path = state.locate(at(121.002, 31.002)).path(state);
        state.cell(path[0]).code.to_string()
    };
    let towns: Vec<String> = timeline.states().map(|(_, state)| town(state)).collect();
    assert_eq!(towns, ["1", "2"]);
    assert_eq!(timeline.bbox(), [121.0, 31.0, 121.02, 31.02], "of all states");
}

#[test]
fn too_many_states_are_refused() {
    let days: Vec<String> = (0..STATES_MAX)
        .map(|day| (1_700_000_000_000 + day as i64 * 86_400_000).to_string())
        .collect();
    let cells: Vec<Given> = days
        .iter()
        .enumerate()
        .map(|(at, day)| given(at as f64, [day.clone().leak(), ""], at as i32, 1))
        .collect();
    let error = loaded(&cells, false).unwrap_err().to_string();
    assert!(error.contains("changes 64 times, at most 64 states"), "{error}");
    assert_eq!(loaded(&cells[1..], false).unwrap().0.states().len(), STATES_MAX);
}

#[test]
fn a_layer_is_a_timeline_of_one_state() {
    let (layer, _) = load(&[square("1", 0, 0)]);
    let timeline = Timeline::from(layer.clone()).with_snap_mm(50_000);
    assert_eq!(timeline.name(), layer.name());
    assert_eq!(timeline.states().len(), 1);
    let off = at(121.01 + 0.0003, 31.005); // 29 m east
    assert_eq!(layer.locate(off).status, Status::Outside);
    assert_eq!(timeline.at(JULY).locate(off).status, Status::Snapped);
}

#[test]
fn a_fault_of_a_cell_that_comes_later_has_one_place() {
    let late = given(3.0, ["2026-07-01", "soon"], 40, 10);
    let cells = [split(), vec![late]].concat();
    let (timeline, findings) = loaded(&cells, false).unwrap();
    let [finding] = &findings[..] else {
        panic!("{findings:?}");
    };
    assert_eq!(finding.what, What::BadValidity);
    let place = finding.position.unwrap();
    assert_eq!(
        code_at(timeline.newest(), place.lon(), place.lat()).as_deref(),
        Some("3")
    );
    // before July the cell is not there, and the fault the same
    for (_, state) in timeline.states() {
        assert_eq!(crate::check::loaded(state), findings);
    }
}
