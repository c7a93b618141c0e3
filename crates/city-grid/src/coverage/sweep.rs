//! Sweeps borders from south to north and joins what is covered alike into regions.

use city_model::Position;

use super::{Region, Strand, square_metres_at};

/// Widths below a tenth of a millimetre are rounding.
const THIN: f64 = 1.0;
/// Halvings of a slab in which strands cross: what is left is 1/4096 of a slab that is itself mostly metres high.
const HALVINGS_MAX: u32 = 12;

/// A stretch of ground between two strands in the slab that is being swept.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    /// West and east end at the northern side of the slab.
    north: (f64, f64),
    /// East end at its southern side.
    south_east: f64,
    cover: i32,
    region: usize,
}

pub(super) struct Sweep {
    normal: i32,
    /// What region each region was found to be a part of.
    joined: Vec<usize>,
    regions: Vec<(Region, f64)>,
    /// The abnormal stretches along the northern side of the last slab, west to east.
    below: Vec<Stretch>,
}

/// The region of the outside, which is never reported.
const OUTSIDE: usize = 0;

impl Sweep {
    pub(super) fn new(normal: i32) -> Sweep {
        let everywhere = Stretch {
            north: (f64::NEG_INFINITY, f64::INFINITY),
            south_east: f64::INFINITY,
            cover: 0,
            region: OUTSIDE,
        };
        let nowhere = Region {
            cover: 0,
            area_m2: 0.0,
            sample: Position { lon_e9: 0, lat_e9: 0 },
        };
        Sweep {
            normal,
            joined: vec![OUTSIDE],
            regions: vec![(nowhere, 0.0)],
            below: vec![everywhere],
        }
    }

    pub(super) fn run(mut self, strands: &[Strand]) -> Vec<Region> {
        let mut lats: Vec<i64> = strands
            .iter()
            .flat_map(|strand| [strand.low.lat_e9, strand.high.lat_e9])
            .collect();
        lats.sort_unstable();
        lats.dedup();
        let mut by_south = strands.to_vec();
        by_south.sort_by_key(|strand| strand.low.lat_e9);
        let mut coming = by_south.into_iter().peekable();
        let mut active: Vec<Strand> = Vec::new();
        for slab in lats.windows(2) {
            active.retain(|strand| strand.high.lat_e9 > slab[0]);
            while let Some(strand) = coming.next_if(|strand| strand.low.lat_e9 <= slab[0]) {
                active.push(strand);
            }
            let (south, north) = (slab[0] as f64, slab[1] as f64);
            self.slab(&active, south, north, HALVINGS_MAX);
        }
        if self.normal != 0 {
            // north of everything is the outside as well
            let north = (f64::NEG_INFINITY, f64::INFINITY);
            self.join_below(north, 0, OUTSIDE);
        }
        self.finish()
    }

    fn slab(&mut self, active: &[Strand], south: f64, north: f64, halvings: u32) {
        let mut lines: Vec<(f64, f64, &Strand)> = active
            .iter()
            .map(|strand| (strand.lon_at(south), strand.lon_at(north), strand))
            .collect();
        lines.sort_by(|a, b| (a.0 + a.1).total_cmp(&(b.0 + b.1)).then(a.2.cmp(b.2)));
        let crossed = lines
            .windows(2)
            .any(|pair| pair[0].0 > pair[1].0 + THIN || pair[0].1 > pair[1].1 + THIN);
        if crossed && halvings > 0 && north - south > THIN {
            let middle = (south + north) / 2.0;
            self.slab(active, south, middle, halvings - 1);
            self.slab(active, middle, north, halvings - 1);
            return;
        }
        let scale = square_metres_at((south + north) / 2.0);
        let mut here: Vec<Stretch> = Vec::new();
        let mut odd: Vec<u32> = Vec::new();
        let mut cover = 0;
        let mut west = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        for (at_south, at_north, strand) in lines {
            self.stretch(
                &mut here,
                cover,
                west,
                (at_south, at_north),
                (south, north),
                scale,
            );
            cover += strand.cross(&mut odd);
            west = (at_south, at_north);
        }
        let east = (f64::INFINITY, f64::INFINITY);
        self.stretch(&mut here, cover, west, east, (south, north), scale);
        self.below = here;
    }

    /// One stretch of a slab, from `west` to `east`, each given at the southern and the northern side.
    fn stretch(
        &mut self,
        here: &mut Vec<Stretch>,
        cover: i32,
        west: (f64, f64),
        east: (f64, f64),
        (south, north): (f64, f64),
        scale: f64,
    ) {
        let (wide_south, wide_north) = (east.0 - west.0, east.1 - west.1);
        if cover == self.normal || (wide_south < THIN && wide_north < THIN) {
            return;
        }
        let outside = wide_south.is_infinite();
        let region = match here.last() {
            // only a strand of no effect lies between
            Some(last)
                if last.cover == cover && last.north.1 > west.1 - THIN && last.south_east > west.0 - THIN =>
            {
                last.region
            }
            _ if outside => OUTSIDE,
            _ => self.open(cover),
        };
        self.join_below((west.0, east.0), cover, region);
        if !outside {
            let area = (wide_south + wide_north).max(0.0) / 2.0 * (north - south) * scale;
            let (found, largest) = &mut self.regions[region];
            found.area_m2 += area;
            if area > *largest {
                *largest = area;
                found.sample = Position {
                    lon_e9: ((west.0 + west.1 + east.0 + east.1) / 4.0) as i64,
                    lat_e9: ((south + north) / 2.0) as i64,
                };
            }
        }
        here.push(Stretch {
            north: (west.1, east.1),
            south_east: east.0,
            cover,
            region,
        });
    }

    fn open(&mut self, cover: i32) -> usize {
        let sample = Position { lon_e9: 0, lat_e9: 0 };
        let region = Region {
            cover,
            area_m2: 0.0,
            sample,
        };
        self.regions.push((region, -1.0));
        self.joined.push(self.joined.len());
        self.joined.len() - 1
    }

    /// Joins a region with those of the same cover that touch it from the south.
    fn join_below(&mut self, (west, east): (f64, f64), cover: i32, region: usize) {
        let first = self.below.partition_point(|last| last.north.1 <= west);
        for at in first..self.below.len() {
            let last = self.below[at];
            if last.north.0 >= east {
                break;
            }
            let shared = last.north.1.min(east) - last.north.0.max(west);
            if last.cover == cover && shared > THIN {
                let (a, b) = (self.root(last.region), self.root(region));
                self.joined[a.max(b)] = a.min(b); // the outside stays the root
            }
        }
    }

    fn root(&mut self, mut region: usize) -> usize {
        while self.joined[region] != region {
            self.joined[region] = self.joined[self.joined[region]];
            region = self.joined[region];
        }
        region
    }

    fn finish(mut self) -> Vec<Region> {
        for region in (1..self.regions.len()).rev() {
            let root = self.root(region);
            if root == region {
                continue;
            }
            let (part, largest) = self.regions[region].clone();
            let (whole, whole_largest) = &mut self.regions[root];
            whole.area_m2 += part.area_m2;
            if largest > *whole_largest {
                *whole_largest = largest;
                whole.sample = part.sample;
            }
        }
        let roots = (1..self.regions.len()).filter(|&region| self.joined[region] == region);
        roots.map(|region| self.regions[region].0.clone()).collect()
    }
}
