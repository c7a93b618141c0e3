//! A trace goes from a record's headers to the revision that the record caused, also over a restart in between; and nothing
//! that is decided, published or kept as state knows of it but its own rows.
#![allow(clippy::unwrap_used)]

mod setting;

use std::sync::{Arc, Mutex};

use city_model::{Batch, EventTime, Input, Source, Tick};
use city_rules::Rules;
use setting::NOW;
use stream_worker::{
    Correlate, Enrich, InputRecord, OutRecord, Outbox, Outputs, Processor, Step, TraceObserver,
};
use wire_format::trace::{LINKS, TRACES, traces_line};
use wire_format::{BadTrace, Headers, Topic, TraceContext};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn parent(span: u8) -> String {
    format!("00-{TRACE}-{span:016x}-01")
}

#[derive(Default)]
struct Told {
    steps: Mutex<Vec<Step>>,
    bad: Mutex<Vec<BadTrace>>,
}

impl TraceObserver for Told {
    fn step(&self, step: Step) {
        self.steps.lock().unwrap().push(step);
    }

    fn bad_header(&self, _source: Source, header: BadTrace) {
        self.bad.lock().unwrap().push(header);
    }
}

fn report(id: &str, at: i64) -> String {
    format!(
        r#"{{"event_id":"{id}","source_system":"inspector-app","channel":"inspector","report_id":"{id}","category":["暴露垃圾"],
        "observed_at":{at},"location":{{"x":121.22,"y":31.03,"accuracy_m":5,"quality":"GNSS"}}}}"#
    )
}

fn record<'a>(topic: Topic, offset: i64, at: i64, value: &'a [u8], headers: Headers<'a>) -> InputRecord<'a> {
    InputRecord {
        topic,
        partition: 0,
        offset,
        timestamp: EventTime::from_millis(at),
        key: None,
        value: Some(value),
        headers,
    }
}

/// Two reports, the second a second later and both before the tick that tells of the second; then ticks.
struct Story {
    told: Arc<Told>,
    enriched: Vec<(i64, Vec<u8>, String)>,
    of_intake: Vec<OutRecord>,
}

/// What intake makes of two records with these headers, as batches of the enriched log.
fn story(headers: [Headers<'_>; 2]) -> Story {
    let setup = setting::setup(setting::intake(Rules::builtin()));
    let partition = "city.reports.v1-0";
    let tick = |ms: i64| {
        let clocks = vec![(partition.into(), EventTime::from_millis(ms))];
        Input::Tick(Tick { clocks })
    };
    let activation = Arc::new(setup.activation(&[partition.into()]));
    let told = Arc::new(Told::default());
    let mut enrich = Enrich::new(setup, Source::Report, activation).traced_by(told.clone());
    let mut out = Outbox::default();
    enrich.begin(&mut out);
    let mut enriched = Vec::new();
    let mut of_intake = Vec::new();
    for (number, headers) in headers.into_iter().enumerate() {
        let at = NOW + 300 * number as i64;
        let value = report(&format!("e{number}"), at);
        enrich.process(
            &record(Topic::Report, number as i64, at, value.as_bytes(), headers),
            &mut out,
        );
        out.send(0, tick(at));
        let done = std::mem::take(&mut out);
        let inputs = done.inputs.into_values().next().unwrap();
        let lines = done.traces.values().flatten();
        let lines = lines
            .map(|(number, context)| traces_line(*number, context))
            .collect();
        enriched.push((at, serde_json::to_vec(&Batch { inputs }).unwrap(), lines));
        of_intake.extend(done.records);
    }
    // The revision that tells of the second goes out with a batch of its own.
    let (at, inputs) = (NOW + 2_300, vec![tick(NOW + 2_300)]);
    enriched.push((at, serde_json::to_vec(&Batch { inputs }).unwrap(), String::new()));
    Story {
        told,
        enriched,
        of_intake,
    }
}

/// Decides the batches, with a restart before each if so told; gives the records, and the rows that are left.
fn decide(story: &Story, restarts: bool) -> (Vec<OutRecord>, std::collections::BTreeMap<String, Vec<u8>>) {
    let outputs = Arc::new(Outputs::json().as_events("310117"));
    let new = || {
        Correlate::new()
            .writing(outputs.clone())
            .traced_by(story.told.clone())
    };
    let (mut correlate, mut records) = (new(), Vec::new());
    let mut rows = std::collections::BTreeMap::new();
    for (offset, (at, value, lines)) in story.enriched.iter().enumerate() {
        let traced = [(TRACES, lines.as_bytes())];
        let headers: Headers<'_> = if lines.is_empty() { &[] } else { &traced };
        let mut out = Outbox::default();
        correlate.process(
            &record(Topic::Enriched, offset as i64, *at, value, headers),
            &mut out,
        );
        correlate.checkpoint(&mut out);
        records.extend(out.records);
        for (key, value) in out.rows {
            match value {
                Some(value) => drop(rows.insert(key, value)),
                None => drop(rows.remove(&key)),
            }
        }
        if restarts {
            correlate = new();
            for (key, value) in &rows {
                correlate.restore(key, Some(value)).unwrap();
            }
        }
    }
    (records, rows)
}

fn header<'a>(record: &'a OutRecord, name: &str) -> Option<&'a str> {
    let mut found = record.headers.iter().filter(|(key, _)| *key == name);
    let first = found.next().map(|(_, value)| value.as_str());
    assert!(found.next().is_none(), "{name} twice");
    first
}

fn of_topic(records: &[OutRecord], topic: Topic) -> Vec<&OutRecord> {
    records.iter().filter(|record| record.topic == topic).collect()
}

#[test]
fn a_trace_goes_on_to_the_revision_that_the_record_caused() {
    let (first, second) = (parent(1), parent(2));
    let one = [
        ("traceparent", first.as_bytes()),
        ("tracestate", b"rojo=00f067aa0ba902b7"),
    ];
    let two = [("traceparent", second.as_bytes())];
    let story = story([&one, &two]);
    let (records, rows) = decide(&story, false);
    let revisions = of_topic(&records, Topic::Incidents);
    assert_eq!(revisions.len(), 2, "opened at once, and joined with the tick");
    for (revision, came) in revisions.iter().zip([&first, &second]) {
        let context: TraceContext = header(revision, "traceparent").unwrap().parse().unwrap();
        assert_eq!(context.trace_id(), TRACE);
        assert!(context.is_sampled());
        assert_ne!(context.traceparent(), *came);
        // Each span's parent is the one before, back to whoever sent the record.
        let steps = story.told.steps.lock().unwrap();
        let find = |span: [u8; 8]| steps.iter().find(|step| step.context.span() == span);
        let publish = find(context.span()).unwrap();
        let correlate = find(publish.parent).unwrap();
        let enrich = find(correlate.parent).unwrap();
        assert_eq!(
            (publish.name, correlate.name, enrich.name),
            ("publish", "correlate", "enrich")
        );
        let sender: TraceContext = came.parse().unwrap();
        assert_eq!(enrich.parent, sender.span());
        assert!(correlate.about.iter().any(|(key, _)| *key == "cityops.incident"));
    }
    assert_eq!(header(revisions[0], "tracestate"), Some("rojo=00f067aa0ba902b7"));
    assert_eq!(header(revisions[1], "tracestate"), None);
    assert_eq!(header(revisions[1], "ce_causationid"), Some("inspector-app/e1"));
    assert_eq!(header(revisions[1], "ce_type"), Some("city.incident.v1"));
    let outcomes = of_topic(&records, Topic::Outcomes);
    assert_eq!(
        outcomes
            .iter()
            .filter(|told| header(told, "traceparent").is_some())
            .count(),
        2
    );
    assert!(!rows.keys().any(|key| key.starts_with("trace/")), "nothing waits");
    // The band's record is of the same revision.
    let band = records
        .iter()
        .find(|record| record.topic.name().contains(".p"))
        .unwrap();
    assert_eq!(header(band, "traceparent"), header(revisions[0], "traceparent"));
    assert_eq!(header(band, "ce_id"), header(revisions[0], "ce_id"));
}

#[test]
fn a_restart_between_an_event_and_its_revision_changes_nothing() {
    let (first, second) = (parent(1), parent(2));
    let one = [("traceparent", first.as_bytes())];
    let two = [("traceparent", second.as_bytes())];
    let story = story([&one, &two]);
    let (calm, _) = decide(&story, false);
    let (restarted, _) = decide(&story, true);
    assert_eq!(calm, restarted);
}

#[test]
fn nothing_but_headers_and_their_own_rows_knows_of_a_trace() {
    let parent = parent(1);
    let traced = [("traceparent", parent.as_bytes())];
    let (with, without) = (story([&traced, &traced]), story([&[], &[]]));
    let values = |story: &Story| -> Vec<Vec<u8>> {
        story.enriched.iter().map(|(_, value, _)| value.clone()).collect()
    };
    assert_eq!(values(&with), values(&without));
    let bare = |records: Vec<OutRecord>| -> Vec<OutRecord> {
        records
            .into_iter()
            .map(|record| OutRecord {
                headers: Vec::new(),
                ..record
            })
            .collect()
    };
    let ((of_with, rows_with), (of_without, rows_without)) = (decide(&with, false), decide(&without, false));
    assert!(
        of_without
            .iter()
            .all(|record| header(record, "traceparent").is_none())
    );
    assert_eq!(bare(of_with), bare(of_without));
    assert_eq!(rows_with, rows_without);
    assert!(without.told.steps.lock().unwrap().is_empty());
    assert!(without.enriched.iter().all(|(_, _, lines)| lines.is_empty()));
}

#[test]
fn a_bad_header_is_told_and_the_record_is_decided() {
    let good = parent(1);
    // Upper case; and a state that holds somebody's number.
    let shouted = good.to_uppercase();
    let one = [("traceparent", shouted.as_bytes())];
    let two = [
        ("traceparent", good.as_bytes()),
        ("tracestate", b"caller=13912345678".as_slice()),
    ];
    let story = story([&one, &two]);
    assert_eq!(
        *story.told.bad.lock().unwrap(),
        [BadTrace::Parent, BadTrace::State]
    );
    let (records, _) = decide(&story, false);
    let revisions = of_topic(&records, Topic::Incidents);
    assert_eq!(revisions.len(), 2);
    assert_eq!(header(revisions[0], "traceparent"), None);
    assert!(header(revisions[1], "traceparent").is_some());
    assert_eq!(header(revisions[1], "tracestate"), None);
    assert!(story.of_intake.is_empty(), "no dead letter");
}

#[test]
fn what_is_not_sampled_is_passed_on_and_not_told() {
    let parent = parent(1).replace("-01", "-00");
    let traced = [("ce_traceparent", parent.as_bytes())];
    let story = story([&traced, &[]]);
    let (records, _) = decide(&story, false);
    let revision = of_topic(&records, Topic::Incidents)[0];
    assert!(header(revision, "traceparent").unwrap().ends_with("-00"));
    assert!(story.told.steps.lock().unwrap().is_empty());
}

#[test]
fn an_event_of_cloudevents_without_a_trace_begins_one_and_is_named() {
    let event: [(&str, &[u8]); 3] = [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"13912345678"),
        ("ce_source", b"x"),
    ];
    let (begun, plain) = (story([&event, &event]), story([&[], &[]]));
    let (records, _) = decide(&begun, false);
    let revisions = of_topic(&records, Topic::Incidents);
    for (revision, by) in revisions.iter().zip(["inspector-app/e0", "inspector-app/e1"]) {
        assert_eq!(
            header(revision, "ce_causationid"),
            Some(by),
            "the record's own id, which it has"
        );
        let context: TraceContext = header(revision, "traceparent").unwrap().parse().unwrap();
        assert_eq!(context.trace(), TraceContext::begin(by).trace());
        assert!(!context.is_sampled());
    }
    assert!(begun.told.steps.lock().unwrap().is_empty());
    let (of_plain, _) = decide(&plain, false);
    assert!(
        of_plain
            .iter()
            .all(|record| header(record, "ce_causationid").is_none())
    );
}

#[test]
fn several_causes_of_one_revision_are_the_newest_and_links() {
    let parents = [parent(1), parent(2), parent(3)];
    let headers: Vec<_> = parents
        .iter()
        .map(|parent| [("traceparent", parent.as_bytes())])
        .collect();
    let mut all = story([&headers[0], &headers[1]]);
    // The second and a third event in one batch: one revision with the tick.
    let mut more = story([&headers[2], &headers[2]]);
    let mut batch: Batch = serde_json::from_slice(&all.enriched[1].1).unwrap();
    let third: Batch = serde_json::from_slice(&more.enriched.remove(1).1).unwrap();
    let mut event = third
        .inputs
        .into_iter()
        .find(|input| matches!(input, Input::Event(_)))
        .unwrap();
    if let Input::Event(event) = &mut event {
        Arc::make_mut(event).key.event_id = "e2".into();
    }
    batch.inputs.insert(1, event);
    let context: TraceContext = parents[2].parse().unwrap();
    all.enriched[1].1 = serde_json::to_vec(&batch).unwrap();
    all.enriched[1].2.push_str(&traces_line(1, &context));
    let (records, _) = decide(&all, false);
    let revisions = of_topic(&records, Topic::Incidents);
    assert_eq!(revisions.len(), 2);
    assert_eq!(header(revisions[0], LINKS), None);
    assert_eq!(header(revisions[1], "ce_causationid"), Some("inspector-app/e2"));
    let links: Vec<TraceContext> = header(revisions[1], LINKS)
        .unwrap()
        .split(',')
        .map(|link| link.parse().unwrap())
        .collect();
    assert_eq!(links.len(), 1);
    let steps = all.told.steps.lock().unwrap();
    let earlier = steps.iter().find(|step| step.context == links[0]).unwrap();
    assert!(
        earlier
            .about
            .contains(&("cityops.by", "inspector-app/e1".to_owned())),
        "{earlier:?}"
    );
}
