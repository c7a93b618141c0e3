//! What loads, what is refused, and what is said about it.

use std::io::Write;

use super::*;

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
        let path = layer.locate(at(121.0135, 31.003)).path(&layer);
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
fn two_cells_with_one_code_are_told_apart_in_any_order() {
    let features = [square("1", 0, 0), square("1", 1, 0), square("2", 2, 0)];
    let (layer, findings) = load(&features);
    assert_eq!(findings[0].what, What::DuplicateCode);
    let (other, _) = load(&[features[2].clone(), features[1].clone(), features[0].clone()]);
    assert_eq!(layer.version(), other.version());
    let strict = Layer::load(&flat(Crs::Wgs84), &[collection(&features).as_bytes()], true);
    assert!(strict.unwrap_err().to_string().contains("duplicate_code"));
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
        let (cell, _) = layer.cells(0).next().unwrap();
        let ring: Vec<Position> = layer.polygons(cell).flatten().flatten().copied().collect();
        for (lon, lat) in corners {
            let is_there = |p: &Position| (p.lon() - lon).abs() < 3e-9 && (p.lat() - lat).abs() < 3e-9;
            assert!(ring.iter().any(is_there), "{crs} {lon} {lat}");
        }
    }
}

#[test]
fn a_fitted_plane_moves_a_grid_drawn_on_it() {
    let fit = crate::crs::PlaneFit::new(-21.3, -17.2, 0.0, 0.0).unwrap();
    let systems = crate::crs::Systems::with_sh2000(fit);
    let ring = "[[-20000,-20000],[-19000,-20000],[-19000,-19000],[-20000,-19000],[-20000,-20000]]";
    let text = collection(&[feature("1", &polygon(ring))]);
    let (plain, _) = Layer::load(&flat(Crs::Sh2000), &[text.as_bytes()], true).unwrap();
    let source = [LevelSource::from(text.as_bytes())];
    let zone = jiff::tz::TimeZone::UTC;
    let (fitted, _) = Timeline::load_in(&systems, &flat(Crs::Sh2000), &source, true, &zone).unwrap();
    let fitted = fitted.newest();
    // A point of the customer's plane lies 21.3 m further east on the built-in one.
    let east_m = (fitted.bbox()[0] - plain.bbox()[0]) * 95_300.0;
    assert!((east_m - 21.3).abs() < 0.2, "{east_m}");
    assert_ne!(plain.version(), fitted.version());
}
