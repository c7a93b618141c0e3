//! Fields that sources spell in more than one way: a code as a number, one name instead of a list, a contact's boolean.

use std::fmt;

use serde::de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor};
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
    let Some(place) = Option::<Place>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let (x, y) = match (&place.x, &place.y) {
        (Loose::Number(x), Loose::Number(y)) => (*x, *y),
        // A location with a quality alone is a ticket without a place: (0, 0) says so.
        (Loose::Absent, Loose::Absent) if place.is_object => (0.0, 0.0),
        _ => (f64::NAN, f64::NAN),
    };
    Ok(Some(WireLocation {
        crs: place.crs.text(),
        x,
        y,
        accuracy_m: place.accuracy_m.number(),
        quality: place.quality.text(),
    }))
}

/// A location as far as it can be read.
#[derive(Default)]
struct Place {
    is_object: bool,
    crs: Loose,
    x: Loose,
    y: Loose,
    accuracy_m: Loose,
    quality: Loose,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Name {
    Crs,
    X,
    Y,
    AccuracyM,
    Quality,
    #[serde(other)]
    Other,
}

/// A value of whatever type.
#[derive(Default)]
enum Loose {
    #[default]
    Absent,
    Number(f64),
    Text(String),
    Other,
}

impl Loose {
    fn text(self) -> Option<String> {
        match self {
            Loose::Text(text) => Some(text),
            _ => None,
        }
    }

    fn number(self) -> Option<f64> {
        match self {
            Loose::Number(number) => Some(number),
            _ => None,
        }
    }
}

/// Takes any value: the fields of an object by their names, of all else only what it is.
struct AnyValue<'a>(Option<&'a mut Place>);

impl<'de> Visitor<'de> for AnyValue<'_> {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Loose, E> {
        Ok(Loose::Absent)
    }

    fn visit_bool<E: de::Error>(self, _value: bool) -> Result<Loose, E> {
        Ok(Loose::Other)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Loose, E> {
        Ok(Loose::Number(value as f64))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Loose, E> {
        Ok(Loose::Number(value as f64))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Loose, E> {
        Ok(Loose::Number(value))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Loose, E> {
        Ok(Loose::Text(text.to_owned()))
    }

    fn visit_bytes<E: de::Error>(self, _value: &[u8]) -> Result<Loose, E> {
        Ok(Loose::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Loose, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Loose::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose, A::Error> {
        let Some(place) = self.0 else {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Loose::Other);
        };
        place.is_object = true;
        while let Some(name) = map.next_key()? {
            let field = match name {
                Name::Crs => &mut place.crs,
                Name::X => &mut place.x,
                Name::Y => &mut place.y,
                Name::AccuracyM => &mut place.accuracy_m,
                Name::Quality => &mut place.quality,
                Name::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *field = map.next_value()?;
        }
        Ok(Loose::Other)
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Loose, D::Error> {
        deserializer.deserialize_any(AnyValue(None))
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Place, D::Error> {
        let mut place = Place::default();
        deserializer.deserialize_any(AnyValue(Some(&mut place)))?;
        Ok(place)
    }
}
