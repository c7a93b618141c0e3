//! Spans as the protocol has them: of a step of a traced record, and of a loop's transaction with its three parts.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::{Link, SpanKind};
use stream_worker::Step;
use wire_format::TraceContext;

use crate::Transaction;

/// Longest text of an attribute, in bytes: ids come from outside, and the queue counts spans.
const TEXT_MAX: usize = 256;
/// The parent came by a record: it is another process's span (the protocol's flags, bits 8 and 9).
const REMOTE_PARENT: u32 = 0x300;

/// Where a span stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) trace: [u8; 16],
    pub(crate) span: [u8; 8],
}

/// A text attribute.
pub(crate) fn text(key: &str, value: &str) -> KeyValue {
    let mut end = value.len().min(TEXT_MAX);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    of(key, Value::StringValue(value[..end].to_owned()))
}

fn number(key: &str, value: u64) -> KeyValue {
    of(key, Value::IntValue(i64::try_from(value).unwrap_or(i64::MAX)))
}

fn of(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn link(context: &TraceContext) -> Link {
    Link {
        trace_id: context.trace().to_vec(),
        span_id: context.span().to_vec(),
        trace_state: context.tracestate().unwrap_or_default().to_owned(),
        flags: u32::from(context.flags()),
        ..Link::default()
    }
}

/// A step of a traced record: from the record's append to the commit, linked with the transaction that committed it.
pub(crate) fn of_step(step: &Step, committed: SystemTime, transaction: Place) -> Span {
    let end = nanos(committed);
    let since = u64::try_from(step.since.millis())
        .unwrap_or(0)
        .saturating_mul(1_000_000);
    let mut links: Vec<Link> = step.links.iter().map(link).collect();
    links.push(Link {
        trace_id: transaction.trace.to_vec(),
        span_id: transaction.span.to_vec(),
        flags: 1,
        ..Link::default()
    });
    let system = text("messaging.system", "kafka");
    let about = step.about.iter().map(|(key, value)| text(key, value));
    Span {
        trace_id: step.context.trace().to_vec(),
        span_id: step.context.span().to_vec(),
        parent_span_id: step.parent.to_vec(),
        trace_state: step.context.tracestate().unwrap_or_default().to_owned(),
        flags: u32::from(step.context.flags()) | REMOTE_PARENT,
        name: format!("cityops {}", step.name),
        kind: SpanKind::Consumer as i32,
        // A record whose producer says when it was sent may lie ahead of our clock.
        start_time_unix_nano: since.min(end),
        end_time_unix_nano: end,
        attributes: [system].into_iter().chain(about).collect(),
        links,
        ..Span::default()
    }
}

/// A transaction of a loop, and within it reading, deciding and committing.
pub(crate) fn of_transaction(
    transaction: &Transaction<'_>,
    committed: SystemTime,
    place: Place,
    next_id: impl Fn() -> [u8; 8],
) -> Vec<Span> {
    let end = nanos(committed);
    let back = |time: Duration| end.saturating_sub(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    let begin = back(transaction.duration);
    let commit = back(transaction.committing);
    let decide = back(transaction.committing.saturating_add(transaction.deciding));
    let span = |id: [u8; 8], parent: &[u8], name: String, from: u64, to: u64| Span {
        trace_id: place.trace.to_vec(),
        span_id: id.to_vec(),
        parent_span_id: parent.to_vec(),
        flags: 1,
        name,
        kind: SpanKind::Internal as i32,
        // What was measured apart may not fit by a hair.
        start_time_unix_nano: from.max(begin),
        end_time_unix_nano: to.max(begin),
        ..Span::default()
    };
    let worker = transaction.worker;
    let whole = Span {
        attributes: vec![
            text("cityops.worker", worker),
            number("cityops.records", transaction.records),
            number("cityops.written", transaction.written),
            number("cityops.bytes", transaction.bytes),
        ],
        ..span(place.span, &[], format!("{worker} transaction"), begin, end)
    };
    let part = |name: &str, from, to| span(next_id(), &place.span, format!("{worker} {name}"), from, to);
    vec![
        whole,
        part("receive", begin, decide),
        part("decide", decide, commit),
        part("commit", commit, end),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_lie_within_the_whole_and_meet() {
        let ms = Duration::from_millis;
        let transaction = Transaction {
            worker: "enrich",
            records: 3,
            written: 5,
            bytes: 700,
            duration: ms(100),
            deciding: ms(30),
            committing: ms(50),
        };
        let end = UNIX_EPOCH + Duration::from_secs(1_000);
        let place = Place {
            trace: [7; 16],
            span: [8; 8],
        };
        let check = |transaction: &Transaction<'_>, expected: [(&str, u64, u64); 4]| {
            let spans = of_transaction(transaction, end, place, || [9; 8]);
            let told: Vec<(&str, u64, u64)> = spans
                .iter()
                .map(|span| {
                    let before = |at: u64| (nanos(end) - at) / 1_000_000;
                    (
                        &*span.name,
                        before(span.start_time_unix_nano),
                        before(span.end_time_unix_nano),
                    )
                })
                .collect();
            assert_eq!(told, expected);
            assert!(spans[0].parent_span_id.is_empty());
            assert!(spans[1..].iter().all(|span| span.parent_span_id == place.span));
        };
        check(
            &transaction,
            [
                ("enrich transaction", 100, 0),
                ("enrich receive", 100, 80),
                ("enrich decide", 80, 50),
                ("enrich commit", 50, 0),
            ],
        );
        // Measured apart, the parts are longer than the whole.
        let odd = Transaction {
            duration: ms(60),
            ..transaction
        };
        check(
            &odd,
            [
                ("enrich transaction", 60, 0),
                ("enrich receive", 60, 60),
                ("enrich decide", 60, 50),
                ("enrich commit", 50, 0),
            ],
        );
    }

    #[test]
    fn texts_are_cut_between_letters() {
        let long = "口".repeat(100);
        let Some(Value::StringValue(cut)) = text("k", &long).value.unwrap().value else {
            panic!("a text")
        };
        assert_eq!(cut, "口".repeat(TEXT_MAX / 3));
    }
}
