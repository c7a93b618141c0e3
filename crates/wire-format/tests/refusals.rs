//! What is wrong is said exactly, and never by quoting the record.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests read their golden files"
)]

mod samples;

use std::sync::LazyLock;

use city_model::{DeadLetterReason, EventKey, Source};
use proptest::prelude::*;
use wire_format::{Decoder, Encoder, Pin, Record, SchemaStore, Topic};

fn decoder() -> Decoder {
    static DECODER: LazyLock<Decoder> = LazyLock::new(|| Decoder::new(SchemaStore::builtin().unwrap()));
    DECODER.clone()
}

fn told(source: Source, bytes: &[u8]) -> String {
    match decoder().decode(source, bytes) {
        Ok(_) => "accepted".to_owned(),
        Err(refusal) => {
            let identity = refusal
                .identity
                .as_ref()
                .map_or("-".to_owned(), EventKey::to_string);
            format!("{refusal} [{identity}]")
        }
    }
}

#[test]
fn json_is_refused_with_the_exact_reason() {
    let check =
        |json: &str, expected: &str| assert_eq!(told(Source::Sensor, json.as_bytes()), expected, "{json}");
    let id = r#""event_id":"e","source_system":"s""#;
    let rest = r#""device_id":"d","metric":"m","observed_at":1"#;
    check("", "bad_json: not an object [-]");
    check("[1]", "bad_json: not an object [-]");
    check(
        "{",
        "bad_json: EOF while parsing an object at line 1 column 1 [-]",
    );
    check(
        &format!("{{{id},{rest},\"value\":NaN}}"),
        "bad_json: expected value at line 1 column 90 [s/e]",
    );
    check(
        &format!("{{{id},{rest},\"value\":1}} x"),
        "bad_json: trailing characters at line 1 column 93 [s/e]",
    );
    check(&format!("{{{id},{rest}}}"), "missing_field: value [s/e]");
    check(
        &format!("{{{id},{rest},\"value\":null}}"),
        "missing_field: value [s/e]",
    );
    check(
        &format!("{{{id},{rest},\"value\":\"13812345678\"}}"),
        "bad_value: value: string where a number or a boolean was expected [s/e]",
    );
    check(
        &format!("{{{id},{rest},\"value\":1e999}}"),
        "bad_value: a number out of range at line 1 column 94 [s/e]",
    );
    check(
        &format!("{{{id},{rest},\"value\":1,\"location\":{{\"x\":1}}}}"),
        "missing_field: location.y [s/e]",
    );
    check(
        &format!("{{{id},{rest},\"value\":1,\"value\":2}}"),
        "bad_value: value: given twice [s/e]",
    );
    check(
        &format!("{{{id},{rest},\"value\":true,\"unknown\":{{\"a\":[]}}}}"),
        "accepted",
    );
    check(&format!("\u{feff} {{{id},{rest},\"value\":1}}"), "accepted");
    check(
        &format!("{{\"event_id\":\" \",\"source_system\":\"s\",{rest},\"value\":1}}"),
        "missing_field: event_id [-]",
    );
    check(
        &format!("{{\"event_id\":null,\"source_system\":\"s\",{rest},\"value\":1}}"),
        "missing_field: event_id [-]",
    );
    check(
        &format!(
            "{{\"event_id\":\"{}\",\"source_system\":\"s\",{rest},\"value\":1}}",
            "e".repeat(257)
        ),
        "bad_value: event_id: longer than 256 bytes [-]",
    );
    check(
        &format!("{{{id},\"device_id\":\"d\\n\",\"metric\":\"m\",\"observed_at\":1,\"value\":1}}"),
        "bad_value: device_id: a control character in an identifier [s/e]",
    );
    check(
        &format!("{{{id},\"device_id\":\"d\",\"metric\":\"m\",\"observed_at\":true,\"value\":1}}"),
        "bad_value: observed_at: boolean where a time in milliseconds or as text was expected [s/e]",
    );
    let nested = "[".repeat(100_000);
    let told_deep = told(Source::Sensor, format!("{{{id},\"x\":{nested}").as_bytes());
    assert!(
        told_deep.starts_with("bad_json: EOF while parsing a list"),
        "{told_deep}"
    );
    let told_deep = told(Source::Silence, format!("{{\"area\":{{\"x\":{nested}").as_bytes());
    assert!(
        told_deep.starts_with("bad_json: recursion limit exceeded"),
        "{told_deep}"
    );
    assert_eq!(
        told(Source::Sensor, b"{\"event_id\":\"\xff\"}"),
        "bad_utf8: at byte 13 [-]"
    );
}

#[test]
fn a_ticket_is_never_refused_for_its_location() {
    for location in [
        "5",
        "\"x\"",
        "[]",
        "{}",
        "{\"x\":\"a\",\"y\":1}",
        "{\"x\":1e999,\"y\":-1e999}",
        "{\"quality\":7}",
        "null",
    ] {
        let json = format!(
            "{{\"event_id\":\"e\",\"source_system\":\"s\",\"ticket_id\":\"t\",\"called_at\":1,\"location\":{location}}}"
        );
        let record = decoder().decode(Source::Hotline, json.as_bytes());
        assert!(matches!(record, Ok(Record::Hotline(_))), "{location}: {record:?}");
    }
    let elsewhere = r#"{"event_id":"e","source_system":"s","ticket_id":"t","called_at":1e999,"location":{"x":1e999,"y":1}}"#;
    assert_eq!(
        told(Source::Hotline, elsewhere.as_bytes()),
        "bad_value: a number out of range at line 1 column 69 [s/e]"
    );
}

#[test]
fn avro_is_refused_with_the_exact_reason() {
    let sample = decoder()
        .decode(Source::Sensor, samples::full(Source::Sensor).as_bytes())
        .unwrap();
    let Record::Sensor(reading) = sample else {
        panic!("not a reading")
    };
    let bytes = Encoder::new(Topic::Sensor, 1).unwrap().framed(&*reading).unwrap();
    assert_eq!(told(Source::Sensor, &bytes), "accepted");
    assert_eq!(
        told(Source::Sensor, &bytes[..3]),
        "bad_avro: cut off before the datum [-]"
    );
    assert_eq!(
        told(Source::Sensor, &bytes[..20]),
        "bad_avro: cut off at byte 13 of the datum [iot/r-1]"
    );
    let more = [&bytes[..], b"x"].concat();
    assert_eq!(
        told(Source::Sensor, &more),
        "bad_avro: 1 bytes left over [iot/r-1]"
    );
    let unknown = [&[0, 0, 0, 9, 9][..], &bytes[5..]].concat();
    assert_eq!(
        told(Source::Sensor, &unknown),
        "unknown_schema: schema id 2313 [-]"
    );
    let single = [&[0xC3, 1, 1, 0, 0, 0, 0, 0, 0, 0][..], &bytes[5..]].concat();
    assert_eq!(
        told(Source::Sensor, &single),
        "unknown_schema: schema fingerprint 0000000000000001 [-]"
    );
    assert_eq!(
        told(Source::Hotline, &bytes),
        "missing_field: ticket_id [iot/r-1]"
    );
    let mut text = bytes.clone();
    text[6] = 0xFF;
    assert_eq!(
        told(Source::Sensor, &text),
        "bad_utf8: text before byte 4 of the datum [-]"
    );
    let pinned = |pin| {
        decoder()
            .with_pin(Source::Sensor, pin)
            .decode(Source::Sensor, &bytes)
            .is_ok()
    };
    assert!(pinned(Pin::Avro) && !pinned(Pin::Json));
    let small = decoder()
        .with_limit(10)
        .decode(Source::Sensor, &bytes)
        .unwrap_err();
    assert_eq!(small.reason, DeadLetterReason::TooLarge);
}

#[test]
fn writers_may_be_older_or_newer_than_we_are() {
    let writer = r#"{"type":"record","name":"SensorReading","namespace":"cityops.v1","fields":[
        {"name":"battery","type":["null",{"type":"map","values":"long"}],"default":null},
        {"name":"event_id","type":"string"},{"name":"source_system","type":"string"},
        {"name":"device_id","type":"string"},{"name":"metric","type":{"type":"enum","name":"M","symbols":["a","smoke"]}},
        {"name":"value","type":"int"},
        {"name":"observed_at","type":{"type":"long","logicalType":"timestamp-micros"}}]}"#;
    let mut store = SchemaStore::builtin().unwrap();
    store.add(77, writer).unwrap();
    let datum = b"\x02\x02\x02k\x0a\x00\x02e\x02s\x02d\x02\x06\xd0\x0f"; // 1000 µs
    let bytes = [&[0, 0, 0, 0, 77][..], datum].concat();
    let Ok(Record::Sensor(reading)) = Decoder::new(store).decode(Source::Sensor, &bytes) else {
        panic!("refused")
    };
    assert_eq!((reading.metric.as_str(), reading.value.number), ("smoke", 3.0));
    assert_eq!(reading.observed_at, wire_format::WireTime::Millis(1));
}

#[test]
fn a_schema_of_nothing_cannot_keep_us_busy() {
    let mut store = SchemaStore::default();
    store
        .add(
            1,
            r#"{"type":"record","name":"R","fields":[{"name":"n","type":{"type":"array","items":"null"}}]}"#,
        )
        .unwrap();
    store
        .add(
            2,
            r#"{"type":"record","name":"R","fields":[{"name":"r","type":["null","R"]}]}"#,
        )
        .unwrap();
    let decoder = Decoder::new(store);
    // 2^62 nulls.
    let nulls = b"\0\0\0\0\x01\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01\0";
    let refusal = decoder.decode(Source::Sensor, nulls).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "bad_avro: more items than bytes at byte 10 of the datum"
    );
    let nested = [&[0, 0, 0, 0, 2][..], &[2; 100_000]].concat();
    let refusal = decoder.decode(Source::Sensor, &nested).unwrap_err();
    assert!(
        refusal.to_string().starts_with("bad_avro: nested too deeply"),
        "{refusal}"
    );
}

fn sources() -> impl Strategy<Value = Source> {
    proptest::sample::select(Source::ALL)
}

fn golden(source: Source, extension: &str) -> Vec<u8> {
    std::fs::read(format!(
        "{}/tests/golden/{source}.{extension}",
        env!("CARGO_MANIFEST_DIR")
    ))
    .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_bytes_never_panic(source in sources(), id in 0u8..15, bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = decoder().decode(source, &bytes);
        let _ = decoder().decode(source, &[&[0, 0, 0, 0, id][..], &bytes].concat());
    }

    #[test]
    fn mutated_records_never_panic_and_never_leak(
        source in sources(),
        avro in any::<bool>(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = golden(source, if avro { "avro" } else { "json" });
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
            if let Err(refusal) = decoder().decode(source, bytes) {
                // a schema's id is no secret, and may look like anything
                let is_id = refusal.reason == DeadLetterReason::UnknownSchema;
                prop_assert!(is_id || !refusal.detail.contains("1380"), "{}", refusal);
                prop_assert!(!refusal.detail.contains('张'), "{}", refusal);
            }
        }
    }
}
