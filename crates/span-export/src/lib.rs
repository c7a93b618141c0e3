//! Spans of what the loops do, sent to a collector by OTLP (HTTP, protobuf); the only crate that names OpenTelemetry.
//!
//! It observes: nothing waits for it and nothing is decided by it. A loop hands spans to a queue of fixed length, and what
//! finds no room is counted. The SDK's own span processor is not used: it says how many spans it dropped in its log alone,
//! and its spans have ids of its own making, while ours must be those that stand in the records' headers.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod collector;
mod exporter;
mod ids;
mod span;
mod tracer;

pub use collector::{Collector, Endpoint};
pub use exporter::{Counts, ExportConfig, Exporter};
pub use tracer::{Tracer, Transaction};
