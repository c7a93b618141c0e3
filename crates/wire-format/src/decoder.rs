//! From a value's bytes to a record, or to a refusal with the exact reason.

use std::sync::Arc;

use city_model::{DeadLetterReason, Source};

use crate::avro::{Datum, SchemaStore};
use crate::cloudevents::{self, Payload};
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
        let format = Format::detect(bytes);
        if let Some((_, pin)) = self.pins.iter().rev().find(|(pinned, _)| *pinned == source)
            && !pin.allows(format)
        {
            return Err(match pin {
                Pin::Avro => Refusal::new(BadAvro, "the topic is pinned to Avro"),
                Pin::Json => Refusal::new(BadJson, "the topic is pinned to JSON"),
            });
        }
        let beside = cloudevents::of_headers(headers)?;
        let fill = beside.as_ref().map(|attributes| Fill::new(source, attributes));
        if format != Format::Json {
            return self.read_avro(source, bytes, fill.as_ref());
        }
        let text = json::text(source, bytes)?;
        let told = cloudevents::is_structured(headers);
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
                    Payload::Bytes(bytes) => match Format::detect(&bytes) {
                        Format::Json => {
                            json::read(source, json::text(source, &bytes)?, Within::Filled(&fill))
                                .map(Record::into_owned)
                        }
                        // Nobody could have asked for its schema beforehand.
                        Format::Framed { .. } => Err(cloudevents::malformed(
                            BadAvro,
                            "data_base64: a registry's frame goes into the value itself",
                        )),
                        Format::SingleObject { .. } => self
                            .read_avro(source, &bytes, Some(&fill))
                            .map(Record::into_owned),
                    },
                }
            }
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
