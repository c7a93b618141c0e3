//! What intake costs a record, by what becomes of it: judged alone, and from bytes on, as JSON and as framed Avro.
//!
//! Half a day is judged first, so that devices are known; the records measured are those that come next, and what they
//! change is not kept. Each time is that of the least disturbed of many short, interleaved rounds.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

use std::hint::black_box;
use std::time::Instant;

use city_model::{EventTime, Outcome, Source};
use city_simulator::Scenario;
use event_intake::{Decision, Intake, IntakeState};
use wire_format::{Decoder, Encoder, Record, Topic, WireTime};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RECORDS: usize = 40_000;
const MOST_MEASURED: usize = 64;
const ROUNDS: usize = 60;

/// A record in each of the forms that are measured, and its arrival.
struct Sample {
    source: Source,
    at: EventTime,
    json: Vec<u8>,
    avro: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    BelowThreshold,
    Alarm,
    Ticket,
    Alert,
    Report,
}

const CLASSES: [(Class, &str); 5] = [
    (Class::BelowThreshold, "reading below threshold"),
    (Class::Alarm, "reading in alarm"),
    (Class::Ticket, "hotline ticket with words"),
    (Class::Alert, "video alert"),
    (Class::Report, "inspector's report"),
];

fn class_of(record: &Record, result: &Decision) -> Option<Class> {
    let is_event = matches!(result, Decision::Event(_));
    match record {
        Record::Sensor(_) if is_event => Some(Class::Alarm),
        Record::Sensor(_) => matches!(
            result,
            Decision::Settled {
                outcome: Outcome::BelowThreshold,
                ..
            }
        )
        .then_some(Class::BelowThreshold),
        Record::Hotline(ticket) => {
            (is_event && ticket.title.is_some() && ticket.content.is_some()).then_some(Class::Ticket)
        }
        Record::Video(_) => is_event.then_some(Class::Alert),
        Record::Report(report) => (is_event && &*report.channel == "inspector").then_some(Class::Report),
        _ => None,
    }
}

fn arrival(record: &Record) -> EventTime {
    let (reported, own) = match record {
        Record::Sensor(r) => (r.reported_at.as_ref(), &r.observed_at),
        Record::Hotline(r) => (r.reported_at.as_ref(), &r.called_at),
        Record::Video(r) => (r.reported_at.as_ref(), &r.captured_at),
        Record::Report(r) => (r.reported_at.as_ref(), &r.observed_at),
        _ => return EventTime::MIN,
    };
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    reported.unwrap_or(own).resolve(&zone).unwrap_or(EventTime::MIN)
}

fn in_millis(time: &WireTime<'_>) -> WireTime<'static> {
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    time.resolve(&zone).unwrap_or(EventTime::MIN).into()
}

/// The record as Avro, which says times in milliseconds; `None` for one that it cannot say.
fn framed(source: Source, record: &Record) -> Option<Vec<u8>> {
    let encoder = Encoder::builtin(Topic::of(source)).unwrap();
    match record {
        Record::Sensor(record) => encoder.framed(&**record),
        Record::Hotline(record) => {
            let mut record = (**record).clone();
            record.called_at = in_millis(&record.called_at);
            record.reported_at = record.reported_at.as_ref().map(in_millis);
            encoder.framed(&record)
        }
        Record::Video(record) => {
            let mut record = (**record).clone();
            record.captured_at = in_millis(&record.captured_at);
            record.reported_at = record.reported_at.as_ref().map(in_millis);
            encoder.framed(&record)
        }
        Record::Report(record) => {
            let mut record = (**record).clone();
            record.observed_at = in_millis(&record.observed_at);
            record.reported_at = record.reported_at.as_ref().map(in_millis);
            encoder.framed(&record)
        }
        other => panic!("no bench for {other:?}"),
    }
    .ok()
}

/// The samples of each class, and what is remembered when they come.
fn samples(intake: &Intake, decoder: &Decoder) -> (IntakeState, Vec<(Class, Sample)>) {
    let records = city_simulator::simulate(Scenario::Typhoon, 5, RECORDS);
    let mut state = IntakeState::default();
    let mut samples: Vec<(Class, Sample)> = Vec::new();
    for (index, line) in records.into_iter().enumerate() {
        let json = line.line.into_bytes();
        let Ok(record) = decoder.decode(line.source, &json) else {
            continue;
        };
        let at = arrival(&record);
        let verdict = intake.judge(&state, &record, at);
        if index < RECORDS / 2 {
            verdict.rows.iter().for_each(|row| state.apply(row));
        } else if let Some(class) = class_of(&record, &verdict.result)
            && samples.iter().filter(|(other, _)| *other == class).count() < MOST_MEASURED
        {
            let source = line.source;
            let Some(avro) = framed(source, &record) else {
                continue;
            };
            drop(record);
            samples.push((
                class,
                Sample {
                    source,
                    at,
                    json,
                    avro,
                },
            ));
        }
    }
    (state, samples)
}

/// One way to take the sample of a number.
type Way<'a> = &'a mut dyn FnMut(usize, &Sample);

/// Nanoseconds a sample of each way, in its least disturbed round.
fn times<const N: usize>(samples: &[&Sample], mut ways: [Way<'_>; N]) -> [f64; N] {
    let mut least = [f64::INFINITY; N];
    for _ in 0..ROUNDS {
        for (way, least) in ways.iter_mut().zip(&mut least) {
            let begun = Instant::now();
            for (index, sample) in samples.iter().enumerate() {
                way(index, sample);
            }
            *least = least.min(begun.elapsed().as_nanos() as f64 / samples.len() as f64);
        }
    }
    least
}

fn main() {
    let dir = tempfile::tempdir().unwrap();
    cityops::commands::simulate_into(dir.path(), Scenario::Typhoon, 5, 1_000).unwrap();
    let loaded = cityops::config::Loaded::read(&dir.path().join("cityops.toml")).unwrap();
    let setup = cityops::assemble::setup(&loaded, 1).unwrap();
    let (intake, decoder) = (&setup.intake, &setup.decoder);
    let (state, samples) = samples(intake, decoder);
    println!("nanoseconds a record");
    println!(
        "{:<28} {:>8} {:>8} {:>8} {:>8}",
        "record", "measured", "judge", "json", "avro"
    );
    for (class, name) in CLASSES {
        let own: Vec<&Sample> = samples
            .iter()
            .filter(|(other, _)| *other == class)
            .map(|(_, sample)| sample)
            .collect();
        assert!(!own.is_empty(), "{name}: none came");
        let decoded: Vec<Record<'_>> = own
            .iter()
            .map(|sample| decoder.decode(sample.source, &sample.json).unwrap())
            .collect();
        let from = |bytes: &[u8], sample: &Sample| {
            let record = decoder.decode(sample.source, black_box(bytes)).unwrap();
            drop(black_box(intake.judge(&state, &record, sample.at)));
        };
        let [judged, json, avro] = times(
            &own,
            [
                &mut |index, sample| {
                    drop(black_box(intake.judge(
                        &state,
                        black_box(&decoded[index]),
                        sample.at,
                    )))
                },
                &mut |_, sample| from(&sample.json, sample),
                &mut |_, sample| from(&sample.avro, sample),
            ],
        );
        println!(
            "{name:<28} {:>8} {judged:>8.0} {json:>8.0} {avro:>8.0}",
            own.len()
        );
    }
}
