//! What reading one record costs: JSON and registry-framed Avro, the smallest and the largest of the inputs.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::hint::black_box;

use city_model::Source;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wire_format::{Decoder, Encoder, Record, SchemaStore, Topic};

fn sample(source: Source) -> Vec<u8> {
    let records = city_simulator::simulate(city_simulator::Scenario::Typhoon, 7, 2_000);
    let record = records
        .into_iter()
        .find(|record| record.source == source)
        .unwrap();
    record.line.into_bytes()
}

fn decode(criterion: &mut Criterion) {
    let decoder = Decoder::new(SchemaStore::builtin().unwrap());
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(1));
    for source in [Source::Sensor, Source::Hotline, Source::Video] {
        let json = sample(source);
        group.bench_function(format!("{source}/json"), |bench| {
            bench.iter(|| decoder.decode(source, black_box(&json)).unwrap());
        });
        let record = decoder.decode(source, &json).unwrap();
        let avro = framed(&record);
        assert_eq!(
            decoder.decode(source, &avro).unwrap(),
            record,
            "the two forms say the same"
        );
        group.bench_function(format!("{source}/avro"), |bench| {
            bench.iter(|| decoder.decode(source, black_box(&avro)).unwrap());
        });
    }
    group.finish();
}

fn framed(record: &Record) -> Vec<u8> {
    let encoder = |source| {
        let topic = Topic::of(source);
        Encoder::new(topic, SchemaStore::builtin_id(topic).unwrap()).unwrap()
    };
    match record {
        Record::Sensor(r) => encoder(Source::Sensor).framed(r),
        Record::Hotline(r) => encoder(Source::Hotline).framed(r),
        Record::Video(r) => encoder(Source::Video).framed(r),
        other => panic!("no bench for {other:?}"),
    }
    .unwrap()
}

criterion_group!(benches, decode);
criterion_main!(benches);
