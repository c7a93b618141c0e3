//! Whether the loops of this process live and are ready: atomics that they write and HTTP reads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A loop that gives no sign for this long does not live. A round takes about a second; a request to a broker that hangs
/// takes up to the transaction timeout of 10 s, and two may follow each other.
pub const SILENT_MAX: Duration = Duration::from_secs(30);

/// The loops of a process, and what they all need.
#[derive(Debug, Default)]
pub struct Health {
    loops: Mutex<Vec<Arc<LoopHealth>>>,
    grid_loaded: AtomicBool,
}

impl Health {
    /// Adds a loop, before HTTP is served: whatever is added must live and be ready from then on.
    pub fn add_loop(&self, worker: &'static str) -> Arc<LoopHealth> {
        let added = Arc::new(LoopHealth {
            worker,
            begun: Instant::now(),
            beat_ms: AtomicU64::new(0),
            assigned: AtomicBool::new(false),
            restored: AtomicBool::new(false),
        });
        self.loops
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(added.clone());
        added
    }

    /// The grid is loaded.
    pub fn set_grid_loaded(&self) {
        self.grid_loaded.store(true, Ordering::Release);
    }

    /// The loops that have been silent for too long.
    pub fn silent(&self) -> Vec<(&'static str, Duration)> {
        self.silent_at(Instant::now())
    }

    fn silent_at(&self, now: Instant) -> Vec<(&'static str, Duration)> {
        let silences = self.loops().into_iter().map(|it| (it.worker, it.silence(now)));
        silences.filter(|(_, silence)| *silence >= SILENT_MAX).collect()
    }

    /// What is missing until the process is ready; empty when it is.
    pub fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        if !self.grid_loaded.load(Ordering::Acquire) {
            missing.push("grid: loaded".to_owned());
        }
        for it in self.loops() {
            if !it.assigned.load(Ordering::Acquire) {
                missing.push(format!("{}: assigned", it.worker));
            } else if !it.restored.load(Ordering::Acquire) {
                missing.push(format!("{}: restored", it.worker));
            }
        }
        missing
    }

    fn loops(&self) -> Vec<Arc<LoopHealth>> {
        self.loops.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One loop of a worker.
#[derive(Debug)]
pub struct LoopHealth {
    worker: &'static str,
    begun: Instant,
    /// The last sign of life, in milliseconds after `begun`.
    beat_ms: AtomicU64,
    assigned: AtomicBool,
    restored: AtomicBool,
}

impl LoopHealth {
    /// The worker's name.
    pub fn worker(&self) -> &'static str {
        self.worker
    }

    /// The loop goes round.
    pub fn beat(&self) {
        let since = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.beat_ms.store(since, Ordering::Relaxed);
    }

    /// The group has given it its partitions, perhaps none; they are to be restored now.
    pub fn assigned(&self) {
        self.restored.store(false, Ordering::Release);
        self.assigned.store(true, Ordering::Release);
        self.beat();
    }

    /// They are restored and it reads.
    pub fn restored(&self) {
        self.restored.store(true, Ordering::Release);
        self.beat();
    }

    fn silence(&self, now: Instant) -> Duration {
        let beat = Duration::from_millis(self.beat_ms.load(Ordering::Relaxed));
        now.saturating_duration_since(self.begun + beat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_falls_silent_is_named_even_if_its_twin_beats() {
        let health = Health::default();
        let (first, second) = (health.add_loop("enrich"), health.add_loop("correlate"));
        let now = Instant::now();
        assert!(health.silent_at(now + SILENT_MAX / 2).is_empty());
        assert_eq!(health.silent_at(now + SILENT_MAX).len(), 2);
        first.beat_ms.store(20_000, Ordering::Relaxed);
        second.beat_ms.store(9_000, Ordering::Relaxed);
        let silent = health.silent_at(now + Duration::from_secs(40));
        assert_eq!(
            silent.iter().map(|(worker, _)| *worker).collect::<Vec<_>>(),
            ["correlate"]
        );
    }

    #[test]
    fn a_new_assignment_is_to_be_restored_first() {
        let health = Health::default();
        let it = health.add_loop("enrich");
        assert_eq!(health.missing(), ["grid: loaded", "enrich: assigned"]);
        health.set_grid_loaded();
        it.assigned();
        assert_eq!(health.missing(), ["enrich: restored"]);
        it.restored();
        assert!(health.missing().is_empty());
        it.assigned();
        assert_eq!(health.missing(), ["enrich: restored"]);
    }
}
