//! Avro without the detour over a tree of values: a datum is read straight into its record, and written straight from it.
//!
//! A writer's schema meets the reader's once ([`resolve`](resolve::resolve)): fields by name or alias, defaults, promotions,
//! symbols; what is left for each datum is a flat list of steps. `apache-avro` parses schemas; it is the tests' witness, too.

mod datum;
mod direct;
mod direct_field;
mod encoder;
mod input;
mod items;
mod plain;
mod plan;
mod put;
mod put_many;
mod reader;
mod resolve;
mod skip;
mod store;

pub(crate) use datum::Datum;
pub use encoder::Encoder;
pub(crate) use plain::Plain;
pub(crate) use plan::{Field, Step};
pub use reader::{Reader, Unread};
pub use store::{SchemaError, SchemaStore, WriterSchema};
