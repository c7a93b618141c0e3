//! The area of a silence as it is sent: cell codes, or a GeoJSON geometry; in Avro the geometry travels as text.

use std::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Text;

/// Where a silence holds.
#[derive(Debug, Clone, PartialEq)]
pub enum WireArea<'a> {
    /// Codes of cells.
    Cells(Vec<Text<'a>>),
    /// A GeoJSON geometry, unread.
    Geometry(serde_json::Value),
}

impl Serialize for WireArea<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            WireArea::Cells(codes) => codes.serialize(serializer),
            WireArea::Geometry(geometry) if serializer.is_human_readable() => geometry.serialize(serializer),
            WireArea::Geometry(geometry) => geometry.to_string().serialize(serializer),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for WireArea<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<WireArea<'a>, D::Error> {
        struct Area;
        impl<'de> Visitor<'de> for Area {
            type Value = WireArea<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of cell codes or a GeoJSON geometry")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<WireArea<'de>, E> {
                match serde_json::from_str(text) {
                    Ok(geometry @ serde_json::Value::Object(_)) => Ok(WireArea::Geometry(geometry)),
                    _ => Err(E::custom("text that is no GeoJSON geometry")),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<WireArea<'de>, A::Error> {
                let mut codes = Vec::new();
                while let Some(code) = seq.next_element()? {
                    codes.push(code);
                }
                Ok(WireArea::Cells(codes))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<WireArea<'de>, A::Error> {
                let geometry = de::value::MapAccessDeserializer::new(map);
                serde_json::Value::deserialize(geometry).map(WireArea::Geometry)
            }
        }
        deserializer.deserialize_any(Area)
    }
}
