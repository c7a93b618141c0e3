//! The envelope of CloudEvents 1.0 (CNCF), as JSON around the record or as headers beside it: its attributes stand in for
//! what the record itself does not say.

pub(crate) mod avro;

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use city_model::{DeadLetterReason, Source};
use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::Refusal;

/// A record's headers, in order. A key may come twice; the last one counts.
pub type Headers<'a> = &'a [(&'a str, &'a [u8])];

/// The attributes that stand in for fields.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Attributes {
    pub(crate) id: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) time: Option<String>,
}

/// What a structured event carries.
#[derive(Debug, PartialEq)]
pub(crate) enum Payload {
    /// A JSON object under `data`.
    Object,
    /// Bytes under `data_base64`.
    Bytes(Vec<u8>),
}

/// What the headers say that the value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// Nothing about events.
    Nothing,
    /// One structured event in JSON.
    Json,
    /// One structured event in the standard's Avro.
    Avro,
    /// Several events in one record.
    Batch,
}

/// What the content type says.
pub(crate) fn told(headers: Headers<'_>) -> Told {
    let kind = header(headers, "content-type").unwrap_or_default();
    let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default();
    let kind = kind.trim_ascii().to_ascii_lowercase();
    match kind.strip_prefix(b"application/cloudevents") {
        Some(b"+json") => Told::Json,
        Some(b"+avro") => Told::Avro,
        Some(rest) if rest.starts_with(b"-batch") => Told::Batch,
        _ => Told::Nothing,
    }
}

/// Whether the headers say that a record is an event of CloudEvents, with its attributes beside its value or within it.
pub fn is_event(headers: Headers<'_>) -> bool {
    !headers.is_empty() && (header(headers, "ce_specversion").is_some() || told(headers) != Told::Nothing)
}

/// The refusal of a batch. A record has one outcome, one dead letter with its own bytes and one place in its partition; a
/// batch would have several of each.
pub(crate) fn no_batches() -> Refusal {
    malformed(
        DeadLetterReason::BadJson,
        "a batch holds several events; send each event as a record of its own",
    )
}

/// Whether a value is a batch although no header says so: a list in JSON whose first item is an event.
pub(crate) fn looks_like_a_batch(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct First {
        specversion: Option<IgnoredAny>,
    }
    bytes.trim_ascii_start().starts_with(b"[")
        && serde_json::from_slice::<Vec<First>>(bytes)
            .is_ok_and(|events| events.iter().any(|event| event.specversion.is_some()))
}

/// The attributes of a binary event; `None` when it is none.
pub(crate) fn of_headers(headers: Headers<'_>) -> Result<Option<Attributes>, Refusal> {
    if header(headers, "ce_specversion").is_none() {
        return Ok(None);
    }
    let text = |name: &str| {
        let Some(bytes) = header(headers, name) else {
            return Ok(None);
        };
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Some(text.to_owned())),
            Err(_) => Err(Refusal::new(
                DeadLetterReason::BadUtf8,
                format!("cloudevents: header {name}"),
            )),
        }
    };
    Ok(Some(Attributes {
        id: text("ce_id")?,
        source: text("ce_source")?,
        time: text("ce_time")?,
    }))
}

pub(crate) fn header<'a>(headers: Headers<'a>, name: &str) -> Option<&'a [u8]> {
    let mut named = headers.iter().rev();
    named
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| *value)
}

/// The envelope that a JSON text is; `None` when it is none, which `specversion` tells unless a header has told already.
pub(crate) fn envelope(text: &str, told: bool) -> Option<Result<(Attributes, Payload), Refusal>> {
    if !told && !text.contains("\"specversion\"") {
        return None;
    }
    let envelope = match serde_json::from_str::<Envelope>(text) {
        Ok(envelope) => envelope,
        // Broken JSON is said as of any record.
        Err(_) => return None,
    };
    (told || envelope.specversion.is_some()).then(|| envelope.open())
}

#[derive(Default, Deserialize)]
struct Envelope {
    specversion: Option<Value>,
    id: Option<Value>,
    source: Option<Value>,
    r#type: Option<Value>,
    time: Option<Value>,
    #[serde(default)]
    data: Data,
    data_base64: Option<Value>,
}

#[derive(Default, PartialEq)]
enum Data {
    #[default]
    Absent,
    Object,
    Other,
}

impl Envelope {
    fn attributes(&mut self) -> Result<Attributes, Refusal> {
        if needed("specversion", self.specversion.take())? != "1.0" {
            return Err(malformed(
                DeadLetterReason::BadValue,
                "specversion: only 1.0 is read",
            ));
        }
        let (id, source) = (
            needed("id", self.id.take())?,
            needed("source", self.source.take())?,
        );
        needed("type", self.r#type.take())?;
        Ok(Attributes {
            id: Some(id),
            source: Some(source),
            time: text("time", self.time.take())?,
        })
    }

    fn open(mut self) -> Result<(Attributes, Payload), Refusal> {
        use DeadLetterReason::{BadJson, BadValue, MissingField};
        let attributes = self.attributes()?;
        let payload = match (self.data, text("data_base64", self.data_base64)?) {
            (Data::Object, None) => Payload::Object,
            (Data::Absent, Some(coded)) => Payload::Bytes(
                STANDARD
                    .decode(coded)
                    .map_err(|_| malformed(BadValue, "data_base64: not base64"))?,
            ),
            (Data::Absent, None) => return Err(malformed(MissingField, "data")),
            (Data::Other, None) => return Err(malformed(BadJson, "data is not an object")),
            (_, Some(_)) => return Err(malformed(BadValue, "data beside data_base64")),
        };
        Ok((attributes, payload))
    }
}

pub(crate) fn malformed(reason: DeadLetterReason, what: &str) -> Refusal {
    Refusal::new(reason, format!("cloudevents: {what}"))
}

fn text(name: &str, value: Option<Value>) -> Result<Option<String>, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(malformed(
            DeadLetterReason::BadValue,
            &format!("{name}: not a string"),
        )),
    }
}

fn needed(name: &str, value: Option<Value>) -> Result<String, Refusal> {
    text(name, value)?
        .filter(|text| !text.is_empty())
        .ok_or_else(|| malformed(DeadLetterReason::MissingField, name))
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Data, D::Error> {
        struct Look;
        impl<'de> Visitor<'de> for Look {
            type Value = Data;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("data")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Data, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Data::Object)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Data, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Data::Other)
            }

            fn visit_unit<E: de::Error>(self) -> Result<Data, E> {
                Ok(Data::Absent)
            }

            fn visit_bool<E: de::Error>(self, _value: bool) -> Result<Data, E> {
                Ok(Data::Other)
            }

            fn visit_i64<E: de::Error>(self, _value: i64) -> Result<Data, E> {
                Ok(Data::Other)
            }

            fn visit_u64<E: de::Error>(self, _value: u64) -> Result<Data, E> {
                Ok(Data::Other)
            }

            fn visit_f64<E: de::Error>(self, _value: f64) -> Result<Data, E> {
                Ok(Data::Other)
            }

            fn visit_str<E: de::Error>(self, _value: &str) -> Result<Data, E> {
                Ok(Data::Other)
            }
        }
        deserializer.deserialize_any(Look)
    }
}

/// Gives the value under `data` to `seed`.
pub(crate) struct InData<S> {
    pub(crate) seed: S,
}

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for InData<S> {
    type Value = S::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<S::Value, A::Error> {
        let mut seed = Some(self.seed);
        let mut found = None;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match seed.take_if(|_| key == "data") {
                Some(seed) => found = Some(map.next_value_seed(seed)?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        found.ok_or_else(|| de::Error::missing_field("data"))
    }
}

/// The fields of a source's records that attributes stand in for: id, system, its own time, and when it was sent.
pub(crate) const fn fields(source: Source) -> [Option<&'static str>; 4] {
    let time = match source {
        Source::Hotline => "called_at",
        Source::Video => "captured_at",
        _ => "observed_at",
    };
    match source {
        Source::Sensor | Source::Hotline | Source::Video | Source::Report => [
            Some("event_id"),
            Some("source_system"),
            Some(time),
            Some("reported_at"),
        ],
        // A warning has many events, and so has a silence: an event's id does not name them.
        Source::Weather => [None, None, Some("issued_at"), None],
        Source::Silence => [None, None, Some("created_at"), None],
        Source::Command => [Some("command_id"), None, Some("issued_at"), None],
    }
}
