//! Asks where partitions begin and end, control records and open transactions included.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, DefaultConsumerContext};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::failure::Failure;
use crate::{Properties, settings};

const TIMEOUT: Duration = Duration::from_secs(10);

/// A client that reads nothing.
pub(crate) struct Probe {
    consumer: BaseConsumer<Reporting>,
}

/// Reports as a consumer's context.
#[derive(Debug, Default)]
pub(crate) struct Reporting(settings::Reports);

impl Reporting {
    /// The last trouble that the library has told of.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.0.trouble()
    }
}

impl rdkafka::ClientContext for Reporting {
    fn log(&self, level: rdkafka::config::RDKafkaLogLevel, facility: &str, message: &str) {
        self.0.log(level, facility, message);
    }

    fn error(&self, error: rdkafka::error::KafkaError, reason: &str) {
        self.0.error(error, reason);
    }
}

impl ConsumerContext for Reporting {}
