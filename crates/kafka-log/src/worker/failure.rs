//! What can go wrong in a loop, sorted by what is done about it.

use std::fmt;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::admin::Unreachable;
use crate::rights::Missing;

/// Why a loop ended without being asked to.
#[derive(Debug)]
#[non_exhaustive]
pub enum WorkerError {
    /// The configuration cannot work.
    Configuration(String),
    /// The broker was not reached at the start.
    Unreachable(Unreachable),
    /// What the broker keeps of the group and its state does not fit together: something was lost there.
    Lost(String),
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
            WorkerError::Configuration(text) | WorkerError::Lost(text) => f.write_str(text),
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
    /// What state lies in has no leader: an outage, and not the loop's failure.
    Leaderless(String),
    /// An offset that was to be read is not there.
    Vanished(String),
    /// The transaction was given up; the same clients go on after restoring.
    Retry(String),
    /// The broker does not grant it; rights may be given while it is tried again.
    NoRight(NoRight),
    /// Trying again cannot help.
    Refused(WorkerError),
}

/// A refusal of the broker.
#[derive(Debug)]
pub(crate) struct NoRight {
    code: RDKafkaErrorCode,
    /// The rights that are missing; none where the refusal does not say which.
    pub(crate) rights: Vec<Missing>,
    /// During what it came, and its words.
    text: String,
    /// The clients are of no more use.
    pub(crate) ends: bool,
}

impl NoRight {
    /// Whether it is about the consumer group.
    pub(crate) fn is_of_group(&self) -> bool {
        self.code == RDKafkaErrorCode::GroupAuthorizationFailed
    }

    /// Whether it is about the transactional id.
    pub(crate) fn is_of_transactional_id(&self) -> bool {
        self.code == RDKafkaErrorCode::TransactionalIdAuthorizationFailed
    }

    /// Whether it is about a topic.
    fn is_of_topic(&self) -> bool {
        self.code == RDKafkaErrorCode::TopicAuthorizationFailed
    }
}

impl fmt::Display for NoRight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a right is missing (cityops topics plan --acls): ")?;
        for right in &self.rights {
            write!(f, "{right}; ")?;
        }
        f.write_str(&self.text)
    }
}

impl Failure {
    /// A topic may not be used, and it is not known which or for what.
    pub(crate) fn no_topic_right(text: String) -> Failure {
        Failure::NoRight(NoRight {
            code: RDKafkaErrorCode::TopicAuthorizationFailed,
            rights: Vec::new(),
            text,
            ends: false,
        })
    }

    /// Whether the clients are good for another try.
    pub(crate) fn keeps_clients(&self) -> bool {
        match self {
            Failure::Retry(_) => true,
            Failure::NoRight(refusal) => !refusal.ends,
            _ => false,
        }
    }

    /// What giving up after this failure failed with decides what follows; the right that was missing before says why.
    pub(crate) fn followed_by(self, then: Failure) -> Failure {
        match (self, then) {
            (Failure::NoRight(refusal), Failure::Fatal(_) | Failure::Fenced(_)) => {
                Failure::NoRight(NoRight {
                    ends: true,
                    ..refusal
                })
            }
            (_, then) => then,
        }
    }

    /// Names the right to a topic, if that is what is missing.
    pub(crate) fn wanting(mut self, operation: &'static str, topic: &str) -> Failure {
        if let Failure::NoRight(refusal) = &mut self
            && refusal.is_of_topic()
            && refusal.rights.is_empty()
        {
            refusal.rights.push(Missing::new(operation, "topic", topic));
        }
        self
    }

    /// What may be shown to whoever asks whether the loop is ready. The whole text may quote what stands in a row of state.
    pub(crate) fn in_public(&self) -> String {
        match self {
            Failure::NoRight(_) => self.to_string(),
            Failure::Fenced(_) => "another owner took over".to_owned(),
            Failure::Hangs(_) => "a call to the broker does not come back".to_owned(),
            Failure::Fatal(_)
            | Failure::Leaderless(_)
            | Failure::Vanished(_)
            | Failure::Retry(_)
            | Failure::Refused(_) => "the log says why".to_owned(),
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
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::InvalidSessionTimeout) => {
                return Failure::Refused(WorkerError::Configuration(format!(
                    "the broker refuses kafka.session_timeout: it takes what lies between its group.min.session.timeout.ms (6 s \
                     where nobody set it) and its group.max.session.timeout.ms ({text})"
                )));
            }
            Some(RDKafkaErrorCode::InconsistentGroupProtocol) => {
                return Failure::Retry(format!(
                    "the group has members of another program, which share partitions out in another way ({text})"
                ));
            }
            Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::LogTruncation) => {
                return Failure::Vanished(text);
            }
            _ => {}
        }
        let fenced = error.rdkafka_error_code().is_some_and(is_fencing);
        match error {
            _ if fenced => Failure::Fenced(text),
            _ if error.rdkafka_error_code().is_some_and(is_no_right) => Failure::NoRight(NoRight {
                code: error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown),
                rights: Vec::new(),
                text,
                ends: false,
            }),
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
            Failure::Fatal(text)
            | Failure::Hangs(text)
            | Failure::Leaderless(text)
            | Failure::Vanished(text)
            | Failure::Retry(text) => f.write_str(text),
            Failure::NoRight(refusal) => refusal.fmt(f),
            Failure::Refused(error) => error.fmt(f),
        }
    }
}
