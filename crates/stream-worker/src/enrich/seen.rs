//! What a partition saw since its last checkpoint, as counts, and who is told of it.

use std::collections::BTreeMap;

use city_grid::Timeline;
use city_model::{DeadLetterReason, Flag, Quality, Source};
use event_intake::{Fault, Intake, Placed};
use wire_format::{Record, Refusal};

use crate::Unmapped;

/// Who sends records of systems that the configuration does not list.
pub const OTHER_SYSTEM: &str = "other";
/// Who sends records of which nobody can say who sent them.
pub const UNREADABLE_SYSTEM: &str = "unreadable";

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

    /// So many records of a system that the configuration lists, of [`OTHER_SYSTEM`] or of [`UNREADABLE_SYSTEM`], and how
    /// many of them were refused.
    fn sent(&self, _source: Source, _system: &str, _records: u64, _refused: u64) {}

    /// So many warnings or silences name cells that no grid has.
    fn nowhere(&self, _source: Source, _records: u64) {}

    /// So many devices were found to be in this trouble; once a device and hour.
    fn device_faults(&self, _fault: Fault, _devices: u64) {}

    /// What was settled and sent on is not what was read, by so many records: law 1 is broken.
    fn unbalanced(&self, _source: Source, _records: u64) {}
}

/// What a source system sent.
#[derive(Default, Clone, Copy)]
struct Sent {
    records: u64,
    refused: u64,
}

impl Sent {
    fn add(&mut self, records: u64, refused: u64) {
        self.records += records;
        self.refused += refused;
    }
}

/// Which system sent a record, if it says so.
pub(super) fn sender<'a>(decoded: &'a Result<Record<'_>, Refusal>) -> Option<&'a str> {
    match decoded {
        Ok(record) => record.source_system(),
        Err(refusal) => refusal.identity.as_ref().map(|key| &*key.source_system),
    }
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
    pub(super) faults: BTreeMap<Fault, u64>,
    /// Warnings and silences that name cells which no grid has.
    pub(super) nowhere: u64,
    /// By the system's own name, as many as a batch can name.
    sent: BTreeMap<Box<str>, Sent>,
    /// Of records that do not say who sent them.
    unreadable: Sent,
}

impl Seen {
    /// A record came.
    pub(super) fn came(&mut self, decoded: &Result<Record, Refusal>) {
        let system = sender(decoded);
        // Warnings, silences and commands are of no system.
        if system.is_some() || decoded.is_err() {
            self.add(system, 1, 0);
        }
    }

    /// A record is refused.
    pub(super) fn refused(&mut self, refusal: &Refusal) {
        *self.refused.entry(refusal.reason).or_default() += 1;
        let identity = refusal.identity.as_ref();
        self.add(identity.map(|key| &*key.source_system), 0, 1);
    }

    fn add(&mut self, system: Option<&str>, records: u64, refused: u64) {
        let Some(system) = system else {
            self.unreadable.add(records, refused);
            return;
        };
        // A batch names few systems again and again: a name is copied the first time alone.
        if let Some(sent) = self.sent.get_mut(system) {
            sent.add(records, refused);
        } else {
            self.sent.insert(system.into(), Sent { records, refused });
        }
    }

    pub(super) fn tell(self, observer: &dyn IntakeObserver, source: Source, intake: &Intake) {
        let layers: &[Timeline] = intake.layers();
        // No source system sends warnings, silences and commands.
        let by_systems = matches!(
            source,
            Source::Sensor | Source::Hotline | Source::Video | Source::Report
        );
        for (system, sent) in self.sent.iter().filter(|_| by_systems) {
            let system = if intake.lists(system) {
                system
            } else {
                OTHER_SYSTEM
            };
            observer.sent(source, system, sent.records, sent.refused);
        }
        if by_systems && (self.unreadable.records > 0 || self.unreadable.refused > 0) {
            let Sent { records, refused } = self.unreadable;
            observer.sent(source, UNREADABLE_SYSTEM, records, refused);
        }
        if self.nowhere > 0 {
            observer.nowhere(source, self.nowhere);
        }
        for (fault, devices) in self.faults {
            observer.device_faults(fault, devices);
        }
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
