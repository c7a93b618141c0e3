//! Draws a level's parts into pixels.

use city_model::Position;

use super::{EMPTY, Frame, LISTED, Raster, head, twice_cross};
use crate::ground::{Ground, Part, upward};

/// Pixels for each edge: measured on cells of 60 edges, more pixels make a level faster until the caches say no.
const PIXELS_PER_EDGE: usize = 10;
/// Cells of few edges still want pixels of their own.
const PIXELS_PER_CELL: usize = 256;
/// 256 MB of them.
const PIXELS_MAX: usize = 1 << 26;
/// No pixel is smaller than about a centimetre.
const BITS_MIN: u32 = 6;

impl Raster {
    /// Draws the cells `cells`, in the order in which they are to win. `None` where there is no ground, or more of it than the
    /// pixels' numbers can name.
    pub(crate) fn draw(ground: &Ground, cells: std::ops::Range<usize>) -> Option<Raster> {
        if cells.len() >= head::CELLS_MAX as usize {
            return None;
        }
        let frame = Frame::around(ground, &cells)?;
        let mut drawing = Drawing {
            ground,
            frame,
            slots: vec![EMPTY; frame.columns as usize * frame.rows as usize],
            entries: Vec::new(),
            flips: Vec::new(),
            touched: Vec::new(),
        };
        for (number, cell) in cells.enumerate() {
            for part in ground.parts(cell) {
                drawing.part(part, number as u32);
            }
            if drawing.entries.len() >= (LISTED - 1) as usize {
                return None;
            }
        }
        drawing.finish()
    }
}

impl Frame {
    fn around(ground: &Ground, cells: &std::ops::Range<usize>) -> Option<Frame> {
        let (south_west, north_east) = ground.corners(cells.clone())?;
        let parts = cells.clone().flat_map(|cell| ground.parts(cell));
        let edges: usize = parts.flat_map(Part::edge_numbers).map(|edges| edges.len()).sum();
        let wanted = (edges * PIXELS_PER_EDGE)
            .max(cells.len() * PIXELS_PER_CELL)
            .min(PIXELS_MAX);
        let (west, south) = (south_west.lon_e9 - 1, south_west.lat_e9 - 1);
        let across = |bits: u32| (((north_east.lon_e9 - south_west.lon_e9) >> bits) + 1) as usize;
        let along = |bits: u32| (((north_east.lat_e9 - south_west.lat_e9) >> bits) + 1) as usize;
        // sides within a factor of two of each other; of those that are not too many, the most pixels
        let sides = (BITS_MIN..40).flat_map(|bits| [(bits, bits), (bits + 1, bits), (bits, bits + 1)]);
        let fitting = sides.filter(|&(x, y)| across(x).saturating_mul(along(y)) <= wanted.max(1));
        let (x_bits, y_bits) = fitting.max_by_key(|&(x, y)| across(x) * along(y))?;
        Some(Frame {
            west,
            south,
            x_bits,
            y_bits,
            columns: across(x_bits) as u32,
            rows: along(y_bits) as u32,
        })
    }

    /// The first column whose western line an upward edge is west of, or on, at the line south of a row that it crosses; `lon`
    /// says where that is to within a nano-degree.
    fn column_after(&self, low: Position, high: Position, row: i64, lon: f64) -> i64 {
        let line = 2 * i128::from(self.corner(0, row).lat_e9) + 1;
        let is_west = |column: i64| {
            let side = 2 * i128::from(self.corner(column, row).lon_e9) + 1;
            twice_cross(low, high, side, line) <= 0
        };
        let beyond = lon - self.west as f64 - 0.5;
        let column = (libm::floor(beyond) as i64 >> self.x_bits) + 1;
        let from_line = beyond - ((column - 1) << self.x_bits) as f64;
        let is_sure = from_line > 2.0 && from_line < ((1i64 << self.x_bits) - 2) as f64;
        if is_sure {
            return column;
        }
        (column - 1..).find(|&column| is_west(column)).unwrap_or(column)
    }
}

/// A run of edges in a pixel's list, the newest first.
#[derive(Debug, Clone, Copy)]
struct Entry {
    head: u32,
    first_edge: u32,
    /// The entry before; [`EMPTY`] when there is none.
    next: u32,
}

struct Drawing<'a> {
    ground: &'a Ground,
    frame: Frame,
    /// [`EMPTY`], a cell, or [`LISTED`] and the newest entry.
    slots: Vec<u32>,
    entries: Vec<Entry>,
    /// For the part being drawn, by pixel of its box: an edge passes west of the corner that did not pass west of the one before.
    flips: Vec<bool>,
    /// For the part being drawn: pixel of its box and edge.
    touched: Vec<(u32, u32)>,
}

/// The pixels of a part's box.
#[derive(Debug, Clone, Copy)]
struct Window {
    west: i64,
    south: i64,
    width: i64,
    height: i64,
}

impl Window {
    fn at(&self, column: i64, row: i64) -> usize {
        ((row - self.south) * self.width + (column - self.west)) as usize
    }
}

impl Drawing<'_> {
    fn part(&mut self, part: Part<'_>, cell: u32) {
        let (west, south) = self.frame.pixel(part.south_west);
        let (east, north) = self.frame.pixel(part.north_east);
        let window = Window {
            west,
            south,
            width: east - west + 1,
            height: north - south + 1,
        };
        self.flips.clear();
        self.flips.resize((window.width * window.height) as usize, false);
        self.touched.clear();
        for edge in part.edge_numbers().flatten() {
            self.edge(edge, &window);
        }
        self.touched.sort_unstable();
        let touched = std::mem::take(&mut self.touched);
        let mut rest = &touched[..];
        for row in 0..window.height {
            let mut is_inside = false;
            let slots = (south + row) as usize * self.frame.columns as usize + west as usize;
            for column in 0..window.width {
                let here = (row * window.width + column) as usize;
                is_inside ^= self.flips[here];
                let count = rest
                    .iter()
                    .take_while(|(pixel, _)| *pixel as usize == here)
                    .count();
                let slot = slots + column as usize;
                if count > 0 {
                    self.list(slot, &rest[..count], cell, is_inside);
                    rest = &rest[count..];
                } else if is_inside {
                    self.hold(slot, cell);
                }
            }
        }
        self.touched = touched;
    }

    /// Notes the pixels that an edge may cross, and where it passes the corners of rows.
    fn edge(&mut self, edge: u32, window: &Window) {
        let points = self.ground.points();
        let (low, high) = upward(points[edge as usize], points[edge as usize + 1]);
        let ((from, first), (to, last)) = (self.frame.pixel(low), self.frame.pixel(high));
        let slope = (high.lon_e9 - low.lon_e9) as f64 / ((high.lat_e9 - low.lat_e9) as f64).max(1.0);
        let (westmost, eastmost) = (from.min(to), from.max(to));
        let mut entry = low.lon_e9 as f64;
        for row in first..=last {
            let exit = if row == last {
                high.lon_e9 as f64
            } else {
                let line = self.frame.corner(0, row + 1).lat_e9;
                low.lon_e9 as f64 + ((line - low.lat_e9) as f64 + 0.5) * slope
            };
            // a nano-degree of margin is a million times the rounding of these numbers
            let column = |lon: f64| (lon as i64 - self.frame.west - 1) >> self.frame.x_bits;
            let begin = column(entry.min(exit) - 2.0).max(westmost);
            let end = column(entry.max(exit) + 2.0).min(eastmost);
            for column in begin..=end {
                self.touched.push((window.at(column, row) as u32, edge));
            }
            if row < last {
                let column = self.frame.column_after(low, high, row + 1, exit).max(window.west);
                if column < window.west + window.width {
                    self.flips[window.at(column, row + 1)] ^= true;
                }
            }
            entry = exit;
        }
    }

    /// The part holds the whole pixel.
    fn hold(&mut self, slot: usize, cell: u32) {
        if self.slots[slot] == EMPTY {
            self.slots[slot] = cell;
        } else if self.is_open(slot) {
            self.enter(slot, cell << head::CELL_SHIFT, 0);
        }
    }

    fn list(&mut self, slot: usize, edges: &[(u32, u32)], cell: u32, is_inside: bool) {
        if self.slots[slot] != EMPTY && !self.is_open(slot) {
            return;
        }
        let follows = |a: &(u32, u32), b: &(u32, u32)| a.1 + 1 == b.1;
        let runs = edges
            .chunk_by(follows)
            .flat_map(|run| run.chunks(head::COUNT as usize));
        let mut runs = runs.peekable();
        let mut corner = if is_inside { head::ODD } else { 0 };
        while let Some(run) = runs.next() {
            let more = if runs.peek().is_some() { head::MORE } else { 0 };
            let word = cell << head::CELL_SHIFT | corner | more | run.len() as u32;
            self.enter(slot, word, run[0].1);
            corner = 0;
        }
    }

    /// Whether a later cell can still win points of the pixel: no cell so far holds all of it.
    fn is_open(&self, slot: usize) -> bool {
        let slot = self.slots[slot];
        let newest = self.entries.get((slot & !LISTED) as usize);
        slot & LISTED != 0 && newest.is_some_and(|entry| entry.head & head::COUNT != 0)
    }

    fn enter(&mut self, slot: usize, head: u32, first_edge: u32) {
        let next = self.slots[slot];
        self.slots[slot] = LISTED | self.entries.len() as u32;
        self.entries.push(Entry {
            head,
            first_edge,
            next,
        });
    }

    /// Writes the lists one after another, pixel by pixel.
    fn finish(mut self) -> Option<Raster> {
        let mut lists: Vec<u32> = Vec::with_capacity(2 * self.entries.len());
        let mut list: Vec<Entry> = Vec::new();
        for slot in &mut self.slots {
            if *slot & LISTED == 0 || *slot == EMPTY {
                continue;
            }
            list.clear();
            let mut at = *slot;
            while at != EMPTY {
                let entry = self.entries[(at & !LISTED) as usize];
                list.push(entry);
                at = entry.next;
            }
            if lists.len() >= (LISTED - 1) as usize {
                return None;
            }
            *slot = LISTED | lists.len() as u32;
            list[0].head |= head::LAST;
            for entry in list.iter().rev() {
                lists.push(entry.head);
                if entry.head & head::COUNT != 0 {
                    lists.push(entry.first_edge);
                }
            }
        }
        lists.shrink_to_fit();
        Some(Raster {
            frame: self.frame,
            slots: self.slots,
            lists,
        })
    }
}
