//! The fit finds what was put in, says how well it holds, and refuses what fixes nothing.

use proptest::prelude::*;

use super::*;

const PLACES: [(f64, f64); 6] = [
    (121.2277, 31.0322),
    (121.32, 31.137),
    (121.07, 30.91),
    (121.93, 30.9),
    (121.397, 31.623),
    (121.4671, 31.2354),
];

fn points(fit: &PlaneFit, places: &[(f64, f64)]) -> Vec<ControlPoint> {
    let point = |&(lon, lat): &(f64, f64)| {
        let (x, y) = geodetic_to_plane(lon, lat);
        let (x, y) = fit.apply(x, y);
        ControlPoint { x, y, lon, lat }
    };
    places.iter().map(point).collect()
}

#[test]
fn the_shift_of_the_printed_constants_is_found() {
    // What the truncated seconds of the published origin cost, with a little of everything else.
    let truth = PlaneFit::new(-21.3, -17.2, 1.5, -3.25).unwrap();
    for count in 2..=PLACES.len() {
        let fitted = PlaneFit::through(&points(&truth, &PLACES[..count])).unwrap();
        let (dx, dy) = fitted.fit.shift_m();
        assert!((dx + 21.3).abs() < 1e-5 && (dy + 17.2).abs() < 1e-5, "{dx} {dy}");
        assert!((fitted.fit.rotation_arcsec() - 1.5).abs() < 1e-4);
        assert!((fitted.fit.scale_ppm() + 3.25).abs() < 1e-3);
        assert!(
            fitted.rms_m < 1e-6 && fitted.doubtful(1.0).is_empty(),
            "{fitted:?}"
        );
    }
}

#[test]
fn a_typing_error_is_found_by_leaving_it_out() {
    let truth = PlaneFit::new(-21.3, -17.2, 0.0, 0.0).unwrap();
    for (at, wrong_m) in [(0, 10.0), (3, -90.0), (5, 3.0)] {
        let mut typed = points(&truth, &PLACES);
        typed[at].y += wrong_m;
        let fitted = PlaneFit::through(&typed).unwrap();
        assert!(fitted.doubtful(1.0).contains(&at), "{fitted:?}");
        let found = outlier(&typed, 1.0).unwrap();
        assert!(found.at == at && found.rms_m < 1e-6, "{found:?}");
        assert!((found.off_m - f64::abs(wrong_m)).abs() < 1e-5, "{found:?}");
    }
    assert_eq!(
        outlier(&points(&truth, &PLACES[..3]), 1.0),
        None,
        "three do not tell"
    );
    // Two wrong ones: nobody can say which, so nobody is named.
    let mut typed = points(&truth, &PLACES);
    typed[0].x += 30.0;
    typed[1].y += 30.0;
    assert_eq!(outlier(&typed, 1.0), None);
}

#[test]
fn what_no_plane_of_the_city_has_is_implausible() {
    for (turn, ppm, words) in [
        (1.5, -31.0, &[][..]),
        (59.0, 99.0, &[]),
        (0.0, 600.0, &["scale 600.0 ppm"]),
        (-2_700.0, -101.0, &["scale -101.0 ppm", "rotation -2700.0\""]),
    ] {
        let told = PlaneFit::new(-21.3, 500_000.0, turn, ppm).unwrap().implausible();
        assert_eq!(told.len(), words.len(), "{told:?}");
        assert!(
            told.iter().zip(words).all(|(told, word)| told.contains(word)),
            "{told:?}"
        );
    }
    let mut typed = points(&PlaneFit::new(0.0, 0.0, 0.0, 0.0).unwrap(), &PLACES);
    assert!(PlaneFit::through(&typed).unwrap().implausible(1.0).is_empty());
    typed[2].x += 50.0;
    let told = PlaneFit::through(&typed).unwrap().implausible(1.0);
    assert!(told.iter().any(|told| told.starts_with("rms ")), "{told:?}");
}

#[test]
fn one_of_many_stands_out_of_the_mean() {
    let truth = PlaneFit::new(0.0, 0.0, 0.0, 0.0).unwrap();
    let places: Vec<(f64, f64)> = (0..16)
        .map(|n| (121.0 + f64::from(n % 4) * 0.1, 30.9 + f64::from(n / 4) * 0.1))
        .collect();
    let mut typed = points(&truth, &places);
    typed[5].x += 0.5;
    assert_eq!(
        PlaneFit::through(&typed).unwrap().doubtful(1.0),
        [5],
        "half a metre, but all others hold"
    );
}

#[test]
fn what_fixes_nothing_is_refused() {
    let identity = PlaneFit::new(0.0, 0.0, 0.0, 0.0).unwrap();
    let refused = |points: &[ControlPoint]| PlaneFit::through(points).unwrap_err();
    let good = points(&identity, &PLACES);
    assert_eq!(refused(&[]), FitError::TooFew(0));
    assert_eq!(refused(&good[..1]), FitError::TooFew(1));
    assert!(matches!(refused(&[good[0]; 5]), FitError::OneSpot(_)));
    let near = points(&identity, &[(121.2277, 31.0322), (121.2278, 31.0322)]);
    assert!(matches!(refused(&near), FitError::OneSpot(_)));
    let with = |change: fn(&mut ControlPoint)| {
        let mut points = good.clone();
        change(&mut points[2]);
        refused(&points)
    };
    assert!(matches!(with(|p| p.x = f64::NAN), FitError::Unusable("x", _)));
    assert!(matches!(
        with(|p| p.y = f64::INFINITY),
        FitError::Unusable("y", _)
    ));
    assert!(matches!(with(|p| p.lat = f64::NAN), FitError::Unusable("lat", _)));
    assert_eq!(
        with(|p| std::mem::swap(&mut p.lon, &mut p.lat)),
        FitError::FarAway(2)
    );
    let swapped: Vec<ControlPoint> = good
        .iter()
        .map(|p| ControlPoint { x: p.y, y: p.x, ..*p })
        .collect();
    assert!(
        matches!(refused(&swapped), FitError::Scale(_)),
        "a mirror is no rotation"
    );
    for (dx, turn, ppm) in [
        (f64::NAN, 0.0, 0.0),
        (2e7, 0.0, 0.0),
        (0.0, 1e6, 0.0),
        (0.0, 0.0, 1e4),
    ] {
        assert!(PlaneFit::new(dx, 0.0, turn, ppm).is_err(), "{dx} {turn} {ppm}");
    }
}

proptest! {
    #[test]
    fn any_fit_comes_back(
        dx in -6e5..6e5f64, dy in -4e6..4e6f64, turn in -6e5..6e5f64, ppm in -900.0..900.0f64,
        x in -1e5..1e5f64, y in -1e5..1e5f64,
    ) {
        let fit = PlaneFit::new(dx, dy, turn, ppm).unwrap();
        let (east, north) = fit.apply(x, y);
        let (back_x, back_y) = fit.undo(east, north);
        // 1e-6 m is a micron
        prop_assert!((back_x - x).abs() < 1e-6 && (back_y - y).abs() < 1e-6);
        let fitted = PlaneFit::through(&points(&fit, &PLACES)).unwrap();
        prop_assert!(fitted.rms_m < 1e-5, "{}", fitted.rms_m);
    }
}
