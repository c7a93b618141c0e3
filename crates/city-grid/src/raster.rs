//! What a level's pixels know: the cell that holds all of a pixel, or the few edges that cross it. The answers are exact.
//!
//! The lines between pixels run half a nano-degree beside whole ones, so that no point and no vertex is ever on one. A
//! pixel that edges cross knows, for each part that has ground there, whether the pixel's south-western corner is in it. The
//! way from that corner, up the pixel's western side and then east to the point, meets only edges that the pixel knows, so
//! counting the ones that it crosses tells whether the point is in the part.
//!
//! Ties are broken as if the corner lay a trifle to the east and, by far less, to the north: an edge through a corner has
//! one side, and a vertex on the way counts once.

mod build;

use city_model::Position;

use crate::ground::{is_within, upward};
use crate::ring::cross;

/// A level's pixels.
#[derive(Debug, Clone)]
pub(crate) struct Raster {
    frame: Frame,
    /// Row by row from the south-west: [`EMPTY`], the cell that holds the whole pixel, or [`LISTED`] and where its list begins.
    slots: Vec<u32>,
    /// For each part with ground in a pixel, by cell: heads, each but that of a part that holds the whole pixel followed by the
    /// number of its first edge.
    lists: Vec<u32>,
}

/// Where the pixels lie. Their sides are powers of two: finding one costs two shifts.
#[derive(Debug, Clone, Copy)]
struct Frame {
    /// The lines west of column `c` and south of row `r` lie half a nano-degree beyond these, plus `c << x_bits`, `r << y_bits`.
    west: i64,
    south: i64,
    x_bits: u32,
    y_bits: u32,
    columns: u32,
    rows: u32,
}

/// No cell has ground in the pixel.
const EMPTY: u32 = u32::MAX;
/// The rest of the slot says where the pixel's list begins.
const LISTED: u32 = 1 << 31;

/// The layout of a head: a run of edges of one part, and the part's cell, counted from the level's first.
mod head {
    /// How many edges the run has; none when the part holds the whole pixel.
    pub(super) const COUNT: u32 = (1 << 7) - 1;
    /// The corner is inside the part; said by its first run.
    pub(super) const ODD: u32 = 1 << 7;
    /// Another run of the same part follows.
    pub(super) const MORE: u32 = 1 << 8;
    /// Nothing follows.
    pub(super) const LAST: u32 = 1 << 9;
    pub(super) const CELL_SHIFT: u32 = 10;
    /// So many cells a head can name.
    pub(super) const CELLS_MAX: u32 = 1 << (32 - CELL_SHIFT);
}

impl Frame {
    /// The column and row of a point; numbers out of range mean outside.
    fn pixel(&self, p: Position) -> (i64, i64) {
        (
            p.lon_e9.saturating_sub(self.west + 1) >> self.x_bits,
            p.lat_e9.saturating_sub(self.south + 1) >> self.y_bits,
        )
    }

    /// The south-western corner of a pixel, half a nano-degree short in both directions.
    fn corner(&self, column: i64, row: i64) -> Position {
        Position {
            lon_e9: self.west + (column << self.x_bits),
            lat_e9: self.south + (row << self.y_bits),
        }
    }
}

/// What an edge means for the way from a corner to a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meeting {
    /// It is crossed once or both times or never: whether the count changes.
    Crossed(bool),
    /// The point is on it.
    Here,
}

impl Raster {
    /// The first cell of the level, by its number in it, that holds the point, borders included.
    pub(crate) fn at(&self, points: &[Position], p: Position) -> Option<u32> {
        let (column, row) = self.frame.pixel(p);
        if column as u64 >= u64::from(self.frame.columns) || row as u64 >= u64::from(self.frame.rows) {
            return None;
        }
        let slot = self.slots[row as usize * self.frame.columns as usize + column as usize];
        if slot & LISTED == 0 {
            return Some(slot);
        }
        if slot == EMPTY {
            return None;
        }
        self.in_list(
            points,
            p,
            (slot & !LISTED) as usize,
            self.frame.corner(column, row),
        )
    }

    fn in_list(&self, points: &[Position], p: Position, begin: usize, corner: Position) -> Option<u32> {
        let mut words = self.lists[begin..].iter();
        let mut is_inside = false;
        let mut is_first = true;
        while let Some(head) = words.next() {
            let cell = head >> head::CELL_SHIFT;
            let count = (head & head::COUNT) as usize;
            if count == 0 {
                return Some(cell);
            }
            if is_first {
                is_inside = head & head::ODD != 0;
            }
            let first = *words.next()? as usize;
            for edge in points[first..=first + count].windows(2) {
                match meet(edge[0], edge[1], p, corner) {
                    Meeting::Here => return Some(cell),
                    Meeting::Crossed(changes) => is_inside ^= changes,
                }
            }
            is_first = head & head::MORE == 0;
            if is_first && is_inside {
                return Some(cell);
            }
            if head & head::LAST != 0 {
                return None;
            }
        }
        None
    }

    /// What the pixels take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.slots) + size_of_val(&*self.lists)
    }
}

/// How an edge meets the way from the corner (half a nano-degree north-east of `corner`) to `p`.
fn meet(a: Position, b: Position, p: Position, corner: Position) -> Meeting {
    let (low, high) = upward(a, b);
    let mut changes = false;
    if low.lat_e9 <= p.lat_e9 && p.lat_e9 <= high.lat_e9 {
        let left_of = cross(low, high, p);
        if left_of == 0 && is_within(low, high, p) {
            return Meeting::Here;
        }
        // on the way east: the edge is west of the point, but not of the pixel's side
        changes = left_of < 0 && p.lat_e9 < high.lat_e9 && is_east_of(low, high, corner.lon_e9, p.lat_e9);
    }
    if (a.lon_e9 <= corner.lon_e9) != (b.lon_e9 <= corner.lon_e9) {
        let (west, east) = if a.lon_e9 < b.lon_e9 { (a, b) } else { (b, a) };
        let height = |twice_lat: i128| is_below(west, east, corner.lon_e9, twice_lat);
        // on the way up: the edge is above the corner and below the turn, or the other way round
        changes ^= height(2 * i128::from(p.lat_e9)) != height(2 * i128::from(corner.lat_e9) + 1);
    }
    Meeting::Crossed(changes)
}

/// Whether an upward edge, at a latitude that it spans, lies east of the line half a nano-degree east of `line`.
fn is_east_of(low: Position, high: Position, line: i64, lat_e9: i64) -> bool {
    if low.lon_e9.min(high.lon_e9) > line {
        return true;
    }
    twice_cross(low, high, 2 * i128::from(line) + 1, 2 * i128::from(lat_e9)) > 0
}

/// Whether an eastward edge, where it crosses the line half a nano-degree east of `line`, lies below half of `twice_lat`.
fn is_below(west: Position, east: Position, line: i64, twice_lat: i128) -> bool {
    let above = twice_cross(west, east, 2 * i128::from(line) + 1, twice_lat);
    above > 0 || (above == 0 && east.lat_e9 <= west.lat_e9)
}

/// Twice [`cross`] for a point given in halves of nano-degrees.
fn twice_cross(a: Position, b: Position, twice_lon: i128, twice_lat: i128) -> i128 {
    let wide = i128::from;
    wide(b.lon_e9 - a.lon_e9) * (twice_lat - 2 * wide(a.lat_e9))
        - wide(b.lat_e9 - a.lat_e9) * (twice_lon - 2 * wide(a.lon_e9))
}

#[cfg(test)]
mod tests;
