//! What devices measure: from which value on it is an alarm, when it is over, and what cannot be true.

use crate::KindId;
use crate::device::{Confirm, Flap, Flat, OwnWord, Rise};
use crate::unit::{UnitError, convert};

/// The rules of one metric. Values are thousandths of the metric's own unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricRule {
    /// Its name.
    pub name: String,
    /// What an alarm reports.
    pub kind: KindId,
    /// Its own unit.
    pub unit: String,
    /// A contact: 1 or true is an alarm by itself, 0 or false its end.
    pub boolean: bool,
    /// High values alarm; otherwise low ones do.
    pub rises: bool,
    /// An alarm: at least this when it rises, below this when it falls.
    pub alarm_milli: i64,
    /// The end of an alarm: below this when it rises, at least this when it falls.
    pub clear_milli: i64,
    /// The least that is physically possible.
    pub min_milli: i64,
    /// The most that is physically possible.
    pub max_milli: i64,
    /// Raw values by which devices say "no value", in thousandths, before any conversion of units.
    pub sentinels: Vec<i64>,
    /// The sign says only the direction: the magnitude is compared.
    pub magnitude: bool,
    /// The sort of device.
    pub device_class: String,
    /// Other units in which devices send it without saying so.
    pub other_units: Vec<String>,
    /// A value that only one of those makes possible is read in it.
    pub mend_units: bool,
    /// Two readings of one moment and value are one frame sent twice.
    pub unique_frames: bool,
    /// What makes an alarm count.
    pub confirm: Option<Confirm>,
    /// What makes an alarm below the threshold.
    pub rise: Option<Rise>,
    /// What makes a device incredible.
    pub flap: Option<Flap>,
    /// What a stuck device looks like.
    pub flat: Option<Flat>,
    /// Silent for so long, a registered device is offline; in milliseconds.
    pub offline_ms: Option<i64>,
    /// The metric speaks of the device itself.
    pub own_word: Option<OwnWord>,
    /// Maintenance is over after so long, in milliseconds.
    pub longest_ms: i64,
}

impl MetricRule {
    /// Whether a value is an alarm.
    pub const fn is_alarm(&self, milli: i64) -> bool {
        if self.rises {
            milli >= self.alarm_milli
        } else {
            milli < self.alarm_milli
        }
    }

    /// Whether a value ends an alarm.
    pub const fn is_clear(&self, milli: i64) -> bool {
        if self.rises {
            milli < self.clear_milli
        } else {
            milli >= self.clear_milli
        }
    }

    /// How far a value moved from another towards the alarm, in thousandths.
    pub const fn moved(&self, from_milli: i64, to_milli: i64) -> i64 {
        if self.rises {
            to_milli.saturating_sub(from_milli)
        } else {
            from_milli.saturating_sub(to_milli)
        }
    }

    /// A value that is impossible as it was sent, in the first other unit that makes it possible.
    pub fn in_other_unit(&self, value: f64) -> Option<i64> {
        let units = self.other_units.iter();
        units
            .filter_map(|unit| to_milli(self, value, Some(unit)).ok())
            .find(|milli| self.is_possible(*milli))
    }

    /// Whether a value is physically possible.
    pub const fn is_possible(&self, milli: i64) -> bool {
        self.min_milli <= milli && milli <= self.max_milli
    }

    /// Whether a raw value, as the device sent it, stands for "no value".
    pub fn is_sentinel(&self, value: f64) -> bool {
        !value.is_finite() || self.sentinels.contains(&((value * 1_000.0).round() as i64))
    }
}

/// A value in thousandths of the metric's own unit, whatever unit it came in.
///
/// # Errors
/// A value that is no number, or a unit that is unknown or measures something else.
pub fn to_milli(metric: &MetricRule, value: f64, unit: Option<&str>) -> Result<i64, UnitError> {
    if metric.boolean {
        return if value.is_nan() {
            Err(UnitError::NotANumber)
        } else {
            Ok(i64::from(value != 0.0) * 1_000)
        };
    }
    let milli = convert(value, unit.unwrap_or(""), &metric.unit)?;
    Ok(if metric.magnitude {
        milli.saturating_abs()
    } else {
        milli
    })
}
