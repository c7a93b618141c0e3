//! How a limit of ground is written: a table of sizes, or one word about whatever is more than rounding.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{AreaLimit, rounding_m2};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sizes {
    #[serde(default = "rounding_m2")]
    warn_m2: f64,
    refuse_m2: Option<f64>,
}

impl<'de> Deserialize<'de> for AreaLimit {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<AreaLimit, D::Error> {
        from.deserialize_any(Written)
    }
}

struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = AreaLimit;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "\"ignore\", \"warn\", \"refuse\", or a table such as { warn_m2 = 1.0, refuse_m2 = 10000.0 }",
        )
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<AreaLimit, E> {
        let warn = AreaLimit::default();
        match word {
            "ignore" => Ok(AreaLimit {
                warn_m2: f64::INFINITY,
                ..warn
            }),
            "warn" => Ok(warn),
            "refuse" => Ok(AreaLimit {
                refuse_m2: Some(warn.warn_m2),
                ..warn
            }),
            _ => Err(E::unknown_variant(word, &["ignore", "warn", "refuse"])),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AreaLimit, A::Error> {
        let Sizes { warn_m2, refuse_m2 } = Sizes::deserialize(MapAccessDeserializer::new(map))?;
        Ok(AreaLimit { warn_m2, refuse_m2 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_of_ground_is_sizes_or_a_word() {
        let read = |text: &str| serde_json::from_str::<AreaLimit>(text);
        for (text, warn_m2, refuse_m2) in [
            ("{}", 1.0, None),
            (r#"{"warn_m2":5.0}"#, 5.0, None),
            (r#"{"refuse_m2":50}"#, 1.0, Some(50.0)),
            (r#""ignore""#, f64::INFINITY, None),
            (r#""warn""#, 1.0, None),
            (r#""refuse""#, 1.0, Some(1.0)),
        ] {
            assert_eq!(read(text).unwrap(), AreaLimit { warn_m2, refuse_m2 }, "{text}");
        }
        for (text, word) in [
            (r#""refused""#, "refuse"),
            (r#"{"refuse_m":1}"#, "refuse_m2"),
            ("7", "a table such as"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
