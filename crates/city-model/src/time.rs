//! An instant in milliseconds since 1970-01-01 UTC; calendars and time zones live with the rules.

use std::fmt;
use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

/// One second in milliseconds.
pub const SECOND_MS: i64 = 1_000;
/// One minute in milliseconds.
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
/// One hour in milliseconds.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// One day of 24 hours in milliseconds.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// An instant, in milliseconds since the Unix epoch. Arithmetic saturates: no input can overflow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventTime(i64);

impl EventTime {
    /// The earliest instant that can be told.
    pub const MIN: EventTime = EventTime(i64::MIN);

    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(ms: i64) -> Self {
        EventTime(ms)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The distance to `other` in milliseconds, never negative.
    pub const fn gap_ms(self, other: EventTime) -> i64 {
        self.0.saturating_sub(other.0).saturating_abs()
    }

    /// The beginning of the second that this instant lies in.
    pub const fn floor_second(self) -> EventTime {
        EventTime(self.0.div_euclid(SECOND_MS) * SECOND_MS)
    }
}

impl Add<i64> for EventTime {
    type Output = EventTime;
    fn add(self, ms: i64) -> EventTime {
        EventTime(self.0.saturating_add(ms))
    }
}

impl Sub<i64> for EventTime {
    type Output = EventTime;
    fn sub(self, ms: i64) -> EventTime {
        EventTime(self.0.saturating_sub(ms))
    }
}

impl Sub for EventTime {
    type Output = i64;
    fn sub(self, other: EventTime) -> i64 {
        self.0.saturating_sub(other.0)
    }
}

impl fmt::Display for EventTime {
    /// RFC 3339 in UTC with milliseconds, by the proleptic Gregorian calendar.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0.div_euclid(DAY_MS);
        let ms = self.0.rem_euclid(DAY_MS);
        let (year, month, day) = civil_from_days(days);
        let (hour, minute) = (ms / HOUR_MS, ms / MINUTE_MS % 60);
        let (second, milli) = (ms / SECOND_MS % 60, ms % 1_000);
        if !(0..10_000).contains(&year) {
            return write!(
                f,
                "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z"
            );
        }
        // A revision holds a dozen times, and nine numbers through the formatter cost more than all else about them.
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let parts = [
            (0, 4, year),
            (5, 2, month),
            (8, 2, day),
            (11, 2, hour),
            (14, 2, minute),
            (17, 2, second),
            (20, 3, milli),
        ];
        for (at, width, value) in parts {
            let mut rest = value;
            for place in text[at..at + width].iter_mut().rev() {
                *place = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

/// Days since 1970-01-01 to a civil date. The year begins in March here, so that the leap day comes last and month
/// lengths follow the linear rule (153 m + 2) / 5.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468; // days since 0000-03-01
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_rfc3339() {
        let check = |ms: i64, text: &str| assert_eq!(EventTime::from_millis(ms).to_string(), text);
        check(0, "1970-01-01T00:00:00.000Z");
        check(-1, "1969-12-31T23:59:59.999Z");
        check(951_782_400_000, "2000-02-29T00:00:00.000Z");
        check(1_788_739_199_123, "2026-09-06T23:59:59.123Z");
        check(253_402_300_799_999, "9999-12-31T23:59:59.999Z");
        check(253_402_300_800_000, "10000-01-01T00:00:00.000Z");
    }

    #[test]
    fn saturates_instead_of_overflowing() {
        assert_eq!(EventTime::MIN - 1, EventTime::MIN);
        assert_eq!(EventTime::MIN.gap_ms(EventTime::from_millis(i64::MAX)), i64::MAX);
    }
}
