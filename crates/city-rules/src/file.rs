//! The rules as TOML: built-in files and the city's own are laid over each other as tables, then read once.

use std::collections::BTreeMap;

use city_model::{Band, Grade, Hint, Overdue, Severity};
use serde::{Deserialize, Serialize};

use crate::clock::Limit;
use crate::device::{OwnWord, RawFlap, RawFlat, RawRise};
use crate::learned::RawLearned;
use crate::number::Thousandths;
use crate::priority::{Credibility, Exposure, Repetition, Safety, WeatherPoints};
use crate::strict::DurationMs;
use crate::texts::Texts;
use crate::video::Video;

/// Names of kinds by a system's code.
pub(crate) type Codes = BTreeMap<String, BTreeMap<String, String>>;

/// A whole rules file, or a part of one: what is absent is empty.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RulesFile {
    pub(crate) correlation: Correlation,
    /// What a kind has that says nothing else.
    pub(crate) defaults: RawKind,
    pub(crate) kinds: BTreeMap<String, RawKind>,
    /// What was learned from a labelled history; absent where nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) learned: Option<RawLearned>,
    pub(crate) metrics: BTreeMap<String, RawMetric>,
    /// Codes of events by standard or system.
    pub(crate) codes: Codes,
    /// Codes of components by standard or system.
    pub(crate) components: Codes,
    /// Codes of 2013 whose 2026 twin is established.
    pub(crate) pairs: BTreeMap<String, String>,
    /// Codes of 2007 whose item has another code in 2013, by equal names.
    pub(crate) renumbered: BTreeMap<String, String>,
    /// Category names.
    pub(crate) names: BTreeMap<String, String>,
    /// Phrases in free text.
    pub(crate) words: BTreeMap<String, RawWords>,
    /// Phrases in titles that are about no incident.
    pub(crate) quiet: RawQuiet,
    /// What a text names and does not say.
    pub(crate) unsaid: RawUnsaid,
    /// Phrases in free text that say something beyond the kind.
    pub(crate) hints: BTreeMap<Hint, RawWords>,
    /// Codes of video alarms by code system, and how sure algorithms are.
    pub(crate) video: Video,
    pub(crate) calendar: RawCalendar,
    pub(crate) weather: RawWeather,
    pub(crate) priority: RawPriority,
    pub(crate) texts: Texts,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Correlation {
    pub(crate) radius_weight_permille: i64,
    pub(crate) clear_after: DurationMs,
    pub(crate) hold_band: DurationMs,
}

/// A base band, or that there is none on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Base {
    P1,
    P2,
    P3,
    P4,
    #[serde(rename = "none")]
    None,
}

impl Base {
    pub(crate) const fn band(self) -> Option<Band> {
        match self {
            Base::P1 => Some(Band::P1),
            Base::P2 => Some(Band::P2),
            Base::P3 => Some(Band::P3),
            Base::P4 => Some(Band::P4),
            Base::None => None,
        }
    }
}

/// A kind as written; what it leaves out comes from `[defaults]`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[rustfmt::skip] // one line a field reads as the table that it is
pub(crate) struct RawKind {
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) name_zh: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) name_en: Option<String>,
    /// Metres.
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) radius: Option<Thousandths>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) cap: Option<Thousandths>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) extent: Option<Thousandths>,
    /// The most that may speak against a join, in squared sigmas; 0: the radius alone decides.
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) doubt: Option<Thousandths>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) gap: Option<DurationMs>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) max_life: Option<DurationMs>,
    /// "0s" means that it never recurs.
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) recur: Option<DurationMs>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) base: Option<Base>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) base_steps: Option<Vec<RawBandStep>>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) grade: Option<Grade>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) grade_steps: Option<Vec<RawGradeStep>>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) safety_class: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) component_class: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) component_decides: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) correlates: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) moving: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) road: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) night: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) weather: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) restricted: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) merges_with: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) related: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) inhibits: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) confused_with: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) gb2013: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) gb2026: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) control: Option<Limit>,
    /// Relative expected load, to spread groups over partitions.
    #[serde(skip_serializing_if = "Option::is_none")] pub(crate) weight: Option<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawGradeStep {
    pub(crate) metric: String,
    pub(crate) at_least: Thousandths,
    pub(crate) grade: Grade,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawBandStep {
    pub(crate) metric: String,
    pub(crate) at_least: Thousandths,
    pub(crate) band: Band,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawMetric {
    pub(crate) kind: String,
    pub(crate) unit: String,
    pub(crate) boolean: bool,
    /// Low values alarm.
    pub(crate) falls: bool,
    pub(crate) alarm: Thousandths,
    pub(crate) clear: Thousandths,
    pub(crate) min: Thousandths,
    pub(crate) max: Thousandths,
    pub(crate) sentinels: Vec<Thousandths>,
    pub(crate) magnitude: bool,
    pub(crate) device_class: String,
    pub(crate) aliases: Vec<String>,
    /// Other units in which devices send this metric without saying so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) other_units: Vec<String>,
    /// A value that only another unit makes possible is read in it; otherwise it is a device fault.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) mend_units: bool,
    /// Two readings of one moment and value are one frame sent twice.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) unique_frames: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) confirm: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) confirm_for: Option<DurationMs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) confirm_within: Option<DurationMs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rise: Option<RawRise>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) flap: Option<RawFlap>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) flat: Option<RawFlat>,
    /// How often a device is heard when all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) interval: Option<DurationMs>,
    /// After so many missed intervals it is offline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) missed: Option<u32>,
    /// The metric speaks of the device itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fault: Option<OwnWord>,
    /// Maintenance is over after so long, even if nobody says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) longest: Option<DurationMs>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// Phrases: `|` between alternatives, `&` between what must all be there.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawWords {
    pub(crate) any: Vec<String>,
    /// Words that rule it out.
    pub(crate) not: Vec<String>,
    /// Words that rule it out unless right behind them stands what makes it real.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) feared: Vec<String>,
}

/// What a text names and does not say: denials, idioms and names. The fields' meaning stands in `rules/words.toml`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawUnsaid {
    pub(crate) before: Vec<String>,
    pub(crate) between: Vec<String>,
    pub(crate) right_before: Vec<String>,
    pub(crate) after: Vec<String>,
    pub(crate) asks: Vec<String>,
    pub(crate) either: Vec<String>,
    pub(crate) missed: Vec<String>,
    pub(crate) told: Vec<String>,
    pub(crate) over: Vec<String>,
    pub(crate) once: Vec<String>,
    pub(crate) again: Vec<String>,
    /// Absent in rules that earlier versions wrote, whose version must stay.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) present: Vec<String>,
    /// Absent in those as well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) real: Vec<String>,
    pub(crate) withdrawn: Vec<String>,
    pub(crate) idioms: Vec<String>,
    pub(crate) names: Vec<String>,
}

/// What a title says that asks, or is about another matter.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawQuiet {
    /// Whatever else it names.
    pub(crate) inquiry: RawWords,
    /// Unless it names a kind.
    pub(crate) matter: RawWords,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawCalendar {
    /// From, to, as "09:00".
    pub(crate) office: Vec<String>,
    pub(crate) rush: Vec<Vec<String>>,
    /// There is no rush hour on days off.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) rush_on_work_days: bool,
    pub(crate) night: Vec<String>,
    pub(crate) years: BTreeMap<String, RawYear>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawYear {
    /// Days off, as "2026-05-01" or "2026-05-01/2026-05-05".
    pub(crate) holidays: Vec<String>,
    /// Saturdays and Sundays that are worked (调休).
    pub(crate) workdays: Vec<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawWeather {
    /// Signals that bear on no weather kind.
    pub(crate) without_effect: Vec<String>,
    /// The signals that bear on a kind, by kind.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) signals: BTreeMap<String, Vec<String>>,
    /// What holds while a storm is on.
    pub(crate) storm: RawStorm,
}

/// Rules of an older version say nothing of storms: nothing is stretched then.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawStorm {
    pub(crate) stretch: u32,
    pub(crate) aftermath: DurationMs,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) confirm_at: Option<Severity>,
}

/// A declared area of a major event.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawArea {
    /// Codes of cells; one stands for all cells whose codes begin with it.
    pub(crate) cells: Vec<String>,
    /// RFC 3339, with its offset from UTC.
    pub(crate) from: String,
    pub(crate) until: String,
    /// For these kinds; empty means all.
    pub(crate) kinds: Vec<String>,
    pub(crate) zh: String,
    pub(crate) en: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawTrust {
    pub(crate) judged: u32,
    pub(crate) window: u32,
    pub(crate) steps: Vec<(u32, i32)>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawPriority {
    pub(crate) safety: Safety,
    pub(crate) exposure: Exposure,
    pub(crate) credibility: Credibility,
    pub(crate) repetition: Repetition,
    pub(crate) weather: WeatherPoints,
    pub(crate) time: RawTime,
    pub(crate) trust: RawTrust,
    /// People by cell code.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) population: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) areas: BTreeMap<String, RawArea>,
    /// The least score of each band.
    pub(crate) bands: BTreeMap<Band, u32>,
    pub(crate) deadlines: BTreeMap<Band, RawDeadline>,
    pub(crate) overrides: BTreeMap<String, RawOverride>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawTime {
    pub(crate) steps: Vec<(u32, u32)>,
    pub(crate) unhandled: bool,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawDeadline {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dispatch: Option<Limit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) on_site: Option<Limit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) control: Option<Limit>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawOverride {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) floor: Option<Band>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ceiling: Option<Band>,
    /// One band up, at most to this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) raise_to: Option<Band>,
    /// A built-in override that this city does not want.
    pub(crate) off: bool,
    pub(crate) kinds: Vec<String>,
    pub(crate) grades: Vec<Grade>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metric: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at_least: Option<Thousandths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<Hint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) witnesses_at_least: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reporters_at_least: Option<u8>,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) night: bool,
    pub(crate) only_video: bool,
    pub(crate) all_suspect: bool,
    pub(crate) sound: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) overdue: Option<Overdue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) storm: Option<Severity>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) signals: Vec<String>,
    pub(crate) zh: String,
    pub(crate) en: String,
}

/// Lays `over` on `under`: tables merge, everything else is replaced.
pub(crate) fn overlay(under: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => overlay(below, above),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

impl From<&RawGradeStep> for crate::GradeStep {
    fn from(raw: &RawGradeStep) -> crate::GradeStep {
        crate::GradeStep {
            metric: raw.metric.clone(),
            at_least_milli: raw.at_least.0,
            grade: raw.grade,
        }
    }
}

impl From<&RawBandStep> for crate::BandStep {
    fn from(raw: &RawBandStep) -> crate::BandStep {
        crate::BandStep {
            metric: raw.metric.clone(),
            at_least_milli: raw.at_least.0,
            band: raw.band,
        }
    }
}
