//! What enrich tells its observer about the layers of the grid: batch by batch, each event once a layer; and what it gathers
//! only without one.
#![allow(clippy::unwrap_used)]

mod setting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use city_model::{DeadLetterReason, EventTime, Quality, Source};
use city_rules::Rules;
use event_intake::Placed;
use setting::{NOW, intake, setup};
use stream_worker::{Enrich, InputRecord, IntakeObserver, Outbox, Processor};
use wire_format::Topic;

#[derive(Default)]
struct Counts(Mutex<BTreeMap<(String, &'static str), u64>>);

impl IntakeObserver for Counts {
    fn unbalanced(&self, _: Source, records: u64) {
        panic!("{records} records do not balance");
    }

    fn located(&self, _: Source, _: Quality, _: u64) {}

    fn placed(&self, layer: &str, status: Placed, events: u64) {
        let mut counts = self.0.lock().unwrap();
        *counts.entry((layer.to_owned(), status.as_str())).or_default() += events;
    }

    fn refused(&self, _: Source, _: DeadLetterReason, _: u64) {}

    fn unmapped(&self, _: Source, _: &str, _: u64) {}
}

#[test]
fn events_are_counted_by_layer_and_status() {
    let setup = setup(intake(Rules::builtin()));
    let activation = Arc::new(setup.activation(&[]));
    let counts = Arc::new(Counts::default());
    let mut enrich = Enrich::new(setup, Source::Report, activation).observed_by(counts.clone());
    let mut out = Outbox::default();
    let mut tell = |at: u64, location: &str| {
        let value = format!(
            r#"{{"event_id":"e{at}","source_system":"s","channel":"inspector","report_id":"r{at}","observed_at":{NOW},
            "content":"路边一堆垃圾"{location}}}"#
        );
        let record = InputRecord {
            topic: Topic::Report,
            partition: 0,
            offset: at as i64,
            timestamp: EventTime::from_millis(NOW),
            key: None,
            value: Some(value.as_bytes()),
            headers: &[],
        };
        enrich.process(&record, &mut out);
    };
    tell(0, r#","location":{"x":121.22,"y":31.03}"#);
    tell(1, r#","location":{"x":121.23,"y":31.03}"#);
    tell(2, r#","location":{"x":121.5,"y":31.03}"#);
    tell(3, "");
    tell(4, r#","location":{"x":1,"y":1}"#); // refused: no event, no place
    assert!(
        counts.0.lock().unwrap().is_empty(),
        "told at the end of the batch"
    );
    enrich.checkpoint(&mut out);
    enrich.checkpoint(&mut out);
    let told = counts.0.lock().unwrap().clone();
    let want = [("inside", 2), ("outside", 1), ("unlocated", 1)];
    let want = want.map(|(status, events)| (("duty".to_owned(), status), events));
    assert_eq!(told, BTreeMap::from(want));
}

#[test]
fn words_are_sampled_only_where_nobody_observes() {
    let setup = setup(intake(Rules::builtin()));
    let activation = Arc::new(setup.activation(&[]));
    let alone = Enrich::new(setup, Source::Hotline, activation.clone());
    let observed = Enrich::new(self::setup(intake(Rules::builtin())), Source::Hotline, activation)
        .observed_by(Arc::new(Counts::default()));
    for (mut enrich, samples) in [
        (alone, vec!["有马蜂窝", "树上有马", "上有马蜂"]),
        (observed, vec![]),
    ] {
        for at in 0..12 {
            let value = format!(
                r#"{{"event_id":"e{at}","source_system":"s","ticket_id":"t{at}","called_at":{NOW},"title":"树上有马蜂窝",
                "address":"中山中路1号","location":{{"x":121.22,"y":31.03}}}}"#
            );
            let record = InputRecord {
                topic: Topic::Hotline,
                partition: 0,
                offset: at,
                timestamp: EventTime::from_millis(NOW),
                key: None,
                value: Some(value.as_bytes()),
                headers: &[],
            };
            enrich.process(&record, &mut Outbox::default());
        }
        let unmapped = enrich.unmapped();
        assert_eq!(unmapped.total(), 12, "counted either way");
        let told: BTreeSet<&str> = unmapped.samples().collect();
        assert_eq!(told, samples.into_iter().collect());
    }
}
