//! Reads the values of an output topic back, whichever format and version of its schema they were written in.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;
use serde::de::DeserializeOwned;

use super::datum;
use super::plan::Plan;
use super::resolve::resolve;
use super::{SchemaError, SchemaStore, WriterSchema};
use crate::{Format, SchemaAnswer, SchemaSource, Topic};

/// Why a value was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread {
    /// Its schema is being fetched: ask again.
    Later(u32),
    /// It cannot be read, and why.
    Never(String),
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unread::Later(id) => write!(f, "its schema {id} has not come from the registry"),
            Unread::Never(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Unread {}

/// A reader of one topic's values. A topic may hold JSON from before a registry was configured, Avro of any version of its
/// schema after it, and JSON again.
#[derive(Debug)]
pub struct Reader {
    plan: Plan,
    source: Option<Arc<dyn SchemaSource>>,
    /// By the writer's id: those that need no asking, and each other one when its first value comes.
    resolved: Mutex<FxHashMap<u32, Arc<Plan>>>,
}

impl Reader {
    /// A reader of a topic's values. With somebody to ask, his ids count; without, those of `schemas/ids.json`.
    ///
    /// # Errors
    /// When the topic has no schema.
    pub fn new(topic: Topic, source: Option<Arc<dyn SchemaSource>>) -> Result<Reader, SchemaError> {
        let text = topic
            .schema()
            .ok_or_else(|| SchemaError(format!("{topic} has none")))?;
        let reader = Reader {
            plan: WriterSchema::parse(text)?.written,
            source,
            resolved: Mutex::default(),
        };
        match (&reader.source, SchemaStore::builtin_id(topic)) {
            (None, Some(id)) => reader.knowing(id, text),
            _ => Ok(reader),
        }
    }

    /// The reader with a schema that needs no asking.
    ///
    /// # Errors
    /// When the text is no Avro schema.
    pub fn knowing(mut self, id: u32, text: &str) -> Result<Reader, SchemaError> {
        let plan = resolve(&WriterSchema::parse(text)?.written, &self.plan);
        let resolved = self.resolved.get_mut().unwrap_or_else(PoisonError::into_inner);
        resolved.insert(id, Arc::new(plan));
        Ok(self)
    }

    /// The record that a value holds.
    ///
    /// # Errors
    /// That it must wait for its schema, or what is wrong with it.
    pub fn read<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, Unread> {
        let never = |why: String| Err(Unread::Never(why));
        match Format::detect(bytes) {
            Format::Json => serde_json::from_slice(bytes)
                .or_else(|error| never(format!("JSON that does not fit: {error}"))),
            Format::Framed { schema_id: Some(id) } => {
                let plan = self.resolved(id)?;
                datum::read_plain(&plan, &bytes[Format::FRAME_BYTES..])
                    .or_else(|why| never(format!("Avro of schema {id}: {why}")))
            }
            Format::Framed { schema_id: None } => never("Avro that is cut off in its frame".to_owned()),
            Format::SingleObject { .. } => never("single-object Avro, which no output is".to_owned()),
        }
    }

    /// Whether a value can be read, or be told to be unreadable, now: its schema need not be waited for.
    pub fn is_ready(&self, bytes: &[u8]) -> bool {
        match Format::detect(bytes) {
            Format::Framed { schema_id: Some(id) } => !matches!(self.resolved(id), Err(Unread::Later(_))),
            _ => true,
        }
    }

    fn resolved(&self, id: u32) -> Result<Arc<Plan>, Unread> {
        let lock = || self.resolved.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = lock().get(&id) {
            return Ok(plan.clone());
        }
        let schema = match &self.source {
            Some(source) => match source.ask(id) {
                SchemaAnswer::Known(schema) => schema,
                SchemaAnswer::Later => return Err(Unread::Later(id)),
                SchemaAnswer::Never(why) => return Err(Unread::Never(format!("schema {id}: {why}"))),
            },
            None => {
                return Err(Unread::Never(format!(
                    "schema {id} is not in schemas/ids.json, and no registry is configured"
                )));
            }
        };
        let plan = Arc::new(resolve(&schema.written, &self.plan));
        lock().insert(id, plan.clone());
        Ok(plan)
    }
}
