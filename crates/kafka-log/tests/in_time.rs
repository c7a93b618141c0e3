//! What waits in several partitions is read by its time, and all of it, whatever ends the loop on the way.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod broker;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use broker::{City, Counter, Running, properties, record, until};
use city_model::EventTime;
use kafka_log::WorkerConfig;
use kafka_log::produce::Sender;
use stream_worker::{InputRecord, Outbox, Processor};
use wire_format::Topic;

const PARTITIONS: i32 = 4;
const ROUNDS: u64 = 150;

/// A counter that notes the times in the order in which it hears them.
struct Noting {
    counter: Counter,
    heard: Arc<Mutex<Vec<EventTime>>>,
}

impl Processor for Noting {
    fn restore(&mut self, key: &str, value: Option<&[u8]>) -> anyhow::Result<()> {
        self.counter.restore(key, value)
    }

    fn begin(&mut self, out: &mut Outbox) {
        self.counter.begin(out);
    }

    fn process(&mut self, record: &InputRecord<'_>, out: &mut Outbox) {
        self.heard.lock().unwrap().push(record.timestamp);
        self.counter.process(record, out);
    }

    fn checkpoint(&mut self, out: &mut Outbox) {
        self.counter.checkpoint(out);
    }
}

/// Writes rounds, each later than the one before: partition 0 gets most, the last one a record now and then.
fn write(city: &City, rounds: u64) -> BTreeMap<String, u64> {
    let sender = Sender::new(&properties()).unwrap();
    let topic = city.topic(Topic::Sensor);
    let mut keys: BTreeMap<String, u64> = BTreeMap::new();
    for round in 0..rounds {
        for (partition, count) in [(0, 8), (1, 2), (2, 1), (3, u64::from(round % 10 == 0))] {
            let key = format!("key-{partition}");
            for _ in 0..count {
                sender.send(&record(&topic, Some(partition), &key, b"x")).unwrap();
            }
            *keys.entry(key).or_default() += count;
        }
        sender.flush().unwrap();
    }
    keys
}

/// Reads it all, beginning again after some records as often as `parts` says; how many records came after a later one.
fn read(city: &City, in_time: bool, keys: &BTreeMap<String, u64>, parts: u64) -> usize {
    let total: u64 = keys.values().sum();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let mut running = None;
    for part in 1..=parts {
        let heard = heard.clone();
        drop(running.take());
        let config = WorkerConfig {
            in_time,
            // Batches end in the midst of all partitions.
            max_batch_records: 70,
            ..city.config(&[Topic::Sensor])
        };
        let noted = heard.clone();
        running = Some(Running::with(config, move |_, _| {
            Box::new(Noting {
                counter: Counter::default(),
                heard: noted.clone(),
            })
        }));
        until("a part", || {
            heard.lock().unwrap().len() as u64 >= total * part / parts
        });
    }
    city.check_counted(Topic::Sensor, keys);
    drop(running);
    let heard = heard.lock().unwrap();
    let mut latest = EventTime::from_millis(0);
    let is_late = |at: &&EventTime| {
        latest = latest.max(**at);
        **at < latest
    };
    heard.iter().filter(is_late).count()
}

#[test]
fn what_waits_is_read_by_its_time() {
    let late = |in_time| {
        let city = City::new("in-time", PARTITIONS);
        let keys = write(&city, ROUNDS);
        read(&city, in_time, &keys, 1)
    };
    let (as_it_lies, in_time) = (late(false), late(true));
    // A broker that is slow to answer for one partition is not waited for any longer than a second.
    assert!(
        as_it_lies > 200 && in_time * 4 < as_it_lies,
        "of 1,665 records {in_time} came after a later one, as they lie {as_it_lies}"
    );
    eprintln!("{as_it_lies} late as they lie, {in_time} in time");
}

#[test]
fn nothing_that_waits_for_its_turn_is_lost_or_doubled_when_the_loop_begins_again() {
    let city = City::new("in-time-again", PARTITIONS);
    let keys = write(&city, ROUNDS);
    read(&city, true, &keys, 4);
}
