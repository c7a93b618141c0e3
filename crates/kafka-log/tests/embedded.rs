//! The whole loop runs on the embedded broker: plumbing only, no promise of exactly-once.
#![allow(clippy::unwrap_used)]

mod broker;

use broker::{Running, counting_config, record, until};
use kafka_log::embedded::Embedded;
use kafka_log::produce::Sender;
use kafka_log::tail::{Tail, follow};
use kafka_log::{TickConfig, WorkerConfig};
use std::sync::atomic::{AtomicBool, Ordering};
use wire_format::topics::Topic;

#[test]
fn a_loop_runs_on_the_embedded_broker() {
    let topics: Vec<(String, i32)> = Topic::ALL
        .iter()
        .map(|topic| (topic.name().to_owned(), 2))
        .collect();
    let embedded = Embedded::start(&topics).unwrap();
    let sender = Sender::new(&embedded.properties()).unwrap();
    let ticks = TickConfig {
        every_ms: 100,
        enriched: Topic::Enriched,
        partitions: 2,
        idle_hold: false,
    };
    let config = WorkerConfig {
        embedded: true,
        ticks: Some(ticks),
        ..counting_config("", embedded.properties(), &[Topic::Sensor])
    };
    let running = Running::start(config);
    until("ready", || running.heard.ready.load(Ordering::Relaxed) > 0);
    for _ in 0..5 {
        for key in ["a", "b", "c"] {
            sender
                .send(&record(Topic::Sensor.name(), None, key, b"x"))
                .unwrap();
        }
    }
    sender.flush().unwrap();
    running.wait_for_records(15);
    let (mut counts, mut ticks) = (0, 0);
    let stop = AtomicBool::new(false);
    follow(
        &embedded.properties(),
        "",
        &[Topic::Outcomes, Topic::Enriched],
        |told| {
            match told {
                Tail::Record(Topic::Outcomes, _) => counts += 1,
                Tail::Record(Topic::Enriched, _) => ticks += 1,
                _ => {}
            }
            stop.store(counts == 15 && ticks > 4, Ordering::Relaxed);
        },
        &stop,
    )
    .unwrap();
    let heard = running.stop();
    assert_eq!((counts, heard.aborts.load(Ordering::Relaxed)), (15, 0));
}
