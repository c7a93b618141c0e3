//! The ground of one cell: exact membership by the even-odd rule, and distance to its border.

use city_model::{Plane, Point, Position};

use crate::ring::{Ring, cross, edges, twice_area};

/// Where a point is, with respect to a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Inside,
    Border,
    Outside,
}

/// A polygon: an outer ring and holes, read by the even-odd rule, which also gives bad rings a meaning.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) rings: Vec<Ring>,
    pub(crate) south_west: Position,
    pub(crate) north_east: Position,
    bands: Bands,
}

/// The edges by horizontal band, so that a point looks at a handful of edges however long the border is.
#[derive(Debug, Clone)]
struct Bands {
    height: i64,
    /// Band `k` holds `edges[first[k]..first[k + 1]]`.
    first: Vec<u32>,
    /// Each from its southern to its northern end.
    edges: Vec<(Position, Position)>,
}

/// Measured on the built-in grid: anything from 2 to 16 locates equally fast.
const EDGES_PER_BAND: usize = 4;
const BANDS_MAX: usize = 4096;

impl Part {
    /// `None` when there is no ring, or no point in the first one.
    pub(crate) fn new(rings: Vec<Ring>) -> Option<Part> {
        let points = || rings.iter().flatten();
        let south_west = Position {
            lon_e9: points().map(|p| p.lon_e9).min()?,
            lat_e9: points().map(|p| p.lat_e9).min()?,
        };
        let north_east = Position {
            lon_e9: points().map(|p| p.lon_e9).max()?,
            lat_e9: points().map(|p| p.lat_e9).max()?,
        };
        let bands = Bands::new(&rings, south_west.lat_e9, north_east.lat_e9);
        Some(Part {
            rings,
            south_west,
            north_east,
            bands,
        })
    }

    pub(crate) fn side(&self, p: Position) -> Side {
        if p.lat_e9 < self.south_west.lat_e9 || p.lat_e9 > self.north_east.lat_e9 {
            return Side::Outside;
        }
        let mut inside = false;
        for &(low, high) in self.bands.around(p.lat_e9 - self.south_west.lat_e9) {
            if p.lat_e9 < low.lat_e9 || p.lat_e9 > high.lat_e9 {
                continue;
            }
            let left_of = cross(low, high, p);
            if left_of == 0 {
                let (a, b) = (low.lon_e9, high.lon_e9);
                if low.lat_e9 != high.lat_e9 || (a.min(b) <= p.lon_e9 && p.lon_e9 <= a.max(b)) {
                    return Side::Border;
                }
            }
            // half-open in latitude, so that a vertex on the ray counts once
            if left_of > 0 && p.lat_e9 < high.lat_e9 {
                inside = !inside;
            }
        }
        if inside { Side::Inside } else { Side::Outside }
    }

    /// Twice the area in square nano-degrees: the outer ring less its holes.
    pub(crate) fn twice_area(&self) -> i128 {
        let area = |ring: &Ring| twice_area(ring).abs();
        let mut areas = self.rings.iter().map(area);
        areas.next().unwrap_or(0) - areas.sum::<i128>()
    }

    /// A point inside, as far from the border as a few tries find; `None` when the part has no inside.
    pub(crate) fn inner_point(&self) -> Option<(Position, i64)> {
        let span = self.north_east.lat_e9 - self.south_west.lat_e9;
        [32, 24, 40, 16, 48, 8, 56, 28, 36, 20, 44]
            .into_iter()
            .filter_map(|at| self.widest_at(self.south_west.lat_e9 + span * at / 64))
            .max_by_key(|&(p, width)| (width, p))
    }

    /// The middle of the widest stretch of the part along a parallel.
    fn widest_at(&self, lat_e9: i64) -> Option<(Position, i64)> {
        let mut crossings: Vec<i64> = self
            .bands
            .around(lat_e9 - self.south_west.lat_e9)
            .iter()
            .filter(|(low, high)| low.lat_e9 <= lat_e9 && lat_e9 < high.lat_e9)
            .map(|(low, high)| {
                let up = i128::from(lat_e9 - low.lat_e9) * i128::from(high.lon_e9 - low.lon_e9);
                low.lon_e9 + (up / i128::from(high.lat_e9 - low.lat_e9)) as i64
            })
            .collect();
        crossings.sort_unstable();
        crossings
            .chunks_exact(2)
            .map(|pair| {
                let lon_e9 = pair[0] + (pair[1] - pair[0]) / 2;
                (Position { lon_e9, lat_e9 }, pair[1] - pair[0])
            })
            .filter(|&(p, _)| self.side(p) == Side::Inside)
            .max_by_key(|&(p, width)| (width, p))
    }

    /// The distance from the plane's origin to the border, in millimetres, as far as it is less than `reach` nano-degrees
    /// of latitude; otherwise anything beyond that.
    pub(crate) fn border_within_mm(&self, plane: &Plane, reach: i64) -> u64 {
        let from_south = plane.origin().lat_e9 - self.south_west.lat_e9;
        let mut nearest = f64::INFINITY;
        for &(low, high) in self.bands.between(from_south - reach, from_south + reach) {
            let squared = squared_distance(plane.project(low), plane.project(high));
            nearest = nearest.min(squared);
        }
        libm::floor(libm::sqrt(nearest)) as u64
    }

    /// The distance from the plane's origin to the border, in millimetres.
    pub(crate) fn border_mm(&self, plane: &Plane) -> u64 {
        let mut nearest = f64::INFINITY;
        for ring in &self.rings {
            let mut from = ring.last().map(|&p| plane.project(p)).unwrap_or_default();
            for &p in ring {
                let to = plane.project(p);
                nearest = nearest.min(squared_distance(from, to));
                from = to;
            }
        }
        libm::floor(libm::sqrt(nearest)) as u64
    }
}

impl Bands {
    fn new(rings: &[Ring], south: i64, north: i64) -> Bands {
        let upward: Vec<(Position, Position)> = rings
            .iter()
            .flat_map(|ring| edges(ring))
            .map(|(a, b)| if a.lat_e9 <= b.lat_e9 { (a, b) } else { (b, a) })
            .collect();
        let count = (upward.len() / EDGES_PER_BAND).clamp(1, BANDS_MAX);
        let height = (north - south) / count as i64 + 1;
        let band_of = |lat_e9: i64| ((lat_e9 - south) / height) as usize;
        let mut first = vec![0u32; count + 1];
        for (low, high) in &upward {
            for size in &mut first[band_of(low.lat_e9) + 1..=band_of(high.lat_e9) + 1] {
                *size += 1;
            }
        }
        for band in 1..first.len() {
            first[band] += first[band - 1];
        }
        let Some(&blank) = upward.first() else {
            return Bands {
                height,
                first,
                edges: Vec::new(),
            };
        };
        let mut next = first.clone();
        let mut edges = vec![blank; first[count] as usize];
        for &(low, high) in &upward {
            for slot in &mut next[band_of(low.lat_e9)..=band_of(high.lat_e9)] {
                edges[*slot as usize] = (low, high);
                *slot += 1;
            }
        }
        Bands { height, first, edges }
    }

    /// The edges that may touch the ground between two heights above the southern end.
    fn between(&self, south: i64, north: i64) -> &[(Position, Position)] {
        let bands = self.first.len() - 1;
        let band_of = |height: i64| (height.max(0) / self.height) as usize;
        let (first, end) = (band_of(south), band_of(north) + 1);
        let at = |band: usize| self.first[band.min(bands)] as usize;
        &self.edges[at(first)..at(end)]
    }

    /// The edges that may touch the parallel `above_south` nano-degrees above the southern end.
    fn around(&self, above_south: i64) -> &[(Position, Position)] {
        let band = (above_south / self.height) as usize;
        match self.first.get(band..band + 2) {
            Some(range) => &self.edges[range[0] as usize..range[1] as usize],
            None => &[],
        }
    }
}

/// The squared distance from the plane's origin to a segment, in mm². Numbers stay below 2^53 within 90,000 km, so all
/// machines agree.
fn squared_distance(a: Point, b: Point) -> f64 {
    let (ax, ay) = (a.x as f64, a.y as f64);
    let (dx, dy) = ((b.x - a.x) as f64, (b.y - a.y) as f64);
    let length = dx * dx + dy * dy;
    let along = if length > 0.0 {
        (-(ax * dx + ay * dy) / length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let (x, y) = (ax + along * dx, ay + along * dy);
    x * x + y * y
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lon_e9: i64, lat_e9: i64) -> Position {
        Position { lon_e9, lat_e9 }
    }

    fn square(from: i64, to: i64) -> Ring {
        vec![at(from, from), at(to, from), at(to, to), at(from, to)]
    }

    #[test]
    fn inside_border_and_outside_are_exact() {
        let part = Part::new(vec![square(0, 100), square(40, 60)]).unwrap();
        let cases = [
            (at(10, 10), Side::Inside),
            (at(50, 50), Side::Outside), // in the hole
            (at(40, 50), Side::Border),  // on the hole
            (at(50, 60), Side::Border),
            (at(0, 0), Side::Border),
            (at(100, 100), Side::Border),
            (at(50, 100), Side::Border),
            (at(-1, 0), Side::Outside),
            (at(101, 0), Side::Outside),
            (at(99, 99), Side::Inside),
            (at(20, 60), Side::Inside), // level with a horizontal edge
        ];
        for (p, want) in cases {
            assert_eq!(part.side(p), want, "{p:?}");
        }
        assert_eq!(part.twice_area(), 2 * (100 * 100 - 20 * 20));
    }

    #[test]
    fn even_odd_reads_a_figure_of_eight() {
        let eight = vec![at(0, 0), at(100, 100), at(100, 0), at(0, 100)];
        let part = Part::new(vec![eight]).unwrap();
        assert_eq!(part.side(at(10, 50)), Side::Inside);
        assert_eq!(part.side(at(90, 50)), Side::Inside);
        assert_eq!(part.side(at(50, 10)), Side::Outside);
        assert_eq!(part.side(at(50, 50)), Side::Border);
    }

    #[test]
    fn an_inner_point_is_inside_a_ring_shaped_part() {
        let part = Part::new(vec![square(0, 1000), square(100, 900)]).unwrap();
        let (p, _) = part.inner_point().unwrap();
        assert_eq!(part.side(p), Side::Inside);
        let line = Part::new(vec![vec![at(0, 0), at(5, 0), at(9, 0)]]).unwrap();
        assert_eq!(line.inner_point(), None);
    }

    #[test]
    fn border_distance_is_in_millimetres() {
        let lon = |metres: f64| (121.0e9 + metres / 95_480.0 * 1e9) as i64;
        let ring = vec![
            at(lon(0.0), 30_990_000_000),
            at(lon(200.0), 30_990_000_000),
            at(lon(200.0), 31_090_000_000),
            at(lon(0.0), 31_090_000_000),
        ];
        let part = Part::new(vec![ring]).unwrap();
        let plane = Plane::at(at(lon(30.0), 31_040_000_000));
        let mm = part.border_mm(&plane);
        assert!((29_950..30_050).contains(&mm), "{mm}");
    }
}
