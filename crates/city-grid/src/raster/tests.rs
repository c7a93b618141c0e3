//! The pixels answer as the plain test over all edges does, for every kind of point that is hard.

use proptest::prelude::*;

use super::*;
use crate::ground::{Ground, Side};
use crate::ring::Ring;

fn plain(ground: &Ground, cells: usize, p: Position) -> Option<u32> {
    let holds = |cell: &usize| ground.parts(*cell).any(|part| part.side(p) != Side::Outside);
    (0..cells).find(holds).map(|cell| cell as u32)
}

fn position(lon_e9: i64, lat_e9: i64) -> Position {
    Position { lon_e9, lat_e9 }
}

/// Points on and beside vertices and edges, and on both sides of every line between pixels that they are near.
fn hard_points(raster: &Raster, ground: &Ground) -> Vec<Position> {
    let mut points = Vec::new();
    let mut around = |p: Position| {
        let (column, row) = raster.frame.pixel(p);
        let corner = raster.frame.corner(column, row);
        for d in [-1, 0, 1] {
            for e in [-1, 0, 1] {
                points.push(position(p.lon_e9 + d, p.lat_e9 + e));
            }
            points.push(position(corner.lon_e9 + 1 + d, p.lat_e9));
            points.push(position(p.lon_e9, corner.lat_e9 + 1 + d));
            points.push(position(corner.lon_e9 + 1 + d, corner.lat_e9 + 1));
        }
    };
    for pair in ground.points().windows(2) {
        around(pair[0]);
        for share in [1, 7, 13, 16, 29] {
            let on = |a: i64, b: i64| a + (b - a) / 32 * share;
            around(position(
                on(pair[0].lon_e9, pair[1].lon_e9),
                on(pair[0].lat_e9, pair[1].lat_e9),
            ));
        }
    }
    points
}

fn check(cells: Vec<Vec<Vec<Ring>>>, more: &[Position]) -> Result<(), TestCaseError> {
    let mut ground = Ground::default();
    let count = cells.len();
    cells.into_iter().for_each(|polygons| ground.push(polygons));
    let Some(raster) = Raster::draw(&ground, 0..count) else {
        prop_assert!(ground.points().is_empty());
        return Ok(());
    };
    for p in hard_points(&raster, &ground).iter().chain(more) {
        prop_assert_eq!(
            raster.at(ground.points(), *p),
            plain(&ground, count, *p),
            "{:?} in {:?}",
            p,
            ground
        );
    }
    Ok(())
}

/// Rings of few points on few coordinates: edges run through corners, along lines, into each other and back.
fn rough_ring(scale: i64) -> impl Strategy<Value = Ring> {
    let point = (-6..7i64, -6..7i64).prop_map(move |(x, y)| position(x * scale, y * scale));
    prop::collection::vec(point, 3..9).prop_map(|mut ring: Ring| {
        ring.dedup();
        ring
    })
}

fn rough_cells() -> impl Strategy<Value = Vec<Vec<Vec<Ring>>>> {
    // scales beside, on and across the sides of pixels, which are powers of two
    let scale = prop::sample::select(vec![
        1i64,
        7,
        32,
        63,
        64,
        65,
        100,
        1_000,
        1 << 14,
        1_000_003,
        1_000_000_007,
    ]);
    scale.prop_flat_map(|scale| {
        let polygon = prop::collection::vec(rough_ring(scale), 1..3);
        prop::collection::vec(prop::collection::vec(polygon, 0..3), 1..6)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn rough_ground_answers_as_the_plain_test(cells in rough_cells()) {
        check(cells, &[])?;
    }

    #[test]
    fn free_ground_answers_as_the_plain_test(
        corners in prop::collection::vec((-1_000_000i64..1_000_000, -1_000_000i64..1_000_000), 3..40),
        points in prop::collection::vec((-1_000_100i64..1_000_100, -1_000_100i64..1_000_100), 300),
    ) {
        let ring: Ring = corners.into_iter().map(|(x, y)| position(x, y)).collect();
        let points: Vec<Position> = points.into_iter().map(|(x, y)| position(x, y)).collect();
        check(vec![vec![vec![ring]]], &points)?;
    }
}

#[test]
fn a_cell_with_a_hole_and_one_in_the_hole() {
    let square = |from: i64, to: i64| -> Ring {
        vec![
            position(from, from),
            position(to, from),
            position(to, to),
            position(from, to),
        ]
    };
    let frame = vec![vec![square(0, 1_000_000), square(400_000, 600_000)]];
    check(vec![frame.clone(), vec![vec![square(400_000, 600_000)]]], &[]).unwrap();
    let twice = vec![frame[0].clone(), vec![square(450_000, 500_000)]]; // an island in the hole, as a part of its own
    check(vec![twice, vec![vec![square(0, 1_000_000)]]], &[]).unwrap();
}

#[test]
fn far_points_are_outside() {
    let mut ground = Ground::default();
    ground.push(vec![vec![vec![
        position(0, 0),
        position(1_000, 0),
        position(0, 1_000),
    ]]]);
    let raster = Raster::draw(&ground, 0..1).unwrap();
    for far in [i64::MIN, -180_000_000_000, -1, 1_001, 1 << 40, i64::MAX] {
        assert_eq!(raster.at(ground.points(), position(far, 10)), None);
        assert_eq!(raster.at(ground.points(), position(10, far)), None);
    }
    assert!(Raster::draw(&Ground::default(), 0..0).is_none());
}

#[test]
fn long_runs_of_edges_in_one_pixel_are_all_counted() {
    // a comb of 400 teeth within a few pixels, beside a large cell that makes pixels coarse
    let mut comb: Ring = vec![position(0, 0)];
    for tooth in 0..400 {
        comb.push(position(tooth * 4, 3_000));
        comb.push(position(tooth * 4 + 2, 100));
    }
    comb.push(position(2_000, 0));
    let large = vec![
        position(-3_000_000_000, -3_000_000_000),
        position(3_000_000_000, -3_000_000_000),
        position(3_000_000_000, 3_000_000_000),
    ];
    let points: Vec<Position> = (0..1_700).map(|x| position(x, 1_500)).collect();
    check(vec![vec![vec![comb]], vec![vec![large]]], &points).unwrap();
}
