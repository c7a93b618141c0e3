//! Work days, office hours, rush and night in the city's time zone; deadlines on the four clocks. It reads no clock.

use std::collections::BTreeSet;

use city_model::{DAY_MS, EventTime, MINUTE_MS};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};

use crate::file::RawCalendar;
use crate::strict::{ConfigError, nearest};
use crate::{Clock, Rules};

/// Beyond this many days a deadline stands still: no limit of any rule is longer, and no input may make the search so.
const MOST_DAYS: i64 = 10_000;

/// The calendar as the rules have it. Minutes of the day, and days since 1970-01-01.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct CalendarRules {
    office: (u32, u32),
    rush: Vec<(u32, u32)>,
    rush_on_work_days: bool,
    night: (u32, u32),
    holidays: BTreeSet<i64>,
    workdays: BTreeSet<i64>,
    years: BTreeSet<i64>,
}

impl CalendarRules {
    /// Reads times and dates; the error names the text that is wrong.
    pub(crate) fn new(raw: &RawCalendar) -> Result<CalendarRules, (String, String)> {
        let mut calendar = CalendarRules {
            office: span(&raw.office)?,
            rush: raw.rush.iter().map(|part| span(part)).collect::<Result<_, _>>()?,
            rush_on_work_days: raw.rush_on_work_days,
            night: span(&raw.night)?,
            ..CalendarRules::default()
        };
        if calendar.office.0 >= calendar.office.1 {
            return Err((
                raw.office.join(" "),
                "office hours must begin before they end, on the same day".into(),
            ));
        }
        for (year, days) in &raw.years {
            let number = year
                .parse()
                .map_err(|_| (year.clone(), format!("\"{year}\" is no year")))?;
            calendar.years.insert(number);
            for text in &days.holidays {
                calendar.holidays.extend(days_of(text)?);
            }
            for text in &days.workdays {
                calendar.workdays.extend(days_of(text)?);
            }
        }
        Ok(calendar)
    }

    /// The years whose holidays are known.
    pub(crate) fn years(&self) -> impl Iterator<Item = i64> + '_ {
        self.years.iter().copied()
    }
}

/// The calendar of a city.
#[derive(Debug, Clone)]
pub struct Calendar {
    rules: CalendarRules,
    zone: TimeZone,
    /// The offset that holds from `.0` on for ever, both in milliseconds; most zones of the world's east have one.
    fixed: Option<(i64, i64)>,
}

impl Calendar {
    /// The calendar of the rules in a time zone, by its IANA name.
    ///
    /// # Errors
    /// A name that the built-in time zone database does not have.
    pub fn new(rules: &Rules, tz: &str) -> Result<Calendar, ConfigError> {
        let zone = jiff::tz::db().get(tz).map_err(|_| {
            let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
            let nearest = nearest(tz, names.iter().map(String::as_str));
            let hint = nearest
                .as_ref()
                .map(|name| format!("; the nearest valid name is \"{name}\""));
            let message = format!("unknown time zone \"{tz}\"{}", hint.unwrap_or_default());
            ConfigError {
                nearest,
                ..ConfigError::new("city", "city.timezone", message)
            }
        })?;
        let fixed = fixed_from(&zone);
        Ok(Calendar {
            rules: rules.calendar.clone(),
            zone,
            fixed,
        })
    }

    /// The instant `amount` later on a clock: minutes for the hour clocks, days for the day clocks. A work day is a
    /// day's office hours: from Friday 23:00, one work day ends with Monday's office. Nothing is before `start`.
    pub fn add(&self, start: EventTime, amount: i64, clock: Clock) -> EventTime {
        let amount = amount.max(0);
        match clock {
            Clock::UrgentHour => start + amount.saturating_mul(MINUTE_MS),
            Clock::NaturalDay => {
                let local = self.to_local(start);
                self.to_instant(local.saturating_add(amount.saturating_mul(DAY_MS)))
            }
            Clock::WorkHour => self.add_work_minutes(start, amount),
            Clock::WorkDay => {
                let (open, close) = self.rules.office;
                self.add_work_minutes(start, amount.saturating_mul(i64::from(close - open)))
            }
        }
    }

    /// How much of a clock runs between two instants, in milliseconds; nothing where the second is not later. Days count whole on
    /// the clock of calendar days, and by their office hours on that of work days.
    pub fn elapsed_ms(&self, from: EventTime, until: EventTime, clock: Clock) -> i64 {
        if until <= from {
            return 0;
        }
        match clock {
            Clock::UrgentHour | Clock::NaturalDay => until - from,
            Clock::WorkHour | Clock::WorkDay => {
                let (from, until) = (self.to_local(from), self.to_local(until));
                let (open, close) = self.rules.office;
                let (open, close) = (i64::from(open) * MINUTE_MS, i64::from(close) * MINUTE_MS);
                let first = from.div_euclid(DAY_MS);
                let last = until.div_euclid(DAY_MS).min(first.saturating_add(MOST_DAYS));
                (first..=last)
                    .filter(|day| self.is_work_day_number(*day))
                    .map(|day| {
                        let midnight = day.saturating_mul(DAY_MS);
                        let begins = midnight.saturating_add(open).max(from);
                        (midnight.saturating_add(close).min(until) - begins).max(0)
                    })
                    .sum()
            }
        }
    }

    /// The instant at which so many milliseconds of a clock have run since another.
    pub fn after_ms(&self, start: EventTime, ms: i64, clock: Clock) -> EventTime {
        match clock {
            Clock::UrgentHour | Clock::NaturalDay => start + ms.max(0),
            Clock::WorkHour | Clock::WorkDay => self.add_work_ms(start, ms.max(0)),
        }
    }

    fn add_work_minutes(&self, start: EventTime, minutes: i64) -> EventTime {
        self.add_work_ms(start, minutes.saturating_mul(MINUTE_MS))
    }

    fn add_work_ms(&self, start: EventTime, ms: i64) -> EventTime {
        if ms == 0 {
            return start;
        }
        let local = self.to_local(start);
        let (open, close) = self.rules.office;
        let (open, close) = (i64::from(open) * MINUTE_MS, i64::from(close) * MINUTE_MS);
        let first = local.div_euclid(DAY_MS);
        let mut from = local.rem_euclid(DAY_MS).max(open);
        let mut left = ms;
        for day in first..first.saturating_add(MOST_DAYS) {
            if self.is_work_day_number(day) && from < close {
                if left <= close - from {
                    return self.to_instant(day.saturating_mul(DAY_MS).saturating_add(from + left));
                }
                left -= close - from;
            }
            from = open;
        }
        self.to_instant(first.saturating_add(MOST_DAYS).saturating_mul(DAY_MS))
    }

    /// Whether the day of an instant is a work day.
    pub fn is_work_day(&self, at: EventTime) -> bool {
        self.is_work_day_number(self.to_local(at).div_euclid(DAY_MS))
    }

    fn is_work_day_number(&self, day: i64) -> bool {
        // 1970-01-01 was a Thursday; 0 is Monday here.
        let weekend = day.saturating_add(3).rem_euclid(7) >= 5;
        (!weekend || self.rules.workdays.contains(&day)) && !self.rules.holidays.contains(&day)
    }

    /// Whether the holidays of an instant's year are known; else only weekends are off.
    pub fn knows_year(&self, at: EventTime) -> bool {
        let year = self.zone.to_datetime(timestamp(at)).year();
        self.rules.years.contains(&i64::from(year))
    }

    /// The minute of the local day, 0 to 1439.
    pub fn minute_of_day(&self, at: EventTime) -> u32 {
        (self.to_local(at).rem_euclid(DAY_MS) / MINUTE_MS) as u32
    }

    /// The local day, in days since 1970-01-01.
    pub fn day(&self, at: EventTime) -> i64 {
        self.to_local(at).div_euclid(DAY_MS)
    }

    /// Whether it is a rush hour: of a work day, where the rules say so.
    pub fn is_rush(&self, at: EventTime) -> bool {
        let minute = self.minute_of_day(at);
        self.rules.rush.iter().any(|span| within(*span, minute))
            && (!self.rules.rush_on_work_days || self.is_work_day(at))
    }

    /// Whether it is night.
    pub fn is_night(&self, at: EventTime) -> bool {
        within(self.rules.night, self.minute_of_day(at))
    }

    /// Local milliseconds since 1970-01-01 00:00 local time.
    fn to_local(&self, at: EventTime) -> i64 {
        at.millis().saturating_add(self.offset_ms(at))
    }

    fn to_instant(&self, local: i64) -> EventTime {
        // Twice: the first offset may be that of the other side of a clock change.
        let guess = EventTime::from_millis(local) - self.offset_ms(EventTime::from_millis(local));
        EventTime::from_millis(local) - self.offset_ms(guess)
    }

    fn offset_ms(&self, at: EventTime) -> i64 {
        match self.fixed {
            Some((from, offset)) if at.millis() >= from => offset,
            _ => i64::from(self.zone.to_offset(timestamp(at)).seconds()) * 1_000,
        }
    }
}

/// From when on a zone's offset never changes any more, and that offset.
fn fixed_from(zone: &TimeZone) -> Option<(i64, i64)> {
    let start = EventTime::from_millis(946_684_800_000); // 2000-01-01: nothing older is judged
    let changes = zone.following(timestamp(start)).next().is_some();
    let offset = i64::from(zone.to_offset(timestamp(start)).seconds()) * 1_000;
    (!changes).then_some((start.millis(), offset))
}

/// The nearest instant that the time zone database can speak of.
fn timestamp(at: EventTime) -> Timestamp {
    let least = Timestamp::MIN.as_millisecond() + DAY_MS;
    let most = Timestamp::MAX.as_millisecond() - DAY_MS;
    Timestamp::from_millisecond(at.millis().clamp(least, most)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Whether a minute lies in a half-open span; a span may go over midnight.
const fn within((from, to): (u32, u32), minute: u32) -> bool {
    if from <= to {
        from <= minute && minute < to
    } else {
        minute >= from || minute < to
    }
}

fn span(texts: &[String]) -> Result<(u32, u32), (String, String)> {
    match texts {
        [from, to] => Ok((minute(from)?, minute(to)?)),
        _ => Err((
            texts.join(" "),
            "a span of the day is two times, as in [\"09:00\", \"17:30\"]".into(),
        )),
    }
}

fn minute(text: &str) -> Result<u32, (String, String)> {
    let parsed = text
        .split_once(':')
        .and_then(|(h, m)| Some((h.parse::<u32>().ok()?, m.parse::<u32>().ok()?)));
    match parsed {
        Some((hour, minute)) if hour * 60 + minute <= 24 * 60 && minute < 60 => Ok(hour * 60 + minute),
        _ => Err((
            text.to_owned(),
            format!("\"{text}\" is no time of day; write it as \"09:30\""),
        )),
    }
}

/// The days of "2026-05-01" or "2026-05-01/2026-05-05".
fn days_of(text: &str) -> Result<Vec<i64>, (String, String)> {
    let wrong = || (text.to_owned(), format!("\"{text}\" is no date or span of dates"));
    let (first, last) = text.split_once('/').unwrap_or((text, text));
    let first = day_number(first.parse().map_err(|_| wrong())?);
    let last = day_number(last.parse().map_err(|_| wrong())?);
    // A longer holiday than a month is a slip of the pen.
    if last < first || last - first > 31 {
        Err(wrong())
    } else {
        Ok((first..=last).collect())
    }
}

fn day_number(date: Date) -> i64 {
    let midnight = Offset::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight()));
    midnight.map_or(0, |instant| instant.as_second().div_euclid(86_400))
}
