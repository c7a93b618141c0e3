//! Events in an envelope: what their attributes stand in for, and what is said of a malformed one.

#![allow(clippy::unwrap_used, reason = "tests")]

use city_model::Source;
use serde_json::{Value, json};
use wire_format::{Decoder, Encoder, Headers, Record, SchemaStore};

fn decoder() -> Decoder {
    Decoder::new(SchemaStore::builtin().unwrap())
}

/// The record as JSON, or the refusal with the identity that could be read.
fn told(source: Source, bytes: &[u8], headers: Headers<'_>) -> Value {
    let record = decoder().decode_with(source, bytes, headers);
    match record {
        Ok(Record::Sensor(r)) => serde_json::to_value(r),
        Ok(Record::Hotline(r)) => serde_json::to_value(r),
        Ok(Record::Weather(r)) => serde_json::to_value(r),
        Ok(Record::Command(r)) => serde_json::to_value(r),
        Ok(other) => panic!("{other:?}"),
        Err(refusal) => {
            let identity = refusal
                .identity
                .as_ref()
                .map_or("-".to_owned(), ToString::to_string);
            Ok(Value::from(format!("{refusal} [{identity}]")))
        }
    }
    .unwrap()
}

/// A reading's bare data: without identity and times.
fn data() -> Value {
    json!({"device_id": "d", "metric": "m", "value": 1.5})
}

fn event(changes: Value) -> Value {
    let mut event = json!({"specversion": "1.0", "id": "e-1", "source": "/iot/water", "type": "city.reading",
        "time": "2026-09-20T08:00:00+08:00", "datacontenttype": "application/json", "data": data()});
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => event.as_object_mut().unwrap().remove(name),
            value => event.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    event
}

fn with(mut record: Value, changes: Value) -> Value {
    let fields = record.as_object_mut().unwrap();
    fields.extend(changes.as_object().unwrap().clone());
    record
}

#[test]
fn attributes_stand_in_only_for_what_the_data_lack() {
    let check = |event: Value, expected: Value| {
        assert_eq!(
            told(Source::Sensor, event.to_string().as_bytes(), &[]),
            expected,
            "{event}"
        );
    };
    let named = json!({"event_id": "e-1", "source_system": "/iot/water"});
    let time = "2026-09-20T08:00:00+08:00";
    check(
        event(json!({})),
        with(with(data(), named.clone()), json!({"observed_at": time})),
    );
    // The data's own time counts; the envelope's is then when it was sent.
    let own_time = with(data(), json!({"observed_at": 7}));
    check(
        event(json!({"data": own_time})),
        with(with(own_time.clone(), named), json!({"reported_at": time})),
    );
    let whole = with(
        data(),
        json!({"event_id": "own", "source_system": "s", "observed_at": 7, "reported_at": 8}),
    );
    check(event(json!({"data": whole})), whole.clone());
    // Data as bytes: here of a JSON record, as some gateways pass it on.
    check(
        event(
            json!({"data": null, "data_base64": "eyJldmVudF9pZCI6Im93biIsImRldmljZV9pZCI6ImQiLCJtZXRyaWMiOiJtIiwidmFsdWUiOjEuNX0="}),
        ),
        json!({"event_id": "own", "source_system": "/iot/water", "device_id": "d", "metric": "m", "value": 1.5,
            "observed_at": time}),
    );
    // A record that merely mentions the word is no event, and an envelope's other attributes do no harm.
    check(
        with(whole.clone(), json!({"unit": "\"specversion\""})),
        with(whole.clone(), json!({"unit": "\"specversion\""})),
    );
    check(
        event(json!({"data": whole, "traceparent": "00-1", "subject": "x"})),
        whole,
    );
}

#[test]
fn other_inputs_take_what_names_them() {
    let ticket = json!({"ticket_id": "t"});
    assert_eq!(
        told(
            Source::Hotline,
            event(json!({"data": ticket})).to_string().as_bytes(),
            &[]
        ),
        json!({"ticket_id": "t", "event_id": "e-1", "source_system": "/iot/water", "called_at": "2026-09-20T08:00:00+08:00"})
    );
    let command = json!({"incident_id": "i", "action": "close", "operator": "duty"});
    assert_eq!(
        told(
            Source::Command,
            event(json!({"data": command})).to_string().as_bytes(),
            &[]
        ),
        with(
            command,
            json!({"command_id": "e-1", "issued_at": "2026-09-20T08:00:00+08:00"})
        )
    );
    // A warning has an event for each revision: the event's id is not its own.
    let warning = json!({"revision": 1, "signal": "RAINSTORM", "severity": "RED", "region_codes": [], "status": "ISSUED",
        "effective_at": 7});
    assert_eq!(
        told(
            Source::Weather,
            event(json!({"data": warning})).to_string().as_bytes(),
            &[]
        ),
        "missing_field: warning_id [-]"
    );
}

#[test]
fn a_malformed_envelope_is_refused_as_one() {
    let check = |event: Value, expected: &str| {
        assert_eq!(
            told(Source::Sensor, event.to_string().as_bytes(), &[]),
            expected,
            "{event}"
        );
    };
    check(
        event(json!({"data": null})),
        "missing_field: cloudevents: data [-]",
    );
    check(event(json!({"id": null})), "missing_field: cloudevents: id [-]");
    check(
        event(json!({"source": ""})),
        "missing_field: cloudevents: source [-]",
    );
    check(
        event(json!({"type": null})),
        "missing_field: cloudevents: type [-]",
    );
    check(
        event(json!({"id": 5})),
        "bad_value: cloudevents: id: not a string [-]",
    );
    check(
        event(json!({"specversion": "0.3"})),
        "bad_value: cloudevents: specversion: only 1.0 is read [-]",
    );
    check(
        event(json!({"data": "text"})),
        "bad_json: cloudevents: data is not an object [-]",
    );
    check(
        event(json!({"data": [1]})),
        "bad_json: cloudevents: data is not an object [-]",
    );
    check(
        event(json!({"data_base64": "AA=="})),
        "bad_value: cloudevents: data beside data_base64 [-]",
    );
    check(
        event(json!({"data": null, "data_base64": "?"})),
        "bad_value: cloudevents: data_base64: not base64 [-]",
    );
    check(
        event(json!({"data": null, "data_base64": "AAAAAAEC"})),
        "bad_avro: cloudevents: data: a registry's frame goes into the value itself [-]",
    );
    // What is wrong inside the data is said as of any record, with the name that the envelope gives it.
    check(
        event(json!({"data": {"device_id": "d", "metric": "m"}})),
        "missing_field: value [/iot/water/e-1]",
    );
    check(
        event(json!({"data": {"device_id": "d", "metric": "m", "value": 1, "location": {"x": "a", "y": 1}}})),
        "bad_value: location.x: string where a number was expected [/iot/water/e-1]",
    );
    let torn = event(json!({})).to_string();
    let told = told(Source::Sensor, &torn.as_bytes()[..torn.len() - 1], &[]);
    assert!(told.as_str().unwrap().starts_with("bad_json: EOF"), "{told}");
    // The content type says that it must be one.
    let headers: Headers<'_> = &[("content-type", b"application/cloudevents+json; charset=UTF-8")];
    assert_eq!(
        self::told(Source::Sensor, b"{\"id\":\"x\"}", headers),
        "missing_field: cloudevents: specversion [-]"
    );
}

#[test]
fn binary_events_bring_their_attributes_as_headers() {
    let headers: Headers<'_> = &[
        (
            "traceparent",
            b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ),
        ("ce_specversion", b"1.0"),
        ("ce_id", b"e-1"),
        ("ce_source", b"iot"),
        ("ce_type", b"city.reading"),
        ("ce_time", b"2026-09-20T00:00:00Z"),
        ("content-type", b"application/json"),
    ];
    let filled = with(
        data(),
        json!({"event_id": "e-1", "source_system": "iot", "observed_at": "2026-09-20T00:00:00Z"}),
    );
    assert_eq!(
        told(Source::Sensor, data().to_string().as_bytes(), headers),
        filled
    );
    assert_eq!(
        told(Source::Sensor, data().to_string().as_bytes(), &headers[..1]),
        "missing_field: event_id [-]",
        "other headers change nothing"
    );
    assert_eq!(
        told(Source::Sensor, b"{\"device_id\":\"d\"}", headers),
        "missing_field: metric [iot/e-1]"
    );
    let broken: Headers<'_> = &[("ce_specversion", b"1.0"), ("ce_id", b"\xff")];
    assert_eq!(
        told(Source::Sensor, b"{}", broken),
        "bad_utf8: cloudevents: header ce_id [-]"
    );

    // Avro: of a writer whose schema has neither identity nor time, in a frame.
    let fields = json!([{"name": "device_id", "type": "string"}, {"name": "metric", "type": "string"},
        {"name": "value", "type": "double"}]);
    let writer = json!({"type": "record", "name": "Bare", "fields": fields}).to_string();
    let bytes = Encoder::of(&writer, 77).unwrap().framed(&data()).unwrap();
    let mut store = SchemaStore::builtin().unwrap();
    store.add(77, &writer).unwrap();
    let decoder = Decoder::new(store);
    let Ok(Record::Sensor(reading)) = decoder.decode_with(Source::Sensor, &bytes, headers) else {
        panic!("refused")
    };
    assert_eq!(serde_json::to_value(reading).unwrap(), filled);
    let longer = [&bytes[..], b"x"].concat();
    let refusal = decoder.decode_with(Source::Sensor, &longer, headers).unwrap_err();
    assert_eq!(refusal.identity.unwrap().to_string(), "iot/e-1");
}

#[test]
fn a_batch_is_refused_in_so_many_words() {
    let refused =
        "bad_json: cloudevents: a batch holds several events; send each event as a record of its own [-]";
    let batch = json!([event(json!({})), event(json!({"id": "e-2"}))]).to_string();
    let type_of = |kind: &'static [u8]| -> [(&'static str, &'static [u8]); 1] { [("Content-Type", kind)] };
    for (headers, bytes) in [
        (type_of(b"application/cloudevents-batch+json"), batch.as_bytes()),
        (
            type_of(b"APPLICATION/CloudEvents-Batch+JSON; charset=utf-8"),
            b"[]",
        ),
        (type_of(b"application/cloudevents-batch+avro"), b"\x02"),
        (type_of(b"application/json"), batch.as_bytes()),
    ] {
        assert_eq!(told(Source::Sensor, bytes, &headers), refused);
    }
    // Other lists are what they were: no object.
    for bytes in [&b"[]"[..], b"[{\"a\":1}]", b"[1", b"[\"specversion\"]"] {
        assert_eq!(told(Source::Sensor, bytes, &[]), "bad_json: not an object [-]");
    }
}

/// What any library writes by the standard's schema, which is kept beside this test as the standard has it.
fn in_avro(event: &Value, data: apache_avro::types::Value) -> Vec<u8> {
    use apache_avro::types::Value as Avro;
    let schema = apache_avro::Schema::parse_str(include_str!("golden/cloudevents.avsc")).unwrap();
    let attributes = event
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| *name != "data");
    let attribute = |value: &Value| match value {
        Value::Number(number) => Avro::Union(2, Box::new(Avro::Int(number.as_i64().unwrap() as i32))),
        Value::String(text) => Avro::Union(3, Box::new(Avro::String(text.clone()))),
        other => panic!("{other}"),
    };
    let attributes = attributes.map(|(name, value)| (name.clone(), attribute(value)));
    let record = Avro::Record(vec![
        ("attribute".to_owned(), Avro::Map(attributes.collect())),
        ("data".to_owned(), data),
    ]);
    let writer = apache_avro::writer::datum::GenericDatumWriter::builder(&schema)
        .build()
        .unwrap();
    writer.write_value_to_vec(record).unwrap()
}

#[test]
fn events_in_the_standards_avro_are_read() {
    use apache_avro::types::Value as Avro;
    let headers: Headers<'_> = &[("content-type", b"application/cloudevents+avro")];
    let bytes = |bytes: Vec<u8>| Avro::Union(0, Box::new(Avro::Bytes(bytes)));
    let filled = with(
        data(),
        json!({"event_id": "e-1", "source_system": "/iot/water", "observed_at": "2026-09-20T08:00:00+08:00"}),
    );
    let check = |event: Value, data: Avro, expected: Value| {
        assert_eq!(
            told(Source::Sensor, &in_avro(&event, data), headers),
            expected,
            "{event}"
        );
    };
    let json = data().to_string();
    check(
        event(json!({"sequence": 7})),
        bytes(json.clone().into_bytes()),
        filled.clone(),
    );
    check(
        event(json!({})),
        Avro::Union(6, Box::new(Avro::String(json.clone()))),
        filled.clone(),
    );
    let single = Encoder::builtin(wire_format::Topic::Sensor).unwrap();
    let whole = with(
        data(),
        json!({"event_id": "own", "source_system": "s", "observed_at": 7}),
    );
    check(
        event(json!({})),
        bytes(single.single_object(&whole).unwrap()),
        // The record's schema has the field, and it is null: nothing stands in.
        whole.clone(),
    );
    check(
        event(json!({})),
        bytes(b"[]".to_vec()),
        json!("bad_json: not an object [-]"),
    );
    check(
        event(json!({})),
        bytes(b"{}".to_vec()),
        json!("missing_field: device_id [/iot/water/e-1]"),
    );
    let refused = |detail: &str| json!(format!("{detail} [-]"));
    check(
        event(json!({})),
        Avro::Union(1, Box::new(Avro::Null)),
        refused("missing_field: cloudevents: data"),
    );
    check(
        event(json!({"id": null})),
        bytes(b"{}".to_vec()),
        refused("missing_field: cloudevents: id"),
    );
    check(
        event(json!({"id": 7})),
        bytes(b"{}".to_vec()),
        refused("bad_value: cloudevents: id: not a string"),
    );
    check(
        event(json!({})),
        Avro::Union(
            3,
            Box::new(Avro::Map(
                [("a".to_owned(), Avro::Union(3, Box::new(Avro::Double(1.0))))].into(),
            )),
        ),
        refused(
            "bad_value: cloudevents: data: only bytes and strings are read, not the standard's picture of JSON",
        ),
    );
    // Whatever is cut off or follows is told, and a header alone tells it.
    let good = in_avro(&event(json!({})), bytes(json.into_bytes()));
    for cut in 0..good.len() {
        let told = told(Source::Sensor, &good[..cut], headers);
        assert!(
            told.as_str()
                .is_some_and(|told| told.starts_with("bad_avro: cloudevents: ")),
            "{told}"
        );
    }
    let longer = told(Source::Sensor, &[&good[..], b"x"].concat(), headers);
    assert_eq!(longer, "bad_avro: cloudevents: 1 bytes left over [-]");
    assert!(told(Source::Sensor, &good, &[]).is_string());
    let pinned = decoder().with_pin(Source::Sensor, wire_format::Pin::Json);
    let refusal = pinned.decode_with(Source::Sensor, &good, headers).unwrap_err();
    assert_eq!(refusal.to_string(), "bad_json: the topic is pinned to JSON");
}
