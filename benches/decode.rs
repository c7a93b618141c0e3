//! What one record costs, read and written: JSON, our Avro, and the reference library's ways, in one table.
//!
//! Each time is that of the least disturbed of many short, interleaved rounds: what others do on the machine only ever adds.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

use std::hint::black_box;
use std::time::Instant;

use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::writer::datum::GenericDatumWriter;
use apache_avro::{Schema, from_value, to_value};
use city_model::Source;
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire_format::{Decoder, Encoder, Format, Record, SchemaStore, Topic, WireTime};

const ROUNDS: usize = 200;
const CALLS: u32 = 200;

fn sample(source: Source) -> Vec<u8> {
    let records = city_simulator::simulate(city_simulator::Scenario::Typhoon, 7, 2_000);
    let record = records
        .into_iter()
        .find(|record| record.source == source)
        .unwrap();
    let mut value: Value = serde_json::from_str(&record.line).unwrap();
    // The hotline writes times as texts, which its schema has as numbers.
    for field in ["called_at", "reported_at"] {
        let told = value[field].clone();
        if told.is_string() {
            let time = WireTime::deserialize(&told).unwrap();
            value[field] = time.resolve(&TimeZone::UTC).unwrap().millis().into();
        }
    }
    value.to_string().into_bytes()
}

/// Nanoseconds of one call of each, in its least disturbed round.
fn times<const N: usize>(mut ways: [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut rounds = [const { Vec::new() }; N];
    for _ in 0..ROUNDS {
        for (way, rounds) in ways.iter_mut().zip(&mut rounds) {
            let begun = Instant::now();
            for _ in 0..CALLS {
                way();
            }
            rounds.push(begun.elapsed().as_nanos() as f64 / f64::from(CALLS));
        }
    }
    rounds.map(|rounds| rounds.into_iter().fold(f64::INFINITY, f64::min))
}

/// The records as a user of the reference library would declare them: it cannot read a time that is a number or a text.
mod plain {
    use super::{Deserialize, Serialize};

    #[derive(Debug, Serialize, Deserialize)]
    pub(super) struct Location {
        crs: Option<String>,
        x: f64,
        y: f64,
        accuracy_m: Option<f64>,
        quality: Option<String>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(rename = "SensorReading")] // the library holds the names together
    pub(super) struct Sensor {
        event_id: String,
        source_system: String,
        device_id: String,
        metric: String,
        value: f64,
        unit: Option<String>,
        alarm: Option<bool>,
        observed_at: i64,
        reported_at: Option<i64>,
        location: Option<Location>,
        component_id: Option<String>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(rename = "HotlineTicket")] // the library holds the names together
    pub(super) struct Hotline {
        event_id: String,
        source_system: String,
        ticket_id: String,
        parent_ticket_id: Option<String>,
        appeal_type: Option<String>,
        urgency: Option<String>,
        category: Option<Vec<String>>,
        category_code: Option<String>,
        standard_ref: Option<String>,
        title: Option<String>,
        content: Option<String>,
        called_at: i64,
        reported_at: Option<i64>,
        location: Option<Location>,
        address: Option<String>,
        town_code: Option<String>,
        reporter_phone: Option<String>,
        reporter_name: Option<String>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    pub(super) struct Algorithm {
        vendor: Option<String>,
        name: Option<String>,
        version: Option<String>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(rename = "VideoAlert")] // the library holds the names together
    pub(super) struct Video {
        event_id: String,
        source_system: String,
        camera_id: String,
        alert_code: String,
        code_system: Option<String>,
        confidence: f64,
        phase: Option<String>,
        captured_at: i64,
        reported_at: Option<i64>,
        location: Option<Location>,
        target_location: Option<Location>,
        snapshot_url: Option<String>,
        algorithm: Option<Algorithm>,
        component_id: Option<String>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(rename = "Report")] // the library holds the names together
    pub(super) struct Report {
        event_id: String,
        source_system: String,
        channel: String,
        report_id: String,
        category_code: Option<String>,
        standard_ref: Option<String>,
        category: Option<Vec<String>>,
        title: Option<String>,
        content: Option<String>,
        observed_at: i64,
        reported_at: Option<i64>,
        location: Option<Location>,
        address: Option<String>,
        town_code: Option<String>,
        component_id: Option<String>,
        reporter_phone: Option<String>,
        reporter_name: Option<String>,
    }
}

fn bench<Ours: Serialize, Plain: Serialize + DeserializeOwned>(source: Source, record: &Ours, json: &[u8]) {
    let topic = Topic::of(source);
    let encoder = Encoder::builtin(topic).unwrap();
    let store = SchemaStore::builtin().unwrap();
    let decoder = Decoder::new(store.clone());
    let framed = encoder.framed(record).unwrap();
    let datum = &framed[Format::FRAME_BYTES..];
    let schema = Schema::parse_str(topic.schema().unwrap()).unwrap();
    let reader = GenericDatumReader::builder(&schema).build().unwrap();
    let writer = GenericDatumWriter::builder(&schema).build().unwrap();
    let plain: Plain = reader.read_deser(&mut &*datum).unwrap();
    let mut buffer = Vec::new();

    let written = writer
        .write_value_to_vec(to_value(&plain).unwrap().resolve(&schema).unwrap())
        .unwrap();
    assert_eq!(written, datum, "both write the same bytes");

    let [json_ns, ours, value, deser] = times([
        &mut || drop(black_box(decoder.decode(source, black_box(json)).unwrap())),
        &mut || drop(black_box(decoder.decode(source, black_box(&framed)).unwrap())),
        &mut || {
            let value = reader.read_value(&mut black_box(datum)).unwrap();
            drop(black_box(from_value::<Plain>(&value).unwrap()));
        },
        &mut || {
            drop(black_box(
                reader.read_deser::<Plain>(&mut black_box(datum)).unwrap(),
            ))
        },
    ]);
    println!(
        "{:<8} decode {:>6} {:>8.0} {:>8.0} {:>8.0} {:>8.0} {:>7.1}x {:>7.1}x",
        source.as_str(),
        framed.len(),
        json_ns,
        ours,
        value,
        deser,
        value / ours,
        deser / ours
    );
    let [json_ns, ours, value, ser] = times([
        &mut || {
            buffer.clear();
            serde_json::to_writer(&mut buffer, black_box(record)).unwrap();
        },
        &mut {
            let mut buffer = Vec::new();
            let encoder = &encoder;
            move || {
                buffer.clear();
                encoder.framed_into(black_box(record), &mut buffer).unwrap();
                black_box(&buffer);
            }
        },
        &mut || {
            let value = to_value(black_box(&plain)).unwrap().resolve(&schema).unwrap();
            drop(black_box(writer.write_value_to_vec(value).unwrap()));
        },
        &mut || drop(black_box(writer.write_ser_to_vec(black_box(&plain)).unwrap())),
    ]);
    println!(
        "{:<8} encode {:>6} {:>8.0} {:>8.0} {:>8.0} {:>8.0} {:>7.1}x {:>7.1}x",
        source.as_str(),
        framed.len(),
        json_ns,
        ours,
        value,
        ser,
        value / ours,
        ser / ours
    );
    assert_eq!(
        store.resolutions(),
        1,
        "resolved once, not for each of {ROUNDS} rounds of {CALLS} records"
    );
}

fn main() {
    println!(
        "nanoseconds a record; `value` is the reference library's tree of values, `serde` its way without one"
    );
    println!(
        "{:<8} {:<6} {:>6} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "record", "", "bytes", "json", "ours", "value", "serde", "value/o.", "serde/o."
    );
    let decoder = Decoder::new(SchemaStore::builtin().unwrap());
    for source in [Source::Sensor, Source::Hotline, Source::Video, Source::Report] {
        let json = sample(source);
        match decoder.decode(source, &json).unwrap() {
            Record::Sensor(record) => bench::<_, plain::Sensor>(source, &*record, &json),
            Record::Hotline(record) => bench::<_, plain::Hotline>(source, &*record, &json),
            Record::Video(record) => bench::<_, plain::Video>(source, &*record, &json),
            Record::Report(record) => bench::<_, plain::Report>(source, &*record, &json),
            other => panic!("no bench for {other:?}"),
        }
    }
}
