//! What enrich tells its observer about who sends: listed systems by name, all others together, and what nobody can read.
#![allow(clippy::unwrap_used)]

mod setting;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use city_model::{DeadLetterReason, EventTime, Quality, Source};
use city_rules::Rules;
use event_intake::{Fault, Placed};
use setting::NOW;
use stream_worker::{
    Enrich, InputRecord, IntakeObserver, OTHER_SYSTEM, Outbox, Processor, Setup, UNREADABLE_SYSTEM,
};
use wire_format::Topic;

#[derive(Default)]
struct Told {
    sent: Mutex<BTreeMap<String, (u64, u64)>>,
    faults: Mutex<BTreeMap<Fault, u64>>,
}

impl IntakeObserver for Told {
    fn located(&self, _: Source, _: Quality, _: u64) {}

    fn placed(&self, _: &str, _: Placed, _: u64) {}

    fn refused(&self, _: Source, _: DeadLetterReason, _: u64) {}

    fn sent(&self, _: Source, system: &str, records: u64, refused: u64) {
        let mut sent = self.sent.lock().unwrap();
        let found = sent.entry(system.to_owned()).or_default();
        found.0 += records;
        found.1 += refused;
    }

    fn unbalanced(&self, _: Source, records: u64) {
        panic!("{records} records do not balance");
    }

    fn device_faults(&self, fault: Fault, devices: u64) {
        *self.faults.lock().unwrap().entry(fault).or_default() += devices;
    }
}

fn setup() -> Arc<Setup> {
    let mut config = setting::intake(Rules::builtin());
    let listed = config.default_source.clone().unwrap();
    config.sources.insert("iot".to_owned(), listed.clone());
    config.sources.insert("quiet".to_owned(), listed);
    setting::setup(config)
}

#[test]
fn systems_that_nobody_listed_are_told_together() {
    let setup = setup();
    let activation = Arc::new(setup.activation(&[]));
    let told = Arc::new(Told::default());
    let mut enrich = Enrich::new(setup, Source::Sensor, activation).observed_by(told.clone());
    let mut out = Outbox::default();
    let mut tell = |value: &str| {
        let record = InputRecord {
            topic: Topic::Sensor,
            partition: 0,
            offset: 0,
            timestamp: EventTime::from_millis(NOW),
            key: None,
            value: Some(value.as_bytes()),
            headers: &[],
        };
        enrich.process(&record, &mut out);
    };
    let reading = |system: &str, id: &str, value: &str, x: f64| {
        format!(
            r#"{{"event_id":"{id}","source_system":"{system}","device_id":"d-{id}","metric":"ponding_depth","value":{value},
            "observed_at":{NOW},"location":{{"x":{x},"y":31.03}}}}"#
        )
    };
    tell(&reading("iot", "1", "2", 121.22));
    tell(&reading("iot", "2", "-999", 121.22));
    tell(&reading("iot", "3", "2", 1.0)); // outside the city: refused
    tell(&reading("nobody-1", "4", "2", 121.22));
    tell(&reading("nobody-2", "5", "2", 121.22));
    tell("no JSON");
    assert!(
        told.sent.lock().unwrap().is_empty(),
        "told at the end of the batch"
    );
    enrich.checkpoint(&mut out);
    enrich.checkpoint(&mut out);
    let want = [
        ("iot", (3, 1)),
        (OTHER_SYSTEM, (2, 0)),
        (UNREADABLE_SYSTEM, (1, 1)),
    ];
    let want: BTreeMap<String, (u64, u64)> = want.map(|(name, sent)| (name.to_owned(), sent)).into();
    assert_eq!(*told.sent.lock().unwrap(), want);
    assert_eq!(
        *told.faults.lock().unwrap(),
        BTreeMap::from([(Fault::Sentinel, 1)])
    );
}
