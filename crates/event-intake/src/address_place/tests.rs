use city_model::{Located, Name, Plane, Point, Position, Quality};
use city_registry::{AddressName, AddressPlace};
use proptest::prelude::*;

use super::Found;

fn origin() -> Plane {
    Plane::at(Position::from_degrees(121.2277, 31.0322).unwrap())
}

fn at(x: i64, y: i64) -> Position {
    origin().unproject(Point { x, y })
}

/// A door on a road that runs `way`, good to `along` and `across` metres.
fn found(way: Option<(i64, i64)>, along_m: i64, across_m: i64) -> Found {
    Found {
        name: AddressName::Door {
            road: "谷阳北路".into(),
            number: 1_500,
        },
        place: AddressPlace {
            position: at(0, 0),
            along: way.map(|(x, y)| Point {
                x: x * 1_000,
                y: y * 1_000,
            }),
            u_along_mm: along_m * 1_000,
            u_across_mm: across_m * 1_000,
        },
        called: Name::from("谷阳北路1500弄"),
    }
}

fn reported(x_m: i64, y_m: i64, u_m: i64) -> Located {
    Located {
        position: at(x_m * 1_000, y_m * 1_000),
        u_mm: u_m * 1_000,
        quality: Quality::Door,
    }
}

/// Where coordinates and address together put an event, in metres.
fn check(found: &Found, reported: &Located, expected: &str) {
    let told = found
        .with(reported)
        .map_or("the coordinates stand".to_owned(), |(located, by)| {
            assert_eq!(by.reported.as_ref(), Some(reported));
            let point = origin().project(located.position);
            let metres = |mm: i64| (mm + 500).div_euclid(1_000);
            format!(
                "{}, {} ±{}",
                metres(point.x),
                metres(point.y),
                metres(located.u_mm)
            )
        });
    assert_eq!(told, expected);
}

#[test]
fn each_way_goes_by_what_is_surer_there() {
    let east = found(Some((700, 0)), 10, 100);
    check(&east, &reported(0, 0, 30), "0, 0 ±23");
    // Along the road the address knows better, across it the coordinates.
    check(&east, &reported(30, 30, 30), "5, 29 ±23");
    check(&found(Some((0, -9)), 10, 100), &reported(30, 30, 30), "29, 5 ±23");
    check(&found(Some((5, 5)), 10, 100), &reported(30, 30, 30), "5, 5 ±23");
    check(&found(None, 40, 40), &reported(30, 30, 30), "23, 23 ±27");
}

#[test]
fn what_contradicts_the_address_stands() {
    let east = found(Some((700, 0)), 10, 100);
    check(&east, &reported(0, 400, 30), "0, 383 ±23");
    check(&east, &reported(0, 420, 30), "the coordinates stand");
    check(&east, &reported(100, 0, 30), "the coordinates stand");
}

#[test]
fn an_address_alone_is_as_sure_as_both_ways_together() {
    let (located, by) = found(Some((700, 0)), 30, 40).alone();
    assert_eq!((located.u_mm, by.u_mm, by.reported), (50_000, 50_000, None));
    assert_eq!((located.position, located.quality), (at(0, 0), Quality::Door));
}

proptest! {
    /// The fused place lies between the two, never farther from the coordinates than 4 of both sigmas, and is surer than each.
    #[test]
    fn nothing_moves_far(
        (x, y) in (-600_i64..600, -600_i64..600),
        u in 1_i64..400,
        (way_x, way_y) in (-900_i64..900, -900_i64..900),
        (along, across) in (1_i64..200, 1_i64..200),
    ) {
        let found = found(Some((way_x, way_y)), along, across);
        let reported = reported(x, y, u);
        if let Some((located, _)) = found.with(&reported) {
            let (is, was) = (origin().project(located.position), origin().project(reported.position));
            let moved = is.distance_mm(was);
            let to_address = was.distance_mm(Point::default());
            prop_assert!(moved <= to_address + 5);
            // 16 ≥ Σ off²/(u² + own²), and each way moves by off·own²/(u² + own²) ≤ 4·own.
            prop_assert!(moved <= 4 * reported.u_mm + 5, "{moved}");
            prop_assert!(located.u_mm <= reported.u_mm + 1);
            prop_assert!(located.u_mm <= found.u_mm() + 1 || located.u_mm == 1_000);
        }
    }
}
