//! When a cell is valid: times as exports write them, in the city's zone where they name none.

use city_model::EventTime;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::Value;

/// From a moment on, until before another; `MIN` and `MAX` stand for no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: EventTime,
    pub(super) to: EventTime,
}

/// Exports write 9999-12-31 for no end; from 9999-01-01 on a moment is never.
const NEVER_YEAR: i16 = 9999;
const NEVER: EventTime = EventTime::from_millis(253_370_764_800_000);
/// Smaller numbers are no epoch milliseconds of a grid (this is 1973), but dates such as 20260101.
const MILLIS_LEAST: i64 = 100_000_000_000;

const END: EventTime = EventTime::from_millis(i64::MAX);

impl Span {
    pub(super) const ALWAYS: Span = Span {
        from: EventTime::MIN,
        to: END,
    };

    /// The span between two values of a feature. What is not readable is no bound, and is told.
    pub(super) fn read(values: &[Value; 2], zone: &TimeZone, mut report: impl FnMut(String)) -> Span {
        let mut bound = |value: &Value, what: &str, otherwise: EventTime| match moment(value, zone) {
            Ok(Some(moment)) if moment >= NEVER => END,
            Ok(moment) => moment.unwrap_or(otherwise),
            Err(()) => {
                report(format!("it is valid {what} {value}, which is no time"));
                otherwise
            }
        };
        let from = bound(&values[0], "from", Span::ALWAYS.from);
        let to = bound(&values[1], "to", Span::ALWAYS.to);
        if from >= to {
            let [from, to] = values;
            report(format!(
                "it is valid from {from}, and to {to}, which is not later"
            ));
            return Span::ALWAYS;
        }
        Span { from, to }
    }

    pub(super) fn holds(&self, moment: EventTime) -> bool {
        self.from <= moment && moment < self.to
    }
}

/// The moment that a text means, spelt as the times of validity in a grid's files: RFC 3339, a date, epoch milliseconds.
/// `None` when it is no time.
pub fn moment_of(text: &str, zone: &TimeZone) -> Option<EventTime> {
    moment(&Value::from(text), zone).ok().flatten()
}

/// The moment that a value means, `None` for a blank.
fn moment(value: &Value, zone: &TimeZone) -> Result<Option<EventTime>, ()> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => parse(text.trim(), zone),
        Value::Number(number) => {
            let float = number
                .as_f64()
                .filter(|float| float % 1.0 == 0.0 && float.abs() < 9e15);
            number_moment(
                number.as_i64().or(float.map(|float| float as i64)).ok_or(())?,
                zone,
            )
        }
        _ => Err(()),
    }
}

fn parse(text: &str, zone: &TimeZone) -> Result<Option<EventTime>, ()> {
    if let Ok(number) = text.parse::<i64>() {
        return number_moment(number, zone);
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Ok(Some(EventTime::from_millis(timestamp.as_millisecond())));
    }
    let dashed = text.replace('/', "-"); // as ArcGIS and spreadsheets write dates
    if let Ok(datetime) = dashed.parse::<DateTime>() {
        return local(datetime, zone);
    }
    Err(())
}

fn number_moment(number: i64, zone: &TimeZone) -> Result<Option<EventTime>, ()> {
    if number.abs() >= MILLIS_LEAST {
        return Ok(Some(EventTime::from_millis(number)));
    }
    let [year, month, day] = [number / 10_000, number / 100 % 100, number % 100];
    let year = i16::try_from(year).ok().filter(|year| *year >= 1000).ok_or(())?;
    let date = Date::new(year, month as i8, day as i8).map_err(|_| ())?; // both are below 100
    local(date.into(), zone)
}

fn local(datetime: DateTime, zone: &TimeZone) -> Result<Option<EventTime>, ()> {
    if datetime.year() >= NEVER_YEAR {
        return Ok(Some(NEVER)); // in some zones it is no timestamp any more
    }
    let timestamp = zone.to_timestamp(datetime).map_err(|_| ())?;
    Ok(Some(EventTime::from_millis(timestamp.as_millisecond())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_read_as_exports_write_them() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let new_year = 1_767_196_800_000; // 2026-01-01 00:00 in Shanghai
        for (value, want) in [
            (json!("2026-01-01"), Ok(Some(new_year))),
            (json!("2026/01/01"), Ok(Some(new_year))),
            (json!("20260101"), Ok(Some(new_year))),
            (json!(20260101), Ok(Some(new_year))),
            (json!(20260101.0), Ok(Some(new_year))),
            (json!("2026-01-01 00:00:00"), Ok(Some(new_year))),
            (json!("2026-01-01T00:00:00"), Ok(Some(new_year))),
            (json!("2025-12-31T16:00:00Z"), Ok(Some(new_year))),
            (json!("2026-01-01T00:00:00+08:00"), Ok(Some(new_year))),
            (json!(new_year), Ok(Some(new_year))),
            (json!(new_year.to_string()), Ok(Some(new_year))),
            (json!(""), Ok(None)),
            (json!(null), Ok(None)),
            (json!("9999-12-31"), Ok(Some(NEVER.millis()))),
            (json!(99991231), Ok(Some(NEVER.millis()))),
            (json!("soon"), Err(())),
            (json!("2026-02-30"), Err(())),
            (json!(20260230), Err(())),
            (json!(0), Err(())),
            (json!(-20260101), Err(())),
            (json!(1.5), Err(())),
            (json!(1e300), Err(())),
            (json!(true), Err(())),
            (json!(["2026-01-01"]), Err(())),
        ] {
            let got = moment(&value, &zone);
            assert_eq!(got.map(|time| time.map(EventTime::millis)), want, "{value}");
        }
    }

    #[test]
    fn a_bad_bound_is_none_and_is_told() {
        let zone = TimeZone::UTC;
        let read = |from: Value, to: Value| {
            let mut told = 0;
            let span = Span::read(&[from, to], &zone, |_| told += 1);
            (span, told)
        };
        let (span, told) = read(json!("2026-01-01"), json!("2027-01-01"));
        assert!(told == 0 && span.holds(span.from) && !span.holds(span.to));
        assert_eq!(read(json!(null), json!(null)), (Span::ALWAYS, 0));
        let (span, told) = read(json!("2026-01-01"), json!("9999-12-31"));
        assert_eq!((span.to, told), (Span::ALWAYS.to, 0));
        assert_eq!(read(json!("9999-12-31"), json!(null)), (Span::ALWAYS, 1));
        assert_eq!(read(json!("x"), json!(true)), (Span::ALWAYS, 2));
        assert_eq!(read(json!("2027-01-01"), json!("2026-01-01")), (Span::ALWAYS, 1));
        assert_eq!(read(json!("2026-01-01"), json!("2026-01-01")), (Span::ALWAYS, 1));
    }
}
