//! A layer: cells in levels, widest first, and the one cell of each level that a point lies in.
//!
//! A point on a shared edge or vertex, or in two overlapping cells, belongs to the cell with the smallest code; one at
//! most 2 m outside all cells to the nearest. The order of features in a file does not matter.

mod config;
mod load;
mod read;
mod timeline;
mod validity;

mod assemble;
mod holes;
mod locate;
mod normal;

use city_model::{Name, Position};
use rstar::{AABB, RTree, RTreeObject};
use serde::{Deserialize, Serialize};

pub(crate) use assemble::Draft;
pub use config::{LayerConfig, LevelConfig};
pub use read::{LevelSource, is_shapefile};
pub use timeline::{STATES_MAX, Timeline};
pub use validity::moment_of;

use crate::coverage::square_metres_at;
use crate::finding::Finding;
use crate::shape::Part;

/// How far outside all cells a point may be and still belong to the nearest: shapefile exports leave such seams.
pub const SNAP_MM: u64 = 2_000;

/// A cell of a layer, valid for the layer that gave it. Within a level cells are in the order of their codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellIndex(u32);

impl CellIndex {
    /// The position among all cells of the layer, for tables beside it.
    pub fn get(self) -> usize {
        self.0 as usize
    }
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Its code.
    pub code: Name,
    /// Its name.
    pub name: Name,
    /// The name of its level.
    pub level: Name,
    /// The unit or grid head in charge.
    pub unit: Option<Name>,
    /// The enclosing cell, one level wider.
    pub parent: Option<CellIndex>,
}

/// How a point relates to a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In a cell or on its border.
    Inside,
    /// Outside all cells, by so little that it counts for the nearest.
    Snapped,
    /// Outside.
    Outside,
}

impl Status {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Status::Inside => "inside",
            Status::Snapped => "snapped",
            Status::Outside => "outside",
        }
    }
}

/// Where a point is in a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// How it relates to the layer.
    pub status: Status,
    /// The cells that hold it, widest first. The last is of the finest level, unless only a wider one has ground there.
    /// Empty outside.
    pub path: Vec<CellIndex>,
    /// How far outside its cell a snapped point is, in millimetres; otherwise 0.
    pub snapped_mm: u64,
}

impl Located {
    /// The finest cell that holds the point.
    pub fn cell(&self) -> Option<CellIndex> {
        self.path.last().copied()
    }
}

/// A named division of the ground into cells.
#[derive(Debug, Clone)]
pub struct Layer {
    name: Name,
    version: Name,
    /// Widest first.
    levels: Vec<Level>,
    /// Level by level; in a level by code, then by everything else, so that load order does not show.
    cells: Vec<Cell>,
    /// The ground of each cell, in the same order.
    shapes: Vec<Vec<Part>>,
    snap_mm: u64,
    findings: Vec<Finding>,
}

#[derive(Debug, Clone)]
struct Level {
    name: Name,
    first: u32,
    end: u32,
    tree: RTree<Entry>,
}

/// One part in the tree: boxes of whole multipolygons would overlap half the city.
#[derive(Debug, Clone)]
struct Entry {
    bounds: AABB<[f64; 2]>,
    cell: u32,
    part: u32,
}

impl RTreeObject for Entry {
    type Envelope = AABB<[f64; 2]>;

    fn envelope(&self) -> AABB<[f64; 2]> {
        self.bounds
    }
}

/// Whole numbers below 2^53, so the comparison of boxes is exact too.
fn corner(p: Position) -> [f64; 2] {
    [p.lon_e9 as f64, p.lat_e9 as f64]
}

impl Layer {
    /// A cell by its index.
    ///
    /// # Panics
    /// When the index is of another layer and beyond this one's cells.
    pub fn cell(&self, index: CellIndex) -> &Cell {
        &self.cells[index.get()]
    }

    /// A cell by its code, the finest first.
    pub fn find(&self, code: &str) -> Option<CellIndex> {
        self.levels.iter().rev().find_map(|level| {
            let cells = &self.cells[level.first as usize..level.end as usize];
            let at = cells.partition_point(|cell| &*cell.code < code);
            (cells.get(at)?.code.as_ref() == code).then(|| CellIndex(level.first + at as u32))
        })
    }

    /// The name of the layer.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// A short hash of the contents: codes, names, units, parents, borders. The layer's name has no part in it.
    pub fn version(&self) -> &Name {
        &self.version
    }

    /// The names of the levels, widest first.
    pub fn levels(&self) -> impl ExactSizeIterator<Item = &Name> {
        self.levels.iter().map(|level| &level.name)
    }

    /// The cells of a level (0 is the widest), by code.
    pub fn cells(&self, level: usize) -> impl Iterator<Item = (CellIndex, &Cell)> {
        let range = self
            .levels
            .get(level)
            .map_or(0..0, |level| level.first..level.end);
        range.map(|index| (CellIndex(index), &self.cells[index as usize]))
    }

    /// A point well inside the cell; `None` for a cell without ground.
    pub fn inner_point(&self, cell: CellIndex) -> Option<Position> {
        let parts = self.shapes.get(cell.get())?;
        let inner = parts.iter().filter_map(Part::inner_point);
        inner.max_by_key(|&(p, width)| (width, p)).map(|(p, _)| p)
    }

    /// The ground of a cell: polygons of rings, the outer one first; rings are not closed.
    pub fn polygons(&self, cell: CellIndex) -> impl Iterator<Item = &[Vec<Position>]> {
        let parts = self.shapes.get(cell.get()).map_or(&[][..], Vec::as_slice);
        parts.iter().map(|part| part.rings.as_slice())
    }

    /// The area of a cell, in square metres. Lobes of a ring that crosses itself count against each other.
    pub fn area_m2(&self, cell: CellIndex) -> f64 {
        let parts = self.shapes.get(cell.get()).map_or(&[][..], Vec::as_slice);
        let area = |part: &Part| {
            let middle = (part.south_west.lat_e9 + part.north_east.lat_e9) as f64 / 2.0;
            part.twice_area() as f64 / 2.0 * square_metres_at(middle)
        };
        parts.iter().map(area).sum()
    }

    pub(crate) fn parts(&self, cell: CellIndex) -> &[Part] {
        &self.shapes[cell.get()]
    }

    /// The south-west and north-east corners of everything, in degrees: `[west, south, east, north]`.
    pub fn bbox(&self) -> [f64; 4] {
        let mut bounds = [180.0f64, 90.0, -180.0, -90.0];
        for part in self.shapes.iter().flatten() {
            bounds[0] = bounds[0].min(part.south_west.lon());
            bounds[1] = bounds[1].min(part.south_west.lat());
            bounds[2] = bounds[2].max(part.north_east.lon());
            bounds[3] = bounds[3].max(part.north_east.lat());
        }
        bounds
    }

    /// What was found at loading.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The same layer with another snapping distance.
    pub fn with_snap_mm(mut self, snap_mm: u64) -> Layer {
        self.snap_mm = snap_mm;
        self
    }
}

#[cfg(test)]
mod tests;
