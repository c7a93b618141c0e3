//! Avro without the detour over a tree of values: a datum is read straight into its record, along the writer's schema.
//!
//! Fields meet by name, so a writer's new field is skipped and a missing optional one is absent, which is all the
//! resolution that our schemas' rule of change needs (`schemas/CHANGES.md`). `apache-avro` parses schemas and writes.

mod datum;
mod input;
mod items;
mod plan;
mod store;

pub(crate) use datum::Datum;
pub use store::{Encoder, SchemaError, SchemaStore};
