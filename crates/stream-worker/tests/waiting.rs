//! What waits for confirmation survives a restart, and is counted once at any time; clocks are told batch by batch.
#![allow(clippy::unwrap_used)]

mod setting;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use city_model::{DeadLetterReason, EventTime, Flag, Input, Outcome, Quality, Source};
use city_rules::Rules;
use event_intake::Placed;
use setting::NOW;
use stream_worker::{Enrich, InputRecord, IntakeObserver, Outbox, Processor};
use wire_format::Topic;

#[derive(Default)]
struct Clocks(Mutex<(Vec<i64>, BTreeMap<Flag, u64>)>);

impl IntakeObserver for Clocks {
    fn unbalanced(&self, _: Source, records: u64) {
        panic!("{records} records do not balance");
    }

    fn located(&self, _: Source, _: Quality, _: u64) {}
    fn placed(&self, _: &str, _: Placed, _: u64) {}
    fn refused(&self, _: Source, _: DeadLetterReason, _: u64) {}

    fn clocks(&self, source: Source, skews_ms: &[i64]) {
        assert_eq!(source, Source::Sensor);
        self.0.lock().unwrap().0.extend(skews_ms);
    }

    fn clock_flagged(&self, _: Source, flag: Flag, records: u64) {
        *self.0.lock().unwrap().1.entry(flag).or_default() += records;
    }
}

fn enrich() -> Enrich {
    let text = "[metrics.ponding_depth]\nconfirm = 2\n";
    let rules = Rules::load(&[("city.toml".into(), text.into())]).unwrap();
    let setup = setting::setup(setting::intake(rules));
    let activation = Arc::new(setup.activation(&[]));
    Enrich::new(setup, Source::Sensor, activation)
}

fn tell(enrich: &mut Enrich, out: &mut Outbox, second: i64, observed_at: i64, value: f64) {
    let value = format!(
        r#"{{"event_id":"e{second}","source_system":"s","device_id":"W","metric":"ponding_depth","value":{value},
        "observed_at":{observed_at},"location":{{"x":121.22,"y":31.03}}}}"#
    );
    let record = InputRecord {
        topic: Topic::Sensor,
        partition: 0,
        offset: second,
        timestamp: EventTime::from_millis(NOW + second * 1_000),
        key: None,
        value: Some(value.as_bytes()),
        headers: &[],
    };
    enrich.process(&record, out);
}

/// Outcomes that were told, and events for the correlator.
fn seen(out: &Outbox) -> (Vec<String>, Vec<String>) {
    let outcomes = out
        .records
        .iter()
        .filter(|record| record.topic == Topic::Outcomes);
    let text = |bytes: &Option<Vec<u8>>| String::from_utf8(bytes.clone().unwrap()).unwrap();
    let outcomes = outcomes.map(|record| format!("{} {}", text(&record.key), text(&record.value)));
    let events = out.inputs.values().flatten().filter_map(|input| match input {
        Input::Event(event) => Some(event.key.event_id.to_string()),
        _ => None,
    });
    (outcomes.collect(), events.collect())
}

#[test]
fn what_waits_survives_a_restart_and_is_counted_once() {
    let mut before = enrich();
    let mut out = Outbox::default();
    tell(&mut before, &mut out, 0, NOW, 18.0);
    before.checkpoint(&mut out);
    let (outcomes, events) = seen(&out);
    assert_eq!(outcomes, [r#"s/e0 {"outcome":"pending"}"#]);
    assert_eq!(events, Vec::<String>::new());
    assert_eq!(
        (
            before.ledger().outcome(Outcome::Pending),
            before.ledger().unaccounted()
        ),
        (1, 0)
    );

    for (value, told, known) in [
        (19.0, vec![], vec!["e0", "e60"]),
        (1.0, vec![r#"s/e0 {"outcome":"below_threshold"}"#], vec![]),
    ] {
        let mut after = enrich();
        for (key, value) in &out.rows {
            after.restore(key, value.as_deref()).unwrap();
        }
        let mut next = Outbox::default();
        tell(&mut after, &mut next, 60, NOW + 60_000, value);
        after.checkpoint(&mut next);
        let (outcomes, events) = seen(&next);
        assert_eq!(
            (outcomes, events),
            (
                told.iter().map(|text| (*text).to_owned()).collect(),
                known.iter().map(|text| (*text).to_owned()).collect()
            )
        );
        assert_eq!(after.ledger().outcome(Outcome::Pending), 0);
        // What the correlator has not counted yet is on its way.
        assert_eq!(after.ledger().unaccounted(), known.len() as i64);
        let row = next.rows.keys().find(|key| key.contains("pending"));
        assert!(
            row.is_some(),
            "the count of pending ones is written: {:?}",
            next.rows.keys()
        );
    }
}

#[test]
fn clocks_are_told_at_the_end_of_a_batch() {
    let clocks = Arc::new(Clocks::default());
    let mut enrich = enrich().observed_by(clocks.clone());
    let mut out = Outbox::default();
    tell(&mut enrich, &mut out, 0, NOW - 2_000, 1.0);
    tell(&mut enrich, &mut out, 1, NOW + 1_000 + 8 * 3_600_000, 1.0);
    tell(&mut enrich, &mut out, 2, 0, 18.0);
    assert!(clocks.0.lock().unwrap().0.is_empty());
    enrich.checkpoint(&mut out);
    enrich.checkpoint(&mut out);
    let (skews, flags) = &*clocks.0.lock().unwrap();
    assert_eq!(*skews, [-2_000, 28_800_000, -NOW - 2_000]);
    let want = [
        (Flag::ClockFuture, 1),
        (Flag::ClockUnset, 1),
        (Flag::ZoneSuspected, 1),
    ];
    assert_eq!(*flags, BTreeMap::from(want));
}

#[test]
fn a_warning_that_is_read_ahead_is_known_to_each_task_and_told_to_the_log_once() {
    let warning = format!(
        r#"{{"warning_id":"w","revision":1,"signal":"RAINSTORM","severity":"ORANGE","region_codes":["3101"],"status":"ISSUED",
        "issued_at":{NOW},"effective_at":{NOW},"expires_at":{}}}"#,
        NOW + 3_600_000
    );
    let ahead = |value: &'static [u8]| InputRecord {
        topic: Topic::Weather,
        partition: 0,
        offset: 0,
        timestamp: EventTime::from_millis(NOW + 500),
        key: None,
        value: Some(value),
        headers: &[],
    };
    let (mut tasks, mut out) = ([enrich(), enrich()], Outbox::default());
    for value in [b"{" as &[u8], Vec::leak(warning.into_bytes())] {
        for task in &mut tasks {
            assert!(task.foresee(&ahead(value), &mut out));
        }
    }
    let told: Vec<&Input> = out.inputs.values().flatten().collect();
    assert!(
        matches!(&told[..], [Input::Warning { warning, counts: false, note: None }] if &*warning.warning_id == "w"),
        "{told:?}"
    );
    assert_eq!(
        (out.records.len(), out.rows.len()),
        (0, 0),
        "what is wrong is its own task's to tell"
    );
    for (number, mut task) in tasks.into_iter().enumerate() {
        // Appended before the warning, and after it.
        tell(&mut task, &mut out, 0, NOW, 18.0);
        assert_eq!(seen(&out).1.len(), 2 * number);
        tell(&mut task, &mut out, 1, NOW + 1_000, 18.0);
        assert_eq!(
            seen(&out).1.len(),
            2 * number + 2,
            "and the one that waited with it"
        );
    }
}
