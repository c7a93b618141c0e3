//! The queue between the loops and the thread that sends: of fixed length, so that a collector that is slow, hangs or is away
//! costs spans, which are counted, and never time.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

use crate::Tracer;
use crate::collector::{Answer, Client, Collector};
use crate::span::text;

/// Most spans of one request.
const BATCH_MAX: usize = 512;
/// How long spans wait for company.
const LINGER: Duration = Duration::from_secs(1);
/// How often the thread looks whether it shall end.
const LOOK: Duration = Duration::from_millis(100);
/// How often the same spans are sent before they are given up.
const ATTEMPTS_MAX: u32 = 5;
/// The wait after a first failure; each further one doubles it.
const PAUSE: Duration = Duration::from_millis(500);

/// How an exporter is set up.
#[derive(Debug, Clone)]
pub struct ExportConfig {
    /// Where the spans go.
    pub collector: Collector,
    /// `service.name` of all spans.
    pub service_name: String,
    /// Further attributes of the resource.
    pub attributes: Vec<(&'static str, String)>,
    /// The share of transactions that are exported though they hold no sampled record, 0 to 1.
    pub ratio: f64,
    /// How many spans may wait.
    pub queue: usize,
}

/// What became of spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Taken by the collector.
    pub exported: u64,
    /// There was no room in the queue.
    pub dropped: u64,
    /// The collector refused them, or was away for too long.
    pub failed: u64,
    /// Whether the collector took the last request; `None` before the first.
    pub up: Option<bool>,
}

/// The queue, and what is counted about it.
#[derive(Debug)]
pub(crate) struct Queue {
    sender: SyncSender<Span>,
    exported: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
    /// 0 before the first answer, then 1 for no and 2 for yes.
    up: AtomicU8,
    ending: AtomicBool,
}

impl Queue {
    pub(crate) fn put(&self, span: Span) {
        match self.sender.try_send(span) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => self.count_dropped(1),
        }
    }

    pub(crate) fn count_dropped(&self, spans: u64) {
        self.dropped.fetch_add(spans, Ordering::Relaxed);
    }

    /// Notes whether the collector took a request; says so only when it is another answer than before.
    fn answered(&self, endpoint: &str, taken: Result<(), &str>) {
        let now = if taken.is_ok() { 2 } else { 1 };
        let before = self.up.swap(now, Ordering::Relaxed);
        match taken {
            Err(why) if before != 1 => tracing::warn!(
                endpoint,
                why,
                "the collector takes no spans: they wait, and are dropped and counted when there is no more room"
            ),
            Ok(()) if before == 1 => tracing::info!(endpoint, "the collector takes spans again"),
            _ => {}
        }
    }
}

/// Sends spans on a thread of its own.
#[derive(Debug)]
pub struct Exporter {
    queue: Arc<Queue>,
    ratio: f64,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Exporter {
    /// Starts the thread; the collector need not be there.
    ///
    /// # Errors
    /// When there can be no thread.
    pub fn start(config: &ExportConfig) -> std::io::Result<Exporter> {
        let (sender, spans) = sync_channel(config.queue.max(1));
        let queue = Arc::new(Queue {
            sender,
            exported: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            up: AtomicU8::new(0),
            ending: AtomicBool::new(false),
        });
        let own = text("service.name", &config.service_name);
        let version = text("service.version", env!("CARGO_PKG_VERSION"));
        let others = config.attributes.iter().map(|(key, value)| text(key, value));
        let sending = Sending {
            queue: queue.clone(),
            spans,
            client: Client::new(&config.collector),
            endpoint: config.collector.endpoint.to_string(),
            resource: Resource {
                attributes: [own, version].into_iter().chain(others).collect(),
                ..Resource::default()
            },
        };
        let thread = std::thread::Builder::new()
            .name("spans".to_owned())
            .spawn(move || sending.run())?;
        Ok(Exporter {
            queue,
            ratio: config.ratio,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// What loops hand their spans to.
    pub fn tracer(&self) -> Tracer {
        Tracer::new(self.queue.clone(), self.ratio)
    }

    /// What became of spans so far.
    pub fn counts(&self) -> Counts {
        Counts {
            exported: self.queue.exported.load(Ordering::Relaxed),
            dropped: self.queue.dropped.load(Ordering::Relaxed),
            failed: self.queue.failed.load(Ordering::Relaxed),
            up: match self.queue.up.load(Ordering::Relaxed) {
                0 => None,
                told => Some(told == 2),
            },
        }
    }

    /// Sends what waits and ends, or gives up when the time is over; `false` then.
    pub fn stop(&self, within: Duration) -> bool {
        self.queue.ending.store(true, Ordering::Relaxed);
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(thread) = thread.take() else { return true };
        let deadline = Instant::now() + within;
        while !thread.is_finished() {
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
        // A thread that panicked has nothing more to send; the panic was said where it happened.
        thread.join().is_ok()
    }
}

/// The thread's own side.
struct Sending {
    queue: Arc<Queue>,
    spans: Receiver<Span>,
    client: Client,
    endpoint: String,
    resource: Resource,
}

impl Sending {
    fn run(self) {
        loop {
            let ending = self.ends();
            let batch = self.gather();
            if !batch.is_empty() {
                self.send(batch);
            } else if ending {
                return;
            }
        }
    }

    fn ends(&self) -> bool {
        self.queue.ending.load(Ordering::Relaxed)
    }

    /// Waits for a first span, then for others as long as a batch may.
    fn gather(&self) -> Vec<Span> {
        let mut batch = Vec::new();
        let Ok(first) = self.spans.recv_timeout(LOOK) else {
            return batch;
        };
        batch.push(first);
        let until = Instant::now() + LINGER;
        while batch.len() < BATCH_MAX {
            let left = until.saturating_duration_since(Instant::now());
            let next = match self.ends() {
                true => self.spans.try_recv().ok(),
                false => self.spans.recv_timeout(left.min(LOOK)).ok(),
            };
            match next {
                Some(span) => batch.push(span),
                None if self.ends() || left.is_zero() => break,
                None => {}
            }
        }
        batch
    }

    /// Sends spans until the collector has answered about them, or it was tried often enough.
    fn send(&self, spans: Vec<Span>) {
        let count = spans.len() as u64;
        let request = ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(self.resource.clone()),
                scope_spans: vec![ScopeSpans {
                    scope: Some(InstrumentationScope {
                        name: "cityops".to_owned(),
                        version: env!("CARGO_PKG_VERSION").to_owned(),
                        ..InstrumentationScope::default()
                    }),
                    spans,
                    ..ScopeSpans::default()
                }],
                ..ResourceSpans::default()
            }],
        };
        let mut failed = count;
        for attempt in 1..=ATTEMPTS_MAX {
            match self.client.send(&request) {
                Answer::Taken { refused, why } => {
                    self.queue.answered(&self.endpoint, Ok(()));
                    failed = refused.min(count);
                    self.queue.exported.fetch_add(count - failed, Ordering::Relaxed);
                    if failed > 0 {
                        tracing::warn!(
                            endpoint = self.endpoint,
                            spans = failed,
                            why,
                            "the collector refused spans"
                        );
                    }
                    break;
                }
                Answer::Never(why) => {
                    self.queue.answered(&self.endpoint, Err(&why));
                    break;
                }
                Answer::Later(why) => self.queue.answered(&self.endpoint, Err(&why)),
            }
            // What is ending has no time for another try.
            if self.ends() || attempt == ATTEMPTS_MAX {
                break;
            }
            self.pause(PAUSE * 2_u32.pow(attempt - 1));
        }
        self.queue.failed.fetch_add(failed, Ordering::Relaxed);
    }

    fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until && !self.ends() {
            std::thread::park_timeout(LOOK.min(time));
        }
    }
}
