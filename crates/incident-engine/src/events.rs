//! What is remembered of every event for three days, packed: most of the memory of a quiet city is this.
//!
//! An event has a number, as an incident has: lists of events are lists of numbers, and its row is found by a table of them.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use city_model::{EventKey, EventTime, Incident, IncidentId, Name, Outcome, Source};
use hashbrown::HashTable;
use rustc_hash::{FxHashMap, FxHasher};

use crate::awake::Awake;
use crate::kept::Kept;
use crate::resting::Resting;
use crate::{EventRow, Held};

/// So many of what events said are whole at a time, some 1 kB each: the least and the most, as of incidents.
const AWAKE: (usize, usize) = (2_048, 32_768);

/// No incident has this number.
const NONE: u32 = u32::MAX;

/// The rows.
#[derive(Debug)]
pub(crate) struct Events {
    table: HashTable<u32>,
    rows: Vec<Option<Packed>>,
    free: Vec<u32>,
    systems: Vec<Name>,
    systems_by_name: FxHashMap<Name, u32>,
    awake: Awake,
}

impl Default for Events {
    fn default() -> Events {
        Events {
            table: HashTable::new(),
            rows: Vec::new(),
            free: Vec::new(),
            systems: Vec::new(),
            systems_by_name: FxHashMap::default(),
            awake: Awake::within(AWAKE.0, AWAKE.1),
        }
    }
}

#[derive(Debug)]
struct Packed {
    event_id: Name,
    ingested_at: EventTime,
    held: Option<Box<Resting<Held>>>,
    ticket: Option<Box<Ticket>>,
    incident: u32,
    /// The number of its system.
    system: u32,
    source: Source,
    outcome: Outcome,
}

#[derive(Debug)]
struct Ticket {
    ticket: Name,
    order: Option<EventTime>,
}

/// What is remembered of one event.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    number: u32,
    row: &'a Packed,
    events: &'a Events,
    kept: &'a Kept,
}

impl Events {
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// All numbers that an event may have.
    pub(crate) fn numbers(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.rows.len()).unwrap_or(NONE)
    }

    pub(crate) fn contains_key(&self, key: &EventKey) -> bool {
        self.number(key).is_some()
    }

    /// The number of an event.
    pub(crate) fn number(&self, key: &EventKey) -> Option<u32> {
        let is_it = |number: &u32| self.is(*number, key);
        self.table
            .find(hash(&key.source_system, &key.event_id), is_it)
            .copied()
    }

    /// What is remembered of the event with a number.
    pub(crate) fn seen<'a>(&'a self, number: u32, kept: &'a Kept) -> Option<Seen<'a>> {
        let row = self.rows.get(number as usize)?.as_ref()?;
        Some(Seen {
            number,
            row,
            events: self,
            kept,
        })
    }

    /// The numbers of the events of which it is kept what they said, in no order that means anything.
    pub(crate) fn holding(&self) -> impl Iterator<Item = u32> + use<> {
        let holds = |row: &Option<Packed>| row.as_ref().is_some_and(|row| row.held.is_some());
        let holding: Vec<u32> = (0..)
            .zip(&self.rows)
            .filter_map(|(number, row)| holds(row).then_some(number))
            .collect();
        holding.into_iter()
    }

    /// What an event said, where it is only looked at once, with many others: it stays at rest.
    pub(crate) fn glance(&self, number: u32, kept: &Kept) -> Option<Arc<Held>> {
        let row = self.rows.get(number as usize)?.as_ref()?;
        Some(row.held.as_ref()?.glance(kept.pieces()))
    }

    /// Lays down what nobody asked for lately, once too much is awake; `all` of it at once where that is wanted.
    pub(crate) fn rest(&mut self, kept: &mut Kept, all: bool) {
        let rows = &mut self.rows;
        self.awake.rest(all, |number, spares| {
            let row = rows.get_mut(number as usize).and_then(Option::as_mut);
            let held = row.and_then(|row| row.held.as_mut());
            held.is_none_or(|held| held.rest(kept.pieces_mut(), spares))
        });
    }

    /// Enters a row in the place of what it was; answers its number, when it came before, and what it had said then.
    pub(crate) fn put(&mut self, row: &EventRow, held: Option<Arc<Held>>, kept: &mut Kept) -> Put {
        let incident = row.incident.as_ref().map_or(NONE, |id| kept.mention(id));
        let ticket = row.ticket.as_ref().map(|ticket| {
            let (ticket, order) = (ticket.clone(), row.order);
            Box::new(Ticket { ticket, order })
        });
        let held = held.map(|held| Box::new(Resting::awake(held)));
        let wakes = held.is_some();
        let known = self.number(&row.key);
        if let Some(number) = known
            && let Some(Some(own)) = self.rows.get_mut(number as usize)
        {
            if own.incident != NONE {
                kept.mention_no_more(own.incident);
            }
            own.incident = incident;
            let was_at = std::mem::replace(&mut own.ingested_at, row.ingested_at);
            own.ticket = ticket;
            own.source = row.source;
            own.outcome = row.outcome;
            let was = std::mem::replace(&mut own.held, held);
            if wakes && !was.as_ref().is_some_and(|was| was.is_awake()) {
                self.awake.woke(number);
            }
            return Put {
                number,
                was_at: Some(was_at),
                was: was.map(|was| was.into_whole(kept.pieces())),
            };
        }
        let system = self.system(&row.key.source_system);
        let packed = Packed {
            event_id: row.key.event_id.clone(),
            ingested_at: row.ingested_at,
            held,
            ticket,
            incident,
            system,
            source: row.source,
            outcome: row.outcome,
        };
        let number = match self.free.pop() {
            Some(number) => {
                self.rows[number as usize] = Some(packed);
                number
            }
            None => {
                self.rows.push(Some(packed));
                // Four billion events do not fit into memory.
                u32::try_from(self.rows.len() - 1).unwrap_or(NONE)
            }
        };
        if wakes {
            self.awake.woke(number);
        }
        let (rows, systems) = (&self.rows, &self.systems);
        let rehash = |number: &u32| match rows.get(*number as usize) {
            Some(Some(row)) => hash(&systems[row.system as usize], &row.event_id),
            _ => 0, // every number in the table has its row
        };
        self.table
            .insert_unique(hash(&row.key.source_system, &row.key.event_id), number, rehash);
        Put {
            number,
            was_at: None,
            was: None,
        }
    }

    /// Takes what a settled event said.
    pub(crate) fn let_go(&mut self, number: u32, kept: &Kept) -> Option<Arc<Held>> {
        let held = self.rows.get_mut(number as usize)?.as_mut()?.held.take()?;
        Some(held.into_whole(kept.pieces()))
    }

    /// Forgets an event.
    pub(crate) fn remove(&mut self, number: u32, kept: &mut Kept) {
        let Some(Some(row)) = self.rows.get_mut(number as usize).map(Option::take) else {
            return;
        };
        let hash = hash(&self.systems[row.system as usize], &row.event_id);
        if let Ok(entry) = self.table.find_entry(hash, |other| *other == number) {
            entry.remove();
        }
        if row.incident != NONE {
            kept.mention_no_more(row.incident);
        }
        self.free.push(number);
    }

    fn is(&self, number: u32, key: &EventKey) -> bool {
        let row = self.rows.get(number as usize).and_then(Option::as_ref);
        row.is_some_and(|row| {
            *row.event_id == *key.event_id && self.systems[row.system as usize] == key.source_system
        })
    }

    fn system(&mut self, name: &Name) -> u32 {
        if let Some(number) = self.systems_by_name.get(name) {
            return *number;
        }
        let number = u32::try_from(self.systems.len()).unwrap_or(u32::MAX);
        self.systems.push(name.clone());
        self.systems_by_name.insert(name.clone(), number);
        number
    }
}

/// What entering a row came to.
pub(crate) struct Put {
    pub(crate) number: u32,
    /// When it came by the row before; `None` where there was none.
    pub(crate) was_at: Option<EventTime>,
    pub(crate) was: Option<Arc<Held>>,
}

impl<'a> Seen<'a> {
    pub(crate) fn outcome(self) -> Outcome {
        self.row.outcome
    }

    pub(crate) fn ingested_at(self) -> EventTime {
        self.row.ingested_at
    }

    /// Whether it is kept what it said.
    pub(crate) fn is_held(self) -> bool {
        self.row.held.is_some()
    }

    /// What it said, as long as it may be decided again.
    pub(crate) fn held(self) -> Option<&'a Arc<Held>> {
        let held = self.row.held.as_ref()?;
        let woken = || self.events.awake.woke(self.number);
        Some(held.get(self.kept.pieces(), woken))
    }

    fn system(self) -> &'a Name {
        &self.events.systems[self.row.system as usize]
    }

    pub(crate) fn ticket(self) -> Option<&'a Name> {
        self.row.ticket.as_ref().map(|ticket| &ticket.ticket)
    }

    /// The id of the incident that it belongs to, kept or not.
    pub(crate) fn incident_id(self) -> Option<&'a IncidentId> {
        self.kept.id(self.row.incident)
    }

    /// The number of the incident that it belongs to, kept or not.
    pub(crate) fn incident_number(self) -> u32 {
        self.row.incident
    }

    /// The incident that it belongs to.
    pub(crate) fn incident(self) -> Option<&'a Arc<Incident>> {
        self.kept.at(self.row.incident)
    }

    /// Its turn, as far as that is known of a ticket.
    pub(crate) fn turn(self) -> (Option<EventTime>, Source, &'a Name, &'a Name) {
        let order = self.row.ticket.as_ref().and_then(|ticket| ticket.order);
        (order, self.row.source, self.system(), &self.row.event_id)
    }

    pub(crate) fn key(self) -> EventKey {
        EventKey {
            source_system: self.system().clone(),
            event_id: self.row.event_id.clone(),
        }
    }

    /// The row as it is written down.
    pub(crate) fn to_row(self) -> EventRow {
        EventRow {
            key: self.key(),
            source: self.row.source,
            outcome: self.row.outcome,
            incident: self.incident_id().cloned(),
            ingested_at: self.row.ingested_at,
            ticket: self.ticket().cloned(),
            order: self.turn().0,
            held: self.held().cloned(),
        }
    }
}

fn hash(system: &str, event_id: &str) -> u64 {
    let mut hasher = FxHasher::default();
    event_id.hash(&mut hasher);
    system.hash(&mut hasher);
    hasher.finish()
}
