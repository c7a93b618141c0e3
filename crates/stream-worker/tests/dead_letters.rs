//! Every reason of the closed set, as a record of a log gets it: the value untouched, Connect's headers and ours, one outcome.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use city_model::{DeadLetterReason, EventTime, Outcome, Position, Source, sha256_hex};
use city_rules::Rules;
use event_intake::{Intake, IntakeConfig, SourceConfig};
use serde_json::{Value, json};
use stream_worker::{
    Correlate, Enrich, InputRecord, IntakeObserver, OutRecord, Outbox, Processor, Setup, SetupParts,
};
use wire_format::{Decoder, SchemaStore, Topic};

use DeadLetterReason::*;

const NOW: i64 = 1_788_739_199_123;
/// Stands in every value: it may be in the untouched value and nowhere else.
const PHONE: &str = "13912345678";

fn setup() -> Arc<Setup> {
    let timezone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    let rules = Arc::new(Rules::builtin());
    let known = SourceConfig {
        crs: city_grid::Crs::Wgs84,
        code_system: None,
        fix_zone: false,
    };
    let intake = IntakeConfig {
        sources: BTreeMap::from([("s".to_owned(), known)]),
        default_source: None,
        reporter_key: b"a secret".to_vec(),
        ..IntakeConfig::new(rules.clone(), vec![city_grid::builtin().into()], timezone)
    };
    let parts = SetupParts {
        city: "310117".into(),
        timezone: "Asia/Shanghai".into(),
        rules,
        intake: Intake::new(intake),
        decoder: Decoder::new(SchemaStore::builtin().unwrap()),
        origin: Position::from_degrees(121.23, 31.03).unwrap(),
        reorder_ms: 900_000,
        max_late_ms: 86_400_000,
        sensors_max_late_ms: 3 * 86_400_000,
        hold_idle: false,
    };
    Arc::new(Setup::new(parts, 2))
}

/// A good report with other fields.
fn report(changes: Value) -> Vec<u8> {
    let mut report = json!({"event_id": format!("r-{PHONE}"), "source_system": "s", "channel": "app", "report_id": "r",
        "content": format!("路上积水 {PHONE}"), "observed_at": NOW, "reporter_phone": PHONE,
        "location": {"x": 121.22, "y": 31.03}});
    for (field, value) in changes.as_object().unwrap() {
        report[field] = value.clone();
    }
    report.to_string().into_bytes()
}

/// One value for each reason that intake refuses for.
fn samples() -> Vec<(DeadLetterReason, Vec<u8>)> {
    let whole = report(json!({}));
    let place = |x: f64, y: f64, crs: &str| json!({"location": {"x": x, "y": y, "crs": crs}});
    vec![
        (BadJson, whole[..whole.len() - 1].to_vec()),
        (BadAvro, vec![0, 1, 2]),
        (UnknownSchema, vec![0, 9, 9, 9, 9, 1, 2, 3]),
        (BadUtf8, [&whole[..], b"\xff"].concat()),
        (MissingField, report(json!({"report_id": null}))),
        (BadValue, report(json!({"report_id": {"a": PHONE}}))),
        (UnknownSource, report(json!({"source_system": PHONE}))),
        (NoTime, report(json!({"observed_at": PHONE}))),
        (TimeTooOld, report(json!({"observed_at": 0}))),
        (CoordOutOfBbox, report(place(116.4, 39.9, "WGS84"))),
        (CrsMissing, report(place(121.22, 31.03, PHONE))),
        (CodeUnknown, report(json!({"content": PHONE}))),
        (
            TooLarge,
            report(json!({"content": format!("{PHONE}{}", "x".repeat(1 << 20))})),
        ),
    ]
}

fn record(topic: Topic, value: Option<&[u8]>) -> InputRecord<'_> {
    InputRecord {
        topic,
        partition: 3,
        offset: 77,
        timestamp: EventTime::from_millis(NOW),
        key: Some(b"key"),
        value,
        headers: &[],
    }
}

fn letters(out: &Outbox) -> Vec<&OutRecord> {
    let letters = out.records.iter();
    letters
        .filter(|record| record.topic == Topic::DeadLetters)
        .collect()
}

/// Every header that a reader may look for, and what stands in it.
fn check_headers(letter: &OutRecord, topic: &str, reason: DeadLetterReason) {
    let headers: BTreeMap<&str, &str> = letter
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    assert_eq!(headers.len(), letter.headers.len(), "{reason}: a header twice");
    let exception = format!("cityops.{reason}");
    for (name, expected) in [
        ("cityops.reason", reason.as_str()),
        ("cityops.topic", topic),
        ("cityops.partition", "3"),
        ("cityops.offset", "77"),
        ("cityops.ingested_at", &NOW.to_string()),
        ("__connect.errors.topic", topic),
        ("__connect.errors.partition", "3"),
        ("__connect.errors.offset", "77"),
        ("__connect.errors.task.id", "3"),
        ("__connect.errors.connector.name", "cityops-enrich"),
        ("__connect.errors.class.name", "cityops"),
        ("__connect.errors.exception.class.name", &exception),
        ("__connect.errors.exception.message", headers["cityops.detail"]),
    ] {
        assert_eq!(headers.get(name), Some(&expected), "{reason}: {name}");
    }
    let stage = headers["__connect.errors.stage"];
    assert!(
        ["VALUE_CONVERTER", "TRANSFORMATION"].contains(&stage),
        "{reason}: {stage}"
    );
    assert!(!headers["cityops.detail"].is_empty(), "{reason}");
    assert!(
        !format!("{headers:?}").contains("12345678"),
        "{reason}: {headers:?}"
    );
}

#[derive(Default)]
struct Seen(Mutex<Vec<(DeadLetterReason, u64)>>);

impl IntakeObserver for Seen {
    fn unbalanced(&self, _: Source, records: u64) {
        panic!("{records} records do not balance");
    }

    fn located(&self, _: Source, _: city_model::Quality, _: u64) {}

    fn placed(&self, _: &str, _: event_intake::Placed, _: u64) {}

    fn unmapped(&self, _: Source, _: &str, _: u64) {}

    fn refused(&self, _: Source, reason: DeadLetterReason, records: u64) {
        self.0.lock().unwrap().push((reason, records));
    }
}

#[test]
fn every_reason_of_intake_keeps_the_value_and_says_why() {
    let setup = setup();
    for (reason, value) in samples() {
        let seen = Arc::new(Seen::default());
        let activation = Arc::new(setup.activation(&[]));
        let mut enrich = Enrich::new(setup.clone(), Source::Report, activation).observed_by(seen.clone());
        let mut out = Outbox::default();
        enrich.process(&record(Topic::Report, Some(&value)), &mut out);
        let [letter] = letters(&out)[..] else {
            panic!("{reason}: {} dead letters", letters(&out).len())
        };
        check_headers(letter, "city.reports.v1", reason);
        assert_eq!(letter.key.as_deref(), Some(b"key".as_slice()), "{reason}");
        if reason == TooLarge {
            let header = |name: &str| {
                letter
                    .headers
                    .iter()
                    .find(|(n, _)| *n == name)
                    .map(|(_, value)| value.clone())
            };
            assert_eq!(letter.value.as_deref(), Some(&value[..64 * 1024]));
            assert_eq!(header("cityops.length"), Some(value.len().to_string()));
            assert_eq!(header("cityops.sha256"), Some(sha256_hex(&value)));
        } else {
            assert_eq!(letter.value.as_deref(), Some(value.as_slice()), "{reason}");
        }
        // Exactly one outcome, and no word of the person but in the value.
        assert_eq!(enrich.ledger().consumed(), 1, "{reason}");
        assert_eq!(enrich.ledger().outcome(Outcome::DeadLetter), 1, "{reason}");
        let others = out
            .records
            .iter()
            .filter(|record| record.topic != Topic::DeadLetters);
        for other in others {
            let told = format!(
                "{} {}",
                String::from_utf8_lossy(other.key.as_deref().unwrap_or_default()),
                String::from_utf8_lossy(other.value.as_deref().unwrap_or_default())
            );
            assert!(!told.contains("12345678"), "{reason}: {told}");
            let expected = format!("\"reason\":\"{reason}\"");
            assert!(
                other.topic == Topic::Outcomes && told.contains(&expected),
                "{told}"
            );
        }
        enrich.checkpoint(&mut out);
        assert_eq!(*seen.0.lock().unwrap(), [(reason, 1)], "the metrics see it");
    }
}

#[test]
fn a_record_without_a_value_stays_one() {
    let setup = setup();
    let mut enrich = Enrich::new(setup.clone(), Source::Report, Arc::new(setup.activation(&[])));
    let mut out = Outbox::default();
    enrich.process(&record(Topic::Report, None), &mut out);
    let [letter] = letters(&out)[..] else {
        panic!("no dead letter")
    };
    check_headers(letter, "city.reports.v1", BadJson);
    assert_eq!(letter.value, None);
}

#[test]
fn what_cannot_be_decided_says_so_too() {
    let mut correlate = Correlate::new();
    let mut out = Outbox::default();
    correlate.process(&record(Topic::Enriched, Some(b"{\"inputs\":")), &mut out);
    let [letter] = letters(&out)[..] else {
        panic!("no dead letter")
    };
    check_headers(letter, "city.events.enriched.v1", ProcessingFailed);
    assert_eq!(letter.value.as_deref(), Some(b"{\"inputs\":".as_slice()));
}

#[test]
fn the_samples_are_the_closed_set() {
    let mut tried: BTreeSet<DeadLetterReason> = samples().into_iter().map(|(reason, _)| reason).collect();
    tried.insert(ProcessingFailed);
    assert_eq!(tried, DeadLetterReason::ALL.iter().copied().collect());
}

#[test]
fn a_dead_letter_keeps_the_headers_that_its_record_came_with() {
    let headers: &[(&str, &[u8])] = &[
        ("ce_specversion", b"1.0"),
        ("ce_id", b"ceb1"),
        ("ce_source", b"\xff\xfe"),
        ("cityops.reason", b"of an earlier dead letter"),
        ("__connect.errors.stage", b"x"),
    ];
    let letter = |headers| {
        let record = InputRecord {
            headers,
            ..record(Topic::Sensor, Some(b"{}"))
        };
        stream_worker::dead_letter(
            &record,
            &wire_format::Refusal::new(DeadLetterReason::BadValue, "x"),
        )
    };
    let kept: Vec<(String, Vec<u8>)> = headers[..3]
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.to_vec()))
        .collect();
    assert_eq!(letter(headers).own_headers, kept);
    assert_eq!(letter(&[]).own_headers, []);
    let fed: &[(&str, &[u8])] = &[("cityops.replayed_from", b"3/9"), ("cityops.attempts", b"1")];
    let again = letter(fed).headers;
    assert!(
        again.contains(&("cityops.attempts", "1".to_owned()))
            && again.contains(&("cityops.replayed_from", "3/9".to_owned())),
        "{again:?}"
    );
    let endless = vec![b'x'; 70_000];
    let long: &[(&str, &[u8])] = &[("ce_id", b"1"), ("pad", &endless), ("ce_time", b"2")];
    assert_eq!(
        letter(long).own_headers.len(),
        1,
        "up to the first that does not fit"
    );
}
