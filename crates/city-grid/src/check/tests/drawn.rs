//! Cells drawn for one flaw each.

use super::*;

/// Ground in hundredths of a degree from 121° E 31° N.
type Points<'a> = &'a [(i64, i64)];

/// A flat layer of cells, each a code and polygons of rings that are closed here.
fn flat(level: &str, cells: &[(&str, &[&[Points<'_>]])]) -> Layer {
    let point = |&(x, y): &(i64, i64)| {
        let degrees = |from: f64, hundredths: i64| from + hundredths as f64 / 100.0;
        serde_json::json!([degrees(121.0, x), degrees(31.0, y)])
    };
    let ring = |points: &Points<'_>| -> serde_json::Value {
        points.iter().chain(points.first()).map(point).collect()
    };
    let polygon = |rings: &&[Points<'_>]| -> serde_json::Value { rings.iter().map(ring).collect() };
    let features: Vec<serde_json::Value> = cells
        .iter()
        .map(|(code, polygons)| {
            let coordinates: serde_json::Value = polygons.iter().map(polygon).collect();
            serde_json::json!({
                "type": "Feature", "properties": { "code": code, "name": "n" },
                "geometry": { "type": "MultiPolygon", "coordinates": coordinates },
            })
        })
        .collect();
    let text = serde_json::json!({ "type": "FeatureCollection", "features": features }).to_string();
    let config = format!(
        r#"{{"name":"x","levels":[{{"level":"{level}","crs":"WGS84","code":"code","label":"name"}}]}}"#
    );
    let config: crate::LayerConfig = serde_json::from_str(&config).unwrap();
    Layer::load(&config, &[text.as_bytes()], false).unwrap().0
}

const SQUARE: Points<'_> = &[(0, 0), (9, 0), (9, 9), (0, 9)];
const EAST: Points<'_> = &[(9, 0), (18, 0), (18, 9), (9, 9)];
const INNER: Points<'_> = &[(2, 2), (5, 2), (5, 5), (2, 5)];
const SHIFTED: Points<'_> = &[(4, 4), (7, 4), (7, 7), (4, 7)];
const OUT: Points<'_> = &[(7, 3), (11, 3), (11, 6), (7, 6)];

/// A square hundredth of a degree at 31° N is this many m²; cells are some 10 km wide, so a percent is enough.
const UNIT_M2: f64 = 954.5 * 1_108.7;

#[test]
fn each_flaw_is_told_with_its_place_its_size_and_the_cells() {
    type Case<'a> = (
        &'a [(&'a str, &'a [&'a [Points<'a>]])],
        &'a [(What, &'a str, f64, (f64, f64))],
    );
    let cases: &[Case<'_>] = &[
        (&[("A", &[&[SQUARE]]), ("B", &[&[EAST]])], &[]),
        (
            &[("A", &[&[SQUARE]]), ("B", &[&[OUT]])],
            &[(What::Overlap, "A B", 6.0, (8.0, 4.5))],
        ),
        (
            &[("A", &[&[SQUARE]]), ("B", &[&[INNER]])],
            &[
                (What::Overlap, "A B", 9.0, (3.5, 3.5)),
                (What::InsideAnother, "B A", 9.0, (3.5, 3.5)),
            ],
        ),
        (
            &[("A", &[&[SQUARE]]), ("B", &[&[SQUARE]])],
            &[
                (What::Overlap, "A B", 81.0, (4.5, 4.5)),
                (What::SameGround, "A B", 81.0, (4.5, 7.9)),
            ],
        ),
        (
            &[("A", &[&[SQUARE, INNER]])],
            &[(What::Gap, "A", 9.0, (3.5, 3.5))],
        ),
        (&[("A", &[&[SQUARE, INNER]]), ("B", &[&[INNER]])], &[]),
        (
            &[("A", &[&[SQUARE, INNER, SHIFTED]])],
            &[
                (What::HolesOverlap, "A", 1.0, (4.5, 4.5)),
                (What::Gap, "A", 8.0, (3.0, 3.5)),
                (What::Gap, "A", 8.0, (6.0, 5.5)),
            ],
        ),
        (
            &[("A", &[&[SQUARE, OUT]])],
            // by the even-odd rule the part of the hole outside is ground, which closes the rest in
            &[
                (What::HoleOutside, "A", 6.0, (10.0, 4.5)),
                (What::Gap, "A", 6.0, (8.0, 4.5)),
            ],
        ),
        (
            &[("A", &[&[SQUARE], &[OUT]])],
            &[(What::PartsOverlap, "A", 6.0, (8.0, 4.5))],
        ),
        (
            &[("A", &[&[SQUARE], &[EAST]])],
            &[(What::PartsTouch, "A", 0.0, (9.0, 0.0))],
        ),
        (
            &[("A", &[&[&[(0, 0), (9, 0), (18, 0), (9, 0), (9, 9), (0, 9)]]])],
            &[(What::Spike, "A", 0.0, (18.0, 0.0))],
        ),
        (
            &[("A", &[&[&[(0, 0), (8, 8), (8, 0), (0, 8)]]])],
            &[(What::SelfCrossing, "A", 0.0, (4.0, 4.0))],
        ),
        (
            &[("A", &[&[&[(0, 0), (9, 0), (9, 0), (9, 9), (0, 9)]]])],
            &[(What::RepeatedPoint, "A", 0.0, (9.0, 0.0))],
        ),
    ];
    let all = Limits {
        repeated_point: Verdict::Warn,
        ..Limits::default()
    };
    for (cells, want) in cases {
        let mut found = check_by(&flat("beat", cells), &all);
        let whats = |finding: &Finding| (finding.what, finding.position);
        found.sort_by_key(whats);
        assert_eq!(found.len(), want.len(), "{cells:?}: {found:?}");
        for (finding, (what, codes, units, (x, y))) in found.iter().zip(*want) {
            assert_eq!(finding.what, *what, "{cells:?}");
            assert_eq!(finding.codes.join(" "), *codes, "{finding:?}");
            assert_eq!(finding.codes.first(), finding.code.as_ref());
            let area = finding.area_m2.unwrap_or(0.0);
            assert!(
                (area - units * UNIT_M2).abs() <= 0.01 * units * UNIT_M2,
                "{finding:?}"
            );
            let at = finding.position.unwrap();
            let off = (at.lon() - 121.0 - x / 100.0).abs() + (at.lat() - 31.0 - y / 100.0).abs();
            assert!(off < 0.012, "{finding:?}");
            assert_ne!(finding.geometry, Geometry::None, "{finding:?}");
            let told = finding.properties();
            assert_eq!(told["what"], what.name());
            assert_eq!(told.contains_key("area_m2"), *units > 0.0, "{told:?}");
        }
    }
}

#[test]
fn ground_is_measured_by_the_even_odd_rule() {
    let eight: Points<'_> = &[(0, 0), (8, 8), (8, 0), (0, 8)];
    // a hole that reaches out is ground there
    let cases: [(&[&[Points<'_>]], f64); 5] = [
        (&[&[SQUARE]], 81.0),
        (&[&[eight]], 32.0),
        (&[&[SQUARE, INNER]], 72.0),
        (&[&[SQUARE, INNER, SHIFTED]], 81.0 - 16.0),
        (&[&[SQUARE, OUT]], 81.0 - 6.0 + 6.0),
    ];
    for (polygons, units) in cases {
        let layer = flat("beat", &[("A", polygons)]);
        let (cell, _) = layer.cells(0).next().unwrap();
        let area = layer.area_m2(cell) / UNIT_M2;
        assert!((area - units).abs() < 0.01 * units, "{polygons:?}: {area}");
    }
    // refused below a size, it is refused by what it has
    let mut limits = Limits::default();
    limits.sliver.refuse_m2 = Some(31.0 * UNIT_M2);
    let layer = flat("beat", &[("A", &[&[eight]])]);
    let found = check_by(&layer, &limits);
    assert!(
        found.iter().all(|finding| finding.what == What::SelfCrossing),
        "{found:?}"
    );
}

#[test]
fn rings_that_leave_nothing_have_no_area() {
    let twice: Points<'_> = &[(0, 0), (9, 0), (9, 9), (0, 9), (0, 0), (9, 0), (9, 9), (0, 9)];
    for polygons in [&[&[twice][..]][..], &[&[SQUARE, SQUARE]]] {
        let layer = flat("beat", &[("A", polygons), ("B", &[&[EAST]])]);
        let middle = city_model::Position::from_degrees(121.045, 31.045).unwrap();
        assert_eq!(layer.locate(middle).cell(), None);
        let found = check(&layer);
        let none: Vec<&Finding> = found
            .iter()
            .filter(|finding| finding.what == What::NoArea)
            .collect();
        let [finding] = none[..] else {
            panic!("{found:?}");
        };
        assert_eq!(finding.code.as_deref(), Some("A"));
        assert!(
            finding.to_string().ends_with(", near 121.000000, 31.000000"),
            "{finding}"
        );
        assert!(found.iter().all(|other| other.what != What::Sliver), "{found:?}");
        let cell = layer.find("A").unwrap();
        assert_eq!(layer.area_m2(cell).to_string(), "0", "and no -0");
    }
}

#[test]
fn what_has_a_place_says_it_once() {
    let thin: Points<'_> = &[(0, 0), (9, 0), (9, 9), (0, 9)];
    let cells: &[(&str, &[&[Points<'_>]])] = &[
        ("A", &[&[thin]]),
        ("A", &[&[INNER]]),
        ("B", &[&[EAST, SHIFTED]]),
        ("C", &[&[&[(20, 0), (29, 0), (20, 0)]]]),
    ];
    let found = check(&flat("town", cells));
    let whats: std::collections::BTreeSet<What> = found.iter().map(|finding| finding.what).collect();
    for what in [
        What::DuplicateCode,
        What::BadCode,
        What::InsideAnother,
        What::DegenerateRing,
        What::Overlap,
        What::HoleOutside,
    ] {
        assert!(whats.contains(&what), "{what}: {found:?}");
    }
    for finding in found {
        let told = finding.to_string().matches("near 121.").count();
        assert_eq!(told, usize::from(finding.position.is_some()), "{finding}");
    }
}

#[test]
fn parts_that_touch_tell_how_much_border_they_share() {
    let found = check(&flat("beat", &[("A", &[&[SQUARE], &[EAST]])]));
    let north = 9.0 * 1_108.7;
    let length = found[0].length_m.unwrap();
    assert!((length - north).abs() < 0.01 * north, "{length}");
}

#[test]
fn limits_decide_what_is_told() {
    let cells = flat("beat", &[("A", &[&[SQUARE]]), ("B", &[&[OUT]])]);
    let mut limits = Limits::default();
    let found = check_by(&cells, &limits);
    assert_eq!(limits.judge(&found[0]), Verdict::Warn);
    limits.overlap.refuse_m2 = Some(6.0 * UNIT_M2 * 0.9);
    assert_eq!(limits.judge(&found[0]), Verdict::Refuse);
    limits.overlap.refuse_m2 = None;
    limits.overlap.warn_m2 = 6.0 * UNIT_M2 * 1.1;
    assert_eq!(check_by(&cells, &limits), []);
}

#[test]
fn the_worst_comes_first() {
    let small: Points<'_> = &[(20, 0), (21, 0), (21, 1), (20, 1)];
    let cells = flat(
        "beat",
        &[
            (
                "A",
                &[&[
                    SQUARE,
                    &[(1, 1), (2, 1), (2, 2), (1, 2)],
                    &[(3, 3), (6, 3), (6, 6), (3, 6)],
                ]],
            ),
            ("B", &[&[small], &[&[(21, 0), (22, 0), (22, 1), (21, 1)]]]),
        ],
    );
    let told: Vec<(What, i64)> = check(&cells)
        .iter()
        .map(|finding| {
            (
                finding.what,
                (finding.area_m2.unwrap_or(0.0) / UNIT_M2).round() as i64,
            )
        })
        .collect();
    assert_eq!(told, [(What::Gap, 9), (What::Gap, 1), (What::PartsTouch, 0)]);
}

#[test]
fn a_repeated_point_is_no_flaw_even_when_strict() {
    let text = r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"code":"A","name":"n"},
        "geometry":{"type":"Polygon","coordinates":[[[121,31],[121.1,31],[121.1,31],[121.1,31.1],[121,31]]]}}]}"#;
    let config = r#"{"name":"x","levels":[{"level":"beat","crs":"WGS84","code":"code","label":"name"}]}"#;
    let config: crate::LayerConfig = serde_json::from_str(config).unwrap();
    let (layer, findings) = Layer::load(&config, &[text.as_bytes()], true).unwrap();
    assert_eq!(findings[0].what, What::RepeatedPoint);
    assert_eq!(check(&layer), []);
}
