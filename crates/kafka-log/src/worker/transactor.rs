//! One transaction after the other on one producer: all of it commits, or it is aborted.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::TopicPartitionList;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext, PurgeConfig};

use super::WorkerConfig;
use super::failure::{Failure, is_no_right};
use crate::settings::{self, MAX_RECORD_BYTES, Reports};

/// How long deliveries, and then the commit, may take: long enough for the election of a new leader (10.5 s were seen).
const PATIENCE: Duration = Duration::from_secs(30);
/// One request; the library takes it up again where it stood when called again.
const REQUEST: Duration = Duration::from_secs(5);
/// Delivery reports are taken in while sending, every so many records.
const POLL_EVERY: u64 = 1_024;

/// A record on its way out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outgoing<'a> {
    pub(crate) topic: &'a str,
    pub(crate) partition: Option<i32>,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) headers: &'a [(&'static str, String)],
    /// Headers that stand before those.
    pub(crate) own_headers: &'a [(String, Vec<u8>)],
    /// Its timestamp; `None` is now.
    pub(crate) timestamp: Option<i64>,
    /// Carries a tick: the time at which the broker appended it is wanted.
    pub(crate) tick: bool,
}

/// What the delivery reports of the open transaction have said.
#[derive(Debug, Default)]
struct Deliveries {
    reports: Reports,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// The topic that a record was not delivered to, and why.
    failed: Option<(String, KafkaError)>,
    tick_appended_ms: Option<i64>,
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.reports.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.reports.error(error, reason);
    }
}

impl ProducerContext for Deliveries {
    /// 1 for a record that carries a tick.
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, tick: usize) {
        match result {
            Ok(_) if tick == 0 => {}
            Ok(message) => {
                // The least over the partitions: what stands before it stands before all of them.
                if let Some(ms) = message.timestamp().to_millis() {
                    let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                    seen.tick_appended_ms = Some(seen.tick_appended_ms.map_or(ms, |least| least.min(ms)));
                }
            }
            Err((error, message)) => {
                self.seen
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .failed
                    .get_or_insert_with(|| (message.topic().to_owned(), error.clone()));
            }
        }
    }
}

/// The loop's producer.
pub(crate) struct Transactor {
    producer: BaseProducer<Deliveries>,
    sent: u64,
}

impl Transactor {
    /// Makes the producer and takes over its transactional id, which ends what that id had open.
    pub(crate) fn start(
        config: &WorkerConfig,
        transactional_id: &str,
        alive: &dyn Fn(),
    ) -> Result<Transactor, Failure> {
        let timeout = config.transaction_timeout_ms.to_string();
        let max = MAX_RECORD_BYTES.to_string();
        // Only ticks want to know when they were appended.
        let only_errors = config.ticks.is_none().to_string();
        let mut client = settings::client(
            &config.properties,
            &[
                ("transactional.id", transactional_id),
                ("transaction.timeout.ms", &timeout),
                // A record that is still waiting when its transaction has ended is of no use.
                ("message.timeout.ms", &timeout),
                ("partitioner", "murmur2_random"),
                ("message.max.bytes", &max),
                ("queue.buffering.max.messages", "1000000"),
                ("delivery.report.only.error", &only_errors),
            ],
        );
        for (key, value) in [
            ("linger.ms", "5"),
            ("compression.type", "lz4"),
            ("retry.backoff.ms", "20"),
        ] {
            if !config.properties.contains_key(key) {
                client.set(key, value);
            }
        }
        let producer: BaseProducer<Deliveries> = client
            .create_with_context(Deliveries::default())
            .map_err(|error| Failure::of("create the producer", &error))?;
        resume(alive, || producer.init_transactions(REQUEST))
            .map_err(|error| Failure::of("init transactions", &error))?;
        Ok(Transactor { producer, sent: 0 })
    }

    /// Opens a transaction.
    pub(crate) fn begin(&mut self) -> Result<(), Failure> {
        self.sent = 0;
        self.producer.context().reports.forget_trouble();
        *self
            .producer
            .context()
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Seen::default();
        self.producer
            .begin_transaction()
            .map_err(|error| Failure::of("begin a transaction", &error))
    }

    /// Sends a record in the open transaction.
    pub(crate) fn send(&mut self, outgoing: &Outgoing<'_>) -> Result<(), Failure> {
        let mut record =
            BaseRecord::<[u8], [u8], usize>::with_opaque_to(outgoing.topic, usize::from(outgoing.tick));
        record.partition = outgoing.partition;
        record.key = outgoing.key;
        record.payload = outgoing.value;
        record.timestamp = outgoing.timestamp;
        let count = outgoing.own_headers.len() + outgoing.headers.len();
        if count > 0 {
            let own = outgoing.own_headers.iter();
            let own = own.map(|(key, value)| (key.as_str(), value.as_slice()));
            let all = own.chain(
                outgoing
                    .headers
                    .iter()
                    .map(|(key, value)| (*key, value.as_bytes())),
            );
            let headers = OwnedHeaders::new_with_capacity(count);
            record.headers = Some(all.fold(headers, |headers, (key, value)| {
                headers.insert(Header {
                    key,
                    value: Some(value),
                })
            }));
        }
        let deadline = Instant::now() + PATIENCE;
        while let Err((error, back)) = self.producer.send(record) {
            let full = error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull);
            if !full || Instant::now() >= deadline {
                return Err(Failure::of(&format!("send to {}", outgoing.topic), &error));
            }
            self.producer.poll(Duration::from_millis(1));
            record = back;
        }
        self.sent += 1;
        if self.sent.is_multiple_of(POLL_EVERY) {
            self.producer.poll(Duration::ZERO);
        }
        Ok(())
    }

    /// Records sent in the open transaction.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// Commits the open transaction with the offsets; gives the append time of its ticks, if it had any.
    pub(crate) fn commit(
        &mut self,
        offsets: &TopicPartitionList,
        member: Option<&ConsumerGroupMetadata>,
        alive: &dyn Fn(),
    ) -> Result<Option<i64>, Failure> {
        if let Some(member) = member.filter(|_| offsets.count() > 0) {
            // Before draining: the request travels while the records do. Away from the broker it ignores its timeout.
            resume(alive, || {
                self.producer
                    .send_offsets_to_transaction(offsets, member, REQUEST)
            })
            .map_err(|error| Failure::of("send the offsets", &error))?;
        }
        self.drain(alive)?;
        resume(alive, || self.producer.commit_transaction(REQUEST))
            .map_err(|error| Failure::of("commit", &error))?;
        Ok(self
            .producer
            .context()
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .tick_appended_ms)
    }

    /// Takes in all delivery reports. The library's flush, also the one inside commit, looks only every 100 ms.
    fn drain(&self, alive: &dyn Fn()) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // First, for it takes all other records of the transaction with it.
            if let Some(why) = self.producer.context().reports.no_topic_right() {
                return Err(Failure::NoRight(why));
            }
            if let Some((topic, error)) = &self
                .producer
                .context()
                .seen
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .failed
            {
                // Of a producer that may not go on, its records only say that they were thrown away.
                return Err(match self.producer.client().fatal_error() {
                    Some((code, why)) => Failure::fatal(code, format!("deliver a record to {topic}: {why}")),
                    None => Failure::of(&format!("deliver a record to {topic}"), error),
                });
            }
            if self.producer.in_flight_count() == 0 {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let trouble = self.producer.context().reports.trouble().unwrap_or_default();
                return Err(Failure::Retry(format!(
                    "records are not delivered in time: {trouble}"
                )));
            }
            alive();
            self.producer.poll(Duration::from_millis(1));
        }
    }

    /// Whether all of these topics may be written: a record for each goes into a transaction that is aborted. After `false`
    /// this producer is of no more use.
    pub(crate) fn may_write(&mut self, topics: &[String], within: Duration) -> Result<bool, Failure> {
        self.begin()?;
        for topic in topics {
            self.send(&Outgoing {
                topic,
                partition: Some(0),
                key: Some(b"cityops.rights"),
                value: None,
                headers: &[],
                own_headers: &[],
                timestamp: None,
                tick: false,
            })?;
        }
        let refused = |error: &KafkaError| error.rdkafka_error_code().is_some_and(is_no_right);
        let deadline = Instant::now() + within;
        while self.producer.in_flight_count() > 0 {
            self.producer.poll(Duration::from_millis(1));
            let reports = &self.producer.context().reports;
            if reports.no_topic_right().is_some() {
                return Ok(false);
            }
            if Instant::now() >= deadline {
                let trouble = reports.trouble().unwrap_or_default();
                return Err(Failure::Retry(format!(
                    "{} does not answer: {trouble}",
                    topics.join(", ")
                )));
            }
        }
        if self.producer.context().reports.no_topic_right().is_some() {
            return Ok(false);
        }
        let seen = self.producer.context().seen.lock();
        let failed = seen.unwrap_or_else(PoisonError::into_inner).failed.clone();
        match failed {
            Some((_, error)) if refused(&error) => Ok(false),
            Some((topic, error)) => Err(Failure::of(&format!("deliver a record to {topic}"), &error)),
            None => self.abort(&|| {}).map(|()| true),
        }
    }

    /// Whether offsets of the member's group may be committed: one of `topic` goes into a transaction that is aborted.
    pub(crate) fn may_commit(
        &mut self,
        topic: &str,
        member: &ConsumerGroupMetadata,
    ) -> Result<bool, Failure> {
        self.begin()?;
        let mut offsets = TopicPartitionList::new();
        offsets
            .add_partition_offset(topic, 0, rdkafka::Offset::Offset(0))
            .map_err(|error| Failure::of("name an offset", &error))?;
        let result = resume(&|| {}, || {
            self.producer
                .send_offsets_to_transaction(&offsets, member, REQUEST)
        });
        // Another refusal is the group's, which has members that this one is not among: it was asked, and may be.
        let refused = result.is_err_and(|error| {
            error.rdkafka_error_code() == Some(RDKafkaErrorCode::GroupAuthorizationFailed)
        });
        if let Err(error) = self.abort(&|| {}) {
            tracing::debug!(%error, "the transaction that tried a right could not be aborted");
        }
        Ok(!refused)
    }

    /// Gives the open transaction up.
    pub(crate) fn abort(&mut self, alive: &dyn Fn()) -> Result<(), Failure> {
        self.producer.purge(PurgeConfig::default().queue().inflight());
        let deadline = Instant::now() + REQUEST;
        while self.producer.in_flight_count() > 0 && Instant::now() < deadline {
            self.producer.poll(Duration::from_millis(1));
        }
        resume(alive, || self.producer.abort_transaction(REQUEST))
            .map_err(|error| Failure::Fatal(format!("abort: {error}")))
    }
}

/// Calls again while the library says that calling again goes on where it stood.
fn resume(alive: &dyn Fn(), mut call: impl FnMut() -> KafkaResult<()>) -> KafkaResult<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match call() {
            Err(KafkaError::Transaction(error)) if error.is_retriable() && Instant::now() < deadline => {
                tracing::debug!(%error, "the transaction waits");
                alive();
            }
            result => return result,
        }
    }
}
