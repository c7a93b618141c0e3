//! Structured events in CloudEvents' own Avro: a datum of the standard's schema, which only a header can tell.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use city_model::DeadLetterReason;
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{Attributes, Envelope, malformed};
use crate::Refusal;
use crate::avro::Plain;

/// The schema of the Avro Event Format for CloudEvents 1.0, without its descriptions.
const SCHEMA: &str = r#"{"type":"record","name":"CloudEvent","namespace":"io.cloudevents","fields":[
{"name":"attribute","type":{"type":"map","values":["null","boolean","int","string","bytes"]}},
{"name":"data","type":["bytes","null","boolean",{"type":"map","values":["null","boolean",
{"type":"record","name":"CloudEventData","fields":[{"name":"value","type":{"type":"map","values":["null","boolean",
{"type":"map","values":"CloudEventData"},{"type":"array","items":"CloudEventData"},"double","string"]}}]},
"double","string"]},{"type":"array","items":"CloudEventData"},"double","string"]}]}"#;

/// Its attributes and its data, which are a record's bytes.
pub(crate) fn event(datum: &[u8]) -> Result<(Attributes, Vec<u8>), Refusal> {
    static PLAIN: OnceLock<Option<Plain>> = OnceLock::new();
    // A test holds that the schema can be read.
    let Some(plain) = PLAIN.get_or_init(|| Plain::parse(SCHEMA).ok()) else {
        return Err(malformed(
            DeadLetterReason::ProcessingFailed,
            "no schema to read by",
        ));
    };
    let event: Event = plain
        .read(datum)
        .map_err(|why| malformed(DeadLetterReason::BadAvro, &why))?;
    let mut attributes = event.attribute;
    let mut take = |name: &str| attributes.remove(name).map(|attribute| attribute.0);
    let attributes = Envelope {
        specversion: take("specversion"),
        id: take("id"),
        source: take("source"),
        r#type: take("type"),
        time: take("time"),
        ..Envelope::default()
    }
    .attributes()?;
    match event.data {
        Data::Bytes(bytes) => Ok((attributes, bytes)),
        Data::Absent => Err(malformed(DeadLetterReason::MissingField, "data")),
        Data::Other => Err(malformed(
            DeadLetterReason::BadValue,
            // It has no lists in an object, and all its numbers are floating: a record does not survive it.
            "data: only bytes and strings are read, not the standard's picture of JSON",
        )),
    }
}

#[derive(serde::Deserialize)]
struct Event {
    attribute: BTreeMap<String, Attribute>,
    data: Data,
}

/// As JSON would have it: bytes are no text.
struct Attribute(Value);

enum Data {
    Absent,
    Bytes(Vec<u8>),
    Other,
}

impl<'de> Deserialize<'de> for Attribute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Attribute, D::Error> {
        struct Look;
        impl Visitor<'_> for Look {
            type Value = Attribute;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an attribute")
            }

            fn visit_unit<E: de::Error>(self) -> Result<Attribute, E> {
                Ok(Attribute(Value::Null))
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Attribute, E> {
                Ok(Attribute(value.into()))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Attribute, E> {
                Ok(Attribute(value.into()))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Attribute, E> {
                Ok(Attribute(value.into()))
            }

            fn visit_bytes<E: de::Error>(self, _value: &[u8]) -> Result<Attribute, E> {
                Ok(Attribute(Value::Array(Vec::new())))
            }
        }
        deserializer.deserialize_any(Look)
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Data, D::Error> {
        struct Look;
        impl<'de> Visitor<'de> for Look {
            type Value = Data;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("data")
            }

            fn visit_unit<E: de::Error>(self) -> Result<Data, E> {
                Ok(Data::Absent)
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Data, E> {
                Ok(Data::Bytes(bytes.to_vec()))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Data, E> {
                Ok(Data::Bytes(text.as_bytes().to_vec()))
            }

            fn visit_bool<E: de::Error>(self, _value: bool) -> Result<Data, E> {
                Ok(Data::Other)
            }

            fn visit_f64<E: de::Error>(self, _value: f64) -> Result<Data, E> {
                Ok(Data::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Data, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Data::Other)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Data, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Data::Other)
            }
        }
        deserializer.deserialize_any(Look)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_of_the_standard_can_be_read_by() {
        assert!(Plain::parse(SCHEMA).is_ok());
    }
}
