//! How points become a score, a score a band and a band its deadlines; and the overrides that have the last word.

use city_model::{Band, Facility, Grade, Hint, Overdue, Severity};
use serde::{Deserialize, Serialize};

use crate::{AreaRule, Clock, DenseCells, KindId, StormRules, Text, TrustRules};

/// The tables of prioritisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriorityRules {
    /// Part S.
    pub safety: Safety,
    /// Part E.
    pub exposure: Exposure,
    /// Part C.
    pub credibility: Credibility,
    /// Part R.
    pub repetition: Repetition,
    /// Part W.
    pub weather: WeatherPoints,
    /// Part T: from this percentage of the limit on, these points; smallest first.
    pub time: Vec<(u32, u32)>,
    /// The least score of each band, P1 first.
    pub bands: Vec<(Band, u32)>,
    /// The deadlines of each band, P1 first.
    pub deadlines: Vec<(Band, Deadline)>,
    /// Time is counted against incidents that nobody in the centre has spoken of, too. Off where commands may not come at all.
    pub time_unhandled: bool,
    /// What feedback teaches about devices and algorithms.
    pub trust: TrustRules,
    /// Where many people live.
    pub dense: DenseCells,
    /// Declared areas of major events.
    pub areas: Vec<AreaRule>,
    /// What holds while a storm is on.
    pub storm: StormRules,
    /// Overrides in the order in which they apply; those that raise come after the kinds' base bands.
    pub overrides: Vec<OverrideRule>,
}

impl PriorityRules {
    /// The band of a score.
    pub fn band(&self, score: u32) -> Band {
        let found = self.bands.iter().find(|(_, least)| score >= *least);
        found.map_or(Band::P4, |(band, _)| *band)
    }

    /// The points for the share of the limit that is used up, in percent.
    pub fn time_points(&self, percent: u32) -> u32 {
        steps_at(&self.time, percent)
    }

    /// The deadlines of a band.
    pub fn deadline(&self, band: Band) -> Deadline {
        let found = self.deadlines.iter().find(|(of, _)| *of == band);
        found.map_or(Deadline::NONE, |(_, deadline)| *deadline)
    }

    /// An override by its id.
    pub fn override_rule(&self, id: &str) -> Option<&OverrideRule> {
        self.overrides.iter().find(|rule| rule.id == id)
    }
}

/// The points of the last step that `value` reaches.
fn steps_at(steps: &[(u32, u32)], value: u32) -> u32 {
    let reached = steps.iter().filter(|(least, _)| value >= *least);
    reached.map(|(_, points)| *points).max().unwrap_or(0)
}

/// Points by grade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Safety {
    /// Immediate danger to life.
    #[serde(rename = "A")]
    pub a: u32,
    /// Probable injury or large damage.
    #[serde(rename = "B")]
    pub b: u32,
    /// Loss of service, obstruction.
    #[serde(rename = "C")]
    pub c: u32,
    /// Appearance and order.
    #[serde(rename = "D")]
    pub d: u32,
}

impl Safety {
    /// The points of a grade.
    pub const fn points(&self, grade: Grade) -> u32 {
        match grade {
            Grade::A => self.a,
            Grade::B => self.b,
            Grade::C => self.c,
            Grade::D => self.d,
        }
    }
}

/// Points for where and when.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exposure {
    /// A facility of `facilities` nearby, once.
    pub facility: u32,
    /// A facility of `sites` nearby, once.
    pub site: u32,
    /// A road kind in the rush hour.
    pub rush: u32,
    /// A night kind at night.
    pub night: u32,
    /// A cell in the top tenth of population.
    pub dense: u32,
    /// At most.
    pub cap: u32,
    /// What counts as a facility: people who cannot help themselves.
    pub facilities: Vec<Facility>,
    /// What counts as a site: many people pass, or much can go wrong.
    pub sites: Vec<Facility>,
}

/// Points for independent witnesses, on top of the best one's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Credibility {
    /// A second kind of witness.
    pub second: u32,
    /// A third kind of witness, on top of that.
    pub third: u32,
    /// At most.
    pub cap: u32,
}

impl Credibility {
    /// The points of the best witness's own points and the number of kinds of witness.
    pub fn points(&self, best: u32, kinds: usize) -> u32 {
        let more = if kinds >= 2 { self.second } else { 0 } + if kinds >= 3 { self.third } else { 0 };
        best.saturating_add(more).min(self.cap)
    }
}

/// Points for how many people and how often.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Repetition {
    /// From this many distinct reporters on, these points; smallest first.
    pub steps: Vec<(u32, u32)>,
    /// It repeats a closed incident.
    pub recurrence: u32,
    /// At most.
    pub cap: u32,
}

impl Repetition {
    /// The points of a number of distinct reporters.
    pub fn points(&self, reporters: u32, recurs: bool) -> u32 {
        let more = if recurs { self.recurrence } else { 0 };
        steps_at(&self.steps, reporters)
            .saturating_add(more)
            .min(self.cap)
    }
}

/// Points for a matching weather warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WeatherPoints {
    /// Blue.
    pub blue: u32,
    /// Yellow.
    pub yellow: u32,
    /// Orange.
    pub orange: u32,
    /// Red.
    pub red: u32,
    /// A declared major event's area, on top.
    pub event: u32,
    /// At most.
    pub cap: u32,
}

impl WeatherPoints {
    /// The points of a severity.
    pub fn points(&self, severity: Severity) -> u32 {
        let points = match severity {
            Severity::Blue => self.blue,
            Severity::Yellow => self.yellow,
            Severity::Orange => self.orange,
            Severity::Red => self.red,
        };
        points.min(self.cap)
    }

    /// The points of the warning that bears on an incident, if one does, and of a major event's area.
    pub fn total(&self, severity: Option<Severity>, is_in_area: bool) -> u32 {
        let event = if is_in_area { self.event } else { 0 };
        let weather = severity.map_or(0, |severity| self.points(severity));
        weather.saturating_add(event).min(self.cap)
    }
}

/// Until when, as amounts on clocks: minutes for hours, days for days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    /// Sent out.
    pub dispatch: (i64, Clock),
    /// Somebody there.
    pub on_site: Option<(i64, Clock)>,
    /// Under control.
    pub control: (i64, Clock),
}

impl Deadline {
    const NONE: Deadline = Deadline {
        dispatch: (0, Clock::UrgentHour),
        on_site: None,
        control: (0, Clock::UrgentHour),
    };
}

/// What an override does to the band.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverrideEffect {
    /// At least this urgent.
    Floor(Band),
    /// At most this urgent.
    Ceiling(Band),
    /// One band more urgent, but no higher than this one.
    Raise(Band),
}

impl OverrideEffect {
    /// The band after it.
    pub fn apply(self, band: Band) -> Band {
        match self {
            OverrideEffect::Floor(floor) => band.min(floor),
            OverrideEffect::Ceiling(ceiling) => band.max(ceiling),
            OverrideEffect::Raise(most) if band > most => match band {
                Band::P4 => Band::P3,
                Band::P3 => Band::P2,
                Band::P1 | Band::P2 => Band::P1,
            },
            OverrideEffect::Raise(_) => band,
        }
    }
}

/// An override. It applies where all its conditions hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverrideRule {
    /// Its published id, such as `O1.gas_ge_20lel`.
    pub id: String,
    /// What it does.
    pub effect: OverrideEffect,
    /// For these kinds; empty means all.
    pub kinds: Vec<KindId>,
    /// For these grades; empty means all.
    pub grades: Vec<Grade>,
    /// The metric's peak is at least this, in thousandths.
    pub metric: Option<(String, i64)>,
    /// The hint was given.
    pub hint: Option<Hint>,
    /// At least so many kinds of witness.
    pub witnesses_at_least: Option<u8>,
    /// At least so many distinct reporters.
    pub reporters_at_least: Option<u8>,
    /// A member happened at night.
    pub night: bool,
    /// Video is the only kind of witness.
    pub only_video: bool,
    /// Every member comes from a suspect device.
    pub all_suspect: bool,
    /// A member is neither suspect nor video, and has a place.
    pub sound: bool,
    /// This limit is over.
    pub overdue: Option<Overdue>,
    /// A warning of at least this severity stands, or stood until a short while ago, where it is.
    pub storm: Option<Severity>,
    /// … and it is of one of these signals and stands now; empty means all that bear on anything.
    pub signals: Vec<String>,
    /// The reason in Chinese; `{value}` stands for the metric's peak.
    pub text_zh: String,
    /// The reason in English.
    pub text_en: String,
}

impl OverrideRule {
    /// The reason with the metric's peak, in thousandths, filled in.
    pub fn reason(&self, peak_milli: Option<i64>) -> Text {
        let text = Text {
            zh: self.text_zh.clone(),
            en: self.text_en.clone(),
        };
        let value = peak_milli.map(crate::texts::decimal).unwrap_or_default();
        text.fill(&[("value", &value)])
    }
}
