//! Regions in the making: which pieces belong together, how large they are, what is around them.

use city_model::Position;
use rustc_hash::FxHashMap;

use super::Region;
use super::outline::{BOUND, Side, outline};
use super::sweep::Touch;

/// Widths up to a tenth of a millimetre are rounding.
pub(super) const THIN: i64 = 1;
/// The region of the outside, which is never reported.
pub(super) const OUTSIDE: usize = 0;
/// So many places inside a region are remembered: enough to name the cells that make it.
const SAMPLES_MAX: usize = 32;

#[derive(Debug)]
struct Draft {
    cover: i32,
    area_m2: f64,
    largest_m2: f64,
    sample: Position,
    samples: Vec<Position>,
}

#[derive(Debug)]
pub(super) struct Regions {
    /// What region each region was found to be a part of.
    joined: Vec<usize>,
    drafts: Vec<Draft>,
    pub(super) sides: Vec<(Side, usize)>,
}

impl Regions {
    pub(super) fn new() -> Regions {
        let mut regions = Regions {
            joined: Vec::new(),
            drafts: Vec::new(),
            sides: Vec::new(),
        };
        regions.open(0); // the outside
        regions
    }

    pub(super) fn open(&mut self, cover: i32) -> usize {
        self.drafts.push(Draft {
            cover,
            area_m2: 0.0,
            largest_m2: -1.0,
            sample: Position { lon_e9: 0, lat_e9: 0 },
            samples: Vec::new(),
        });
        self.joined.push(self.joined.len());
        self.joined.len() - 1
    }

    pub(super) fn root(&mut self, mut region: usize) -> usize {
        while self.joined[region] != region {
            self.joined[region] = self.joined[self.joined[region]];
            region = self.joined[region];
        }
        region
    }

    pub(super) fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.joined[one.max(other)] = one.min(other); // the outside stays the root
    }

    pub(super) fn add(&mut self, region: usize, area_m2: f64, middle: Position) {
        let draft = &mut self.drafts[region];
        draft.take(area_m2, area_m2, middle);
        if draft.samples.len() < SAMPLES_MAX && area_m2 > 0.1 {
            draft.samples.push(middle);
        }
    }

    /// Joins what touches the meridian between two columns from the west and from the east, and tells the sides that
    /// remain on it.
    pub(super) fn join_columns(&mut self, lon_e9: i64, west: &[Touch], east: &[Touch]) {
        // (west, east, south, north) of shared border; sorted for both, since the touches of a side do not overlap
        let mut shared: Vec<(usize, usize, i64, i64)> = Vec::new();
        let mut first = 0;
        for (at, one) in west.iter().enumerate() {
            while east.get(first).is_some_and(|other| other.north <= one.south) {
                first += 1;
            }
            for (number, other) in east.iter().enumerate().skip(first) {
                if other.south >= one.north {
                    break;
                }
                let (south, north) = (one.south.max(other.south), one.north.min(other.north));
                if one.cover == other.cover && north.saturating_sub(south) > THIN {
                    shared.push((at, number, south, north));
                    self.join(one.region, other.region);
                }
            }
        }
        let at = |lat_e9| Position { lon_e9, lat_e9 };
        for (touches, is_west) in [(west, true), (east, false)] {
            let mut next = shared.iter().peekable();
            for (number, touch) in touches.iter().enumerate() {
                let mut left = Vec::new();
                let mut south = touch.south;
                let of = |pair: &(usize, usize, i64, i64)| if is_west { pair.0 } else { pair.1 };
                while let Some(pair) = next.next_if(|pair| of(pair) == number) {
                    left.push((south, pair.2));
                    south = pair.3;
                }
                left.push((south, touch.north));
                for (south, north) in left {
                    if south < north && touch.region != OUTSIDE {
                        let (from, to) = if is_west { (south, north) } else { (north, south) };
                        let (from, to) = (at(from), at(to));
                        let strand = BOUND;
                        self.sides.push((Side { from, to, strand }, touch.region));
                    }
                }
            }
        }
    }

    /// The regions of more than `area_min_m2`.
    pub(super) fn finish(mut self, area_min_m2: f64) -> Vec<Region> {
        for region in (1..self.drafts.len()).rev() {
            let root = self.root(region);
            if root != region {
                let draft = &mut self.drafts[region];
                let samples = std::mem::take(&mut draft.samples);
                let (area_m2, largest_m2, sample) = (draft.area_m2, draft.largest_m2, draft.sample);
                let whole = &mut self.drafts[root];
                whole.take(area_m2, largest_m2, sample);
                let room = SAMPLES_MAX.saturating_sub(whole.samples.len());
                whole.samples.extend(samples.into_iter().take(room));
            }
        }
        let mut sides: FxHashMap<usize, Vec<Side>> = FxHashMap::default();
        for (side, region) in std::mem::take(&mut self.sides) {
            let root = self.root(region);
            if root != OUTSIDE && self.drafts[root].area_m2 > area_min_m2 {
                sides.entry(root).or_default().push(side);
            }
        }
        // the map's order does not show: it is asked region by region
        let mut found = Vec::with_capacity(sides.len());
        for (number, draft) in self.drafts.into_iter().enumerate() {
            if let Some(sides) = sides.remove(&number) {
                found.push(Region {
                    cover: draft.cover,
                    area_m2: draft.area_m2,
                    sample: draft.sample,
                    samples: draft.samples,
                    polygons: outline(sides),
                });
            }
        }
        found
    }
}

impl Draft {
    fn take(&mut self, area_m2: f64, largest_m2: f64, sample: Position) {
        self.area_m2 += area_m2;
        if largest_m2 > self.largest_m2 {
            (self.largest_m2, self.sample) = (largest_m2, sample);
        }
    }
}
