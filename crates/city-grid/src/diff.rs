//! What changed between two versions of a layer, cell by cell.

use std::collections::BTreeMap;
use std::fmt;

use city_model::Name;
use serde::{Deserialize, Serialize};

use crate::coverage::Borders;
use crate::layer::{CellIndex, Layer};

/// How one cell changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The level of the cell.
    pub level: Name,
    /// Its code.
    pub code: Name,
    /// What happened to it.
    #[serde(flatten)]
    pub what: What,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_none = |code: &Option<Name>| code.as_deref().unwrap_or("none").to_owned();
        write!(f, "{} {}: ", self.level, self.code)?;
        match &self.what {
            What::Added { area_m2 } => write!(f, "added, {area_m2:.0} m²"),
            What::Removed { area_m2 } => write!(f, "removed, {area_m2:.0} m²"),
            What::Moved { gained_m2, lost_m2 } => write!(f, "moved, +{gained_m2:.0} m² -{lost_m2:.0} m²"),
            What::Renamed { from, to } => write!(f, "renamed from {from} to {to}"),
            What::Reassigned { from, to } => {
                write!(f, "in charge: {} instead of {}", or_none(to), or_none(from))
            }
            What::Reparented { from, to } => write!(f, "now in {} instead of {}", or_none(to), or_none(from)),
        }
    }
}

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
        // duplicate codes are told apart by their order
        let mut cells: BTreeMap<(Name, usize), [Option<CellIndex>; 2]> = BTreeMap::new();
        for (side, layer) in [old, new].into_iter().enumerate() {
            let Some(at) = layer.levels().position(|name| name == level) else {
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
        for ((code, _), pair) in cells {
            let found = match pair {
                [None, Some(b)] => vec![What::Added {
                    area_m2: new.area_m2(b),
                }],
                [Some(a), None] => vec![What::Removed {
                    area_m2: old.area_m2(a),
                }],
                [Some(a), Some(b)] => compare(old, a, new, b),
                [None, None] => Vec::new(),
            };
            changes.extend(found.into_iter().map(|what| Change {
                level: level.clone(),
                code: code.clone(),
                what,
            }));
        }
    }
    changes
}

fn compare(old: &Layer, a: CellIndex, new: &Layer, b: CellIndex) -> Vec<What> {
    /// Ground below this is rounding of coordinates.
    const MOVED_MIN_M2: f64 = 0.01;
    let mut found = Vec::new();
    let mut borders = Borders::default();
    for part in old.parts(a) {
        borders.add(part, -1);
    }
    for part in new.parts(b) {
        borders.add(part, 1);
    }
    let (mut gained_m2, mut lost_m2) = (0.0, 0.0);
    for region in borders.regions(0, 0.0) {
        let side = if region.cover > 0 {
            &mut gained_m2
        } else {
            &mut lost_m2
        };
        *side += region.area_m2;
    }
    if gained_m2 + lost_m2 > MOVED_MIN_M2 {
        found.push(What::Moved { gained_m2, lost_m2 });
    }
    let (before, now) = (old.cell(a), new.cell(b));
    if before.name != now.name {
        let (from, to) = (before.name.clone(), now.name.clone());
        found.push(What::Renamed { from, to });
    }
    if before.unit != now.unit {
        let (from, to) = (before.unit.clone(), now.unit.clone());
        found.push(What::Reassigned { from, to });
    }
    let code = |layer: &Layer, parent: Option<CellIndex>| parent.map(|at| layer.cell(at).code.clone());
    let (from, to) = (code(old, before.parent), code(new, now.parent));
    if from != to {
        found.push(What::Reparented { from, to });
    }
    found
}

#[cfg(test)]
mod tests;
