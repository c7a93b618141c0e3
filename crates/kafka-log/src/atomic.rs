//! Writes records that belong together: readers of what is committed see all of a batch, or none of it.
//!
//! For commands that an operator runs, one at a time: a second one under the same name takes over and ends the first.

use std::fmt;

use rdkafka::TopicPartitionList;
use wire_format::topics::Topic;

use crate::Properties;
use crate::produce::NewRecord;
use crate::worker::WorkerConfig;
use crate::worker::failure::Failure;
use crate::worker::transactor::{Outgoing, Transactor};

/// Why a batch is not known to be committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotCommitted {
    /// Another sender under the same name has taken over, and has ended what this one had open.
    TakenOver(String),
    /// It failed, and this sender is of no more use. Where the broker went away in the middle of a commit, the batch may have
    /// been committed all the same: whoever tries again looks at what is there first.
    Failed(String),
}

impl fmt::Display for NotCommitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotCommitted::TakenOver(why) => write!(f, "another run has taken over ({why})"),
            NotCommitted::Failed(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for NotCommitted {}

impl From<Failure> for NotCommitted {
    fn from(failure: Failure) -> NotCommitted {
        match failure {
            Failure::Fenced(why) => NotCommitted::TakenOver(why),
            other => NotCommitted::Failed(other.to_string()),
        }
    }
}

/// A sender of batches.
pub struct AtomicSender {
    transactor: Transactor,
}

impl AtomicSender {
    /// Takes over the name, which aborts what an earlier sender of that name has open, and keeps it from committing more.
    ///
    /// # Errors
    /// When the properties are refused, the broker does not answer, or the name may not be used.
    pub fn start(properties: &Properties, transactional_id: &str) -> Result<AtomicSender, NotCommitted> {
        // Of a worker's settings only those of transactions count here.
        let config = WorkerConfig::new(
            "atomic",
            properties.clone(),
            vec![Topic::DeadLetters],
            Topic::EnrichChangelog,
        );
        match Transactor::start(&config, transactional_id, &|| {}) {
            Ok(transactor) => Ok(AtomicSender { transactor }),
            Err(Failure::NoRight(why)) => Err(NotCommitted::Failed(format!(
                "WRITE on transactional-id {transactional_id} is not granted: {why}"
            ))),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Commits a batch.
    ///
    /// # Errors
    /// When it was not committed, or the answer did not come; the sender is of no use afterwards.
    pub fn send(&mut self, batch: &[NewRecord<'_>]) -> Result<(), NotCommitted> {
        match self.try_send(batch) {
            Ok(()) => Ok(()),
            Err(failure) => {
                // So that nobody waits for its timeout; a failed abort is that timeout's. Behind a call that hangs it would hang, too.
                if !matches!(
                    failure,
                    Failure::Fatal(_) | Failure::Fenced(_) | Failure::Hangs(_)
                ) && let Err(taken @ Failure::Fenced(_)) = self.transactor.abort(&|| {})
                {
                    return Err(taken.into());
                }
                Err(failure.into())
            }
        }
    }

    fn try_send(&mut self, batch: &[NewRecord<'_>]) -> Result<(), Failure> {
        self.transactor.begin()?;
        for record in batch {
            let headers = record.headers.iter();
            let headers: Vec<(String, Vec<u8>)> = headers
                .map(|(name, value)| ((*name).to_owned(), value.to_vec()))
                .collect();
            self.transactor.send(
                &Outgoing {
                    topic: record.topic,
                    partition: record.partition,
                    key: record.key,
                    value: record.value,
                    headers: &[],
                    own_headers: &headers,
                    timestamp: record.timestamp.map(city_model::EventTime::millis),
                    tick: false,
                },
                &|| {},
            )?;
        }
        self.transactor
            .commit(&TopicPartitionList::new(), None, &|| {})
            .map(|_| ())
    }
}
