//! What a loop is told at its start.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wire_format::topics::Topic;

use super::WorkerError;
use crate::{Properties, topic_name};

/// The longest session and transaction timeouts: how long a dead loop's partitions and records may wait.
const TIMEOUT_MAX_MS: u32 = 10_000;

/// The least budget: the largest record, of 24 MiB, must fit into the outgoing half.
pub const BUDGET_MIN_BYTES: usize = 64 * 1024 * 1024;

/// One loop.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// Its name in logs and metrics.
    pub name: &'static str,
    /// Properties of the client library, `bootstrap.servers` among them.
    pub properties: Properties,
    /// The consumer group that shares the inputs.
    pub group_id: String,
    /// What it reads.
    pub inputs: Vec<Topic>,
    /// What it writes besides its changelog: where the broker refuses something, these are tried, to say which it is.
    pub writes: Vec<Topic>,
    /// What it reads ahead of everything, all of it and whoever owns the partitions: see [`stream_worker::Processor::foresee`].
    pub ahead: Vec<Topic>,
    /// Whether what waits is read by the records' times over all partitions that the loop has, so that what is written from them
    /// lies in that order: see [`super::in_time`]. It costs a little, and nobody waits for it where nothing is behind.
    pub in_time: bool,
    /// Where its state goes: at least as many partitions as the widest input.
    pub changelog: Topic,
    /// The clock that it sends, if it does.
    pub ticks: Option<TickConfig>,
    /// A batch ends with this many records, or with its share of `budget_bytes`, whichever comes first.
    pub max_batch_records: usize,
    /// What may be under way at once, in bytes: read and not decided, decided and not committed. See [`Shares`].
    pub budget_bytes: usize,
    /// After how long the group gives a silent loop's partitions away; at most 10 s.
    pub session_timeout_ms: u32,
    /// After how long the broker ends a dead loop's transaction; at most 10 s.
    pub transaction_timeout_ms: u32,
    /// What transactional ids begin with, for the broker's access rules.
    pub transactional_id_prefix: String,
    /// Put before every topic name on the broker; names inside records stay without it.
    pub topic_prefix: String,
    /// Topics that lie on the broker under a name of their own instead, where records are not the city's.
    pub renamed: BTreeMap<Topic, String>,
    /// For how long the broker is looked for at the start.
    pub unreachable_after: Duration,
    /// Every record leaves a row: where the group has read and the changelog was never written, the state is lost.
    pub leaves_rows: bool,
    /// The broker is [`crate::embedded`]: its transactions keep no offsets, so they are committed beside them.
    pub embedded: bool,
}

/// How a loop's budget is shared, in bytes. Where a share is used up, the loop waits: the client stops fetching, and a
/// full outgoing queue holds the loop until the broker has taken some of it. So a slow broker costs time and no memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shares {
    /// A quarter: read by the client and not yet by the loop.
    pub read_ahead: usize,
    /// An eighth: one answer of a broker, by which the read-ahead may be overdrawn.
    pub fetch: usize,
    /// A sixteenth: one batch. What is decided of it is a few times as much, and goes into the outgoing queue.
    pub batch: usize,
    /// Half: sent and not yet acknowledged.
    pub outgoing: usize,
}

/// The clock that a loop sends with its inputs.
#[derive(Debug, Clone)]
pub struct TickConfig {
    /// How often, in wall time.
    pub every_ms: u64,
    /// To every partition of this topic.
    pub enriched: Topic,
    /// How many there are.
    pub partitions: i32,
    /// Whether a partition at its end keeps its time, and a never-filled one is left out.
    pub idle_hold: bool,
}

impl WorkerConfig {
    /// A loop with the limits that suit most: 128 MiB under way, of that 10,000 records or 8 MiB a batch; timeouts of 10 s.
    pub fn new(
        name: &'static str,
        properties: Properties,
        inputs: Vec<Topic>,
        changelog: Topic,
    ) -> WorkerConfig {
        WorkerConfig {
            name,
            properties,
            group_id: format!("cityops-{name}"),
            inputs,
            writes: Vec::new(),
            ahead: Vec::new(),
            in_time: false,
            changelog,
            ticks: None,
            max_batch_records: 10_000,
            budget_bytes: 128 * 1024 * 1024,
            session_timeout_ms: TIMEOUT_MAX_MS,
            transaction_timeout_ms: TIMEOUT_MAX_MS,
            transactional_id_prefix: format!("cityops-{name}-"),
            topic_prefix: String::new(),
            renamed: BTreeMap::new(),
            unreachable_after: Duration::from_secs(30),
            leaves_rows: false,
            embedded: false,
        }
    }

    /// How the budget is shared.
    pub fn shares(&self) -> Shares {
        Shares {
            read_ahead: self.budget_bytes / 4,
            fetch: self.budget_bytes / 8,
            batch: self.budget_bytes / 16,
            outgoing: self.budget_bytes / 2,
        }
    }

    /// The topic's name on the broker.
    pub(super) fn name_of(&self, topic: Topic) -> String {
        let own = self.renamed.get(&topic);
        own.cloned()
            .unwrap_or_else(|| topic_name(&self.topic_prefix, topic))
    }

    /// The topic that has this name on the broker.
    pub(super) fn topic_of(&self, name: &str) -> Option<Topic> {
        let own = self.renamed.iter().find(|(_, own)| *own == name);
        own.map(|(topic, _)| *topic)
            .or_else(|| name.strip_prefix(&self.topic_prefix).and_then(Topic::by_name))
    }

    pub(super) fn check(&self) -> Result<(), WorkerError> {
        let refuse = |text: &str| Err(WorkerError::Configuration(text.to_owned()));
        if !self.properties.contains_key("bootstrap.servers") {
            return refuse("bootstrap.servers is not set");
        }
        if self.budget_bytes < BUDGET_MIN_BYTES {
            return refuse("the budget must hold the largest record twice: at least 64 MiB");
        }
        if self.inputs.is_empty() || self.max_batch_records == 0 {
            return refuse("a worker needs inputs and a batch of at least one record");
        }
        if !(1..=TIMEOUT_MAX_MS).contains(&self.session_timeout_ms)
            || !(1_000..=TIMEOUT_MAX_MS).contains(&self.transaction_timeout_ms)
        {
            return refuse("session and transaction timeouts must not exceed 10 s");
        }
        if self
            .ticks
            .as_ref()
            .is_some_and(|ticks| ticks.every_ms == 0 || ticks.partitions <= 0)
        {
            return refuse("ticks need an interval and at least one partition");
        }
        Ok(())
    }

    /// Every topic that must be there from the start.
    pub(super) fn topics(&self) -> impl Iterator<Item = Topic> {
        let enriched = self.ticks.as_ref().map(|ticks| ticks.enriched);
        self.inputs
            .iter()
            .copied()
            .chain([self.changelog])
            .chain(enriched)
    }

    /// New at each start: what another process or thread, dead or alive, has in flight is the group's to fence.
    pub(crate) fn new_transactional_id(&self) -> String {
        static STARTS: AtomicU64 = AtomicU64::new(0);
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u64(STARTS.fetch_add(1, Ordering::Relaxed));
        hasher.write_u32(std::process::id());
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        hasher.write_u128(since_epoch.as_nanos());
        format!(
            "{}{:x}-{:016x}",
            self.transactional_id_prefix,
            since_epoch.as_secs(),
            hasher.finish()
        )
    }
}
