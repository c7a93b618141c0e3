//! Bytes to records and back: JSON, Avro in its frames, and the records' names.
//!
//! What a field means, and whether its value makes sense, is intake's business; here a record is only read, or refused
//! with a reason that never quotes what it holds.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod area;
mod avro;
mod cloudevents;
mod decoder;
mod envelope;
mod fields;
mod fill;
mod format;
pub mod headers;
mod huge;
mod identity;
mod json;
mod lenient;
mod orders;
mod owned;
mod record;
mod records;
mod refusal;
mod schema_source;
mod telling;
mod text;
mod time;
pub mod topics;
pub mod trace;

pub use area::WireArea;
pub use avro::{Encoder, Reader, SchemaError, SchemaStore, Unread, WriterSchema};
pub use cloudevents::{Headers, is_event};
pub use decoder::Decoder;
pub use envelope::{Envelope, event_type};
pub use format::{Format, MAX_RECORD_BYTES, Pin};
pub use orders::{IncidentCommand, Silence, WeatherWarning};
pub use record::Record;
pub use records::{Algorithm, HotlineTicket, Measured, Report, SensorReading, VideoAlert, WireLocation};
pub use refusal::Refusal;
pub use schema_source::{SchemaAnswer, SchemaCounts, SchemaSource};
pub use text::Text;
pub use time::WireTime;
pub use topics::{Cleanup, Topic};
pub use trace::{BadTrace, TraceContext};
