//! How many times ground is covered: gaps, overlaps and differences of borders, with their areas.
//!
//! Borders that two cells share vertex by vertex cancel exactly, so a seamless grid costs one pass over its edges. What is
//! left is swept from south to north in slabs between vertices; areas are good to some millionths, places to the
//! middle of the widest slab.

mod sweep;

use city_model::{Plane, Position};
use rustc_hash::FxHashMap;

use crate::ground::Part;
use crate::ring::{edges, self_crossing, twice_area};
use sweep::Sweep;

/// Borders collected with a weight: ground to the left of an outer ring counts once.
#[derive(Debug, Default)]
pub(crate) struct Borders {
    /// Net weight of each edge from its lesser to its greater end.
    sound: FxHashMap<(Position, Position), i32>,
    /// Edges of polygons with crossing rings, by polygon: they count by the even-odd rule.
    crossing: Vec<Strand>,
    polygons_crossing: u32,
}

/// An edge that did not cancel, from its southern to its northern end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Strand {
    low: Position,
    high: Position,
    /// How much the cover changes from west to east of it; for a crossing polygon, its weight.
    step: i32,
    /// 0, or the number of a polygon that counts by the even-odd rule.
    crossing: u32,
}

/// A connected piece of ground that is covered otherwise than it should be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Region {
    /// How many times it is covered.
    pub(crate) cover: i32,
    pub(crate) area_m2: f64,
    /// A point well inside.
    pub(crate) sample: Position,
}

impl Borders {
    /// Adds the ground of a part, `weight` times.
    pub(crate) fn add(&mut self, part: Part<'_>, weight: i32) {
        if part.rings().any(|ring| self_crossing(ring).is_some()) {
            self.polygons_crossing += 1;
            for (a, b) in part.edges() {
                self.crossing
                    .extend(Strand::new(a, b, weight, self.polygons_crossing));
            }
            return;
        }
        for (number, ring) in part.rings().enumerate() {
            let outer_sign = if number == 0 { 1 } else { -1 };
            let sign = if twice_area(ring) > 0 {
                outer_sign
            } else {
                -outer_sign
            };
            for (a, b) in edges(ring) {
                let (key, sign) = if a <= b { ((a, b), sign) } else { ((b, a), -sign) };
                *self.sound.entry(key).or_insert(0) += sign * weight;
            }
        }
    }

    /// The pieces that are not covered exactly `normal` times. With `normal` 1 the outside is normal too.
    pub(crate) fn regions(self, normal: i32) -> Vec<Region> {
        let mut strands = self.crossing;
        // the map's order does not show: strands are sorted below
        for ((a, b), net) in self.sound {
            if net != 0 {
                // an edge towards the north has its ground to the west, so cover falls by one across it
                let step = if a.lat_e9 < b.lat_e9 { -net } else { net };
                strands.extend(Strand::new(a, b, step, 0));
            }
        }
        strands.sort_unstable();
        Sweep::new(normal).run(&strands)
    }
}

impl Strand {
    /// `None` for an edge along a parallel, which separates nothing within a slab.
    fn new(a: Position, b: Position, step: i32, crossing: u32) -> Option<Strand> {
        let (low, high) = if a.lat_e9 <= b.lat_e9 { (a, b) } else { (b, a) };
        (low.lat_e9 != high.lat_e9).then_some(Strand {
            low,
            high,
            step,
            crossing,
        })
    }

    fn lon_at(&self, lat: f64) -> f64 {
        let up = (lat - self.low.lat_e9 as f64) / (self.high.lat_e9 - self.low.lat_e9) as f64;
        self.low.lon_e9 as f64 + up * (self.high.lon_e9 - self.low.lon_e9) as f64
    }
}

impl Strand {
    /// How the cover changes from west to east of this edge.
    fn cross(&self, odd: &mut Vec<u32>) -> i32 {
        if self.crossing == 0 {
            return self.step;
        }
        match odd.iter().position(|&polygon| polygon == self.crossing) {
            Some(at) => {
                odd.swap_remove(at);
                -self.step
            }
            None => {
                odd.push(self.crossing);
                self.step
            }
        }
    }
}

/// Square metres of a square nano-degree at a latitude.
pub(crate) fn square_metres_at(lat_e9: f64) -> f64 {
    const STEP_E9: i64 = 10_000_000; // 0.01°: a million whole millimetres
    let here = Position {
        lon_e9: 0,
        lat_e9: lat_e9 as i64,
    };
    let there = Position {
        lon_e9: STEP_E9,
        lat_e9: here.lat_e9 + STEP_E9,
    };
    let step = Plane::at(here).project(there);
    let side = STEP_E9 as f64 * 1000.0;
    (step.x as f64 / side) * (step.y as f64 / side)
}

#[cfg(test)]
mod tests {
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
            .regions(normal)
            .into_iter()
            .filter(|region| region.area_m2 > 1.0)
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
}
