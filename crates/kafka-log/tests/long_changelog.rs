//! Of a long changelog that the broker has not compacted, what holds is restored: each key's last row, once, in the order in which
//! those lie.
#![allow(clippy::unwrap_used)]

mod broker;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use broker::{City, Running, counting_config, properties, until};
use kafka_log::produce::{NewRecord, Sender};
use stream_worker::{InputRecord, Outbox, Processor};
use wire_format::Topic;

const PARTITIONS: i32 = 2;
const KEYS: usize = 2_500;
const ROUNDS: usize = 6;

/// What was restored of one partition, in order.
type Restored = Arc<Mutex<Vec<(String, Option<String>)>>>;

struct Keeps(Restored);

impl Processor for Keeps {
    fn restore(&mut self, key: &str, value: Option<&[u8]>) -> anyhow::Result<()> {
        let value = value.map(|value| String::from_utf8_lossy(value).into_owned());
        self.0.lock().unwrap().push((key.to_owned(), value));
        Ok(())
    }
    fn begin(&mut self, _out: &mut Outbox) {}
    fn process(&mut self, _record: &InputRecord<'_>, _out: &mut Outbox) {}
    fn checkpoint(&mut self, _out: &mut Outbox) {}
}

/// The row of a key in a round: every seventh is deleted in the last one, and a third is not written again after the second.
fn row(key: usize, round: usize) -> Option<Option<String>> {
    match (key % 7, key % 3, round) {
        (0, _, round) if round + 1 == ROUNDS => Some(None),
        (_, 1, 2..) => None,
        _ => Some(Some(format!("{key} in round {round}"))),
    }
}

#[test]
fn each_key_is_restored_once_from_its_last_row() {
    let city = City::new("long-changelog", PARTITIONS);
    let config = || counting_config(&city.prefix, properties(), &[Topic::Sensor]);
    // Rows of a group that has no offsets would be a loss: it has read nothing yet, and says so.
    let first = Running::start(config());
    until("claimed", || first.heard.commits.load(Ordering::Relaxed) > 0);
    first.stop();
    let changelog = city.topic(Topic::EnrichChangelog);
    let sender = Sender::new(&properties()).unwrap();
    for partition in 0..PARTITIONS {
        for (round, key) in (0..ROUNDS).flat_map(|round| (0..KEYS).map(move |key| (round, key))) {
            let Some(value) = row(key, round) else { continue };
            // The partitions have the same keys, and are not the same.
            let value = value.map(|value| format!("{value} of {partition}"));
            let key = format!("{}/key-{key}", Topic::Sensor.name());
            let record = NewRecord {
                topic: &changelog,
                partition: Some(partition),
                key: Some(key.as_bytes()),
                value: value.as_deref().map(str::as_bytes),
                timestamp: None,
                headers: &[],
            };
            sender.send(&record).unwrap();
        }
    }
    sender.flush().unwrap();

    let restored: Vec<Restored> = (0..PARTITIONS).map(|_| Restored::default()).collect();
    let given = restored.clone();
    let running = Running::with(config(), move |_, partition| {
        Box::new(Keeps(given[usize::try_from(partition).unwrap()].clone()))
    });
    until("restored", || running.heard.ready.load(Ordering::Relaxed) > 0);
    let heard = running.stop();

    for (partition, restored) in restored.iter().enumerate() {
        let last = (0..KEYS).map(|key| {
            let round = (0..ROUNDS)
                .rev()
                .find(|round| row(key, *round).is_some())
                .unwrap();
            (round, key)
        });
        let mut expected: Vec<(usize, usize)> = last.collect();
        expected.sort_unstable();
        let expected = expected.into_iter().map(|(round, key)| {
            let value = row(key, round).unwrap();
            let value = value.map(|value| format!("{value} of {partition}"));
            (format!("key-{key}"), value)
        });
        let expected: Vec<(String, Option<String>)> = expected.collect();
        assert_eq!(*restored.lock().unwrap(), expected, "partition {partition}");
    }
    assert_eq!(
        heard.restored_rows.load(Ordering::Relaxed),
        PARTITIONS as u64 * KEYS as u64
    );
}
