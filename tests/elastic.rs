//! Processes come and go under load, one to four on twelve partitions: what they make is what one calm run over files makes.
//!
//! A short run by default; `CITYOPS_ELASTIC=20` goes through so many rounds of one, two and four processes.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "tests"
)]

mod city;
#[path = "faults/feed.rs"]
mod feed;
#[path = "faults/verdict.rs"]
mod verdict;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use city::feed::LedgerWatch;
use city::{City, Running, broker, expect, seed, web};
use city_simulator::Scenario;
use kafka_log::Properties;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use wire_format::Topic;

use feed::Feed;
use verdict::{Judged, verdict};

/// Partitions of every source topic and of the enriched log.
const PARTITIONS: usize = 12;
/// How many processes there are, one after the other.
const ROUND: [usize; 5] = [1, 2, 4, 2, 1];
/// Records fed while each number of processes comes about and works.
const RECORDS_PER_STEP: usize = 500;
/// How long anything may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(180);

/// A process and its log.
struct Member {
    running: Running,
    log: PathBuf,
}

impl Member {
    /// How many partitions of the enriched log it holds; `None` when it does not answer.
    fn holds(&self) -> Option<usize> {
        let text = web::get(&web::address(&self.log)?, "/metrics")?;
        let series = format!(
            "cityops_consumer_lag_records{{partition=\"{{}}\",topic=\"{}\"}}",
            Topic::Enriched.name()
        );
        let held = |partition: usize| {
            let series = series.replace("{}", &partition.to_string());
            text.lines().any(|line| line.starts_with(&series))
        };
        Some((0..PARTITIONS).filter(|partition| held(*partition)).count())
    }

    fn is_ready(&self) -> bool {
        web::address(&self.log)
            .and_then(|address| web::get(&address, "/readyz"))
            .is_some_and(|told| told.contains("\"ready\":true"))
    }
}

struct Stage {
    city: City,
    members: Vec<Member>,
    started: usize,
    feed: Feed,
    watch: LedgerWatch,
}

impl Stage {
    fn add(&mut self) {
        self.started += 1;
        let log = self.city.path(&format!("process-{}.log", self.started));
        let running = Running::start(&["run", "--config", &self.city.config()], &log);
        self.members.push(Member { running, log });
    }

    /// Adds processes, or asks random ones to stop, until there are so many. Those that stop must drain and end well.
    fn be(&mut self, count: usize, random: &mut ChaCha8Rng) {
        while self.members.len() < count {
            self.add();
        }
        while self.members.len() > count {
            let index = random.random_range(0..self.members.len());
            let member = self.members.swap_remove(index);
            let code = member.running.terminate();
            assert_eq!(code, Some(0), "{}", tail(&member.log));
        }
    }

    /// Whether all are ready and share the partitions evenly.
    fn shared(&self) -> bool {
        let least = PARTITIONS / self.members.len();
        let held: Vec<usize> = self.members.iter().filter_map(Member::holds).collect();
        held.len() == self.members.len()
            && held.iter().sum::<usize>() == PARTITIONS
            && held.iter().all(|count| *count >= least)
            && self.members.iter().all(Member::is_ready)
    }

    fn wait(&mut self, what: &str, is_so: impl Fn(&Stage) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(self) {
            let ledger = self.watch.ledger();
            assert!(
                Instant::now() < deadline,
                "waited in vain until {what}: {} sent, {} read, {} unaccounted\n{}",
                self.feed.sent,
                ledger.consumed(),
                ledger.unaccounted(),
                self.members
                    .iter()
                    .map(|member| tail(&member.log))
                    .collect::<Vec<_>>()
                    .join("\n---\n")
            );
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }
}

fn tail(log: &std::path::Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(25)..].join("\n")
}

/// One round of the short run goes up and down once; further rounds shuffle nothing but who leaves.
fn steps() -> Vec<usize> {
    let rounds = std::env::var("CITYOPS_ELASTIC")
        .map_or(1, |rounds| rounds.parse().expect("CITYOPS_ELASTIC is a number"));
    std::iter::repeat_n(ROUND, rounds).flatten().collect()
}

#[test]
fn processes_that_come_and_go_change_nothing() {
    let seed = seed();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let steps = steps();
    let records = steps.len() * RECORDS_PER_STEP;
    let city = City::new(Scenario::Typhoon, seed, records);
    // They are not fed either: what they change depends on which events were read before them.
    for file in ["weather.ndjson", "silence.ndjson"] {
        std::fs::remove_file(city.path(file)).unwrap();
    }
    let name = format!("elastic-{seed}-{}", std::process::id());
    city.on_kafka(&broker(), &name);
    let config = city.path("cityops.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let wide = format!("source_partitions = {PARTITIONS}\nenriched_partitions = {PARTITIONS}\n");
    let text = text.replace("source_partitions = 3\nenriched_partitions = 4\n", &wide);
    assert!(text.contains(&wide));
    std::fs::write(&config, text).unwrap();
    expect(0, &["topics", "apply", "--config", &city.config()]);
    let prefix = format!("{name}.");
    let properties = Properties::from([("bootstrap.servers".to_owned(), broker())]);
    let mut stage = Stage {
        members: Vec::new(),
        started: 0,
        feed: Feed::new(&properties, &prefix, Scenario::Typhoon, seed, records),
        watch: LedgerWatch::start(&properties, &prefix),
        city,
    };
    let begun = Instant::now();
    for count in &steps {
        // Somewhere in the middle of what is being read, processes come or go; the rest comes while they find each other.
        let before = stage.feed.sent;
        stage.feed.send(RECORDS_PER_STEP / 2);
        let at = before + random.random_range(0..=stage.feed.sent - before);
        if !stage.members.is_empty() {
            stage.wait(&format!("{at} records are read"), |stage| {
                stage.watch.ledger().consumed() >= at
            });
        }
        stage.be(*count, &mut random);
        stage.feed.send(RECORDS_PER_STEP - RECORDS_PER_STEP / 2);
        let asked = Instant::now();
        stage.wait(&format!("{count} processes share the partitions"), Stage::shared);
        let sent = stage.feed.sent;
        println!(
            "at {:>5.1} s: {count} processes share {PARTITIONS} partitions after {:.1} s",
            begun.elapsed().as_secs_f64(),
            asked.elapsed().as_secs_f64()
        );
        // Every other time the next change comes while there is still something to do.
        if random.random_range(0..2) == 0 {
            stage.wait("all is done", |stage| stage.watch.ledger().consumed() >= sent);
        }
    }
    stage.feed.send(records);
    let sent = stage.feed.sent;
    stage.wait("every record has its outcome", |stage| {
        let ledger = stage.watch.ledger();
        ledger.consumed() >= sent && ledger.unaccounted() <= 0
    });
    stage.be(0, &mut random);
    let calm = stage.city.replay("calm");
    let complaints = verdict(&Judged {
        properties: &properties,
        prefix: &prefix,
        scenario: Scenario::Typhoon,
        seed,
        records,
        sent,
        enriched_partitions: PARTITIONS as i32,
        correlate_group: &format!("{name}-correlate"),
        calm: calm["grouping_digest"].as_str(),
    });
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    println!(
        "{sent} records through {} processes: the output is that of a calm run",
        stage.started
    );
}
