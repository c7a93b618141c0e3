//! `cityops demo`: the main job without set-up. An embedded broker, a simulated city that lives now, every worker, HTTP, and
//! a live table. The broker is the client library's own mock: good for trying out, it proves nothing about exactly-once.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use city_model::{EventTime, sha256_hex};
use city_simulator::{Scenario, SimulatedRecord, Simulation};
use file_log::ReplayLedger;
use kafka_log::embedded::Embedded;
use kafka_log::produce::{NewRecord, Sender};
use wire_format::Topic;

use crate::CommandResult;
use crate::board::Filter;
use crate::cli::DemoArgs;
use crate::commands::print;
use crate::commands::replay::print_ledger;
use crate::commands::run::asked_to_stop;
use crate::commands::simulate::simulate_files;
use crate::config::{Idle, Loaded, is_loopback};
use crate::exit::{Exit, usage};
use crate::http::wall_clock;
use crate::outputs::Written;
use crate::service::{Service, ServiceStart, ended};
use crate::workers::Role;
use crate::{assemble, table, topics};

/// How much of the simulated city's life lies before the start: the desk opens on a city in which things happen.
const BEFORE_MS: i64 = 75 * 60_000;
/// How long the simulated city lives.
const SPAN_HOURS: usize = 4;
/// How long the end waits for what is on its way.
const SETTLE: Duration = Duration::from_secs(20);

pub(super) fn run(args: &DemoArgs, json: bool) -> CommandResult {
    let scenario: Scenario = args.scenario.parse().map_err(|_| {
        usage(format!(
            "--scenario {}: the scenarios are normal and typhoon",
            args.scenario
        ))
    })?;
    let limit = match args.minutes {
        Some(minutes) if minutes > 0.0 && minutes <= 100_000.0 => {
            Some(Duration::from_secs_f64(minutes * 60.0))
        }
        Some(minutes) => return Err(usage(format!("--minutes {minutes}: a number above 0"))),
        None => None,
    };
    if !is_loopback(&args.listen) && !args.allow_anonymous {
        return Err(usage(format!(
            "--listen {}: others than this machine could read all of it; --allow-anonymous says that they may",
            args.listen
        )));
    }
    let begun = Instant::now();
    let asked = asked_to_stop()?;
    let events = SPAN_HOURS
        * if scenario == Scenario::Typhoon {
            6_000
        } else {
            1_500
        };
    let simulation =
        city_simulator::simulate_from(scenario, args.seed, events, wall_clock().millis() - BEFORE_MS);
    let dir = tempfile::tempdir().context("make a folder for the simulated city")?;
    let mut loaded = city_of(dir.path(), &simulation)?;
    let specs = topics::plan(&loaded);
    let wanted: Vec<(String, i32)> = specs
        .iter()
        .map(|spec| (spec.name.clone(), spec.partitions))
        .collect();
    let broker = Embedded::start(&wanted).context("start the embedded broker")?;
    loaded.config.kafka.bootstrap_servers = broker.bootstrap();
    loaded.config.http.listen.clone_from(&args.listen);
    loaded.config.http.allow_anonymous = args.allow_anonymous;
    let properties = topics::properties(&loaded)?;
    let partitions = Topic::ALL
        .iter()
        .filter_map(|topic| Some((*topic, wanted.iter().find(|(name, _)| name == topic.name())?.1)))
        .collect();
    let setup = Arc::new(assemble::setup(
        &loaded,
        loaded.config.topics.enriched_partitions,
    )?);

    let mut feeder = Feeder {
        simulation: simulation.peekable(),
        sender: Sender::new(&properties)?,
        sent: 0,
    };
    feeder.feed_until(wall_clock())?;
    let service = Service::start(ServiceStart {
        loaded: &loaded,
        setup,
        properties,
        partitions,
        roles: Role::ALL.to_vec(),
        listen: &args.listen,
        embedded: true,
        keep_grouping: true,
        written: Written::default(),
    })?;
    tracing::info!(broker = %broker.bootstrap(), before = feeder.sent, "the simulated city lives; the broker is a mock, for trying out");

    let end_table = Arc::new(AtomicBool::new(false));
    let screen = (!json).then(|| table_thread(&service, &end_table)).transpose()?;
    let mut trouble = None;
    let ending = service.wait(|| {
        if let Err(error) = feeder.feed_until(wall_clock()) {
            trouble = Some(error);
        }
        trouble.is_some()
            || asked.load(Ordering::Relaxed)
            || limit.is_some_and(|limit| begun.elapsed() >= limit)
    });
    let settled = trouble.is_none() && settle(&service, feeder.sent);
    end_table.store(true, Ordering::Relaxed);
    if screen.is_some_and(|screen| screen.join().is_err()) {
        tracing::error!("the table panicked");
    }
    if !json {
        print(service.vitals.summary());
    }
    let ledger = final_ledger(&service);
    service.stop();
    ended(ending)?;
    if let Some(error) = trouble {
        return Err(error.context("feed the simulated city's records"));
    }
    print_ledger(&ledger, json)?;
    anyhow::ensure!(
        settled,
        "{} records were sent but not all of them are accounted for",
        feeder.sent
    );
    Ok(Exit::Clean)
}

/// Writes what belongs to the simulated city and reads it as a configuration.
fn city_of(dir: &Path, simulation: &Simulation) -> anyhow::Result<Loaded> {
    simulate_files(dir, simulation)?;
    let mut loaded = Loaded::read_with(&dir.join("cityops.toml"), std::iter::empty())?;
    // The simulated callers have nothing to hide; a key of their own keeps the warning for real ones.
    std::fs::write(dir.join("reporter.key"), "the key of a simulated city")
        .context("write the reporter key")?;
    // The simulated city lives now, so the wall clock is its clock.
    loaded.config.time.idle = Some(Idle::Advance);
    loaded.config.privacy.reporter_key_file = Some("reporter.key".into());
    Ok(loaded)
}

/// Sends the simulated city's records when their time comes.
struct Feeder {
    simulation: std::iter::Peekable<Simulation>,
    sender: Sender,
    sent: i64,
}

impl Feeder {
    fn feed_until(&mut self, now: EventTime) -> anyhow::Result<()> {
        while let Some(record) = self
            .simulation
            .next_if(|record| record.arrival_ms <= now.millis())
        {
            self.send(&record)?;
            self.sent += 1;
        }
        self.sender.flush()
    }

    fn send(&self, record: &SimulatedRecord) -> anyhow::Result<()> {
        self.sender
            .send(&simulated(Topic::of(record.source).name(), record))
    }
}

/// A simulated record as its source would send it to a topic, at the time of its arrival.
pub fn simulated<'a>(topic: &'a str, record: &'a SimulatedRecord) -> NewRecord<'a> {
    NewRecord {
        topic,
        partition: None,
        key: Some(record.key.as_bytes()),
        value: Some(record.line.as_bytes()),
        timestamp: Some(EventTime::from_millis(record.arrival_ms)),
        headers: &[],
    }
}

fn table_thread(service: &Service, end: &Arc<AtomicBool>) -> anyhow::Result<std::thread::JoinHandle<()>> {
    let (board, metrics, end) = (service.board.clone(), service.metrics.clone(), end.clone());
    std::thread::Builder::new()
        .name("table".to_owned())
        .spawn(move || {
            if let Err(error) = table::show(&board, || metrics.records_read(), wall_clock, &end) {
                tracing::warn!(%error, "the table ended");
            }
        })
        .context("start the table")
}

/// Waits until everything that was sent has its outcome.
fn settle(service: &Service, sent: i64) -> bool {
    let deadline = Instant::now() + SETTLE;
    loop {
        let ledger = service.committed.ledger();
        if ledger.consumed() == sent && ledger.unaccounted() == 0 {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// The ledger as a replay would write it, over what is committed now.
fn final_ledger(service: &Service) -> ReplayLedger {
    let mut incidents = Vec::new();
    let mut all = service.board.page(&Filter::default(), usize::MAX, None).incidents;
    all.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    for entry in all {
        incidents.extend_from_slice(entry.json().as_bytes());
        incidents.push(b'\n');
    }
    ReplayLedger {
        digest: Some(sha256_hex(&incidents)),
        grouping_digest: service.committed.grouping_digest(),
        ..ReplayLedger::of(&service.committed.ledger())
    }
}
