//! One day over 1, 3 and 12 partitions, through the two processors as the workers run them, with no broker between them.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use city_model::{Batch, EventTime, Input, Ledger, Source, Tick};
use city_simulator::{Scenario, SimulatedRecord};
use cityops::committed::Grouping;
use cityops::topics::{EVENTS, INPUTS};
use cityops::workers::clock_inputs;
use incident_engine::{Engine, OutcomeRecord};
use stream_worker::{Correlate, Enrich, InputRecord, Outbox, Processor, Setup, input_partition_name};
use wire_format::Topic;

use crate::city::City;
use crate::stage::MINUTE;

/// A day of an ordinary city.
const DAY: usize = 36_000;
const SEED: u64 = 31;
/// A partition is read for so long before the next one is: what happened at once is read far apart.
const TURN_MS: i64 = 7 * MINUTE;

/// What a day came to.
struct Day {
    grouping: String,
    ledger: Ledger,
    decided_again: usize,
}

/// The records of one input partition that are still to be read, and who reads them.
struct Partition<'a> {
    topic: Topic,
    number: i32,
    left: &'a [&'a SimulatedRecord],
    enrich: Enrich,
    newest: Option<EventTime>,
}

impl Partition<'_> {
    fn read_until(&mut self, until: EventTime, out: &mut Outbox) {
        let count = self
            .left
            .partition_point(|record| record.arrival_ms < until.millis());
        for record in &self.left[..count] {
            let at = EventTime::from_millis(record.arrival_ms);
            let value = record.line.as_bytes();
            self.enrich
                .process(&read(self.topic, self.number, at, value), out);
            self.newest = Some(at);
        }
        self.left = &self.left[count..];
    }
}

fn read(topic: Topic, partition: i32, timestamp: EventTime, value: &[u8]) -> InputRecord<'_> {
    InputRecord {
        topic,
        partition,
        offset: 0,
        timestamp,
        key: None,
        value: Some(value),
        headers: &[],
    }
}

fn partition_of(key: &str, partitions: i32) -> i32 {
    let mut hasher = rustc_hash::FxHasher::default();
    key.hash(&mut hasher);
    (hasher.finish() % partitions as u64) as i32
}

/// What a tick says of every input partition: its newest record; of one without any, that it has been read until now.
fn tick(inputs: &[Partition<'_>], partitions: i32, now: EventTime) -> Tick {
    let all = EVENTS
        .iter()
        .flat_map(|topic| (0..partitions).map(move |number| (*topic, number)));
    let clocks = all.map(|(topic, number)| {
        let own = inputs
            .iter()
            .find(|one| (one.topic, one.number) == (topic, number));
        let newest = own.and_then(|own| own.newest).unwrap_or(now);
        (input_partition_name(topic, number), newest)
    });
    Tick {
        clocks: clocks.collect(),
    }
}

/// Reads the day with so many partitions of every source and of the enriched log.
fn run(setup: &Arc<Setup>, records: &[SimulatedRecord], partitions: i32) -> Day {
    let counts: BTreeMap<Topic, i32> = INPUTS.map(|topic| (topic, partitions)).into();
    let activation = Arc::new(setup.activation(&clock_inputs(&counts)));
    let mut placed: BTreeMap<(Source, i32), Vec<&SimulatedRecord>> = BTreeMap::new();
    for record in records {
        let place = (record.source, partition_of(&record.key, partitions));
        placed.entry(place).or_default().push(record);
    }
    let enrich = |source| Enrich::new(setup.clone(), source, activation.clone()).without_changelog();
    let mut inputs: Vec<Partition<'_>> = placed
        .iter()
        .map(|((source, number), records)| Partition {
            topic: Topic::of(*source),
            number: *number,
            left: records,
            enrich: enrich(*source),
            newest: None,
        })
        .collect();
    let correlate = || Correlate::without_changelog(Engine::default());
    let mut deciding: Vec<Correlate> = (0..partitions).map(|_| correlate()).collect();

    let mut out = Outbox::default();
    inputs
        .iter_mut()
        .for_each(|partition| partition.enrich.begin(&mut out));
    let (mut grouping, mut decided_again) = (Grouping::default(), 0);
    let mut now = EventTime::from_millis(records[0].arrival_ms);
    while inputs.iter().any(|partition| !partition.left.is_empty()) {
        now = now + TURN_MS;
        inputs
            .iter_mut()
            .for_each(|partition| partition.read_until(now, &mut out));
        let tick = tick(&inputs, partitions, now);
        for (number, correlate) in (0_i32..).zip(&mut deciding) {
            let mut inputs = out.inputs.remove(&number).unwrap_or_default();
            inputs.push(Input::Tick(tick.clone()));
            let batch = serde_json::to_vec(&Batch { inputs }).unwrap();
            correlate.process(&read(Topic::Enriched, number, now, &batch), &mut out);
        }
        for record in out
            .records
            .drain(..)
            .filter(|record| record.topic == Topic::Outcomes)
        {
            let told: OutcomeRecord = serde_json::from_slice(record.value.as_deref().unwrap()).unwrap();
            decided_again += usize::from(told.reason.as_deref() == Some("decided again"));
            grouping.take(record.key.as_deref(), Some(told));
        }
    }
    let mut ledger = Ledger::default();
    inputs
        .iter()
        .for_each(|partition| ledger.merge(partition.enrich.ledger()));
    deciding
        .iter()
        .for_each(|correlate| ledger.merge(correlate.ledger()));
    Day {
        grouping: grouping.digest(),
        ledger,
        decided_again,
    }
}

#[test]
fn a_day_over_1_3_and_12_partitions_has_the_grouping_of_its_replay() {
    let city = City::new(Scenario::Normal, SEED, DAY);
    let replayed = city.replayed("out").grouping_digest();
    let config = cityops::config::Loaded::read(&city.path("cityops.toml")).unwrap();
    let records: Vec<SimulatedRecord> = city_simulator::simulate(Scenario::Normal, SEED, DAY).collect();
    for partitions in [1, 3, 12] {
        let setup = cityops::assemble::setup(&config, partitions as u32).unwrap();
        let day = run(&Arc::new(setup), &records, partitions);
        assert_eq!(day.ledger.consumed(), DAY as i64);
        assert_eq!(day.ledger.unaccounted(), 0, "{partitions} partitions");
        assert_eq!(day.grouping, replayed, "{partitions} partitions");
        assert!(
            day.decided_again > 10,
            "sources are read far apart: {}",
            day.decided_again
        );
    }
}
