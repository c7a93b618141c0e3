//! From a value's bytes to a record, or to a refusal with the exact reason.

use std::sync::Arc;

use city_model::{DeadLetterReason, Source};

use crate::avro::{Datum, SchemaStore};
use crate::cloudevents::{self, Payload, Told};
use crate::fill::Fill;
use crate::json::{self, Within};
use crate::{Format, Headers, MAX_RECORD_BYTES, Pin, Record, Refusal, SchemaAnswer, SchemaSource};

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
    pub fn decode<'a>(&self, source: Source, bytes: &'a [u8]) -> Result<Record<'a>, Refusal> {
        self.decode_with(source, bytes, &[])
    }

    /// The record of `source` that `bytes` hold, with the headers beside it.
    ///
    /// # Errors
    /// The refusal, for the dead letters.
    pub fn decode_with<'a>(
        &self,
        source: Source,
        bytes: &'a [u8],
        headers: Headers<'_>,
    ) -> Result<Record<'a>, Refusal> {
        let record = self.read(source, bytes, headers)?;
        record.check_ids()?;
        Ok(record)
    }

    fn read<'a>(&self, source: Source, bytes: &'a [u8], headers: Headers<'_>) -> Result<Record<'a>, Refusal> {
        use DeadLetterReason::{BadAvro, BadJson, TooLarge};
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
            let fill = Fill::new(source, &attributes);
            return self.read_data(source, &data, &fill).map(Record::into_owned);
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
            && let Ok(record) = json::parse(source, text)
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
                    Payload::Bytes(data) => self.read_data(source, &data, &fill).map(Record::into_owned),
                }
            }
        }
    }

    /// The record that an event carries as bytes.
    fn read_data<'a>(&self, source: Source, data: &'a [u8], fill: &Fill<'_>) -> Result<Record<'a>, Refusal> {
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

    fn read_avro<'a>(
        &self,
        source: Source,
        bytes: &'a [u8],
        fill: Option<&Fill<'_>>,
    ) -> Result<Record<'a>, Refusal> {
        use DeadLetterReason::{BadAvro, UnknownSchema};
        let readers = self.schemas.readers();
        match Format::detect(bytes) {
            Format::Framed { schema_id: Some(id) } => {
                let datum = &bytes[Format::FRAME_BYTES..];
                if let Some(schema) = self.schemas.by_id(id) {
                    return Datum::new(schema.way(source, readers), datum, fill).read(source);
                }
                let detail = match self.source.as_ref().map(|source| source.last(id)) {
                    Some(SchemaAnswer::Known(schema)) => {
                        return Datum::new(schema.way(source, readers), datum, fill).read(source);
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
                    Datum::new(schema.way(source, readers), datum, fill).read(source)
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
