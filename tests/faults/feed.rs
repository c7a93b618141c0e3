//! What goes in, and what is seen of it: the simulated records, and the committed ledger as it grows.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use city_model::{EventTime, Ledger};
use city_simulator::{Scenario, SimulatedRecord, Simulation, Source};
use cityops::committed::LedgerRows;
use kafka_log::Properties;
use kafka_log::produce::{NewRecord, Sender};
use kafka_log::tail::{Tail, follow};
use wire_format::Topic;

/// The simulated records, sent to their topics in order.
pub struct Feed {
    records: Simulation,
    sender: Sender,
    prefix: String,
    /// How many were sent.
    pub sent: i64,
}

impl Feed {
    /// The records of a city of this seed.
    pub fn new(properties: &Properties, prefix: &str, scenario: Scenario, seed: u64, records: usize) -> Feed {
        Feed {
            records: city_simulator::simulate(scenario, seed, records),
            sender: Sender::new(properties).unwrap(),
            prefix: prefix.to_owned(),
            sent: 0,
        }
    }

    /// Sends the next ones, as far as there are any, but no warnings and silences: what they change depends on which events
    /// were read before them, so a run with faults may rightly group otherwise than a calm one.
    pub fn send(&mut self, count: usize) {
        let told_apart =
            |record: &SimulatedRecord| !matches!(record.source, Source::Weather | Source::Silence);
        for record in self.records.by_ref().take(count).filter(told_apart) {
            let topic = kafka_log::topic_name(&self.prefix, Topic::of(record.source));
            self.sender
                .send(&NewRecord {
                    topic: &topic,
                    partition: None,
                    key: Some(record.key.as_bytes()),
                    value: Some(record.line.as_bytes()),
                    timestamp: Some(EventTime::from_millis(record.arrival_ms)),
                    headers: &[],
                })
                .unwrap();
            self.sent += 1;
        }
        self.sender.flush().unwrap();
    }
}

/// Follows the committed ledger with one client, so that looking costs the processes under test nothing.
pub struct Watch {
    ledger: Arc<Mutex<Ledger>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Starts looking.
    pub fn start(properties: &Properties, prefix: &str) -> Watch {
        let (ledger, stop) = (
            Arc::new(Mutex::new(Ledger::default())),
            Arc::new(AtomicBool::new(false)),
        );
        let (properties, prefix) = (properties.clone(), prefix.to_owned());
        let (told, end) = (ledger.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                let mut rows = LedgerRows::default();
                let each = |tail: Tail<'_>| {
                    if let Tail::Record(topic, record) = tail
                        && rows.take(topic, record.partition(), record.key(), record.value())
                    {
                        *told.lock().unwrap() = rows.sum();
                    }
                };
                let topics = [Topic::EnrichChangelog, Topic::CorrelateChangelog];
                if follow(&properties, &prefix, &topics, each, &end).is_err() {
                    // Brokers come and go here; it begins again at the beginning.
                    std::thread::park_timeout(Duration::from_millis(500));
                }
            }
        });
        Watch {
            ledger,
            stop,
            thread: Some(thread),
        }
    }

    /// As it was committed last.
    pub fn ledger(&self) -> Ledger {
        self.ledger.lock().unwrap().clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
