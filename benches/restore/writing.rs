//! Writes the changelog: a storm many times side by side, decided by engines, their rows as they come.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use city_model::{Event, Input, Position, Tick};
use city_simulator::Scenario;
use kafka_log::Properties;
use kafka_log::produce::{NewRecord, Sender};
use stream_worker::{Correlate, Outbox, Processor};
use wire_format::Topic;

use crate::city::{City, expect};

/// Records of the storm, of which copies are made.
const STORM: usize = 20_000;
const SEED: u64 = 3;
/// Inputs to a batch: rows of one key within it are one row.
const BATCH: usize = 500;

/// A changelog on the broker.
pub(crate) struct Written {
    pub(crate) prefix: String,
    /// Events that the engines remember.
    pub(crate) events: u64,
    /// Of them, those whose incident is open; and how many such incidents there are, and incidents at all.
    open_events: u64,
    open: usize,
    incidents: usize,
    /// Keys and values of the newest row of each key, and of all rows.
    pub(crate) live_bytes: u64,
    live_rows: usize,
    written_bytes: u64,
    written_rows: u64,
    _city: City,
}

impl Written {
    pub(crate) fn write(
        properties: &Properties,
        bootstrap: &str,
        events: usize,
        partitions: usize,
    ) -> Written {
        let city = City::new(Scenario::Typhoon, SEED, STORM);
        let loaded = cityops::config::Loaded::read(&city.path("cityops.toml")).unwrap();
        let setup = Arc::new(cityops::assemble::setup(&loaded, 1).unwrap());
        let activation = Input::Activation(Box::new(setup.activation(&["replay".into()])));
        let inputs = file_log::enriched_inputs(setup, city.dir.path()).unwrap();
        let name = format!("restore-{}-{events}", std::process::id());
        city.on_kafka(bootstrap, &name);
        let path = city.path("cityops.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.replace(
            "enriched_partitions = 4",
            &format!("enriched_partitions = {partitions}"),
        );
        std::fs::write(&path, text).unwrap();
        expect(0, &["topics", "apply", "--config", &city.config()]);
        let mut written = Written {
            prefix: format!("{name}."),
            events: 0,
            open_events: 0,
            open: 0,
            incidents: 0,
            live_bytes: 0,
            live_rows: 0,
            written_bytes: 0,
            written_rows: 0,
            _city: city,
        };
        let storm = inputs
            .iter()
            .filter(|input| matches!(input, Input::Event(_)))
            .count();
        let copies = events.div_ceil(storm).max(partitions);
        let sender = Sender::new(properties).unwrap();
        for partition in 0..partitions {
            let own: Vec<i64> = (0..copies as i64)
                .filter(|copy| *copy as usize % partitions == partition)
                .collect();
            written.partition(&sender, partition as i32, &activation, &inputs, &own);
        }
        sender.flush().unwrap();
        written
    }

    /// The changelog's name on the broker.
    pub(crate) fn changelog(&self) -> String {
        kafka_log::topic_name(&self.prefix, Topic::CorrelateChangelog)
    }

    fn partition(
        &mut self,
        sender: &Sender,
        partition: i32,
        activation: &Input,
        inputs: &[Input],
        copies: &[i64],
    ) {
        let topic = self.changelog();
        let mut correlate = Correlate::new();
        let mut live: HashMap<String, u64> = HashMap::new();
        let mut taken = 0;
        let mut flush = |correlate: &mut Correlate, live: &mut HashMap<String, u64>| {
            let mut out = Outbox::default();
            correlate.checkpoint(&mut out);
            for (row, value) in out.rows {
                let key = format!("{}/{row}", Topic::Enriched.name());
                let bytes = (key.len() + value.as_ref().map_or(0, Vec::len)) as u64;
                self.written_bytes += bytes;
                self.written_rows += 1;
                sender
                    .send(&NewRecord {
                        topic: &topic,
                        partition: Some(partition),
                        key: Some(key.as_bytes()),
                        value: value.as_deref(),
                        timestamp: None,
                        headers: &[],
                    })
                    .unwrap();
                match value {
                    Some(_) => live.insert(key, bytes),
                    None => live.remove(&key),
                };
            }
            // As a transaction does; and a slow broker holds the bench, not a queue of fifty thousand rows.
            sender.flush().unwrap();
        };
        let mut step = |correlate: &mut Correlate, live: &mut HashMap<String, u64>, input: &Input| {
            correlate.take(input);
            taken += 1;
            if taken % BATCH == 0 {
                flush(correlate, live);
            }
        };
        step(&mut correlate, &mut live, activation);
        for input in inputs {
            match input {
                Input::Event(event) => {
                    for copy in copies {
                        step(
                            &mut correlate,
                            &mut live,
                            &Input::Event(Arc::new(shifted(event, *copy))),
                        );
                    }
                }
                other => step(&mut correlate, &mut live, other),
            }
        }
        for minute in 1..=later_minutes() {
            let last = inputs.iter().rev().find_map(|input| match input {
                Input::Tick(tick) => tick.clocks.first().cloned(),
                _ => None,
            });
            let (clock, at) = last.unwrap();
            let clocks = vec![(clock, at + minute * 60_000)];
            step(&mut correlate, &mut live, &Input::Tick(Tick { clocks }));
        }
        flush(&mut correlate, &mut live);
        let engine = correlate.engine();
        let (incidents, open) = engine.sizes();
        self.incidents += incidents;
        self.open += open;
        self.events += engine.remembered().0 as u64;
        self.open_events += engine
            .open_incidents()
            .map(|incident| incident.member_count)
            .sum::<u64>();
        self.live_bytes += live.values().sum::<u64>();
        self.live_rows += live.len();
    }

    pub(crate) fn tell(&self, took: Duration) {
        println!(
            "\n{} minutes after a storm: {} events remembered, {} of them in {} open incidents ({} kept); live state {} rows of {:.1} MB, {:.0} bytes an event; \
             decided and written in {:.0} s",
            later_minutes(),
            self.events,
            self.open_events,
            self.open,
            self.incidents,
            self.live_rows,
            self.live_bytes as f64 / 1e6,
            self.live_bytes as f64 / self.events as f64,
            took.as_secs_f64(),
        );
        println!(
            "  {} rows of {:.1} MB were written, {:.1} times the live state",
            self.written_rows,
            self.written_bytes as f64 / 1e6,
            self.written_bytes as f64 / self.live_bytes as f64,
        );
    }

    pub(crate) fn tell_log(&self, when: &str, disk: u64) {
        println!("  the log {when}: {:.1} MB on disk", disk as f64 / 1e6);
    }
}

/// How long it has been quiet since.
fn later_minutes() -> i64 {
    let hours = std::env::var("CITYOPS_BENCH_LATER").map_or(0.0, |hours| hours.parse().unwrap());
    (hours * 60.0) as i64
}

/// The same storm elsewhere.
fn shifted(event: &Event, copy: i64) -> Event {
    let mut event = event.clone();
    for name in [
        &mut event.device,
        &mut event.component,
        &mut event.ticket,
        &mut event.cites,
        &mut event.town,
    ] {
        *name = name.as_deref().map(|text| format!("{copy}-{text}").into());
    }
    event.key.event_id = format!("{copy}-{}", event.key.event_id).into();
    if let Some(located) = &mut event.located {
        let Position { lon_e9, lat_e9 } = located.position;
        located.position = Position {
            lon_e9: lon_e9 + copy % 16 * 1_000_000_000,
            lat_e9: lat_e9 + copy / 16 * 1_000_000_000,
        };
    }
    event
}
