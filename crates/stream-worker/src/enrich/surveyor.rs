//! Holds what records say of surveyed things against the registry.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use wire_format::Record;

use crate::{PlaceObserver, Setup};

/// Holds what records say of surveyed things against the registry.
pub(super) struct Surveyor {
    observer: Arc<dyn PlaceObserver>,
    /// What was last said of each thing: a device that stands still is compared once.
    said: FxHashMap<u64, u64>,
}

/// Things whose last word is remembered; beyond, all are forgotten and compared anew.
const SAID_MAX: usize = 1 << 16;

impl Surveyor {
    pub(super) fn new(observer: Arc<dyn PlaceObserver>) -> Surveyor {
        Surveyor {
            observer,
            said: FxHashMap::default(),
        }
    }

    /// Forgets what was said: another registry is in force.
    pub(super) fn forget(&mut self) {
        self.said.clear();
    }

    pub(super) fn look_at(&mut self, setup: &Setup, record: &Record) {
        let Some(claim) = setup.intake.claim(record) else {
            return;
        };
        if self.said.len() >= SAID_MAX {
            self.said.clear();
        }
        let said = claim.said();
        if self.said.insert(claim.place, said) == Some(said) {
            return;
        }
        if let Some(comparison) = setup.intake.compare(&claim) {
            self.observer.compared(vec![comparison]);
        }
    }
}
