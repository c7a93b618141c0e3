//! The one cell of each level that a point lies in, and the cells around it.

use city_model::{Plane, Point, Position};
use rstar::AABB;

use super::{CellIndex, Entry, Layer, Level, Located, Status, corner};
use crate::ground::{Part, Side};

impl Layer {
    /// The cell that holds `position`, of the finest level that has ground there, and how sure that is.
    pub fn locate(&self, position: Position) -> Located {
        let located = |status: Status, cell: CellIndex, snapped_mm: u64| Located {
            status,
            cell: Some(cell),
            snapped_mm,
        };
        for level in self.levels.iter().rev() {
            if let Some(cell) = self.hit(level, position) {
                return located(Status::Inside, cell, 0);
            }
            // distances are whole millimetres, so the least one is not nothing
            if self.snap_mm > 0
                && let Some(&(mm, cell)) = self.around(level, position, self.snap_mm).first()
            {
                return located(Status::Snapped, cell, mm);
            }
        }
        Located {
            status: Status::Outside,
            cell: None,
            snapped_mm: 0,
        }
    }

    /// The cell of the level with the smallest code that holds the point.
    pub(super) fn hit(&self, level: &Level, position: Position) -> Option<CellIndex> {
        match &level.raster {
            Some(raster) => {
                let cell = raster.at(self.ground.points(), position)?;
                Some(CellIndex(level.first + cell))
            }
            None => self.hit_by_tree(level, position),
        }
    }

    /// The same without the raster.
    pub(super) fn hit_by_tree(&self, level: &Level, position: Position) -> Option<CellIndex> {
        let point = AABB::from_point(corner(position));
        let mut best: Option<u32> = None;
        for entry in level.tree.locate_in_envelope_intersecting(point) {
            if best.is_none_or(|best| entry.cell < best) && self.side(entry, position) != Side::Outside {
                best = Some(entry.cell);
            }
        }
        best.map(CellIndex)
    }

    fn side(&self, entry: &Entry, position: Position) -> Side {
        self.ground.part(entry.part).side(position)
    }

    /// The cells of a level within `radius_mm`, with their distance (0 inside), nearest first, ties by code.
    fn around(&self, level: &Level, position: Position, radius_mm: u64) -> Vec<(u64, CellIndex)> {
        const RADIUS_MAX_MM: u64 = 1_000_000_000; // the plane means nothing beyond
        if position.lon_e9.abs_diff(0) > 180_000_000_000 || position.lat_e9.abs_diff(0) > 90_000_000_000 {
            return Vec::new();
        }
        let radius_mm = radius_mm.min(RADIUS_MAX_MM);
        let plane = Plane::at(position);
        let reach = radius_mm as i64 + 1;
        let far = plane.unproject(Point { x: reach, y: reach });
        let lon = far.lon_e9.saturating_sub(position.lon_e9).max(1);
        let lat = far.lat_e9.saturating_sub(position.lat_e9).max(1);
        let corner_at = |side: i64| {
            corner(Position {
                lon_e9: position.lon_e9.saturating_add(side.saturating_mul(lon)),
                lat_e9: position.lat_e9.saturating_add(side.saturating_mul(lat)),
            })
        };
        let near = AABB::from_corners(corner_at(-1), corner_at(1));
        let mut found: Vec<(u64, CellIndex)> = Vec::new();
        for entry in level.tree.locate_in_envelope_intersecting(near) {
            let mm = match self.side(entry, position) {
                Side::Outside => self.ground.part(entry.part).border_mm(&plane),
                Side::Inside | Side::Border => 0,
            };
            if mm <= radius_mm {
                found.push((mm, CellIndex(entry.cell)));
            }
        }
        found.sort_unstable_by_key(|&(mm, cell)| (cell, mm));
        found.dedup_by_key(|&mut (_, cell)| cell); // several parts: the nearest stays
        found.sort_unstable();
        found
    }

    /// The finest cells within a radius, the nearest first.
    pub fn near(&self, position: Position, radius_mm: u64) -> Vec<CellIndex> {
        let Some(level) = self.levels.last() else {
            return Vec::new();
        };
        let found = self.around(level, position, radius_mm);
        found.into_iter().map(|(_, cell)| cell).collect()
    }

    /// The distance from a position to the nearest border of a cell, from inside or outside, in millimetres.
    /// 0 for a cell without ground.
    pub fn border_distance_mm(&self, cell: CellIndex, position: Position) -> u64 {
        let plane = Plane::at(position);
        let borders = self.parts(cell).map(|part| part.border_mm(&plane));
        borders.min().unwrap_or(0)
    }

    /// All cells of a level that hold a position, by code.
    pub(crate) fn all_at(&self, level: usize, position: Position) -> Vec<CellIndex> {
        let point = AABB::from_point(corner(position));
        let trees = self.levels.get(level).into_iter();
        let mut found: Vec<CellIndex> = trees
            .flat_map(|level| level.tree.locate_in_envelope_intersecting(point))
            .filter(|entry| self.side(entry, position) != Side::Outside)
            .map(|entry| CellIndex(entry.cell))
            .collect();
        found.sort_unstable();
        found.dedup(); // a cell may have several parts there
        found
    }

    /// The cells of a level whose boxes meet those of some ground, by code.
    pub(crate) fn meeting<'a>(&self, level: usize, ground: impl Iterator<Item = Part<'a>>) -> Vec<CellIndex> {
        let mut found = Vec::new();
        for part in ground {
            let bounds = AABB::from_corners(corner(part.south_west), corner(part.north_east));
            let trees = self.levels.get(level).into_iter();
            let entries = trees.flat_map(|level| level.tree.locate_in_envelope_intersecting(bounds));
            found.extend(entries.map(|entry| CellIndex(entry.cell)));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The few cells of a level nearest to a position, within a kilometre.
    pub(crate) fn nearest_at(&self, level: usize, position: Position) -> Vec<CellIndex> {
        let found = self
            .levels
            .get(level)
            .map(|level| self.around(level, position, 1_000_000));
        let found = found.unwrap_or_default().into_iter().take(3);
        found.map(|(_, cell)| cell).collect()
    }
}
