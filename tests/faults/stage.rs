//! A run: brokers, network, processes, feed; and what each fault does to them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use city_model::{LedgerCell, Source};
use city_simulator::Scenario;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use wire_format::Topic;

use super::city::{City, expect};
use super::cluster::Cluster;
use super::faults::Fault;
use super::feed::Feed;
use super::processes::{Build, Process, clock_library};
use super::verdict::{Judged, verdict};
use crate::city::feed::LedgerWatch;

/// How long anything may take before a run fails: `CITYOPS_FAULTS_PATIENCE` seconds on a machine that has much else to do.
pub fn patience() -> Duration {
    let asked = std::env::var("CITYOPS_FAULTS_PATIENCE").ok();
    let seconds = asked.map_or(180, |seconds| {
        seconds.parse().expect("CITYOPS_FAULTS_PATIENCE is a number")
    });
    Duration::from_secs(seconds)
}

/// After how long no further fault is done: what was done until then is judged. `CITYOPS_FAULTS_MINUTES`.
fn time() -> Duration {
    let asked = std::env::var("CITYOPS_FAULTS_MINUTES").ok();
    asked.map_or(Duration::MAX, |minutes| {
        Duration::from_secs(
            60 * minutes
                .parse::<u64>()
                .expect("CITYOPS_FAULTS_MINUTES is a number"),
        )
    })
}

/// What a run is made of.
#[derive(Debug, Clone, Copy)]
pub struct Script {
    pub scenario: Scenario,
    pub seed: u64,
    pub records: usize,
    pub brokers: usize,
    pub processes: usize,
    pub build: Build,
    /// Whether the last broker alone has the topic of announced works, of which nothing is sent: while it is away that has no leader.
    pub lonely: bool,
    /// Whether weather warnings and announced works come, too. No calm run is its measure then: what they change depends on what
    /// was read before them.
    pub warned: bool,
}

/// A run under way.
pub struct Stage {
    pub script: Script,
    pub random: ChaCha8Rng,
    pub cluster: Cluster,
    pub city: City,
    pub prefix: String,
    pub clock: Option<PathBuf>,
    pub processes: Vec<Process>,
    pub started: usize,
    pub feed: Feed,
    pub watch: LedgerWatch,
    pub next_broker: usize,
    /// How long it took after each fault until everything that was sent had its outcome.
    pub recoveries: BTreeMap<Fault, Vec<Duration>>,
    pub done: BTreeMap<Fault, usize>,
    pub memory_mib: u64,
    pub complaints: Vec<String>,
}

impl Stage {
    /// Starts brokers and processes.
    pub fn start(script: Script) -> Stage {
        let cluster = Cluster::start(script.brokers);
        let city = City::new(script.scenario, script.seed, script.records);
        if !script.warned {
            // They are not fed either.
            for file in ["weather.ndjson", "silence.ndjson"] {
                std::fs::remove_file(city.path(file)).unwrap();
            }
        }
        let name = format!("faults-{}", script.seed);
        city.on_kafka(&cluster.bootstrap(), &name);
        let config = city.path("cityops.toml");
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, text.replace("\"6s\"", "\"3s\"")).unwrap();
        if script.lonely {
            cluster.create_on_the_last(&kafka_log::topic_name(&format!("{name}."), Topic::Silence));
        }
        expect(0, &["topics", "apply", "--config", &city.config()]);
        expect(0, &["topics", "apply", "--config", &city.config()]); // a second time changes nothing
        let prefix = format!("{name}.");
        let beside = cluster.beside();
        let clock = clock_library(cluster.dir());
        let mut feed = Feed::new(&beside, &prefix, script.scenario, script.seed, script.records);
        feed.warned = script.warned;
        let mut stage = Stage {
            script,
            random: ChaCha8Rng::seed_from_u64(script.seed),
            feed,
            watch: LedgerWatch::start(&beside, &prefix),
            cluster,
            city,
            prefix,
            clock,
            processes: Vec::new(),
            started: 0,
            next_broker: 0,
            recoveries: BTreeMap::new(),
            done: BTreeMap::new(),
            memory_mib: 0,
            complaints: Vec::new(),
        };
        for _ in 0..script.processes {
            stage.add();
        }
        stage
    }

    /// Whether a fault can be done here.
    pub fn can(&self, fault: Fault) -> bool {
        match fault {
            Fault::DiskFull => self.cluster.with_small_disk().is_some(),
            Fault::ClockJump => self.clock.is_some(),
            _ => true,
        }
    }

    /// Does all of this to it, while the records come; then waits until everything has its outcome.
    pub fn suffer(&mut self, plan: &[Fault]) {
        let chunk = self.script.records / (plan.len() + 1);
        let begun = Instant::now();
        let time = time();
        for (nth, fault) in plan.iter().enumerate() {
            if begun.elapsed() >= time {
                say(&format!("the time is over after {nth} of {} faults", plan.len()));
                break;
            }
            let fault = self.possible(*fault);
            let (before, came) = (self.feed.sent, begun.elapsed());
            self.feed.send(chunk / 2);
            // Somewhere in the middle of this half, wherever the processes are with it just then.
            let at = before + self.random.random_range(0..=self.feed.sent - before);
            self.wait(&format!("{at} records are read"), |stage| {
                stage.watch.ledger().consumed() >= at
            });
            let rest = chunk - chunk / 2;
            self.apply(fault, rest);
            let lifted = Instant::now();
            *self.done.entry(fault).or_default() += 1;
            // Every other time the next one comes while it still recovers.
            if nth % 2 == 0 {
                self.wait_for_all(&format!("all is well after {fault:?}"));
                self.recoveries.entry(fault).or_default().push(lifted.elapsed());
            }
            self.look_after(fault);
            say(&format!(
                "{:>3} at {:>6.1} s, lifted at {:>6.1} s, awaited for {:>4.1} s: {fault:?}",
                nth + 1,
                came.as_secs_f64(),
                lifted.duration_since(begun).as_secs_f64(),
                lifted.elapsed().as_secs_f64(),
            ));
        }
        self.feed.send(self.script.records);
        self.wait_for_all("every record has its outcome");
    }

    /// Stops the processes in an orderly way and judges.
    pub fn judge(mut self) -> Vec<String> {
        self.look_after(Fault::Terminate);
        for process in std::mem::take(&mut self.processes) {
            let (name, tail) = (process.name.clone(), process.tail());
            let code = process.running.terminate();
            if code != Some(0) && self.script.build == Build::AsItIs {
                self.complain(format!("{name} ended with {code:?}\n{tail}"));
            }
        }
        self.report();
        let properties = self.cluster.beside();
        let calm = (!self.script.warned).then(|| self.city.replay("calm"));
        let calm = calm.map(|calm| calm["grouping_digest"].as_str().unwrap().to_owned());
        let mut complaints = verdict(&Judged {
            properties: &properties,
            prefix: &self.prefix,
            scenario: self.script.scenario,
            seed: self.script.seed,
            records: self.script.records,
            sent: self.feed.sent,
            enriched_partitions: 4,
            correlate_group: &format!("{}-correlate", self.prefix.trim_end_matches('.')),
            calm: calm.as_deref(),
        });
        if self.script.warned {
            let ledger = self.watch.ledger();
            for source in [Source::Weather, Source::Silence] {
                if ledger.get(LedgerCell::Consumed(source)) == 0 {
                    complaints.push(format!("nothing of {source} was read"));
                }
            }
        }
        complaints.append(&mut self.complaints);
        complaints
    }

    /// Prints what was done and how long it took to recover.
    fn report(&self) {
        say("fault                            times  recovered in: median  most, of so many");
        for (fault, times) in &self.done {
            let mut all = self.recoveries.get(fault).cloned().unwrap_or_default();
            all.sort_unstable();
            let at = |index: usize| all.get(index).map_or(0.0, Duration::as_secs_f64);
            say(&format!(
                "{:<32} {times:>5} {:>17.1} s {:>4.1} s {:>9}",
                format!("{fault:?}"),
                at(all.len() / 2),
                at(all.len().saturating_sub(1)),
                all.len()
            ));
        }
        let all: usize = self.done.values().sum();
        say(&format!(
            "{all} faults, {} records, {} processes started, most memory of one {} MiB",
            self.feed.sent, self.started, self.memory_mib
        ));
        for (fault, _) in Fault::ALL {
            if !self.can(fault) {
                say(&format!("left out, because it cannot be done here: {fault:?}"));
            }
        }
    }

    /// A process that ended by itself is a complaint; it is replaced as a supervisor would.
    pub fn look_after(&mut self, fault: Fault) {
        let mut ended = Vec::new();
        for process in &mut self.processes {
            self.memory_mib = self.memory_mib.max(process.memory_mib());
            if let Some(code) = process.ended() {
                ended.push(process.name.clone());
                self.complaints.push(format!(
                    "{} ended with {code} at {fault:?}\n{}",
                    process.name,
                    process.tail()
                ));
            }
        }
        self.processes.retain(|process| !ended.contains(&process.name));
        for _ in ended {
            self.add();
        }
    }

    pub fn complain(&mut self, complaint: String) {
        say(&complaint);
        self.complaints.push(complaint);
    }

    pub fn any(&mut self) -> usize {
        self.random.random_range(0..self.processes.len())
    }

    pub fn take(&mut self) -> Process {
        let index = self.any();
        let process = self.processes.swap_remove(index);
        self.memory_mib = self.memory_mib.max(process.memory_mib());
        process
    }

    pub fn add(&mut self) {
        self.started += 1;
        let name = format!("worker-{}", self.started);
        let process = Process::start(&self.city, &name, self.script.build, self.clock.as_deref());
        self.processes.push(process);
    }

    pub fn wait_for_all(&mut self, what: &str) {
        let sent = self.feed.sent;
        self.wait(what, |stage| {
            let ledger = stage.watch.ledger();
            // Less than none is unaccounted when something is decided twice; the verdict tells of it.
            ledger.consumed() >= sent && ledger.unaccounted() <= 0
        });
    }

    /// Looks again, fifty times a second, until it is so; the clock only bounds it.
    pub fn wait(&mut self, what: &str, mut is_so: impl FnMut(&Stage) -> bool) {
        let deadline = Instant::now() + patience();
        while !is_so(self) {
            if Instant::now() >= deadline {
                let tails: Vec<String> = self
                    .processes
                    .iter()
                    .map(|process| format!("--- {}\n{}", process.name, process.tail()))
                    .collect();
                let ledger = self.watch.ledger();
                panic!(
                    "waited in vain until {what}: {} sent, {} read, {} unaccounted\n{}",
                    self.feed.sent,
                    ledger.consumed(),
                    ledger.unaccounted(),
                    tails.join("\n")
                );
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
}

impl Drop for Stage {
    /// What the processes and brokers of a failed run said is kept.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let kept = PathBuf::from(format!("target/faults-{}", self.script.seed));
        let _ = std::fs::create_dir_all(&kept);
        for dir in [self.city.dir.path().to_owned()] {
            for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
                if entry.path().extension().is_some_and(|it| it == "log") {
                    let _ = std::fs::copy(entry.path(), kept.join(entry.file_name()));
                }
            }
        }
        for broker in 1..=self.cluster.count() {
            let log = self.cluster.dir().join(format!("broker-{broker}/broker.log"));
            let _ = std::fs::copy(log, kept.join(format!("broker-{broker}.log")));
        }
        say(&format!("the logs are in {}", kept.display()));
    }
}

/// Says how the run goes.
#[allow(clippy::print_stdout, reason = "a long run must be seen to go on")]
pub fn say(text: &str) {
    println!("{text}");
}
