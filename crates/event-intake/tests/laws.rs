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

/// Identifiers that name a person, and how they stand in a record's fields.
const NAMING: [&str; 7] = [
    PHONE,
    "W-139-1234-5678",
    "2026092013912345678",
    "310117198001011234",
    "沪AD12345",
    "3号楼302室烟感",
    "wang@example.com",
];

#[test]
fn an_identifier_that_names_a_person_becomes_a_hash_of_itself() {
    let is_id =
        |field: &str| field.ends_with("_id") || ["source_system", "operator", "town_code"].contains(&field);
    for naming in NAMING {
        for source in Source::ALL.iter().copied() {
            let extra = match source {
                Source::Sensor | Source::Video | Source::Report => json!({"component_id": naming}),
                Source::Hotline => {
                    json!({"parent_ticket_id": naming, "town_code": naming, "ticket_id": "T2"})
                }
                Source::Weather => json!({"region_codes": [naming], "signal": naming}),
                Source::Silence => json!({"area": [naming]}),
                Source::Command => {
                    json!({"other_incident_id": naming, "event_ids": [naming, format!("s/{naming}")]})
                }
            };
            let mut record = with(&personal(source), extra);
            for (field, value) in record.as_object_mut().unwrap() {
                if is_id(field) {
                    *value = json!(naming);
                }
            }
            // A source that is configured under such a name is still that source.
            let mut config = desk::config();
            let configured = config.sources["s"].clone();
            config.sources.insert(naming.to_owned(), configured);
            let mut desk = Desk::new();
            desk.intake = event_intake::Intake::new(config);
            let verdict = desk.judge(source, &record);
            assert!(
                !matches!(verdict.result, Decision::Refused(_)),
                "{source} {naming}: {:?}",
                verdict.result
            );
            let text = published(&verdict);
            assert!(
                !text.contains(naming) && !text.contains("12345678"),
                "{source} {naming}: {text}"
            );
            // Nothing of it is left when it is refused, either.
            record["event_id"] = json!(naming);
            for broken in [
                "observed_at",
                "called_at",
                "captured_at",
                "issued_at",
                "starts_at",
            ] {
                if record.get(broken).is_some() {
                    record[broken] = json!("never");
                }
            }
            let verdict = desk.judge(source, &record);
            let Decision::Refused(refusal) = verdict.result else {
                // A reading's clock is never a reason.
                continue;
            };
            let identity = refusal
                .identity
                .map(|key| desk.intake.public_identity(source, key));
            assert!(
                !format!("{identity:?}{}", refusal.detail).contains(naming),
                "{source} {naming}"
            );
        }
    }
}

#[test]
fn identifiers_of_tickets_name_nobody_in_any_spelling() {
    for naming in [
        "ID-(138)12345678",
        "ID-138/12345678",
        "ID-02157812345",
        "ID-QQ 123456789",
        "ID-wx:zhangsan88",
        "ID-VX zhangsan88",
        "ID-wxid_8fj3kd92",
        "ID-张三（先生）",
        "ID-302（室）",
        "ID-302户",
        "ID-302A室",
        "ID-乌日娜女士",
        "ID-138 123 45678",
        "ID-Mr. John Smith",
        "ID-A123456(7)",
        "ID-加微zhangsan88",
        "57812345",
        "ID-57812345",
        "5781-2345",
        "G12345678",
        "6222021234567890123",
        "沪A一二三四五",
        "zhangsan AT qq.com",
        "张建国-3",
    ] {
        let ticket = with(
            &hotline(),
            json!({"event_id": naming, "ticket_id": naming, "parent_ticket_id": format!("{naming} "), "town_code": "310117103"}),
        );
        let mut desk = Desk::new();
        let verdict = desk.judge(Source::Hotline, &ticket);
        let text = published(&verdict);
        assert!(matches!(verdict.result, Decision::Event(_)), "{naming}: {text}");
        assert!(!text.contains(naming), "{naming}: {text}");
        let key = city_model::EventKey::new("s", naming);
        let shown = desk.intake.public_identity(Source::Hotline, key);
        assert!(text.contains(&*shown.event_id), "{naming}: {shown}");
    }
}

#[test]
fn a_reporter_who_is_named_is_in_no_other_field() {
    let check = |name: &str, phone: &str, id: &str, address: &str| {
        let own = json!({"reporter_name": name, "reporter_phone": phone, "event_id": id, "ticket_id": id, "address": address});
        for source in [Source::Hotline, Source::Report] {
            let record = match source {
                Source::Hotline => with(&hotline(), own.clone()),
                _ => with(&report(), own.clone()),
            };
            let text = published(&Desk::new().judge(source, &record));
            assert!(text.contains("谷阳北路1500弄"), "{text}");
            assert!(!text.contains(id), "{id}: {text}");
            assert!(
                !text.contains(name) && !text.contains("57812345"),
                "{name}: {text}"
            );
        }
    };
    check("李雷", "57812345", "57812345", "谷阳北路1500弄57812345");
    check("李雷", "021-57812345", "2026-57812345-1", "谷阳北路1500弄李雷家");
    check("尼格买提", "57812345", "T尼格买提", "谷阳北路1500弄尼格买提");
    check("乌日娜", "57812345", "乌日娜的工单", "谷阳北路1500弄乌日娜女士");
    check(
        "John Smith",
        "57812345",
        "smith-JOHN-SMITH",
        "谷阳北路1500弄 john smith",
    );
}

#[test]
fn an_operator_who_goes_by_a_name_is_covered() {
    let operator = |operator: &str| {
        let record = json!({"command_id": "c", "incident_id": "i", "action": "close", "operator": operator, "issued_at": NOW});
        match Desk::new().judge(Source::Command, &record).result {
            Decision::Command(command) => command.operator.to_string(),
            other => panic!("{other:?}"),
        }
    };
    for name in [
        "Zhang San",
        "ZHANG SAN 女士",
        "尼格买提",
        "买买提·艾力",
        "Mr. John Smith",
        "张三",
        "ID-张三（先生）",
        "Zhang_San",
        "ZhangSan",
        "王小明-A3",
        "G12345678",
    ] {
        assert!(operator(name).starts_with("h-"), "{name}");
    }
    for post in [
        "duty",
        "op1",
        "值班长",
        "指挥中心",
        "night shift",
        "调度3席",
        "NightShift",
        "duty-desk-2",
        "指挥中心A3",
    ] {
        assert_eq!(operator(post), post);
    }
}

#[test]
fn a_covered_identifier_stays_an_identity() {
    // The device is registered under a phone number, as modems are: its place is found, and a repetition is one.
    let mut config = desk::config();
    let registry = std::sync::Arc::get_mut(&mut config.registry).unwrap();
    let listed = registry
        .devices
        .iter()
        .find(|device| device.component_id.as_deref() == Some("c-1"));
    let modem = city_registry::Device {
        device_id: PHONE.into(),
        ..listed.unwrap().clone()
    };
    registry.devices.add(modem);
    let mut desk = Desk::new();
    desk.intake = event_intake::Intake::new(config);
    let reading = with(
        &sensor(),
        json!({"device_id": PHONE, "event_id": format!("r-{PHONE}"), "value": 20.0}),
    );
    let Decision::Event(event) = desk.judge(Source::Sensor, &reading).result else {
        panic!("no event")
    };
    assert!(
        event.located.is_some() && event.component.as_deref() == Some("c-1"),
        "{event:?}"
    );
    assert!(desk.tell(Source::Sensor, &reading).starts_with("duplicate_id"));
    let other = with(&reading, json!({"event_id": "r-13900000000"}));
    assert!(desk.tell(Source::Sensor, &other).starts_with("report"));
    // A command's word about an event names it as the event does.
    let command = json!({"command_id": "c", "incident_id": "310117-vendor-1391234567812345", "action": "split", "operator": "duty",
        "event_ids": [format!("s/r-{PHONE}")], "issued_at": NOW});
    let Decision::Command(command) = desk.judge(Source::Command, &command).result else {
        panic!("no command")
    };
    assert_eq!(*command.event_ids[0], *event.key.to_string());
    assert_eq!(
        command.incident_id.as_str(),
        "310117-vendor-1391234567812345",
        "ours are hashes"
    );
}

#[test]
fn plain_identifiers_stay_as_they_are() {
    for plain in [
        "W-17",
        "31011700001320000001",
        "3101170101013812",
        "1788739199123",
        "20260915080000123456",
        "SH202609201234567",
        "550e8400-e29b-41d4-a716-446655440000",
        "松江12路公交站台",
        "张江高科站-水位1",
        "泵站-3号泵",
        "人民北路/12",
        "2026-09-15-0001234",
        "130-20260920",
        "150-00000017",
        "57812345",
        "WXDEVICE01",
        "wx-device-17",
        "00012345678",
    ] {
        let mut desk = Desk::new();
        let reading = with(
            &sensor(),
            json!({"event_id": plain, "device_id": plain, "component_id": plain, "value": 20.0}),
        );
        let Decision::Event(event) = desk.judge(Source::Sensor, &reading).result else {
            panic!("no event")
        };
        let names = [
            Some(&event.key.event_id),
            event.device.as_ref(),
            event.component.as_ref(),
        ];
        assert!(
            names.iter().all(|name| name.is_some_and(|name| **name == *plain)),
            "{plain}: {names:?}"
        );
    }
    // A device's name may be built as a passport's number; what it tells need not be called so.
    let reading = with(
        &sensor(),
        json!({"event_id": "G12345678", "device_id": "G12345678", "value": 20.0}),
    );
    let Decision::Event(event) = Desk::new().judge(Source::Sensor, &reading).result else {
        panic!("no event")
    };
    assert_eq!(event.device.as_deref(), Some("G12345678"));
    assert!(event.key.event_id.starts_with("h-"), "{:?}", event.key);
}

#[test]
fn while_two_keys_are_configured_a_reporter_has_both_names() {
    let judged = |key: &[u8], before: Option<&[u8]>| {
        let mut desk = Desk::new();
        desk.intake = event_intake::Intake::new(event_intake::IntakeConfig {
            reporter_key: key.to_vec(),
            previous_reporter_key: before.map(<[u8]>::to_vec),
            ..desk::config()
        });
        match desk.judge(Source::Hotline, &personal(Source::Hotline)).result {
            Decision::Event(event) => (event.reporter, event.reporter_before),
            other => panic!("{other:?}"),
        }
    };
    let (old, both, new) = (
        judged(b"old", None),
        judged(b"new", Some(b"old")),
        judged(b"new", None),
    );
    assert_eq!((old.1, new.1), (None, None));
    assert_eq!(both, (new.0, old.0));
    assert_ne!(new.0, old.0);
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
