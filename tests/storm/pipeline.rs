//! The two processors of the workers with nothing between them, and a count of what they hand over and keep.

use std::collections::BTreeMap;
use std::sync::Arc;

use city_model::{Batch, EventTime, Input, Ledger, Tick};
use cityops::topics::{EVENTS, INPUTS};
use cityops::workers::clock_inputs;
use serde_json::Value;
use stream_worker::{Correlate, Enrich, InputRecord, Outbox, Processor, input_partition_name};
use wire_format::Topic;

use crate::records::Told;

/// What is kept at the end of a batch, or the most of it that ever was.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) incidents: usize,
    pub(crate) open: usize,
    /// Events whose identity is remembered, and those that may be decided again.
    pub(crate) events: usize,
    pub(crate) unsettled: usize,
    /// State rows, their bytes, and the bytes of the largest incident's.
    pub(crate) rows: usize,
    pub(crate) bytes: usize,
    pub(crate) largest: usize,
}

impl Kept {
    fn most(self, other: Kept) -> Kept {
        Kept {
            incidents: self.incidents.max(other.incidents),
            open: self.open.max(other.open),
            events: self.events.max(other.events),
            unsettled: self.unsettled.max(other.unsettled),
            rows: self.rows.max(other.rows),
            bytes: self.bytes.max(other.bytes),
            largest: self.largest.max(other.largest),
        }
    }
}

/// Enrich and correlate on one partition each, and their books.
pub(crate) struct Pipeline {
    enrich: BTreeMap<Topic, Enrich>,
    correlate: Correlate,
    rows: BTreeMap<String, usize>,
    ticks: usize,
    /// The most revisions that one incident had in one tick on a topic.
    pub(crate) most_in_a_tick: BTreeMap<Topic, usize>,
    /// Each event that became a member of a P1, with the tick in which that was shown first.
    pub(crate) urgent_since: BTreeMap<String, usize>,
    /// The tick in which each event was decided.
    pub(crate) decided_in: BTreeMap<String, usize>,
    pub(crate) most: Kept,
}

impl Pipeline {
    pub(crate) fn new() -> Pipeline {
        let config = cityops::config::Loaded::builtin();
        let setup = Arc::new(cityops::assemble::setup(&config, 1).unwrap());
        let activation = Arc::new(setup.activation(&clock_inputs(&INPUTS.map(|topic| (topic, 1)).into())));
        let enrich = EVENTS.map(|topic| {
            let enrich = Enrich::new(setup.clone(), topic.source().unwrap(), activation.clone());
            (topic, enrich.without_changelog())
        });
        let mut pipeline = Pipeline {
            enrich: enrich.into(),
            correlate: Correlate::new(),
            rows: BTreeMap::new(),
            ticks: 0,
            most_in_a_tick: BTreeMap::new(),
            urgent_since: BTreeMap::new(),
            decided_in: BTreeMap::new(),
            most: Kept::default(),
        };
        let mut out = Outbox::default();
        pipeline
            .enrich
            .values_mut()
            .for_each(|enrich| enrich.begin(&mut out));
        let activation = out.inputs.remove(&0).unwrap_or_default();
        pipeline.decide(activation, 0);
        pipeline
    }

    /// The tick at a time, and then a batch of records.
    pub(crate) fn read(&mut self, tick: i64, batch: &[Told]) {
        let mut out = Outbox::default();
        for told in batch {
            let record = input(told.topic, told.at, told.value.as_bytes());
            self.enrich
                .get_mut(&told.topic)
                .unwrap()
                .process(&record, &mut out);
        }
        let clocks = EVENTS.map(|topic| (input_partition_name(topic, 0), EventTime::from_millis(tick)));
        let mut inputs = vec![Input::Tick(Tick {
            clocks: clocks.into(),
        })];
        inputs.extend(out.inputs.remove(&0).unwrap_or_default());
        self.decide(inputs, tick);
    }

    /// Lets the engine decide a tick and what follows it until the next, as one record of the enriched log.
    fn decide(&mut self, inputs: Vec<Input>, at: i64) {
        self.ticks += 1;
        for event in inputs.iter().filter_map(|input| match input {
            Input::Event(event) => Some(event),
            _ => None,
        }) {
            self.decided_in.insert(event.key.event_id.to_string(), self.ticks);
        }
        let batch = serde_json::to_vec(&Batch { inputs }).unwrap();
        let mut out = Outbox::default();
        self.correlate
            .process(&input(Topic::Enriched, at, &batch), &mut out);
        self.correlate.checkpoint(&mut out);
        let mut told: BTreeMap<(Topic, &[u8]), usize> = BTreeMap::new();
        for record in &out.records {
            let (Some(key), Some(value)) = (&record.key, &record.value) else {
                continue;
            };
            *told.entry((record.topic, key)).or_default() += 1;
            if record.topic == Topic::IncidentsP1 {
                self.see(&serde_json::from_slice(value).unwrap());
            }
        }
        for ((topic, _), count) in told {
            let most = self.most_in_a_tick.entry(topic).or_default();
            *most = (*most).max(count);
        }
        for (key, value) in out.rows {
            match value {
                Some(value) => self.rows.insert(key, value.len()),
                None => self.rows.remove(&key),
            };
        }
        self.most = self.most.most(self.kept());
    }

    fn see(&mut self, incident: &Value) {
        for member in incident["members"].as_array().unwrap() {
            let id = member["event_id"].as_str().unwrap();
            self.urgent_since.entry(id.to_owned()).or_insert(self.ticks);
        }
    }

    /// What is kept now.
    pub(crate) fn kept(&self) -> Kept {
        let engine = self.correlate.engine();
        let ((incidents, open), (events, unsettled)) = (engine.sizes(), engine.remembered());
        let of_incidents = self.rows.iter().filter(|(key, _)| key.starts_with("incident/"));
        Kept {
            incidents,
            open,
            events,
            unsettled,
            rows: self.rows.len(),
            bytes: self.rows.iter().map(|(key, value)| key.len() + value).sum(),
            largest: of_incidents.map(|(_, value)| *value).max().unwrap_or(0),
        }
    }

    pub(crate) fn ledger(&self) -> Ledger {
        let mut ledger = self.correlate.ledger().clone();
        self.enrich
            .values()
            .for_each(|enrich| ledger.merge(enrich.ledger()));
        ledger
    }
}

fn input(topic: Topic, at: i64, value: &[u8]) -> InputRecord<'_> {
    InputRecord {
        topic,
        partition: 0,
        offset: 0,
        timestamp: EventTime::from_millis(at),
        key: None,
        value: Some(value),
        headers: &[],
    }
}
