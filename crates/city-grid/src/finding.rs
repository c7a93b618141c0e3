//! What can be wrong with a grid, in words and with its place: findings, which are told, and errors, which stop a load.

mod what;

use std::fmt;

use city_model::{Name, Position};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::geometry::Geometry;
pub use what::What;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The grid works, and somebody should look.
    Warning,
    /// Events go to the wrong cell or to none.
    Error,
}

/// One thing that is wrong with a grid.
///
/// Two findings are the same when they say the same of the same place.
#[derive(Debug, Clone)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The level it is in.
    pub level: Name,
    /// The cell it is about, where it is about one.
    pub code: Option<Name>,
    /// All cells concerned, the one that it is about first.
    pub codes: Vec<Name>,
    /// What it is.
    pub what: What,
    /// Where and how much, in words.
    pub detail: String,
    /// A point in it.
    pub position: Option<Position>,
    /// The ground that is wrong, in m².
    pub area_m2: Option<f64>,
    /// The length of border that is wrong, in metres.
    pub length_m: Option<f64>,
    /// What to look at.
    pub geometry: Geometry,
}

impl Finding {
    pub(crate) fn new(what: What, level: &Name, code: Option<&Name>, detail: String) -> Finding {
        Finding {
            severity: what.severity(),
            level: level.clone(),
            code: code.cloned(),
            codes: code.cloned().into_iter().collect(),
            what,
            detail,
            position: None,
            area_m2: None,
            length_m: None,
            geometry: Geometry::None,
        }
    }

    /// The same with its place.
    pub(crate) fn at(mut self, position: Position, geometry: Geometry) -> Finding {
        self.position = Some(position);
        self.geometry = geometry;
        self
    }

    /// The same at one or more points.
    pub(crate) fn at_points(self, points: &[Position]) -> Finding {
        match points.first() {
            Some(&first) => self.at(first, Geometry::Points(points.to_vec())),
            None => self,
        }
    }

    /// What it says, by name: of a line of JSON and of a feature's properties alike.
    pub fn properties(&self) -> Map<String, Value> {
        let mut told = Map::new();
        let mut put = |name: &str, value: Value| told.insert(name.to_owned(), value);
        put("level", json!(self.level));
        put("what", json!(self.what.name()));
        put("severity", json!(self.severity));
        put("code", json!(self.code));
        put("codes", json!(self.codes));
        put("detail", json!(self.detail));
        if let Some(position) = self.position {
            put("lon", json!(position.lon()));
            put("lat", json!(position.lat()));
        }
        if let Some(area_m2) = self.area_m2 {
            put("area_m2", json!(libm::round(area_m2 * 100.0) / 100.0));
        }
        if let Some(length_m) = self.length_m {
            put("length_m", json!(libm::round(length_m * 100.0) / 100.0));
        }
        told
    }

    /// Errors first, then by kind, the largest first; what is left decides ties, so that the order is one.
    pub fn worst_first(&self, other: &Finding) -> std::cmp::Ordering {
        let size = |finding: &Finding| finding.area_m2.or(finding.length_m).unwrap_or(0.0);
        let by_severity = other.severity.cmp(&self.severity);
        by_severity
            .then_with(|| self.what.cmp(&other.what))
            .then_with(|| size(other).total_cmp(&size(self)))
            .then_with(|| self.cmp(other))
    }

    fn key(&self) -> (Severity, &Name, Option<&Name>, What, &str, Option<Position>) {
        let code = self.code.as_ref();
        (
            self.severity,
            &self.level,
            code,
            self.what,
            &self.detail,
            self.position,
        )
    }
}

impl PartialEq for Finding {
    fn eq(&self, other: &Finding) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Finding {}

impl PartialOrd for Finding {
    fn partial_cmp(&self, other: &Finding) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// By level and code, whatever the order in which they were found.
impl Ord for Finding {
    fn cmp(&self, other: &Finding) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.level)?;
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        write!(f, ": {}", self.detail)?;
        match self
            .position
            .map(|at| format!("near {:.6}, {:.6}", at.lon(), at.lat()))
        {
            Some(near) if !self.detail.contains(&near) => write!(f, ", {near}"),
            _ => Ok(()),
        }
    }
}

/// Why a grid could not be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GridError {
    /// The configuration and the texts do not fit together.
    Config(String),
    /// A level's file is not usable: not of any format that is read, or damaged.
    File {
        /// The level.
        level: String,
        /// What is wrong.
        what: String,
    },
    /// One feature of a level is unusable.
    Feature {
        /// The level.
        level: String,
        /// Its index in the file, from 0.
        index: usize,
        /// Its code, where it was readable.
        code: Option<String>,
        /// What is wrong.
        what: String,
    },
}

impl GridError {
    /// The same with what explains it.
    pub(crate) fn because(mut self, why: &str) -> GridError {
        match &mut self {
            GridError::Config(what) | GridError::File { what, .. } | GridError::Feature { what, .. } => {
                what.push_str("; ");
                what.push_str(why);
            }
        }
        self
    }
}

impl fmt::Display for GridError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GridError::Config(what) => write!(f, "grid: {what}"),
            GridError::File { level, what } => write!(f, "grid level `{level}`: {what}"),
            GridError::Feature {
                level,
                index,
                code,
                what,
            } => {
                write!(f, "grid level `{level}`, feature {index}")?;
                if let Some(code) = code {
                    write!(f, " (code {code})")?;
                }
                write!(f, ": {what}")
            }
        }
    }
}

impl std::error::Error for GridError {}
