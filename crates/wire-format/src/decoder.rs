//! From a value's bytes to a record, or to a refusal with the exact reason.

use std::sync::Arc;

use city_model::{DeadLetterReason, EventKey, Source};
use serde::de::DeserializeOwned;

use crate::avro::{Datum, SchemaStore};
use crate::cloudevents::{self, Payload, Told};
use crate::fill::Fill;
use crate::json::{self, Within};
use crate::{
    Format, Headers, HotlineTicket, IncidentCommand, MAX_RECORD_BYTES, Pin, Refusal, Report, SchemaAnswer,
    SchemaSource, SensorReading, Silence, VideoAlert, WeatherWarning, identity,
};

/// A decoded input record.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A reading.
    Sensor(Box<SensorReading>),
    /// A hotline ticket.
    Hotline(Box<HotlineTicket>),
    /// A video alert.
    Video(Box<VideoAlert>),
    /// A report of another channel.
    Report(Box<Report>),
    /// A weather warning.
    Weather(Box<WeatherWarning>),
    /// A silence.
    Silence(Box<Silence>),
    /// A command.
    Command(Box<IncidentCommand>),
}

/// Decodes values. It holds the schemas, and is asked by one thread per clone.
#[derive(Debug, Clone)]
pub struct Decoder {
    schemas: SchemaStore,
    source: Option<Arc<dyn SchemaSource>>,
    max_bytes: usize,
    pins: Vec<(Source, Pin)>,
}

impl Decoder {
    /// A decoder that knows these schemas, with the default size limit.
    pub fn new(schemas: SchemaStore) -> Decoder {
        Decoder {
            schemas,
            source: None,
            max_bytes: MAX_RECORD_BYTES,
            pins: Vec::new(),
        }
    }

    /// The decoder with another size limit.
    pub fn with_limit(self, max_bytes: usize) -> Decoder {
        Decoder { max_bytes, ..self }
    }

    /// The decoder with a source held to one encoding.
    pub fn with_pin(mut self, source: Source, pin: Pin) -> Decoder {
        self.pins.push((source, pin));
        self
    }

    /// The decoder with somebody to ask for schemas that it does not hold.
    pub fn with_source(self, source: Arc<dyn SchemaSource>) -> Decoder {
        Decoder {
            source: Some(source),
            ..self
        }
    }

    /// Whom it asks for schemas.
    pub fn source(&self) -> Option<&Arc<dyn SchemaSource>> {
        self.source.as_ref()
    }

    /// The schemas that it holds.
    pub fn schemas(&self) -> &SchemaStore {
        &self.schemas
    }

    /// Whether a value can be decoded now. `false` while its schema is being fetched: it must wait then, for decoded it
    /// would be refused for a schema that nobody could ask for.
    pub fn is_ready(&self, bytes: &[u8]) -> bool {
        match (&self.source, Format::detect(bytes)) {
            (Some(source), Format::Framed { schema_id: Some(id) })
                if bytes.len() <= self.max_bytes && !self.schemas.knows(id) =>
            {
                !matches!(source.ask(id), SchemaAnswer::Later)
            }
            _ => true,
        }
    }

    /// The record of `source` that `bytes` hold.
    ///
    /// # Errors
    /// The refusal, for the dead letters.
    pub fn decode(&self, source: Source, bytes: &[u8]) -> Result<Record, Refusal> {
        self.decode_with(source, bytes, &[])
    }

    /// The record of `source` that `bytes` hold, with the headers beside it.
    ///
    /// # Errors
    /// The refusal, for the dead letters.
    pub fn decode_with(&self, source: Source, bytes: &[u8], headers: Headers<'_>) -> Result<Record, Refusal> {
        let bytes = Value { bytes, headers };
        let record = match source {
            Source::Sensor => Record::Sensor(Box::new(self.read(source, bytes)?)),
            Source::Hotline => Record::Hotline(Box::new(self.read(source, bytes)?)),
            Source::Video => Record::Video(Box::new(self.read(source, bytes)?)),
            Source::Report => Record::Report(Box::new(self.read(source, bytes)?)),
            Source::Weather => Record::Weather(Box::new(self.read(source, bytes)?)),
            Source::Silence => Record::Silence(Box::new(self.read(source, bytes)?)),
            Source::Command => Record::Command(Box::new(self.read(source, bytes)?)),
        };
        record.check_ids()?;
        Ok(record)
    }

    fn read<T: DeserializeOwned>(&self, source: Source, value: Value<'_>) -> Result<T, Refusal> {
        use DeadLetterReason::{BadAvro, BadJson, TooLarge};
        let Value { bytes, headers } = value;
        if bytes.len() > self.max_bytes {
            return Err(Refusal::new(
                TooLarge,
                format!("{} bytes, at most {}", bytes.len(), self.max_bytes),
            ));
        }
        let told = cloudevents::told(headers);
        if told == Told::Batch {
            return Err(cloudevents::no_batches());
        }
        let format = match told {
            // Bare: no frame tells it.
            Told::Avro => Format::SingleObject { fingerprint: None },
            _ => Format::detect(bytes),
        };
        if let Some((_, pin)) = self.pins.iter().rev().find(|(pinned, _)| *pinned == source)
            && !pin.allows(format)
        {
            return Err(match pin {
                Pin::Avro => Refusal::new(BadAvro, "the topic is pinned to Avro"),
                Pin::Json => Refusal::new(BadJson, "the topic is pinned to JSON"),
            });
        }
        if told == Told::Avro {
            let (attributes, data) = cloudevents::avro::event(bytes)?;
            return self.read_data(source, &data, &Fill::new(source, &attributes));
        }
        let beside = cloudevents::of_headers(headers)?;
        let fill = beside.as_ref().map(|attributes| Fill::new(source, attributes));
        if format != Format::Json {
            return self.read_avro(source, bytes, fill.as_ref());
        }
        let text = match json::text(source, bytes) {
            Err(_) if cloudevents::looks_like_a_batch(bytes) => return Err(cloudevents::no_batches()),
            text => text?,
        };
        let told = told == Told::Json;
        if !told
            && fill.is_none()
            && let Ok(record) = json::parse(text)
        {
            return Ok(record);
        }
        let within = fill.as_ref().map_or(Within::Nothing, Within::Filled);
        // A record never reads as an envelope nor an envelope as a record, whose fields' names no attribute can have.
        match cloudevents::envelope(text, told) {
            None => json::read(source, text, within),
            Some(Err(refusal)) => Err(refusal),
            Some(Ok((attributes, payload))) => {
                let fill = Fill::new(source, &attributes);
                match payload {
                    Payload::Object => json::read(source, text, Within::Envelope(&fill)),
                    Payload::Bytes(data) => self.read_data(source, &data, &fill),
                }
            }
        }
    }

    /// The record that an event carries as bytes.
    fn read_data<T: DeserializeOwned>(
        &self,
        source: Source,
        data: &[u8],
        fill: &Fill<'_>,
    ) -> Result<T, Refusal> {
        match Format::detect(data) {
            Format::Json => json::read(source, json::text(source, data)?, Within::Filled(fill)),
            // Nobody could have asked for its schema beforehand.
            Format::Framed { .. } => Err(cloudevents::malformed(
                DeadLetterReason::BadAvro,
                "data: a registry's frame goes into the value itself",
            )),
            Format::SingleObject { .. } => self.read_avro(source, data, Some(fill)),
        }
    }

    fn read_avro<T: DeserializeOwned>(
        &self,
        source: Source,
        bytes: &[u8],
        fill: Option<&Fill<'_>>,
    ) -> Result<T, Refusal> {
        use DeadLetterReason::{BadAvro, UnknownSchema};
        let readers = self.schemas.readers();
        match Format::detect(bytes) {
            Format::Framed { schema_id: Some(id) } => {
                let datum = &bytes[Format::FRAME_BYTES..];
                if let Some(schema) = self.schemas.by_id(id) {
                    return Datum::new(schema.plan(source, readers), datum, fill).read(source);
                }
                let detail = match self.source.as_ref().map(|source| source.last(id)) {
                    Some(SchemaAnswer::Known(schema)) => {
                        return Datum::new(schema.plan(source, readers), datum, fill).read(source);
                    }
                    Some(SchemaAnswer::Never(why)) => format!("schema id {id}: {why}"),
                    Some(SchemaAnswer::Later) | None => format!("schema id {id}"),
                };
                Err(Refusal::new(UnknownSchema, detail))
            }
            Format::SingleObject {
                fingerprint: Some(print),
            } => match self.schemas.by_fingerprint(print) {
                Some(schema) => {
                    let datum = &bytes[Format::SINGLE_OBJECT_BYTES..];
                    Datum::new(schema.plan(source, readers), datum, fill).read(source)
                }
                None => Err(Refusal::new(
                    UnknownSchema,
                    format!("schema fingerprint {print:016x}"),
                )),
            },
            _ => Err(Refusal::new(BadAvro, "cut off before the datum")),
        }
    }
}

/// A value with the headers beside it.
#[derive(Clone, Copy)]
struct Value<'a> {
    bytes: &'a [u8],
    headers: Headers<'a>,
}

impl Record {
    /// Refuses empty, endless and unprintable identifiers.
    fn check_ids(&self) -> Result<(), Refusal> {
        let wrong = match self {
            Record::Sensor(r) => flaw(
                [
                    ("event_id", &r.event_id),
                    ("source_system", &r.source_system),
                    ("device_id", &r.device_id),
                    ("metric", &r.metric),
                ],
                [("component_id", &r.component_id)],
            ),
            Record::Hotline(r) => flaw(
                [
                    ("event_id", &r.event_id),
                    ("source_system", &r.source_system),
                    ("ticket_id", &r.ticket_id),
                ],
                [
                    ("parent_ticket_id", &r.parent_ticket_id),
                    ("town_code", &r.town_code),
                ],
            ),
            Record::Video(r) => flaw(
                [
                    ("event_id", &r.event_id),
                    ("source_system", &r.source_system),
                    ("camera_id", &r.camera_id),
                    ("alert_code", &r.alert_code),
                ],
                [("component_id", &r.component_id)],
            ),
            Record::Report(r) => flaw(
                [
                    ("event_id", &r.event_id),
                    ("source_system", &r.source_system),
                    ("report_id", &r.report_id),
                    ("channel", &r.channel),
                ],
                [("component_id", &r.component_id), ("town_code", &r.town_code)],
            ),
            Record::Weather(r) => flaw([("warning_id", &r.warning_id), ("signal", &r.signal)], []),
            Record::Silence(r) => flaw([("silence_id", &r.silence_id)], []),
            Record::Command(r) => flaw(
                [
                    ("command_id", &r.command_id),
                    ("incident_id", &r.incident_id),
                    ("operator", &r.operator),
                ],
                [("other_incident_id", &r.other_incident_id)],
            ),
        };
        match wrong {
            None => Ok(()),
            Some(refusal) => Err(refusal.of(self.key())),
        }
    }

    /// The stream that it came by.
    pub const fn source(&self) -> Source {
        match self {
            Record::Sensor(_) => Source::Sensor,
            Record::Hotline(_) => Source::Hotline,
            Record::Video(_) => Source::Video,
            Record::Report(_) => Source::Report,
            Record::Weather(_) => Source::Weather,
            Record::Silence(_) => Source::Silence,
            Record::Command(_) => Source::Command,
        }
    }

    /// The record's identity; `None` when its names are unusable. Warnings and silences are named by their stream and
    /// id, commands by operator and id.
    pub fn key(&self) -> Option<EventKey> {
        let (system, id) = match self {
            Record::Sensor(r) => (&*r.source_system, &r.event_id),
            Record::Hotline(r) => (&*r.source_system, &r.event_id),
            Record::Video(r) => (&*r.source_system, &r.event_id),
            Record::Report(r) => (&*r.source_system, &r.event_id),
            Record::Weather(r) => (Source::Weather.as_str(), &r.warning_id),
            Record::Silence(r) => (Source::Silence.as_str(), &r.silence_id),
            Record::Command(r) => (&*r.operator, &r.command_id),
        };
        let usable = |text: &str| !text.trim().is_empty() && identity::flaw(text).is_none();
        (usable(system) && usable(id)).then(|| EventKey::new(system, id))
    }
}

fn flaw<const M: usize, const O: usize>(
    mandatory: [(&str, &String); M],
    optional: [(&str, &Option<String>); O],
) -> Option<Refusal> {
    // Plain loops: this is looked at for every record.
    for (field, id) in mandatory {
        let begins_blank = id.as_bytes().first().is_none_or(|byte| !byte.is_ascii_graphic());
        if begins_blank && id.trim().is_empty() {
            return Some(Refusal::new(DeadLetterReason::MissingField, field));
        }
    }
    let bad = |field: &str, id: &str| {
        let flaw = identity::flaw(id)?;
        Some(Refusal::new(
            DeadLetterReason::BadValue,
            format!("{field}: {flaw}"),
        ))
    };
    for (field, id) in mandatory {
        if let Some(refusal) = bad(field, id) {
            return Some(refusal);
        }
    }
    for (field, id) in optional {
        if let Some(refusal) = id.as_ref().and_then(|id| bad(field, id)) {
            return Some(refusal);
        }
    }
    None
}
