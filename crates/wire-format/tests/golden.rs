//! What was written once can be read for ever: golden files of every input record, in JSON and framed Avro.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests read their golden files"
)]

mod samples;

use std::fs;
use std::path::PathBuf;

use city_model::Source;
use wire_format::{Decoder, Encoder, Record, SchemaStore, Silence, Topic, WireArea};

fn golden(source: Source, extension: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{source}.{extension}"))
}

fn decoder() -> Decoder {
    Decoder::new(SchemaStore::builtin().unwrap())
}

fn encode(encoder: &Encoder, record: &Record) -> (Vec<u8>, Vec<u8>) {
    macro_rules! both {
        ($record:expr) => {
            (
                encoder.framed(&**$record).unwrap(),
                encoder.single_object(&**$record).unwrap(),
            )
        };
    }
    match record {
        Record::Sensor(r) => both!(r),
        Record::Hotline(r) => both!(r),
        Record::Video(r) => both!(r),
        Record::Report(r) => both!(r),
        Record::Weather(r) => both!(r),
        Record::Silence(r) => both!(r),
        Record::Command(r) => both!(r),
    }
}

fn to_json(record: &Record) -> serde_json::Value {
    match record {
        Record::Sensor(r) => serde_json::to_value(r),
        Record::Hotline(r) => serde_json::to_value(r),
        Record::Video(r) => serde_json::to_value(r),
        Record::Report(r) => serde_json::to_value(r),
        Record::Weather(r) => serde_json::to_value(r),
        Record::Silence(r) => serde_json::to_value(r),
        Record::Command(r) => serde_json::to_value(r),
    }
    .unwrap()
}

/// `CITYOPS_WRITE_GOLDEN=1` writes the files of a new record; existing ones are never overwritten.
#[test]
fn golden_files_read_as_they_always_did() {
    for source in Source::ALL.iter().copied() {
        let sample = decoder()
            .decode(source, samples::full(source).as_bytes())
            .unwrap();
        if std::env::var_os("CITYOPS_WRITE_GOLDEN").is_some() && !golden(source, "avro").exists() {
            let topic = Topic::of(source);
            let encoder = Encoder::new(topic, SchemaStore::builtin_id(topic).unwrap()).unwrap();
            fs::write(golden(source, "avro"), encode(&encoder, &sample).0).unwrap();
            fs::write(golden(source, "json"), samples::full(source)).unwrap();
        }
        for extension in ["json", "avro"] {
            let bytes = fs::read(golden(source, extension)).unwrap();
            assert_eq!(
                decoder().decode(source, &bytes).as_ref(),
                Ok(&sample),
                "{source}.{extension}"
            );
        }
    }
}

#[test]
fn every_field_survives_both_frames() {
    for source in Source::ALL.iter().copied() {
        let topic = Topic::of(source);
        let encoder = Encoder::new(topic, SchemaStore::builtin_id(topic).unwrap()).unwrap();
        let sample = decoder()
            .decode(source, samples::full(source).as_bytes())
            .unwrap();
        let (framed, single) = encode(&encoder, &sample);
        assert_eq!(
            decoder().decode(source, &framed).as_ref(),
            Ok(&sample),
            "{source}"
        );
        assert_eq!(
            decoder().decode(source, &single).as_ref(),
            Ok(&sample),
            "{source}"
        );
        assert_eq!(
            to_json(&sample),
            samples::full(source).parse::<serde_json::Value>().unwrap(),
            "{source}"
        );
        let fields = samples::full(source).parse::<serde_json::Value>().unwrap();
        let schema = topic.schema().unwrap().parse::<serde_json::Value>().unwrap();
        let named: Vec<&str> = schema["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f["name"].as_str().unwrap())
            .collect();
        let mut given: Vec<&str> = fields.as_object().unwrap().keys().map(String::as_str).collect();
        let mut sorted = named.clone();
        sorted.sort_unstable();
        given.sort_unstable();
        assert_eq!(
            sorted, given,
            "{source}: the sample has every field of the schema"
        );
    }
}

#[test]
fn the_reference_library_reads_what_we_write() {
    for source in Source::ALL.iter().copied() {
        let bytes = fs::read(golden(source, "avro")).unwrap();
        let schema = apache_avro::Schema::parse_str(Topic::of(source).schema().unwrap()).unwrap();
        let reader = apache_avro::reader::datum::GenericDatumReader::builder(&schema)
            .build()
            .unwrap();
        let mut rest = &bytes[5..];
        let value = reader.read_value(&mut rest).unwrap();
        assert!(rest.is_empty() && value.validate(&schema), "{source}");
    }
}

#[test]
fn a_geometry_travels_as_text_in_avro() {
    let json = r#"{"silence_id":"s","kinds":[],"area":{"type":"Polygon","coordinates":[[[121.0,31.0],[121.1,31.0],[121.1,31.1],[121.0,31.0]]]},
        "starts_at":1,"ends_at":2,"reason":"r","created_by":"c","created_at":0}"#;
    let record = decoder().decode(Source::Silence, json.as_bytes()).unwrap();
    let Record::Silence(silence) = &record else {
        panic!("not a silence")
    };
    let Silence {
        area: WireArea::Geometry(_),
        ..
    } = &**silence
    else {
        panic!("no geometry")
    };
    let encoder = Encoder::new(Topic::Silence, 6).unwrap();
    assert_eq!(
        decoder().decode(Source::Silence, &encode(&encoder, &record).0),
        Ok(record)
    );
}

#[test]
fn every_schema_parses_documents_every_field_and_lets_optional_ones_go() {
    for topic in Topic::ALL.iter().copied() {
        let Some(text) = topic.schema() else { continue };
        apache_avro::Schema::parse_str(text).unwrap_or_else(|error| panic!("{topic}: {error}"));
        assert!(SchemaStore::builtin_id(topic).is_some(), "{topic} has an id");
        let schema: serde_json::Value = text.parse().unwrap();
        assert_eq!(schema["namespace"], "cityops.v1", "{topic}");
        check_fields(topic, &schema);
    }
}

fn check_fields(topic: Topic, schema: &serde_json::Value) {
    match schema {
        serde_json::Value::Array(items) => items.iter().for_each(|item| check_fields(topic, item)),
        serde_json::Value::Object(object) => {
            if object.get("type").is_some_and(|t| t == "record") {
                for field in object["fields"].as_array().unwrap() {
                    assert!(
                        field["doc"].as_str().is_some_and(|doc| !doc.is_empty()),
                        "{topic}: {field}"
                    );
                    if field["type"].get(0).is_some_and(|first| first == "null") {
                        assert!(
                            field.get("default").is_some_and(|d| d.is_null()),
                            "{topic}: {field}"
                        );
                    }
                }
            }
            object.values().for_each(|value| check_fields(topic, value));
        }
        _ => {}
    }
}
