//! The four clocks that deadlines run on, and a limit on one of them as text: "30m work_hour", "5d work_day".

use std::fmt;
use std::str::FromStr;

use city_model::{DAY_MS, MINUTE_MS};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::strict::{duration, duration_text};

/// A clock on which a deadline runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clock {
    /// 紧急工作时: runs day and night. Amounts in minutes.
    UrgentHour,
    /// 工作时: runs in the office hours of work days. Amounts in minutes.
    WorkHour,
    /// 工作日: work days by the Chinese calendar, moved ones (调休) included. Amounts in days.
    WorkDay,
    /// 自然日: calendar days. Amounts in days.
    NaturalDay,
}

impl Clock {
    /// Every clock.
    pub const ALL: [Clock; 4] = [
        Clock::UrgentHour,
        Clock::WorkHour,
        Clock::WorkDay,
        Clock::NaturalDay,
    ];

    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Clock::UrgentHour => "urgent_hour",
            Clock::WorkHour => "work_hour",
            Clock::WorkDay => "work_day",
            Clock::NaturalDay => "natural_day",
        }
    }

    /// How many milliseconds one unit of an amount stands for when written as a duration.
    const fn unit_ms(self) -> i64 {
        match self {
            Clock::UrgentHour | Clock::WorkHour => MINUTE_MS,
            Clock::WorkDay | Clock::NaturalDay => DAY_MS,
        }
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Clock {
    type Err = String;
    fn from_str(text: &str) -> Result<Clock, String> {
        let found = Clock::ALL.into_iter().find(|clock| clock.as_str() == text);
        found.ok_or_else(|| format!("unknown clock {text:?}"))
    }
}

/// An amount on a clock, as the rules write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit(pub(crate) i64, pub(crate) Clock);

impl FromStr for Limit {
    type Err = String;
    fn from_str(text: &str) -> Result<Limit, String> {
        let wrong = || {
            format!(
                "{text:?} is no time limit; write an amount and one of urgent_hour work_hour work_day \
                 natural_day, as in \"4h work_hour\" or \"5d work_day\""
            )
        };
        let (amount, clock) = text.trim().split_once(' ').ok_or_else(wrong)?;
        let clock: Clock = clock.trim().parse().map_err(|_| wrong())?;
        let ms = duration(amount).map_err(|_| wrong())?;
        if ms % clock.unit_ms() != 0 {
            return Err(wrong());
        }
        Ok(Limit(ms / clock.unit_ms(), clock))
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ms = self.0.saturating_mul(self.1.unit_ms());
        serializer.collect_str(&format_args!("{} {}", duration_text(ms), self.1))
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Limit, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_minutes_or_days() {
        assert_eq!("4h work_hour".parse(), Ok(Limit(240, Clock::WorkHour)));
        assert_eq!("5d work_day".parse(), Ok(Limit(5, Clock::WorkDay)));
        assert_eq!("120h natural_day".parse(), Ok(Limit(5, Clock::NaturalDay)));
        for text in ["4h", "4h work_days", "12h work_day", "30s urgent_hour", ""] {
            assert!(text.parse::<Limit>().is_err(), "{text}");
        }
    }
}
