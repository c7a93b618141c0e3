//! A counting loop in a process of its own, so that a test can kill it: counts `city.sensor.readings.v1` under a topic
//! prefix, prints a line for each commit, and runs until it is killed or told to end by the end of its input.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a tool of the tests")]

#[path = "../tests/broker/mod.rs"]
mod broker;

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kafka_log::{CommitInfo, Observer, WorkerConfig, worker};
use wire_format::topics::Topic;

struct Printing;

impl Observer for Printing {
    fn batch_committed(&self, info: &CommitInfo<'_>) {
        println!("committed {}", info.records);
    }

    fn restored(&self, topic: Topic, partition: i32, rows: u64, _duration: std::time::Duration) {
        println!("restored {topic} {partition} {rows}");
    }
}

fn main() {
    let prefix = std::env::args().nth(1).unwrap();
    let mut properties = broker::properties();
    let mut transaction_timeout_ms = 10_000;
    if let Some(instance) = std::env::args().nth(2) {
        // A static member takes its place again without waiting for its own old session, so a test can kill it often.
        properties.insert("group.instance.id".to_owned(), instance);
        transaction_timeout_ms = 1_000;
    }
    let config = WorkerConfig {
        transaction_timeout_ms,
        // Many small transactions: more moments to be killed in.
        max_batch_records: 100,
        ..broker::counting_config(&prefix, properties, &[Topic::Sensor])
    };
    let stop = Arc::new(AtomicBool::new(false));
    let stopping = stop.clone();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        stopping.store(true, Ordering::Relaxed);
    });
    worker::run(config, &broker::counter, &Printing, &stop).unwrap();
}
