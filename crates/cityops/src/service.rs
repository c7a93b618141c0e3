//! What `run` and `demo` share: workers, the board that follows what they commit, HTTP, and an orderly end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use city_model::EventTime;
use kafka_log::{Observer, Properties, WorkerError};
use span_export::Exporter;
use stream_worker::{InForce, Setup, Standing};
use tokio::sync::oneshot;
use wire_format::Topic;

use crate::board::Board;
use crate::committed::Committed;
use crate::config::{IngestedFrom, Kafka, Loaded};
use crate::exit::unreachable;
use crate::feed::Feed;
use crate::follower::{Follower, Following};
use crate::http::{Door, Grids, Health, Serving, wall_clock};
use crate::metrics::{AppendTimes, IntakeMetrics, LoopObserver, Metrics, Traces};
use crate::outputs::{ReadBack, Written, incidents_reader};
use crate::sources::SourceWatch;
use crate::vitals::VitalsBoard;
use crate::workers::{Role, Start, Workers, clock_inputs};

/// How long the follower waits for a schema before it looks whether it shall stop.
const FOLLOW_PATIENCE: Duration = Duration::from_millis(200);

/// A loop counts as given up when it is seen so this often in a row, over five seconds: after the whole process has slept,
/// its loops have to wake up first.
const SILENT_LOOKS: u32 = 20;

/// How long ending HTTP may take: its answers under way, then its threads.
const HTTP_END: Duration = Duration::from_secs(4);

/// How long the last spans may take to leave.
const SPANS_END: Duration = Duration::from_secs(2);
/// The same for the board's follower, which has had time since it was asked.
const FOLLOWER_END: Duration = Duration::from_millis(500);

/// A running process: workers, board and HTTP.
pub struct Service {
    /// The committed incidents.
    pub board: Arc<Board>,
    /// The vital signs.
    pub vitals: Arc<VitalsBoard>,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// The committed ledger.
    pub committed: Arc<Committed>,
    /// What the workers judge by.
    pub in_force: Arc<InForce>,
    health: Arc<Health>,
    workers: Workers,
    stop: Arc<AtomicBool>,
    follower: Following,
    http: tokio::runtime::Runtime,
    end_http: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<()>,
    spans: Option<Arc<Exporter>>,
    shutdown_timeout: Duration,
}

/// What a service is started with.
pub struct ServiceStart<'a> {
    /// The configuration.
    pub loaded: &'a Loaded,
    /// What the workers share.
    pub setup: Arc<Setup>,
    /// The client's properties.
    pub properties: Properties,
    /// Partitions of each topic.
    pub partitions: BTreeMap<Topic, i32>,
    /// Which workers run here.
    pub roles: Vec<Role>,
    /// Where HTTP listens.
    pub listen: &'a str,
    /// The broker is the embedded one.
    pub embedded: bool,
    /// Keep the grouping of all events, for the digest at the end.
    pub keep_grouping: bool,
    /// How the outside topics are written.
    pub written: Written,
}

/// Why a service ended.
pub enum Ending {
    /// It was asked to.
    Asked,
    /// A worker ended by itself.
    Worker(Role, Result<(), WorkerError>),
    /// A loop of this worker gave no sign for so long that nothing is to be expected of it.
    Silent(&'static str, Duration),
}

impl Service {
    /// Starts everything; HTTP listens before the first worker runs, so that a busy port stops the start.
    ///
    /// # Errors
    /// When the port is taken or a thread cannot be started.
    pub fn start(start: ServiceStart<'_>) -> anyhow::Result<Service> {
        let registry = prometheus::Registry::new();
        let metrics = Arc::new(Metrics::register(&registry)?);
        let (board, health) = (Arc::new(Board::default()), Arc::new(Health::default()));
        let http = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("http")
            .enable_all()
            .build()
            .context("start the HTTP threads")?;
        let door = Door::of(start.loaded)?;
        let listener = http.block_on(crate::http::bind(start.listen))?;
        door.warn(start.listen);
        tracing::info!(listen = %listener.local_addr()?, "HTTP listens");
        if let Some(schemas) = start.setup.decoder.source() {
            metrics.show_schemas(schemas.clone())?;
        }
        let source = start.setup.decoder.source().cloned();
        let incidents = incidents_reader(source.clone(), &start.written)?;
        let read_back = ReadBack::new(source, &start.written.ids, FOLLOW_PATIENCE)?;
        let watch = SourceWatch::new(&start.setup, Some(metrics.clone()));
        let standing = Standing::of(start.setup, &clock_inputs(&start.partitions));
        metrics.comes_into_force(&standing);
        let in_force = Arc::new(InForce::new(standing));
        health.set_grid_loaded();
        let kafka: Kafka = start.loaded.config.kafka.clone();
        let stop = Arc::new(AtomicBool::new(false));
        let committed = Arc::new(Committed::new(start.keep_grouping));
        // Where producers say when, only the demo's own producer says what the wall clock says, once it lives.
        let latency_from = match start.loaded.config.time.ingested_from {
            IngestedFrom::Broker => Some(EventTime::MIN),
            IngestedFrom::Producer => start.embedded.then(wall_clock),
        };
        let vitals = Arc::new(VitalsBoard::default());
        let feed = Arc::new(Feed::new(door.limits.behind, wall_clock()));
        let listed: Vec<(&str, Option<Duration>)> = start.loaded.listed_sources().collect();
        let expected = listed.iter().filter(|(_, every)| every.is_some());
        let expected: BTreeSet<String> = expected.map(|(system, _)| (*system).to_owned()).collect();
        // Before anything is followed: what was committed is shown of these alone.
        metrics.senders().lists(listed);
        let follower = Follower {
            vitals: vitals.clone(),
            properties: start.properties.clone(),
            prefix: kafka.topic_prefix.clone(),
            board: board.clone(),
            feed: feed.clone(),
            metrics: metrics.clone(),
            committed: committed.clone(),
            read_back,
            latency_from,
            stop: stop.clone(),
        };
        let follower = follower.start()?;
        let spans = match crate::assemble::export(start.loaded)? {
            Some(config) => Some(Arc::new(
                Exporter::start(&config).context("start the export of spans")?,
            )),
            None => None,
        };
        if let Some(spans) = &spans {
            metrics.show_spans(spans.clone())?;
        }
        let tracer = spans.as_ref().map(|spans| spans.tracer());
        let traces = Traces::new(metrics.clone(), tracer.clone());
        let (loop_metrics, loop_health) = (metrics.clone(), health.clone());
        for role in Role::ALL {
            let inputs = role.inputs().iter();
            let partitions = inputs
                .filter_map(|topic| start.partitions.get(topic))
                .sum::<i32>();
            metrics.readiness().expects(role.as_str(), partitions.into());
        }
        let times = match start.loaded.config.time.ingested_from {
            IngestedFrom::Broker => AppendTimes::ByBroker,
            IngestedFrom::Producer => AppendTimes::ByProducer,
        };
        let workers = Workers::start(Start {
            in_force: in_force.clone(),
            properties: start.properties,
            kafka: kafka.clone(),
            partitions: start.partitions,
            roles: start.roles,
            observer: Box::new(move |role| -> Arc<dyn Observer + Send + Sync> {
                let observer = LoopObserver::new(loop_metrics.clone(), loop_health.add_loop(role.as_str()));
                Arc::new(observer.appended(times).traced_by(tracer.clone()))
            }),
            intake_observer: Arc::new(IntakeMetrics::new(metrics.clone())),
            expected: Arc::new(expected),
            decision_observer: metrics.clone(),
            place_observer: Arc::new(watch),
            trace_observer: Arc::new(traces),
            embedded: start.embedded,
            outputs: start.written.outputs,
            rows: start.loaded.config.state.rows,
            incidents: Arc::new(incidents),
        })?;
        let (end_http, ended) = oneshot::channel::<()>();
        let layers = in_force.clone();
        let grids = Grids::new(move || layers.standing().1.setup.intake.layers().to_vec());
        let serving = Serving {
            board: board.clone(),
            feed,
            grids: Arc::new(grids),
            vitals: vitals.clone(),
            health: health.clone(),
            metrics: metrics.clone(),
        };
        let serving = http.spawn(crate::http::serve(listener, door, serving, async {
            // The sender going away asks for the end as well.
            let _ = ended.await;
        }));
        let shutdown_timeout = Duration::from_millis(kafka.shutdown_timeout.0.max(0) as u64);
        Ok(Service {
            board,
            vitals,
            metrics,
            committed,
            in_force,
            health,
            workers,
            stop,
            follower,
            http,
            end_http,
            serving,
            spans,
            shutdown_timeout,
        })
    }

    /// Waits until `asked` answers true or a worker ends by itself; looks four times a second.
    pub fn wait(&self, mut asked: impl FnMut() -> bool) -> Ending {
        let mut silent = 0;
        loop {
            if asked() {
                return Ending::Asked;
            }
            if let Some((role, result)) = self.workers.ended(Duration::from_millis(250)) {
                return Ending::Worker(role, result);
            }
            match self.health.given_up() {
                None => silent = 0,
                Some((worker, silence)) if silent >= SILENT_LOOKS => return Ending::Silent(worker, silence),
                Some(_) => silent += 1,
            }
        }
    }

    /// Drains the workers, then ends HTTP, all within `shutdown_timeout`. The workers finish their batch and commit it.
    /// When the broker keeps one of them waiting for longer, its transaction stays open and the broker aborts it: the next
    /// owner reads the batch again, and nothing is lost or doubled.
    pub fn stop(self) {
        let begun = Instant::now();
        let for_workers = self
            .shutdown_timeout
            .saturating_sub(HTTP_END)
            .max(self.shutdown_timeout / 2);
        let drained = self.workers.stop(for_workers);
        self.stop.store(true, Ordering::Relaxed);
        if self.spans.is_some_and(|spans| !spans.stop(SPANS_END)) {
            tracing::warn!(waited = ?SPANS_END, "the last spans did not leave in time; they are lost");
        }
        let _ = self.end_http.send(());
        let _ = self.http.block_on(self.serving);
        self.http.shutdown_timeout(Duration::from_secs(1));
        if drained {
            let left = self.shutdown_timeout.saturating_sub(begun.elapsed());
            self.follower.join(left.max(FOLLOWER_END));
        }
        if !drained {
            tracing::warn!(waited = ?for_workers, "a worker still waits for the broker; its transaction will be aborted");
        }
        tracing::info!(seconds = begun.elapsed().as_secs_f64(), "stopped");
    }
}

/// What the end of a service means for the process: clean when it was asked to end.
///
/// # Errors
/// When it ended by itself.
pub fn ended(ending: Ending) -> anyhow::Result<()> {
    match ending {
        Ending::Asked => Ok(()),
        Ending::Worker(role, result) => worker_ended(role, result),
        Ending::Silent(worker, silence) => Err(anyhow::anyhow!(
            "a loop of the {worker} worker has given no sign for {} s; what it had open is aborted by the broker",
            silence.as_secs()
        )),
    }
}

/// What a worker's end means for the process.
///
/// # Errors
/// Always, but for a worker that was asked to stop.
fn worker_ended(role: Role, result: Result<(), WorkerError>) -> anyhow::Result<()> {
    match result {
        Ok(()) => anyhow::bail!("the {} worker ended without being asked to", role.as_str()),
        Err(WorkerError::Unreachable(error)) => Err(unreachable(error.to_string())),
        Err(error) => Err(anyhow::anyhow!("the {} worker gave up: {error}", role.as_str())),
    }
}
