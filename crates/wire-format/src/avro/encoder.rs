//! Writes records in Avro: the schema is compiled once, and a record goes straight into bytes.

use apache_avro::Schema;
use serde::Serialize;

use super::plan::{Plan, Step};
use super::put::{Put, PutError};
use super::store::fingerprint;
use super::{SchemaError, SchemaStore};
use crate::{Format, Topic};

/// Writes records of one schema.
#[derive(Debug)]
pub struct Encoder {
    plan: Plan,
    id: u32,
    fingerprint: u64,
}

impl Encoder {
    /// An encoder for a topic's values with our own schema, known to readers as `id`.
    ///
    /// # Errors
    /// When the topic has no schema.
    pub fn new(topic: Topic, id: u32) -> Result<Encoder, SchemaError> {
        let text = topic
            .schema()
            .ok_or_else(|| SchemaError(format!("{topic} has none")))?;
        Encoder::of(text, id)
    }

    /// An encoder for a topic's values with the id of `schemas/ids.json`: for use without a registry.
    ///
    /// # Errors
    /// When the topic has no schema.
    pub fn builtin(topic: Topic) -> Result<Encoder, SchemaError> {
        let id = SchemaStore::builtin_id(topic).ok_or_else(|| SchemaError(format!("{topic} has no id")))?;
        Encoder::new(topic, id)
    }

    /// An encoder for values of any schema, known to readers as `id`.
    ///
    /// # Errors
    /// When the text is no Avro schema, or a default does not fit its field.
    pub fn of(text: &str, id: u32) -> Result<Encoder, SchemaError> {
        let schema = Schema::parse_str(text).map_err(|error| SchemaError(error.to_string()))?;
        Ok(Encoder {
            plan: with_defaults(Plan::new(&schema)?)?,
            id,
            fingerprint: fingerprint(&schema),
        })
    }

    /// The record in the Confluent frame. Absent fields are written as their defaults.
    ///
    /// # Errors
    /// When the record does not fit the schema: a mandatory field is absent, one has another type, or the schema lacks it.
    pub fn framed<T: Serialize>(&self, record: &T) -> Result<Vec<u8>, SchemaError> {
        let mut bytes = Vec::new();
        self.framed_into(record, &mut bytes)?;
        Ok(bytes)
    }

    /// What another encoder of the same schema has framed, as this one frames it: under its own id. `None` for what is in no
    /// Confluent frame.
    pub fn reframed(&self, framed: &[u8]) -> Option<Vec<u8>> {
        let is_framed = framed.len() >= Format::FRAME_BYTES && framed[0] == 0;
        is_framed.then(|| {
            let mut bytes = framed.to_vec();
            bytes[1..Format::FRAME_BYTES].copy_from_slice(&self.id.to_be_bytes());
            bytes
        })
    }

    /// Appends what [`Encoder::framed`] gives to a buffer that is used again; after an error it is as it was.
    ///
    /// # Errors
    /// As [`Encoder::framed`].
    pub fn framed_into<T: Serialize>(&self, record: &T, out: &mut Vec<u8>) -> Result<(), SchemaError> {
        let mut frame = [0; Format::FRAME_BYTES];
        frame[1..].copy_from_slice(&self.id.to_be_bytes());
        self.datum(&frame, record, out)
    }

    /// The record in single-object encoding.
    ///
    /// # Errors
    /// As [`Encoder::framed`].
    pub fn single_object<T: Serialize>(&self, record: &T) -> Result<Vec<u8>, SchemaError> {
        let mut frame = [0xC3, 0x01, 0, 0, 0, 0, 0, 0, 0, 0];
        frame[2..].copy_from_slice(&self.fingerprint.to_le_bytes());
        let mut bytes = Vec::new();
        self.datum(&frame, record, &mut bytes)?;
        Ok(bytes)
    }

    fn datum<T: Serialize>(&self, frame: &[u8], record: &T, out: &mut Vec<u8>) -> Result<(), SchemaError> {
        let begin = out.len();
        out.reserve(256);
        out.extend_from_slice(frame);
        let mut written = record.serialize(Put::new(&self.plan, out, false));
        if let Err(PutError::OutOfOrder) = written {
            // Its fields come in another order than the schema's: once more, each field by itself.
            out.truncate(begin + frame.len());
            written = record.serialize(Put::new(&self.plan, out, true));
        }
        written.map_err(|error| {
            out.truncate(begin);
            SchemaError(error.to_string())
        })
    }
}

/// The plan with each field's default as the bytes that are written for it.
fn with_defaults(mut plan: Plan) -> Result<Plan, SchemaError> {
    // A default may be a record, whose own absent fields have defaults: innermost types come last in a plan.
    for index in (0..plan.steps.len()).rev() {
        let Step::Record(record) = &plan.steps[index] else {
            continue;
        };
        let mut fields = record.fields.clone();
        for field in &mut fields {
            let Some(default) = &field.default else { continue };
            let mut bytes = Vec::new();
            default
                .serialize(Put::at(&plan, field.step, &mut bytes, true))
                .map_err(|error| SchemaError(format!("the default of {}: {error}", field.name)))?;
            field.written_default = Some(bytes);
        }
        if let Step::Record(record) = &mut plan.steps[index] {
            record.fields = fields;
        }
    }
    Ok(plan)
}
