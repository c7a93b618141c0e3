//! What must hold for any record: no panic, exactly one verdict, no personal data in it.
#![allow(clippy::unwrap_used)]

mod desk;

use city_model::Source;
use desk::{Desk, NOW, hotline, report, sensor, video, with};
use event_intake::{Decision, Verdict};
use proptest::prelude::*;
use serde_json::{Value, json};

const PHONE: &str = "13912345678";
const PERSONAL: [&str; 6] = [
    PHONE,
    "12345678",
    "王小明",
    "310117198001011234",
    "沪AD12345",
    "302",
];

/// A record of each reporting source with personal data wherever text is free.
fn personal(source: Source) -> Value {
    let text = format!("积水，联系王小明先生{PHONE}，身份证310117198001011234，车沪AD12345，住302室");
    let free = json!({"title": text, "content": text, "address": format!("谷阳北路1500弄23号302室王小明女士{PHONE}"),
        "reporter_phone": PHONE, "reporter_name": "王小明", "location": {"x": 121.22, "y": 31.03, "quality": "DOOR"}});
    match source {
        Source::Sensor => with(&sensor(), json!({"value": 20.0})),
        Source::Hotline => with(&hotline(), free),
        Source::Video => with(&video(), json!({"snapshot_url": text})),
        Source::Report => with(&report(), free),
        Source::Weather => {
            json!({"warning_id": "w", "revision": 1, "signal": "RAINSTORM", "severity": "RED", "region_codes": [],
            "status": "ISSUED", "issued_at": NOW, "effective_at": NOW})
        }
        Source::Silence => {
            json!({"silence_id": "s", "kinds": [], "area": ["1"], "starts_at": NOW, "ends_at": NOW + 1,
            "reason": text, "created_by": text, "created_at": NOW})
        }
        Source::Command => {
            json!({"command_id": "c", "incident_id": "i", "action": "close", "reason": text, "operator": PHONE,
            "issued_at": NOW})
        }
    }
}

/// All of a verdict that goes anywhere but to the untouched dead letter.
fn published(verdict: &Verdict) -> String {
    let result = match &verdict.result {
        Decision::Event(event) | Decision::Late(event) => serde_json::to_string(event).unwrap(),
        Decision::Settled { outcome, key } => format!("{outcome} {key}"),
        Decision::Warning(warning) => serde_json::to_string(warning).unwrap(),
        Decision::Silence(silence) => serde_json::to_string(silence).unwrap(),
        Decision::Command(command) => serde_json::to_string(command).unwrap(),
        Decision::Refused(refusal) => refusal.to_string(),
    };
    let rows: Vec<_> = verdict.rows.iter().map(|row| (row.key(), row.value())).collect();
    format!("{result} {rows:?} {:?}", verdict.faults)
}

#[test]
fn no_personal_data_leaves_intake() {
    for source in Source::ALL.iter().copied() {
        let verdict = Desk::new().judge(source, &personal(source));
        assert!(
            !matches!(verdict.result, Decision::Refused(_)),
            "{source}: {:?}",
            verdict.result
        );
        let text = published(&verdict);
        for secret in PERSONAL {
            assert!(!text.contains(secret), "{source} {secret}: {text}");
        }
    }
    let Decision::Event(event) = Desk::new()
        .judge(Source::Hotline, &personal(Source::Hotline))
        .result
    else {
        panic!("no event")
    };
    assert_eq!(event.address_key.as_deref(), Some("谷阳北路1500弄23号"));
    assert!(event.reporter.is_some());
}

/// Values that records meet in the field, and worse.
fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "[0-9:/ TZ+.-]{0,20}".prop_map(Value::from),
        prop::sample::select(vec![
            "END",
            "咨询",
            "13912345678",
            "积水",
            "路灯不亮",
            "T1",
            "0401",
            "CJ/T 214-2007",
            "smoke",
            "gauge",
            "m",
            "P1",
            "merge",
        ])
        .prop_map(Value::from),
        Just(json!({"x": 121.22, "y": 31.03})),
        Just(json!({"x": 1e308, "y": -1e308, "crs": "SH2000", "accuracy_m": -1})),
        Just(json!({"type": "Polygon", "coordinates": [[[121, 31], [122, 31], [122, 32]]]})),
        Just(json!([])),
        Just(json!(["暴露垃圾", "x"])),
        Just(json!([["13912345678"]])),
    ]
}

fn sources() -> impl Strategy<Value = Source> {
    prop::sample::select(Source::ALL)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn any_field_may_hold_anything(
        source in sources(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), odd_value()), 1..5),
        ingested_at in prop_oneof![Just(NOW), any::<i64>()],
    ) {
        let mut record = personal(source);
        let names: Vec<String> = record.as_object().unwrap().keys().cloned().collect();
        for (at, value) in changes {
            record[&names[at.index(names.len())]] = value;
        }
        let mut desk = Desk::new();
        desk.now = ingested_at;
        for _ in 0..2 {
            if let Decision::Refused(refusal) = desk.judge(source, &record).result {
                prop_assert!(!refusal.detail.contains("12345678"), "{}", refusal);
            }
        }
    }

    #[test]
    fn any_bytes_may_come(
        source in sources(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let mut bytes = personal(source).to_string().into_bytes();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        Desk::new().judge_bytes(source, &bytes);
    }
}
