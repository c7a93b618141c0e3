//! Processes that share the work on a real Kafka are killed at random; then nothing is lost and nothing doubled.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod city;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use city::{City, Running, broker, expect, seed};
use city_model::{EventTime, Ledger, Outcome};
use city_simulator::Scenario;
use cityops::committed::LedgerRows;
use kafka_log::Properties;
use kafka_log::produce::{NewRecord, Sender};
use kafka_log::tail::{Tail, follow};
use rand::{RngExt, SeedableRng};
use wire_format::Topic;

const RECORDS: usize = 9_000;
const KILLS: usize = 6;
const PATIENCE: Duration = Duration::from_secs(180);

#[test]
fn killed_at_random_nothing_is_lost_and_nothing_doubled() {
    let seed = seed();
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let city = City::new(Scenario::Typhoon, seed, RECORDS);
    let name = format!("crash-{seed}-{}", std::process::id());
    city.on_kafka(&broker(), &name);
    let (config, log) = (city.config(), city.path("cityops.log"));
    let properties = Properties::from([("bootstrap.servers".to_owned(), broker())]);
    let prefix = format!("{name}.");
    expect(0, &["topics", "apply", "--config", &config]);
    expect(0, &["topics", "apply", "--config", &config]); // a second time changes nothing

    let run = || Running::start(&["run", "--config", &config], &log);
    let mut processes = vec![run(), run()];
    let mut feed = Feed::new(&properties, &prefix, seed);
    let watch = Watch::start(&properties, &prefix);
    let chunk = RECORDS / (KILLS + 1);
    for kill in 0..KILLS {
        feed.send(chunk);
        // Somewhere in the middle of this chunk, wherever the processes are with it just then.
        let at = (kill * chunk) as i64 + random.random_range(1..chunk as i64);
        wait(&format!("{at} records are read"), &log, || {
            watch.ledger().consumed() >= at
        });
        processes
            .swap_remove(random.random_range(0..processes.len()))
            .kill();
        processes.push(run());
    }
    feed.send(RECORDS);
    wait("every record has its outcome", &log, || {
        let ledger = watch.ledger();
        ledger.consumed() == RECORDS as i64 && ledger.unaccounted() == 0
    });
    let group = std::process::Command::new("deploy/kafka-local/tool")
        .args([
            "consumer-groups",
            "--describe",
            "--group",
            &format!("{name}-enrich"),
        ])
        .env("CITYOPS_KAFKA", broker())
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&group.stdout));
    for process in processes {
        assert_eq!(process.terminate(), Some(0), "{}", tail(&log));
    }

    // The ledger is complete, and the outcomes of single events agree with it.
    let read = cityops::outputs::ReadBack::of(&cityops::config::Loaded::builtin()).unwrap();
    let ledger = cityops::commands::ledger::committed(&properties, &prefix, &read).unwrap();
    assert_eq!(ledger.outcomes.values().sum::<i64>(), RECORDS as i64);
    let told = told(&properties, &prefix);
    for outcome in Outcome::ALL
        .iter()
        .filter(|o| !matches!(o, Outcome::DuplicateId | Outcome::BelowThreshold))
    {
        let counted = ledger.outcomes.get(outcome.as_str()).copied().unwrap_or(0);
        assert_eq!(
            told.get(outcome.as_str()).copied().unwrap_or(0),
            counted,
            "{outcome}"
        );
    }
    assert!(ledger.outcomes["joined"] > 0 && ledger.outcomes["opened"] > 0);

    // Deciding the committed log again gives the committed incidents byte for byte.
    let audit: serde_json::Value =
        serde_json::from_str(&expect(0, &["--json", "audit", "--config", &config])).unwrap();
    assert_eq!(
        audit["grouping_digest"].as_str(),
        ledger.grouping_digest.as_deref()
    );
    // What was decided again may have become part of another incident, which one event opened.
    let standing = audit["incidents"].as_i64().unwrap() - audit["merged"].as_i64().unwrap();
    assert_eq!(Some(standing), ledger.outcomes.get("opened").copied());
    assert!(
        audit["differences"].as_array().is_some_and(Vec::is_empty),
        "{audit}"
    );
    println!("{audit}");

    // Standard tools see no lag: the committed offset is the end, control records included.
    let lags = String::from_utf8_lossy(&group.stdout).into_owned();
    assert!(lags.contains(&format!("{name}-enrich")), "{lags}");
}

/// The simulated records, sent to their topics in order.
struct Feed {
    records: city_simulator::Simulation,
    sender: Sender,
    prefix: String,
}

impl Feed {
    fn new(properties: &Properties, prefix: &str, seed: u64) -> Feed {
        Feed {
            records: city_simulator::simulate(Scenario::Typhoon, seed, RECORDS),
            sender: Sender::new(properties).unwrap(),
            prefix: prefix.to_owned(),
        }
    }

    fn send(&mut self, count: usize) {
        for record in self.records.by_ref().take(count) {
            let topic = kafka_log::topic_name(&self.prefix, Topic::of(record.source));
            self.sender
                .send(&NewRecord {
                    topic: &topic,
                    partition: None,
                    key: Some(record.key.as_bytes()),
                    value: Some(record.line.as_bytes()),
                    timestamp: Some(EventTime::from_millis(record.arrival_ms)),
                    headers: &[],
                })
                .unwrap();
        }
        self.sender.flush().unwrap();
    }
}

/// Follows the committed ledger with one client, so that looking costs the processes under test nothing.
struct Watch {
    ledger: Arc<Mutex<Ledger>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    fn start(properties: &Properties, prefix: &str) -> Watch {
        let (ledger, stop) = (
            Arc::new(Mutex::new(Ledger::default())),
            Arc::new(AtomicBool::new(false)),
        );
        let (properties, prefix) = (properties.clone(), prefix.to_owned());
        let (told, end) = (ledger.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            let mut rows = LedgerRows::default();
            let each = |tail: Tail<'_>| {
                if let Tail::Record(topic, record) = tail
                    && rows.take(topic, record.partition(), record.key(), record.value())
                {
                    *told.lock().unwrap() = rows.sum();
                }
            };
            follow(
                &properties,
                &prefix,
                &[Topic::EnrichChangelog, Topic::CorrelateChangelog],
                each,
                &end,
            )
            .unwrap();
        });
        Watch {
            ledger,
            stop,
            thread: Some(thread),
        }
    }

    fn ledger(&self) -> Ledger {
        self.ledger.lock().unwrap().clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// How many events have each outcome as their newest.
fn told(properties: &Properties, prefix: &str) -> BTreeMap<String, i64> {
    let mut newest: BTreeMap<Vec<u8>, String> = BTreeMap::new();
    kafka_log::read::read_all(
        properties,
        &kafka_log::topic_name(prefix, Topic::Outcomes),
        |record| {
            let told: serde_json::Value = serde_json::from_slice(record.value().unwrap()).unwrap();
            newest.insert(
                record.key().unwrap().to_vec(),
                told["outcome"].as_str().unwrap().to_owned(),
            );
            ControlFlow::Continue(())
        },
    )
    .unwrap();
    let mut counts = BTreeMap::new();
    for outcome in newest.into_values() {
        *counts.entry(outcome).or_default() += 1;
    }
    counts
}

/// Looks again, twenty times a second, until it is so; the clock only bounds it.
fn wait(what: &str, log: &std::path::Path, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(
            Instant::now() < deadline,
            "waited in vain until {what}\n{}",
            tail(log)
        );
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

fn tail(log: &std::path::Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
