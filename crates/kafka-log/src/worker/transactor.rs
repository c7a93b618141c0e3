//! One transaction after the other on one producer: all of it commits, or it is aborted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use super::WorkerConfig;
use super::bounded::{Hangs, LOOK, bounded_beside};
use super::failure::Failure;
use super::handing::{Handed, Plain, Topics};
use crate::deliveries::Deliveries;
use crate::settings::{self, MAX_RECORD_BYTES, take_reports};

/// How long deliveries, and then the commit, may take: long enough for the election of a new leader (10.5 s were seen).
const PATIENCE: Duration = Duration::from_secs(30);
/// One request; the library takes it up again where it stood when called again.
const REQUEST: Duration = Duration::from_secs(5);
/// How long giving up may take: the broker does it by itself when the transaction's time is over, and for a new client at once.
const ABORT_PATIENCE: Duration = Duration::from_secs(10);
/// One request of these; each throws away what went back to the queue meanwhile, because a broker has gone.
const ABORT_REQUEST: Duration = Duration::from_secs(1);
/// How often delivery reports are taken in while a transaction is given up.
const TAKE_EVERY: Duration = Duration::from_millis(2);
/// How long a request may take that does not keep to its timeout: longer than any transaction lasts, so what it was about is
/// aborted by then. Sending the offsets does not hear that the group's coordinator has moved while the old one is dead; a new
/// client asks who it is.
const HANGS_AFTER: Duration = Duration::from_secs(12);
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

/// How a loop writes.
pub(crate) fn producer_config(config: &WorkerConfig, transactional_id: &str) -> ClientConfig {
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
    let outgoing_kib = (config.shares().outgoing / 1024).to_string();
    settings::unless_given(
        &mut client,
        &config.properties,
        &[
            // What waits for the transaction to know its partition makes batches enough.
            ("linger.ms", "1"),
            ("compression.type", "lz4"),
            ("retry.backoff.ms", "20"),
            ("queue.buffering.max.kbytes", &outgoing_kib),
        ],
    );
    client
}

/// The loop's producer.
pub(crate) struct Transactor {
    /// Shared with the call under way, which may outlive this.
    producer: Arc<BaseProducer<Deliveries>>,
    topics: Topics<Deliveries>,
    is_open: bool,
    sent: u64,
}

impl Transactor {
    /// Makes the producer and takes over its transactional id, which ends what that id had open.
    pub(crate) fn start(
        config: &WorkerConfig,
        transactional_id: &str,
        alive: &dyn Fn(),
    ) -> Result<Transactor, Failure> {
        let client = producer_config(config, transactional_id);
        let producer: BaseProducer<Deliveries> = client
            .create_with_context(Deliveries::default())
            .map_err(|error| Failure::of("create the producer", &error))?;
        let producer = Arc::new(producer);
        let transactor = Transactor {
            topics: Topics::of(producer.clone()),
            producer,
            is_open: false,
            sent: 0,
        };
        transactor.ask("init transactions", PATIENCE, alive, |producer| {
            producer.init_transactions(REQUEST)
        })?;
        Ok(transactor)
    }

    /// Opens a transaction.
    pub(crate) fn begin(&mut self) -> Result<(), Failure> {
        self.sent = 0;
        self.producer.context().forget();
        self.producer
            .begin_transaction()
            .map_err(|error| Failure::of("begin a transaction", &error))?;
        self.is_open = true;
        Ok(())
    }

    /// Whether a transaction is open: begun, and neither committed nor given up.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Sends a record in the open transaction.
    pub(crate) fn send(&mut self, outgoing: &Outgoing<'_>, alive: &dyn Fn()) -> Result<(), Failure> {
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
                let failure = Failure::of(&format!("send to {}", outgoing.topic), &error);
                return Err(self.refused().unwrap_or(failure));
            }
            // The queue's bound is what holds a loop back whose broker is slow.
            alive();
            take_reports(&self.producer);
            record = back;
        }
        self.sent += 1;
        if self.sent.is_multiple_of(POLL_EVERY) {
            self.producer.poll(Duration::ZERO);
        }
        Ok(())
    }

    /// Sends records of one topic that have nothing but key and value in the open transaction, in their order.
    pub(crate) fn send_plain(
        &mut self,
        topic: &str,
        records: &[Plain<'_>],
        alive: &dyn Fn(),
    ) -> Result<(), Failure> {
        records
            .chunk_by(|one, next| one.partition == next.partition)
            .try_for_each(|run| self.send_run(topic, run, alive))?;
        self.producer.poll(Duration::ZERO);
        Ok(())
    }

    /// The same of one partition, or of none.
    fn send_run(&mut self, topic: &str, records: &[Plain<'_>], alive: &dyn Fn()) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        let mut left = records;
        while !left.is_empty() {
            let Handed { taken, refused } = self.topics.hand(topic, left);
            left = &left[taken..];
            self.sent += taken as u64;
            match refused {
                None => {}
                Some(RDKafkaErrorCode::QueueFull) if Instant::now() < deadline => {
                    alive();
                    take_reports(&self.producer);
                }
                Some(code) => {
                    let error = KafkaError::MessageProduction(code);
                    let failure = Failure::of(&format!("send to {topic}"), &error);
                    return Err(self.refused().unwrap_or(failure));
                }
            }
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
        member: Option<&Arc<ConsumerGroupMetadata>>,
        alive: &dyn Fn(),
    ) -> Result<Option<i64>, Failure> {
        if let Some(member) = member.filter(|_| offsets.count() > 0) {
            // Before draining: the request travels while the records do. Away from the broker it ignores its timeout.
            let (offsets, member) = (offsets.clone(), member.clone());
            self.ask("send the offsets", PATIENCE, alive, move |producer| {
                producer.send_offsets_to_transaction(&offsets, &member, REQUEST)
            })
            // Of a transaction that must be given up by then, the library says only that.
            .map_err(|failure| match failure {
                Failure::Hangs(_) | Failure::Fenced(_) => failure,
                failure => self.refused().unwrap_or(failure),
            })?;
        }
        self.drain(PATIENCE, alive)?;
        self.ask("commit", PATIENCE, alive, |producer| {
            producer.commit_transaction(REQUEST)
        })?;
        self.is_open = false;
        Ok(self.producer.context().tick_appended_ms())
    }

    /// The topic that may not be written, if the library has told of one in this transaction.
    fn refused(&self) -> Option<Failure> {
        let why = self.producer.context().reports.no_topic_right()?;
        // It stands in quotes, where it stands at all.
        let topic = why.split('"').nth(1).map(str::to_owned);
        let failure = Failure::no_topic_right(why);
        Some(match topic {
            Some(topic) => failure.wanting("WRITE", &topic),
            None => failure,
        })
    }

    /// Takes in all delivery reports. The library's flush, also the one inside commit, looks only every 100 ms.
    fn drain(&self, within: Duration, alive: &dyn Fn()) -> Result<(), Failure> {
        let deadline = Instant::now() + within;
        loop {
            // First, for it takes all other records of the transaction with it.
            if let Some(failure) = self.refused() {
                return Err(failure);
            }
            if let Some((topic, error)) = self.producer.context().take_failed() {
                // Of a producer that may not go on, its records only say that they were thrown away.
                return Err(match self.producer.client().fatal_error() {
                    Some((code, why)) => Failure::fatal(code, format!("deliver a record to {topic}: {why}")),
                    None => {
                        Failure::of(&format!("deliver a record to {topic}"), &error).wanting("WRITE", &topic)
                    }
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
            take_reports(&self.producer);
        }
    }

    /// Whether all of these topics may be written: a record for each goes into a transaction that is aborted. After `false`
    /// this producer is of no more use.
    pub(crate) fn may_write(&mut self, topics: &[String], within: Duration) -> Result<bool, Failure> {
        self.begin()?;
        for topic in topics {
            self.send(
                &Outgoing {
                    topic,
                    partition: Some(0),
                    key: Some(b"cityops.rights"),
                    value: None,
                    headers: &[],
                    own_headers: &[],
                    timestamp: None,
                    tick: false,
                },
                &|| {},
            )?;
        }
        match self.drain(within, &|| {}) {
            Ok(()) => self.abort(&|| {}).map(|()| true),
            Err(Failure::NoRight(_)) => Ok(false),
            Err(Failure::Retry(why)) => Err(Failure::Retry(format!("{}: {why}", topics.join(", ")))),
            Err(failure) => Err(failure),
        }
    }

    /// Whether offsets of the member's group may be committed: one of `topic` goes into a transaction that is aborted.
    pub(crate) fn may_commit(
        &mut self,
        topic: &str,
        member: &Arc<ConsumerGroupMetadata>,
    ) -> Result<bool, Failure> {
        self.begin()?;
        let mut offsets = TopicPartitionList::new();
        offsets
            .add_partition_offset(topic, 0, rdkafka::Offset::Offset(0))
            .map_err(|error| Failure::of("name an offset", &error))?;
        let member = member.clone();
        let result = self.ask("try to send an offset", PATIENCE, &|| {}, move |producer| {
            producer.send_offsets_to_transaction(&offsets, &member, REQUEST)
        });
        if let Err(failure @ Failure::Hangs(_)) = result {
            return Err(failure); // nobody has answered, and an abort would hang behind it
        }
        // Another refusal is the group's, which has members that this one is not among: it was asked, and may be.
        let refused = matches!(&result, Err(Failure::NoRight(refusal)) if refusal.is_of_group());
        if let Err(error) = self.abort(&|| {}) {
            tracing::debug!(%error, "the transaction that tried a right could not be aborted");
        }
        Ok(!refused)
    }

    /// Gives the open transaction up: what still waits here is thrown away, what is on its way is waited for.
    ///
    /// Only the library's own abort may throw records away, for it takes them out of the count that the broker holds the next ones
    /// to; after a plain purge the next transaction has a gap and fails. And what is on its way must not be forgotten: the
    /// broker could take it into the next transaction. If that takes too long, a new producer fences it.
    pub(crate) fn abort(&mut self, alive: &dyn Fn()) -> Result<(), Failure> {
        self.is_open = false;
        // The library waits until all delivery reports have been taken in.
        let producer = self.producer.clone();
        let beside = || {
            alive();
            producer.poll(Duration::ZERO);
        };
        self.ask_beside("abort", ABORT_PATIENCE, TAKE_EVERY, &beside, |producer| {
            producer.abort_transaction(ABORT_REQUEST)
        })
        .map_err(|failure| match failure {
            // That another owner has taken over can come out here first: of a commit that met the takeover the broker may only say
            // that something went wrong.
            Failure::Hangs(_) | Failure::Fenced(_) => failure,
            _ => Failure::Fatal(failure.to_string()),
        })
    }

    /// Makes a request that needs nothing done beside it.
    fn ask(
        &self,
        doing: &str,
        patience: Duration,
        alive: &dyn Fn(),
        request: impl Fn(&BaseProducer<Deliveries>) -> KafkaResult<()> + Clone + Send + 'static,
    ) -> Result<(), Failure> {
        self.ask_beside(doing, patience, LOOK, alive, request)
    }

    /// Makes a request, and makes it again while the library says that calling again goes on where it stood.
    fn ask_beside(
        &self,
        doing: &str,
        patience: Duration,
        every: Duration,
        beside: &dyn Fn(),
        request: impl Fn(&BaseProducer<Deliveries>) -> KafkaResult<()> + Clone + Send + 'static,
    ) -> Result<(), Failure> {
        let deadline = Instant::now() + patience;
        loop {
            let (producer, request) = (self.producer.clone(), request.clone());
            match bounded_beside(HANGS_AFTER, every, beside, move || request(&producer)) {
                Err(Hangs { waited }) => {
                    return Err(Failure::Hangs(format!(
                        "{doing}: no answer for {} s",
                        waited.as_secs()
                    )));
                }
                Ok(Err(KafkaError::Transaction(error)))
                    if error.is_retriable() && Instant::now() < deadline =>
                {
                    tracing::debug!(%error, doing, "the transaction waits");
                    beside();
                }
                Ok(answer) => return answer.map_err(|error| Failure::of(doing, &error)),
            }
        }
    }
}
