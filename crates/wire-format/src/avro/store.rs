//! The writers' schemas that are known, by registry id and by fingerprint.

use std::fmt;
use std::sync::Arc;

use apache_avro::Schema;
use apache_avro::rabin::Rabin;
use apache_avro::writer::datum::GenericDatumWriter;
use rustc_hash::FxHashMap;
use serde::Serialize;

use super::plan::Plan;
use crate::Topic;

/// A schema that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaError(pub String);

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "avro schema: {}", self.0)
    }
}

impl std::error::Error for SchemaError {}

/// Known schemas. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct SchemaStore {
    ids: FxHashMap<u32, Arc<Plan>>,
    fingerprints: FxHashMap<u64, Arc<Plan>>,
}

impl SchemaStore {
    /// Our own schemas with the ids of `schemas/ids.json`: for use without a registry.
    pub fn builtin() -> Result<SchemaStore, SchemaError> {
        let mut store = SchemaStore::default();
        for topic in Topic::ALL {
            if let (Some(text), Some(id)) = (topic.schema(), SchemaStore::builtin_id(*topic)) {
                store.add(id, text)?;
            }
        }
        Ok(store)
    }

    /// Our own schemas by fingerprint alone: with a registry, whose ids count instead.
    pub fn by_fingerprint_only() -> Result<SchemaStore, SchemaError> {
        Ok(SchemaStore {
            ids: FxHashMap::default(),
            ..SchemaStore::builtin()?
        })
    }

    /// The id of a topic's schema in `schemas/ids.json`; the bands' topics share that of `city.incidents.v1`.
    pub fn builtin_id(topic: Topic) -> Option<u32> {
        let ids: serde_json::Value =
            serde_json::from_str(include_str!("../../../../schemas/ids.json")).ok()?;
        let named = match topic {
            Topic::IncidentsP1 | Topic::IncidentsP2 | Topic::IncidentsP3 | Topic::IncidentsP4 => {
                Topic::Incidents
            }
            topic => topic,
        };
        ids.get(named.name())?.as_u64()?.try_into().ok()
    }

    /// Adds the schema that a registry knows as `id`.
    pub fn add(&mut self, id: u32, text: &str) -> Result<(), SchemaError> {
        let schema = Schema::parse_str(text).map_err(|error| SchemaError(error.to_string()))?;
        let fingerprint = fingerprint(&schema);
        let plan = Arc::new(Plan::new(&schema)?);
        self.ids.insert(id, Arc::clone(&plan));
        self.fingerprints.insert(fingerprint, plan);
        Ok(())
    }

    /// Whether `id` is known.
    pub fn knows(&self, id: u32) -> bool {
        self.ids.contains_key(&id)
    }

    pub(crate) fn by_id(&self, id: u32) -> Option<&Plan> {
        self.ids.get(&id).map(Arc::as_ref)
    }

    pub(crate) fn by_fingerprint(&self, fingerprint: u64) -> Option<&Plan> {
        self.fingerprints.get(&fingerprint).map(Arc::as_ref)
    }
}

/// The CRC-64-AVRO of a schema's canonical form.
fn fingerprint(schema: &Schema) -> u64 {
    let bytes = schema.fingerprint::<Rabin>().bytes;
    bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Writes records of one topic in Avro. For producers, tests and simulations; it is not made for speed.
#[derive(Debug)]
pub struct Encoder {
    schema: Schema,
    id: u32,
}

impl Encoder {
    /// An encoder for a topic's values with our own schema, known to readers as `id`.
    pub fn new(topic: Topic, id: u32) -> Result<Encoder, SchemaError> {
        let text = topic
            .schema()
            .ok_or_else(|| SchemaError(format!("{topic} has none")))?;
        let schema = Schema::parse_str(text).map_err(|error| SchemaError(error.to_string()))?;
        Ok(Encoder { schema, id })
    }

    /// The record in the Confluent frame.
    pub fn framed<T: Serialize>(&self, record: &T) -> Result<Vec<u8>, SchemaError> {
        let mut bytes = vec![0];
        bytes.extend_from_slice(&self.id.to_be_bytes());
        bytes.extend_from_slice(&self.datum(record)?);
        Ok(bytes)
    }

    /// The record in single-object encoding.
    pub fn single_object<T: Serialize>(&self, record: &T) -> Result<Vec<u8>, SchemaError> {
        let mut bytes = vec![0xC3, 0x01];
        bytes.extend_from_slice(&fingerprint(&self.schema).to_le_bytes());
        bytes.extend_from_slice(&self.datum(record)?);
        Ok(bytes)
    }

    /// Through a tree of values, so that absent optional fields get their defaults.
    fn datum<T: Serialize>(&self, record: &T) -> Result<Vec<u8>, SchemaError> {
        let told = |error: apache_avro::Error| SchemaError(error.to_string());
        let value = apache_avro::to_value(record)
            .and_then(|value| value.resolve(&self.schema))
            .map_err(told)?;
        let writer = GenericDatumWriter::builder(&self.schema).build().map_err(told)?;
        writer.write_value_to_vec(value).map_err(told)
    }
}
