//! How a device is watched beyond its thresholds: confirmation, rises, flapping, flat lines, silence, and what it says of itself.

use serde::{Deserialize, Serialize};

use crate::number::Thousandths;
use crate::strict::DurationMs;

/// Readings that may wait for confirmation at most; beyond, so many alarms are confirmation enough.
pub const HELD_MAX: usize = 8;

/// An alarm counts only when it was said often or long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirm {
    /// So many readings in alarm, the first among them.
    pub readings: usize,
    /// And so long from the first to the last, in milliseconds.
    pub for_ms: i64,
    /// What is not confirmed after so long was no alarm, in milliseconds.
    pub within_ms: i64,
}

/// A value that moves towards its alarm so fast is one below the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rise {
    /// By at least so much, in thousandths of the metric's unit.
    pub by_milli: i64,
    /// Within so long, in milliseconds.
    pub within_ms: i64,
}

/// A device that begins to alarm so often cannot be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flap {
    /// So many beginnings.
    pub times: usize,
    /// Within so long, in milliseconds.
    pub within_ms: i64,
}

/// A value that must move and does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flat {
    /// At least so many identical readings.
    pub readings: u32,
    /// Over at least so long, in milliseconds.
    pub over_ms: i64,
    /// Only values above this, in thousandths: a dry gauge shows zero for weeks.
    pub above_milli: Option<i64>,
}

/// What a metric says of the device itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnWord {
    /// Its platform misses it.
    Offline,
    /// Its battery is low.
    LowBattery,
    /// It is tested or repaired: its alarms are held back meanwhile.
    Maintenance,
    /// It has some other fault.
    Reported,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRise {
    pub(crate) by: Thousandths,
    pub(crate) within: DurationMs,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawFlap {
    pub(crate) times: u32,
    pub(crate) within: DurationMs,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawFlat {
    pub(crate) readings: u32,
    pub(crate) over: DurationMs,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) above: Option<Thousandths>,
}
