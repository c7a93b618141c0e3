//! A process that restores: the loop of the program as far as its first look for input.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use incident_engine::Change;
use kafka_log::{Observer, Properties, WorkerConfig, worker};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde::{Deserialize, Serialize};
use stream_worker::{Correlate, InputRecord, Outbox, Processor};
use wire_format::Topic;

use crate::process::cpu;

/// How far a row goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// It is read.
    Read,
    /// It is read as JSON.
    Parsed,
    /// It is entered.
    Entered,
}

impl Depth {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Depth::Read => "read",
            Depth::Parsed => "parsed",
            Depth::Entered => "entered",
        }
    }

    fn of(name: &str) -> Depth {
        let all = [Depth::Read, Depth::Parsed, Depth::Entered];
        all.into_iter().find(|depth| depth.name() == name).unwrap()
    }
}

/// What it took.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Restored {
    /// From the assignment until everything was there.
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// Resident memory before the first row, and the most until the end.
    pub(crate) before_mb: f64,
    pub(crate) peak_mb: f64,
}

#[derive(Default)]
struct Tally {
    rows: AtomicU64,
    bytes: AtomicU64,
}

struct Watched {
    inner: Correlate,
    depth: Depth,
    tally: Arc<Tally>,
}

impl Processor for Watched {
    fn restore(&mut self, key: &str, value: Option<&[u8]>) -> anyhow::Result<()> {
        let bytes = Topic::Enriched.name().len() + 1 + key.len() + value.map_or(0, <[u8]>::len);
        self.tally.rows.fetch_add(1, Ordering::Relaxed);
        self.tally.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        match (self.depth, value) {
            (Depth::Entered, _) => self.inner.restore(key, value),
            (Depth::Parsed, Some(value)) => {
                std::hint::black_box(Change::from_row(value)?);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, _out: &mut Outbox) {}

    fn process(&mut self, _record: &InputRecord<'_>, _out: &mut Outbox) {}

    fn checkpoint(&mut self, _out: &mut Outbox) {}
}

struct Onlooker<'a> {
    begun: Mutex<Option<(Instant, Duration, f64)>>,
    told: Mutex<Option<Restored>>,
    tally: Arc<Tally>,
    stop: &'a AtomicBool,
}

impl Observer for Onlooker<'_> {
    fn assigned(&self, _worker: &str, _partitions: &[(Topic, i32)]) {
        *self.begun.lock().unwrap() = Some((Instant::now(), cpu(std::process::id()), memory_mb("VmRSS:")));
    }

    fn ready(&self, _worker: &str) {
        let (begun, before, before_mb) = self.begun.lock().unwrap().unwrap();
        *self.told.lock().unwrap() = Some(Restored {
            seconds: begun.elapsed().as_secs_f64(),
            cpu_seconds: (cpu(std::process::id()) - before).as_secs_f64(),
            rows: self.tally.rows.load(Ordering::Relaxed),
            bytes: self.tally.bytes.load(Ordering::Relaxed),
            before_mb,
            peak_mb: memory_mb("VmHWM:"),
        });
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn memory_mb(what: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(what));
    let kibibytes: f64 = line.map_or(0.0, |line| line.trim().trim_end_matches(" kB").parse().unwrap());
    kibibytes * 1_024.0 / 1e6
}

/// Says that a group has read nothing yet: rows of one that has no offsets would be a loss.
fn claim(config: &WorkerConfig) {
    let enriched = kafka_log::topic_name(&config.topic_prefix, Topic::Enriched);
    let found = kafka_log::admin::topic_partitions(&config.properties, Duration::from_secs(15)).unwrap();
    let mut client = ClientConfig::new();
    client.set("group.id", &config.group_id);
    for (key, value) in &config.properties {
        client.set(key, value);
    }
    let consumer: BaseConsumer = client.create().unwrap();
    let mut offsets = TopicPartitionList::new();
    for partition in 0..found[&enriched] {
        offsets
            .add_partition_offset(&enriched, partition, Offset::Offset(0))
            .unwrap();
    }
    consumer.commit(&offsets, CommitMode::Sync).unwrap();
}

/// `BROKER PREFIX DEPTH`: restores every partition of the enriched log and prints what it took.
pub(crate) fn child(arguments: &[String]) {
    let [bootstrap, prefix, depth, ..] = arguments else {
        panic!("--restore BROKER PREFIX DEPTH");
    };
    let properties = Properties::from([("bootstrap.servers".to_owned(), bootstrap.clone())]);
    let depth = Depth::of(depth);
    let config = WorkerConfig {
        group_id: format!("{prefix}{}-{}", depth.name(), std::process::id()),
        topic_prefix: prefix.clone(),
        ..WorkerConfig::new(
            "correlate",
            properties,
            vec![Topic::Enriched],
            Topic::CorrelateChangelog,
        )
    };
    claim(&config);
    let tally = Arc::<Tally>::default();
    let stop = AtomicBool::new(false);
    let onlooker = Onlooker {
        begun: Mutex::default(),
        told: Mutex::default(),
        tally: tally.clone(),
        stop: &stop,
    };
    let factory = |_: Topic, _: i32| -> Box<dyn Processor> {
        Box::new(Watched {
            inner: Correlate::new(),
            depth,
            tally: tally.clone(),
        })
    };
    worker::run(config, &factory, &onlooker, &stop).unwrap();
    let told = onlooker.told.lock().unwrap().take().unwrap();
    println!("{}", serde_json::to_string(&told).unwrap());
}
