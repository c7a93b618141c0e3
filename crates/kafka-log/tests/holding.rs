//! A record that is not ready holds its partition back, and nothing else; when it is, everything follows in order, once.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod broker;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use broker::{City, Counter, Running, counting_config, properties, record, until};
use kafka_log::produce::Sender;
use stream_worker::{InputRecord, Outbox, Processor};
use wire_format::Topic;

/// A counter that takes the value `wait` only when the gate is open.
struct Gated {
    counter: Counter,
    open: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
}

impl Processor for Gated {
    fn restore(&mut self, key: &str, value: Option<&[u8]>) -> anyhow::Result<()> {
        self.counter.restore(key, value)
    }

    fn begin(&mut self, out: &mut Outbox) {
        self.counter.begin(out);
    }

    fn is_ready(&mut self, record: &InputRecord<'_>) -> bool {
        if record.value != Some(b"wait") {
            return true;
        }
        assert_eq!(
            record.headers,
            [("why", &b"nap"[..])],
            "headers come with a held record, too"
        );
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.open.load(Ordering::Relaxed)
    }

    fn process(&mut self, record: &InputRecord<'_>, out: &mut Outbox) {
        self.counter.process(record, out);
    }

    fn checkpoint(&mut self, out: &mut Outbox) {
        self.counter.checkpoint(out);
    }
}

/// Sends so many records to a partition.
fn send(sender: &Sender, topic: &str, partition: i32, value: &[u8], count: u64) {
    let key = format!("key-{partition}");
    for _ in 0..count {
        let mut record = record(topic, Some(partition), &key, value);
        if value == b"wait" {
            record.headers = &[("why", b"nap")];
        }
        sender.send(&record).unwrap();
    }
    sender.flush().unwrap();
}

#[test]
fn one_partition_waits_and_the_other_goes_on() {
    let city = City::new("holding", 2);
    let topic = city.topic(Topic::Sensor);
    let sender = Sender::new(&properties()).unwrap();
    let (open, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let start = || {
        let (open, asked) = (open.clone(), asked.clone());
        let config = counting_config(&city.prefix, properties(), &[Topic::Sensor]);
        Running::with(config, move |_, _| {
            Box::new(Gated {
                counter: Counter::default(),
                open: open.clone(),
                asked: asked.clone(),
            })
        })
    };
    let running = start();
    send(&sender, &topic, 0, b"go", 5);
    send(&sender, &topic, 0, b"wait", 1);
    send(&sender, &topic, 0, b"go", 3);
    send(&sender, &topic, 1, b"go", 10);
    running.wait_for_records(15);
    // What comes to the other partition while this one waits is decided; what comes to this one is not.
    send(&sender, &topic, 0, b"go", 2);
    send(&sender, &topic, 1, b"go", 10);
    running.wait_for_records(25);
    let before = asked.load(Ordering::Relaxed);
    until("asked again and again", || {
        asked.load(Ordering::Relaxed) >= before + 3
    });
    assert_eq!(running.heard.records.load(Ordering::Relaxed), 25);
    assert_eq!(city.counted()["city.sensor.readings.v1/key-0"], [1, 2, 3, 4, 5]);
    let waiting = city.lag(&format!("{}group", city.prefix), Topic::Sensor);
    assert!(
        waiting >= 6,
        "six records wait, and the offsets say so: {waiting}"
    );

    // It waits across a restart, and an orderly stop does not wait for it.
    running.stop();
    let again = start();
    let before = asked.load(Ordering::Relaxed);
    until("asked by the next one", || asked.load(Ordering::Relaxed) > before);
    assert_eq!(again.heard.records.load(Ordering::Relaxed), 0);
    open.store(true, Ordering::Relaxed);
    again.wait_for_records(6);
    send(&sender, &topic, 0, b"go", 4);
    again.wait_for_records(10);
    let counts = BTreeMap::from([("key-0".to_owned(), 15), ("key-1".to_owned(), 20)]);
    city.check_counted(Topic::Sensor, &counts);
    again.stop();
}
