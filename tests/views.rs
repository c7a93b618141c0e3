//! The topics of the bands hold at any commit exactly the open incidents of that band: under a storm with commands and silences,
//! with processors that take over from each other, and after compaction of what was written.
#![allow(clippy::unwrap_used, reason = "tests")]

mod city;

use std::collections::BTreeMap;
use std::sync::Arc;

use city::{City, seed};
use city_model::{
    Action, Band, Batch, Command, EventKey, EventTime, IncidentId, Input, Position, Silence, SilenceArea,
};
use city_simulator::Scenario;
use cityops::config::Loaded;
use incident_engine::IncidentRecord;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use stream_worker::{Correlate, InputRecord, OutRecord, Outbox, Processor};
use wire_format::Topic;

/// A committed topic, and what a reader who has read all of it knows.
#[derive(Default)]
struct Topics {
    log: Vec<OutRecord>,
    known: BTreeMap<Topic, BTreeMap<Vec<u8>, IncidentRecord>>,
}

fn read(known: &mut BTreeMap<Topic, BTreeMap<Vec<u8>, IncidentRecord>>, record: &OutRecord) {
    let known = known.entry(record.topic).or_default();
    let key = record.key.clone().unwrap();
    match &record.value {
        Some(value) => known.insert(key, serde_json::from_slice(value).unwrap()),
        None => known.remove(&key),
    };
}

impl Topics {
    fn commit(&mut self, records: Vec<OutRecord>) {
        let is_view = |record: &OutRecord| {
            record.topic == Topic::Incidents
                || Band::ALL.iter().any(|band| record.topic == Topic::of_band(*band))
        };
        for record in records.into_iter().filter(is_view) {
            if record.topic != Topic::Incidents && record.value.is_none() {
                let last = &self.known[&record.topic][record.key.as_ref().unwrap()];
                assert!(
                    last.superseded,
                    "a tombstone comes behind a last record that says so: {last:?}"
                );
            }
            read(&mut self.known, &record);
            self.log.push(record);
        }
    }

    /// Each band's topic against the one truth.
    fn check(&self, seed: u64) {
        check(&self.known, seed);
    }

    /// What compaction leaves, in its order: of each key the last record of a beginning, with some tombstones gone already.
    fn compact(&mut self, random: &mut ChaCha8Rng, seed: u64) {
        let dirty = random.random_range(0..=self.log.len());
        let key = |record: &OutRecord| (record.topic, record.key.clone());
        let last: BTreeMap<_, usize> = self
            .log
            .iter()
            .enumerate()
            .map(|(at, record)| (key(record), at))
            .collect();
        let mut at = 0;
        self.log.retain(|record| {
            let is_last = last[&key(record)] == at;
            at += 1;
            at > dirty || (is_last && (record.value.is_some() || random.random_range(0..2) == 0))
        });
        let mut joined = BTreeMap::new();
        self.log.iter().for_each(|record| read(&mut joined, record));
        check(&joined, seed);
    }
}

fn check(known: &BTreeMap<Topic, BTreeMap<Vec<u8>, IncidentRecord>>, seed: u64) {
    let none = BTreeMap::new();
    let truth = known.get(&Topic::Incidents).unwrap_or(&none);
    for band in Band::ALL {
        let view = known.get(&Topic::of_band(*band)).unwrap_or(&none);
        let is_in = |record: &&IncidentRecord| record.status == "OPEN" && record.priority.band == *band;
        let expected: Vec<_> = truth.values().filter(is_in).collect();
        assert!(
            view.values().eq(expected.iter().copied()),
            "seed {seed}, {band}: {:?} instead of {:?}",
            view.values()
                .map(|r| (&r.incident_id, r.revision))
                .collect::<Vec<_>>(),
            expected
                .iter()
                .map(|r| (&r.incident_id, r.revision))
                .collect::<Vec<_>>()
        );
    }
}

/// A word of the centre about some incident that readers know.
fn word(topics: &Topics, random: &mut ChaCha8Rng, number: usize, at: EventTime) -> Option<Input> {
    let incidents: Vec<&IncidentRecord> = topics.known.get(&Topic::Incidents)?.values().collect();
    let incident = incidents[random.random_range(0..incidents.len())];
    let akin = |other: &&&IncidentRecord| {
        other.incident_id != incident.incident_id && other.incident_id.group() == incident.incident_id.group()
    };
    let akin: Vec<_> = incidents.iter().filter(akin).collect();
    let event_ids = incident.members.iter().take(1);
    let event_ids = event_ids.map(|m| EventKey::new(&m.source_system, &m.event_id).to_string().into());
    Some(Input::Command(Command {
        command_id: format!("k{number}").into(),
        incident_id: incident.incident_id.clone(),
        action: Action::ALL[random.random_range(0..Action::ALL.len())],
        reason: None,
        other_incident_id: (!akin.is_empty())
            .then(|| akin[random.random_range(0..akin.len())].incident_id.clone()),
        event_ids: event_ids.collect(),
        band: Some(Band::ALL[random.random_range(0..Band::ALL.len())]),
        deadline: Some(at + 3_600_000),
        operator: "duty".into(),
        issued_at: at,
    }))
}

/// Works over the whole city, for some hours.
fn works(random: &mut ChaCha8Rng, number: usize, at: EventTime) -> Input {
    let corner = |lon: f64, lat: f64| Position::from_degrees(lon, lat).unwrap();
    let all = vec![
        corner(120.0, 30.0),
        corner(123.0, 30.0),
        corner(123.0, 33.0),
        corner(120.0, 33.0),
    ];
    Input::Silence {
        silence: Silence {
            silence_id: format!("W{}", number % 3).into(),
            kinds: Vec::new(),
            area: SilenceArea::Rings(vec![all]),
            starts_at: at + random.random_range(-30..30) * 60_000,
            ends_at: at + random.random_range(31..120) * 60_000,
            reason: "works".into(),
        },
        counts: true,
        note: None,
    }
}

/// The batches of one enriched partition: a storm, with silences now and then.
fn batches(city: &City, random: &mut ChaCha8Rng) -> Vec<(Vec<Input>, EventTime)> {
    let setup = Loaded::read(&city.path("cityops.toml")).unwrap();
    let setup = Arc::new(cityops::assemble::setup(&setup, 1).unwrap());
    let mut batches = Vec::new();
    let mut batch = Vec::new();
    let inputs = file_log::enriched_inputs(setup.clone(), city.dir.path()).unwrap();
    let Some(Input::Tick(first)) = inputs.first() else {
        panic!("a log begins with a tick: {:?}", inputs.first());
    };
    batch.push(Input::Activation(Box::new(
        setup.activation(&[first.clocks[0].0.clone()]),
    )));
    let mut now = EventTime::MIN;
    let mut size = 1;
    for input in inputs {
        if let Input::Tick(tick) = &input {
            now = tick.clocks[0].1;
        }
        batch.push(input);
        if batch.len() >= size {
            // By count, for by chance a seed may have hardly any.
            if now > EventTime::MIN && batches.len() % 20 == 10 {
                batch.push(works(random, batches.len(), now));
            }
            batches.push((std::mem::take(&mut batch), now));
            size = random.random_range(1..40);
        }
    }
    batches.push((batch, now));
    batches
}

fn process(processor: &mut Correlate, offset: usize, inputs: &[Input]) -> Vec<OutRecord> {
    let value = serde_json::to_vec(&Batch {
        inputs: inputs.to_vec(),
    })
    .unwrap();
    let mut out = Outbox::default();
    let record = InputRecord {
        topic: Topic::Enriched,
        partition: 0,
        offset: offset as i64,
        timestamp: EventTime::from_millis(0),
        key: None,
        value: Some(&value),
        headers: &[],
    };
    processor.process(&record, &mut out);
    out.records
}

#[test]
fn a_band_s_topic_holds_at_any_commit_the_open_incidents_of_that_band() {
    let first = seed();
    let rounds = std::env::var("CITYOPS_TEST_ROUNDS").map_or(2, |rounds| rounds.parse().unwrap());
    for seed in first..first + rounds {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let batches = batches(&City::new(Scenario::Typhoon, seed, 2_500), &mut random);
        let mut topics = Topics::default();
        let mut processor = Correlate::new();
        let mut changelog: BTreeMap<String, Option<Vec<u8>>> = BTreeMap::new();
        let (mut applied, mut silenced) = (0, 0);
        for (at, (inputs, now)) in batches.iter().enumerate() {
            let mut inputs = inputs.clone();
            if random.random_range(0..3) == 0 {
                inputs.extend(word(&topics, &mut random, at, *now));
            }
            let mut told = process(&mut processor, at, &inputs);
            if random.random_range(0..30) == 0 {
                // The process dies before it commits: another one decides the batch again.
                processor = Correlate::new();
                for (key, value) in &changelog {
                    processor.restore(key, value.as_deref()).unwrap();
                }
                let again = process(&mut processor, at, &inputs);
                assert!(told == again, "seed {seed}, batch {at}");
                told = again;
            }
            let mut out = Outbox::default();
            processor.checkpoint(&mut out);
            changelog.extend(out.rows);
            let outcomes = told.iter().filter(|record| record.topic == Topic::Outcomes);
            for record in outcomes.filter_map(|record| record.value.as_ref()) {
                let text = String::from_utf8_lossy(record);
                applied += usize::from(text.contains("\"applied\""));
                silenced += usize::from(text.contains("\"silenced\""));
            }
            topics.commit(told);
            topics.check(seed);
            if random.random_range(0..20) == 0 {
                topics.compact(&mut random, seed);
            }
        }
        assert!(
            applied > 20 && silenced > 20,
            "seed {seed}: {applied} applied, {silenced} silenced"
        );
        let left: usize = Band::ALL
            .iter()
            .map(|band| topics.known[&Topic::of_band(*band)].len())
            .sum();
        assert!(left > 0, "seed {seed}: nothing is open at the end");
        let ids: Vec<&IncidentId> = topics.known[&Topic::Incidents]
            .values()
            .map(|r| &r.incident_id)
            .collect();
        assert!(ids.len() > 50, "seed {seed}");
    }
}
