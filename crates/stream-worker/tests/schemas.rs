//! A record whose schema is being fetched waits; what the registry does not have is a dead letter, once it has said so.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use city_grid::Timeline;
use city_model::{EventTime, Input, Position, Source};
use city_rules::Rules;
use event_intake::{Intake, IntakeConfig, SourceConfig};
use jiff::tz::TimeZone;
use stream_worker::{Enrich, InputRecord, Outbox, Processor, Setup, SetupParts};
use wire_format::{
    Decoder, Encoder, SchemaAnswer, SchemaCounts, SchemaSource, SchemaStore, Topic, WriterSchema,
};

const NOW: i64 = 1_788_739_199_123;

/// Says of every id what it is told to say.
#[derive(Debug)]
struct Told(Mutex<SchemaAnswer>);

impl SchemaSource for Told {
    fn ask(&self, id: u32) -> SchemaAnswer {
        self.last(id)
    }

    fn last(&self, _id: u32) -> SchemaAnswer {
        self.0.lock().unwrap().clone()
    }

    fn counts(&self) -> SchemaCounts {
        SchemaCounts::default()
    }
}

fn enrich(source: Arc<Told>) -> Enrich {
    let rules = Arc::new(Rules::builtin());
    let layers: Vec<Timeline> = vec![city_grid::builtin().into()];
    let mut intake = IntakeConfig::new(rules.clone(), layers, TimeZone::UTC);
    intake.default_source = Some(SourceConfig {
        crs: city_grid::Crs::Wgs84,
        code_system: None,
        fix_zone: false,
    });
    let setup = Arc::new(Setup::new(
        SetupParts {
            city: "310117".into(),
            timezone: "Asia/Shanghai".into(),
            intake: Intake::new(intake),
            rules,
            decoder: Decoder::new(SchemaStore::by_fingerprint_only().unwrap()).with_source(source),
            origin: Position::from_degrees(121.22, 31.03).unwrap(),
            reorder_ms: 0,
            max_late_ms: 86_400_000,
            sensors_max_late_ms: 86_400_000,
            hold_idle: false,
        },
        1,
    ));
    let activation = Arc::new(setup.activation(&[]));
    Enrich::new(setup, Source::Report, activation)
}

fn record<'a>(value: &'a [u8], headers: wire_format::Headers<'a>) -> InputRecord<'a> {
    InputRecord {
        topic: Topic::Report,
        partition: 0,
        offset: 0,
        timestamp: EventTime::from_millis(NOW),
        key: None,
        value: Some(value),
        headers,
    }
}

#[test]
fn a_record_waits_for_its_schema_and_no_longer() {
    let source = Arc::new(Told(Mutex::new(SchemaAnswer::Later)));
    let mut enrich = enrich(source.clone());
    let report = serde_json::json!({"event_id": "e", "source_system": "s", "channel": "inspector", "report_id": "r",
        "observed_at": NOW, "content": "路边一堆垃圾", "location": {"x": 121.22, "y": 31.03}});
    let bytes = Encoder::new(Topic::Report, 900).unwrap().framed(&report).unwrap();
    assert!(!enrich.is_ready(&record(&bytes, &[])));
    for other in [
        &b"{}"[..],
        b"",
        b"\0",
        &Encoder::builtin(Topic::Report)
            .unwrap()
            .single_object(&report)
            .unwrap(),
    ] {
        assert!(enrich.is_ready(&record(other, &[])), "only a frame needs asking");
    }

    let schema = WriterSchema::parse(Topic::Report.schema().unwrap()).unwrap();
    *source.0.lock().unwrap() = SchemaAnswer::Known(Arc::new(schema));
    let mut out = Outbox::default();
    assert!(enrich.is_ready(&record(&bytes, &[])));
    enrich.process(&record(&bytes, &[]), &mut out);
    assert!(
        matches!(&out.inputs[&0][..], [Input::Event(_)]),
        "{:?}",
        out.records
    );

    *source.0.lock().unwrap() = SchemaAnswer::Never("the registry has none".to_owned());
    let mut out = Outbox::default();
    assert!(enrich.is_ready(&record(&bytes, &[])));
    enrich.process(&record(&bytes, &[]), &mut out);
    let letter = &out.records[0];
    assert_eq!(letter.topic, Topic::DeadLetters);
    assert!(
        letter
            .headers
            .contains(&("cityops.reason", "unknown_schema".to_owned())),
        "{:?}",
        letter.headers
    );
}

#[test]
fn headers_reach_the_decoder() {
    let mut enrich = enrich(Arc::new(Told(Mutex::new(SchemaAnswer::Later))));
    let bare = serde_json::json!({"channel": "inspector", "report_id": "r", "content": "路边一堆垃圾",
        "location": {"x": 121.22, "y": 31.03}});
    let headers: wire_format::Headers<'_> = &[
        ("ce_specversion", b"1.0"),
        ("ce_id", b"e-1"),
        ("ce_source", b"app"),
        ("ce_time", b"2026-09-07T00:00:00Z"),
    ];
    let mut out = Outbox::default();
    enrich.process(&record(bare.to_string().as_bytes(), headers), &mut out);
    let [Input::Event(event)] = &out.inputs[&0][..] else {
        panic!("{out:?}")
    };
    assert_eq!(event.key.to_string(), "app/e-1");
}
