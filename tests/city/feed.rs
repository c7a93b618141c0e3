//! A simulated city's records to their topics, and the committed ledger as it grows.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use city_model::Ledger;
use city_simulator::{SimulatedRecord, Source};
use cityops::commands::simulated;
use cityops::committed::LedgerRows;
use kafka_log::Properties;
use kafka_log::produce::Sender;
use kafka_log::tail::{Tail, follow};
use wire_format::Topic;

/// Sends simulated records with their own keys and times of arrival.
pub struct Feed {
    sender: Sender,
    prefix: String,
}

impl Feed {
    pub fn new(properties: &Properties, prefix: &str) -> Feed {
        Feed {
            sender: Sender::new(properties).unwrap(),
            prefix: prefix.to_owned(),
        }
    }

    /// Hands one over; it is not delivered yet.
    pub fn send(&self, record: &SimulatedRecord) {
        let topic = kafka_log::topic_name(&self.prefix, Topic::of(record.source));
        self.sender.send(&simulated(&topic, record)).unwrap();
    }

    /// Waits until everything is delivered.
    pub fn flush(&self) {
        self.sender.flush().unwrap();
    }
}

/// Whether two runs that read in another order decide it alike: all but warnings and silences, for what those change depends on
/// which events were read before them.
pub fn is_decided_alike(record: &SimulatedRecord) -> bool {
    !matches!(record.source, Source::Weather | Source::Silence)
}

/// Follows the committed ledger with one client, so that looking costs the processes under test nothing.
pub struct LedgerWatch {
    rows: Arc<Mutex<LedgerRows>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl LedgerWatch {
    pub fn start(properties: &Properties, prefix: &str) -> LedgerWatch {
        let (rows, stop) = (Arc::<Mutex<LedgerRows>>::default(), Arc::<AtomicBool>::default());
        let (properties, prefix) = (properties.clone(), prefix.to_owned());
        let (taken, end) = (rows.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            let topics = [Topic::EnrichChangelog, Topic::CorrelateChangelog];
            while !end.load(Ordering::Relaxed) {
                let each = |tail: Tail<'_>| {
                    if let Tail::Record(topic, record) = tail {
                        let (key, value) = (record.key(), record.value());
                        taken.lock().unwrap().take(topic, record.partition(), key, value);
                    }
                };
                if follow(&properties, &prefix, &topics, each, &end).is_err() {
                    // Brokers come and go in some tests; it begins again at the beginning, with rows that it knows.
                    std::thread::park_timeout(Duration::from_millis(500));
                }
            }
        });
        LedgerWatch {
            rows,
            stop,
            thread: Some(thread),
        }
    }

    /// As it was committed last.
    pub fn ledger(&self) -> Ledger {
        self.rows.lock().unwrap().sum()
    }
}

impl Drop for LedgerWatch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
