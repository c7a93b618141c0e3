//! The ground of all cells of a layer in one flat store, and the exact questions about one part of it.
//!
//! Flat, because the raster names edges by their number, and because a city's borders as vectors of vectors of vectors
//! cost more in allocations than in points.

use city_model::{Plane, Point, Position};

use crate::ring::{Ring, cross, edges, twice_area};

/// Where a point is, with respect to a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Inside,
    Border,
    Outside,
}

/// Cells made of parts, parts made of rings, rings made of points.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ground {
    /// Ring by ring, each with its first point again at its end: edge `i` runs from point `i` to point `i + 1`.
    points: Vec<Position>,
    /// Where each ring ends.
    rings: Vec<u32>,
    parts: Vec<Head>,
    /// Where the parts of each cell end.
    cells: Vec<u32>,
}

#[derive(Debug, Clone)]
struct Head {
    /// Where its rings end.
    end: u32,
    south_west: Position,
    north_east: Position,
}

/// A polygon: an outer ring and holes, read by the even-odd rule, which also gives bad rings a meaning.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'a> {
    ground: &'a Ground,
    first_ring: u32,
    end_ring: u32,
    pub(crate) south_west: Position,
    pub(crate) north_east: Position,
}

/// Where to look for an inner point, in 64ths of a part's height.
const TRIES: [i64; 11] = [32, 24, 40, 16, 48, 8, 56, 28, 36, 20, 44];

/// Numbers of points, rings and parts are 32 bits wide: 4 billion points are 64 GB.
fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

impl Ground {
    /// Adds a cell. Polygons without a point are left out.
    pub(crate) fn push(&mut self, polygons: Vec<Vec<Ring>>) {
        for rings in polygons {
            let points = || rings.iter().flatten();
            let lons = || points().map(|p| p.lon_e9);
            let lats = || points().map(|p| p.lat_e9);
            let west_east = lons().min().zip(lons().max());
            let Some(((west, east), (south, north))) = west_east.zip(lats().min().zip(lats().max())) else {
                continue;
            };
            for ring in &rings {
                self.points.extend(ring);
                self.points.extend(ring.first());
                self.rings.push(number(self.points.len()));
            }
            let at = |lon_e9, lat_e9| Position { lon_e9, lat_e9 };
            self.parts.push(Head {
                end: number(self.rings.len()),
                south_west: at(west, south),
                north_east: at(east, north),
            });
        }
        self.cells.push(number(self.parts.len()));
    }

    pub(crate) fn shrink(&mut self) {
        self.points.shrink_to_fit();
        self.rings.shrink_to_fit();
        self.parts.shrink_to_fit();
        self.cells.shrink_to_fit();
    }

    /// All points; see there.
    pub(crate) fn points(&self) -> &[Position] {
        &self.points
    }

    /// The numbers of a cell's parts.
    pub(crate) fn part_numbers(&self, cell: usize) -> std::ops::Range<u32> {
        let begin = |at: usize| at.checked_sub(1).map_or(0, |before| self.cells[before]);
        match self.cells.get(cell) {
            Some(end) => begin(cell)..*end,
            None => 0..0,
        }
    }

    pub(crate) fn part(&self, number: u32) -> Part<'_> {
        let at = number as usize;
        let head = &self.parts[at];
        Part {
            ground: self,
            first_ring: at.checked_sub(1).map_or(0, |before| self.parts[before].end),
            end_ring: head.end,
            south_west: head.south_west,
            north_east: head.north_east,
        }
    }

    pub(crate) fn parts(&self, cell: usize) -> impl ExactSizeIterator<Item = Part<'_>> + Clone {
        self.part_numbers(cell).map(|number| self.part(number))
    }

    /// The south-west and north-east corners of the ground of some cells.
    pub(crate) fn corners(&self, cells: std::ops::Range<usize>) -> Option<(Position, Position)> {
        let parts = || cells.clone().flat_map(|cell| self.parts(cell));
        Some((
            Position {
                lon_e9: parts().map(|part| part.south_west.lon_e9).min()?,
                lat_e9: parts().map(|part| part.south_west.lat_e9).min()?,
            },
            Position {
                lon_e9: parts().map(|part| part.north_east.lon_e9).max()?,
                lat_e9: parts().map(|part| part.north_east.lat_e9).max()?,
            },
        ))
    }

    /// What the borders themselves take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.points)
            + size_of_val(&*self.rings)
            + size_of_val(&*self.parts)
            + size_of_val(&*self.cells)
    }
}

impl<'a> Part<'a> {
    /// The first and the last but one number of each ring's points: its edges.
    pub(crate) fn edge_numbers(self) -> impl Iterator<Item = std::ops::Range<u32>> + Clone + 'a {
        let rings = &self.ground.rings;
        (self.first_ring..self.end_ring).map(move |ring| {
            let begin = ring.checked_sub(1).map_or(0, |before| rings[before as usize]);
            begin..rings[ring as usize].saturating_sub(1).max(begin)
        })
    }

    /// The rings, the outer one first, not closed.
    pub(crate) fn rings(self) -> impl Iterator<Item = &'a [Position]> + Clone + 'a {
        let points = &self.ground.points;
        self.edge_numbers()
            .map(move |edges| &points[edges.start as usize..edges.end as usize])
    }

    pub(crate) fn edges(self) -> impl Iterator<Item = (Position, Position)> + 'a {
        self.rings().flat_map(edges)
    }

    pub(crate) fn side(self, p: Position) -> Side {
        let is_apart = |from: i64, to: i64, at: i64| at < from || at > to;
        if is_apart(self.south_west.lat_e9, self.north_east.lat_e9, p.lat_e9)
            || is_apart(self.south_west.lon_e9, self.north_east.lon_e9, p.lon_e9)
        {
            return Side::Outside;
        }
        let mut inside = false;
        for (a, b) in self.edges() {
            let (low, high) = upward(a, b);
            if p.lat_e9 < low.lat_e9 || p.lat_e9 > high.lat_e9 {
                continue;
            }
            let left_of = cross(low, high, p);
            if left_of == 0 && is_within(low, high, p) {
                return Side::Border;
            }
            // half-open in latitude, so that a vertex on the ray counts once
            if left_of > 0 && p.lat_e9 < high.lat_e9 {
                inside = !inside;
            }
        }
        if inside { Side::Inside } else { Side::Outside }
    }

    /// Twice the area in square nano-degrees, the outer ring less its holes, of rings that do not cross.
    pub(crate) fn twice_area(self) -> i128 {
        let mut areas = self.rings().map(|ring| twice_area(ring).abs());
        areas.next().unwrap_or(0) - areas.sum::<i128>()
    }

    /// A point inside, as far from the border as a few tries find; `None` when the part has no inside.
    pub(crate) fn inner_point(self) -> Option<(Position, i64)> {
        let span = self.north_east.lat_e9 - self.south_west.lat_e9;
        let tries = TRIES.into_iter();
        tries
            .filter_map(|at| self.widest_at(self.south_west.lat_e9 + span * at / 64))
            .max_by_key(|&(p, width)| (width, p))
    }

    /// Whether the part has an inside that the same few tries find: the first one mostly does.
    pub(crate) fn has_inside(self) -> bool {
        let span = self.north_east.lat_e9 - self.south_west.lat_e9;
        let mut tries = TRIES.into_iter();
        tries.any(|at| self.widest_at(self.south_west.lat_e9 + span * at / 64).is_some())
    }

    /// The middle of the widest stretch of the part along a parallel.
    fn widest_at(self, lat_e9: i64) -> Option<(Position, i64)> {
        let mut crossings: Vec<i64> = self
            .edges()
            .map(|(a, b)| upward(a, b))
            .filter(|(low, high)| low.lat_e9 <= lat_e9 && lat_e9 < high.lat_e9)
            .map(|(low, high)| {
                let up = i128::from(lat_e9 - low.lat_e9) * i128::from(high.lon_e9 - low.lon_e9);
                low.lon_e9 + (up / i128::from(high.lat_e9 - low.lat_e9)) as i64
            })
            .collect();
        crossings.sort_unstable();
        let mut stretches: Vec<(Position, i64)> = crossings
            .chunks_exact(2)
            .map(|pair| {
                let lon_e9 = pair[0] + (pair[1] - pair[0]) / 2;
                (Position { lon_e9, lat_e9 }, pair[1] - pair[0])
            })
            .collect();
        stretches.sort_unstable_by_key(|&(p, width)| (width, p));
        let mut from_widest = stretches.into_iter().rev();
        from_widest.find(|&(p, _)| self.side(p) == Side::Inside)
    }

    /// The distance from the plane's origin to the border, in millimetres.
    pub(crate) fn border_mm(self, plane: &Plane) -> u64 {
        let mut nearest = f64::INFINITY;
        for ring in self.rings() {
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

/// An edge from its southern to its northern end.
pub(crate) fn upward(a: Position, b: Position) -> (Position, Position) {
    if a.lat_e9 <= b.lat_e9 { (a, b) } else { (b, a) }
}

/// Whether a point on the line of an upward edge, and level with it, is on the edge: to be asked of level edges only.
pub(crate) fn is_within(low: Position, high: Position, p: Position) -> bool {
    let (a, b) = (low.lon_e9, high.lon_e9);
    low.lat_e9 != high.lat_e9 || (a.min(b) <= p.lon_e9 && p.lon_e9 <= a.max(b))
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
pub(crate) mod tests {
    use super::*;

    /// The ground of one polygon.
    pub(crate) fn ground(rings: Vec<Ring>) -> Ground {
        let mut ground = Ground::default();
        ground.push(vec![rings]);
        ground
    }

    fn at(lon_e9: i64, lat_e9: i64) -> Position {
        Position { lon_e9, lat_e9 }
    }

    fn square(from: i64, to: i64) -> Ring {
        vec![at(from, from), at(to, from), at(to, to), at(from, to)]
    }

    #[test]
    fn inside_border_and_outside_are_exact() {
        let ground = ground(vec![square(0, 100), square(40, 60)]);
        let part = ground.part(0);
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
    fn cells_parts_and_rings_come_back() {
        let mut ground = Ground::default();
        let polygons = vec![vec![square(0, 100), square(40, 60)], vec![square(200, 300)]];
        ground.push(polygons.clone());
        ground.push(Vec::new());
        ground.push(vec![vec![], vec![square(1, 2)]]);
        let back = |cell: usize| -> Vec<Vec<Ring>> {
            let rings = |part: Part<'_>| part.rings().map(<[Position]>::to_vec).collect();
            ground.parts(cell).map(rings).collect()
        };
        assert_eq!(back(0), polygons);
        assert_eq!(back(1), Vec::<Vec<Ring>>::new());
        assert_eq!(back(2), vec![vec![square(1, 2)]]);
        assert_eq!(ground.corners(0..3), Some((at(0, 0), at(300, 300))));
        assert_eq!(ground.corners(1..2), None);
    }

    #[test]
    fn even_odd_reads_a_figure_of_eight() {
        let eight = ground(vec![vec![at(0, 0), at(100, 100), at(100, 0), at(0, 100)]]);
        let part = eight.part(0);
        assert_eq!(part.side(at(10, 50)), Side::Inside);
        assert_eq!(part.side(at(90, 50)), Side::Inside);
        assert_eq!(part.side(at(50, 10)), Side::Outside);
        assert_eq!(part.side(at(50, 50)), Side::Border);
    }

    #[test]
    fn an_inner_point_is_inside_a_ring_shaped_part() {
        let frame = ground(vec![square(0, 1000), square(100, 900)]);
        let (p, _) = frame.part(0).inner_point().unwrap();
        assert_eq!(frame.part(0).side(p), Side::Inside);
        let line = ground(vec![vec![at(0, 0), at(5, 0), at(9, 0)]]);
        assert_eq!(line.part(0).inner_point(), None);
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
        let ground = ground(vec![ring]);
        let plane = Plane::at(at(lon(30.0), 31_040_000_000));
        let mm = ground.part(0).border_mm(&plane);
        assert!((29_950..30_050).contains(&mm), "{mm}");
    }
}
