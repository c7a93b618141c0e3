//! When something happened, and what the difference to its ingestion says about the clock that told it.

use city_model::{DAY_MS, DeadLetterReason, EventTime, Flag, HOUR_MS, MINUTE_MS, Source};
use jiff::tz::TimeZone;
use wire_format::{Refusal, WireTime};

use crate::{ClockSeen, Fault};

/// A clock may be ahead by so much (DOMAIN 5.4).
const AHEAD_MS: i64 = 5 * MINUTE_MS;
/// A device that believes in a time before 2020-01-01 never had one (DOMAIN 5.4).
const UNSET_BEFORE: EventTime = EventTime::from_millis(1_577_836_800_000);
/// A ticket or report that is older than a year cannot be judged.
const TOO_OLD_MS: i64 = 366 * DAY_MS;
/// The offset of China's time zone, by which wrongly labelled times are off.
const ZONE_MS: i64 = 8 * HOUR_MS;

/// When an event happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct When {
    pub(crate) event_time: EventTime,
    pub(crate) flags: Vec<Flag>,
    /// Trouble with a device's clock.
    pub(crate) fault: Option<Fault>,
    /// How far the clock is ahead, in milliseconds.
    pub(crate) skew_ms: i64,
}

impl When {
    /// What the record said about the clock.
    pub(crate) fn seen(&self) -> ClockSeen {
        ClockSeen::new(Some(self.skew_ms), &self.flags)
    }

    /// The same where a zone error is taken out; the flag that it was suspected stays.
    pub(crate) fn with_zone_fixed(mut self, ingested_at: EventTime) -> When {
        if self.flags.contains(&Flag::ZoneSuspected) {
            self.event_time = ingested_at + (self.skew_ms - self.skew_ms.signum() * ZONE_MS);
            self.flags.retain(|flag| *flag != Flag::ClockFuture);
        }
        self
    }
}

/// The time of `field` of a record that was appended at `ingested_at`. A sensor is never refused for a wrong clock.
pub(crate) fn when(
    source: Source,
    field: &str,
    time: &WireTime,
    zone: &TimeZone,
    ingested_at: EventTime,
    max_late_ms: i64,
) -> Result<When, Refusal> {
    let is_sensor = source == Source::Sensor;
    let said = match time.resolve(zone) {
        Some(said) => said,
        // Figures that are no date, such as 0000-00-00, come from a clock that was never set.
        None if is_sensor && is_figures(time) => EventTime::from_millis(0),
        None => {
            return Err(Refusal::new(
                DeadLetterReason::NoTime,
                format!("{field}: not a time"),
            ));
        }
    };
    let skew_ms = said - ingested_at;
    let mut when = When {
        event_time: said,
        flags: Vec::new(),
        fault: None,
        skew_ms,
    };
    if is_sensor && said < UNSET_BEFORE && ingested_at >= UNSET_BEFORE {
        when.event_time = ingested_at;
        when.flags.push(Flag::ClockUnset);
        when.fault = Some(Fault::ClockUnset);
        return Ok(when);
    }
    if is_sensor && skew_ms.saturating_abs().saturating_sub(ZONE_MS).saturating_abs() <= AHEAD_MS {
        when.flags.push(Flag::ZoneSuspected);
        when.fault = Some(Fault::ZoneSuspected);
    }
    if skew_ms > AHEAD_MS {
        when.event_time = ingested_at;
        when.flags.push(Flag::ClockFuture);
        if is_sensor {
            when.fault = Some(when.fault.unwrap_or(Fault::ClockFuture));
        }
    } else if !is_sensor && skew_ms < -TOO_OLD_MS {
        return Err(Refusal::new(
            DeadLetterReason::TimeTooOld,
            format!("{field}: more than 366 days before it came"),
        ));
    } else if skew_ms < -max_late_ms {
        when.flags.push(Flag::Backfill);
    }
    when.flags.sort_unstable();
    Ok(when)
}

fn is_figures(time: &WireTime) -> bool {
    match time {
        WireTime::Millis(_) => true,
        WireTime::Text(text) => {
            let is_part = |c: char| c.is_ascii_digit() || " :/-.+TZ".contains(c);
            text.contains(|c: char| c.is_ascii_digit()) && text.chars().all(is_part)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_judged_by_the_table() {
        let now = EventTime::from_millis(1_788_739_200_000);
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let check = |source: Source, time: WireTime, expected: &str| {
            let told = match when(source, "observed_at", &time, &zone, now, 72 * HOUR_MS) {
                Err(refusal) => refusal.to_string(),
                Ok(when) => {
                    let flags: Vec<&str> = when.flags.iter().map(|flag| flag.as_str()).collect();
                    format!("{}s {}", (when.event_time - now) / 1_000, flags.join(" "))
                }
            };
            assert_eq!(told.trim_end(), expected, "{source} {time:?}");
        };
        let at = |skew_s: i64| WireTime::Millis(now.millis() + skew_s * 1_000);
        let text = |text: &'static str| WireTime::Text(text.into());
        for source in [Source::Sensor, Source::Hotline] {
            check(source, at(-30), "-30s");
            check(source, at(300), "300s");
            check(source, at(301), "0s clock_future");
            check(source, at(2 * 86_400), "0s clock_future");
            check(source, at(-4 * 86_400), "-345600s backfill");
            check(source, text("yesterday"), "no_time: observed_at: not a time");
            check(source, WireTime::Millis(i64::MAX), "0s clock_future");
        }
        check(Source::Sensor, at(8 * 3_600), "0s clock_future zone_suspected");
        check(Source::Sensor, at(-8 * 3_600 + 200), "-28600s zone_suspected");
        check(Source::Hotline, at(-8 * 3_600), "-28800s");
        check(Source::Sensor, at(-400 * 86_400), "-34560000s backfill");
        check(
            Source::Hotline,
            at(-400 * 86_400),
            "time_too_old: observed_at: more than 366 days before it came",
        );
        check(Source::Sensor, WireTime::Millis(0), "0s clock_unset");
        check(Source::Sensor, WireTime::Millis(i64::MIN), "0s clock_unset");
        check(Source::Sensor, text("0000-00-00 00:00:00"), "0s clock_unset");
        check(
            Source::Hotline,
            text("0000-00-00 00:00:00"),
            "no_time: observed_at: not a time",
        );
        check(
            Source::Hotline,
            WireTime::Millis(i64::MIN),
            "time_too_old: observed_at: more than 366 days before it came",
        );
    }
}
