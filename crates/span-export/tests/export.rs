//! Spans reach a collector; one that hangs, is away or refuses costs spans, which are counted, and no loop's time.
#![allow(clippy::unwrap_used)]

mod receiver;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use city_model::EventTime;
use receiver::{Collector, Manner, PATIENCE, text};
use schema_registry::Credentials;
use span_export::{Collector as Configured, Counts, Endpoint, ExportConfig, Exporter, Tracer, Transaction};
use stream_worker::Step;
use wire_format::TraceContext;

fn config(address: &str) -> ExportConfig {
    ExportConfig {
        collector: Configured {
            endpoint: Endpoint::parse(address).unwrap(),
            authorities: None,
            credentials: Some(Credentials::bearer("a-token").unwrap()),
            timeout: Duration::from_secs(20),
        },
        service_name: "cityops-test".to_owned(),
        attributes: vec![("cityops.city", "310117".to_owned())],
        ratio: 1.0,
        queue: 64,
    }
}

fn transaction(records: u64) -> Transaction<'static> {
    Transaction {
        worker: "enrich",
        records,
        written: 2,
        bytes: 3,
        duration: Duration::from_millis(9),
        deciding: Duration::from_millis(3),
        committing: Duration::from_millis(4),
    }
}

fn step() -> Step {
    let came: TraceContext = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 a=b"
        .parse()
        .unwrap();
    Step {
        name: "enrich",
        context: came.step(&["enrich", "x"]),
        parent: came.span(),
        since: EventTime::from_millis(1_000),
        links: vec![came],
        about: vec![("cityops.by", "gauges/e-1".to_owned())],
    }
}

/// Commits transactions until something is so; each would block if the queue could.
fn until(tracer: &Tracer, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain");
        tracer.committed(&transaction(1));
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

#[test]
fn a_transaction_and_its_steps_arrive_as_they_were_told() {
    let collector = Collector::start(Manner::Answers(200, 0));
    let exporter = Exporter::start(&config(&collector.address)).unwrap();
    let tracer = exporter.tracer();
    tracer.step(step());
    tracer.aborted();
    tracer.step(step());
    tracer.committed(&transaction(7));
    let told = collector.next();
    assert!(told.head.starts_with("post /v1/traces http/1.1"), "{}", told.head);
    assert!(
        told.head.contains("content-type: application/x-protobuf"),
        "{}",
        told.head
    );
    assert!(
        told.head.contains("authorization: bearer a-token"),
        "{}",
        told.head
    );
    let resource = told.request.resource_spans[0].resource.clone().unwrap();
    let named: Vec<&str> = resource.attributes.iter().map(|one| &*one.key).collect();
    assert_eq!(named, ["service.name", "service.version", "cityops.city"]);
    let spans = told.spans();
    let names: Vec<&str> = spans.iter().map(|span| &*span.name).collect();
    let parts = [
        "enrich transaction",
        "enrich receive",
        "enrich decide",
        "enrich commit",
    ];
    assert_eq!(
        names,
        [&parts[..], &["cityops enrich"]].concat(),
        "what was aborted is told once"
    );
    let (whole, of_step) = (&spans[0], &spans[4]);
    assert!(spans[1..4].iter().all(|part| part.trace_id == whole.trace_id));
    let expected = step();
    assert_eq!(of_step.trace_id, expected.context.trace());
    assert_eq!(of_step.span_id, expected.context.span());
    assert_eq!(of_step.parent_span_id, expected.parent);
    assert_eq!(of_step.trace_state, "a=b");
    assert_eq!(of_step.start_time_unix_nano, 1_000_000_000);
    assert_eq!(text(of_step, "cityops.by"), Some("gauges/e-1"));
    assert_eq!(of_step.links.len(), 2);
    assert_eq!(
        of_step.links[1].span_id, whole.span_id,
        "it says which transaction committed it"
    );
    assert!(exporter.stop(PATIENCE));
    let counts = exporter.counts();
    assert_eq!(
        counts,
        Counts {
            exported: 5,
            up: Some(true),
            ..Counts::default()
        }
    );
}

#[test]
fn without_a_sampled_record_the_share_decides() {
    let collector = Collector::start(Manner::Answers(200, 0));
    let exporter = Exporter::start(&ExportConfig {
        ratio: 0.0,
        ..config(&collector.address)
    })
    .unwrap();
    let tracer = exporter.tracer();
    for _ in 0..100 {
        tracer.committed(&transaction(1));
    }
    assert!(exporter.stop(PATIENCE));
    assert_eq!(exporter.counts(), Counts::default());
}

#[test]
fn a_collector_that_hangs_holds_nothing_up_and_what_finds_no_room_is_counted() {
    let collector = Collector::start(Manner::Hangs);
    let exporter = Exporter::start(&config(&collector.address)).unwrap();
    let tracer = exporter.tracer();
    // Fills a batch under way and the queue, whatever their sizes.
    until(&tracer, || exporter.counts().dropped > 1_000);
    let counts = exporter.counts();
    assert_eq!((counts.exported, counts.failed, counts.up), (0, 0, None));
    collector.turn(Manner::Answers(200, 0));
    until(&tracer, || exporter.counts().exported > 64);
    assert_eq!(exporter.counts().up, Some(true));
    assert!(exporter.stop(PATIENCE));
}

#[test]
fn an_end_does_not_wait_for_a_collector_that_hangs() {
    let collector = Collector::start(Manner::Hangs);
    let exporter = Exporter::start(&config(&collector.address)).unwrap();
    until(&exporter.tracer(), || exporter.counts().dropped > 0);
    assert!(!exporter.stop(Duration::from_millis(50)), "it gave up");
    collector.turn(Manner::Answers(200, 0));
}

#[test]
fn a_collector_that_is_away_comes_back() {
    // A port where nobody listens yet.
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = held.local_addr().unwrap();
    drop(held);
    let exporter = Exporter::start(&config(&format!("http://{address}"))).unwrap();
    let tracer = exporter.tracer();
    until(&tracer, || exporter.counts().up == Some(false));
    let collector = Collector::on(TcpListener::bind(address).unwrap(), Manner::Answers(200, 0));
    until(&tracer, || exporter.counts().up == Some(true));
    assert!(!collector.next().spans().is_empty());
    assert!(exporter.stop(PATIENCE));
}

#[test]
fn what_a_collector_refuses_is_counted_and_not_sent_again() {
    let collector = Collector::start(Manner::Answers(200, 3));
    let exporter = Exporter::start(&config(&collector.address)).unwrap();
    exporter.tracer().committed(&transaction(1));
    collector.next();
    collector.turn(Manner::Answers(400, 0));
    until(&exporter.tracer(), || exporter.counts().failed > 3);
    assert_eq!(exporter.counts().exported, 1);
    assert!(exporter.stop(PATIENCE));
}
