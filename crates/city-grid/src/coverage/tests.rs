//! Squares and triangles laid over each other.

use super::*;
use crate::ground::Ground;
use crate::ground::tests::ground;
use crate::ring::Ring;

fn ring(points: &[(i64, i64)]) -> Ring {
    points
        .iter()
        .map(|&(x, y)| Position {
            lon_e9: x * 1_000_000,
            lat_e9: y * 1_000_000,
        })
        .collect()
}

fn square(west: i64, south: i64, east: i64, north: i64) -> Ground {
    let points = [(west, south), (east, south), (east, north), (west, north)];
    ground(vec![ring(&points)])
}

/// Sides of 0.001° at the equator are 111.319 m by 110.574 m.
const UNIT_M2: f64 = 111.319 * 110.574;

fn check(parts: &[(Ground, i32)], normal: i32, want: &[(i32, f64)]) {
    let mut borders = Borders::default();
    for (part, weight) in parts {
        borders.add(part.part(0), *weight);
    }
    let mut got: Vec<(i32, f64)> = borders
        .regions(normal, 1.0)
        .into_iter()
        .map(|region| (region.cover, region.area_m2 / UNIT_M2))
        .collect();
    got.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    assert_eq!(got.len(), want.len(), "{got:?}");
    for (got, want) in got.iter().zip(want) {
        assert_eq!(got.0, want.0);
        assert!((got.1 - want.1).abs() < 0.001 * want.1, "{got:?} {want:?}");
    }
}

#[test]
fn seams_cancel_with_and_without_shared_vertices() {
    let left = square(0, 0, 10, 10);
    check(&[(left.clone(), 1), (square(10, 0, 20, 10), 1)], 1, &[]);
    let halves = [(square(10, 0, 20, 5), 1), (square(10, 5, 20, 10), 1)];
    check(&[(left, 1), halves[0].clone(), halves[1].clone()], 1, &[]);
}

#[test]
fn overlaps_are_measured_apart() {
    let parts = [
        (square(0, 0, 10, 10), 1),
        (square(9, 0, 20, 2), 1),
        (square(9, 4, 20, 9), 1),
    ];
    check(&parts, 1, &[(2, 2.0), (2, 5.0)]);
}

#[test]
fn only_enclosed_ground_is_a_gap() {
    let frame = [
        (square(0, 0, 10, 2), 1),
        (square(0, 8, 10, 10), 1),
        (square(0, 2, 2, 8), 1),
    ];
    check(&frame, 1, &[]); // open to the east
    let mut closed = frame.to_vec();
    closed.push((square(8, 2, 10, 8), 1));
    check(&closed, 1, &[(0, 36.0)]);
    let mut holed = ring(&[(2, 2), (8, 2), (8, 8), (2, 8)]);
    holed.reverse();
    let part = ground(vec![ring(&[(0, 0), (10, 0), (10, 10), (0, 10)]), holed]);
    check(&[(part, 1)], 1, &[(0, 36.0)]);
}

#[test]
fn slanted_borders_that_cross_are_measured() {
    let up = ground(vec![ring(&[(0, 0), (10, 0), (10, 10)])]);
    let down = ground(vec![ring(&[(0, 0), (10, 0), (0, 10)])]);
    check(&[(up, 1), (down, 1)], 1, &[(2, 25.0)]);
}

#[test]
fn differences_have_a_sign() {
    let parts = [(square(0, 0, 10, 10), 1), (square(1, 0, 11, 10), -1)];
    check(&parts, 0, &[(-1, 10.0), (1, 10.0)]);
}

#[test]
fn a_crossing_ring_counts_by_the_even_odd_rule() {
    let eight = ground(vec![ring(&[(0, 0), (10, 10), (10, 0), (0, 10)])]);
    check(&[(eight.clone(), 1)], 0, &[(1, 25.0), (1, 25.0)]);
    check(&[(eight, 1), (square(6, 4, 8, 6), 1)], 1, &[(2, 4.0)]);
}

fn outline_m2(region: &Region) -> f64 {
    let rings = region.polygons.iter().flatten();
    let twice: i128 = rings.map(|ring| twice_area(ring)).sum();
    twice as f64 / 2.0 * square_metres_at(region.sample.lat_e9 as f64)
}

proptest::proptest! {
    #[test]
    fn columns_change_nothing_and_outlines_enclose_what_was_measured(
        corners in proptest::collection::vec((0i64..40, 0i64..40), 9..36),
        normal in 0i32..2,
        wanted in 2usize..9,
    ) {
        let mut strands = Vec::new();
        for triangle in corners.chunks_exact(3) {
            let mut borders = Borders::default();
            let corners = ring(triangle);
            if twice_area(&corners) != 0 {
                borders.add_alone(&corners, 1);
            }
            strands.extend(borders.strands());
        }
        strands.sort_unstable();
        let least = 10.0;
        let one = columns::sweep_columns(Rule::Not(normal), &strands, least, 1);
        let many = columns::sweep_columns(Rule::Not(normal), &strands, least, wanted);
        let close = |x: f64, y: f64| (x - y).abs() < 2.0 * least + 1e-5 * x.abs();
        for region in one.iter().chain(&many) {
            let outline_m2 = outline_m2(region);
            let apart = (region.area_m2 - outline_m2).abs();
            proptest::prop_assert!(apart < 1.0 + 1e-5 * outline_m2, "{:?} {}", region, outline_m2);
        }
        // Pieces that meet in a point may be one region or two; and what is enclosed but for a point may be a gap, or open.
        for cover in normal..13 {
            let sum = |regions: &[Region]| -> f64 {
                let alike = regions.iter().filter(|region| region.cover == cover);
                alike.map(|region| region.area_m2).sum()
            };
            proptest::prop_assert!(close(sum(&one), sum(&many)), "cover {}: {:?} {:?}", cover, &one, &many);
        }
    }
}

#[test]
fn an_outline_has_its_holes_and_corners_that_touch_come_apart() {
    let outlines = |parts: &[(Ground, i32)], normal: i32| -> Vec<Vec<Vec<Ring>>> {
        let mut borders = Borders::default();
        parts
            .iter()
            .for_each(|(part, weight)| borders.add(part.part(0), *weight));
        let regions = borders.regions(normal, 1.0);
        regions.into_iter().map(|region| region.polygons).collect()
    };
    // what one square has and a smaller one inside it has not
    let told = outlines(&[(square(0, 0, 9, 9), 1), (square(3, 3, 6, 6), -1)], 0);
    let mut hole = ring(&[(3, 3), (6, 3), (6, 6), (3, 6)]);
    hole.reverse();
    let turned = |ring: &Ring| {
        let mut ring = ring.clone();
        let least = ring
            .iter()
            .enumerate()
            .min_by_key(|(_, p)| **p)
            .map_or(0, |(at, _)| at);
        ring.rotate_left(least);
        ring
    };
    let [polygons] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(polygons.len(), 1);
    assert_eq!(turned(&polygons[0][0]), ring(&[(0, 0), (9, 0), (9, 9), (0, 9)]));
    assert_eq!(turned(&polygons[0][1]), turned(&hole));
    // two squares that touch in a point are two regions
    let told = outlines(&[(square(0, 0, 3, 3), 1), (square(3, 3, 6, 6), 1)], 0);
    assert_eq!(told.len(), 2, "{told:?}");
    // a hole that touches the border in a point stays a hole
    let diamond = ground(vec![ring(&[(0, 4), (2, 2), (4, 4), (2, 6)])]);
    let told = outlines(&[(square(0, 0, 9, 9), 1), (diamond, -1)], 0);
    assert_eq!(told.len(), 1);
    assert_eq!(
        told[0][0].iter().map(Vec::len).collect::<Vec<_>>(),
        [5, 4],
        "{told:?}"
    );
}
