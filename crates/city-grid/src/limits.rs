//! How bad a grid may be: for each kind of finding whether it is told, and from what size on it refuses the grid.

mod area;

use serde::{Deserialize, Serialize};

use crate::finding::{Finding, What};

/// What to do about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing.
    Ignore,
    /// Tell it.
    Warn,
    /// Do not start with this grid.
    Refuse,
}

/// From what area on ground that is wrong is told, and from what area on it refuses the grid.
///
/// In a configuration it is a table of these keys, or a [`Verdict`] about whatever is more than rounding.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AreaLimit {
    /// Told if larger than this, in m².
    pub warn_m2: f64,
    /// Refuses the grid if larger than this, in m²; unset: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refuse_m2: Option<f64>,
}

/// Up to this, ground that is wrong is rounding of coordinates.
fn rounding_m2() -> f64 {
    1.0
}

impl Default for AreaLimit {
    fn default() -> AreaLimit {
        AreaLimit {
            warn_m2: rounding_m2(),
            refuse_m2: None,
        }
    }
}

impl AreaLimit {
    fn judge(self, area_m2: f64) -> Verdict {
        if self.refuse_m2.is_some_and(|most| area_m2 > most) {
            Verdict::Refuse
        } else if area_m2 > self.warn_m2 {
            Verdict::Warn
        } else {
            Verdict::Ignore
        }
    }
}

/// What makes a cell a sliver.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(
    default,
    deny_unknown_fields,
    expecting = "a table such as { warn_m2 = 25.0, refuse_m2 = 1.0, width_m = 2.0 }"
)]
pub struct SliverLimit {
    /// A cell smaller than this is told, in m².
    pub warn_m2: f64,
    /// A cell smaller than this refuses the grid, in m²; unset: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refuse_m2: Option<f64>,
    /// A cell, gap or overlap of less mean width (twice the area over the length of the border) is a sliver, in metres.
    pub width_m: f64,
}

impl Default for SliverLimit {
    /// The smallest duty cells are a few hundred square metres; two metres is the width of a pavement.
    fn default() -> SliverLimit {
        SliverLimit {
            warn_m2: 25.0,
            refuse_m2: None,
            width_m: 2.0,
        }
    }
}

/// `[grid.limits]`: what of a grid's flaws is told and what refuses it. By default nothing refuses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "each is the kind of finding of its name")]
pub struct Limits {
    /// Gaps, seam gaps included.
    pub gap: AreaLimit,
    /// Overlaps, seam overlaps included.
    pub overlap: AreaLimit,
    pub outside_parent: AreaLimit,
    pub parent_not_covered: AreaLimit,
    pub sliver: SliverLimit,
    pub unclosed_ring: Verdict,
    pub degenerate_ring: Verdict,
    pub repeated_point: Verdict,
    pub self_crossing: Verdict,
    pub spike: Verdict,
    pub no_area: Verdict,
    pub hole_outside: Verdict,
    pub holes_overlap: Verdict,
    pub parts_overlap: Verdict,
    pub parts_touch: Verdict,
    pub duplicate_code: Verdict,
    pub missing_parent: Verdict,
    pub inside_another: Verdict,
    pub same_ground: Verdict,
    pub bad_code: Verdict,
    pub code_not_nested: Verdict,
    pub bad_validity: Verdict,
    pub crs_mismatch: Verdict,
    pub bad_text: Verdict,
    pub encoding_assumed: Verdict,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            gap: AreaLimit::default(),
            overlap: AreaLimit::default(),
            outside_parent: AreaLimit::default(),
            parent_not_covered: AreaLimit::default(),
            sliver: SliverLimit::default(),
            unclosed_ring: Verdict::Warn,
            degenerate_ring: Verdict::Warn,
            repeated_point: Verdict::Ignore, // it means nothing, and many exports have them
            self_crossing: Verdict::Warn,
            spike: Verdict::Warn,
            no_area: Verdict::Warn,
            hole_outside: Verdict::Warn,
            holes_overlap: Verdict::Warn,
            parts_overlap: Verdict::Warn,
            parts_touch: Verdict::Warn,
            duplicate_code: Verdict::Warn,
            missing_parent: Verdict::Warn,
            inside_another: Verdict::Warn,
            same_ground: Verdict::Warn,
            bad_code: Verdict::Warn,
            code_not_nested: Verdict::Warn,
            bad_validity: Verdict::Warn,
            crs_mismatch: Verdict::Warn,
            bad_text: Verdict::Warn,
            encoding_assumed: Verdict::Warn,
        }
    }
}

impl Limits {
    /// The key, in `[grid.limits]`, that decides about a kind of finding.
    pub fn key(what: What) -> &'static str {
        match what {
            What::SeamGap => "gap",
            What::SeamOverlap => "overlap",
            other => other.name(),
        }
    }

    /// What to do about a finding.
    pub fn judge(&self, finding: &Finding) -> Verdict {
        let by = |limit: AreaLimit| limit.judge(finding.area_m2.unwrap_or(0.0));
        match finding.what {
            What::Gap | What::SeamGap => by(self.gap),
            What::Overlap | What::SeamOverlap => by(self.overlap),
            What::OutsideParent => by(self.outside_parent),
            What::ParentNotCovered => by(self.parent_not_covered),
            // that it is one was decided when it was found
            What::Sliver => match self.sliver.refuse_m2 {
                Some(least) if finding.area_m2.is_some_and(|area| area < least) => Verdict::Refuse,
                _ => Verdict::Warn,
            },
            what => self.of(what),
        }
    }

    /// A limit that makes no sense: its key, and why.
    pub fn mistake(&self) -> Option<(&'static str, &'static str)> {
        let areas = [
            ("gap", self.gap.warn_m2, self.gap.refuse_m2),
            ("overlap", self.overlap.warn_m2, self.overlap.refuse_m2),
            (
                "outside_parent",
                self.outside_parent.warn_m2,
                self.outside_parent.refuse_m2,
            ),
            (
                "parent_not_covered",
                self.parent_not_covered.warn_m2,
                self.parent_not_covered.refuse_m2,
            ),
            ("sliver", self.sliver.warn_m2, self.sliver.refuse_m2),
            ("sliver", self.sliver.width_m, None),
        ];
        let usable = |size: f64| size >= 0.0; // and a number
        let wrong = areas
            .into_iter()
            .find(|&(_, size, refuse)| !usable(size) || refuse.is_some_and(|size| !usable(size)));
        wrong.map(|(key, ..)| (key, "a size in m² or m is a number from 0 on"))
    }

    /// Whether the ground has to be measured before it is known that a grid is not refused.
    pub fn need_measuring(&self) -> bool {
        let areas = [
            self.gap,
            self.overlap,
            self.outside_parent,
            self.parent_not_covered,
        ];
        let measured = What::ALL.iter().filter(|what| !found_at_loading(**what));
        areas.iter().any(|limit| limit.refuse_m2.is_some())
            || self.sliver.refuse_m2.is_some()
            || measured.into_iter().any(|&what| self.of(what) == Verdict::Refuse)
    }

    /// The least area of ground that matters, in m².
    pub(crate) fn least_m2(limit: AreaLimit) -> f64 {
        limit
            .refuse_m2
            .map_or(limit.warn_m2, |refuse| refuse.min(limit.warn_m2))
            .max(0.0)
    }

    /// What is decided by name; areas are told from zero on.
    fn of(&self, what: What) -> Verdict {
        match what {
            What::UnclosedRing => self.unclosed_ring,
            What::DegenerateRing => self.degenerate_ring,
            What::RepeatedPoint => self.repeated_point,
            What::SelfCrossing => self.self_crossing,
            What::Spike => self.spike,
            What::NoArea => self.no_area,
            What::HoleOutside => self.hole_outside,
            What::HolesOverlap => self.holes_overlap,
            What::PartsOverlap => self.parts_overlap,
            What::PartsTouch => self.parts_touch,
            What::DuplicateCode => self.duplicate_code,
            What::MissingParent => self.missing_parent,
            What::InsideAnother => self.inside_another,
            What::SameGround => self.same_ground,
            What::BadCode => self.bad_code,
            What::CodeNotNested => self.code_not_nested,
            What::BadValidity => self.bad_validity,
            What::CrsMismatch => self.crs_mismatch,
            What::BadText => self.bad_text,
            What::EncodingAssumed => self.encoding_assumed,
            What::Gap
            | What::SeamGap
            | What::Overlap
            | What::SeamOverlap
            | What::OutsideParent
            | What::ParentNotCovered
            | What::Sliver => Verdict::Warn,
        }
    }
}

/// Whether every load finds this kind, without a check of the ground.
fn found_at_loading(what: What) -> bool {
    matches!(
        what,
        What::UnclosedRing
            | What::DegenerateRing
            | What::RepeatedPoint
            | What::SelfCrossing
            | What::Spike
            | What::NoArea
            | What::DuplicateCode
            | What::MissingParent
            | What::BadValidity
            | What::CrsMismatch
            | What::BadText
            | What::EncodingAssumed
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(what: What, area_m2: Option<f64>) -> Finding {
        Finding {
            area_m2,
            ..Finding::new(what, &"town".into(), None, String::new())
        }
    }

    #[test]
    fn nothing_refuses_by_default_and_every_key_can() {
        let limits = Limits::default();
        assert!(!limits.need_measuring());
        for what in What::ALL {
            assert_ne!(
                limits.judge(&finding(what, Some(1e12))),
                Verdict::Refuse,
                "{what}"
            );
            let key = Limits::key(what);
            let by_area = matches!(
                key,
                "gap" | "overlap" | "outside_parent" | "parent_not_covered" | "sliver"
            );
            let value = if by_area {
                r#"{"refuse_m2":50.0}"#
            } else {
                r#""refuse""#
            };
            let strict: Limits = serde_json::from_str(&format!("{{\"{key}\":{value}}}")).unwrap();
            let size = if what == What::Sliver { 49.0 } else { 51.0 };
            assert_eq!(
                strict.judge(&finding(what, Some(size))),
                Verdict::Refuse,
                "{what}"
            );
            assert_eq!(strict.need_measuring(), !found_at_loading(what), "{what}");
            if by_area {
                let mild = strict.judge(&finding(what, Some(50.0)));
                assert_eq!(mild, Verdict::Warn, "{what}");
            }
        }
    }

    #[test]
    fn sizes_are_numbers_from_zero_on() {
        let mut limits = Limits::default();
        assert_eq!(limits.mistake(), None);
        limits.overlap.refuse_m2 = Some(-1.0);
        assert_eq!(limits.mistake().map(|(key, _)| key), Some("overlap"));
        limits = Limits::default();
        limits.sliver.width_m = f64::NAN;
        assert_eq!(limits.mistake().map(|(key, _)| key), Some("sliver"));
    }

    #[test]
    fn rounding_is_not_told() {
        let limits = Limits::default();
        assert_eq!(limits.judge(&finding(What::SeamGap, Some(0.9))), Verdict::Ignore);
        assert_eq!(limits.judge(&finding(What::Gap, Some(1.1))), Verdict::Warn);
        assert_eq!(limits.judge(&finding(What::RepeatedPoint, None)), Verdict::Ignore);
    }
}
