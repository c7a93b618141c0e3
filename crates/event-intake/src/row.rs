//! The rows of intake's memory: their keys and values in the changelog.
//!
//! Values only ever gain optional fields, so that rows written by an earlier version restore.

use std::fmt;

use city_model::{EventTime, Name};
use serde::de::DeserializeOwned;

use crate::Fault;
use crate::device::{Alarm, Heard, Held, Watch};
use crate::state::{RememberedTicket, SEEN_PER_DEVICE};

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
        hash: Option<u64>,
    },
    /// When a fault of a device was last told.
    Told {
        /// Source system.
        system: Name,
        /// Device.
        device: Name,
        /// The fault.
        fault: Fault,
        /// When.
        at: Option<EventTime>,
    },
    /// When a device was last heard, to a part of its interval.
    Heard {
        /// Source system.
        system: Name,
        /// Device.
        device: Name,
        /// When, and how long it may be silent.
        heard: Option<Heard>,
    },
    /// How a device's metric moved.
    Watch {
        /// Source system.
        system: Name,
        /// Device.
        device: Name,
        /// Metric.
        metric: Name,
        /// What is watched.
        watch: Option<Watch>,
    },
    /// Alarms of a device that wait for confirmation.
    Held {
        /// Source system.
        system: Name,
        /// Device.
        device: Name,
        /// Metric.
        metric: Name,
        /// The alarms.
        held: Option<Box<Held>>,
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
            IntakeRow::Told {
                system,
                device,
                fault,
                ..
            } => ["told", system, device, fault.as_str()],
            IntakeRow::Heard { system, device, .. } => ["heard", system, device, ""],
            IntakeRow::Watch {
                system,
                device,
                metric,
                ..
            } => ["watch", system, device, metric],
            IntakeRow::Held {
                system,
                device,
                metric,
                ..
            } => ["held", system, device, metric],
            IntakeRow::Settled { system, id, .. } => ["settled", system, id, ""],
            IntakeRow::Ticket { system, ticket, .. } => ["ticket", system, ticket, ""],
        };
        serde_json::to_string(&parts).unwrap_or_default() // texts always serialise
    }

    /// The row's value as JSON; `None` deletes the key.
    pub fn value(&self) -> Option<String> {
        let value = match self {
            IntakeRow::Alarm { alarm, .. } => serde_json::to_string(&(*alarm)?),
            IntakeRow::Seen { number, hash, .. } => serde_json::to_string(&(number, (*hash)?)),
            // The value names the fault too: once there was one row for all.
            IntakeRow::Told { fault, at, .. } => serde_json::to_string(&(fault, (*at)?)),
            IntakeRow::Heard { heard, .. } => serde_json::to_string(heard.as_ref()?),
            IntakeRow::Watch { watch, .. } => serde_json::to_string(watch.as_ref()?),
            IntakeRow::Held { held, .. } => serde_json::to_string(held.as_ref()?),
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
        fn read<T: DeserializeOwned>(value: Option<&str>) -> Result<Option<T>, RowError> {
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
                let seen: Option<(u64, u64)> = read(value)?;
                let slot = || {
                    last.parse()
                        .map_err(|_| RowError("a seen id without slot".into()))
                };
                Ok(IntakeRow::Seen {
                    system,
                    device: id,
                    number: seen.map_or_else(slot, |(number, _)| Ok(number))?,
                    hash: seen.map(|(_, hash)| hash),
                })
            }
            "told" => {
                let told: Option<(Fault, EventTime)> = read(value)?;
                let named = || read(Some(&serde_json::Value::from(&*last).to_string()));
                let fault = match told {
                    Some((fault, _)) => Some(fault),
                    None => named()?,
                };
                Ok(IntakeRow::Told {
                    system,
                    device: id,
                    fault: fault.ok_or_else(|| RowError("a row about no fault".into()))?,
                    at: told.map(|(_, at)| at),
                })
            }
            "heard" => Ok(IntakeRow::Heard {
                system,
                device: id,
                heard: read(value)?,
            }),
            "watch" => Ok(IntakeRow::Watch {
                system,
                device: id,
                metric: last,
                watch: read(value)?,
            }),
            "held" => Ok(IntakeRow::Held {
                system,
                device: id,
                metric: last,
                held: read(value)?,
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
