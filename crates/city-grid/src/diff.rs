//! What changed between two versions of a layer, cell by cell and ground by ground.

mod ground;
mod told;

use std::collections::BTreeMap;

use city_model::{Name, Position};
use serde::Serialize;

use crate::coverage::Borders;
use crate::geometry::Geometry;
use crate::layer::{CellIndex, Layer};

/// Ground of one cell that is another's in the other version.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Share {
    /// The other cell's code.
    pub code: Name,
    /// The ground that they have in common, in m².
    pub area_m2: f64,
    /// The same as a share of the cell that the change is about, 0 to 1.
    pub share: f64,
}

/// How one cell changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "change")]
pub enum What {
    /// The cell is new.
    Added {
        /// Its area in m².
        area_m2: f64,
    },
    /// The cell is gone.
    Removed {
        /// Its area in m².
        area_m2: f64,
    },
    /// The cell has a new code and the old ground.
    Recoded {
        /// The code before.
        from: Name,
        /// The ground that both have, in m².
        area_m2: f64,
        /// The same as a share of the new cell, 0 to 1.
        share: f64,
    },
    /// The ground of an old cell is several cells' now. Told of the old code, besides what was added and removed.
    Split {
        /// Who has it now, the largest share first.
        into: Vec<Share>,
    },
    /// A cell's ground was several cells' before. Told of the new code, besides what was added and removed.
    Merged {
        /// Who had it, the largest share first.
        from: Vec<Share>,
    },
    /// Its border moved.
    Moved {
        /// Ground it won, in m².
        gained_m2: f64,
        /// Ground it lost, in m².
        lost_m2: f64,
    },
    /// It has another name.
    Renamed {
        /// The name before.
        from: Name,
        /// The name now.
        to: Name,
    },
    /// Another unit is in charge.
    Reassigned {
        /// The unit before.
        from: Option<Name>,
        /// The unit now.
        to: Option<Name>,
    },
    /// It belongs to another enclosing cell.
    Reparented {
        /// The code of the enclosing cell before.
        from: Option<Name>,
        /// The code of the enclosing cell now.
        to: Option<Name>,
    },
}

/// One change of one cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The level of the cell.
    pub level: Name,
    /// Its code.
    pub code: Name,
    /// What happened to it.
    #[serde(flatten)]
    pub what: What,
    /// A point in what changed.
    #[serde(skip)]
    pub position: Option<Position>,
    /// The ground that changed: what a moved border gave and took, otherwise the cell.
    #[serde(skip)]
    pub geometry: Geometry,
}

/// The old and the new version of a level.
struct Sides<'a> {
    layers: [&'a Layer; 2],
    /// The level's number in each, where it has it.
    levels: [Option<usize>; 2],
}

const OLD: usize = 0;
const NEW: usize = 1;

/// The changes from `old` to `new`: levels in the order of `new`, then those that are gone; cells by code. A ring that merely
/// starts at another point, or has more points on the same line, did not move.
pub fn diff(old: &Layer, new: &Layer) -> Vec<Change> {
    let mut levels: Vec<Name> = new.levels().cloned().collect();
    levels.extend(
        old.levels()
            .filter(|level| new.levels().all(|other| other != *level))
            .cloned(),
    );
    let mut changes = Vec::new();
    for level in &levels {
        let layers = [old, new];
        let levels = layers.map(|layer| layer.levels().position(|name| name == level));
        changes.extend(of_level(&Sides { layers, levels }, level));
    }
    changes
}

fn of_level(sides: &Sides<'_>, level: &Name) -> Vec<Change> {
    let [old, new] = sides.layers;
    // duplicate codes are told apart by their order
    let mut cells: BTreeMap<(Name, usize), [Option<CellIndex>; 2]> = BTreeMap::new();
    for (side, layer) in sides.layers.into_iter().enumerate() {
        let Some(at) = sides.levels[side] else {
            continue;
        };
        let mut last: Option<(Name, usize)> = None;
        for (index, cell) in layer.cells(at) {
            let nth = match &last {
                Some((code, nth)) if *code == cell.code => nth + 1,
                _ => 0,
            };
            last = Some((cell.code.clone(), nth));
            cells.entry((cell.code.clone(), nth)).or_default()[side] = Some(index);
        }
    }
    let mut changes: Vec<Change> = Vec::new();
    let mut changed = ground::Changed::default();
    for pair in cells.values() {
        match *pair {
            [None, Some(b)] => changed.added.push(b),
            [Some(a), None] => changed.removed.push(a),
            [Some(a), Some(b)] => {
                if compare(sides, a, b, level, &mut changes) {
                    changed.moved.push((a, b));
                }
            }
            [None, None] => {}
        }
    }
    let recoded = ground::overlay(sides, level, &changed, &mut changes);
    for &cell in changed
        .added
        .iter()
        .filter(|&&cell| !recoded.contains(&(NEW, cell)))
    {
        let area_m2 = new.area_m2(cell);
        changes.push(whole(new, cell, level, What::Added { area_m2 }));
    }
    for &cell in changed
        .removed
        .iter()
        .filter(|&&cell| !recoded.contains(&(OLD, cell)))
    {
        let area_m2 = old.area_m2(cell);
        changes.push(whole(old, cell, level, What::Removed { area_m2 }));
    }
    changes.sort_by(|a, b| a.code.cmp(&b.code).then(a.what.rank().cmp(&b.what.rank())));
    changes
}

/// A change of a whole cell.
fn whole(layer: &Layer, cell: CellIndex, level: &Name, what: What) -> Change {
    Change {
        level: level.clone(),
        code: layer.cell(cell).code.clone(),
        what,
        position: layer.inner_point(cell),
        geometry: Geometry::of_parts(layer.parts(cell)),
    }
}

/// What changed of a cell that both have; answers whether its border moved.
fn compare(sides: &Sides<'_>, a: CellIndex, b: CellIndex, level: &Name, changes: &mut Vec<Change>) -> bool {
    /// Ground below this is rounding of coordinates.
    const MOVED_MIN_M2: f64 = 0.01;
    let [old, new] = sides.layers;
    let mut borders = Borders::default();
    old.parts(a).for_each(|part| borders.add(part, -1));
    new.parts(b).for_each(|part| borders.add(part, 1));
    let regions = borders.regions(0, 0.0);
    let sum = |gained: bool| -> f64 {
        let there = regions.iter().filter(|region| (region.cover > 0) == gained);
        there.fold(0.0, |sum, region| sum + region.area_m2) // an empty `sum` is -0
    };
    let (gained_m2, lost_m2) = (sum(true), sum(false));
    let moved = gained_m2 + lost_m2 > MOVED_MIN_M2;
    if moved {
        let largest = regions.iter().max_by(|a, b| a.area_m2.total_cmp(&b.area_m2));
        changes.push(Change {
            position: largest.map(|region| region.sample),
            geometry: Geometry::polygons(regions.into_iter().flat_map(|region| region.polygons).collect()),
            ..whole(new, b, level, What::Moved { gained_m2, lost_m2 })
        });
    }
    let (before, now) = (old.cell(a), new.cell(b));
    if before.name != now.name {
        let (from, to) = (before.name.clone(), now.name.clone());
        changes.push(whole(new, b, level, What::Renamed { from, to }));
    }
    if before.unit != now.unit {
        let (from, to) = (before.unit.clone(), now.unit.clone());
        changes.push(whole(new, b, level, What::Reassigned { from, to }));
    }
    let code = |layer: &Layer, parent: Option<CellIndex>| parent.map(|at| layer.cell(at).code.clone());
    let (from, to) = (code(old, before.parent), code(new, now.parent));
    if from != to {
        changes.push(whole(new, b, level, What::Reparented { from, to }));
    }
    moved
}

#[cfg(test)]
mod tests;
