//! Fields that sources spell in more than one way: a code as a number, one name instead of a list, a contact's boolean.

use std::fmt;

use serde::de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::{Measured, Text, WireLocation};

struct Word;

impl<'de> Visitor<'de> for Word {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a whole number")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(text.to_owned().into())
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(text.into())
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Text<'de>, E> {
        Ok(text.into())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Text<'de>, E> {
        Ok(number.to_string().into())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Text<'de>, E> {
        Ok(number.to_string().into())
    }
}

/// A mandatory text that may come as a whole number.
pub(crate) fn required_word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Text<'de>, D::Error> {
    deserializer.deserialize_any(Word)
}

/// An optional text that may come as a whole number.
pub(crate) fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Text<'de>>, D::Error> {
    struct Wrapped<'a>(Text<'a>);
    impl<'de> Deserialize<'de> for Wrapped<'de> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Wrapped<'de>, D::Error> {
            required_word(deserializer).map(Wrapped)
        }
    }
    Ok(Option::<Wrapped>::deserialize(deserializer)?.map(|wrapped| wrapped.0))
}

/// An optional list of names; a single name counts as a list of one.
pub(crate) fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Text<'de>>>, D::Error> {
    struct Names<'a>(Vec<Text<'a>>);
    impl<'de> Deserialize<'de> for Names<'de> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Names<'de>, D::Error> {
            struct Visit;
            impl<'de> Visitor<'de> for Visit {
                type Value = Names<'de>;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a list of names")
                }
                fn visit_str<E: de::Error>(self, text: &str) -> Result<Names<'de>, E> {
                    Ok(Names(vec![text.to_owned().into()]))
                }
                fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Names<'de>, E> {
                    Ok(Names(vec![text.into()]))
                }
                fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Names<'de>, A::Error> {
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
) -> Result<Option<WireLocation<'de>>, D::Error> {
    let Some(place) = Option::<Place<'de>>::deserialize(deserializer)? else {
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
struct Place<'a> {
    is_object: bool,
    crs: Loose<'a>,
    x: Loose<'a>,
    y: Loose<'a>,
    accuracy_m: Loose<'a>,
    quality: Loose<'a>,
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
enum Loose<'a> {
    #[default]
    Absent,
    Number(f64),
    Text(Text<'a>),
    Other,
}

impl<'a> Loose<'a> {
    fn text(self) -> Option<Text<'a>> {
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
struct AnyValue<'a, 'de>(Option<&'a mut Place<'de>>);

impl<'de> Visitor<'de> for AnyValue<'_, 'de> {
    type Value = Loose<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Loose<'de>, E> {
        Ok(Loose::Absent)
    }

    fn visit_bool<E: de::Error>(self, _value: bool) -> Result<Loose<'de>, E> {
        Ok(Loose::Other)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Loose<'de>, E> {
        Ok(Loose::Number(value as f64))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Loose<'de>, E> {
        Ok(Loose::Number(value as f64))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Loose<'de>, E> {
        Ok(Loose::Number(value))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Loose<'de>, E> {
        Ok(Loose::Text(text.to_owned().into()))
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Loose<'de>, E> {
        Ok(Loose::Text(text.into()))
    }

    fn visit_bytes<E: de::Error>(self, _value: &[u8]) -> Result<Loose<'de>, E> {
        Ok(Loose::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Loose<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Loose::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose<'de>, A::Error> {
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

impl<'de> Deserialize<'de> for Loose<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Loose<'de>, D::Error> {
        deserializer.deserialize_any(AnyValue(None))
    }
}

impl<'de> Deserialize<'de> for Place<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Place<'de>, D::Error> {
        let mut place = Place::default();
        deserializer.deserialize_any(AnyValue(Some(&mut place)))?;
        Ok(place)
    }
}
