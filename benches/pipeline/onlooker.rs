//! Looks on from outside: how far the committed ledger has come.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use city_model::Ledger;
use cityops::committed::LedgerRows;
use kafka_log::Properties;
use kafka_log::tail::{Tail, follow};
use wire_format::Topic;

/// Follows both changelogs' ledger rows.
pub(crate) struct Onlooker {
    ledger: Arc<Mutex<Ledger>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Onlooker {
    pub(crate) fn start(properties: &Properties, prefix: &str) -> Onlooker {
        let (ledger, stop) = (Arc::<Mutex<Ledger>>::default(), Arc::<AtomicBool>::default());
        let (properties, prefix) = (properties.clone(), prefix.to_owned());
        let (told, end) = (ledger.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            let mut rows = LedgerRows::default();
            let each = |tail: Tail<'_>| {
                if let Tail::Record(topic, record) = tail
                    && rows.take(topic, record.partition(), record.key(), record.value())
                {
                    *told.lock().unwrap() = rows.sum();
                }
            };
            let topics = [Topic::EnrichChangelog, Topic::CorrelateChangelog];
            follow(&properties, &prefix, &topics, each, &end).unwrap();
        });
        Onlooker {
            ledger,
            stop,
            thread: Some(thread),
        }
    }

    /// Records that enrich has committed.
    pub(crate) fn enriched(&self) -> u64 {
        u64::try_from(self.ledger.lock().unwrap().consumed()).unwrap()
    }

    /// Records whose outcome is committed.
    pub(crate) fn accounted(&self) -> u64 {
        let ledger = self.ledger.lock().unwrap();
        u64::try_from(ledger.consumed() - ledger.unaccounted()).unwrap_or_default()
    }
}

impl Drop for Onlooker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
