//! One mix on the broker, read by each stage in turn.

use std::cell::Cell;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use city_model::Ledger;
use city_simulator::{Scenario, SimulatedRecord};
use kafka_log::Properties;
use wire_format::Topic;

use crate::city::feed::{Feed, LedgerWatch};
use crate::city::{City, Running, expect};
use crate::mix::{Mix, SEED};
use crate::process::{Broker, Taken, watch};

/// A mix that lies in source topics.
pub(crate) struct Prepared {
    mix: Mix,
    broker: Properties,
    bootstrap: String,
    records: Vec<SimulatedRecord>,
    fed: Fed,
    is_told: Cell<bool>,
}

/// A city of its own on the broker.
pub(crate) struct Fed {
    pub(crate) city: City,
    pub(crate) prefix: String,
}

impl Fed {
    /// Topics under a name of their own.
    pub(crate) fn new(bootstrap: &str, loops: usize) -> Fed {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let city = City::new(Scenario::Typhoon, SEED, 100);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("bench-{}-{number}", std::process::id());
        city.on_kafka(bootstrap, &name);
        let path = city.path("cityops.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.replace("[kafka]\n", &format!("[kafka]\nloops = {loops}\n"));
        std::fs::write(&path, text).unwrap();
        expect(0, &["topics", "apply", "--config", &city.config()]);
        Fed {
            city,
            prefix: format!("{name}."),
        }
    }

    pub(crate) fn run(&self, workers: &str) -> Running {
        let config = self.city.config();
        let log = self.city.path("cityops.log");
        Running::start(&["run", "--config", &config, "--workers", workers], &log)
    }
}

impl Prepared {
    pub(crate) fn new(broker: &Broker, mix: Mix, events: usize) -> Prepared {
        let properties = broker.properties();
        let records = mix.records(events);
        let fed = Fed::new(&broker.address, 1);
        feed(&fed, &properties, &records);
        Prepared {
            mix,
            broker: properties,
            bootstrap: broker.address.clone(),
            records,
            fed,
            is_told: Cell::new(false),
        }
    }

    fn count(&self) -> u64 {
        self.records.len() as u64
    }

    pub(crate) fn report(&self, stage: &str, taken: &Taken) {
        if !self.is_told.replace(true) {
            println!("\n{}: {} records", self.mix.name(), self.count());
        }
        let cpu = taken.cpu.as_secs_f64();
        println!(
            "  {stage:<28} {:>8} {:>7.2} {:>8.1} {:>8.1} {:>6}",
            taken.records,
            cpu * 1e6 / taken.records as f64,
            taken.records as f64 / cpu / 1e3,
            taken.per_second() / 1e3,
            taken.peak_mb,
        );
    }

    /// The client alone: it copies the topic of the readings, or of the reports, whichever is larger.
    pub(crate) fn ceiling(&self) -> Taken {
        let count = |topic: Topic| {
            self.records
                .iter()
                .filter(|r| Topic::of(r.source) == topic)
                .count() as u64
        };
        let topics = [Topic::Sensor, Topic::Hotline];
        let topic = topics.into_iter().max_by_key(|topic| count(*topic)).unwrap();
        let from = kafka_log::topic_name(&self.fed.prefix, topic);
        let to = kafka_log::topic_name(&Fed::new(&self.bootstrap, 1).prefix, topic);
        let records = count(topic);
        let progress = self.fed.city.path("copied");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--copy", &self.bootstrap, &from, &to, &records.to_string()])
            .arg(&progress)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let copied = || {
            let text = std::fs::read_to_string(&progress).unwrap_or_default();
            text.trim().parse().unwrap_or(0)
        };
        let taken = watch(child.id(), records, copied);
        child.kill().unwrap();
        child.wait().unwrap();
        taken
    }

    pub(crate) fn enrich(&self) -> Taken {
        let looks = LedgerWatch::start(&self.broker, &self.fed.prefix);
        let running = self.fed.run("enrich");
        let taken = watch(running.0.id(), self.count(), || enriched(&looks.ledger()));
        running.terminate();
        taken
    }

    /// What enrich has left in the enriched log.
    pub(crate) fn correlate(&self) -> Taken {
        let looks = LedgerWatch::start(&self.broker, &self.fed.prefix);
        let deadline = Instant::now() + Duration::from_secs(120);
        while enriched(&looks.ledger()) < self.count() {
            assert!(Instant::now() < deadline, "the ledger is not read");
            std::thread::park_timeout(Duration::from_millis(20));
        }
        // What ends in enrich is accounted for already: the rest is what there is to do.
        let before = accounted(&looks.ledger());
        let running = self.fed.run("correlate");
        let left = self.count() - before;
        let taken = watch(running.0.id(), left, || accounted(&looks.ledger()) - before);
        running.terminate();
        taken
    }

    /// Both workers in one process over the same records again.
    pub(crate) fn both(&self, loops: usize) -> Taken {
        let fed = Fed::new(&self.bootstrap, loops);
        feed(&fed, &self.broker, &self.records);
        let looks = LedgerWatch::start(&self.broker, &fed.prefix);
        let running = fed.run("enrich,correlate");
        let taken = watch(running.0.id(), self.count(), || accounted(&looks.ledger()));
        running.terminate();
        taken
    }
}

/// Records that enrich has committed.
fn enriched(ledger: &Ledger) -> u64 {
    u64::try_from(ledger.consumed()).unwrap()
}

/// Records whose outcome is committed.
pub(crate) fn accounted(ledger: &Ledger) -> u64 {
    u64::try_from(ledger.consumed() - ledger.unaccounted()).unwrap_or_default()
}

fn feed(fed: &Fed, properties: &Properties, records: &[SimulatedRecord]) {
    let feed = Feed::new(properties, &fed.prefix);
    records.iter().for_each(|record| feed.send(record));
    feed.flush();
}

/// The process that copies: `BROKER FROM TO RECORDS PROGRESS`.
pub(crate) fn copy(arguments: &[String]) {
    let [bootstrap, from, to, records, progress] = arguments else {
        panic!("--copy BROKER FROM TO RECORDS PROGRESS");
    };
    let properties = Properties::from([("bootstrap.servers".to_owned(), bootstrap.clone())]);
    let group = format!("copy-{to}");
    let tell = |copied: u64| {
        // Replaced at once, so that nobody reads half of it.
        let new = format!("{progress}.new");
        std::fs::write(&new, copied.to_string()).unwrap();
        std::fs::rename(&new, Path::new(progress)).unwrap();
    };
    kafka_log::ceiling::copy(&properties, from, to, &group, records.parse().unwrap(), tell).unwrap();
    // The onlooker still wants to know what this process took.
    std::thread::park();
}
