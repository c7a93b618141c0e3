//! From a value's bytes to a record, or to a refusal with the exact reason.

use city_model::{DeadLetterReason, EventKey, Source};
use serde::de::DeserializeOwned;

use crate::avro::{Datum, SchemaStore};
use crate::{
    Format, HotlineTicket, IncidentCommand, MAX_RECORD_BYTES, Pin, Refusal, Report, SensorReading, Silence,
    VideoAlert, WeatherWarning, huge, identity, refusal,
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
    max_bytes: usize,
    pins: Vec<(Source, Pin)>,
}

impl Decoder {
    /// A decoder that knows these schemas, with the default size limit.
    pub fn new(schemas: SchemaStore) -> Decoder {
        Decoder {
            schemas,
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

    /// The schemas, to add what a registry answered.
    pub fn schemas_mut(&mut self) -> &mut SchemaStore {
        &mut self.schemas
    }

    /// The record of `source` that `bytes` hold.
    pub fn decode(&self, source: Source, bytes: &[u8]) -> Result<Record, Refusal> {
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

    fn read<T: DeserializeOwned>(&self, source: Source, bytes: &[u8]) -> Result<T, Refusal> {
        use DeadLetterReason::{BadAvro, BadJson, TooLarge, UnknownSchema};
        if bytes.len() > self.max_bytes {
            return Err(Refusal::new(
                TooLarge,
                format!("{} bytes, at most {}", bytes.len(), self.max_bytes),
            ));
        }
        let format = Format::detect(bytes);
        if let Some((_, pin)) = self.pins.iter().rev().find(|(pinned, _)| *pinned == source)
            && !pin.allows(format)
        {
            return Err(match pin {
                Pin::Avro => Refusal::new(BadAvro, "the topic is pinned to Avro"),
                Pin::Json => Refusal::new(BadJson, "the topic is pinned to JSON"),
            });
        }
        match format {
            Format::Json => read_json(source, bytes),
            Format::Framed { schema_id: None } | Format::SingleObject { fingerprint: None } => {
                Err(Refusal::new(BadAvro, "cut off before the datum"))
            }
            Format::Framed { schema_id: Some(id) } => match self.schemas.by_id(id) {
                Some(plan) => Datum::new(plan, &bytes[Format::FRAME_BYTES..]).read(source),
                None => Err(Refusal::new(UnknownSchema, format!("schema id {id}"))),
            },
            Format::SingleObject {
                fingerprint: Some(print),
            } => match self.schemas.by_fingerprint(print) {
                Some(plan) => Datum::new(plan, &bytes[Format::SINGLE_OBJECT_BYTES..]).read(source),
                None => Err(Refusal::new(
                    UnknownSchema,
                    format!("schema fingerprint {print:016x}"),
                )),
            },
        }
    }
}

fn read_json<T: DeserializeOwned>(source: Source, bytes: &[u8]) -> Result<T, Refusal> {
    use DeadLetterReason::{BadJson, BadUtf8};
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            // Fields before the flaw are whole.
            let sound = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            let detail = format!("at byte {}", error.valid_up_to());
            return Err(Refusal::new(BadUtf8, detail).of(json_identity(source, sound)));
        }
    };
    let text = text.trim_start_matches('\u{feff}');
    // Serde would take an array for a record, field by field in order.
    if !text.trim_start().starts_with('{') {
        return Err(Refusal::new(BadJson, "not an object"));
    }
    if let Ok(record) = serde_json::from_str(text) {
        return Ok(record);
    }
    let refusal = explain_json::<T>(text).of(json_identity(source, text));
    if source == Source::Hotline && refusal.reason == DeadLetterReason::BadValue {
        // A ticket is never refused for its location, not even for one like 1e999.
        if let Ok(record) = serde_json::from_str(&huge::without_huge_numbers(text)) {
            return Ok(record);
        }
    }
    Err(refusal)
}

/// Reads again, slowly, to say where it went wrong; records that are right never come here.
fn explain_json<T: DeserializeOwned>(text: &str) -> Refusal {
    let mut json = serde_json::Deserializer::from_str(text);
    let (path, error) = match serde_path_to_error::deserialize::<_, T>(&mut json) {
        Ok(_) => match json.end() {
            Ok(()) => return Refusal::new(DeadLetterReason::BadJson, "unreadable"),
            Err(error) => (String::new(), error),
        },
        Err(error) => (error.path().to_string(), error.into_inner()),
    };
    let message = error.to_string();
    if error.is_data() {
        return refusal::of_message(&path, &message);
    }
    // Syntax errors have fixed texts. A number beyond a double is good JSON all the same, so it is a bad value; its
    // path may hold an unknown field's name, so it is named by its position.
    let position = format!("at line {} column {}", error.line(), error.column());
    if message.starts_with("number out of range") {
        return Refusal::new(
            DeadLetterReason::BadValue,
            format!("a number out of range {position}"),
        );
    }
    Refusal::new(DeadLetterReason::BadJson, message)
}

fn json_identity(source: Source, text: &str) -> Option<EventKey> {
    identity::read(source, &mut serde_json::Deserializer::from_str(text))
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
    if let Some((field, _)) = mandatory.iter().find(|(_, id)| id.trim().is_empty()) {
        return Some(Refusal::new(DeadLetterReason::MissingField, *field));
    }
    let given = optional
        .into_iter()
        .filter_map(|(field, id)| Some((field, id.as_ref()?)));
    mandatory.into_iter().chain(given).find_map(|(field, id)| {
        let flaw = identity::flaw(id)?;
        Some(Refusal::new(
            DeadLetterReason::BadValue,
            format!("{field}: {flaw}"),
        ))
    })
}
