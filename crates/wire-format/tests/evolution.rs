//! Schemas change, bytes stay: what writers of other versions wrote is read by today's reader, in every frame, for ever.
//!
//! Each case is a set of files in `tests/golden/evolution`: the writer's schema (`.avsc`), the reader's where it is not
//! today's own (`.reader.avsc`), what was written (`.framed`, `.single`, `.json`), and what must be read (`.expected`).
//! `CITYOPS_WRITE_GOLDEN=1` writes the files of a new case through the reference library; existing ones never change.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests read their golden files"
)]

mod cases;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use apache_avro::Schema;
use apache_avro::rabin::Rabin;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::writer::datum::GenericDatumWriter;
use cases::reading;
use city_model::Source;
use serde::Deserialize;
use serde_json::{Value, json};
use wire_format::{Decoder, Encoder, Record, SchemaStore, Topic};

/// The id under which a case's writer is known.
const ID: u32 = 77;

fn file(case: &str, extension: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/evolution/{case}.{extension}"))
}

/// What the reference library writes for a JSON value; its absent fields are null.
fn written(schema: &Schema, value: &Value) -> Vec<u8> {
    let value = avro_of(value)
        .resolve(schema)
        .unwrap_or_else(|error| panic!("{value}: {error}"));
    let writer = GenericDatumWriter::builder(schema).build().unwrap();
    writer.write_value_to_vec(value).unwrap()
}

fn avro_of(value: &Value) -> apache_avro::types::Value {
    use apache_avro::types::Value as Avro;
    match value {
        Value::Object(fields) => Avro::Map(fields.iter().map(|(k, v)| (k.clone(), avro_of(v))).collect()),
        Value::Array(items) => Avro::Array(items.iter().map(avro_of).collect()),
        Value::String(text) => Avro::String(text.clone()),
        Value::Bool(flag) => Avro::Boolean(*flag),
        Value::Number(number) => number
            .as_i64()
            .map_or_else(|| Avro::Double(number.as_f64().unwrap()), Avro::Long),
        Value::Null => Avro::Null,
    }
}

fn write(case: &str, extension: &str, bytes: &[u8]) {
    let file = file(case, extension);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    if !file.exists() {
        fs::write(file, bytes).unwrap();
    }
}

fn generate() {
    for (case, writer, reader, value) in cases::cases() {
        if file(case, "avsc").exists() {
            continue;
        }
        let schema = Schema::parse(&writer).unwrap();
        let datum = written(&schema, &value);
        let print = schema.fingerprint::<Rabin>().bytes;
        write(case, "framed", &[&[0], &ID.to_be_bytes()[..], &datum].concat());
        write(case, "single", &[&[0xC3, 1], &print[..], &datum].concat());
        write(case, "json", value.to_string().as_bytes());
        write(
            case,
            "avsc",
            serde_json::to_string_pretty(&writer).unwrap().as_bytes(),
        );
        if let Some(reader) = reader {
            write(
                case,
                "reader.avsc",
                serde_json::to_string_pretty(&reader).unwrap().as_bytes(),
            );
        }
        write(
            case,
            "expected",
            told(&store(case), &fs::read(file(case, "framed")).unwrap()).as_bytes(),
        );
    }
}

fn store(case: &str) -> SchemaStore {
    let mut store = SchemaStore::builtin().unwrap();
    if let Ok(reader) = fs::read_to_string(file(case, "reader.avsc")) {
        store = store.reading(Source::Sensor, &reader).unwrap();
    }
    store
        .add(ID, &fs::read_to_string(file(case, "avsc")).unwrap())
        .unwrap();
    store
}

/// The record as JSON, or the refusal.
fn told(store: &SchemaStore, bytes: &[u8]) -> String {
    match Decoder::new(store.clone()).decode(Source::Sensor, bytes) {
        Ok(Record::Sensor(reading)) => serde_json::to_value(&reading).unwrap().to_string(),
        Ok(other) => panic!("{other:?}"),
        Err(refusal) => refusal.to_string(),
    }
}

/// Every case that there are files of, also those that nobody generates any more.
fn golden_cases() -> BTreeSet<String> {
    let folder = file("x", "y").parent().unwrap().to_owned();
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let cases: BTreeSet<String> = names
        .filter_map(|name| Some(name.strip_suffix(".framed")?.to_owned()))
        .collect();
    assert!(cases.len() >= 20, "{cases:?}");
    cases
}

#[test]
fn what_was_written_is_read_as_it_always_was() {
    if std::env::var_os("CITYOPS_WRITE_GOLDEN").is_some() {
        generate();
    }
    for case in golden_cases() {
        let store = store(&case);
        let expected = fs::read_to_string(file(&case, "expected")).unwrap();
        for frame in ["framed", "single"] {
            let bytes = fs::read(file(&case, frame)).unwrap();
            assert_eq!(told(&store, &bytes), expected, "{case}.{frame}");
        }
    }
}

/// JSON has no schema: what the record accepts counts. Names and types that only Avro's resolution mends are left out.
#[test]
fn the_same_in_json_where_it_needs_no_schema() {
    let avro_only = [
        "added_with_default",
        "renamed_by_alias",
        "bytes_to_string",
        "enum_unknown_with_default",
        "enum_unknown_without_default",
    ];
    for case in golden_cases()
        .iter()
        .filter(|case| !avro_only.contains(&case.as_str()))
    {
        let json = fs::read(file(case, "json")).unwrap();
        let expected = fs::read_to_string(file(case, "expected")).unwrap();
        // JSON's messages name whole numbers otherwise.
        assert_eq!(
            told(&store(case), &json).split(": ").next(),
            expected.split(": ").next(),
            "{case}"
        );
        if expected.starts_with('{') {
            assert_eq!(told(&store(case), &json), expected, "{case}");
        }
    }
}

/// Whatever the reference library reads, we read as the same.
#[test]
fn the_reference_library_agrees() {
    let mut agreed = 0;
    for case in golden_cases() {
        let read = |extension: &str| fs::read_to_string(file(&case, extension)).ok();
        let writer = Schema::parse_str(&read("avsc").unwrap()).unwrap();
        let reader = read("reader.avsc").unwrap_or_else(|| Topic::Sensor.schema().unwrap().to_owned());
        let reader = Schema::parse_str(&reader).unwrap();
        let bytes = fs::read(file(&case, "framed")).unwrap();
        let resolved = GenericDatumReader::builder(&writer)
            .reader_schema(&reader)
            .build()
            .and_then(|datum| datum.read_value(&mut &bytes[5..]));
        let Ok(value) = resolved else { continue };
        let expected = read("expected").unwrap();
        let ours: Value = expected
            .parse()
            .unwrap_or_else(|_| panic!("{case}: we refuse: {expected}"));
        let mut reference = Value::try_from(value).unwrap();
        drop_nulls(&mut reference);
        if case == "string_to_bytes" {
            reference["metric"] = json!("smoke"); // bytes are a list of numbers in its JSON
        }
        assert_eq!(ours, reference, "{case}");
        agreed += 1;
    }
    assert!(agreed >= 15, "the reference library reads {agreed} cases");
}

fn drop_nulls(value: &mut Value) {
    if let Value::Object(fields) = value {
        fields.retain(|_, value| !value.is_null());
        fields.values_mut().for_each(drop_nulls);
    }
}

#[test]
fn a_resolution_is_made_once_for_a_writer_and_a_reader() {
    let mut store = store("nested");
    store
        .add(78, &fs::read_to_string(file("reordered", "avsc")).unwrap())
        .unwrap();
    let decoder = Decoder::new(store.clone());
    assert_eq!(store.resolutions(), 0);
    let nested = fs::read(file("nested", "framed")).unwrap();
    let mut reordered = fs::read(file("reordered", "framed")).unwrap();
    reordered[4] = 78;
    for _ in 0..1_000 {
        decoder.decode(Source::Sensor, &nested).unwrap();
        decoder.clone().decode(Source::Sensor, &reordered).unwrap();
        // Another reader of the same writer's bytes.
        decoder.decode(Source::Hotline, &nested).unwrap_err();
    }
    assert_eq!(
        store.resolutions(),
        3,
        "three pairs of writer and reader, however many records"
    );
}

#[test]
fn what_does_not_fit_a_schema_is_not_written() {
    let encoder = Encoder::new(Topic::Sensor, 1).unwrap();
    let check = |value: Value, expected: &str| {
        let told = encoder.framed(&value).map_err(|error| error.to_string());
        assert_eq!(told.unwrap_err(), format!("avro schema: {expected}"), "{value}");
    };
    let mut lacking = reading(json!({}));
    lacking.as_object_mut().unwrap().remove("metric");
    check(lacking, "metric is missing");
    check(reading(json!({"battery": 3})), "the schema has no field battery");
    check(
        reading(json!({"value": "x"})),
        "a text where the schema has something else",
    );
    // Fields in another order than the schema's cost a second pass, and give the same bytes.
    let value = reading(json!({"unit": "cm"}));
    let record = wire_format::SensorReading::deserialize(&value).unwrap();
    assert_eq!(
        encoder.framed(&reading(json!({"unit": "cm"}))),
        encoder.framed(&record)
    );
}
