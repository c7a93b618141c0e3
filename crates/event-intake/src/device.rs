//! What is remembered of one device: its alarms, what it sent, how its values moved, and when it was heard.

use std::collections::BTreeMap;

use city_model::{DAY_MS, Event, EventTime, Name};
use serde::{Deserialize, Serialize};

use crate::state::SEEN_PER_DEVICE;
use crate::{Fault, IntakeRow};

/// A device that was not heard for so long is forgotten.
const FORGET_MS: i64 = 30 * DAY_MS;

/// A device alarms about a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// The latest event time at which it alarmed; an older reading cannot end it.
    pub at: EventTime,
    /// Its value then, in thousandths of the metric's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milli: Option<i64>,
}

/// How a device's metric moved.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Watch {
    /// Where it stood when it was farthest from its alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<Low>,
    /// Where it stands still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// When its latest alarms began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub began: Vec<EventTime>,
    /// When its last alarm ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared: Option<Cleared>,
    /// The newest moment at which it was known to be quiet, to an hour: an older alarm begins nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<EventTime>,
}

/// The values farthest from the alarm, by half of a rise's time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Low {
    /// When this half began.
    pub since: EventTime,
    /// The value in thousandths of the metric's unit.
    pub milli: i64,
    /// When it was measured.
    pub at: EventTime,
    /// The same of the two halves before, the newer first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<(i64, EventTime)>,
}

/// A value that may be stuck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// The value in thousandths of the metric's unit.
    pub milli: i64,
    /// When it was first measured.
    pub since: EventTime,
    /// So often in a row.
    pub readings: u32,
    /// Another value came since.
    #[serde(default)]
    pub moved: bool,
}

/// The end of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleared {
    /// When it was over, by the device.
    pub at: EventTime,
    /// When that was appended.
    pub heard: EventTime,
}

/// Alarms that wait for confirmation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// After this append time they were no alarms.
    pub due: EventTime,
    /// The alarms, in the order of their coming.
    pub events: Vec<Event>,
}

/// When a device was last heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// When, to half of what it may be silent or to a day: a row for every reading would cost too much.
    pub at: EventTime,
    /// Silent for so long it is offline; absent where nobody expects it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_ms: Option<i64>,
    /// The metric that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Name>,
    /// It was told that it is offline.
    #[serde(default)]
    pub offline: bool,
}

impl Heard {
    /// For so long, hearing it again changes nothing.
    pub(crate) fn grain_ms(&self) -> i64 {
        self.limit_ms.map_or(DAY_MS, |limit| (limit / 2).min(DAY_MS))
    }

    /// When its silence means something: that it is offline, or that it is to be forgotten.
    pub(crate) fn due(&self) -> EventTime {
        match self.limit_ms.filter(|_| !self.offline) {
            Some(limit_ms) => self.at + self.grain_ms() + limit_ms,
            None => self.forget_at(),
        }
    }

    pub(crate) fn forget_at(&self) -> EventTime {
        self.at + FORGET_MS
    }
}

/// What is remembered of a device that has a heartbeat, ever alarmed or was ever told about.
#[derive(Debug, Clone, Default)]
pub(crate) struct DeviceState {
    pub(crate) alarms: BTreeMap<Name, Alarm>,
    pub(crate) watches: BTreeMap<Name, Watch>,
    pub(crate) held: BTreeMap<Name, Held>,
    pub(crate) heard: Option<Heard>,
    /// (number, hash); at most 64.
    seen: Vec<(u64, u64)>,
    told: BTreeMap<Fault, EventTime>,
}

impl DeviceState {
    pub(crate) fn alarm(&self, metric: &str) -> Option<Alarm> {
        self.alarms.get(metric).copied()
    }

    pub(crate) fn watch(&self, metric: &str) -> Option<&Watch> {
        self.watches.get(metric)
    }

    pub(crate) fn held(&self, metric: &str) -> Option<&Held> {
        self.held.get(metric)
    }

    pub(crate) fn told(&self, fault: Fault) -> Option<EventTime> {
        self.told.get(&fault).copied()
    }

    pub(crate) fn has_seen_any(&self) -> bool {
        !self.seen.is_empty()
    }

    pub(crate) fn has_seen(&self, hash: u64) -> bool {
        self.seen.iter().any(|(_, seen)| *seen == hash)
    }

    /// The number of the next id.
    pub(crate) fn next_number(&self) -> u64 {
        self.seen
            .iter()
            .map(|(number, _)| number.saturating_add(1))
            .max()
            .unwrap_or(0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.alarms.is_empty()
            && self.watches.is_empty()
            && self.held.is_empty()
            && self.heard.is_none()
            && self.seen.is_empty()
            && self.told.is_empty()
    }

    pub(crate) fn see(&mut self, number: u64, hash: Option<u64>) {
        let slot = |number: u64| number % SEEN_PER_DEVICE;
        self.seen.retain(|(other, _)| slot(*other) != slot(number));
        self.seen.extend(hash.map(|hash| (number, hash)));
    }

    /// Two rows may tell of one fault, an old one and a new one; the later counts.
    pub(crate) fn tell(&mut self, fault: Fault, at: Option<EventTime>) {
        match at {
            Some(at) => {
                let told = self.told.entry(fault).or_insert(at);
                *told = at.max(*told);
            }
            None => {
                self.told.remove(&fault);
            }
        }
    }

    /// The rows that forget it whole, but for alarms that wait.
    pub(crate) fn forgotten(&self, system: &Name, device: &Name) -> Vec<IntakeRow> {
        let name = || (Name::clone(system), Name::clone(device));
        let mut rows = Vec::new();
        for metric in self.alarms.keys().cloned() {
            let (system, device) = name();
            rows.push(IntakeRow::Alarm {
                system,
                device,
                metric,
                alarm: None,
            });
        }
        for metric in self.watches.keys().cloned() {
            let (system, device) = name();
            rows.push(IntakeRow::Watch {
                system,
                device,
                metric,
                watch: None,
            });
        }
        for (number, _) in &self.seen {
            let (system, device) = name();
            rows.push(IntakeRow::Seen {
                system,
                device,
                number: *number % SEEN_PER_DEVICE,
                hash: None,
            });
        }
        for fault in self.told.keys().copied() {
            let (system, device) = name();
            rows.push(IntakeRow::Told {
                system,
                device,
                fault,
                at: None,
            });
        }
        let (system, device) = name();
        rows.push(IntakeRow::Heard {
            system,
            device,
            heard: None,
        });
        rows
    }
}
