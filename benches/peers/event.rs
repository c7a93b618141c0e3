//! An event of the job, read from its flat JSON: what is written plainly is scanned once, all else goes through `serde_json`.

use rustc_hash::FxHashMap;
use serde::Deserialize;

/// The kinds of the job, in the order of their numbers.
pub const KINDS: [&str; 39] = [
    "road_ponding",
    "manhole_missing",
    "fire_smoke",
    "gas_leak",
    "garbage_exposed",
    "parking_motor",
    "parking_bike",
    "street_vendor",
    "tree_fallen",
    "noise_works",
    "noise_social",
    "street_light",
    "traffic_light",
    "road_pothole",
    "sewage_overflow",
    "pipe_burst",
    "water_quality",
    "illegal_ad",
    "banner_hanging",
    "dust_site",
    "truck_uncovered",
    "river_rubbish",
    "river_colour",
    "bridge_damage",
    "rail_damage",
    "kerb_damage",
    "sign_damage",
    "hydrant_damage",
    "cable_hanging",
    "pole_leaning",
    "glass_falling",
    "lift_trapped",
    "crowd_gathering",
    "fire_lane_blocked",
    "ebike_charging",
    "animal_loose",
    "wall_crack",
    "toilet_dirty",
    "construction_waste",
];

/// What the job wants to know of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The number in its id.
    pub number: u32,
    /// The number of its kind in [`KINDS`].
    pub kind: u8,
    /// Where it happened, in micro-degrees.
    pub place: Micro,
    /// When, in milliseconds since 1970.
    pub time: i64,
}

/// A position in whole micro-degrees of WGS84.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Micro {
    /// East.
    pub lon: i32,
    /// North.
    pub lat: i32,
}

/// Reads events.
pub struct Events {
    kinds: FxHashMap<&'static [u8], u8>,
}

/// The fields as they stand in the text, where it is plain.
#[derive(Default)]
struct Plain<'a> {
    event_id: Option<&'a [u8]>,
    kind: Option<&'a [u8]>,
    lon: Option<&'a [u8]>,
    lat: Option<&'a [u8]>,
    event_time: Option<&'a [u8]>,
}

/// The same for whatever JSON has of ways to write it.
#[derive(Deserialize)]
struct Any {
    event_id: String,
    kind: String,
    lon: f64,
    lat: f64,
    event_time: i64,
}

impl Default for Events {
    fn default() -> Events {
        let numbered = (0_u8..).zip(KINDS);
        Events {
            kinds: numbered.map(|(number, kind)| (kind.as_bytes(), number)).collect(),
        }
    }
}

impl Events {
    /// The event that a value is; `None` where it is none.
    pub fn read(&self, value: &[u8]) -> Option<Event> {
        self.read_plain(value).or_else(|| self.read_any(value))
    }

    fn read_plain(&self, value: &[u8]) -> Option<Event> {
        let plain = scan(value)?;
        Some(Event {
            number: number_of(plain.event_id?)?,
            kind: *self.kinds.get(plain.kind?)?,
            place: Micro {
                lon: micro(plain.lon?)?,
                lat: micro(plain.lat?)?,
            },
            time: whole(plain.event_time?)?,
        })
    }

    fn read_any(&self, value: &[u8]) -> Option<Event> {
        let any: Any = serde_json::from_slice(value).ok()?;
        let degrees = |degrees: f64| {
            let micro = (degrees * 1e6).round();
            (micro.abs() <= 180e6).then_some(micro as i32)
        };
        Some(Event {
            number: number_of(any.event_id.as_bytes())?,
            kind: *self.kinds.get(any.kind.as_bytes())?,
            place: Micro {
                lon: degrees(any.lon)?,
                lat: degrees(any.lat)?,
            },
            time: any.event_time,
        })
    }
}

/// The number of an id like `e0000001`.
fn number_of(id: &[u8]) -> Option<u32> {
    u32::try_from(whole(id.strip_prefix(b"e")?)?).ok()
}

/// A number without sign, point and exponent.
fn whole(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    digits.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + i64::from(digit - b'0'))
    })
}

/// Degrees as `121.068980`: with a point and six decimals.
fn micro(text: &[u8]) -> Option<i32> {
    let (whole_part, decimals) = text.split_at_checked(text.len().checked_sub(7)?)?;
    let decimals = decimals.strip_prefix(b".")?;
    let micro = whole(whole_part)?.checked_mul(1_000_000)?;
    i32::try_from(micro + whole(decimals)?).ok()
}

/// The fields of a flat object without blanks, escapes, and letters beyond ASCII; of one that comes twice, the last.
fn scan(value: &[u8]) -> Option<Plain<'_>> {
    let mut plain = Plain::default();
    let mut rest = value.strip_prefix(b"{")?;
    loop {
        let (key, after) = text(rest.strip_prefix(b"\"")?)?;
        let after = after.strip_prefix(b":")?;
        let (field, after) = match after.strip_prefix(b"\"") {
            Some(quoted) => text(quoted)?,
            None => number(after)?,
        };
        match key {
            b"event_id" => plain.event_id = Some(field),
            b"kind" => plain.kind = Some(field),
            b"lon" => plain.lon = Some(field),
            b"lat" => plain.lat = Some(field),
            b"event_time" => plain.event_time = Some(field),
            _ => {}
        }
        match after {
            b"}" => return Some(plain),
            _ => rest = after.strip_prefix(b",")?,
        }
    }
}

/// A text up to its closing quote, and what comes after that. Eight bytes at a time: most of an event is text that is only
/// passed over.
fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES * 128;
    let has = |word: u64, byte: u8| {
        let other = word ^ (ONES * u64::from(byte));
        other.wrapping_sub(ONES) & !other & HIGH
    };
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let quote = has(word, b'"');
        // Escapes, letters beyond ASCII, and control characters, which are no JSON.
        let odd = has(word, b'\\') | (word & HIGH) | (word.wrapping_sub(ONES * 0x20) & !word & HIGH);
        if quote | odd != 0 {
            // What stands before the first quote is this text's; bits above the lowest one may be false.
            let first = quote.trailing_zeros();
            if odd.trailing_zeros() < first {
                return None;
            }
            let end = at + first as usize / 8;
            return Some((&bytes[..end], &bytes[end + 1..]));
        }
        at += 8;
    }
    let length = bytes[at..].iter().position(|byte| *byte == b'"')?;
    let inside = &bytes[at..at + length];
    let is_plain = |byte: &u8| (0x20..0x80).contains(byte) && *byte != b'\\';
    inside
        .iter()
        .all(is_plain)
        .then(|| (&bytes[..at + length], &bytes[at + length + 1..]))
}

/// A number as JSON writes it, without an exponent, and what comes after it.
fn number(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let is_part = |byte: &&u8| byte.is_ascii_digit() || **byte == b'.';
    let length = bytes.iter().take_while(is_part).count();
    let (number, rest) = bytes.split_at(length);
    let is_sound = match number {
        [] | [b'.', ..] | [.., b'.'] => false,
        [b'0', next, ..] => *next == b'.',
        _ => true,
    };
    (is_sound && number.iter().filter(|byte| **byte == b'.').count() < 2).then_some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = r#"{"event_id":"e0000001","source":"hotline","kind":"noise_works","lon":121.068980,"lat":31.110076,"event_time":1790000000258,"reported_at":1790000003113,"accuracy_m":13,"text":"children urgent south road"}"#;

    #[test]
    fn what_is_plain_is_read_at_once_and_as_serde_reads_it() {
        let events = Events::default();
        let read = events.read_plain(PLAIN.as_bytes()).unwrap();
        assert_eq!(Some(read), events.read_any(PLAIN.as_bytes()));
        assert_eq!((read.number, KINDS[usize::from(read.kind)]), (1, "noise_works"));
        let at = Micro {
            lon: 121_068_980,
            lat: 31_110_076,
        };
        assert_eq!((read.place, read.time), (at, 1_790_000_000_258));
    }

    #[test]
    fn what_is_not_plain_is_read_as_well_and_what_is_no_event_is_not() {
        let events = Events::default();
        let expected = events.read(PLAIN.as_bytes());
        let spoilt = |from: &str, to: &str| {
            assert!(PLAIN.contains(from));
            PLAIN.replace(from, to)
        };
        for text in [
            spoilt(",", " , "),
            spoilt("urgent", r#"\"urgent\""#),
            spoilt("urgent", "急"),
            spoilt("noise_works", r"noise\u005fworks"),
            spoilt("121.068980", "121.06898"),
            spoilt("121.068980", "1.21068980e2"),
            spoilt("\"accuracy_m\":13", "\"accuracy_m\":[1,{}]"),
        ] {
            assert_eq!(events.read_plain(text.as_bytes()), None, "{text}");
            assert_eq!(events.read(text.as_bytes()), expected, "{text}");
        }
        for text in [
            spoilt("}", ""),
            spoilt("}", "}}"),
            spoilt(":13,", ":13.,"),
            spoilt(":13,", ":013,"),
            spoilt(":13,", ":1.3.1,"),
            spoilt("noise_works", "noise"),
            spoilt("e0000001", "0000001"),
            spoilt("urgent", "\u{1}urgent"),
            spoilt("\"lat\":31.110076,", ""),
        ] {
            assert_eq!(events.read(text.as_bytes()), None, "{text}");
        }
    }

    /// Wherever the quote and what is not plain stand in a word of eight bytes, and beyond it.
    #[test]
    fn a_text_ends_at_its_first_quote_and_is_plain_until_then() {
        for before in 0..20 {
            for after in 0..20 {
                let letters = "x".repeat(before);
                let rest = format!("é\\\u{1}{}", "y".repeat(after));
                let bytes = format!("{letters}\"{rest}");
                assert_eq!(
                    text(bytes.as_bytes()),
                    Some((letters.as_bytes(), rest.as_bytes()))
                );
                for odd in ["\\", "\u{1}", "é"] {
                    let bytes = format!("{letters}{odd}\"{}", "y".repeat(after));
                    assert_eq!(text(bytes.as_bytes()), None, "{bytes:?}");
                }
            }
        }
    }
}
