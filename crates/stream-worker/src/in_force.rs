//! The configuration that is in force in a process: replaced whole, and taken by each partition between two batches.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use city_model::{Activation, Name};

use crate::Setup;

/// What partitions judge by, and the record that announces it to the enriched log.
#[derive(Clone)]
pub struct Standing {
    /// Rules, grid, registries, decoder.
    pub setup: Arc<Setup>,
    /// What the enriched log is told before the first event judged by it.
    pub activation: Arc<Activation>,
}

impl Standing {
    /// A setup with its activation, for a clock over these input partitions.
    pub fn of(setup: Arc<Setup>, inputs: &[Name]) -> Standing {
        let activation = Arc::new(setup.activation(inputs));
        Standing { setup, activation }
    }
}

/// One place that every partition of a process looks at. Looking costs one relaxed load; only a partition that sees a
/// newer generation takes the lock, once.
pub struct InForce {
    generation: AtomicU64,
    standing: Mutex<Standing>,
}

impl InForce {
    /// The first configuration of a process.
    pub fn new(standing: Standing) -> InForce {
        InForce {
            generation: AtomicU64::new(0),
            standing: Mutex::new(standing),
        }
    }

    /// What is in force, with its generation.
    pub fn standing(&self) -> (u64, Standing) {
        let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        // The generation moves under the lock only, so the two belong together.
        (self.generation.load(Ordering::Relaxed), standing.clone())
    }

    /// What is in force, if it is newer than `seen`.
    pub fn newer_than(&self, seen: u64) -> Option<(u64, Standing)> {
        // A stale answer is mended at the next look; the lock orders what is taken.
        (self.generation.load(Ordering::Relaxed) != seen).then(|| self.standing())
    }

    /// Puts another configuration in force, and gives back the one before: whoever replaces it also frees it, away from
    /// the loops.
    pub fn replace(&self, standing: Standing) -> Standing {
        let mut held = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        self.generation.fetch_add(1, Ordering::Relaxed);
        std::mem::replace(&mut held, standing)
    }
}
