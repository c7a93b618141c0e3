//! Reads who a record is from whatever can still be read of it, so that a refused record keeps its name.

use std::borrow::Cow;
use std::fmt;

use city_model::{EventKey, Source};
use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};

/// Longest identifier accepted, in bytes: a Kafka key, a file name and a label still hold it.
pub(crate) const MAX_ID_BYTES: usize = 256;

/// Why a text is no identifier.
pub(crate) fn flaw(id: &str) -> Option<&'static str> {
    if id.len() > MAX_ID_BYTES {
        return Some("longer than 256 bytes");
    }
    // Nearly all are plain ASCII, whose bytes need no decoding.
    if is_plain(id.as_bytes()) {
        return None;
    }
    id.chars()
        .any(char::is_control)
        .then_some("a control character in an identifier")
}

/// Whether there is nothing but printable ASCII; eight bytes at a time, for all records' ids are looked at.
fn is_plain(bytes: &[u8]) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * EACH;
    let is_odd = |word: u64| {
        let low = word.wrapping_sub(0x20 * EACH) & !word;
        // 0x7F becomes 0x80; what carries beyond a byte is odd already.
        (low | word | word.wrapping_add(EACH)) & HIGH != 0
    };
    let (Some(_), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) else {
        return bytes.iter().all(|byte| (b' '..0x7F).contains(byte));
    };
    let (words, _) = bytes.as_chunks::<8>();
    !words.iter().any(|word| is_odd(u64::from_le_bytes(*word))) && !is_odd(u64::from_le_bytes(*last))
}

/// The fields that name a record of `source`: the system's, which is the source itself where there is none, and the id's.
const fn fields(source: Source) -> (Option<&'static str>, &'static str) {
    match source {
        Source::Sensor | Source::Hotline | Source::Video | Source::Report => {
            (Some("source_system"), "event_id")
        }
        Source::Weather => (None, "warning_id"),
        Source::Silence => (None, "silence_id"),
        Source::Command => (Some("operator"), "command_id"),
    }
}

/// Looks for the identity of a record, as far as it gets before something breaks.
pub(crate) struct Look {
    system_field: Option<&'static str>,
    id_field: &'static str,
    system: Option<String>,
    id: Option<String>,
}

impl Look {
    pub(crate) fn new(source: Source) -> Look {
        let (system_field, id_field) = fields(source);
        Look {
            system_field,
            id_field,
            system: system_field.is_none().then(|| source.as_str().to_owned()),
            id: None,
        }
    }

    /// What was found.
    pub(crate) fn found(self) -> Option<EventKey> {
        let (system, id) = (self.system?, self.id?);
        let usable = |text: &str| !text.trim().is_empty() && flaw(text).is_none();
        (usable(&system) && usable(&id)).then(|| EventKey::new(&system, &id))
    }
}

impl<'de> DeserializeSeed<'de> for &mut Look {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Look {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if key == self.id_field {
                self.id = Some(map.next_value()?);
            } else if Some(&*key) == self.system_field {
                self.system = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_plain_is_so_byte_by_byte() {
        for len in 0..27 {
            assert!(is_plain(&vec![b'a'; len]));
            for at in 0..len {
                for byte in 0..=u8::MAX {
                    let mut bytes = vec![b'a'; len];
                    bytes[at] = byte;
                    assert_eq!(is_plain(&bytes), (b' '..0x7F).contains(&byte), "{bytes:?}");
                }
            }
        }
    }
}
