//! How many times ground is covered: gaps, overlaps and differences of borders, with their areas and outlines.
//!
//! Borders that two cells share vertex by vertex cancel exactly, so a seamless grid costs one pass over its edges. What is
//! left is swept from south to north in slabs between vertices; areas are good to some millionths, outlines to a tenth of a
//! millimetre.

mod columns;
mod outline;
mod regions;
mod sweep;

use city_model::{Plane, Position};
use rustc_hash::FxHashMap;

use crate::ground::Part;
use crate::ring::{Ring, edges, self_crossing, twice_area};
use sweep::Rule;

/// Borders collected with a weight: ground to the left of an outer ring counts once.
#[derive(Debug, Default)]
pub(crate) struct Borders {
    /// Net weight of each edge from its lesser to its greater end.
    net: FxHashMap<(Position, Position), i32>,
}

/// An edge that did not cancel, from its southern to its northern end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Strand {
    low: Position,
    high: Position,
    /// How much the cover changes from west to east of it.
    step: i32,
}

/// A connected piece of ground that is covered otherwise than it should be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Region {
    /// How many times it is covered.
    pub(crate) cover: i32,
    pub(crate) area_m2: f64,
    /// A point well inside.
    pub(crate) sample: Position,
    /// Points inside, in many parts of it.
    pub(crate) samples: Vec<Position>,
    /// Its ground: outer rings counter-clockwise, holes clockwise.
    pub(crate) polygons: Vec<Vec<Ring>>,
}

impl Borders {
    /// Adds the ground of a part, `weight` times.
    pub(crate) fn add(&mut self, part: Part<'_>, weight: i32) {
        let mut rings = part.rings();
        if let (Some(ring), None) = (rings.next(), rings.next()) {
            return self.add_alone(ring, weight);
        }
        // holes that are no holes have their ground by the even-odd rule
        for ring in even_odd(part.rings()).iter().flatten() {
            self.add_ring(ring, weight);
        }
    }

    /// Adds the ground of a single ring, which may cross itself.
    pub(crate) fn add_alone(&mut self, ring: &[Position], weight: i32) {
        if self_crossing(ring).is_some() {
            for ring in even_odd(std::iter::once(ring)).iter().flatten() {
                self.add_ring(ring, weight);
            }
        } else {
            let left = if twice_area(ring) > 0 { weight } else { -weight };
            self.add_ring(ring, left);
        }
    }

    /// Adds a ring that does not cross itself: the ground on its left `weight` times.
    fn add_ring(&mut self, ring: &[Position], weight: i32) {
        for (a, b) in edges(ring) {
            let (key, sign) = if a <= b {
                ((a, b), weight)
            } else {
                ((b, a), -weight)
            };
            *self.net.entry(key).or_insert(0) += sign;
        }
    }

    /// The pieces of more than `area_min_m2` that are not covered exactly `normal` times. With `normal` 1 the outside is
    /// normal too.
    pub(crate) fn regions(self, normal: i32, area_min_m2: f64) -> Vec<Region> {
        let strands = self.strands();
        columns::sweep(Rule::Not(normal), &strands, area_min_m2)
    }
}

impl Borders {
    /// What did not cancel, sorted.
    fn strands(self) -> Vec<Strand> {
        let mut strands = Vec::new();
        // the map's order does not show: strands are sorted below
        for ((a, b), net) in self.net {
            if net != 0 {
                // an edge towards the north has its ground to the west, so cover falls by one across it
                let step = if a.lat_e9 < b.lat_e9 { -net } else { net };
                strands.extend(Strand::new(a, b, step));
            }
        }
        strands.sort_unstable();
        strands
    }
}

/// The ground of rings by the even-odd rule, as polygons whose rings do not cross. Edges that nothing crosses stay as they
/// are, so that they still cancel against a neighbour's.
pub(crate) fn even_odd<'a>(rings: impl Iterator<Item = &'a [Position]>) -> Vec<Vec<Ring>> {
    let edges = rings.flat_map(edges);
    let mut strands: Vec<Strand> = edges.filter_map(|(a, b)| Strand::new(a, b, 1)).collect();
    strands.sort_unstable();
    let regions = columns::sweep(Rule::EvenOdd, &strands, 0.0);
    regions.into_iter().flat_map(|region| region.polygons).collect()
}

/// The ground of a part by the even-odd rule, as polygons whose rings do not cross: empty where nothing is left.
pub(crate) fn outlines(part: Part<'_>) -> Vec<Vec<Ring>> {
    let mut rings = part.rings();
    match (rings.next(), rings.next()) {
        (Some(ring), None) if self_crossing(ring).is_none() => vec![vec![left_of(ring)]],
        // holes that are no holes, too, have their ground by the even-odd rule
        _ => even_odd(part.rings()),
    }
}

/// Twice the area of a part in square nano-degrees, by the even-odd rule.
pub(crate) fn twice_ground(part: Part<'_>) -> i128 {
    let polygons = outlines(part);
    polygons.iter().flatten().map(|ring| twice_area(ring)).sum()
}

/// A ring that does not cross itself, run so that its ground is on the left.
fn left_of(ring: &[Position]) -> Ring {
    let mut ring = ring.to_vec();
    if twice_area(&ring) < 0 {
        ring.reverse();
    }
    ring
}

/// The length of rings, in metres.
pub(crate) fn perimeter_m<'a>(rings: impl Iterator<Item = &'a [Position]>) -> f64 {
    const STEP_E9: i64 = 10_000_000; // 0.01°: a million whole millimetres
    let mut scale = None;
    let mut sum = 0.0;
    for (a, b) in rings.flat_map(edges) {
        let (wide, high) = *scale.get_or_insert_with(|| {
            let far = Position {
                lon_e9: a.lon_e9 + STEP_E9,
                lat_e9: a.lat_e9 + STEP_E9,
            };
            let far = Plane::at(a).project(far);
            let metres = |mm: i64| mm as f64 / 1000.0 / STEP_E9 as f64;
            (metres(far.x), metres(far.y))
        });
        let (x, y) = (
            (b.lon_e9 - a.lon_e9) as f64 * wide,
            (b.lat_e9 - a.lat_e9) as f64 * high,
        );
        sum += libm::sqrt(x * x + y * y);
    }
    sum
}

impl Region {
    /// Its mean width: twice the area over the length of its border, in metres.
    pub(crate) fn width_m(&self) -> f64 {
        2.0 * self.area_m2 / perimeter_m(self.polygons.iter().flatten().map(Vec::as_slice))
    }
}

impl Strand {
    /// `None` for an edge along a parallel, which separates nothing within a slab.
    fn new(a: Position, b: Position, step: i32) -> Option<Strand> {
        let (low, high) = if a.lat_e9 <= b.lat_e9 { (a, b) } else { (b, a) };
        (low.lat_e9 != high.lat_e9).then_some(Strand { low, high, step })
    }

    fn lon_at(&self, lat: f64) -> f64 {
        let up = (lat - self.low.lat_e9 as f64) / (self.high.lat_e9 - self.low.lat_e9) as f64;
        self.low.lon_e9 as f64 + up * (self.high.lon_e9 - self.low.lon_e9) as f64
    }

    /// Where it crosses a meridian that lies between its ends.
    fn at_lon(&self, lon_e9: i64) -> Position {
        let wide = |from: i64, to: i64| (to - from) as f64;
        let (a, b) = (self.low, self.high);
        let up = wide(a.lon_e9, lon_e9) / wide(a.lon_e9, b.lon_e9) * wide(a.lat_e9, b.lat_e9);
        Position {
            lon_e9,
            lat_e9: a.lat_e9 + libm::round(up) as i64,
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
mod tests;
