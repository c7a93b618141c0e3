//! Every system there and back, and one point in five systems in one cell.

use proptest::prelude::*;

use super::*;

#[test]
fn names_are_those_of_the_contract() {
    for crs in Crs::ALL {
        assert_eq!(crs.name().parse::<Crs>(), Ok(crs));
        assert_eq!(
            serde_json::to_string(&crs).unwrap(),
            format!("\"{}\"", crs.name())
        );
    }
    let error = "GPS".parse::<Crs>().unwrap_err().to_string();
    assert!(error.contains("`GPS`") && error.contains("SH2000"), "{error}");
}

#[test]
fn impossible_input_has_no_place() {
    for crs in Crs::ALL {
        for (x, y) in [
            (f64::NAN, 31.0),
            (121.0, f64::INFINITY),
            (1e300, -1e300),
            (f64::MAX, f64::MIN),
            (6e5, 2e6),
        ] {
            assert_eq!(to_wgs84(crs, x, y), None, "{crs} {x} {y}");
        }
    }
    assert_eq!(to_wgs84(Crs::Wgs84, 31.0, 121.0), None, "swapped");
}

#[test]
fn abroad_gcj_is_the_identity() {
    assert_eq!(to_wgs84(Crs::Gcj02, -71.06, 42.36), Some((-71.06, 42.36)));
    assert_eq!(from_wgs84(Crs::Gcj02, -71.06, 42.36), (-71.06, 42.36));
}

proptest! {
    #[test]
    fn every_system_comes_back(lon in 120.8..122.2f64, lat in 30.6..31.9f64) {
        for crs in Crs::ALL {
            let (x, y) = from_wgs84(crs, lon, lat);
            let (back_lon, back_lat) = to_wgs84(crs, x, y).unwrap();
            // 1e-9° is 0.1 mm
            prop_assert!((back_lon - lon).abs() < 1e-9 && (back_lat - lat).abs() < 1e-9, "{} {} {}", crs, lon, lat);
        }
    }

    #[test]
    fn any_two_numbers_give_an_answer(x in proptest::num::f64::ANY, y in proptest::num::f64::ANY) {
        for crs in Crs::ALL {
            let _ = from_wgs84(crs, x, y);
            if let Some((lon, lat)) = to_wgs84(crs, x, y) {
                prop_assert!(lon.abs() <= 180.0 && lat.abs() <= 90.0);
            }
        }
    }

    #[test]
    fn all_over_china_the_offsets_come_back(lon in 73.0..136.8f64, lat in 2.0..54.8f64) {
        for crs in [Crs::Gcj02, Crs::Bd09] {
            let (x, y) = from_wgs84(crs, lon, lat);
            let (back_lon, back_lat) = to_wgs84(crs, x, y).unwrap();
            prop_assert!((back_lon - lon).abs() < 1e-9 && (back_lat - lat).abs() < 1e-9);
        }
    }
}

/// Metres between two places, on the plane that touches the earth at the first.
fn metres_between(one: (f64, f64), other: (f64, f64)) -> f64 {
    let place = |(lon, lat)| city_model::Position::from_degrees(lon, lat).unwrap();
    let plane = city_model::Plane::at(place(one));
    plane.project(place(one)).distance_mm(plane.project(place(other))) as f64 / 1_000.0
}

/// A fit such as control points would give: the truncated seconds of the origin, a turn, a scale.
fn fitted() -> Systems {
    Systems::with_sh2000(PlaneFit::new(-21.3, -17.2, 2.5, -4.0).unwrap())
}

#[test]
fn one_place_in_five_systems_lies_in_one_cell() {
    let layer = crate::builtin();
    let [west, south, east, north] = layer.bbox();
    let mut inside = 0;
    for systems in [Systems::default(), fitted()] {
        for step in 0..40_u32 {
            for other in 0..40_u32 {
                let lon = west + (east - west) * f64::from(step) / 39.3;
                let lat = south + (north - south) * f64::from(other) / 39.7;
                let cell = |(lon, lat)| {
                    let position = city_model::Position::from_degrees(lon, lat).unwrap();
                    layer.locate(position).path(&layer)
                };
                let expected = cell((lon, lat));
                inside += u32::from(!expected.is_empty());
                for crs in Crs::ALL {
                    let (x, y) = systems.from_wgs84(crs, lon, lat);
                    let back = systems.to_wgs84(crs, x, y).unwrap();
                    let off_m = metres_between((lon, lat), back);
                    assert!(off_m < 0.001, "{crs} {lon} {lat}: {off_m} m");
                    assert_eq!(cell(back), expected, "{crs} {lon} {lat}");
                }
            }
        }
    }
    assert!(inside > 800, "only {inside} points lie in the grid");
}

#[test]
fn a_map_point_declared_as_gps_lands_half_a_kilometre_away() {
    let place = (121.2277, 31.0322);
    let (x, y) = from_wgs84(Crs::Gcj02, place.0, place.1);
    let off_m = metres_between(place, to_wgs84(Crs::Wgs84, x, y).unwrap());
    assert!((off_m - 483.0).abs() < 1.5, "{off_m}");
    let (x, y) = from_wgs84(Crs::Bd09, place.0, place.1);
    let off_m = metres_between(place, to_wgs84(Crs::Wgs84, x, y).unwrap());
    assert!((1_079.0..1_168.0).contains(&off_m), "{off_m}");
}

#[test]
fn encrypted_twice_is_the_composition_of_once() {
    let (lon, lat) = (121.2277, 31.0322);
    let once = from_wgs84(Crs::Gcj02, lon, lat);
    let twice = from_wgs84(Crs::Gcj02, once.0, once.1);
    let off_m = metres_between((lon, lat), twice);
    assert!((off_m - 965.0).abs() < 10.0, "{off_m}");
    let back = to_wgs84(Crs::Gcj02, twice.0, twice.1).unwrap();
    assert!(metres_between(once, back) < 0.001);
}

#[test]
fn the_national_system_is_taken_as_wgs84() {
    assert_eq!(
        to_wgs84(Crs::Cgcs2000, 121.2277, 31.0322),
        Some((121.2277, 31.0322))
    );
    assert_eq!(from_wgs84(Crs::Cgcs2000, 121.2277, 31.0322), (121.2277, 31.0322));
}

#[test]
fn a_fit_changes_the_plane_and_nothing_else() {
    let systems = fitted();
    for crs in Crs::ALL {
        let (plain, own) = (
            from_wgs84(crs, 121.32, 31.137),
            systems.from_wgs84(crs, 121.32, 31.137),
        );
        assert_eq!(plain == own, crs != Crs::Sh2000, "{crs}");
    }
    assert_eq!(systems.to_wgs84(Crs::Sh2000, f64::NAN, 0.0), None);
    assert_eq!(systems.to_wgs84(Crs::Sh2000, 6e5, 0.0), None);
    assert_eq!(
        Systems::default().from_wgs84(Crs::Sh2000, 121.32, 31.137),
        from_wgs84(Crs::Sh2000, 121.32, 31.137)
    );
}

proptest! {
    #[test]
    fn a_fitted_plane_comes_back(
        dx in -1e3..1e3f64, dy in -1e3..1e3f64, turn in -100.0..100.0f64, ppm in -100.0..100.0f64,
        lon in 119.5..123.5f64, lat in 29.5..33.0f64,
    ) {
        let systems = Systems::with_sh2000(PlaneFit::new(dx, dy, turn, ppm).unwrap());
        let (x, y) = systems.from_wgs84(Crs::Sh2000, lon, lat);
        let back = systems.to_wgs84(Crs::Sh2000, x, y).unwrap();
        // Both ends are whole millimetres: less than one may show as one.
        prop_assert!(metres_between((lon, lat), back) < 0.002);
    }

    /// From the far side: whatever a source sends is the image of the place that it is read as.
    #[test]
    fn what_was_read_is_what_was_sent(lon in 72.004..137.8347f64, lat in 0.8293..55.8271f64) {
        for crs in [Crs::Gcj02, Crs::Bd09] {
            // In the strip along the edge of the box, where the shift jumps to zero, some numbers are no place's image.
            let is_edge = !(72.03..137.81).contains(&lon) || !(0.84..55.81).contains(&lat);
            match to_wgs84(crs, lon, lat) {
                None => prop_assert!(is_edge, "{crs} {lon} {lat}"),
                Some(place) => {
                    let sent = from_wgs84(crs, place.0, place.1);
                    prop_assert!((sent.0 - lon).abs() < 5e-9 && (sent.1 - lat).abs() < 5e-9, "{crs} {lon} {lat}");
                }
            }
        }
    }
}
