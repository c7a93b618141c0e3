//! What can go wrong in a loop, sorted by what is done about it.

use std::fmt;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::admin::Unreachable;

/// Why a loop ended without being asked to.
#[derive(Debug)]
#[non_exhaustive]
pub enum WorkerError {
    /// The configuration cannot work.
    Configuration(String),
    /// The broker was not reached at the start.
    Unreachable(Unreachable),
    /// These topics are not there.
    MissingTopics(Vec<String>),
    /// Attempts in a row failed, and none got beyond what failed.
    GaveUp {
        /// How many.
        attempts: u32,
        /// The last failure.
        last: String,
    },
    /// The loop's thread panicked.
    Panicked,
}

impl fmt::Display for WorkerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WorkerError::Configuration(text) => f.write_str(text),
            WorkerError::Unreachable(error) => error.fmt(f),
            WorkerError::MissingTopics(names) => {
                write!(
                    f,
                    "missing topics (cityops topics apply creates them): {}",
                    names.join(", ")
                )
            }
            WorkerError::Panicked => f.write_str("panicked; the log says where"),
            WorkerError::GaveUp { attempts, last } => write!(f, "gave up after {attempts} attempts: {last}"),
        }
    }
}

impl std::error::Error for WorkerError {}

/// Why a transaction or a session ended, by what follows.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Another owner has taken over: leave the group, join anew.
    Fenced(String),
    /// The client is not usable any more, or its state is unknown: make new ones.
    Fatal(String),
    /// A call to the library did not come back: the client is left to it, and new ones are made.
    Hangs(String),
    /// The transaction was given up; the same clients go on after restoring.
    Retry(String),
    /// The broker does not grant it; rights may be given while it is tried again.
    NoRight(String),
    /// Trying again cannot help.
    Refused(WorkerError),
}

impl Failure {
    /// What may be shown to whoever asks whether the loop is ready. The whole text may quote what stands in a row of state.
    pub(crate) fn in_public(&self) -> String {
        match self {
            Failure::NoRight(_) => self.to_string(),
            Failure::Fenced(_) => "another owner took over".to_owned(),
            Failure::Hangs(_) => "a call to the broker does not come back".to_owned(),
            Failure::Fatal(_) | Failure::Retry(_) | Failure::Refused(_) => "the log says why".to_owned(),
        }
    }

    /// Sorts the error after which a client is not usable any more.
    pub(crate) fn fatal(code: RDKafkaErrorCode, text: String) -> Failure {
        match is_fencing(code) {
            true => Failure::Fenced(text),
            false => Failure::Fatal(text),
        }
    }

    /// Sorts an error of the library; `doing` says during what it came.
    pub(crate) fn of(doing: &str, error: &KafkaError) -> Failure {
        let text = format!("{doing}: {error}");
        if let KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_) = error {
            return Failure::Refused(WorkerError::Configuration(text));
        }
        let fenced = error.rdkafka_error_code().is_some_and(is_fencing);
        match error {
            _ if fenced => Failure::Fenced(text),
            _ if error.rdkafka_error_code().is_some_and(is_no_right) => Failure::NoRight(text),
            KafkaError::Transaction(error) if error.is_fatal() => Failure::Fatal(text),
            KafkaError::MessageConsumptionFatal(_) => Failure::Fatal(text),
            _ => Failure::Retry(text),
        }
    }
}

/// Whether an error says that a right is missing.
pub(crate) fn is_no_right(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::GroupAuthorizationFailed
            | RDKafkaErrorCode::TransactionalIdAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed
    )
}

/// Whether an error says that somebody else has taken over.
fn is_fencing(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::Fenced
            | RDKafkaErrorCode::ProducerFenced
            | RDKafkaErrorCode::InvalidProducerEpoch
            | RDKafkaErrorCode::IllegalGeneration
            | RDKafkaErrorCode::UnknownMemberId
            | RDKafkaErrorCode::FencedInstanceId
    )
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Fenced(text) => write!(f, "fenced: {text}"),
            Failure::Fatal(text) | Failure::Hangs(text) | Failure::Retry(text) => f.write_str(text),
            Failure::NoRight(text) => write!(f, "a right is missing (cityops topics plan --acls): {text}"),
            Failure::Refused(error) => error.fmt(f),
        }
    }
}
