//! What the city has decided about one kind of trouble: how far it reaches, how long it lasts, how bad it is.

use city_model::{Band, Grade, Kind};

use crate::Clock;

/// A kind as a small number: dense from 0, alphabetical as loaded. It means something only with the rules that gave it,
/// so it is never written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KindId(pub u16);

impl KindId {
    /// As an index into a table with one entry a kind.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// From this value on, the grade is this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GradeStep {
    /// The metric that is measured.
    pub metric: String,
    /// Thousandths of its unit.
    pub at_least_milli: i64,
    /// The grade.
    pub grade: Grade,
}

/// From this value on, the base band is this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BandStep {
    /// The metric that is measured.
    pub metric: String,
    /// Thousandths of its unit.
    pub at_least_milli: i64,
    /// The band.
    pub band: Band,
}

/// The rules of one kind. Lengths in millimetres, times in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindRule {
    /// Its name.
    pub name: Kind,
    /// Its Chinese name.
    pub name_zh: String,
    /// Its English name.
    pub name_en: String,
    /// How far the trouble itself reaches, beside the uncertainty of positions; at least 1.
    pub radius_mm: i64,
    /// The largest effective radius; at least `radius_mm`.
    pub cap_mm: i64,
    /// The session gap: what comes within it of an incident's span may join.
    pub gap_ms: i64,
    /// The longest life of one incident.
    pub max_life_ms: i64,
    /// After closing, another within this time repeats it (复发). `None`: it never does.
    pub recur_ms: Option<i64>,
    /// The largest diagonal of the box around the members.
    pub extent_mm: i64,
    /// The most that may speak against an event of an incident of this kind, in thousandths: distance in squared sigmas,
    /// vagueness, silence and address together. `None`: the radius alone decides.
    pub most_doubt_milli: Option<i64>,
    /// An equal component decides alone (the mark D).
    pub component_decides: bool,
    /// Its events become incidents; false for trouble of devices.
    pub correlates: bool,
    /// It moves: nearness says nothing, only an equal device, component or ticket joins.
    pub moving: bool,
    /// Kinds of different safety class never merge.
    pub safety_class: String,
    /// How dangerous it is without a measurement.
    pub grade: Grade,
    /// How dangerous by measurement, smallest value first.
    pub grade_steps: Vec<GradeStep>,
    /// The band that one sound witness is enough for. `None`: finer overrides stand instead.
    pub base_band: Option<Band>,
    /// The same by measurement, smallest value first.
    pub base_steps: Vec<BandStep>,
    /// It obstructs a road, so that rush hours count.
    pub road: bool,
    /// It is worse in the dark: pits, holes, fires.
    pub night: bool,
    /// Weather warnings bear on it.
    pub weather: bool,
    /// … but for these signals, which bear on other kinds or on none.
    pub deaf_to: Vec<String>,
    /// Kinds that may be the same incident. Symmetric.
    pub merges_with: Vec<KindId>,
    /// Kinds that may have to do with it. Symmetric.
    pub related: Vec<KindId>,
    /// Kinds that it explains away while it lasts.
    pub inhibits: Vec<KindId>,
    /// Kinds that explain it away while they last.
    pub inhibited_by: Vec<KindId>,
    /// Kinds that one report may mean as well. Symmetric.
    pub confused_with: Vec<KindId>,
    /// The class of its components.
    pub component_class: Option<String>,
    /// Its four-digit code of GB/T 30428.2-2013, where one stands for the kind.
    pub gb2013: Option<String>,
    /// Its five-digit code of GB/T 47678.5-2026, where one stands for the kind.
    pub gb2026: Option<String>,
    /// Personal: only for a restricted circle of readers.
    pub restricted: bool,
    /// Its own limit until control, which stands in band P4 instead of the band's: an amount on a clock, in minutes for
    /// hours and in days for days.
    pub control: Option<(i64, Clock)>,
}

impl KindRule {
    /// Whether somebody may die of it: its safety class says "life".
    pub fn endangers_life(&self) -> bool {
        self.safety_class == "life"
    }

    /// Whether a weather signal bears on it. One that no table names bears on every kind that minds the weather.
    pub fn minds(&self, signal: &str) -> bool {
        self.weather && !self.deaf_to.iter().any(|deaf| deaf.eq_ignore_ascii_case(signal))
    }

    /// The grade, given the peak of each metric.
    pub fn grade_at(&self, peak: impl Fn(&str) -> Option<i64>) -> Grade {
        let reached = self
            .grade_steps
            .iter()
            .filter(|s| peak(&s.metric).is_some_and(|v| v >= s.at_least_milli));
        reached.map(|step| step.grade).fold(self.grade, Grade::min) // A is the first and the worst
    }

    /// The base band, given the peak of each metric.
    pub fn base_at(&self, peak: impl Fn(&str) -> Option<i64>) -> Option<Band> {
        let reached = self
            .base_steps
            .iter()
            .filter(|s| peak(&s.metric).is_some_and(|v| v >= s.at_least_milli));
        let steps = reached.map(|step| step.band).min(); // P1 is the first and the most urgent
        match (self.base_band, steps) {
            (Some(base), Some(step)) => Some(base.min(step)),
            (base, step) => base.or(step),
        }
    }
}
