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
mod bent;
mod holes;
mod locate;
mod normal;
mod shares;

use city_model::{Name, Position};
use rstar::{AABB, RTree, RTreeObject};
use serde::{Deserialize, Serialize};

pub(crate) use assemble::Draft;
pub use config::{LayerConfig, LevelConfig};
pub use read::{LevelSource, is_shapefile};
pub use shares::Share;
pub use timeline::{STATES_MAX, Timeline};
pub use validity::moment_of;

use crate::coverage::{square_metres_at, twice_ground};
use crate::finding::Finding;
use crate::ground::{Ground, Part};
use crate::raster::Raster;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Located {
    /// How it relates to the layer.
    pub status: Status,
    cell: Option<CellIndex>,
    /// How far outside its cell a snapped point is, in millimetres; otherwise 0.
    pub snapped_mm: u64,
}

impl Located {
    /// The cell that holds it: of the finest level, unless only a wider one has ground there. None outside.
    pub fn cell(&self) -> Option<CellIndex> {
        self.cell
    }

    /// The cells of `layer` that hold it, widest first; empty outside.
    pub fn path(&self, layer: &Layer) -> Vec<CellIndex> {
        self.cell.map_or_else(Vec::new, |cell| layer.path(cell))
    }
}

/// What a layer takes in memory, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bytes {
    /// The borders themselves.
    pub borders: usize,
    /// The R-trees, without what their inner nodes take beside the boxes of the parts.
    pub trees: usize,
    /// The pixels in front of them.
    pub rasters: usize,
    /// Codes, names, units and parents.
    pub cells: usize,
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
    ground: Ground,
    snap_mm: u64,
    findings: Vec<Finding>,
}

#[derive(Debug, Clone)]
struct Level {
    name: Name,
    first: u32,
    end: u32,
    tree: RTree<Entry>,
    /// In front of the tree, where the level has ground.
    raster: Option<Raster>,
}

/// One part in the tree: boxes of whole multipolygons would overlap half the city.
#[derive(Debug, Clone)]
struct Entry {
    bounds: AABB<[f64; 2]>,
    cell: u32,
    /// Its number in the ground.
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

    /// Whether the code of any cell begins so.
    pub fn reaches(&self, prefix: &str) -> bool {
        self.levels.iter().any(|level| {
            let cells = &self.cells[level.first as usize..level.end as usize];
            let at = cells.partition_point(|cell| &*cell.code < prefix);
            cells.get(at).is_some_and(|cell| cell.code.starts_with(prefix))
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

    /// A cell and those that enclose it, widest first.
    pub fn path(&self, cell: CellIndex) -> Vec<CellIndex> {
        let enclosing = |cell: &CellIndex| self.cell(*cell).parent; // one level wider, so this ends
        let mut path: Vec<CellIndex> = std::iter::successors(Some(cell), enclosing).collect();
        path.reverse();
        path
    }

    /// A point well inside the cell; `None` for a cell without ground.
    pub fn inner_point(&self, cell: CellIndex) -> Option<Position> {
        let inner = self.parts(cell).filter_map(Part::inner_point);
        inner.max_by_key(|&(p, width)| (width, p)).map(|(p, _)| p)
    }

    /// The ground of a cell: polygons of rings, the outer one first; rings are not closed.
    pub fn polygons(&self, cell: CellIndex) -> impl Iterator<Item = impl Iterator<Item = &[Position]>> {
        self.parts(cell).map(Part::rings)
    }

    /// The area of a cell, in square metres, by the even-odd rule where its rings cross. Ground of several parts counts in each.
    pub fn area_m2(&self, cell: CellIndex) -> f64 {
        let area = |part: Part<'_>| {
            let middle = (part.south_west.lat_e9 + part.north_east.lat_e9) as f64 / 2.0;
            twice_ground(part) as f64 / 2.0 * square_metres_at(middle)
        };
        self.parts(cell).map(area).fold(0.0, std::ops::Add::add) // an empty `sum` is -0
    }

    /// All cells of a level with a code.
    pub(crate) fn of_code(&self, level: &str, code: &str) -> Vec<CellIndex> {
        let level = self.levels.iter().find(|other| &*other.name == level);
        let range = level.map_or(0..0, |level| level.first..level.end);
        let cells = &self.cells[range.start as usize..range.end as usize];
        let first = cells.partition_point(|cell| &*cell.code < code);
        let same = cells[first..]
            .iter()
            .take_while(|cell| &*cell.code == code)
            .count();
        let first = range.start + first as u32;
        (first..first + same as u32).map(CellIndex).collect()
    }

    pub(crate) fn parts(&self, cell: CellIndex) -> impl ExactSizeIterator<Item = Part<'_>> + Clone {
        self.ground.parts(cell.get())
    }

    /// The south-west and north-east corners of everything, in degrees: `[west, south, east, north]`.
    pub fn bbox(&self) -> [f64; 4] {
        let Some((south_west, north_east)) = self.ground.corners(0..self.cells.len()) else {
            return [180.0, 90.0, -180.0, -90.0];
        };
        [
            south_west.lon(),
            south_west.lat(),
            north_east.lon(),
            north_east.lat(),
        ]
    }

    /// What the layer takes in memory.
    pub fn bytes(&self) -> Bytes {
        let rasters = self.levels.iter().filter_map(|level| level.raster.as_ref());
        let entries: usize = self.levels.iter().map(|level| level.tree.size()).sum();
        let texts =
            |cell: &Cell| cell.code.len() + cell.name.len() + cell.unit.as_ref().map_or(0, |u| u.len());
        Bytes {
            borders: self.ground.bytes(),
            trees: entries * size_of::<Entry>(),
            rasters: rasters.map(Raster::bytes).sum(),
            cells: size_of_val(&*self.cells) + self.cells.iter().map(texts).sum::<usize>(),
        }
    }

    /// What was found at loading.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The same layer with another snapping distance; 0 is no snapping.
    pub fn with_snap_mm(mut self, snap_mm: u64) -> Layer {
        self.snap_mm = snap_mm;
        self
    }
}

#[cfg(test)]
mod tests;
