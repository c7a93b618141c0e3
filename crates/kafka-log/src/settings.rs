//! How the clients of this crate are configured, and how they say what they have met.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, ProducerContext};

use crate::Properties;

/// The largest record that is read or written: 24 MiB, so that a record over the intake's limit still becomes a dead letter.
pub(crate) const MAX_RECORD_BYTES: usize = 24 * 1024 * 1024;

/// The given properties, then those that the crate's promises rest on and nobody may change.
pub(crate) fn client(properties: &Properties, fixed: &[(&str, &str)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    // A broker that comes back should be found within a second, not within ten.
    config
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "1000")
        // A broker that was away may say for a moment that it knows no topics. Who asks just then has nothing to read or to join
        // for until it asks again, by default five minutes later.
        .set("topic.metadata.refresh.interval.ms", "5000");
    for (key, value) in properties {
        config.set(key, value);
    }
    for (key, value) in fixed {
        config.set(*key, *value);
    }
    config.set_log_level(RDKafkaLogLevel::Info);
    config
}

/// What a reader without a budget of its own keeps ready, and what it asks for at once, per broker.
const READER_QUEUE_KIB: &str = "16384";
const READER_FETCH_BYTES: usize = 16 * 1024 * 1024;

/// Sets properties that the user may know better.
pub(crate) fn unless_given(config: &mut ClientConfig, properties: &Properties, defaults: &[(&str, &str)]) {
    for (key, value) in defaults {
        if !properties.contains_key(*key) {
            config.set(*key, *value);
        }
    }
}

/// How much a broker may send in one answer. Where the user bounds messages or answers, the library derives it from that,
/// and would refuse one that does not go with it.
pub(crate) fn fetch_at_once(config: &mut ClientConfig, properties: &Properties, bytes: usize) {
    let bounds = ["message.max.bytes", "receive.message.max.bytes"];
    if !bounds.iter().any(|key| properties.contains_key(*key)) {
        unless_given(config, properties, &[("fetch.max.bytes", &bytes.to_string())]);
    }
}

/// Adds what every reader needs: nothing committed by itself, and records up to the largest.
pub(crate) fn reader(properties: &Properties, group: &str, isolation: &str) -> ClientConfig {
    let mut config = client(
        properties,
        &[
            ("group.id", group),
            ("group.protocol", "classic"),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "earliest"),
            ("isolation.level", isolation),
            // Per partition, and only a first guess: the broker sends a larger record alone.
            ("fetch.message.max.bytes", "4194304"),
            // When the local queue is full, look again soon: the default of 1 s makes a fast reader stutter.
            ("fetch.queue.backoff.ms", "20"),
        ],
    );
    unless_given(
        &mut config,
        properties,
        &[("queued.max.messages.kbytes", READER_QUEUE_KIB)],
    );
    fetch_at_once(&mut config, properties, READER_FETCH_BYTES);
    config
}

/// How long a thread rests that waits for deliveries.
const REST: Duration = Duration::from_micros(250);

/// Takes in the delivery reports that there are, and rests. The library's own wait is no rest when it is short: it counts whole
/// milliseconds, so one millisecond is none, and its binding asks again until the time is over, which keeps a core busy.
pub(crate) fn take_reports<C: ProducerContext + 'static>(producer: &BaseProducer<C>) {
    producer.poll(Duration::ZERO);
    std::thread::park_timeout(REST);
}

/// How the library words that a topic may not be used.
const NO_TOPIC_RIGHT: &str = "Topic authorization failed";

/// What the library reports between calls: logged in our words, and the last trouble kept for error messages.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    trouble: Mutex<Option<String>>,
    /// The first that says which topic may not be used.
    refused: Mutex<Option<String>>,
}

impl Reports {
    /// The last trouble that the library has told of.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Forgets it: what comes now is about something else.
    pub(crate) fn forget_trouble(&self) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The report that a topic may not be written, if there was one: where it may be seen, records for it just stay, and the
    /// library says why nowhere else.
    pub(crate) fn no_topic_right(&self) -> Option<String> {
        self.refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn keep(&self, text: String) {
        if text.contains(NO_TOPIC_RIGHT) {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            // Of several reports about one refusal, one in quotes names the topic.
            if refused.as_ref().is_none_or(|known| !known.contains('"')) {
                *refused = Some(text.clone());
            }
        }
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // Properties are shared by consumers and producers; that one kind ignores the other's is meant.
        if facility == "CONFWARN" {
            return;
        }
        match level {
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error => {
                self.keep(message.to_owned());
                // Connection failures come many a second; whoever waits for the broker says so at a bearable pace.
                tracing::debug!(facility, message, "the Kafka client met an error");
            }
            // The broker then closes the connection, and that is told.
            RDKafkaLogLevel::Warning if message.contains("No matching issuer found") => {
                tracing::debug!(facility, message, "the Kafka client warns");
            }
            RDKafkaLogLevel::Warning => tracing::warn!(facility, message, "the Kafka client warns"),
            _ => tracing::debug!(facility, message, "the Kafka client says"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // "All brokers are down" is a consequence; the reason came before it.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            self.keep(reason.to_owned());
        }
        tracing::debug!(%error, reason, "the Kafka client met an error");
    }
}

impl rdkafka::consumer::ConsumerContext for Reports {}
