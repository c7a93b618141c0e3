//! The worker threads of a process: started together, watched, and stopped together.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use city_model::Name;
use city_rules::Calendar;
use incident_engine::RowForm;
use kafka_log::{Observer, Properties, TickConfig, WorkerConfig, WorkerError};
use stream_worker::{
    Correlate, DecisionObserver, Enrich, InForce, IntakeObserver, Outputs, PlaceObserver, Processor,
    Standing, TraceObserver, VitalsOfCells, VitalsOfEvents, VitalsOfIncidents, input_partition_name,
};
use wire_format::{Reader, Topic};

use crate::acls;
use crate::config::Kafka;
use crate::topics::{EVENTS, INPUTS};

/// What the vitals worker reads; the last is what it has made of the others, keyed by cell.
const VITALS_INPUTS: [Topic; 3] = [Topic::Enriched, Topic::Incidents, Topic::VitalsFacts];

/// How often a loop tells the time to the enriched log.
const TICK_MS: u64 = 1_000;

/// What a worker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// From source topics to the enriched log.
    Enrich,
    /// From the enriched log to incidents.
    Correlate,
    /// From incidents to the vital signs of the city's cells.
    Vitals,
}

impl Role {
    /// All of them, in the order of the stream.
    pub const ALL: [Role; 3] = [Role::Enrich, Role::Correlate, Role::Vitals];

    /// What it reads.
    pub fn inputs(self) -> &'static [Topic] {
        match self {
            Role::Enrich => &INPUTS,
            Role::Correlate => &[Topic::Enriched],
            Role::Vitals => &VITALS_INPUTS,
        }
    }

    /// Where its state lies.
    pub fn changelog(self) -> Topic {
        match self {
            Role::Enrich => Topic::EnrichChangelog,
            Role::Correlate => Topic::CorrelateChangelog,
            Role::Vitals => Topic::VitalsChangelog,
        }
    }

    /// Its consumer group.
    pub fn group(self, kafka: &Kafka) -> String {
        format!("{}-{}", kafka.group_prefix, self.as_str())
    }

    /// What its transactional ids begin with.
    pub fn transactional_id_prefix(self, kafka: &Kafka) -> String {
        format!("{}-{}-", kafka.group_prefix, self.as_str())
    }

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Enrich => "enrich",
            Role::Correlate => "correlate",
            Role::Vitals => "vitals",
        }
    }
}

/// What the workers of a process are started with.
pub struct Start {
    /// What they share, as it stands.
    pub in_force: Arc<InForce>,
    /// The client's properties.
    pub properties: Properties,
    /// Groups, prefixes, loops.
    pub kafka: Kafka,
    /// Partitions of each topic.
    pub partitions: BTreeMap<Topic, i32>,
    /// Which workers.
    pub roles: Vec<Role>,
    /// Makes whoever listens to a loop.
    pub observer: Box<dyn Fn(Role) -> Arc<dyn Observer + Send + Sync> + Send + Sync>,
    /// Is told what intake refuses and how well it can place events.
    pub intake_observer: Arc<dyn IntakeObserver>,
    /// Of these source systems something is expected: it is written when they were last heard.
    pub expected: Arc<BTreeSet<String>>,
    /// Is told what the engines do not decide again.
    pub decision_observer: Arc<dyn DecisionObserver>,
    /// Is told how the sources' positions agree.
    pub place_observer: Arc<dyn PlaceObserver>,
    /// Is told what becomes of traced records.
    pub trace_observer: Arc<dyn TraceObserver>,
    /// The broker is the embedded one.
    pub embedded: bool,
    /// How the outside topics are written.
    pub outputs: Arc<Outputs>,
    /// How the correlator's state rows are written.
    pub rows: RowForm,
    /// How published incidents are read back.
    pub incidents: Arc<Reader>,
}

/// Running worker threads.
pub struct Workers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    ended: Receiver<(Role, Result<(), WorkerError>)>,
}

impl Workers {
    /// Starts the threads.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(start: Start) -> anyhow::Result<Workers> {
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, ended) = channel();
        let start = Arc::new(start);
        let mut workers = Workers {
            stop: stop.clone(),
            threads: Vec::new(),
            ended,
        };
        for role in &start.roles {
            for number in 0..start.kafka.loops.max(1) {
                let (start, stop, sender) = (start.clone(), stop.clone(), sender.clone());
                let role = *role;
                let observer = (start.observer)(role);
                let name = format!("{}-{number}", role.as_str());
                let thread = std::thread::Builder::new().name(name).spawn(move || {
                    // A panic unwinds to here, and the process is told of it as of any other end.
                    let run = AssertUnwindSafe(|| run_loop(&start, role, &*observer, &stop));
                    let result = std::panic::catch_unwind(run).unwrap_or(Err(WorkerError::Panicked));
                    // Nobody listens any more when the process is on its way out.
                    let _ = Sender::send(&sender, (role, result));
                })?;
                workers.threads.push(thread);
            }
        }
        Ok(workers)
    }

    /// Waits for a worker to end by itself; `None` when none did in that time.
    pub fn ended(&self, within: Duration) -> Option<(Role, Result<(), WorkerError>)> {
        self.ended.recv_timeout(within).ok()
    }

    /// Asks every worker to finish its batch, commit and leave, and waits for them; `false` when time ran out first.
    pub fn stop(self, within: Duration) -> bool {
        self.stop.store(true, Ordering::Relaxed);
        let deadline = Instant::now() + within;
        for thread in self.threads {
            while !thread.is_finished() {
                if Instant::now() >= deadline {
                    return false;
                }
                std::thread::park_timeout(Duration::from_millis(10));
            }
            if thread.join().is_err() {
                tracing::error!("a worker thread panicked");
            }
        }
        true
    }
}

/// The input partitions that the clock is the least over. Warnings, silences and commands come seldom: were they listed,
/// their last one would hold it.
pub fn clock_inputs(partitions: &BTreeMap<Topic, i32>) -> Vec<Name> {
    let of = |topic: &Topic| 0..partitions.get(topic).copied().unwrap_or(0);
    EVENTS
        .iter()
        .flat_map(|topic| of(topic).map(|partition| input_partition_name(*topic, partition)))
        .collect()
}

fn run_loop(
    start: &Start,
    role: Role,
    observer: &dyn Observer,
    stop: &AtomicBool,
) -> Result<(), WorkerError> {
    let (_, Standing { setup, .. }) = start.in_force.standing();
    let mut config = WorkerConfig::new(
        role.as_str(),
        start.properties.clone(),
        role.inputs().to_vec(),
        role.changelog(),
    );
    config.group_id = role.group(&start.kafka);
    config.transactional_id_prefix = role.transactional_id_prefix(&start.kafka);
    config.writes = acls::writes(role).to_vec();
    config.topic_prefix = start.kafka.topic_prefix.clone();
    config.session_timeout_ms = start.kafka.session_timeout.0 as u32;
    config.budget_bytes = start.kafka.in_flight_mib.saturating_mul(1024 * 1024);
    config.embedded = start.embedded;
    // Of what was read at least the ledger counts; vital signs keep nothing of a record that says nothing.
    config.leaves_rows = role != Role::Vitals;
    // Who decides whether one reading is enough, or whether a trouble is of a storm, must have heard of the storm.
    if role == Role::Enrich {
        config.ahead = vec![Topic::Weather];
        config.in_time = true;
    }
    config.ticks = (role == Role::Enrich).then(|| TickConfig {
        every_ms: TICK_MS,
        enriched: Topic::Enriched,
        partitions: setup.partitions(),
        idle_hold: setup.hold_idle,
    });
    if role == Role::Vitals {
        return run_vitals(start, config, observer, stop);
    }
    let factory = |topic: Topic, _partition: i32| -> Box<dyn Processor> {
        match topic.source() {
            Some(source) => {
                let enrich = Enrich::following(start.in_force.clone(), source);
                Box::new(
                    enrich
                        .observed_by(start.intake_observer.clone())
                        .listening_for(start.expected.clone())
                        .writing(start.outputs.clone())
                        .traced_by(start.trace_observer.clone())
                        .comparing(start.place_observer.clone()),
                )
            }
            None => {
                let (in_force, observer) = (start.in_force.clone(), start.place_observer.clone());
                let correlate = Correlate::new()
                    .keeping_rows_as(start.rows)
                    .writing(start.outputs.clone())
                    .observed_by(start.decision_observer.clone())
                    .traced_by(start.trace_observer.clone());
                Box::new(correlate.comparing_in(in_force, observer))
            }
        }
    };
    kafka_log::worker::run(config, &factory, observer, stop)
}

fn run_vitals(
    start: &Start,
    config: WorkerConfig,
    observer: &dyn Observer,
    stop: &AtomicBool,
) -> Result<(), WorkerError> {
    let (_, Standing { setup, .. }) = start.in_force.standing();
    let facts = start.partitions.get(&Topic::VitalsFacts).copied().unwrap_or(1);
    let calendar = Calendar::new(&setup.rules, &setup.timezone)
        .map_err(|error| WorkerError::Configuration(error.to_string()))?;
    let factory = |topic: Topic, partition: i32| -> Box<dyn Processor> {
        match topic {
            Topic::Enriched => Box::new(VitalsOfEvents::new(&setup, partition, facts)),
            Topic::Incidents => Box::new(VitalsOfIncidents::new(&setup, start.incidents.clone())),
            _ => Box::new(VitalsOfCells::following(
                start.in_force.clone(),
                start.outputs.clone(),
                calendar.clone(),
            )),
        }
    };
    kafka_log::worker::run(config, &factory, observer, stop)
}
