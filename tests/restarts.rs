//! Partitions with a storm's mixture of records, read once through and once by processors that take over from each other by
//! the changelog: both say the same.
#![allow(clippy::unwrap_used, reason = "tests")]

mod city;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use city::{City, seed};
use city_model::{Batch, EventTime, Input, Name, Source, Tick};
use city_simulator::Scenario;
use cityops::config::Loaded;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use stream_worker::{Correlate, Enrich, InputRecord, OutRecord, Outbox, Processor, Setup};
use wire_format::Topic;

/// Into so many input partitions the inputs are dealt; each is read in the order of its times, but not beside the others.
const PARTITIONS: usize = 7;

/// One of so many records is the last that a process reads.
const CRASHES_EVERY: usize = 100;

/// The changelog of a partition, as a broker may keep it: of some rows every version, of others only the last.
#[derive(Default)]
struct Changelog(Vec<(String, Option<Vec<u8>>)>);

impl Changelog {
    fn write(&mut self, processor: &mut impl Processor) {
        let mut out = Outbox::default();
        processor.checkpoint(&mut out);
        self.0.extend(out.rows);
    }

    /// What compaction leaves: a beginning without the versions that later rows replace.
    fn compact(&mut self, random: &mut ChaCha8Rng) {
        let dirty = random.random_range(0..=self.0.len());
        let last: BTreeMap<String, usize> = (self.0.iter().enumerate())
            .map(|(at, (key, _))| (key.clone(), at))
            .collect();
        let mut at = 0;
        self.0.retain(|(key, value)| {
            let keep = at >= dirty || (last[key] == at && (value.is_some() || at % 2 == 0));
            at += 1;
            keep
        });
    }

    fn restore<P: Processor>(&self, mut fresh: P) -> P {
        for (key, value) in &self.0 {
            fresh.restore(key, value.as_deref()).unwrap();
        }
        fresh
    }
}

/// A record of the partition under test.
struct Read {
    topic: Topic,
    timestamp: EventTime,
    value: Vec<u8>,
}

fn process(processor: &mut impl Processor, offset: usize, read: &Read) -> (Vec<OutRecord>, Vec<Input>) {
    let mut out = Outbox::default();
    let record = InputRecord {
        topic: read.topic,
        partition: 0,
        offset: offset as i64,
        timestamp: read.timestamp,
        key: None,
        value: Some(&read.value),
        headers: &[],
    };
    processor.process(&record, &mut out);
    (out.records, out.inputs.into_values().flatten().collect())
}

/// Reads the records with one processor to their end, and with others that take over from each other at random.
fn hand_over<P: Processor>(reads: &[Read], fresh: impl Fn() -> P, random: &mut ChaCha8Rng, seed: u64) {
    let (mut calm, mut crashed) = (fresh(), fresh());
    let mut changelog = Changelog::default();
    let mut committed = 0;
    for (at, read) in reads.iter().enumerate() {
        let told = process(&mut calm, at, read);
        if random.random_range(0..CRASHES_EVERY.min(reads.len() / 10 + 1)) == 0 {
            if random.random_range(0..3) == 0 {
                changelog.compact(random);
            }
            crashed = changelog.restore(fresh());
            // What was not committed is decided again.
            for (again, read) in reads.iter().enumerate().take(at).skip(committed) {
                process(&mut crashed, again, read);
            }
        }
        let again = process(&mut crashed, at, read);
        for (one, other) in told.0.iter().zip(&again.0) {
            let text =
                |record: &OutRecord| String::from_utf8(record.value.clone().unwrap_or_default()).unwrap();
            assert!(
                one == other,
                "seed {seed}, record {at} of {}:\n{}\n{}",
                read.topic,
                text(one),
                text(other)
            );
        }
        assert!(told == again, "seed {seed}, record {at} of {}", read.topic);
        if random.random_range(0..3) == 0 {
            changelog.write(&mut crashed);
            committed = at + 1;
        }
    }
}

fn setup(city: &City) -> Arc<Setup> {
    let loaded = Loaded::read(&city.path("cityops.toml")).unwrap();
    Arc::new(cityops::assemble::setup(&loaded, 1).unwrap())
}

/// A storm's inputs as the batches of one enriched partition: the input partitions are read in turns of uneven length.
fn batches(city: &City, random: &mut ChaCha8Rng) -> Vec<Read> {
    let setup = setup(city);
    let names: Vec<Name> = (0..PARTITIONS).map(|at| format!("p-{at}").into()).collect();
    let mut queues: Vec<VecDeque<(EventTime, Input)>> = vec![VecDeque::new(); PARTITIONS];
    let mut now = EventTime::MIN;
    for input in file_log::enriched_inputs(setup.clone(), city.dir.path()).unwrap() {
        match input {
            Input::Tick(tick) => now = tick.clocks[0].1,
            Input::Activation(_) => {}
            other => {
                let own = match &other {
                    Input::Event(event) => event.key.event_id.bytes().map(usize::from).sum(),
                    _ => 0,
                };
                queues[own % PARTITIONS].push_back((now, other));
            }
        }
    }
    let mut batches = vec![vec![Input::Activation(Box::new(setup.activation(&names)))]];
    while queues.iter().any(|queue| !queue.is_empty()) {
        let own = random.random_range(0..PARTITIONS);
        let count = random.random_range(1..60).min(queues[own].len());
        let (times, mut batch): (Vec<_>, Vec<_>) = queues[own].drain(..count).unzip();
        let until = if queues[own].is_empty() {
            Some(&now)
        } else {
            times.last()
        };
        let clocks = until
            .map(|until| (names[own].clone(), *until))
            .into_iter()
            .collect();
        batch.push(Input::Tick(Tick { clocks }));
        batches.push(batch);
    }
    for minute in 1..180 {
        let clocks = names.iter().map(|name| (name.clone(), now + minute * 60_000));
        batches.push(vec![Input::Tick(Tick {
            clocks: clocks.collect(),
        })]);
    }
    let read = |inputs| Read {
        topic: Topic::Enriched,
        timestamp: now,
        value: serde_json::to_vec(&Batch { inputs }).unwrap(),
    };
    batches.into_iter().map(read).collect()
}

#[test]
fn correlate_restarts_publish_the_same_records() {
    let first = seed();
    for seed in first..first + rounds() {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let batches = batches(&City::new(Scenario::Typhoon, seed, 3_000), &mut random);
        hand_over(&batches, Correlate::new, &mut random, seed);
    }
}

#[test]
fn enrich_restarts_say_the_same_of_the_same_records() {
    let first = seed();
    for seed in first..first + rounds() {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let city = City::new(Scenario::Typhoon, seed, 3_000);
        let setup = setup(&city);
        let activation = Arc::new(setup.activation(&["p".into()]));
        let mut topics: BTreeMap<Source, Vec<Read>> = BTreeMap::new();
        for record in city_simulator::simulate(Scenario::Typhoon, seed, 3_000) {
            topics.entry(record.source).or_default().push(Read {
                topic: Topic::of(record.source),
                timestamp: EventTime::from_millis(record.arrival_ms),
                value: record.line.into_bytes(),
            });
        }
        for (source, reads) in topics {
            let fresh = || Enrich::new(setup.clone(), source, activation.clone());
            hand_over(&reads, fresh, &mut random, seed);
        }
    }
}

fn rounds() -> u64 {
    std::env::var("CITYOPS_TEST_ROUNDS").map_or(4, |rounds| rounds.parse().unwrap())
}
