//! A time as it stands in a record: epoch milliseconds or text, kept until the city's time zone is known.

use std::fmt;

use city_model::{EventTime, half_width};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
use jiff::tz::TimeZone;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::Text;

/// A time as a source wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum WireTime<'a> {
    /// Milliseconds since the Unix epoch.
    Millis(i64),
    /// Text: RFC 3339, or one of the local spellings that sources use.
    Text(Text<'a>),
}

impl WireTime<'_> {
    /// The instant that is meant; text without a zone is local in `zone`. `None` when the text is no time.
    pub fn resolve(&self, zone: &TimeZone) -> Option<EventTime> {
        match self {
            WireTime::Millis(ms) => Some(EventTime::from_millis(*ms)),
            WireTime::Text(text) => parse(text.trim(), zone),
        }
    }
}

impl From<EventTime> for WireTime<'_> {
    fn from(time: EventTime) -> Self {
        WireTime::Millis(time.millis())
    }
}

fn parse(text: &str, zone: &TimeZone) -> Option<EventTime> {
    if !text.is_ascii() {
        let plain = plain(text);
        return plain.is_ascii().then(|| parse(plain.trim(), zone)).flatten();
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        if !is_a_zone(text) {
            return None;
        }
        return Some(EventTime::from_millis(timestamp.as_millisecond()));
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return match text.len() {
            13 => text.parse().ok().map(EventTime::from_millis),
            // yyyymmddHHMMSS, the ShotTime of GA/T 1400: local, without a zone.
            14 => {
                let field = |from: usize, to: usize| number(text.get(from..to)?);
                let date = [field(0, 4)?, field(4, 6)?, field(6, 8)?];
                local(date, [field(8, 10)?, field(10, 12)?, field(12, 14)?], 0, zone)
            }
            _ => None,
        };
    }
    let (date, clock) = text.split_once(['T', 't', ' '])?;
    let separator = ['/', '.']
        .into_iter()
        .find(|sign| date.contains(*sign))
        .unwrap_or('-');
    let mut date = date.split(separator).map(number);
    let year_month_day = [date.next()??, date.next()??, date.next()??];
    let (whole, fraction) = clock
        .trim_start()
        .split_once('.')
        .unwrap_or((clock.trim_start(), ""));
    let mut clock = whole.split(':').map(number);
    let hour_minute_second = [clock.next()??, clock.next()??, clock.next().unwrap_or(Some(0))?];
    if date.next().is_some() || clock.next().is_some() || year_month_day[0] < 1000 {
        return None;
    }
    local(year_month_day, hour_minute_second, milliseconds(fraction)?, zone)
}

/// A time that is written in Chinese or with full-width signs, as it would be in figures: "2026年7月10日 10时5分" as
/// "2026-7-10 10:5".
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '年' | '月' => plain.push('-'),
            '日' | '号' => plain.push(' '),
            '时' | '時' | '点' | '點' | '分' => plain.push(':'),
            '秒' | '整' => {}
            _ => plain.push(half_width(c)),
        }
    }
    // "10时" and "10时5分" end with what parts them from what could follow.
    let whole = plain.trim_end().trim_end_matches(':');
    match whole.rsplit_once(' ') {
        Some((_, clock)) if text.contains(['时', '時', '点', '點']) && !clock.contains(':') => {
            format!("{whole}:0")
        }
        _ => whole.to_owned(),
    }
}

/// Whether the offset of a time is one that some place on earth has: between -12:00 and +14:00.
fn is_a_zone(text: &str) -> bool {
    // UTC needs no second reading.
    text.ends_with(['Z', 'z'])
        || Pieces::parse(text)
            .ok()
            .and_then(|pieces| pieces.to_numeric_offset())
            .is_none_or(|offset| (-12 * 3600..=14 * 3600).contains(&offset.seconds()))
}

fn local(date: [i16; 3], clock: [i16; 3], ms: i32, zone: &TimeZone) -> Option<EventTime> {
    let small = |n: i16| i8::try_from(n).ok();
    let datetime = DateTime::new(
        date[0],
        small(date[1])?,
        small(date[2])?,
        small(clock[0])?,
        small(clock[1])?,
        small(if clock[2] == 60 { 59 } else { clock[2] })?, // a leap second is its predecessor's last moment
        ms * 1_000_000,
    );
    let timestamp = zone.to_timestamp(datetime.ok()?).ok()?;
    Some(EventTime::from_millis(timestamp.as_millisecond()))
}

/// One to four digits and nothing else.
fn number(text: &str) -> Option<i16> {
    let digits = !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

fn milliseconds(fraction: &str) -> Option<i32> {
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut ms = 0;
    for place in 0..3 {
        ms = ms * 10
            + fraction
                .as_bytes()
                .get(place)
                .map_or(0, |digit| i32::from(digit - b'0'));
    }
    Some(ms)
}

impl<'de: 'a, 'a> Deserialize<'de> for WireTime<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<WireTime<'a>, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = WireTime<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time in milliseconds or as text")
            }
            fn visit_i64<E: de::Error>(self, ms: i64) -> Result<WireTime<'de>, E> {
                Ok(WireTime::Millis(ms))
            }
            fn visit_u64<E: de::Error>(self, ms: u64) -> Result<WireTime<'de>, E> {
                i64::try_from(ms)
                    .map(WireTime::Millis)
                    .map_err(|_| E::custom("a time out of range"))
            }
            fn visit_f64<E: de::Error>(self, ms: f64) -> Result<WireTime<'de>, E> {
                // Whole numbers up to 2^53 are exact in a double.
                if ms.fract() == 0.0 && ms.abs() <= 9_007_199_254_740_992.0 {
                    Ok(WireTime::Millis(ms as i64))
                } else {
                    Err(E::custom("a time that is no whole number of milliseconds"))
                }
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<WireTime<'de>, E> {
                Ok(WireTime::Text(text.to_owned().into()))
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<WireTime<'de>, E> {
                Ok(WireTime::Text(text.into()))
            }
        }
        deserializer.deserialize_any(Visit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_spelling_that_sources_use() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let check = |text: &str, expected: Option<&str>| {
            let json = serde_json::Value::from(text);
            let time = WireTime::deserialize(&json).unwrap();
            assert_eq!(
                time.resolve(&zone).map(|time| time.to_string()).as_deref(),
                expected,
                "{text}"
            );
        };
        check("2026-07-10T08:00:00+25:00", None);
        check("2026-07-10T08:00:00+14:00", Some("2026-07-09T18:00:00.000Z"));
        check("2026-07-10T08:00:00-12:30", None);
        let eight = Some("2026-07-10T00:00:00.000Z");
        for offset in ["+08", "+0800", "+08:00:00", "+08:00[Asia/Shanghai]"] {
            check(&format!("2026-07-10T08:00:00{offset}"), eight);
        }
        for offset in ["+25", "+2500", "+14:00:01", "-12:00:01", "+25:00[Asia/Shanghai]"] {
            check(&format!("2026-07-10T08:00:00{offset}"), None);
        }
        check("2018-02-05 10:05", Some("2018-02-05T02:05:00.000Z"));
        check("2015/3/7 9:01:02", Some("2015-03-07T01:01:02.000Z"));
        check("20180205100500", Some("2018-02-05T02:05:00.000Z"));
        check("2018-02-05T10:05:00+08:00", Some("2018-02-05T02:05:00.000Z"));
        check("2018-02-05T02:05:00.123Z", Some("2018-02-05T02:05:00.123Z"));
        check(" 2018-02-05T10:05:00.5 ", Some("2018-02-05T02:05:00.500Z"));
        check("1767225600000", Some("2026-01-01T00:00:00.000Z"));
        for chinese in [
            "2026年7月10日8时0分",
            "2026年7月10日 8时0分0秒",
            "2026年07月10日08:00",
            "2026年7月10日8点",
            "2026年7月10号8时整",
            "２０２６－０７－１０　０８：００：００",
            "2026-07-10 08：00",
            "2026.7.10 8:00",
        ] {
            check(chinese, eight);
        }
        for wrong in [
            "2026年7月10日",
            "7月10日8时",
            "2026年13月10日8时",
            "今天8时",
            "2026年7月10日8分",
            "８",
        ] {
            check(wrong, None);
        }
        for wrong in [
            "",
            "yesterday",
            "2018-02-05",
            "2018-02-30 10:00",
            "2018-02-05 25:00",
            "2018-02-05 10:05:61x",
            "18-2-5 10:00",
            "201802051005",
            "2018-02-05 10",
            "1-2-3-4 5:6",
            "٢٠١٨-02-05 10:05",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn takes_whole_numbers_only() {
        fn read(json: &str) -> Option<WireTime<'_>> {
            serde_json::from_str(json).ok()
        }
        assert_eq!(read("1767225600000"), Some(WireTime::Millis(1_767_225_600_000)));
        assert_eq!(read("1.7672256e12"), Some(WireTime::Millis(1_767_225_600_000)));
        assert_eq!(read("-5"), Some(WireTime::Millis(-5)));
        for wrong in ["1.5", "1e300", "18446744073709551615", "true", "{}", "null"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
