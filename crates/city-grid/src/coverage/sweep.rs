//! Sweeps the borders in one column from south to north, and joins what is covered alike into regions.

use city_model::Position;
use rustc_hash::FxHashMap;

use super::outline::{PARALLEL, Side};
use super::regions::{OUTSIDE, Regions, THIN};
use super::{Strand, square_metres_at};

/// How often a slab in which strands cross is cut; what crosses after that is told as if it did not.
const CUTS_MAX: u32 = 48;
/// A stretch that has not met its region yet.
const UNKNOWN: usize = usize::MAX;

/// A strand in a slab: where it is at the southern and at the northern side.
#[derive(Debug, Clone, Copy)]
struct Wall {
    strand: u32,
    south: i64,
    north: i64,
}

/// A stretch of ground between two walls of a slab.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    west: Wall,
    east: Wall,
    cover: i32,
    region: usize,
}

/// What counts as cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// The sum of the steps; what is not this is a region.
    Not(i32),
    /// One inside and none outside by the even-odd rule; the inside is a region.
    EvenOdd,
}

/// Where a stretch touches the western or eastern bound of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Touch {
    pub(super) south: i64,
    pub(super) north: i64,
    pub(super) cover: i32,
    pub(super) region: usize,
}

/// The strands of one column, sorted; those that only tell what lies to the west of it are on its western bound.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) west: i64,
    pub(super) east: i64,
    /// Each with the number of the border that it is a piece of.
    pub(super) strands: Vec<(Strand, u32)>,
}

pub(super) struct Sweep<'a> {
    rule: Rule,
    column: &'a Column,
    regions: &'a mut Regions,
    /// The abnormal stretches of the last slab, west to east.
    below: Vec<Stretch>,
    /// The side that a strand's western or eastern flank made last, to be made longer.
    last_side: FxHashMap<(u32, bool), usize>,
    /// What touches the western and the eastern bound, from south to north.
    touches: [Vec<Touch>; 2],
}

impl Sweep<'_> {
    /// Sweeps a column; answers what touches its western and its eastern bound.
    pub(super) fn run(rule: Rule, column: &Column, regions: &mut Regions) -> [Vec<Touch>; 2] {
        let mut sweep = Sweep {
            rule,
            column,
            regions,
            below: Vec::new(),
            last_side: FxHashMap::default(),
            touches: [Vec::new(), Vec::new()],
        };
        sweep.sweep();
        sweep.touches
    }

    fn sweep(&mut self) {
        let column = self.column;
        let ends = column.strands.iter();
        let mut lats: Vec<i64> = ends
            .flat_map(|(strand, _)| [strand.low.lat_e9, strand.high.lat_e9])
            .collect();
        lats.sort_unstable();
        lats.dedup();
        let strand = |at: u32| &column.strands[at as usize].0;
        let mut by_south: Vec<u32> = (0..column.strands.len() as u32).collect();
        by_south.sort_by_key(|&at| strand(at).low.lat_e9);
        let mut coming = by_south.into_iter().peekable();
        // from slab to slab in the order of the last one, so that sorting finds little to do
        let mut active: Vec<u32> = Vec::new();
        let (first, last) = match lats.as_slice() {
            [] => (i64::MAX, i64::MAX),
            [first, .., last] => (*first, *last),
            [only] => (*only, *only),
        };
        self.below = self.beyond();
        self.touch(i64::MIN, first);
        for slab in lats.windows(2) {
            active.retain(|&at| strand(at).high.lat_e9 > slab[0]);
            while let Some(at) = coming.next_if(|&at| strand(at).low.lat_e9 <= slab[0]) {
                active.push(at);
            }
            self.slab(&mut active, slab[0], slab[1], CUTS_MAX);
        }
        let beyond = self.beyond();
        self.step(beyond, last);
        self.touch(last, i64::MAX);
    }

    /// South and north of everything.
    fn beyond(&self) -> Vec<Stretch> {
        let mut outside = self.stretches(&[]);
        outside.iter_mut().for_each(|stretch| stretch.region = OUTSIDE);
        outside
    }

    /// Keeps what of the slab that is now below touches the column's bounds.
    fn touch(&mut self, south: i64, north: i64) {
        let (west, east) = (self.column.west, self.column.east);
        let is_at = |wall: Wall, bound: i64| wall.south == bound && wall.north == bound;
        for stretch in &self.below {
            let touch = Touch {
                south,
                north,
                cover: stretch.cover,
                region: stretch.region,
            };
            if is_at(stretch.west, west) {
                self.touches[0].push(touch);
            }
            if is_at(stretch.east, east) {
                self.touches[1].push(touch);
            }
        }
    }

    fn slab(&mut self, active: &mut [u32], south: i64, north: i64, cuts: u32) {
        let mut lines: Vec<(f64, f64, u32)> = active
            .iter()
            .map(|&at| {
                let strand = &self.column.strands[at as usize].0;
                (strand.lon_at(south as f64), strand.lon_at(north as f64), at)
            })
            .collect();
        lines.sort_by(|a, b| (a.0 + a.1).total_cmp(&(b.0 + b.1)).then(a.2.cmp(&b.2)));
        for (slot, line) in active.iter_mut().zip(&lines) {
            *slot = line.2;
        }
        if cuts > 0 && north - south > 1 {
            let thin = THIN as f64;
            let crossed =
                |pair: &&[(f64, f64, u32)]| pair[0].0 > pair[1].0 + thin || pair[0].1 > pair[1].1 + thin;
            let pairs: Vec<&[(f64, f64, u32)]> = lines.windows(2).filter(crossed).collect();
            if let Some(pair) = pairs.get(pairs.len() / 2) {
                let (south_gap, north_gap) = (pair[0].0 - pair[1].0, pair[0].1 - pair[1].1);
                let up = south_gap / (south_gap - north_gap) * (north - south) as f64;
                let cut = (south + libm::round(up) as i64).clamp(south + 1, north - 1);
                self.slab(active, south, cut, cuts - 1);
                self.slab(active, cut, north, cuts - 1);
                return;
            }
        }
        let mut walls: Vec<Wall> = Vec::with_capacity(lines.len());
        for (at_south, at_north, strand) in lines {
            let before = walls
                .last()
                .map_or((i64::MIN, i64::MIN), |wall| (wall.south, wall.north));
            walls.push(Wall {
                strand,
                south: before.0.max(libm::round(at_south) as i64),
                north: before.1.max(libm::round(at_north) as i64),
            });
        }
        let here = self.stretches(&walls);
        self.step(here, south);
        self.touch(south, north);
        self.raise(south, north);
    }

    /// The abnormal stretches between the walls of a slab.
    fn stretches(&self, walls: &[Wall]) -> Vec<Stretch> {
        let end = |lon: i64| Wall {
            strand: PARALLEL,
            south: lon,
            north: lon,
        };
        let mut found: Vec<Stretch> = Vec::new();
        let mut cover = 0;
        let mut west = end(self.column.west);
        for &east in walls.iter().chain(&[end(self.column.east)]) {
            let normal = match self.rule {
                Rule::Not(normal) => normal,
                Rule::EvenOdd => 0,
            };
            let wide = |a: i64, b: i64| b.saturating_sub(a) > THIN;
            if cover != normal && (wide(west.south, east.south) || wide(west.north, east.north)) {
                let outside = west.south == i64::MIN || east.south == i64::MAX;
                match found.last_mut() {
                    // only a strand of no effect lies between
                    Some(last)
                        if last.cover == cover
                            && !wide(last.east.south, west.south)
                            && !wide(last.east.north, west.north) =>
                    {
                        last.east = east;
                        if outside {
                            last.region = OUTSIDE;
                        }
                    }
                    _ => found.push(Stretch {
                        west,
                        east,
                        cover,
                        region: if outside { OUTSIDE } else { UNKNOWN },
                    }),
                }
            }
            if east.strand != PARALLEL {
                match self.rule {
                    Rule::Not(_) => cover += self.column.strands[east.strand as usize].0.step,
                    Rule::EvenOdd => cover = 1 - cover,
                }
            }
            west = east;
        }
        found
    }

    /// Goes from the last slab to the stretches of the next one: joins what touches, and tells the sides that lie on the
    /// parallel between them.
    fn step(&mut self, mut here: Vec<Stretch>, lat_e9: i64) {
        let below = std::mem::take(&mut self.below);
        // (below, here, west, east) of shared ground; sorted for both, since stretches do not overlap
        let mut shared: Vec<(usize, usize, i64, i64)> = Vec::new();
        let mut first = 0;
        for (at, last) in below.iter().enumerate() {
            while here
                .get(first)
                .is_some_and(|next| next.east.south <= last.west.north)
            {
                first += 1;
            }
            for (number, next) in here.iter_mut().enumerate().skip(first) {
                if next.west.south >= last.east.north {
                    break;
                }
                let west = last.west.north.max(next.west.south);
                let east = last.east.north.min(next.east.south);
                if last.cover != next.cover || east.saturating_sub(west) <= THIN {
                    continue;
                }
                shared.push((at, number, west, east));
                if next.region == UNKNOWN {
                    next.region = self.regions.root(last.region);
                } else {
                    self.regions.join(last.region, next.region);
                }
            }
        }
        for stretch in here.iter_mut().filter(|stretch| stretch.region == UNKNOWN) {
            stretch.region = self.regions.open(stretch.cover);
        }
        let at = |lon_e9| Position { lon_e9, lat_e9 };
        let mut sides: Vec<(i64, i64, usize, bool)> = Vec::new();
        let mut next = shared.iter().peekable();
        for (number, last) in below.iter().enumerate() {
            let mut west = last.west.north;
            while let Some(&&(_, _, from, to)) = next.peek().filter(|pair| pair.0 == number) {
                sides.push((west, from, last.region, true));
                west = to;
                next.next();
            }
            sides.push((west, last.east.north, last.region, true));
        }
        let mut next = shared.iter().peekable();
        for (number, stretch) in here.iter().enumerate() {
            let mut west = stretch.west.south;
            while let Some(&&(_, _, from, to)) = next.peek().filter(|pair| pair.1 == number) {
                sides.push((west, from, stretch.region, false));
                west = to;
                next.next();
            }
            sides.push((west, stretch.east.south, stretch.region, false));
        }
        for (west, east, region, is_top) in sides {
            if west < east && region != OUTSIDE {
                let (from, to) = if is_top { (east, west) } else { (west, east) };
                let side = Side {
                    from: at(from),
                    to: at(to),
                    strand: PARALLEL,
                };
                self.regions.sides.push((side, region));
            }
        }
        self.below = here;
    }

    /// Measures the stretches of the slab that is now below, and tells their sides along the strands.
    fn raise(&mut self, south: i64, north: i64) {
        let stretches = std::mem::take(&mut self.below);
        let mut scale = None;
        for stretch in stretches.iter().filter(|stretch| stretch.region != OUTSIDE) {
            let region = self.regions.root(stretch.region);
            let (west, east) = (stretch.west, stretch.east);
            if region != OUTSIDE {
                let scale = *scale.get_or_insert_with(|| square_metres_at((south + north) as f64 / 2.0));
                let width = ((east.south - west.south) + (east.north - west.north)) as f64 / 2.0;
                let area_m2 = width * (north - south) as f64 * scale;
                let middle = Position {
                    lon_e9: (west.south + west.north + east.south + east.north) / 4,
                    lat_e9: (south + north) / 2,
                };
                self.regions.add(region, area_m2, middle);
            }
            // what touches a bound is compared with the next column first
            let is_at = |wall: Wall, bound: i64| wall.south == bound && wall.north == bound;
            if !is_at(east, self.column.east) {
                self.flank(east, true, region, south, north);
            }
            if !is_at(west, self.column.west) {
                self.flank(west, false, region, south, north);
            }
        }
        self.below = stretches;
    }

    /// The side of a region along a wall: upward on its east, downward on its west, so that the region is on the left.
    fn flank(&mut self, wall: Wall, is_east: bool, region: usize, south: i64, north: i64) {
        let low = Position {
            lon_e9: wall.south,
            lat_e9: south,
        };
        let high = Position {
            lon_e9: wall.north,
            lat_e9: north,
        };
        let strand = self.column.strands[wall.strand as usize].1;
        if let Some(&at) = self.last_side.get(&(wall.strand, is_east)) {
            let (side, owner) = &mut self.regions.sides[at];
            let end = if is_east { &mut side.to } else { &mut side.from };
            if *end == low && *owner == region {
                *end = high;
                return;
            }
        }
        let (from, to) = if is_east { (low, high) } else { (high, low) };
        let sides = &mut self.regions.sides;
        self.last_side.insert((wall.strand, is_east), sides.len());
        sides.push((Side { from, to, strand }, region));
    }
}
