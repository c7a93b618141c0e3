//! On a real Kafka: a trace goes from a record's headers to the headers of the incident that it caused, its spans to a
//! collector, and a header that is no trace costs the record nothing.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod city;
#[path = "../crates/span-export/tests/receiver/mod.rs"]
mod receiver;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use city::town::{NORTH_WEST, SOUTH_WEST, Town};
use city::web;
use kafka_log::produce::NewRecord;
use kafka_log::read::read_all;
use opentelemetry_proto::tonic::trace::v1::Span;
use receiver::{Collector, Manner, text};
use serde_json::{Value, json};
use wire_format::{Topic, TraceContext};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_millis() as u64
}

fn send(town: &mut Town, topic: Topic, key: &str, value: &Value, headers: &[(&str, &[u8])]) {
    let (topic, value) = (kafka_log::topic_name(&town.prefix, topic), value.to_string());
    let record = NewRecord {
        topic: &topic,
        partition: None,
        key: Some(key.as_bytes()),
        value: Some(value.as_bytes()),
        timestamp: None,
        headers,
    };
    town.sender.send(&record).unwrap();
    town.sender.flush().unwrap();
    town.sent += 1;
}

/// A report of litter at a place, as a record with these headers.
fn tell(town: &mut Town, id: &str, (x, y): (f64, f64), headers: &[(&str, &[u8])]) {
    let report = json!({"event_id": id, "source_system": "inspector-app", "channel": "inspector", "report_id": id,
        "category": ["暴露垃圾"], "observed_at": now(), "location": {"x": x, "y": y, "accuracy_m": 5.0, "quality": "GNSS"}});
    send(town, Topic::Report, id, &report, headers);
}

/// The headers of the first revision that has this event among its members.
fn revision_of(town: &Town, topic: Topic, event: &str) -> Option<BTreeMap<String, String>> {
    let mut found = None;
    read_all(
        &town.properties,
        &kafka_log::topic_name(&town.prefix, topic),
        |record| {
            let incident: Value = record
                .value()
                .map_or(Value::Null, |value| serde_json::from_slice(value).unwrap());
            let members = incident["members"].as_array().cloned().unwrap_or_default();
            if members.iter().all(|member| member["event_id"] != event) {
                return ControlFlow::Continue(());
            }
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let headers = record.headers().into_iter();
            let mut told: BTreeMap<String, String> = headers
                .map(|(name, value)| (name.to_owned(), text(value)))
                .collect();
            told.insert(
                "incident".to_owned(),
                incident["incident_id"].as_str().unwrap().to_owned(),
            );
            found = Some(told);
            ControlFlow::Break(())
        },
    )
    .unwrap();
    found
}

fn named<'a>(spans: &'a [Span], name: &str, by: &str) -> Option<&'a Span> {
    spans
        .iter()
        .find(|span| span.name == name && (text(span, "cityops.by") == Some(by)))
}

#[test]
fn a_trace_goes_from_a_record_to_its_incident_and_to_a_collector() {
    let collector = Collector::start(Manner::Answers(200, 0));
    let more = format!("[telemetry]\nendpoint = \"{}\"\nratio = 0\n", collector.address);
    let mut town = Town::prepare("traces", &more);
    town.process = Some(Town::run(&town.folder));
    let sender: TraceContext = format!("00-{TRACE}-00f067aa0ba902b7-01").parse().unwrap();
    let parent = sender.traceparent();
    // As an event of CloudEvents, whose id and source the record has itself; and one whose sender cannot count to 32.
    let event: [(&str, &[u8]); 6] = [
        ("traceparent", parent.as_bytes()),
        ("tracestate", b"rojo=1"),
        ("ce_specversion", b"1.0"),
        ("ce_id", b"another"),
        ("ce_source", b"another"),
        ("ce_type", b"report"),
    ];
    tell(&mut town, "traced", SOUTH_WEST, &event);
    tell(
        &mut town,
        "spoilt",
        NORTH_WEST,
        &[("traceparent", b"00-1234-5678-01")],
    );
    let incident = town.incident("traced", 1);
    town.incident("spoilt", 1);
    let told = revision_of(&town, Topic::Incidents, "traced").unwrap();
    let context: TraceContext = told["traceparent"].parse().unwrap();
    assert_eq!(
        (context.trace_id(), context.is_sampled()),
        (TRACE.to_owned(), true)
    );
    assert_eq!(told["tracestate"], "rojo=1");
    assert_eq!(told["incident"], incident["incident_id"].as_str().unwrap());
    for (name, value) in [
        ("ce_specversion", "1.0"),
        ("ce_type", "city.incident.v1"),
        ("ce_source", "/cityops/310117"),
        ("ce_subject", &told["incident"]),
        ("ce_causationid", "inspector-app/traced"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(told[name], value, "{name}");
    }
    assert_eq!(told["ce_id"], format!("{}/1", told["incident"]));
    let band = incident["priority"]["band"].as_str().unwrap().to_lowercase();
    let band = Topic::by_name(&format!("city.incidents.{band}.v1")).unwrap();
    let shown = revision_of(&town, band, "traced").unwrap();
    assert_eq!(shown["traceparent"], told["traceparent"]);
    let spoilt = revision_of(&town, Topic::Incidents, "spoilt").unwrap();
    assert!(!spoilt.contains_key("traceparent"), "{spoilt:?}");
    assert_eq!(spoilt["ce_type"], "city.incident.v1");

    // Enriched, decided, published: each span's parent is the one before, from the sender's on.
    let spans = collector.until(|span| span.span_id == context.span());
    let by = "inspector-app/traced";
    let enrich = named(&spans, "cityops enrich", by).unwrap();
    let correlate = named(&spans, "cityops correlate", by).unwrap();
    let publish = named(&spans, "cityops publish", by).unwrap();
    let chain = [
        (enrich, sender.span().to_vec()),
        (correlate, enrich.span_id.clone()),
        (publish, correlate.span_id.clone()),
    ];
    for (span, parent) in chain {
        assert_eq!(span.trace_id, context.trace(), "{}", span.name);
        assert_eq!(span.parent_span_id, parent, "{}", span.name);
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
        let transaction = span.links.last().unwrap();
        let whole = spans
            .iter()
            .find(|other| other.span_id == transaction.span_id)
            .unwrap();
        assert!(whole.name.ends_with(" transaction"), "{}", whole.name);
    }
    assert_eq!(text(publish, "cityops.incident"), Some(&*told["incident"]));
    assert!(named(&spans, "cityops enrich", "inspector-app/spoilt").is_none());
    let log = town.log();
    web::wait("what left is counted", &log, || {
        town.metric("cityops_spans_total{result=\"exported\"}") >= spans.len() as f64
    });
    assert_eq!(town.metric("cityops_span_collector_up"), 1.0);
    let dropped = "cityops_trace_contexts_dropped_total";
    assert_eq!(
        town.metric(&format!("{dropped}{{reason=\"bad_traceparent\"}}")),
        1.0
    );
    assert_eq!(town.metric(dropped), 1.0);

    // What is logged of a traced record says so: this one is applied, and names a cell that no grid has.
    let nowhere = json!({"silence_id": "s", "kinds": [], "area": ["NOWHERE"], "starts_at": now(), "ends_at": now() + 60_000,
        "reason": "施工", "created_by": "desk", "created_at": now()});
    send(
        &mut town,
        Topic::Silence,
        "s",
        &nowhere,
        &[("traceparent", parent.as_bytes())],
    );
    web::wait("the log says whose trace a line is about", &log, || {
        let text = std::fs::read_to_string(&log).unwrap();
        text.lines()
            .any(|line| line.contains(" WARN ") && line.contains(&format!("trace_id={TRACE}")))
    });

    // What is decided knows nothing of it.
    town.settle();
}
