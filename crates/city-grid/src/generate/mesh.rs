//! One plane of points that all borders share, and cutting a piece of it in two.

use core::f64::consts::{FRAC_PI_2, PI, TAU};

use city_model::{Plane, Point, Position};
use rustc_hash::FxHashMap;

use super::cutter::{Chord, Cutter, area};
use super::dice::Dice;
use crate::ring::cross;

/// Something that gets a piece of ground.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub(super) id: usize,
    /// Its share of the ground, relative to the others.
    pub(super) weight: f64,
    /// Where it should lie, roughly, in degrees; otherwise anywhere.
    pub(super) place: Option<(f64, f64)>,
}

/// Points, and what was put on edges after they were drawn.
pub(super) struct Mesh {
    plane: Plane,
    points: Vec<Position>,
    /// The same in metres on the plane.
    metres: Vec<(f64, f64)>,
    /// The point on the edge between two others, lesser number first.
    splits: FxHashMap<(u32, u32), u32>,
}

/// The middle of the district, and its area.
const CENTRE: Position = Position {
    lon_e9: 121_222_000_000,
    lat_e9: 31_035_000_000,
};
const AREA_M2: f64 = 605e6;
const OUTLINE_POINTS: usize = 420;

/// Shares are kept from the extremes, which would be slivers.
const SHARE_MIN: f64 = 0.12;
/// A cut with a worse score than this is worth a look in all directions.
const GOOD_SCORE: f64 = 0.8;
impl Mesh {
    pub(super) fn new() -> Mesh {
        Mesh {
            plane: Plane::at(CENTRE),
            points: Vec::new(),
            metres: Vec::new(),
            splits: FxHashMap::default(),
        }
    }

    /// Adds a point, rounded to 1e-8°, about a millimetre.
    fn add(&mut self, (x, y): (f64, f64)) -> u32 {
        let mm = |metres: f64| libm::rint(metres * 1000.0) as i64;
        let exact = self.plane.unproject(Point { x: mm(x), y: mm(y) });
        let round = |e9: i64| (e9 + 5).div_euclid(10) * 10;
        let position = Position {
            lon_e9: round(exact.lon_e9),
            lat_e9: round(exact.lat_e9),
        };
        let back = self.plane.project(position);
        self.points.push(position);
        self.metres.push((back.x as f64 / 1000.0, back.y as f64 / 1000.0));
        self.points.len() as u32 - 1
    }

    /// The district's border, counter-clockwise: a circle with bays. Seen from the middle it never doubles back, so it
    /// cannot cross itself; its bays are at most a quarter of the radius deep, so it stays in Songjiang's bounds.
    pub(super) fn outline(&mut self, dice: &mut Dice) -> Vec<u32> {
        const WAVES: [(f64, f64); 9] = [
            (2.0, 0.08),
            (3.0, 0.06),
            (4.0, 0.04),
            (5.0, 0.03),
            (9.0, 0.02),
            (14.0, 0.014),
            (23.0, 0.009),
            (37.0, 0.006),
            (61.0, 0.004),
        ];
        let waves = WAVES.map(|(turns, size)| (turns, size * dice.between(0.6, 1.0), dice.angle()));
        let turn = TAU / OUTLINE_POINTS as f64;
        let corners: Vec<(f64, f64)> = (0..OUTLINE_POINTS)
            .map(|at| {
                let angle = turn * at as f64;
                let radius = waves.iter().fold(1.0, |radius, (turns, size, phase)| {
                    radius + size * libm::cos(turns * angle + phase)
                });
                (radius * libm::cos(angle), radius * libm::sin(angle))
            })
            .collect();
        let size = libm::sqrt(AREA_M2 / area(&corners));
        corners
            .into_iter()
            .map(|(x, y)| self.add((size * x, size * y)))
            .collect()
    }

    /// The ring with the points that were put on its edges since it was drawn.
    fn expand(&self, ring: &[u32]) -> Vec<u32> {
        let mut full = Vec::with_capacity(ring.len() + ring.len() / 4);
        let mut ahead = Vec::new();
        for (at, &corner) in ring.iter().enumerate() {
            let mut from = corner;
            ahead.push(ring[(at + 1) % ring.len()]);
            while let Some(&to) = ahead.last() {
                match self.splits.get(&(from.min(to), from.max(to))) {
                    Some(&between) => ahead.push(between),
                    None => {
                        full.push(from);
                        from = to;
                        ahead.pop();
                    }
                }
            }
        }
        full
    }

    /// The finished ring.
    pub(super) fn positions(&self, ring: &[u32]) -> Vec<Position> {
        let full = self.expand(ring);
        full.into_iter()
            .map(|point| self.points[point as usize])
            .collect()
    }

    /// Divides a ring among items, in proportion to their weights. Gives the items' numbers and rings, in no order.
    pub(super) fn divide(
        &mut self,
        ring: Vec<u32>,
        items: Vec<Item>,
        dice: &mut Dice,
    ) -> Vec<(usize, Vec<u32>)> {
        let mut done = Vec::with_capacity(items.len());
        let mut open = vec![(ring, items)];
        while let Some((ring, mut items)) = open.pop() {
            if let [item] = items[..] {
                done.push((item.id, ring));
                continue;
            }
            let ring = self.expand(&ring);
            let wanted = axis_of_places(&mut items);
            let (low, share) = halve(&items);
            let high_items = items.split_off(low);
            let (low_ring, high_ring) = self.cut(ring, share, wanted, dice);
            open.push((low_ring, items));
            open.push((high_ring, high_items));
        }
        done
    }

    /// Cuts a ring in two. The low side, against the axis, gets `share` of the ground, roughly.
    fn cut(
        &mut self,
        ring: Vec<u32>,
        share: f64,
        axis: Option<f64>,
        dice: &mut Dice,
    ) -> (Vec<u32>, Vec<u32>) {
        let corners: Vec<(f64, f64)> = ring.iter().map(|&at| self.metres[at as usize]).collect();
        let tilt = dice.between(-0.25, 0.25);
        let angles = match axis {
            Some(angle) => [angle, angle + tilt, angle - tilt],
            None => {
                let long = long_axis(&corners) + tilt;
                [long, long - 2.0 * tilt, long + FRAC_PI_2]
            }
        };
        let cutter = Cutter::new(&corners);
        let best_of = |angles: &[f64]| {
            let chords = angles.iter().filter_map(|&angle| cutter.best_chord(angle, share));
            chords.min_by(|a, b| a.score.total_cmp(&b.score))
        };
        let mut best = best_of(&angles);
        if best.as_ref().is_none_or(|chord| chord.score > GOOD_SCORE) {
            let all_round: [f64; 12] = core::array::from_fn(|at| angles[0] + at as f64 * PI / 12.0);
            let better = best_of(&all_round);
            best = best
                .into_iter()
                .chain(better)
                .min_by(|a, b| a.score.total_cmp(&b.score));
        }
        match best {
            Some(chord) => self.cut_along(&ring, &chord, dice),
            // a line through a ring with an area always crosses it twice; a ring without one has nothing to cut
            None => (ring.clone(), ring),
        }
    }

    fn cut_along(&mut self, ring: &[u32], chord: &Chord, dice: &mut Dice) -> (Vec<u32>, Vec<u32>) {
        let next = |at: usize| ring[(at + 1) % ring.len()];
        let start = self.add(chord.start);
        let end = self.add(chord.end);
        let line = self.wiggle(ring, chord, start, end, dice);
        for (at, point) in [(chord.from, start), (chord.to, end)] {
            let (a, b) = (ring[at], next(at));
            self.splits.insert((a.min(b), a.max(b)), point);
        }
        let mut inner = vec![start];
        inner.extend_from_slice(&ring[chord.from + 1..=chord.to]);
        inner.push(end);
        inner.extend(line.iter().rev());
        let mut outer = vec![end];
        outer.extend_from_slice(&ring[chord.to + 1..]);
        outer.extend_from_slice(&ring[..=chord.from]);
        outer.push(start);
        outer.extend(line);
        if chord.inner_is_low {
            (inner, outer)
        } else {
            (outer, inner)
        }
    }

    /// The points of a border between two ends: as winding as it can be without touching the ring.
    fn wiggle(&mut self, ring: &[u32], chord: &Chord, start: u32, end: u32, dice: &mut Dice) -> Vec<u32> {
        let (from, to) = (self.metres[start as usize], self.metres[end as usize]);
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = libm::sqrt(dx * dx + dy * dy);
        let steps = (libm::sqrt(length) / 2.0).clamp(2.0, 80.0) as usize;
        let waves: Vec<f64> = (1..=12)
            .map(|wave| 0.05 * dice.bell() / f64::from(wave))
            .collect();
        let shape: Vec<(f64, f64)> = (1..steps)
            .map(|step| {
                let along = step as f64 / steps as f64;
                let aside = waves.iter().zip(1..).fold(0.0, |sum, (size, wave)| {
                    sum + size * libm::sin(PI * f64::from(wave) * along)
                });
                (along, aside)
            })
            .collect();
        let known = self.points.len();
        for size in [1.0, 0.5, 0.25, 0.1, 0.0] {
            self.points.truncate(known);
            self.metres.truncate(known);
            let line: Vec<u32> = shape
                .iter()
                .map(|&(along, aside)| {
                    let aside = aside * size;
                    self.add((from.0 + along * dx - aside * dy, from.1 + along * dy + aside * dx))
                })
                .collect();
            if size == 0.0 || self.is_clear(ring, chord, start, &line, end) {
                return line;
            }
        }
        Vec::new()
    }

    /// Whether a line inside a ring touches it nowhere but at its ends.
    fn is_clear(&self, ring: &[u32], chord: &Chord, start: u32, line: &[u32], end: u32) -> bool {
        let place = |point: u32| self.points[point as usize];
        let edge = |at: usize| (place(ring[at]), place(ring[(at + 1) % ring.len()]));
        let mut path = vec![place(start)];
        path.extend(line.iter().map(|&point| place(point)));
        path.push(place(end));
        let inside = |at: usize, p: Position| {
            let (a, b) = edge(at);
            cross(a, b, p) > 0
        };
        if !inside(chord.from, path[1]) || !inside(chord.to, path[path.len() - 2]) {
            return false;
        }
        let bounds = Bounds::of(&path);
        for at in 0..ring.len() {
            let (a, b) = edge(at);
            if !bounds.meets(a, b) {
                continue;
            }
            for (step, pair) in path.windows(2).enumerate() {
                let at_end = (at == chord.from && step == 0) || (at == chord.to && step == path.len() - 2);
                if !at_end && touch(a, b, pair[0], pair[1]) {
                    return false;
                }
            }
        }
        true
    }
}

/// Whether two edges meet, erring on the safe side for edges on one line.
fn touch(a: Position, b: Position, c: Position, d: Position) -> bool {
    let (to_c, to_d) = (cross(a, b, c).signum(), cross(a, b, d).signum());
    let (to_a, to_b) = (cross(c, d, a).signum(), cross(c, d, b).signum());
    to_c * to_d <= 0 && to_a * to_b <= 0
}

struct Bounds {
    west: i64,
    south: i64,
    east: i64,
    north: i64,
}

impl Bounds {
    fn of(path: &[Position]) -> Bounds {
        let first = Bounds {
            west: i64::MAX,
            south: i64::MAX,
            east: i64::MIN,
            north: i64::MIN,
        };
        path.iter().fold(first, |bounds, p| Bounds {
            west: bounds.west.min(p.lon_e9),
            south: bounds.south.min(p.lat_e9),
            east: bounds.east.max(p.lon_e9),
            north: bounds.north.max(p.lat_e9),
        })
    }

    fn meets(&self, a: Position, b: Position) -> bool {
        a.lon_e9.min(b.lon_e9) <= self.east
            && a.lon_e9.max(b.lon_e9) >= self.west
            && a.lat_e9.min(b.lat_e9) <= self.north
            && a.lat_e9.max(b.lat_e9) >= self.south
    }
}

/// Orders items with places along the line on which they are spread widest, and gives its direction.
fn axis_of_places(items: &mut [Item]) -> Option<f64> {
    let places: Option<Vec<(f64, f64)>> = items.iter().map(|item| item.place).collect();
    let angle = long_axis(&places?);
    let along = |item: &Item| {
        let (x, y) = item.place.unwrap_or_default();
        x * libm::cos(angle) + y * libm::sin(angle)
    };
    items.sort_by(|a, b| along(a).total_cmp(&along(b)));
    Some(angle)
}

/// Where to split a list of items so that both sides weigh about the same: how many go first, and their share.
fn halve(items: &[Item]) -> (usize, f64) {
    let all: f64 = items.iter().map(|item| item.weight).sum();
    let mut best = (1, f64::INFINITY, 0.5);
    let mut sum = 0.0;
    for (at, item) in items.iter().enumerate().take(items.len() - 1) {
        sum += item.weight;
        let share = sum / all;
        if (share - 0.5).abs() < best.1 {
            best = (at + 1, (share - 0.5).abs(), share);
        }
    }
    (best.0, best.2.clamp(SHARE_MIN, 1.0 - SHARE_MIN))
}

/// The direction in which points are spread widest.
fn long_axis(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let (sum_x, sum_y) = points
        .iter()
        .fold((0.0, 0.0), |sum, p| (sum.0 + p.0, sum.1 + p.1));
    let (mid_x, mid_y) = (sum_x / count, sum_y / count);
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in points {
        let (x, y) = (x - mid_x, y - mid_y);
        xx += x * x;
        xy += x * y;
        yy += y * y;
    }
    0.5 * libm::atan2(2.0 * xy, xx - yy)
}
