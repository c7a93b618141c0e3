//! What a partition saw since its last checkpoint, as counts, and who is told of it.

use std::collections::BTreeMap;

use city_grid::Timeline;
use city_model::{DeadLetterReason, Flag, Quality, Source};
use event_intake::Placed;

use crate::Unmapped;

/// Is told, batch by batch, what intake refuses and how well it can place events.
pub trait IntakeObserver: Send + Sync {
    /// So many events of a source whose place is known this well.
    fn located(&self, source: Source, quality: Quality, events: u64);

    /// So many events that a layer of the grid has there, by its name.
    fn placed(&self, layer: &str, status: Placed, events: u64);

    /// So many records of a source refused for this reason.
    fn refused(&self, source: Source, reason: DeadLetterReason, records: u64);

    /// So many records of a source with this code or name, which no rule maps to a kind.
    fn unmapped(&self, _source: Source, _code: &str, _records: u64) {}

    /// The times of records of a source lay so far ahead of their append times, in milliseconds; negative is behind.
    fn clocks(&self, _source: Source, _skews_ms: &[i64]) {}

    /// So many records of a source whose clock was flagged.
    fn clock_flagged(&self, _source: Source, _flag: Flag, _records: u64) {}
}

/// Counts between two checkpoints.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) located: BTreeMap<Quality, u64>,
    /// By the number of the layer.
    pub(super) placed: BTreeMap<(usize, Placed), u64>,
    pub(super) refused: BTreeMap<DeadLetterReason, u64>,
    /// Codes that no rule maps; over files there is no checkpoint, and it is all of them.
    pub(super) unmapped: Unmapped,
    /// How far the times of the batch's records lay ahead of their append times, in milliseconds.
    pub(super) skews: Vec<i64>,
    pub(super) clock_flags: BTreeMap<Flag, u64>,
}

impl Seen {
    pub(super) fn tell(self, observer: &dyn IntakeObserver, source: Source, layers: &[Timeline]) {
        for ((layer, status), events) in self.placed {
            if let Some(layer) = layers.get(layer) {
                observer.placed(layer.name(), status, events);
            }
        }
        observer.clocks(source, &self.skews);
        for (flag, records) in self.clock_flags {
            observer.clock_flagged(source, flag, records);
        }
        for (quality, events) in self.located {
            observer.located(source, quality, events);
        }
        for (reason, records) in self.refused {
            observer.refused(source, reason, records);
        }
        for (code, frequency) in self.unmapped.top() {
            // A batch holds fewer codes than are kept, or the rarest stand for the rest: the sum is exact.
            observer.unmapped(source, code, frequency.count);
        }
    }
}
