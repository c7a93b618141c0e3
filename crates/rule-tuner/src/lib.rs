//! Learns from a labelled history which events are one incident: counts become a table of whole points.
//!
//! Labelled pairs are few and the city marks only some of its duplicates, so nothing here estimates how likely two events
//! are the same. It ranks: where do marked duplicates lie closest together, so that a budget of merges finds most of them?
//!
//! * [`History`] holds the located events in order and which of them belong together by label;
//! * [`learn`] counts how often the best candidate of an event was a marked one, by kind, distance, gap and channels, and
//!   makes points of it that are drawn towards what all kinds have in common where a kind has little of its own;
//! * [`Grouping`] puts a history together as the engine does, one event after the other;
//! * [`Curve`] tells what each threshold merges and finds, so that a budget picks one;
//! * [`to_toml`] writes the rules with the evidence beside each number.
//!
//! Nothing reads a file or a clock; the same history gives the same table, bit for bit.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod budget;
mod fit;
mod grouping;
mod history;
mod interval;
mod judge;
mod learn;
mod pairs;
mod writing;

pub use budget::{Curve, Step};
pub use grouping::Grouping;
pub use history::{History, LINK_MM, LINK_MS, Sample};
pub use interval::wilson;
pub use judge::{Judged, judge};
pub use learn::{Evidence, Lesson, learn};
pub use writing::to_toml;
