//! The broker that tests run against, topics of their own on it, and a processor that counts.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own part of this module"
)]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kafka_log::admin::{TopicSpec, create_topics};
use kafka_log::produce::{NewRecord, Sender};
use kafka_log::{
    CommitInfo, Observer, Properties, TickConfig, WorkerConfig, WorkerError, topic_name, worker,
};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use stream_worker::{InputRecord, OutRecord, Outbox, Processor};
use wire_format::topics::Topic;

/// How long anything may take before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// The broker's address.
pub fn bootstrap() -> String {
    std::env::var("CITYOPS_KAFKA").unwrap_or_else(|_| {
        panic!("these tests need a Kafka broker: run tests/run, which starts one and sets CITYOPS_KAFKA")
    })
}

/// Properties that lead to the broker.
pub fn properties() -> Properties {
    Properties::from([("bootstrap.servers".to_owned(), bootstrap())])
}

/// The topics that these tests use: creating all of them, for each test, is what takes the broker longest.
const TOPICS: [Topic; 8] = [
    Topic::Sensor,
    Topic::Video,
    Topic::Enriched,
    Topic::Incidents,
    Topic::Outcomes,
    Topic::Late,
    Topic::Vitals,
    Topic::EnrichChangelog,
];

/// Topics that no other test uses.
pub struct City {
    pub prefix: String,
    pub partitions: i32,
}

impl City {
    /// Creates the topics with this many partitions each.
    pub fn new(name: &str, partitions: i32) -> City {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let prefix = format!("{name}-{nanos:x}-{}-", COUNT.fetch_add(1, Ordering::Relaxed));
        let city = City { prefix, partitions };
        let specs: Vec<TopicSpec> = TOPICS
            .iter()
            .map(|topic| TopicSpec {
                name: city.topic(*topic),
                partitions,
                replication: Some(1),
                config: BTreeMap::from([
                    // One topic refuses what is large, so that a transaction can fail.
                    (
                        "max.message.bytes".to_owned(),
                        if *topic == Topic::Late { "2000" } else { "1000000" }.to_owned(),
                    ),
                    ("cleanup.policy".to_owned(), topic.cleanup().as_str().to_owned()),
                    ("message.timestamp.type".to_owned(), "LogAppendTime".to_owned()),
                ]),
            })
            .collect();
        create_topics(&properties(), &specs).unwrap();
        city
    }

    /// A topic's name on the broker.
    pub fn topic(&self, topic: Topic) -> String {
        topic_name(&self.prefix, topic)
    }

    /// A loop that counts what is in `inputs`.
    pub fn config(&self, inputs: &[Topic]) -> WorkerConfig {
        counting_config(&self.prefix, properties(), inputs)
    }

    /// The same with ticks.
    pub fn ticking(&self, inputs: &[Topic], every_ms: u64, idle_hold: bool) -> WorkerConfig {
        let ticks = TickConfig {
            every_ms,
            enriched: Topic::Enriched,
            partitions: self.partitions,
            idle_hold,
        };
        WorkerConfig {
            ticks: Some(ticks),
            ..self.config(inputs)
        }
    }

    /// Writes records with these keys, spread over the partitions by key.
    pub fn write(&self, topic: Topic, keys: impl IntoIterator<Item = String>) {
        let sender = Sender::new(&properties()).unwrap();
        let name = self.topic(topic);
        for key in keys {
            sender.send(&record(&name, None, &key, b"x")).unwrap();
        }
        sender.flush().unwrap();
    }

    /// What the counters have said, by key, in order of partition and offset.
    pub fn counted(&self) -> BTreeMap<String, Vec<u64>> {
        let mut counted: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        kafka_log::read::read_all(&properties(), &self.topic(Topic::Outcomes), |record| {
            let key = String::from_utf8(record.key().unwrap().to_vec()).unwrap();
            let value = std::str::from_utf8(record.value().unwrap())
                .unwrap()
                .parse()
                .unwrap();
            counted.entry(key).or_default().push(value);
            ControlFlow::Continue(())
        })
        .unwrap();
        counted
    }

    /// Waits until so many records were counted, then checks that each key was counted 1, 2, 3 … without gap or double.
    pub fn check_counted(&self, topic: Topic, keys: &BTreeMap<String, u64>) {
        let total: u64 = keys.values().sum();
        let end = Instant::now() + PATIENCE;
        let counted = loop {
            let counted = self.counted();
            let count: usize = counted.values().map(Vec::len).sum();
            if count as u64 >= total || Instant::now() > end {
                break counted;
            }
        };
        let expected: BTreeMap<String, Vec<u64>> = keys
            .iter()
            .map(|(key, count)| (format!("{}/{key}", topic.name()), (1..=*count).collect()))
            .collect();
        for (key, values) in &expected {
            assert_eq!(counted.get(key), Some(values), "the counts of {key}");
        }
        assert_eq!(counted.len(), expected.len(), "no other key");
    }

    /// The distance between the group's offsets and the ends of the partitions, control records included.
    pub fn lag(&self, group: &str, topic: Topic) -> i64 {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", bootstrap())
            .set("group.id", group)
            .create()
            .unwrap();
        let name = self.topic(topic);
        let mut asked = TopicPartitionList::new();
        asked.add_partition_range(&name, 0, self.partitions - 1);
        let committed = consumer
            .committed_offsets(asked, Duration::from_secs(20))
            .unwrap();
        let mut lag = 0;
        for element in committed.elements() {
            let (_, end) = consumer
                .fetch_watermarks(&name, element.partition(), Duration::from_secs(10))
                .unwrap();
            lag += match element.offset() {
                Offset::Offset(offset) => end - offset,
                _ => end,
            };
        }
        lag
    }
}

/// A record for a sender.
pub fn record<'a>(topic: &'a str, partition: Option<i32>, key: &'a str, value: &'a [u8]) -> NewRecord<'a> {
    NewRecord {
        topic,
        partition,
        key: Some(key.as_bytes()),
        value: Some(value),
        timestamp: None,
        headers: &[],
    }
}

/// Asks again until it is so.
pub fn until(what: impl std::fmt::Display, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::yield_now();
    }
}

/// The configuration of a counting loop, also in a process of its own.
pub fn counting_config(prefix: &str, properties: Properties, inputs: &[Topic]) -> WorkerConfig {
    let config = WorkerConfig::new("counting", properties, inputs.to_vec(), Topic::EnrichChangelog);
    WorkerConfig {
        group_id: format!("{prefix}group"),
        topic_prefix: prefix.to_owned(),
        // As enrich reads, the loop with the most inputs.
        in_time: true,
        // The least that a broker allows by default.
        session_timeout_ms: 6_000,
        unreachable_after: Duration::from_secs(3),
        ..config
    }
}

/// Counts the records of each key: the count goes out and is the state.
#[derive(Default)]
pub struct Counter {
    counts: BTreeMap<String, u64>,
    changed: BTreeMap<String, u64>,
}

impl Processor for Counter {
    fn restore(&mut self, key: &str, value: Option<&[u8]>) -> anyhow::Result<()> {
        match value {
            Some(value) => self
                .counts
                .insert(key.to_owned(), std::str::from_utf8(value)?.parse()?),
            None => self.counts.remove(key),
        };
        Ok(())
    }

    fn begin(&mut self, _out: &mut Outbox) {}

    fn process(&mut self, record: &InputRecord<'_>, out: &mut Outbox) {
        let key = String::from_utf8_lossy(record.key.unwrap()).into_owned();
        let count = self.counts.entry(key.clone()).or_default();
        *count += 1;
        let outgoing = format!("{}/{key}", record.topic.name());
        out.records.push(OutRecord::keyed(
            Topic::Outcomes,
            &outgoing,
            Some(count.to_string().into_bytes()),
        ));
        self.changed.insert(key, *count);
    }

    fn checkpoint(&mut self, out: &mut Outbox) {
        for (key, count) in std::mem::take(&mut self.changed) {
            out.rows.insert(key, Some(count.to_string().into_bytes()));
        }
    }
}

/// The factory of counters.
pub fn counter(_topic: Topic, _partition: i32) -> Box<dyn Processor> {
    Box::<Counter>::default()
}

/// Remembers what a loop has said.
#[derive(Debug, Default)]
pub struct Heard {
    pub assigned: Mutex<Vec<Vec<(Topic, i32)>>>,
    pub ready: AtomicU64,
    pub restored_rows: AtomicU64,
    pub restored_tasks: AtomicU64,
    pub records: AtomicU64,
    pub commits: AtomicU64,
    pub aborts: AtomicU64,
    pub ended: Mutex<Option<Result<(), String>>>,
    pub answers: AtomicU64,
}

impl Observer for Heard {
    fn batch_committed(&self, info: &CommitInfo<'_>) {
        assert_eq!(
            info.records,
            info.sources.iter().map(|(_, count)| count).sum::<u64>()
        );
        self.records.fetch_add(info.records, Ordering::Relaxed);
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    fn assigned(&self, _worker: &str, partitions: &[(Topic, i32)]) {
        self.assigned.lock().unwrap().push(partitions.to_vec());
    }

    fn ready(&self, _worker: &str) {
        self.ready.fetch_add(1, Ordering::Relaxed);
    }

    fn restored(&self, _topic: Topic, _partition: i32, rows: u64, _duration: Duration) {
        self.restored_rows.fetch_add(rows, Ordering::Relaxed);
        self.restored_tasks.fetch_add(1, Ordering::Relaxed);
    }

    fn answered(&self, _worker: &str) {
        self.answers.fetch_add(1, Ordering::Relaxed);
    }

    fn aborted(&self, _worker: &str) {
        self.aborts.fetch_add(1, Ordering::Relaxed);
    }
}

/// A loop on a thread.
pub struct Running {
    pub heard: Arc<Heard>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<Result<(), WorkerError>>>,
}

impl Running {
    /// Starts a counting loop.
    pub fn start(config: WorkerConfig) -> Running {
        Running::with(config, counter)
    }

    /// Starts a loop with another processor.
    pub fn with(
        config: WorkerConfig,
        factory: impl Fn(Topic, i32) -> Box<dyn Processor> + Sync + Send + 'static,
    ) -> Running {
        let heard = Arc::new(Heard::default());
        let stop = Arc::new(AtomicBool::new(false));
        let thread = {
            let (heard, stop) = (heard.clone(), stop.clone());
            std::thread::spawn(move || {
                let result = worker::run(config, &factory, &*heard, &stop);
                *heard.ended.lock().unwrap() = Some(result.as_ref().map_err(ToString::to_string).copied());
                result
            })
        };
        Running {
            heard,
            stop,
            thread: Some(thread),
        }
    }

    /// Waits until the loop has committed so many input records.
    pub fn wait_for_records(&self, count: u64) {
        until(
            format_args!("{count} records committed: {:?}", self.heard),
            || {
                assert_eq!(
                    *self.heard.ended.lock().unwrap(),
                    None,
                    "the loop ended by itself"
                );
                self.heard.records.load(Ordering::Relaxed) >= count
            },
        );
    }

    /// The partitions that it was given last.
    pub fn partitions(&self) -> Vec<(Topic, i32)> {
        self.heard
            .assigned
            .lock()
            .unwrap()
            .last()
            .cloned()
            .unwrap_or_default()
    }

    /// Ends it as SIGTERM does.
    pub fn stop(mut self) -> Arc<Heard> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap().unwrap();
        self.heard.clone()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// So many records for each of some keys.
pub fn keys(keys: u64, each: u64) -> BTreeMap<String, u64> {
    (0..keys).map(|key| (format!("device-{key}"), each)).collect()
}

/// The keys in turn, as often as each is wanted.
pub fn in_turn(keys: &BTreeMap<String, u64>) -> impl Iterator<Item = String> {
    let most = keys.values().copied().max().unwrap_or(0);
    (0..most).flat_map(move |round| {
        keys.iter()
            .filter(move |(_, count)| **count > round)
            .map(|(key, _)| key.clone())
    })
}
