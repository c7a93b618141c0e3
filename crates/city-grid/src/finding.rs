//! What can be wrong with a grid, in words: findings, which are told, and errors, which stop a load.

use std::fmt;

use city_model::Name;
use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The grid works, and somebody should look.
    Warning,
    /// Events go to the wrong cell or to none.
    Error,
}

/// What was found. The names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A ring whose last point is not its first.
    UnclosedRing,
    /// A ring with fewer than three different points or no area; it is left out.
    DegenerateRing,
    /// A ring that crosses or retraces itself.
    SelfCrossing,
    /// A cell of which no usable ring is left.
    NoArea,
    /// Two cells of a level with one code.
    DuplicateCode,
    /// A cell whose enclosing cell is not there.
    MissingParent,
    /// A cell that reaches out of its enclosing cell.
    OutsideParent,
    /// Ground of a cell that none of its children covers.
    ParentNotCovered,
    /// Ground enclosed by a level's cells that belongs to none.
    Gap,
    /// Ground that belongs to two cells of a level.
    Overlap,
    /// A code whose length or characters are not the standard's.
    BadCode,
    /// A cell too small or too thin to be meant.
    Sliver,
    /// A time of validity that is not readable, or an end that is not after its beginning; it is read as unbounded.
    BadValidity,
    /// A file that says it is in a system of another kind than the configured one.
    CrsMismatch,
    /// A text with bytes that are not of its encoding.
    BadText,
    /// A table whose encoding nobody says, or whose `.cpg` names an unknown one.
    EncodingAssumed,
}

impl What {
    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            What::UnclosedRing => "unclosed_ring",
            What::DegenerateRing => "degenerate_ring",
            What::SelfCrossing => "self_crossing",
            What::NoArea => "no_area",
            What::DuplicateCode => "duplicate_code",
            What::MissingParent => "missing_parent",
            What::OutsideParent => "outside_parent",
            What::ParentNotCovered => "parent_not_covered",
            What::Gap => "gap",
            What::Overlap => "overlap",
            What::BadCode => "bad_code",
            What::Sliver => "sliver",
            What::BadValidity => "bad_validity",
            What::CrsMismatch => "crs_mismatch",
            What::BadText => "bad_text",
            What::EncodingAssumed => "encoding_assumed",
        }
    }

    /// How bad it is.
    pub fn severity(self) -> Severity {
        match self {
            What::NoArea
            | What::DuplicateCode
            | What::MissingParent
            | What::OutsideParent
            | What::Gap
            | What::Overlap
            | What::BadValidity
            | What::CrsMismatch => Severity::Error,
            What::UnclosedRing
            | What::DegenerateRing
            | What::SelfCrossing
            | What::ParentNotCovered
            | What::BadCode
            | What::Sliver
            | What::BadText
            | What::EncodingAssumed => Severity::Warning,
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One thing that is wrong with a grid.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The level it is in.
    pub level: Name,
    /// The cell it is about, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Name>,
    /// What it is.
    pub what: What,
    /// Where and how much.
    pub detail: String,
}

impl Finding {
    pub(crate) fn new(what: What, level: &Name, code: Option<&Name>, detail: String) -> Finding {
        Finding {
            severity: what.severity(),
            level: level.clone(),
            code: code.cloned(),
            what,
            detail,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.level)?;
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        write!(f, ": {}", self.detail)
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
