//! The log on Kafka: consumer groups, transactions, changelog and restore; the only crate that knows the client library.
//!
//! It decides nothing about events: it gives records to the processors of `stream-worker` and commits what they hand over.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod admin;
pub mod atomic;
mod cause;
#[doc(hidden)]
pub mod ceiling;
pub mod client;
mod deliveries;
pub mod embedded;
mod observer;
mod probe;
pub mod produce;
pub mod read;
pub mod rights;
mod settings;
pub mod tail;
pub mod worker;

pub use observer::{CommitInfo, Lag, NoObserver, Observer};
pub use worker::{TickConfig, WorkerConfig, WorkerError};

/// Properties of the client library, by name; `bootstrap.servers` among them.
pub type Properties = std::collections::BTreeMap<String, String>;

/// The name of a topic on the broker: tests and several cities on one broker put a prefix before the public name.
pub fn topic_name(prefix: &str, topic: wire_format::topics::Topic) -> String {
    format!("{prefix}{}", topic.name())
}
