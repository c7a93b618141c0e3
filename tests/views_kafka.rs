//! Readers of one band's topic alone, who come at any moment of a run on a real Kafka, know that band's open incidents; also
//! while a process is killed.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod city;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use city::feed::Feed;
use city::{City, Running, broker, expect, seed};
use city_model::Band;
use city_simulator::Scenario;
use incident_engine::IncidentRecord;
use kafka_log::Properties;
use wire_format::Topic;

const RECORDS: usize = 6_000;
const CHUNKS: usize = 6;
const PATIENCE: Duration = Duration::from_secs(180);

/// The committed records of a topic, by key in their order; `None` is a tombstone.
type History = BTreeMap<Vec<u8>, Vec<Option<IncidentRecord>>>;

struct Reader {
    properties: Properties,
    prefix: String,
}

impl Reader {
    fn history(&self, topic: Topic) -> History {
        let mut history = History::new();
        let name = kafka_log::topic_name(&self.prefix, topic);
        kafka_log::read::read_all(&self.properties, &name, |record| {
            let value = record.value().map(|value| serde_json::from_slice(value).unwrap());
            history
                .entry(record.key().unwrap().to_vec())
                .or_default()
                .push(value);
            ControlFlow::Continue(())
        })
        .unwrap();
        history
    }

    /// What one knows who reads this band's topic alone.
    fn view(&self, band: Band) -> BTreeMap<Vec<u8>, IncidentRecord> {
        let history = self.history(Topic::of_band(band));
        let last = history
            .into_iter()
            .filter_map(|(key, records)| Some((key, records.into_iter().last()??)));
        last.collect()
    }

    /// Joins: reads a band's topic between two readings of the truth, and holds it to both.
    fn join(&self, band: Band) -> usize {
        let before = self.history(Topic::Incidents);
        let view = self.view(band);
        let after = self.history(Topic::Incidents);
        let is_in = |record: &IncidentRecord| record.status == "OPEN" && record.priority.band == band;
        for (key, seen) in &view {
            assert!(
                !seen.superseded,
                "{band}: a last record without its tombstone: {seen:?}"
            );
            let revisions = after[key].iter().flatten();
            let truth: Vec<_> = revisions
                .filter(|record| record.revision == seen.revision)
                .collect();
            assert_eq!(truth, [seen], "{band}: each record is one of the truth's");
            assert!(is_in(seen), "{band}: {seen:?}");
            let known = before.get(key).and_then(|records| records.last());
            if let Some(Some(known)) = known {
                assert!(
                    seen.revision >= known.revision,
                    "{band}: {seen:?} behind {known:?}"
                );
            }
        }
        for (key, records) in &before {
            let Some(Some(known)) = records.last() else {
                continue;
            };
            if !is_in(known) || view.contains_key(key) {
                continue;
            }
            // It is not shown: then it had left before the view was read.
            let later = after[key]
                .iter()
                .flatten()
                .filter(|record| record.revision > known.revision);
            assert!(
                later.into_iter().any(|record| !is_in(record)),
                "{band} lacks {known:?}"
            );
        }
        view.len()
    }

    fn incidents(&self) -> usize {
        self.history(Topic::Incidents).values().map(Vec::len).sum()
    }
}

#[test]
fn whoever_joins_a_band_s_topic_at_any_moment_knows_what_is_open_in_it() {
    let seed = seed();
    let city = City::new(Scenario::Typhoon, seed, RECORDS);
    let name = format!("views-{seed}-{}", std::process::id());
    city.on_kafka(&broker(), &name);
    let (config, log) = (city.config(), city.path("cityops.log"));
    let reader = Reader {
        properties: Properties::from([("bootstrap.servers".to_owned(), broker())]),
        prefix: format!("{name}."),
    };
    expect(0, &["topics", "apply", "--config", &config]);
    let run = || Running::start(&["run", "--config", &config], &log);
    let mut process = run();
    let feed = Feed::new(&reader.properties, &reader.prefix);
    let mut records = city_simulator::simulate(Scenario::Typhoon, seed, RECORDS);
    let mut joined = BTreeMap::new();
    let mut published = 0;
    for chunk in 0..CHUNKS {
        for record in records.by_ref().take(RECORDS / CHUNKS) {
            feed.send(&record);
        }
        feed.flush();
        // As soon as something of this chunk is out, with the rest of it under way.
        let deadline = Instant::now() + PATIENCE;
        while reader.incidents() <= published {
            assert!(Instant::now() < deadline, "nothing is published\n{}", tail(&log));
            std::thread::park_timeout(Duration::from_millis(50));
        }
        if chunk % 2 == 1 {
            process.kill();
            process = run();
        }
        for band in Band::ALL {
            *joined.entry(*band).or_insert(0) += reader.join(*band);
        }
        published = reader.incidents();
    }
    assert!(joined.values().all(|seen| *seen > 0), "{joined:?}");
    println!("seen by those who joined: {joined:?}");

    // When everything is written, the bands are the truth, told apart.
    let deadline = Instant::now() + PATIENCE;
    loop {
        let audit = city::run(&["--json", "ledger", "--config", &config]);
        let ledger: serde_json::Value = serde_json::from_slice(&audit.stdout).unwrap_or_default();
        if ledger["consumed"] == RECORDS && ledger["unaccounted"] == 0 {
            break;
        }
        assert!(Instant::now() < deadline, "{ledger}\n{}", tail(&log));
        std::thread::park_timeout(Duration::from_millis(250));
    }
    assert_eq!(process.terminate(), Some(0), "{}", tail(&log));
    let truth = reader.history(Topic::Incidents);
    for band in Band::ALL {
        let last = truth
            .iter()
            .filter_map(|(key, records)| Some((key, records.last()?.as_ref()?)));
        let open = last.filter(|(_, record)| record.status == "OPEN" && record.priority.band == *band);
        let expected: BTreeMap<_, _> = open.map(|(key, record)| (key.clone(), record.clone())).collect();
        assert_eq!(reader.view(*band), expected, "{band}");
    }
}

fn tail(log: &std::path::Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
