//! What intake remembers for its partition: which devices alarm, their last ids, and which ticket is about what.
//!
//! It changes by rows alone, so that a compacted changelog restores it: `judge` looks, `apply` moves.

use std::collections::BTreeSet;

use city_model::{EventTime, Group, HOUR_MS, Kind, Name, Warning};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::IntakeRow;
use crate::device::{DeviceState, Heard, Held};
use crate::weather::Weather;

/// Ids remembered per device.
pub(crate) const SEEN_PER_DEVICE: u64 = 64;
/// How long a ticket is remembered after it was last spoken of.
pub(crate) const TICKET_MS: i64 = 72 * HOUR_MS;
/// Most tickets forgotten with one record.
const FORGET_AT_ONCE: usize = 8;

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

/// The memory of one partition.
#[derive(Debug, Clone, Default)]
pub struct IntakeState {
    /// By source system, then by device. Looked up only, never walked.
    devices: FxHashMap<Name, FxHashMap<Name, DeviceState>>,
    /// Devices by when they are offline or forgotten.
    silent: BTreeSet<(EventTime, Name, Name)>,
    /// Alarms by when they have waited long enough.
    waiting: BTreeSet<(EventTime, Name, Name, Name)>,
    tickets: FxHashMap<Name, FxHashMap<Name, RememberedTicket>>,
    /// Tickets by when they were last spoken of.
    ages: BTreeSet<(EventTime, Name, Name)>,
    settled: FxHashMap<Name, FxHashMap<Name, EventTime>>,
    /// Settled ids by when they came.
    settled_ages: BTreeSet<(EventTime, Name, Name)>,
    weather: Weather,
}

impl IntakeState {
    /// Is told of a weather warning, which comes in another stream, and when it was appended there. It is no row: whoever restores
    /// a partition tells of all warnings again, in any order with the partition's records. What is judged knows only of
    /// those that were appended before it.
    pub fn hear_warning(&mut self, warning: &Warning, appended_at: EventTime) {
        self.weather.hear(warning, appended_at);
    }

    pub(crate) fn weather(&self) -> &Weather {
        &self.weather
    }

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
            } => self.device_mut(system, device).see(*number, *hash),
            IntakeRow::Told {
                system,
                device,
                fault,
                at,
            } => self.device_mut(system, device).tell(*fault, *at),
            IntakeRow::Watch {
                system,
                device,
                metric,
                watch,
            } => {
                let watches = &mut self.device_mut(system, device).watches;
                match watch {
                    Some(watch) => watches.insert(Name::clone(metric), watch.clone()),
                    None => watches.remove(metric),
                };
            }
            IntakeRow::Heard {
                system,
                device,
                heard,
            } => {
                let place = |heard: &Heard| (heard.due(), Name::clone(system), Name::clone(device));
                let known = self.device_mut(system, device);
                let old = std::mem::replace(&mut known.heard, heard.clone());
                old.map(|old| self.silent.remove(&place(&old)));
                heard.as_ref().map(|heard| self.silent.insert(place(heard)));
                self.drop_if_empty(system, device);
            }
            IntakeRow::Held {
                system,
                device,
                metric,
                held,
            } => {
                let place = |held: &Held| {
                    (
                        held.due,
                        Name::clone(system),
                        Name::clone(device),
                        Name::clone(metric),
                    )
                };
                let all = &mut self.device_mut(system, device).held;
                let old = match held {
                    Some(held) => all.insert(Name::clone(metric), (**held).clone()),
                    None => all.remove(metric),
                };
                old.map(|old| self.waiting.remove(&place(&old)));
                held.as_ref().map(|held| self.waiting.insert(place(held)));
                self.drop_if_empty(system, device);
            }
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

    /// Devices whose silence means something by now, the longest silent first.
    pub(crate) fn silent(&self, now: EventTime) -> impl Iterator<Item = (&Name, &Name, &Heard)> + '_ {
        let due = self.silent.iter().take_while(move |(due, ..)| *due <= now);
        due.filter_map(|(_, system, device)| {
            let heard = self.device(system, device)?.heard.as_ref()?;
            Some((system, device, heard))
        })
    }

    /// Alarms that waited in vain by now, the longest waiting first.
    pub(crate) fn waiting(&self, now: EventTime) -> impl Iterator<Item = (&Name, &Name, &Name, &Held)> + '_ {
        let due = self.waiting.iter().take_while(move |(due, ..)| *due < now);
        due.filter_map(|(_, system, device, metric)| {
            let held = self.device(system, device)?.held(metric)?;
            Some((system, device, metric, held))
        })
    }

    /// How many devices are remembered.
    pub fn devices(&self) -> usize {
        self.devices
            .values()
            .flat_map(|devices| devices.values())
            .filter(|device| !device.is_empty())
            .count()
    }

    fn drop_if_empty(&mut self, system: &Name, device: &Name) {
        if let Some(devices) = self.devices.get_mut(system)
            && devices.get(device).is_some_and(DeviceState::is_empty)
        {
            devices.remove(device);
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
