//! What enrich tells its observer about the layers of the grid: batch by batch, each event once a layer.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use city_grid::Timeline;
use city_model::{DeadLetterReason, EventTime, Position, Quality, Source};
use city_rules::Rules;
use event_intake::{Intake, IntakeConfig, Placed};
use jiff::tz::TimeZone;
use stream_worker::{Enrich, InputRecord, IntakeObserver, Outbox, Processor, Setup, SetupParts};
use wire_format::{Decoder, SchemaStore, Topic};

const NOW: i64 = 1_788_739_199_123;

#[derive(Default)]
struct Counts(Mutex<BTreeMap<(String, &'static str), u64>>);

impl IntakeObserver for Counts {
    fn located(&self, _: Source, _: Quality, _: u64) {}

    fn placed(&self, layer: &str, status: Placed, events: u64) {
        let mut counts = self.0.lock().unwrap();
        *counts.entry((layer.to_owned(), status.as_str())).or_default() += events;
    }

    fn refused(&self, _: Source, _: DeadLetterReason, _: u64) {}

    fn unmapped(&self, _: Source, _: &str, _: u64) {}
}

fn setup() -> Setup {
    let rules = Arc::new(Rules::builtin());
    let layers: Vec<Timeline> = vec![city_grid::builtin().into()];
    Setup::new(
        SetupParts {
            city: "310117".into(),
            timezone: "Asia/Shanghai".into(),
            intake: Intake::new(IntakeConfig::new(rules.clone(), layers, TimeZone::UTC)),
            rules,
            decoder: Decoder::new(SchemaStore::builtin().unwrap()),
            origin: Position::from_degrees(121.22, 31.03).unwrap(),
            reorder_ms: 0,
            max_late_ms: 86_400_000,
            sensors_max_late_ms: 86_400_000,
            hold_idle: false,
        },
        1,
    )
}

#[test]
fn events_are_counted_by_layer_and_status() {
    let setup = Arc::new(setup());
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
