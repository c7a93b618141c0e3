//! Durations as people write them: "15m", "24h", "7d". One number, one unit, whole milliseconds.

use std::fmt;

use city_model::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const UNITS: [(&str, i64); 5] = [
    ("d", DAY_MS),
    ("h", HOUR_MS),
    ("m", MINUTE_MS),
    ("s", SECOND_MS),
    ("ms", 1),
];

/// A text that is no duration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DurationError(String);

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no duration; write a whole number and one of d h m s ms, as in \"15m\"",
            self.0
        )
    }
}

impl std::error::Error for DurationError {}

/// The milliseconds of a duration such as "500ms", "90s", "15m", "24h" or "7d".
///
/// # Errors
/// Anything else: no unit, a sign, a fraction, too long to count in 64 bits.
pub fn duration(text: &str) -> Result<i64, DurationError> {
    let wrong = || DurationError(text.to_owned());
    let trimmed = text.trim();
    let end = trimmed.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = trimmed.split_at(end);
    let unit = unit.trim_start();
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
    let number: i64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(*factor).ok_or_else(wrong)
}

/// The shortest text that `duration` reads back as `ms`; a negative duration is none and becomes "0s".
pub fn duration_text(ms: i64) -> String {
    if ms <= 0 {
        return "0s".to_owned();
    }
    let whole = UNITS.iter().find(|(_, factor)| ms % factor == 0);
    whole.map_or_else(
        || format!("{ms}ms"),
        |(name, factor)| format!("{}{name}", ms / factor),
    )
}

/// A duration in milliseconds that is written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct DurationMs(pub i64);

impl Serialize for DurationMs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&duration_text(self.0))
    }
}

impl<'de> Deserialize<'de> for DurationMs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<DurationMs, D::Error> {
        let text = String::deserialize(deserializer)?;
        duration(&text).map(DurationMs).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        let check = |text: &str, ms: i64| assert_eq!(duration(text), Ok(ms), "{text}");
        check("500ms", 500);
        check("90s", 90_000);
        check("15m", 900_000);
        check("24h", 86_400_000);
        check("72h", 259_200_000);
        check("7d", 604_800_000);
        check(" 5 m ", 300_000);
        check("0s", 0);
        for text in [
            "",
            "15",
            "m",
            "-5m",
            "1.5h",
            "1h30m",
            "5 minutes",
            "15M",
            "999999999999999999d",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn text_comes_back() {
        for ms in [
            0,
            1,
            999,
            1_000,
            90_000,
            900_000,
            3_600_000,
            86_400_000,
            86_400_001,
            i64::MAX,
        ] {
            assert_eq!(duration(&duration_text(ms)), Ok(ms));
        }
        assert_eq!(duration_text(-1), "0s");
    }
}
