//! What a decoder asks for a schema that it does not hold. It never waits: whoever answers fetches in its own time.

use std::fmt;
use std::sync::Arc;

use crate::WriterSchema;

/// What is known of a schema.
#[derive(Debug, Clone)]
pub enum SchemaAnswer {
    /// It is here.
    Known(Arc<WriterSchema>),
    /// It will never do, and why: there is none of this id, or it is no Avro schema.
    Never(String),
    /// It is not known yet: ask again. The record must wait, and what follows it in its partition, too.
    Later,
}

/// Requests for schemas so far, by what came of them, and whether the last one was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SchemaCounts {
    /// A schema came.
    pub found: u64,
    /// There is none of that id.
    pub unknown: u64,
    /// There is one, but it cannot be used.
    pub unusable: u64,
    /// No answer, or none that settles anything.
    pub failed: u64,
    /// Whether the last request was answered; `None` before the first.
    pub up: Option<bool>,
}

/// Somebody who knows schemas by their registry's ids.
pub trait SchemaSource: fmt::Debug + Send + Sync {
    /// What is known of a schema now. What is not is fetched meanwhile.
    fn ask(&self, id: u32) -> SchemaAnswer;

    /// What was known of it last, whatever its age: nothing is fetched.
    fn last(&self, id: u32) -> SchemaAnswer;

    /// The requests so far.
    fn counts(&self) -> SchemaCounts;
}
