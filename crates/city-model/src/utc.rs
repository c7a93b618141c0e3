//! An instant as readers of the outputs see it: text where people read, milliseconds in Avro.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{DAY_MS, EventTime, HOUR_MS, MINUTE_MS, SECOND_MS};

/// An instant that is RFC 3339 in UTC in JSON, and a `timestamp-millis` in Avro. [`EventTime`] itself is milliseconds in
/// both: it is what state and the enriched log hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcTime(pub EventTime);

impl From<EventTime> for UtcTime {
    fn from(time: EventTime) -> UtcTime {
        UtcTime(time)
    }
}

impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for UtcTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(&self.0)
        } else {
            serializer.serialize_i64(self.0.millis())
        }
    }
}

impl<'de> Deserialize<'de> for UtcTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<UtcTime, D::Error> {
        deserializer.deserialize_any(TimeVisitor)
    }
}

struct TimeVisitor;

impl Visitor<'_> for TimeVisitor {
    type Value = UtcTime;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time as this program writes it, such as 2026-09-06T23:59:59.123Z, or milliseconds")
    }

    fn visit_i64<E: de::Error>(self, ms: i64) -> Result<UtcTime, E> {
        Ok(UtcTime(EventTime::from_millis(ms)))
    }

    fn visit_u64<E: de::Error>(self, ms: u64) -> Result<UtcTime, E> {
        let ms = i64::try_from(ms).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(ms), &self))?;
        self.visit_i64(ms)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<UtcTime, E> {
        let ms = parsed(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))?;
        self.visit_i64(ms)
    }
}

/// The inverse of [`EventTime`]'s text, and of nothing else.
fn parsed(text: &str) -> Option<i64> {
    let (date, clock) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.rsplitn(3, '-');
    let (day, month) = (two(date.next()?, 31)?, two(date.next()?, 12)?);
    let year: i64 = date.next()?.parse().ok()?;
    let (clock, ms) = clock.split_once('.')?;
    let ms =
        (ms.len() == 3 && ms.bytes().all(|byte| byte.is_ascii_digit())).then(|| ms.parse::<i64>().ok())??;
    let mut clock = clock.split(':');
    let (hour, minute, second) = (
        two(clock.next()?, 23)?,
        two(clock.next()?, 59)?,
        two(clock.next()?, 59)?,
    );
    if clock.next().is_some() || day == 0 || month == 0 {
        return None;
    }
    let time = hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS + ms;
    let told = days_from_civil(year, month, day)?
        .checked_mul(DAY_MS)?
        .checked_add(time)?;
    // A day that its month does not have comes back as another one.
    (EventTime::from_millis(told).to_string() == text).then_some(told)
}

fn two(digits: &str, most: i64) -> Option<i64> {
    let number = (digits.len() == 2).then(|| digits.parse::<i64>().ok())??;
    (0..=most).contains(&number).then_some(number)
}

/// Days since 1970-01-01 of a civil date: years begin in March, as in [`EventTime`]'s text.
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let year = year.checked_sub(i64::from(month <= 2))?;
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let march_month = (month + 9) % 12;
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era.checked_mul(146_097)?
        .checked_add(day_of_era)?
        .checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(ms in -9_000_000_000_000_000i64..9_000_000_000_000_000) {
            let time = UtcTime(EventTime::from_millis(ms));
            let json = serde_json::to_string(&time).unwrap();
            prop_assert_eq!(serde_json::from_str::<UtcTime>(&json).unwrap(), time);
            prop_assert_eq!(serde_json::from_str::<UtcTime>(&ms.to_string()).unwrap(), time);
        }
    }

    #[test]
    fn other_texts_are_none() {
        for text in [
            "",
            "Z",
            "2026-02-29T00:00:00.000Z",
            "2026-13-01T00:00:00.000Z",
            "2026-01-01T24:00:00.000Z",
            "2026-01-01T00:00:00Z",
            "2026-01-01 00:00:00.000Z",
            "+026-01-01T00:00:00.000Z",
            "2026-01-01T00:00:00.000",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
        assert_eq!(parsed("2000-02-29T00:00:00.000Z"), Some(951_782_400_000));
    }
}
