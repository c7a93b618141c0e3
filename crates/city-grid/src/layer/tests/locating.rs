//! One cell for every point, in any order, on any border.

use proptest::prelude::*;

use super::*;
use crate::ground::Side;

#[test]
fn without_snapping_what_is_outside_stays_outside() {
    let (layer, _) = load(&[square("1", 0, 0)]);
    // about half a millimetre and a millimetre to the west, of which whole millimetres leave nothing and one
    for lon_e9 in [120_999_999_995, 120_999_999_989] {
        let p = Position {
            lon_e9,
            lat_e9: 31_005_000_000,
        };
        assert_eq!(layer.locate(p).status, Status::Snapped, "{p:?}");
        let plain = layer.clone().with_snap_mm(0);
        assert_eq!(plain.locate(p).status, Status::Outside, "{p:?}");
        assert_eq!(plain.locate(at(121.0, 31.005)).status, Status::Inside);
    }
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
    assert_eq!(outside.path(&layer), []);
    assert_eq!(
        code_at(&layer, 121.01, 31.0 - metre).as_deref(),
        Some("A"),
        "equally far"
    );
    let strict = layer.with_snap_mm(0);
    assert_eq!(strict.locate(at(121.005, 31.0 - metre)).status, Status::Outside);
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

#[test]
fn a_cell_of_several_parts_is_near_once() {
    let part = |west: f64| {
        let east = west + 0.001;
        format!("[[[{west},31],[{east},31],[{east},31.001],[{west},31]]]")
    };
    let parts = format!("{},{}", part(121.0), part(121.001025));
    let multi = format!(r#"{{"type":"MultiPolygon","coordinates":[{parts}]}}"#);
    let (layer, _) = load(&[feature("1", &multi)]);
    assert_eq!(layer.near(at(121.001, 31.002), 300_000).len(), 1);
    // 0.95 m east of the first part, 1.4 m west of the second
    let located = layer.locate(at(121.00101, 31.0));
    assert_eq!(located.status, Status::Snapped);
    assert!((940..970).contains(&located.snapped_mm), "{located:?}");
}

/// Points that try a layer: at random, on vertices, on edges, and one nano-degree beside them.
fn trying_points(layer: &Layer, count: usize) -> Vec<Position> {
    let finest = layer.levels().len() - 1;
    let mut points = Vec::new();
    let rings: Vec<&[Position]> = layer
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
        assert_eq!(located.path(&layer).len(), 4);
        // the slow way: every cell that holds the point, borders included
        let holding: Vec<CellIndex> = layer
            .cells(finest)
            .filter(|(index, _)| layer.parts(*index).any(|part| part.side(p) != Side::Outside))
            .map(|(index, _)| index)
            .collect();
        match located.status {
            Status::Inside => assert_eq!(located.cell(), holding.first().copied(), "{p:?}"),
            _ => assert!(holding.is_empty(), "{p:?}"),
        }
        for (level, &cell) in located.path(&layer).iter().enumerate() {
            let holds = layer.parts(cell).any(|part| part.side(p) != Side::Outside);
            assert!(holds || located.status == Status::Snapped, "level {level} {p:?}");
        }
    }
}

#[test]
fn inner_edges_never_leave_the_grid() {
    let layer = generate(&GridSpec::default(), 4).into_layer("duty");
    let district = layer.cells(0).next().unwrap().0;
    for p in trying_points(&layer, 5_000) {
        let in_district = layer.parts(district).any(|part| part.side(p) != Side::Outside);
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
                    let inside = layer.parts(index).any(|part| part.side(p) != Side::Outside);
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
        prop_assert_eq!(layer.locate(p).path(&layer).len(), layer.near(p, 0).len());
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
