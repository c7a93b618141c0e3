//! How a layer's files are to be read.

use serde::{Deserialize, Serialize};

use crate::crs::Crs;

/// A layer as configured: its name, and its levels, widest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerConfig {
    /// The layer's name: `duty`, `police` …
    pub name: String,
    /// Widest first; a flat layer has one.
    pub levels: Vec<LevelConfig>,
}

/// How to read the file of one level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelConfig {
    /// `district`, `town`, `village`, `duty_cell`, `unit_cell`, or another name.
    pub level: String,
    /// The coordinate system of the file.
    pub crs: Crs,
    /// The property that holds a cell's code, a text or a number.
    pub code: String,
    /// The property that holds its name.
    pub label: String,
    /// The property that holds the code of the enclosing cell; otherwise that is found by position.
    #[serde(default)]
    pub parent: Option<String>,
    /// The property that names the unit or grid head in charge.
    #[serde(default)]
    pub unit: Option<String>,
    /// The property that holds when the cell begins to be valid. Blank: it always was.
    #[serde(default)]
    pub valid_from: Option<String>,
    /// The property that holds when it ends to be; that moment is no longer the cell's. Blank: it has no end.
    #[serde(default)]
    pub valid_to: Option<String>,
    /// The encoding of a shapefile's table, by its usual name; otherwise its `.cpg` or its header says.
    #[serde(default)]
    pub encoding: Option<String>,
}
