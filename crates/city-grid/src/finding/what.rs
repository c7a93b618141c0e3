//! The kinds of findings, with names that stay.

use std::fmt;

use super::Severity;

/// What was found. The names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// A ring whose last point is not its first.
    UnclosedRing,
    /// A ring with fewer than three different points or no area; it is left out.
    DegenerateRing,
    /// A point that a ring has twice in a row; it counts once.
    RepeatedPoint,
    /// A ring that crosses itself, or goes back over a stretch that it has been along before.
    SelfCrossing,
    /// A ring that goes to a point and straight back.
    Spike,
    /// A cell of which no usable ring is left, or whose rings enclose nothing by the even-odd rule.
    NoArea,
    /// A hole that reaches out of its polygon.
    HoleOutside,
    /// Two holes of a polygon that overlap.
    HolesOverlap,
    /// Two parts of a cell that overlap.
    PartsOverlap,
    /// Two parts of a cell with a stretch of border in common: they are one part.
    PartsTouch,
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
    /// A gap that is a thin strip along a border.
    SeamGap,
    /// Ground that belongs to two cells of a level.
    Overlap,
    /// An overlap that is a thin strip along a border.
    SeamOverlap,
    /// A cell that lies wholly in another of its level.
    InsideAnother,
    /// Two cells of a level with the same ground.
    SameGround,
    /// A code whose length or characters are not the standard's.
    BadCode,
    /// A code that does not begin with that of the enclosing cell, where the standard says that it does.
    CodeNotNested,
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
    /// Every kind.
    pub const ALL: [What; 27] = [
        What::UnclosedRing,
        What::DegenerateRing,
        What::RepeatedPoint,
        What::SelfCrossing,
        What::Spike,
        What::NoArea,
        What::HoleOutside,
        What::HolesOverlap,
        What::PartsOverlap,
        What::PartsTouch,
        What::DuplicateCode,
        What::MissingParent,
        What::OutsideParent,
        What::ParentNotCovered,
        What::Gap,
        What::SeamGap,
        What::Overlap,
        What::SeamOverlap,
        What::InsideAnother,
        What::SameGround,
        What::BadCode,
        What::CodeNotNested,
        What::Sliver,
        What::BadValidity,
        What::CrsMismatch,
        What::BadText,
        What::EncodingAssumed,
    ];

    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            What::UnclosedRing => "unclosed_ring",
            What::DegenerateRing => "degenerate_ring",
            What::RepeatedPoint => "repeated_point",
            What::SelfCrossing => "self_crossing",
            What::Spike => "spike",
            What::NoArea => "no_area",
            What::HoleOutside => "hole_outside",
            What::HolesOverlap => "holes_overlap",
            What::PartsOverlap => "parts_overlap",
            What::PartsTouch => "parts_touch",
            What::DuplicateCode => "duplicate_code",
            What::MissingParent => "missing_parent",
            What::OutsideParent => "outside_parent",
            What::ParentNotCovered => "parent_not_covered",
            What::Gap => "gap",
            What::SeamGap => "seam_gap",
            What::Overlap => "overlap",
            What::SeamOverlap => "seam_overlap",
            What::InsideAnother => "inside_another",
            What::SameGround => "same_ground",
            What::BadCode => "bad_code",
            What::CodeNotNested => "code_not_nested",
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
            | What::InsideAnother
            | What::SameGround
            | What::BadValidity
            | What::CrsMismatch => Severity::Error,
            What::UnclosedRing
            | What::DegenerateRing
            | What::RepeatedPoint
            | What::SelfCrossing
            | What::Spike
            | What::HoleOutside
            | What::HolesOverlap
            | What::PartsOverlap
            | What::PartsTouch
            | What::ParentNotCovered
            | What::SeamGap
            | What::SeamOverlap
            | What::BadCode
            | What::CodeNotNested
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
