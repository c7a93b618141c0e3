//! The value of a reading in the metric's own unit, or what is wrong with it.

use city_model::DeadLetterReason;
use city_rules::{MetricRule, UnitError, to_milli};
use wire_format::{Refusal, SensorReading};

use crate::Fault;

/// A value in thousandths of the metric's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    /// As it was sent.
    Sound(i64),
    /// Possible in another unit only, and the rules say that it is meant so.
    Mended(i64),
    /// None.
    Broken(Fault),
}

impl Value {
    pub(super) const fn milli(self) -> Option<i64> {
        match self {
            Value::Sound(milli) | Value::Mended(milli) => Some(milli),
            Value::Broken(_) => None,
        }
    }

    pub(super) const fn fault(self) -> Option<Fault> {
        match self {
            Value::Sound(_) => None,
            Value::Mended(_) => Some(Fault::UnitSuspected),
            Value::Broken(fault) => Some(fault),
        }
    }
}

/// Reads the value. A unit that nobody knows is the source's mistake, not the device's.
pub(super) fn value_of(rule: &MetricRule, reading: &SensorReading) -> Result<Value, Refusal> {
    let number = reading.value.number;
    if reading.value.is_flag && !rule.boolean {
        return Err(Refusal::new(
            DeadLetterReason::BadValue,
            "value: a boolean, where this metric is a number",
        ));
    }
    if !number.is_finite() {
        return Ok(Value::Broken(Fault::NotANumber));
    }
    if rule.is_sentinel(number) {
        return Ok(Value::Broken(Fault::Sentinel));
    }
    match to_milli(rule, number, reading.unit.as_deref()) {
        Ok(milli) if rule.is_possible(milli) => Ok(Value::Sound(milli)),
        Ok(_) => Ok(match rule.in_other_unit(number) {
            Some(milli) if rule.mend_units => Value::Mended(milli),
            Some(_) => Value::Broken(Fault::UnitSuspected),
            None => Value::Broken(Fault::OutOfRange),
        }),
        Err(UnitError::NotANumber) => Ok(Value::Broken(Fault::NotANumber)),
        Err(UnitError::Unknown(_) | UnitError::Mismatch { .. }) => Err(Refusal::new(
            DeadLetterReason::BadValue,
            "unit: none that measures this metric",
        )),
    }
}
