//! What became of a traced record, step by step: told to whoever exports spans. Nothing here decides anything.

use city_model::{EventTime, Source};
use wire_format::{BadTrace, TraceContext};

use crate::InputRecord;

/// Something that was done for one traced record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What was done: `enrich`, `correlate` or `publish`.
    pub name: &'static str,
    /// Its own span.
    pub context: TraceContext,
    /// The span before it, of whoever sent the record or of the step before.
    pub parent: [u8; 8],
    /// From when on it was to be done: when its record was appended.
    pub since: EventTime,
    /// Other causes of the same.
    pub links: Vec<TraceContext>,
    /// What it was about.
    pub about: Vec<(&'static str, String)>,
}

impl Step {
    /// Where a record lies, by the conventions for messages of OpenTelemetry.
    pub(crate) fn place(record: &InputRecord<'_>) -> Vec<(&'static str, String)> {
        vec![
            ("messaging.destination.name", record.topic.name().to_owned()),
            ("messaging.destination.partition.id", record.partition.to_string()),
            ("messaging.kafka.offset", record.offset.to_string()),
        ]
    }
}

/// Is told about traces, on the loop's own thread. None of its methods may block.
pub trait TraceObserver: Send + Sync {
    /// A step of a sampled trace. Its transaction is not committed yet.
    fn step(&self, step: Step);

    /// Whether steps go anywhere; else none is told.
    fn exports(&self) -> bool {
        true
    }

    /// A header of a source's record was passed over.
    fn bad_header(&self, source: Source, header: BadTrace);

    /// A revision goes out without its trace: too many incidents wait with one.
    fn forgotten(&self) {}
}

/// The span under which everything is logged that concerns a traced record. At the level of errors, so that no filter
/// that lets a line pass takes its trace away.
pub(crate) fn log_span(context: &TraceContext) -> tracing::Span {
    tracing::error_span!("record", trace_id = %context.trace_id())
}
