//! Fields that sources spell in more than one way: a code as a number, one name instead of a list, a contact's boolean.

use std::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::{Measured, WireLocation};

struct Word;

impl Visitor<'_> for Word {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a whole number")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<String, E> {
        Ok(text)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }
}

/// A mandatory text that may come as a whole number.
pub(crate) fn required_word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    deserializer.deserialize_any(Word)
}

/// An optional text that may come as a whole number.
pub(crate) fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    struct Wrapped(String);
    impl<'de> Deserialize<'de> for Wrapped {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Wrapped, D::Error> {
            required_word(deserializer).map(Wrapped)
        }
    }
    Ok(Option::<Wrapped>::deserialize(deserializer)?.map(|wrapped| wrapped.0))
}

/// An optional list of names; a single name counts as a list of one.
pub(crate) fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    struct Names(Vec<String>);
    impl<'de> Deserialize<'de> for Names {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Names, D::Error> {
            struct Visit;
            impl<'de> Visitor<'de> for Visit {
                type Value = Names;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a list of names")
                }
                fn visit_str<E: de::Error>(self, text: &str) -> Result<Names, E> {
                    Ok(Names(vec![text.to_owned()]))
                }
                fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Names, A::Error> {
                    let mut names = Vec::new();
                    while let Some(name) = seq.next_element()? {
                        names.push(name);
                    }
                    Ok(Names(names))
                }
            }
            deserializer.deserialize_any(Visit)
        }
    }
    Ok(Option::<Names>::deserialize(deserializer)?.map(|names| names.0))
}

/// A number, or a contact's `true` (1) and `false` (0).
pub(crate) fn value_or_flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Measured, D::Error> {
    struct Visit;
    impl Visitor<'_> for Visit {
        type Value = Measured;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number or a boolean")
        }
        fn visit_f64<E: de::Error>(self, value: f64) -> Result<Measured, E> {
            Ok(Measured {
                number: value,
                is_flag: false,
            })
        }
        fn visit_i64<E: de::Error>(self, value: i64) -> Result<Measured, E> {
            self.visit_f64(value as f64)
        }
        fn visit_u64<E: de::Error>(self, value: u64) -> Result<Measured, E> {
            self.visit_f64(value as f64)
        }
        fn visit_bool<E: de::Error>(self, value: bool) -> Result<Measured, E> {
            Ok(Measured {
                number: f64::from(u8::from(value)),
                is_flag: true,
            })
        }
    }
    deserializer.deserialize_any(Visit)
}

/// The location of a hotline ticket, which is never refused for it (CONTRACT 3): whatever is there but cannot be read
/// becomes coordinates that are no numbers, and intake flags them.
pub(crate) fn ticket_location<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<WireLocation>, D::Error> {
    use serde_json::Value;
    let value = match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let is_absent = |name: &str| value.is_object() && value.get(name).is_none_or(Value::is_null);
    let number = |name: &str| value.get(name).and_then(Value::as_f64);
    let (x, y) = match (number("x"), number("y")) {
        (Some(x), Some(y)) => (x, y),
        // A location with a quality alone is a ticket without a place: (0, 0) says so.
        _ if is_absent("x") && is_absent("y") => (0.0, 0.0),
        _ => (f64::NAN, f64::NAN),
    };
    Ok(Some(WireLocation {
        crs: text("crs"),
        x,
        y,
        accuracy_m: number("accuracy_m"),
        quality: text("quality"),
    }))
}
