//! What intake remembers for its partition: which devices alarm, their last ids, and which ticket is about what.
//!
//! It changes by rows alone, so that a compacted changelog restores it: `judge` looks, `apply` moves.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use city_model::{EventTime, Group, HOUR_MS, Kind, Name};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::Fault;

/// Ids remembered per device.
pub(crate) const SEEN_PER_DEVICE: u64 = 64;
/// How long a ticket is remembered after it was last spoken of.
pub(crate) const TICKET_MS: i64 = 72 * HOUR_MS;
/// Most tickets forgotten with one record.
const FORGET_AT_ONCE: usize = 8;

/// A device alarms about a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// The latest event time at which it alarmed; an older reading cannot end it.
    pub at: EventTime,
}

/// What a ticket is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedTicket {
    /// The group that decides it.
    pub group: Group,
    /// Its kind.
    pub kind: Kind,
    /// When it was last spoken of, on the log's clock.
    pub at: EventTime,
}

/// One keyed row of the memory; a row without a value deletes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntakeRow {
    /// Whether a device of a system alarms about a metric.
    Alarm {
        /// Source system.
        system: Name,
        /// Device.
        device: Name,
        /// Metric.
        metric: Name,
        /// The alarm.
        alarm: Option<Alarm>,
    },
    /// An id that had an effect, in one of a device's 64 slots.
    Seen {
        /// Source system.
        system: Name,
        /// Device.
        device: Name,
        /// The how many-th id it is; the slot is this modulo 64.
        number: u64,
        /// The id's hash.
        hash: u64,
    },
    /// The clock fault that was last told about a device.
    Told {
        /// Source system.
        system: Name,
        /// Device.
        device: Name,
        /// The fault, and when.
        told: Option<(Fault, EventTime)>,
    },
    /// An event that was settled here, so that the same id again is a duplicate.
    Settled {
        /// Source system.
        system: Name,
        /// Its id there.
        id: Name,
        /// When it came.
        at: Option<EventTime>,
    },
    /// What a root ticket is about.
    Ticket {
        /// Source system.
        system: Name,
        /// Root ticket.
        ticket: Name,
        /// What it is about.
        about: Option<RememberedTicket>,
    },
}

/// A row that cannot be read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError(String);

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "intake row: {}", self.0)
    }
}

impl std::error::Error for RowError {}

impl IntakeRow {
    /// The row's key: a JSON list, because ids may hold any separator.
    pub fn key(&self) -> String {
        let slot;
        let parts: [&str; 4] = match self {
            IntakeRow::Alarm {
                system,
                device,
                metric,
                ..
            } => ["alarm", system, device, metric],
            IntakeRow::Seen {
                system,
                device,
                number,
                ..
            } => {
                slot = (number % SEEN_PER_DEVICE).to_string();
                ["seen", system, device, &slot]
            }
            IntakeRow::Told { system, device, .. } => ["told", system, device, ""],
            IntakeRow::Settled { system, id, .. } => ["settled", system, id, ""],
            IntakeRow::Ticket { system, ticket, .. } => ["ticket", system, ticket, ""],
        };
        serde_json::Value::from(&parts[..]).to_string()
    }

    /// The row's value as JSON; `None` deletes the key.
    pub fn value(&self) -> Option<String> {
        let value = match self {
            IntakeRow::Alarm { alarm, .. } => serde_json::to_string(&(*alarm)?),
            IntakeRow::Seen { number, hash, .. } => serde_json::to_string(&(number, hash)),
            IntakeRow::Told { told, .. } => serde_json::to_string(&(*told)?),
            IntakeRow::Settled { at, .. } => serde_json::to_string(&(*at)?),
            IntakeRow::Ticket { about, .. } => serde_json::to_string(about.as_ref()?),
        };
        value.ok() // plain structs of texts and integers always serialise
    }

    /// The row that a changelog holds.
    ///
    /// # Errors
    /// When key or value are not what `key` and `value` write.
    pub fn restore(key: &str, value: Option<&str>) -> Result<IntakeRow, RowError> {
        fn read<T: serde::de::DeserializeOwned>(value: Option<&str>) -> Result<Option<T>, RowError> {
            value
                .map(serde_json::from_str)
                .transpose()
                .map_err(|error| RowError(error.to_string()))
        }
        let parts: [Name; 4] = serde_json::from_str(key).map_err(|error| RowError(error.to_string()))?;
        let [what, system, id, last] = parts;
        match &*what {
            "alarm" => Ok(IntakeRow::Alarm {
                system,
                device: id,
                metric: last,
                alarm: read(value)?,
            }),
            "seen" => {
                let (number, hash) =
                    read(value)?.ok_or_else(|| RowError("a seen id without value".into()))?;
                Ok(IntakeRow::Seen {
                    system,
                    device: id,
                    number,
                    hash,
                })
            }
            "told" => Ok(IntakeRow::Told {
                system,
                device: id,
                told: read(value)?,
            }),
            "settled" => Ok(IntakeRow::Settled {
                system,
                id,
                at: read(value)?,
            }),
            "ticket" => Ok(IntakeRow::Ticket {
                system,
                ticket: id,
                about: read(value)?,
            }),
            _ => Err(RowError("an unknown sort of row".into())),
        }
    }
}

/// The memory of one partition.
#[derive(Debug, Clone, Default)]
pub struct IntakeState {
    /// By source system, then by device. Looked up only, never walked.
    devices: FxHashMap<Name, FxHashMap<Name, DeviceState>>,
    tickets: FxHashMap<Name, FxHashMap<Name, RememberedTicket>>,
    /// Tickets by when they were last spoken of.
    ages: BTreeSet<(EventTime, Name, Name)>,
    settled: FxHashMap<Name, FxHashMap<Name, EventTime>>,
    /// Settled ids by when they came.
    settled_ages: BTreeSet<(EventTime, Name, Name)>,
}

/// What is remembered of a device that ever alarmed or was ever told about.
#[derive(Debug, Clone, Default)]
pub(crate) struct DeviceState {
    alarms: BTreeMap<Name, Alarm>,
    /// (number, hash); at most 64.
    seen: Vec<(u64, u64)>,
    pub(crate) told: Option<(Fault, EventTime)>,
}

impl DeviceState {
    pub(crate) fn alarm(&self, metric: &str) -> Option<Alarm> {
        self.alarms.get(metric).copied()
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
}

impl IntakeState {
    /// Changes the memory. Rows of one key must come in order; of different keys they may come in any.
    pub fn apply(&mut self, row: &IntakeRow) {
        match row {
            IntakeRow::Alarm {
                system,
                device,
                metric,
                alarm,
            } => {
                let alarms = &mut self.device_mut(system, device).alarms;
                match alarm {
                    Some(alarm) => alarms.insert(Name::clone(metric), *alarm),
                    None => alarms.remove(metric),
                };
            }
            IntakeRow::Seen {
                system,
                device,
                number,
                hash,
            } => {
                let seen = &mut self.device_mut(system, device).seen;
                let slot = |number: u64| number % SEEN_PER_DEVICE;
                match seen.iter_mut().find(|(other, _)| slot(*other) == slot(*number)) {
                    Some(entry) => *entry = (*number, *hash),
                    None => seen.push((*number, *hash)),
                }
            }
            IntakeRow::Told { system, device, told } => self.device_mut(system, device).told = *told,
            IntakeRow::Settled { system, id, at } => {
                let settled = self.settled.entry(Name::clone(system)).or_default();
                let old = match at {
                    Some(at) => settled.insert(Name::clone(id), *at),
                    None => settled.remove(id),
                };
                let age = |at: EventTime| (at, Name::clone(system), Name::clone(id));
                old.map(|at| self.settled_ages.remove(&age(at)));
                at.map(|at| self.settled_ages.insert(age(at)));
            }
            IntakeRow::Ticket {
                system,
                ticket,
                about,
            } => {
                let tickets = self.tickets.entry(Name::clone(system)).or_default();
                let old = match about {
                    Some(about) => tickets.insert(Name::clone(ticket), about.clone()),
                    None => tickets.remove(ticket),
                };
                if let Some(old) = old {
                    self.ages
                        .remove(&(old.at, Name::clone(system), Name::clone(ticket)));
                }
                if let Some(about) = about {
                    self.ages
                        .insert((about.at, Name::clone(system), Name::clone(ticket)));
                }
            }
        }
    }

    fn device_mut(&mut self, system: &Name, device: &Name) -> &mut DeviceState {
        let devices = self.devices.entry(Name::clone(system)).or_default();
        devices.entry(Name::clone(device)).or_default()
    }

    pub(crate) fn device(&self, system: &str, device: &str) -> Option<&DeviceState> {
        self.devices.get(system)?.get(device)
    }

    pub(crate) fn ticket(&self, system: &str, ticket: &str, now: EventTime) -> Option<&RememberedTicket> {
        let about = self.tickets.get(system)?.get(ticket)?;
        (now - about.at <= TICKET_MS).then_some(about)
    }

    /// Whether an event of this id was settled here within the last 72 h.
    pub(crate) fn is_settled(&self, system: &str, id: &str, now: EventTime) -> bool {
        let at = self.settled.get(system).and_then(|settled| settled.get(id));
        at.is_some_and(|at| now - *at <= TICKET_MS)
    }

    /// Rows that forget the oldest tickets and settled ids that are over their time, a few at once.
    pub(crate) fn forget(&self, now: EventTime) -> impl Iterator<Item = IntakeRow> + '_ {
        let over = move |(at, ..): &&(EventTime, Name, Name)| now - *at > TICKET_MS;
        let tickets = self
            .ages
            .iter()
            .take_while(over)
            .take(FORGET_AT_ONCE)
            .map(|(_, system, ticket)| IntakeRow::Ticket {
                system: Name::clone(system),
                ticket: Name::clone(ticket),
                about: None,
            });
        let settled = self
            .settled_ages
            .iter()
            .take_while(over)
            .take(FORGET_AT_ONCE)
            .map(|(_, system, id)| IntakeRow::Settled {
                system: Name::clone(system),
                id: Name::clone(id),
                at: None,
            });
        tickets.chain(settled)
    }

    /// How many tickets are remembered.
    pub fn tickets(&self) -> usize {
        self.ages.len()
    }
}
