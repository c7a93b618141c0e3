//! What a loop reads ahead is told to all its tasks before the records that were appended later are decided, whoever owns it; and
//! where it cannot be read, what happens goes on.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod broker;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use broker::{City, Running, properties, record, until};
use kafka_log::WorkerConfig;
use kafka_log::produce::Sender;
use stream_worker::{InputRecord, OutRecord, Outbox, Processor};
use wire_format::Topic;

/// Says of each record how many warnings it knew of; one with the value `wait` only when the gate is open.
struct Knows {
    known: BTreeSet<(i32, i64)>,
    open: Arc<AtomicBool>,
}

impl Processor for Knows {
    fn restore(&mut self, _key: &str, _value: Option<&[u8]>) -> anyhow::Result<()> {
        Ok(())
    }

    fn begin(&mut self, _out: &mut Outbox) {}

    fn foresee(&mut self, record: &InputRecord<'_>, _out: &mut Outbox) -> bool {
        assert_eq!(record.topic, Topic::Video);
        if record.value == Some(b"wait") && !self.open.load(Ordering::Relaxed) {
            return false;
        }
        self.known.insert((record.partition, record.offset));
        true
    }

    fn process(&mut self, record: &InputRecord<'_>, out: &mut Outbox) {
        let key = String::from_utf8_lossy(record.key.unwrap()).into_owned();
        let known = self.known.len().to_string().into_bytes();
        out.records
            .push(OutRecord::keyed(Topic::Outcomes, &key, Some(known)));
    }

    fn checkpoint(&mut self, _out: &mut Outbox) {}
}

/// Writes records of this value and waits until the broker has them.
fn write(city: &City, topic: Topic, keys: impl Iterator<Item = String>, value: &[u8]) {
    let sender = Sender::new(&properties()).unwrap();
    let name = city.topic(topic);
    for key in keys {
        sender.send(&record(&name, None, &key, value)).unwrap();
    }
    sender.flush().unwrap();
}

fn named(what: &str, count: usize) -> impl Iterator<Item = String> {
    let what = what.to_owned();
    (0..count).map(move |number| format!("{what}-{number}"))
}

#[test]
fn what_was_appended_before_is_known_to_every_task_of_every_loop() {
    let city = City::new("ahead", 3);
    let open = Arc::new(AtomicBool::new(true));
    let start = || {
        let config = WorkerConfig {
            ahead: vec![Topic::Video],
            ..city.ticking(&[Topic::Sensor], 1_000, false)
        };
        let open = open.clone();
        Running::with(config, move |_, _| {
            Box::new(Knows {
                known: BTreeSet::new(),
                open: open.clone(),
            })
        })
    };
    // They lie on several partitions before the loops begin, and are old when the first record comes.
    write(&city, Topic::Video, named("warning", 12), b"x");
    write(&city, Topic::Sensor, named("first", 30), b"x");
    let loops = [start(), start()];
    until("all of the first are decided", || city.counted().len() >= 30);
    // What comes while they run is known to what comes after it, at once.
    for round in 1..=8_usize {
        write(&city, Topic::Video, named(&format!("later-{round}"), 1), b"x");
        write(&city, Topic::Sensor, named(&format!("round-{round}"), 6), b"x");
        until(format_args!("round {round} is decided"), || {
            city.counted().len() >= 30 + 6 * round
        });
    }
    let counted = city.counted();
    let least = |what: &str| -> Vec<u64> {
        let own = counted.iter().filter(|(key, _)| key.starts_with(what));
        own.flat_map(|(_, known)| known.clone()).collect()
    };
    assert!(least("first-").iter().all(|known| *known >= 12), "{counted:?}");
    for round in 1..=8 {
        let known = least(&format!("round-{round}-"));
        assert_eq!(known, [12 + round; 6], "round {round}");
    }
    for one in loops {
        one.stop();
    }

    // One that cannot be read yet holds nothing up; when it can be, what comes later knows it and all that follow it.
    open.store(false, Ordering::Relaxed);
    write(&city, Topic::Video, named("one", 1), b"wait");
    let again = start();
    write(&city, Topic::Sensor, named("blind", 6), b"x");
    until("the blind are decided", || city.counted().len() >= 30 + 48 + 6);
    open.store(true, Ordering::Relaxed);
    write(&city, Topic::Sensor, named("seeing", 6), b"x");
    until("the seeing are decided", || city.counted().len() >= 30 + 48 + 12);
    let counted: BTreeMap<String, Vec<u64>> = city.counted();
    let known = |key: &str| counted[key][0];
    assert!(
        (0..6).all(|number| known(&format!("blind-{number}")) < 21),
        "{counted:?}"
    );
    assert!(
        (0..6).all(|number| known(&format!("seeing-{number}")) == 21),
        "{counted:?}"
    );
    again.stop();
}
