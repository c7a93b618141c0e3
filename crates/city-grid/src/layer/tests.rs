use std::io::Write;

use proptest::prelude::*;

use super::*;
use crate::crs::{Crs, from_wgs84};
use crate::finding::{GridError, What};
use crate::generate::{GeneratedGrid, GridSpec, generate};

fn flat(crs: Crs) -> LayerConfig {
    let level = LevelConfig {
        level: "beat".to_owned(),
        crs,
        code: "code".to_owned(),
        label: "name".to_owned(),
        parent: None,
        unit: None,
    };
    LayerConfig {
        name: "police".to_owned(),
        levels: vec![level],
    }
}

fn feature(code: &str, geometry: &str) -> String {
    format!(
        r#"{{"type":"Feature","properties":{{"code":{code},"name":"n{}"}},"geometry":{geometry}}}"#,
        code.trim_matches('"')
    )
}

fn polygon(rings: &str) -> String {
    format!(r#"{{"type":"Polygon","coordinates":[{rings}]}}"#)
}

/// A square of 0.01° with its south-west corner `x`, `y` hundredths of a degree from 121° E 31° N.
fn square(code: &str, x: i64, y: i64) -> String {
    let lon = |x: i64| format!("{:.2}", 121.0 + x as f64 / 100.0);
    let lat = |y: i64| format!("{:.2}", 31.0 + y as f64 / 100.0);
    let (w, s, e, n) = (lon(x), lat(y), lon(x + 1), lat(y + 1));
    feature(
        code,
        &polygon(&format!("[[{w},{s}],[{e},{s}],[{e},{n}],[{w},{n}],[{w},{s}]]")),
    )
}

fn collection(features: &[String]) -> String {
    let features = features.join(",");
    format!(r#"{{"type":"FeatureCollection","features":[{features}]}}"#)
}

fn load(features: &[String]) -> (Layer, Vec<Finding>) {
    Layer::load(&flat(Crs::Wgs84), &[collection(features).as_bytes()], false).unwrap()
}

fn error(text: &[u8]) -> String {
    let outcome = Layer::load(&flat(Crs::Wgs84), &[text], false);
    outcome.unwrap_err().to_string()
}

fn at(lon: f64, lat: f64) -> Position {
    Position::from_degrees(lon, lat).unwrap()
}

fn code_at(layer: &Layer, lon: f64, lat: f64) -> Option<String> {
    let cell = layer.locate(at(lon, lat)).cell()?;
    Some(layer.cell(cell).code.to_string())
}

#[test]
fn shared_borders_and_overlaps_go_to_the_smallest_code() {
    let mut features = vec![
        square("\"B\"", 0, 0),
        square("\"A\"", 1, 0),
        square("\"D\"", 0, 1),
        square("\"C\"", 1, 1),
        square("\"E\"", 1, 1), // lies on C
    ];
    let (layer, _) = load(&features);
    features.reverse();
    let (reversed, _) = load(&features);
    assert_eq!(layer.version(), reversed.version());
    for (lon, lat, want) in [
        (121.005, 31.005, "B"),
        (121.01, 31.005, "A"), // edge of B and A
        (121.005, 31.01, "B"), // edge of B and D
        (121.01, 31.01, "A"),  // the vertex of all
        (121.01, 31.015, "C"), // edge of D, C and E
        (121.015, 31.015, "C"),
        (121.0, 31.0, "B"),   // an outer corner
        (121.02, 31.02, "C"), // another
    ] {
        for layer in [&layer, &reversed] {
            assert_eq!(code_at(layer, lon, lat).as_deref(), Some(want), "{lon} {lat}");
            assert_eq!(layer.locate(at(lon, lat)).status, Status::Inside);
        }
    }
}

#[test]
fn points_just_outside_snap_and_others_do_not() {
    let (layer, _) = load(&[square("\"A\"", 0, 0), square("\"B\"", 1, 0)]);
    let metre = 1.0 / 110_870.0; // of latitude
    let snapped = layer.locate(at(121.005, 31.0 - 1.9 * metre));
    assert_eq!(snapped.status, Status::Snapped);
    assert!((1_890..=1_910).contains(&snapped.snapped_mm), "{snapped:?}");
    let outside = layer.locate(at(121.005, 31.0 - 2.1 * metre));
    assert_eq!(outside.status, Status::Outside);
    assert_eq!(outside.path, []);
    assert_eq!(
        code_at(&layer, 121.01, 31.0 - metre).as_deref(),
        Some("A"),
        "equally far"
    );
    let strict = layer.with_snap_mm(0);
    assert_eq!(strict.locate(at(121.005, 31.0 - metre)).status, Status::Outside);
}

#[test]
fn codes_may_be_numbers_and_files_gzipped() {
    let text = collection(&[square("310117001.0", 0, 0), square("7", 1, 0)]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let packed = gzip.finish().unwrap();
    let (layer, _) = Layer::load(&flat(Crs::Wgs84), &[&packed], true).unwrap();
    let codes: Vec<&str> = layer.cells(0).map(|(_, cell)| &*cell.code).collect();
    assert_eq!(codes, ["310117001", "7"]);
    assert!(layer.find("7").is_some() && layer.find("8").is_none());
    let broken = error(&packed[..packed.len() / 2]);
    assert!(broken.contains("gzip archive is damaged"), "{broken}");
}

#[test]
fn unusable_files_say_what_and_where() {
    let good = square("\"A\"", 0, 0);
    let with = |second: &str| collection(&[good.clone(), second.to_owned()]);
    let ring = |point: &str| feature("\"B\"", &polygon(&format!("[[121,31],{point},[121,32]]")));
    for (text, wanted) in [
        (String::new(), "the file is empty"),
        (" \n".to_owned(), "the file is empty"),
        ("{".to_owned(), "not GeoJSON: EOF"),
        ("[1]".to_owned(), "not GeoJSON"),
        ("{}".to_owned(), "not a GeoJSON FeatureCollection"),
        (good.clone(), "is Feature, not a GeoJSON FeatureCollection"),
        (collection(&[]), "there are no features"),
        (
            collection(std::slice::from_ref(&good)) + "x",
            "trailing characters",
        ),
        (with(&good)[..300].to_owned(), "feature 1: not readable: EOF"),
        (with(&ring("[NaN,31]")), "feature 1: not readable"),
        (with(&ring("[1e999,31]")), "feature 1: not readable"),
        (
            with(&ring("[null,31]")),
            "feature 1 (code B): ring 0, point 1 is not two numbers",
        ),
        (
            with(&ring("[121.5]")),
            "(code B): ring 0, point 1 is not two numbers",
        ),
        (with(&ring("[31,121]")), "point 1: (31, 121) is no place in WGS84"),
        (with(&feature("\"B\"", "null")), "(code B): has no geometry"),
        (
            with(&feature("\"B\"", r#"{"type":"Point","coordinates":[1,2]}"#)),
            "is a Point",
        ),
        (
            with(&feature("\"B\"", r#"{"type":"Polygon","coordinates":[]}"#)),
            "has no rings",
        ),
        (
            with(&feature("\"B\"", r#"{"type":"MultiPolygon","coordinates":[[]]}"#)),
            "has no rings",
        ),
        (with(&feature("\"B\"", r#"{"type":"Polygon"}"#)), "has no rings"),
        (
            with(&feature("null", &polygon("[]"))),
            "property `code` is no code",
        ),
        (
            with(r#"{"type":"Feature","properties":{"name":"x"}}"#),
            "has no property `code`; it has: name",
        ),
        (with("3"), "its type is not `Feature`"),
    ] {
        let got = error(text.as_bytes());
        assert!(got.contains(wanted), "{got}\nwanted {wanted}");
    }
    let config = flat(Crs::Wgs84);
    assert!(matches!(
        Layer::load(&config, &[], false),
        Err(GridError::Config(_))
    ));
}

#[test]
fn bad_rings_load_by_even_odd_with_a_finding_unless_strict() {
    let eight = "[[121,31],[121.01,31.01],[121.01,31],[121,31.01],[121,31]]";
    let unclosed = "[[121,31],[121.01,31],[121.01,31.01]]";
    let line = "[[121,31],[121.01,31],[121,31]]";
    let flat_ring = "[[121,31],[121.01,31.01],[121.02,31.02],[121,31]]";
    for (rings, what, inside) in [
        (eight, What::SelfCrossing, Some((121.001, 31.005))),
        (unclosed, What::UnclosedRing, Some((121.008, 31.002))),
        (line, What::DegenerateRing, None),
        (flat_ring, What::DegenerateRing, None),
    ] {
        let text = collection(&[feature("\"A\"", &polygon(rings))]);
        let (layer, findings) = Layer::load(&flat(Crs::Wgs84), &[text.as_bytes()], false).unwrap();
        assert_eq!(findings[0].what, what, "{findings:?}");
        assert_eq!(layer.findings(), findings);
        match inside {
            Some((lon, lat)) => assert_eq!(code_at(&layer, lon, lat).as_deref(), Some("A")),
            None => assert!(findings.iter().any(|finding| finding.what == What::NoArea)),
        }
        let strict = Layer::load(&flat(Crs::Wgs84), &[text.as_bytes()], true).unwrap_err();
        let strict = strict.to_string();
        assert!(
            strict.contains("feature 0 (code A)") && strict.contains(what.name()),
            "{strict}"
        );
    }
}

#[test]
fn parents_are_found_by_property_and_by_position() {
    let mut config = flat(Crs::Wgs84);
    let mut beat = config.levels[0].clone();
    beat.level = "district".to_owned();
    config.levels.insert(0, beat);
    let wide = collection(&[square("\"W\"", 0, 0), square("\"V\"", 1, 0)]);
    let small = "[[121.012,31.002],[121.014,31.002],[121.014,31.004],[121.012,31.002]]";
    let cell = feature("\"c\"", &polygon(small));
    let narrow = collection(std::slice::from_ref(&cell));
    let parent = |config: &LayerConfig, narrow: &str| {
        let (layer, findings) = Layer::load(config, &[wide.as_bytes(), narrow.as_bytes()], false).unwrap();
        let path = layer.locate(at(121.0135, 31.003)).path;
        let codes: Vec<String> = path
            .iter()
            .map(|&cell| layer.cell(cell).code.to_string())
            .collect();
        (codes.join("/"), findings)
    };
    assert_eq!(parent(&config, &narrow), ("V/c".to_owned(), vec![]));
    config.levels[1].parent = Some("up".to_owned());
    let named = |code: &str| narrow.replace("\"name\"", &format!("\"up\":\"{code}\",\"name\""));
    assert_eq!(parent(&config, &named("W")).0, "W/c", "the file's word counts");
    let (path, findings) = parent(&config, &named("X"));
    assert_eq!(path, "V/c");
    assert_eq!(findings[0].what, What::MissingParent);
    let missing = Layer::load(&config, &[wide.as_bytes(), narrow.as_bytes()], false).unwrap_err();
    assert!(
        missing.to_string().contains("no feature has the property `up`"),
        "{missing}"
    );
}

#[test]
fn ground_without_a_fine_cell_still_has_its_wider_one() {
    let mut config = flat(Crs::Wgs84);
    config.levels.insert(
        0,
        LevelConfig {
            level: "town".to_owned(),
            ..config.levels[0].clone()
        },
    );
    let wide = collection(&[square("\"T\"", 0, 0), square("\"S\"", 1, 0)]);
    let narrow = collection(&[square("\"t\"", 0, 0)]);
    let (layer, _) = Layer::load(&config, &[wide.as_bytes(), narrow.as_bytes()], false).unwrap();
    let located = layer.locate(at(121.015, 31.005));
    assert_eq!(located.status, Status::Inside);
    assert_eq!(layer.cell(located.cell().unwrap()).level.as_ref(), "town");
}

/// Points that try a layer: at random, on vertices, on edges, and one nano-degree beside them.
fn trying_points(layer: &Layer, count: usize) -> Vec<Position> {
    let finest = layer.levels().len() - 1;
    let mut points = Vec::new();
    let rings: Vec<&Vec<Position>> = layer
        .cells(finest)
        .flat_map(|(index, _)| layer.polygons(index).flatten().collect::<Vec<_>>())
        .collect();
    for at in 0..count {
        let ring = rings[at * 7919 % rings.len()];
        let a = ring[at * 31 % ring.len()];
        let b = ring[(at * 31 + 1) % ring.len()];
        let middle = Position {
            lon_e9: a.lon_e9 + (b.lon_e9 - a.lon_e9) / 2,
            lat_e9: a.lat_e9 + (b.lat_e9 - a.lat_e9) / 2,
        };
        for p in [a, middle] {
            points.push(p);
            for (dx, dy) in [(1, 0), (-1, 0), (0, 1), (0, -1)] {
                points.push(Position {
                    lon_e9: p.lon_e9 + dx,
                    lat_e9: p.lat_e9 + dy,
                });
            }
        }
    }
    points
}

#[test]
fn each_point_has_exactly_one_cell_in_any_load_order() {
    let grid = generate(&GridSpec::default(), 3);
    let texts = grid.geojson();
    let shuffled: Vec<String> = texts
        .iter()
        .map(|(_, text)| {
            let mut lines: Vec<&str> = text.lines().collect();
            let last = lines.len() - 1;
            let features: Vec<&str> = lines[1..last]
                .iter()
                .map(|line| line.trim_end_matches(','))
                .collect();
            let mut features: Vec<&str> = features.into_iter().rev().collect();
            let half = features.len() / 3;
            features.rotate_left(half);
            let body = features.join(",\n");
            lines.truncate(1);
            format!("{}\n{body}\n]}}", lines[0])
        })
        .collect();
    let bytes: Vec<&[u8]> = shuffled.iter().map(String::as_bytes).collect();
    let (other, _) = Layer::load(&GeneratedGrid::config("duty"), &bytes, true).unwrap();
    let layer = grid.into_layer("duty");
    assert_eq!(layer.version(), other.version());
    let finest = layer.levels().len() - 1;
    for p in trying_points(&layer, 3_000) {
        let located = layer.locate(p);
        assert_ne!(located.status, Status::Outside, "{p:?}");
        assert_eq!(located, other.locate(p));
        assert_eq!(located.path.len(), 4);
        // the slow way: every cell that holds the point, borders included
        let holding: Vec<CellIndex> = layer
            .cells(finest)
            .filter(|(index, _)| {
                layer
                    .parts(*index)
                    .iter()
                    .any(|part| part.side(p) != crate::shape::Side::Outside)
            })
            .map(|(index, _)| index)
            .collect();
        match located.status {
            Status::Inside => assert_eq!(located.cell(), holding.first().copied(), "{p:?}"),
            _ => assert!(holding.is_empty(), "{p:?}"),
        }
        for (level, &cell) in located.path.iter().enumerate() {
            let parts = layer.parts(cell);
            let holds = parts
                .iter()
                .any(|part| part.side(p) != crate::shape::Side::Outside);
            assert!(holds || located.status == Status::Snapped, "level {level} {p:?}");
        }
    }
}

#[test]
fn inner_edges_never_leave_the_grid() {
    let layer = generate(&GridSpec::default(), 4).into_layer("duty");
    let district = layer.cells(0).next().unwrap().0;
    for p in trying_points(&layer, 5_000) {
        let in_district = layer.parts(district)[0].side(p) != crate::shape::Side::Outside;
        let located = layer.locate(p);
        assert_eq!(located.status == Status::Inside, in_district, "{p:?}");
    }
}

#[test]
fn a_place_has_one_cell_in_all_coordinate_systems() {
    let layer = generate(&GridSpec::default(), 1).into_layer("duty");
    for (cell, _) in layer.cells(3) {
        let p = layer.inner_point(cell).unwrap();
        for crs in Crs::ALL {
            let (x, y) = from_wgs84(crs, p.lon(), p.lat());
            let (lon, lat) = crate::crs::to_wgs84(crs, x, y).unwrap();
            assert_eq!(layer.locate(at(lon, lat)).cell(), Some(cell), "{crs}");
        }
    }
}

#[test]
fn a_file_in_another_system_gives_the_same_cells() {
    let corners = [
        (121.2, 31.0),
        (121.21, 31.0),
        (121.21, 31.01),
        (121.2, 31.01),
        (121.2, 31.0),
    ];
    for crs in Crs::ALL {
        let points = corners.map(|(lon, lat)| {
            let (x, y) = from_wgs84(crs, lon, lat);
            format!("[{x},{y}]")
        });
        let text = collection(&[feature("1", &polygon(&format!("[{}]", points.join(","))))]);
        let (layer, findings) = Layer::load(&flat(crs), &[text.as_bytes()], true).unwrap();
        assert_eq!(findings, []);
        let [west, south, east, north] = layer.bbox();
        for (got, want) in [(west, 121.2), (south, 31.0), (east, 121.21), (north, 31.01)] {
            assert!((got - want).abs() < 3e-9, "{crs} {got} {want}");
        }
    }
}

#[test]
fn neighbours_and_border_distances_agree() {
    let layer = generate(&GridSpec::default(), 6).into_layer("duty");
    for p in trying_points(&layer, 40)
        .into_iter()
        .chain([at(121.22, 31.03), at(121.3, 31.1)])
    {
        let cell = layer.locate(p).cell().unwrap();
        let slow = |radius: u64| {
            let mut found: Vec<(u64, CellIndex)> = layer
                .cells(3)
                .map(|(index, _)| {
                    let inside = layer.parts(index)[0].side(p) != crate::shape::Side::Outside;
                    (
                        if inside {
                            0
                        } else {
                            layer.border_distance_mm(index, p)
                        },
                        index,
                    )
                })
                .filter(|&(mm, _)| mm <= radius)
                .collect();
            found.sort();
            found.into_iter().map(|(_, index)| index).collect::<Vec<_>>()
        };
        for radius in [0, 30_000, 500_000] {
            assert_eq!(layer.near(p, radius), slow(radius), "{p:?} {radius}");
        }
        let border = layer.border_distance_mm(cell, p);
        if border > 10 {
            assert_eq!(layer.near(p, border - 5).len(), 1);
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_loading_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Layer::load(&flat(Crs::Wgs84), &[&bytes], false);
    }

    #[test]
    fn no_position_makes_locating_panic(lon_e9 in any::<i64>(), lat_e9 in any::<i64>(), radius in any::<u64>()) {
        let (layer, _) = load(&[square("1", 0, 0)]);
        let p = Position { lon_e9, lat_e9 };
        let wild = Position { lon_e9: lon_e9 % 180_000_000_001, lat_e9: lat_e9 % 90_000_000_001 };
        prop_assert_eq!(layer.locate(p).path.len(), layer.near(p, 0).len());
        for p in [p, wild] {
            let _ = layer.near(p, radius);
            let _ = layer.locate(p);
        }
    }

    #[test]
    fn any_rings_load_and_answer_alike_in_any_order(
        points in proptest::collection::vec((0i32..12, 0i32..12), 3..9),
        others in proptest::collection::vec((0i32..12, 0i32..12), 3..9),
    ) {
        let ring = |points: &[(i32, i32)]| {
            let texts: Vec<String> = points.iter().chain(points.first())
                .map(|(x, y)| format!("[121.{x:02},31.{y:02}]")).collect();
            format!("[{}]", texts.join(","))
        };
        let a = feature("1", &polygon(&ring(&points)));
        let b = feature("2", &polygon(&ring(&others)));
        let (one, _) = load(&[a.clone(), b.clone()]);
        let (two, _) = load(&[b, a]);
        prop_assert_eq!(one.version(), two.version());
        for x in 0..12 {
            for y in 0..12 {
                let p = at(121.0 + f64::from(x) / 100.0, 31.0 + f64::from(y) / 100.0);
                prop_assert_eq!(one.locate(p), two.locate(p));
            }
        }
        let _ = crate::check::check(&one);
    }
}
