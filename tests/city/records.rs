//! One good record of every input with all of its fields, to be spoilt in one place.

use city_model::Source;
use serde_json::{Value, json};
use wire_format::{Decoder, Encoder, Record, SchemaStore, Topic};

/// What stands in every free text: nothing of it may be seen where a record is refused.
pub const SECRET: &str = "13800138000机密内容";

/// The fields without which a record of this file cannot be.
pub fn mandatory(file: &str) -> &'static [&'static str] {
    match file {
        "sensor.ndjson" => &[
            "event_id",
            "source_system",
            "device_id",
            "metric",
            "value",
            "observed_at",
        ],
        "hotline.ndjson" => &["event_id", "source_system", "ticket_id", "called_at"],
        "video.ndjson" => &[
            "event_id",
            "source_system",
            "camera_id",
            "alert_code",
            "confidence",
            "captured_at",
        ],
        "report.ndjson" => &["event_id", "source_system", "channel", "report_id", "observed_at"],
        "weather.ndjson" => &[
            "warning_id",
            "revision",
            "signal",
            "severity",
            "region_codes",
            "status",
            "issued_at",
            "effective_at",
        ],
        "silence.ndjson" => &[
            "silence_id",
            "kinds",
            "area",
            "starts_at",
            "ends_at",
            "reason",
            "created_by",
            "created_at",
        ],
        _ => &["command_id", "incident_id", "action", "operator", "issued_at"],
    }
}

/// The field that names a record of this file, and the one that says when.
pub fn id_and_time(file: &str) -> (&'static str, &'static str) {
    match file {
        "sensor.ndjson" => ("event_id", "observed_at"),
        "hotline.ndjson" => ("event_id", "called_at"),
        "video.ndjson" => ("event_id", "captured_at"),
        "report.ndjson" => ("event_id", "observed_at"),
        "weather.ndjson" => ("warning_id", "issued_at"),
        "silence.ndjson" => ("silence_id", "created_at"),
        _ => ("command_id", "issued_at"),
    }
}

/// A record of this file with every field, named `id`, at the time `at` in milliseconds.
pub fn full(file: &str, id: &str, at: i64) -> Value {
    let place = json!({"crs": "WGS84", "x": 121.2277, "y": 31.0322, "accuracy_m": 5.0, "quality": "GNSS"});
    match file {
        "sensor.ndjson" => json!({"event_id": id, "source_system": "iot-water", "device_id": "D-1",
            "metric": "ponding_depth", "value": 1.5, "unit": "cm", "alarm": false, "observed_at": at, "reported_at": at,
            "location": place, "component_id": "C-1"}),
        "hotline.ndjson" => {
            json!({"event_id": id, "source_system": "12345", "ticket_id": id, "appeal_type": "投诉",
            "urgency": "一般", "category": ["街面秩序", "非机动车乱停放"], "category_code": "1", "standard_ref": "X",
            "title": SECRET, "content": SECRET, "called_at": at, "reported_at": at, "location": place,
            "address": SECRET, "town_code": "310117001", "reporter_phone": "13800138000", "reporter_name": SECRET})
        }
        "video.ndjson" => json!({"event_id": id, "source_system": "video-chengguan", "camera_id": "CAM-01",
            "alert_code": "46", "code_system": "CLASS84", "confidence": 0.6, "phase": "ONGOING", "captured_at": at,
            "reported_at": at, "location": place, "target_location": place, "snapshot_url": SECRET,
            "algorithm": {"vendor": SECRET, "name": "a", "version": "1"}, "component_id": "C-2"}),
        "report.ndjson" => json!({"event_id": id, "source_system": "inspector-app", "channel": "inspector",
            "report_id": id, "category_code": "0110", "standard_ref": "GB/T 30428.2-2013", "category": ["无此名"],
            "title": SECRET, "content": SECRET, "observed_at": at, "reported_at": at, "location": place,
            "address": SECRET, "town_code": "310117001", "component_id": "C-3", "reporter_phone": "13800138000",
            "reporter_name": SECRET}),
        "weather.ndjson" => json!({"warning_id": id, "revision": 1, "signal": "FOG", "severity": "BLUE",
            "region_codes": ["999999"], "status": "ISSUED", "issued_at": at, "effective_at": at,
            "expires_at": at + 1_000}),
        "silence.ndjson" => json!({"silence_id": id, "kinds": ["road_damage"], "area": ["310117001"],
            "starts_at": at, "ends_at": at + 1_000, "reason": SECRET, "created_by": SECRET, "created_at": at}),
        _ => json!({"command_id": id, "incident_id": "310117-road_damage-0123456789abcdef", "action": "move",
            "reason": SECRET, "other_incident_id": "310117-road_damage-fedcba9876543210", "event_ids": ["a/b"],
            "band": "P2", "deadline": at + 1_000, "operator": "duty", "issued_at": at}),
    }
}

/// The record with other fields; `null` stays, [`GONE`] takes a field away. A name like `location.x` goes inside.
pub fn with(mut record: Value, changes: &[(&str, Value)]) -> Value {
    for (path, value) in changes {
        let (last, parents) = path
            .split('.')
            .collect::<Vec<_>>()
            .split_last()
            .map(|(l, p)| (*l, p.to_vec()))
            .unwrap();
        let holder = parents
            .iter()
            .fold(&mut record, |at, name| &mut at[*name])
            .as_object_mut()
            .unwrap();
        if *value == json!(GONE) {
            holder.remove(last);
        } else {
            holder.insert(last.to_owned(), value.clone());
        }
    }
    record
}

/// Stands for a field that is not there.
pub const GONE: &str = "\u{1}gone";

fn source_of(file: &str) -> Source {
    *Source::ALL
        .iter()
        .find(|source| file == format!("{source}.ndjson"))
        .unwrap()
}

/// The record in the registry's frame, named so that no byte of it ends a line.
pub fn framed(file: &'static str, at: i64) -> Vec<u8> {
    let source = source_of(file);
    let decoder = Decoder::new(SchemaStore::builtin().unwrap());
    let topic = Topic::of(source);
    let encoder = Encoder::new(topic, SchemaStore::builtin_id(topic).unwrap()).unwrap();
    let named = |number: i64| {
        // A text of five letters begins with 0x0A: there are no coordinate systems, and the source is not "12345".
        let mut record = full(file, &format!("avro-of-{file}-{number}"), at + number);
        if record["source_system"] == "12345" {
            record["source_system"] = json!("12345-bd09");
        }
        let record = with(
            record,
            &[("location", json!(GONE)), ("target_location", json!(GONE))],
        );
        let text = record.to_string();
        match decoder.decode(source, text.as_bytes()).unwrap() {
            Record::Sensor(r) => encoder.framed(&*r),
            Record::Hotline(r) => encoder.framed(&*r),
            Record::Video(r) => encoder.framed(&*r),
            Record::Report(r) => encoder.framed(&*r),
            Record::Weather(r) => encoder.framed(&*r),
            Record::Silence(r) => encoder.framed(&*r),
            Record::Command(r) => encoder.framed(&*r),
        }
        .unwrap()
    };
    let fits = |bytes: &Vec<u8>| !bytes.contains(&b'\n') && bytes.last() != Some(&b'\r');
    (0..500)
        .map(named)
        .find(fits)
        .unwrap_or_else(|| panic!("{file}: every name has a line feed in it"))
}
