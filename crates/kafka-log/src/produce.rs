//! Writes input records, as devices, the hotline and tests do: idempotent, not transactional.

use std::time::{Duration, Instant};

use anyhow::Context;
use city_model::EventTime;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::Properties;
use crate::deliveries::Deliveries;
use crate::settings::{self, MAX_RECORD_BYTES, take_reports};

/// Records that may be on their way at once.
const IN_FLIGHT_MAX: i32 = 50_000;
/// How long a flush, or room for one more record, may take.
const DRAIN_MAX: Duration = Duration::from_secs(60);

/// A record to write.
#[derive(Debug, Clone, Copy)]
pub struct NewRecord<'a> {
    /// The topic's name on the broker.
    pub topic: &'a str,
    /// The partition; `None` leaves it to the key.
    pub partition: Option<i32>,
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// The timestamp; `None` is now. Topics with `LogAppendTime` replace it.
    pub timestamp: Option<EventTime>,
    /// Headers, in order.
    pub headers: &'a [(&'a str, &'a [u8])],
}

/// A producer for one thread.
pub struct Sender {
    producer: BaseProducer<Deliveries>,
}

impl Sender {
    /// Connects lazily.
    ///
    /// # Errors
    /// When the properties are refused.
    pub fn new(properties: &Properties) -> anyhow::Result<Sender> {
        let max = MAX_RECORD_BYTES.to_string();
        let mut config = settings::client(
            properties,
            &[
                ("enable.idempotence", "true"),
                ("partitioner", "murmur2_random"),
                ("message.max.bytes", &max),
                ("delivery.report.only.error", "true"),
            ],
        );
        for (key, value) in [("linger.ms", "5"), ("compression.type", "lz4")] {
            if !properties.contains_key(key) {
                config.set(key, value);
            }
        }
        let producer = config
            .create_with_context(Deliveries::default())
            .context("create the producer")?;
        Ok(Sender { producer })
    }

    /// Hands a record over; waits when too many are on their way.
    ///
    /// # Errors
    /// When an earlier record was not delivered, this one is refused, or there was no room for a minute.
    pub fn send(&self, record: &NewRecord<'_>) -> anyhow::Result<()> {
        let deadline = Instant::now() + DRAIN_MAX;
        while self.producer.in_flight_count() >= IN_FLIGHT_MAX {
            take_reports(&self.producer);
            anyhow::ensure!(
                Instant::now() < deadline,
                "records are not delivered: {}",
                self.reason()
            );
        }
        self.check()?;
        let mut outgoing = BaseRecord::<[u8], [u8], usize>::with_opaque_to(record.topic, 0);
        outgoing.partition = record.partition;
        outgoing.key = record.key;
        outgoing.payload = record.value;
        outgoing.timestamp = record.timestamp.map(EventTime::millis);
        if !record.headers.is_empty() {
            let headers = OwnedHeaders::new_with_capacity(record.headers.len());
            outgoing.headers = Some(record.headers.iter().fold(headers, |headers, (key, value)| {
                headers.insert(Header {
                    key,
                    value: Some(*value),
                })
            }));
        }
        while let Err((error, back)) = self.producer.send(outgoing) {
            let full = error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull);
            if !full || Instant::now() >= deadline {
                return Err(error).with_context(|| format!("send to {}", record.topic));
            }
            take_reports(&self.producer);
            outgoing = back;
        }
        Ok(())
    }

    /// Waits until everything is delivered.
    ///
    /// # Errors
    /// When a record was not delivered, or a minute was not enough.
    pub fn flush(&self) -> anyhow::Result<()> {
        // By hand: the library's own flush looks only every 100 ms.
        let deadline = Instant::now() + DRAIN_MAX;
        while self.producer.in_flight_count() > 0 {
            anyhow::ensure!(
                Instant::now() < deadline,
                "records are not delivered: {}",
                self.reason()
            );
            take_reports(&self.producer);
        }
        self.check()
    }

    fn check(&self) -> anyhow::Result<()> {
        let failed = self.producer.context().take_failed();
        failed.map_or(Ok(()), |(topic, error)| {
            Err(error).with_context(|| format!("a record was not delivered to {topic}"))
        })
    }

    fn reason(&self) -> String {
        self.producer
            .context()
            .reports
            .trouble()
            .unwrap_or_else(|| "no answer in time".to_owned())
    }
}
