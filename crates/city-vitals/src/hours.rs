//! The counts of a cell in the same hour of the day, day by day; and which days an hour is compared with.

use std::collections::BTreeMap;

use city_model::{DAY_MS, EventTime, HOUR_MS, MINUTE_MS, Name};
use city_rules::Calendar;
use serde::{Deserialize, Serialize};

use crate::usual::HOURS_KEPT;

/// How far back days are looked for: ten days off lie within five weeks, and holidays between work days are short.
const DAYS_BACK: i64 = 45;

/// An hour of the day on one sort of day: 0 to 23 on work days, 24 to 47 on days off.
pub(crate) type Slot = u8;

/// Where an instant counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HourOf {
    pub(crate) slot: Slot,
    /// The local day, in days since 1970-01-01.
    pub(crate) day: i64,
}

impl HourOf {
    pub(crate) fn of(calendar: &Calendar, at: EventTime) -> HourOf {
        let hour = (calendar.minute_of_day(at) / 60) as u8;
        HourOf {
            slot: if calendar.is_work_day(at) { hour } else { hour + 24 },
            day: calendar.day(at),
        }
    }
}

/// What was counted in a slot, by kind; the empty name is all kinds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Hours {
    kinds: BTreeMap<Name, Vec<(i64, i64)>>,
}

impl Hours {
    /// Adds to the count of a day. Days without any are not kept, so the newest that are kept reach far enough.
    pub(crate) fn add(&mut self, kind: &Name, day: i64, by: i64) {
        let days = self.kinds.entry(kind.clone()).or_default();
        match days.binary_search_by_key(&day, |(day, _)| *day) {
            Ok(at) => days[at].1 += by,
            Err(at) => days.insert(at, (day, by)),
        }
        days.retain(|(_, count)| *count != 0);
        // One more than is compared with: today's.
        if days.len() > HOURS_KEPT + 1 {
            days.remove(0);
        }
        if days.is_empty() {
            self.kinds.remove(kind);
        }
    }

    /// The counts of these days.
    pub(crate) fn counts(&self, kind: &str, days: &[i64]) -> Vec<i64> {
        let kept = self.kinds.get(kind);
        let count = |day: &i64| {
            let kept = kept?;
            let at = kept.binary_search_by_key(day, |(day, _)| *day).ok()?;
            Some(kept[at].1)
        };
        days.iter().map(|day| count(day).unwrap_or(0)).collect()
    }
}

/// An hour of the clock and the days that it is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comparable {
    pub(crate) slot: Slot,
    pub(crate) days: Vec<i64>,
}

impl Comparable {
    /// The last ten days of the same sort whose same hour was seen whole: not before `since`.
    pub(crate) fn of(calendar: &Calendar, at: EventTime, since: EventTime) -> Comparable {
        let hour = HourOf::of(calendar, at);
        let begun =
            at - i64::from(calendar.minute_of_day(at) % 60) * MINUTE_MS - at.millis().rem_euclid(MINUTE_MS);
        let mut days = Vec::new();
        for back in 1..=DAYS_BACK {
            let then = begun - back * DAY_MS;
            if then < since || days.len() >= HOURS_KEPT {
                break;
            }
            let other = HourOf::of(calendar, then);
            if other.slot == hour.slot {
                days.push(other.day);
            }
        }
        Comparable {
            slot: hour.slot,
            days,
        }
    }
}

/// What an hour that ends now is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// When the hour of the clock ends: until then only the minutes change.
    until: EventTime,
    /// The hour of the clock that it ends in.
    pub(crate) now: Comparable,
    /// The one before.
    pub(crate) before: Comparable,
    /// Minutes of the first that have passed.
    pub(crate) minutes: i64,
}

impl Comparison {
    pub(crate) fn of(calendar: &Calendar, end: EventTime, since: EventTime) -> Comparison {
        // The last minute that counts, so that a full hour ends in itself.
        let last = end - MINUTE_MS;
        let minute = i64::from(calendar.minute_of_day(last) % 60);
        Comparison {
            until: last + (60 - minute) * MINUTE_MS,
            now: Comparable::of(calendar, last, since),
            before: Comparable::of(calendar, last - HOUR_MS, since),
            minutes: minute + 1,
        }
    }

    /// The comparison for the next minute's end, made anew when the hour of the clock is another.
    pub(crate) fn next(
        known: Option<Comparison>,
        calendar: &Calendar,
        end: EventTime,
        since: EventTime,
    ) -> Comparison {
        match known {
            Some(known) if end <= known.until && known.until - end < HOUR_MS => Comparison {
                minutes: 60 - (known.until - end) / MINUTE_MS,
                ..known
            },
            _ => Comparison::of(calendar, end, since),
        }
    }
}
