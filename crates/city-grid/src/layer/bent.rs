//! Edges that are straight in their file's coordinate system are not in WGS-84: over some kilometres they bend away by
//! metres. Points are put on them until none does by more than half a millimetre.
//!
//! What is put on an edge follows from its two ends alone, whichever comes first, so cells that share an edge share its points.

use city_model::Position;

use crate::crs::{Crs, Systems};
use crate::ring::{Ring, cross, edges};

/// How far an edge may lie beside its true course, in nano-degrees: half a millimetre.
const APART_MAX: f64 = 5.0;
/// No edge of a metre or ten bends by as much: the most curved system, BD-09, needs 20 m for half a millimetre.
const SHORT: i64 = 100_000;
/// Longer ones are cut in any case, in nano-degrees: the waves of the offsets are 13 km long, and an edge may cross its own
/// course in its middle.
const LONG: i64 = 10_000_000;
/// An edge across a continent gets no more than so many times two pieces.
const HALVINGS_MAX: u32 = 14;

/// The ring with points on the edges that bend.
pub(super) fn bent(ring: Ring, systems: &Systems, crs: Crs) -> Ring {
    if matches!(crs, Crs::Wgs84 | Crs::Cgcs2000) {
        return ring;
    }
    let mut points = Ring::with_capacity(ring.len());
    for (a, b) in edges(&ring) {
        points.push(a);
        let told = |p: Position| systems.from_wgs84(crs, p.lon(), p.lat());
        if length(a, b) > SHORT {
            let course = Course { systems, crs };
            course.follow((a, told(a)), (b, told(b)), HALVINGS_MAX, &mut points);
        }
    }
    points
}

/// The larger difference of two coordinates.
fn length(a: Position, b: Position) -> i64 {
    (b.lon_e9 - a.lon_e9).abs().max((b.lat_e9 - a.lat_e9).abs())
}

struct Course<'a> {
    systems: &'a Systems,
    crs: Crs,
}

/// A place in WGS-84 and in the file's system.
type Told = (Position, (f64, f64));

impl Course<'_> {
    /// Adds the points between two ends, without these.
    fn follow(&self, a: Told, b: Told, halvings: u32, points: &mut Ring) {
        let (x, y) = ((a.1.0 + b.1.0) / 2.0, (a.1.1 + b.1.1) / 2.0);
        let place = self.systems.to_wgs84(self.crs, x, y);
        let Some(middle) = place.and_then(|(lon, lat)| Position::from_degrees(lon, lat)) else {
            return;
        };
        let is_straight = length(a.0, b.0) <= LONG && apart(a.0, b.0, middle) <= APART_MAX;
        if is_straight || halvings == 0 || middle == a.0 || middle == b.0 {
            return;
        }
        let middle = (middle, (x, y));
        self.follow(a, middle, halvings - 1, points);
        points.push(middle.0);
        self.follow(middle, b, halvings - 1, points);
    }
}

/// How far a point lies beside the line between two others, in nano-degrees.
fn apart(a: Position, b: Position, p: Position) -> f64 {
    let (x, y) = ((b.lon_e9 - a.lon_e9) as f64, (b.lat_e9 - a.lat_e9) as f64);
    cross(a, b, p).abs() as f64 / libm::sqrt(x * x + y * y).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The corners of a cell of some kilometres, straight in `crs`.
    fn corners(crs: Crs) -> [(f64, f64); 4] {
        let systems = Systems::default();
        let (x, y) = systems.from_wgs84(crs, 121.2, 31.02);
        let side = if crs == Crs::Sh2000 { 9_000.0 } else { 0.09 };
        [
            (x, y),
            (x + side, y + side / 7.0),
            (x + side, y + side),
            (x, y + side),
        ]
    }

    fn ring(crs: Crs, corners: &[(f64, f64)]) -> Ring {
        let place = |&(x, y): &(f64, f64)| Systems::default().to_wgs84(crs, x, y);
        let places = corners.iter().filter_map(place);
        places
            .filter_map(|(lon, lat)| Position::from_degrees(lon, lat))
            .collect()
    }

    #[test]
    fn points_along_a_straight_edge_lie_on_it_in_every_system() {
        let systems = Systems::default();
        for crs in Crs::ALL {
            let corners = corners(crs);
            let bent = bent(ring(crs, &corners), &systems, crs);
            assert!(bent.len() < 5_000, "{crs}: {}", bent.len());
            let mut worst = 0.0f64;
            for (from, to) in corners.iter().zip(corners.iter().cycle().skip(1)) {
                for step in 0..200 {
                    let share = (f64::from(step) + 0.37) / 200.0;
                    let (x, y) = (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share);
                    let (lon, lat) = systems.to_wgs84(crs, x, y).unwrap();
                    let p = Position::from_degrees(lon, lat).unwrap();
                    let beside = |(a, b): (Position, Position)| {
                        let is_along = length(a, p) <= length(a, b) && length(b, p) <= length(a, b);
                        is_along.then(|| apart(a, b, p))
                    };
                    worst = worst.max(edges(&bent).filter_map(beside).fold(f64::INFINITY, f64::min));
                }
            }
            // a point is rounded to a nano-degree, and so is each of the edge's ends
            assert!(worst <= APART_MAX + 2.0, "{crs}: {worst} nano-degrees");
        }
    }

    #[test]
    fn neighbours_share_the_points_of_a_shared_edge() {
        let systems = Systems::default();
        for crs in [Crs::Gcj02, Crs::Bd09, Crs::Sh2000] {
            let there = ring(crs, &corners(crs));
            let mut back = there.clone();
            back.reverse();
            let mut turned = bent(back, &systems, crs);
            turned.reverse();
            turned.rotate_right(1); // it began at the other's last point
            let straight = bent(there, &systems, crs);
            assert!(straight.len() > 40, "{crs}");
            let at = turned.iter().position(|p| *p == straight[0]).unwrap();
            turned.rotate_left(at);
            assert_eq!(straight, turned, "{crs}");
        }
    }

    #[test]
    fn degrees_and_short_edges_stay_as_they_are() {
        let square = ring(Crs::Wgs84, &corners(Crs::Wgs84));
        assert_eq!(bent(square.clone(), &Systems::default(), Crs::Cgcs2000), square);
        let small: Ring = square
            .iter()
            .map(|p| Position {
                lon_e9: square[0].lon_e9 + (p.lon_e9 - square[0].lon_e9) / 1_000,
                lat_e9: square[0].lat_e9 + (p.lat_e9 - square[0].lat_e9) / 1_000,
            })
            .collect();
        assert_eq!(bent(small.clone(), &Systems::default(), Crs::Bd09), small);
    }
}
