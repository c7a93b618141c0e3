//! What the client library tells about records that were sent.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::ProducerContext;

use crate::settings::Reports;

/// What the delivery reports have said.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    pub(crate) reports: Reports,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    failed: Option<(String, KafkaError)>,
    tick_appended_ms: Option<i64>,
}

impl Deliveries {
    /// Forgets what was said of the last transaction.
    pub(crate) fn forget(&self) {
        self.reports.forget_trouble();
        *self.seen() = Seen::default();
    }

    /// The first topic that a record was not delivered to, and why; told once.
    pub(crate) fn take_failed(&self) -> Option<(String, KafkaError)> {
        self.seen().failed.take()
    }

    /// When the broker appended the transaction's ticks: the least over the partitions, for what stands before it stands
    /// before all of them.
    pub(crate) fn tick_appended_ms(&self) -> Option<i64> {
        self.seen().tick_appended_ms
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
                if let Some(ms) = message.timestamp().to_millis() {
                    let mut seen = self.seen();
                    seen.tick_appended_ms = Some(seen.tick_appended_ms.map_or(ms, |least| least.min(ms)));
                }
            }
            Err((error, message)) => {
                self.seen()
                    .failed
                    .get_or_insert_with(|| (message.topic().to_owned(), error.clone()));
            }
        }
    }
}
