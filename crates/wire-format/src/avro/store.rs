//! The writers' schemas that are known, by registry id and by fingerprint, each resolved once for each reader.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use apache_avro::Schema;
use apache_avro::rabin::Rabin;
use city_model::Source;
use rustc_hash::FxHashMap;

use super::datum::Way;
use super::plan::{Plan, Step};
use super::resolve::resolve;
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

/// A writer's schema, ready to read by.
#[derive(Debug)]
pub struct WriterSchema {
    pub(super) written: Plan,
    fingerprints: [u64; 2],
    /// By the reader's source, made when the first datum comes.
    resolved: [OnceLock<Way>; SOURCES],
}

const SOURCES: usize = Source::ALL.len();

impl WriterSchema {
    /// Reads a schema's text.
    ///
    /// # Errors
    /// When it is no Avro schema.
    pub fn parse(text: &str) -> Result<WriterSchema, SchemaError> {
        let schema = Schema::parse_str(text).map_err(|error| SchemaError(error.to_string()))?;
        Ok(WriterSchema {
            written: Plan::new(&schema)?,
            fingerprints: fingerprints(&schema),
            resolved: Default::default(),
        })
    }

    /// The schema as steps; the first is the whole datum.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.written.steps
    }

    /// How a reader of `source` reads it.
    pub(crate) fn way(&self, source: Source, readers: &Readers) -> &Way {
        self.resolved[source as usize].get_or_init(|| {
            readers.resolutions.fetch_add(1, Ordering::Relaxed);
            Way::new(source, resolve(&self.written, &readers.plans[source as usize]))
        })
    }
}

/// The schemas by which records are read. A source without one is read as it was written.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    plans: [Plan; SOURCES],
    /// How many pairs of writer and reader were resolved.
    resolutions: AtomicU64,
}

/// Known schemas. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct SchemaStore {
    ids: FxHashMap<u32, Arc<WriterSchema>>,
    fingerprints: FxHashMap<u64, Arc<WriterSchema>>,
    readers: Arc<Readers>,
}

impl SchemaStore {
    /// Our own schemas with the ids of `schemas/ids.json`: for use without a registry.
    ///
    /// # Errors
    /// When a schema in `schemas/` is none.
    pub fn builtin() -> Result<SchemaStore, SchemaError> {
        let mut readers = Readers::default();
        for source in Source::ALL.iter().copied() {
            if let Some(text) = Topic::of(source).schema() {
                readers.plans[source as usize] = WriterSchema::parse(text)?.written;
            }
        }
        let mut store = SchemaStore {
            readers: Arc::new(readers),
            ..SchemaStore::default()
        };
        for topic in Topic::ALL {
            if let (Some(text), Some(id)) = (topic.schema(), SchemaStore::builtin_id(*topic)) {
                store.add(id, text)?;
            }
        }
        Ok(store)
    }

    /// Our own schemas by fingerprint alone: with a registry, whose ids count instead.
    ///
    /// # Errors
    /// As [`SchemaStore::builtin`].
    pub fn by_fingerprint_only() -> Result<SchemaStore, SchemaError> {
        Ok(SchemaStore {
            ids: FxHashMap::default(),
            ..SchemaStore::builtin()?
        })
    }

    /// The store with another schema to read `source` by than ours: what a version to come would make of what lies in the
    /// topics. Schemas that were added before are forgotten.
    ///
    /// # Errors
    /// When the text is no Avro schema.
    pub fn reading(self, source: Source, text: &str) -> Result<SchemaStore, SchemaError> {
        let mut plans = self.readers.plans.clone();
        plans[source as usize] = WriterSchema::parse(text)?.written;
        Ok(SchemaStore {
            readers: Arc::new(Readers {
                plans,
                resolutions: AtomicU64::new(0),
            }),
            ..SchemaStore::default()
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
    ///
    /// # Errors
    /// When the text is no Avro schema.
    pub fn add(&mut self, id: u32, text: &str) -> Result<(), SchemaError> {
        let schema = Arc::new(WriterSchema::parse(text)?);
        self.ids.insert(id, Arc::clone(&schema));
        for fingerprint in schema.fingerprints {
            self.fingerprints.insert(fingerprint, Arc::clone(&schema));
        }
        Ok(())
    }

    /// Whether `id` is known.
    pub fn knows(&self, id: u32) -> bool {
        self.ids.contains_key(&id)
    }

    /// How many pairs of a writer's schema and a reader's were resolved so far. It grows with the schemas, not with the
    /// records.
    pub fn resolutions(&self) -> u64 {
        self.readers.resolutions.load(Ordering::Relaxed)
    }

    pub(crate) fn readers(&self) -> &Readers {
        &self.readers
    }

    pub(crate) fn by_id(&self, id: u32) -> Option<&WriterSchema> {
        self.ids.get(&id).map(Arc::as_ref)
    }

    pub(crate) fn by_fingerprint(&self, fingerprint: u64) -> Option<&WriterSchema> {
        self.fingerprints.get(&fingerprint).map(Arc::as_ref)
    }
}

/// The CRC-64-AVRO of a schema's canonical form, as the specification has it.
pub(super) fn fingerprint(schema: &Schema) -> u64 {
    let [standard, _] = fingerprints(schema);
    standard
}

/// What a schema is called in the single-object frame: by the specification, and by libraries that leave
/// `{"type":"long"}` where a logical type was dropped instead of writing `"long"`. apache_avro is one of them.
fn fingerprints(schema: &Schema) -> [u64; 2] {
    let of = |schema: &Schema| {
        let bytes = schema.fingerprint::<Rabin>().bytes;
        bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    };
    let mut canonical = schema.canonical_form();
    for primitive in PRIMITIVES {
        // Nothing else in the form looks like this: names hold no quotes, and texts and defaults are gone from it.
        canonical = canonical.replace(
            &format!("{{\"type\":\"{primitive}\"}}"),
            &format!("\"{primitive}\""),
        );
    }
    let own = of(schema);
    [
        Schema::parse_str(&canonical).map_or(own, |schema| of(&schema)),
        own,
    ]
}

const PRIMITIVES: [&str; 8] = [
    "null", "boolean", "int", "long", "float", "double", "bytes", "string",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The first column is what fastavro, and every library that keeps to the specification, writes into the frame.
    #[test]
    fn a_schema_is_known_by_its_standard_fingerprint_and_by_that_of_apache_avro() {
        let store = SchemaStore::builtin().unwrap();
        for (topic, standard) in [
            (Topic::Sensor, [0x63, 0x0a, 0xe3, 0x4e, 0xee, 0x16, 0x36, 0x1f]),
            (Topic::Hotline, [0x41, 0x1e, 0x86, 0x0c, 0x9a, 0x51, 0x42, 0x2e]),
            (Topic::Report, [0x3a, 0x4f, 0xf6, 0x3f, 0xc4, 0x42, 0xd4, 0x23]),
            (Topic::Video, [0x82, 0xf4, 0xb2, 0xa8, 0x3e, 0x07, 0x2b, 0x9a]),
        ] {
            let schema = Schema::parse_str(topic.schema().unwrap()).unwrap();
            let of_library = schema.fingerprint::<Rabin>().bytes;
            let of_library = u64::from_le_bytes(of_library.try_into().unwrap());
            let standard = u64::from_le_bytes(standard);
            assert_ne!(standard, of_library, "{topic}");
            assert_eq!(fingerprint(&schema), standard, "{topic}: what is written");
            for print in [standard, of_library] {
                let known = store.by_fingerprint(print).map(|schema| schema.fingerprints);
                assert_eq!(known, Some([standard, of_library]), "{topic} {print:016x}");
            }
        }
        // Of the specification: the fingerprint of "int".
        let int = Schema::parse_str(r#"{"type":"int","logicalType":"date"}"#).unwrap();
        assert_eq!(fingerprint(&int), 0x7275_d51a_3f39_5c8f);
    }
}
