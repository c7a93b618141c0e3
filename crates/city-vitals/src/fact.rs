//! What changes the vital signs: facts, each about the cells of one layer that lie within each other.

use city_model::{Band, EventTime, Name};
use serde::{Deserialize, Serialize};

/// The layer, and the level, of the whole city: what lies in no cell counts there, too.
pub(crate) const CITY: &str = "city";
/// Levels on which a rise is a notice, besides the widest of each layer: below, numbers are too small to say anything.
const WATCHED: [&str; 3] = [CITY, "district", "town"];

/// A cell that something counts in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// The level's name.
    pub level: Name,
    /// The cell's code.
    pub code: Name,
    /// The cell's name.
    pub name: Name,
    /// Whether a rise over the usual is a notice here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub watched: bool,
    /// Whether the same trouble coming back is a notice here: the finest cell of its layer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub finest: bool,
}

/// The cells of one layer, widest first; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Path {
    /// The layer's name.
    pub layer: Name,
    /// Its cells.
    pub cells: Vec<Cell>,
}

impl Path {
    /// The key by which facts travel: layer and widest cell, so that all that sums up lies in one place.
    pub fn key(&self) -> String {
        let code = self.cells.first().map_or("", |cell| &*cell.code);
        format!("{}/{code}", self.layer)
    }
}

/// Names a cell for [`paths`]: layer, level, code, name.
pub(crate) type CellsOf<'a> = (&'a Name, &'a Name, &'a Name, &'a Name);

/// The paths of something with these cells, widest first within a layer; the whole city's comes first.
pub(crate) fn paths<'a>(city: &Name, cells: impl Iterator<Item = CellsOf<'a>>) -> Vec<Path> {
    let whole = Cell {
        level: CITY.into(),
        code: city.clone(),
        name: "".into(),
        watched: true,
        finest: false,
    };
    let mut paths = vec![Path {
        layer: CITY.into(),
        cells: vec![whole],
    }];
    for (layer, level, code, name) in cells {
        let mut cell = Cell {
            level: level.clone(),
            code: code.clone(),
            name: name.clone(),
            watched: WATCHED.contains(&&**level),
            finest: true,
        };
        match paths.last_mut().filter(|path| path.layer == *layer) {
            Some(path) => {
                path.cells.iter_mut().for_each(|wider| wider.finest = false);
                path.cells.push(cell);
            }
            None => {
                cell.watched = true;
                paths.push(Path {
                    layer: layer.clone(),
                    cells: vec![cell],
                });
            }
        }
    }
    paths
}

/// What an incident counts as. The first five are sums that are corrected when it is told otherwise; the rest is what was
/// told in a minute, and stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It was opened then.
    Opened(EventTime),
    /// It was opened then, and repeats a closed one of the same place (复发).
    Recurred(EventTime),
    /// It is open, in this band.
    Open(Band),
    /// It is open, and the next thing to be done about it is due at this step of ten minutes since 1970.
    Due(i64),
    /// A new incident.
    Began(EventTime),
    /// It was closed.
    Ended(EventTime),
    /// It came into a more urgent band.
    Escalated(EventTime),
    /// It was closed and is open again.
    Reopened,
    /// It became part of another.
    Merged,
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// How far the log's clock has come in one of its partitions.
    Clock {
        /// The partition.
        partition: u32,
        /// How many there are.
        of: u32,
        /// Its clock.
        at: EventTime,
    },
    /// Something about an incident.
    Incident {
        /// Where: cells within each other.
        path: Path,
        /// Its kind.
        kind: Name,
        /// What it counts as, and how often: negative to take it back.
        counts: Vec<(What, i64)>,
        /// When it became so, as far as that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<EventTime>,
    },
    /// Events that were taken in.
    Events {
        /// Where.
        path: Path,
        /// The minute since 1970, the stream, how many.
        counts: Vec<(i64, Name, i64)>,
    },
}
