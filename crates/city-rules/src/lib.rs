//! What the city has decided: kinds, thresholds, radii, priorities, calendars, from TOML.
//!
//! Texts go in, rules come out: nothing here reads a file or a clock, or decides about an event.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod rules;

mod calendar;
mod clock;
mod codes;
mod compile;
mod device;
mod file;
mod findings;
mod groups;
mod kind;
mod learned;
mod metric;
mod normal;
mod number;
mod place;
mod priority;
pub mod strict;
mod texts;
mod trust;
mod unit;
mod video;
mod words;

pub use calendar::Calendar;
pub use clock::Clock;
pub use codes::Mapped;
pub use device::{Confirm, Flap, Flat, HELD_MAX, OwnWord, Rise};
pub use findings::Finding;
pub use kind::{BandStep, GradeStep, KindId, KindRule};
pub use learned::{Learned, Row, Verdict, band};
pub use metric::{MetricRule, to_milli};
pub use place::{AreaRule, DenseCells, StormRules};
pub use priority::{
    Credibility, Deadline, Exposure, OverrideEffect, OverrideRule, PriorityRules, Repetition, Safety,
    WeatherPoints,
};
pub use rules::Rules;
pub use strict::ConfigError;
pub use texts::{Text, Texts};
pub use trust::TrustRules;
pub use unit::UnitError;
pub use video::AlgorithmRule;
pub use words::{TextReading, WordHit};
