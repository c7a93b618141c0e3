//! Things on the ground by class, and those of a class in a box: one array of rows in the order of balanced k-d trees.
//!
//! The trees need no pointers: a node is a range of rows and its halves are the halves of the range. Only where a range was
//! split is kept apart, so that a search walks a few megabytes that stay in the cache and touches rows at the leaves alone.
//! A row keeps 32 bits of each coordinate; the rest is its tile of 2^32 nano-degrees (4.3°), which it shares with the
//! shelf that it stands on. So nothing is rounded, and a city has one tile or two.

use std::ops::{ControlFlow, Range};

use city_model::{Plane, Position};
use rustc_hash::FxHashMap;

/// At most so many rows in a leaf: half a kilobyte of rows, read in one go.
const LEAF: usize = 16;
/// The bits of a coordinate inside its tile.
const TILE_BITS: u32 = 32;

/// A row: something at a place, on the shelf of its class and tile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot<T> {
    x: u32,
    y: u32,
    shelf: u32,
    pub(crate) what: T,
}

/// The rows of one class in one tile.
#[derive(Debug, Clone)]
struct Shelf {
    class: u32,
    tile: (i64, i64),
    rows: Range<usize>,
    /// Where its splits begin, and how many times it is split.
    splits: usize,
    depth: u32,
}

/// A box in nano-degrees, its borders included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Area {
    pub(crate) west: i64,
    pub(crate) south: i64,
    pub(crate) east: i64,
    pub(crate) north: i64,
}

impl Area {
    /// The box around the origin of a plane that holds everything within `r_mm` millimetres of it.
    pub(crate) fn around(plane: &Plane, r_mm: i64) -> Area {
        let (lon_e9, lat_e9) = plane.half_box(r_mm);
        let Position { lon_e9: x, lat_e9: y } = plane.origin();
        Area {
            west: x.saturating_sub(lon_e9),
            south: y.saturating_sub(lat_e9),
            east: x.saturating_add(lon_e9),
            north: y.saturating_add(lat_e9),
        }
    }
}

/// All rows. Rows are entered in any order, then it is sealed; only a sealed one can be searched.
#[derive(Debug)]
pub(crate) struct Ground<T> {
    spots: Vec<Spot<T>>,
    shelves: Vec<Shelf>,
    /// The shelf of a class and tile, while rows are entered.
    by_tile: FxHashMap<(u32, i64, i64), u32>,
    /// The shelves of each class, once it is sealed.
    by_class: Vec<Range<usize>>,
    splits: Vec<u32>,
}

impl<T> Default for Ground<T> {
    fn default() -> Ground<T> {
        Ground {
            spots: Vec::new(),
            shelves: Vec::new(),
            by_tile: FxHashMap::default(),
            by_class: Vec::new(),
            splits: Vec::new(),
        }
    }
}

impl<T: Copy> Ground<T> {
    pub(crate) fn len(&self) -> usize {
        self.spots.len()
    }

    /// Enters a row; its number holds until the ground is sealed.
    pub(crate) fn push(&mut self, class: u32, position: Position, what: T) {
        let spot = self.spot(class, position, what);
        self.spots.push(spot);
    }

    /// Puts another row in the place of one.
    pub(crate) fn replace(&mut self, number: usize, class: u32, position: Position, what: T) {
        let spot = self.spot(class, position, what);
        if let Some(old) = self.spots.get_mut(number) {
            *old = spot;
        }
    }

    fn spot(&mut self, class: u32, position: Position, what: T) -> Spot<T> {
        let tile = (position.lon_e9 >> TILE_BITS, position.lat_e9 >> TILE_BITS);
        let shelves = &mut self.shelves;
        let shelf = *self.by_tile.entry((class, tile.0, tile.1)).or_insert_with(|| {
            shelves.push(Shelf {
                class,
                tile,
                rows: 0..0,
                splits: 0,
                depth: 0,
            });
            (shelves.len() - 1) as u32
        });
        Spot {
            x: position.lon_e9 as u32, // the low 32 bits
            y: position.lat_e9 as u32,
            shelf,
            what,
        }
    }

    pub(crate) fn get(&self, number: usize) -> Option<&Spot<T>> {
        self.spots.get(number)
    }

    pub(crate) fn spots(&self) -> &[Spot<T>] {
        &self.spots
    }

    /// The class of a row.
    pub(crate) fn class(&self, spot: &Spot<T>) -> u32 {
        self.shelves
            .get(spot.shelf as usize)
            .map_or(0, |shelf| shelf.class)
    }

    /// The place of a row, exactly as it was entered.
    pub(crate) fn position(&self, spot: &Spot<T>) -> Position {
        let tile = self
            .shelves
            .get(spot.shelf as usize)
            .map_or((0, 0), |shelf| shelf.tile);
        position(tile, spot.x, spot.y)
    }

    /// Sorts the rows in place and splits them. `rank` gives each class its new number, below `classes`.
    pub(crate) fn seal(&mut self, classes: usize, rank: impl Fn(u32) -> u32) {
        self.by_tile = FxHashMap::default();
        for shelf in &mut self.shelves {
            shelf.class = rank(shelf.class);
        }
        let mut order: Vec<u32> = (0..self.shelves.len() as u32).collect();
        order.sort_unstable_by_key(|at| {
            let shelf = &self.shelves[*at as usize];
            (shelf.class, shelf.tile)
        });
        let mut moved = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            moved[*old as usize] = new as u32;
        }
        self.shelves = order
            .iter()
            .map(|old| self.shelves[*old as usize].clone())
            .collect();
        for spot in &mut self.spots {
            spot.shelf = moved[spot.shelf as usize];
        }
        self.spots.sort_unstable_by_key(|spot| spot.shelf);
        self.spots.shrink_to_fit();

        let mut start = 0;
        for (number, shelf) in self.shelves.iter_mut().enumerate() {
            let rows = self.spots[start..].partition_point(|spot| spot.shelf as usize <= number);
            shelf.rows = start..start + rows;
            start += rows;
            shelf.depth = rows.div_ceil(LEAF).next_power_of_two().trailing_zeros();
            shelf.splits = self.splits.len();
            self.splits.resize(shelf.splits + (1 << shelf.depth) - 1, 0);
            let splits = &mut self.splits[shelf.splits..];
            split(&mut self.spots[shelf.rows.clone()], splits, 0, shelf.depth);
        }
        self.splits.shrink_to_fit();

        self.by_class = vec![0..0; classes];
        for (number, shelf) in self.shelves.iter().enumerate() {
            let range = &mut self.by_class[shelf.class as usize];
            if range.start == range.end {
                range.start = number;
            }
            range.end = number + 1;
        }
    }

    /// How many rows a class has.
    pub(crate) fn count(&self, class: u32) -> usize {
        self.shelves_of(class).iter().map(|shelf| shelf.rows.len()).sum()
    }

    fn shelves_of(&self, class: u32) -> &[Shelf] {
        let range = self.by_class.get(class as usize).cloned().unwrap_or_default();
        &self.shelves[range]
    }

    /// Shows every row of a class in a box, in no order that means anything, until `see` has seen enough.
    pub(crate) fn visit(
        &self,
        class: u32,
        area: Area,
        mut see: impl FnMut(usize, Position) -> ControlFlow<()>,
    ) {
        for shelf in self.shelves_of(class) {
            let inside = |from: i64, to: i64, tile: i64| {
                let base = tile << TILE_BITS;
                let from = from.saturating_sub(base).max(0);
                let to = to.saturating_sub(base).min(i64::from(u32::MAX));
                (from <= to).then_some((from as u32, to as u32))
            };
            let (Some(x), Some(y)) = (
                inside(area.west, area.east, shelf.tile.0),
                inside(area.south, area.north, shelf.tile.1),
            ) else {
                continue;
            };
            let search = Search {
                spots: &self.spots,
                splits: &self.splits[shelf.splits..],
                depth: shelf.depth,
                range: [x, y],
            };
            let mut found = |number: usize, spot: &Spot<T>| see(number, position(shelf.tile, spot.x, spot.y));
            if search.walk(0, 0, shelf.rows.clone(), &mut found).is_break() {
                return;
            }
        }
    }
}

/// Halves a range until its leaves are small; what is left of a split is at most it, what is right at least.
fn split<T>(spots: &mut [Spot<T>], splits: &mut [u32], node: usize, depth: u32) {
    let level = (node + 1).ilog2();
    if level >= depth {
        return;
    }
    let along = |spot: &Spot<T>| if level.is_multiple_of(2) { spot.x } else { spot.y };
    let middle = spots.len() / 2;
    let (left, at, _) = spots.select_nth_unstable_by_key(middle, along);
    splits[node] = along(at);
    split(left, splits, 2 * node + 1, depth);
    split(&mut spots[middle..], splits, 2 * node + 2, depth);
}

struct Search<'a, T> {
    spots: &'a [Spot<T>],
    splits: &'a [u32],
    depth: u32,
    /// The box: from and to along x, and along y.
    range: [(u32, u32); 2],
}

impl<T> Search<'_, T> {
    fn walk(
        &self,
        node: usize,
        level: u32,
        rows: Range<usize>,
        see: &mut impl FnMut(usize, &Spot<T>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if level >= self.depth {
            let [x, y] = self.range;
            for (at, spot) in self.spots[rows.clone()].iter().enumerate() {
                if (x.0..=x.1).contains(&spot.x) && (y.0..=y.1).contains(&spot.y) {
                    see(rows.start + at, spot)?;
                }
            }
            return ControlFlow::Continue(());
        }
        let (from, to) = self.range[(level % 2) as usize];
        let middle = rows.start + rows.len() / 2;
        let at = self.splits[node];
        if from <= at {
            self.walk(2 * node + 1, level + 1, rows.start..middle, see)?;
        }
        if to >= at {
            self.walk(2 * node + 2, level + 1, middle..rows.end, see)?;
        }
        ControlFlow::Continue(())
    }
}

fn position(tile: (i64, i64), x: u32, y: u32) -> Position {
    Position {
        lon_e9: (tile.0 << TILE_BITS) + i64::from(x),
        lat_e9: (tile.1 << TILE_BITS) + i64::from(y),
    }
}
