//! What is remembered of every event for three days, packed: most of the memory of a quiet city is this.
//!
//! An event has a number, as an incident has: lists of events are lists of numbers, and its row is found by a table of them.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::sync::Arc;

use city_model::{EventKey, EventTime, Incident, IncidentId, Name, Outcome, Source, Turn};
use hashbrown::HashTable;
use rustc_hash::FxHashMap;

use crate::awake::Awake;
use crate::brief;
use crate::chunks::Chunks;
use crate::identity::{Identity, hash, key_bytes};
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
    /// Those that are tickets and belong to an incident, by the ticket.
    tickets: HashTable<u32>,
    rows: Chunks<Option<Packed>>,
    free: Vec<u32>,
    systems: Vec<Name>,
    systems_by_name: FxHashMap<Name, u32>,
    awake: Awake,
    /// What is looked for is written into it.
    spare: RefCell<Vec<u8>>,
}

impl Default for Events {
    fn default() -> Events {
        Events {
            table: HashTable::new(),
            tickets: HashTable::new(),
            rows: Chunks::default(),
            free: Vec::new(),
            systems: Vec::new(),
            systems_by_name: FxHashMap::default(),
            awake: Awake::within(AWAKE.0, AWAKE.1),
            spare: RefCell::default(),
        }
    }
}

#[derive(Debug)]
struct Packed {
    identity: Identity,
    ingested_at: EventTime,
    said: Option<Box<Said>>,
    incident: u32,
    source: Source,
    outcome: Outcome,
}

/// What an event said that may be decided again, and its place in the order.
#[derive(Debug)]
struct Said {
    order: EventTime,
    held: Resting<Held>,
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
        let system = *self.systems_by_name.get(&key.source_system)?;
        let mut bytes = self.spare.take();
        bytes.clear();
        key_bytes(&mut bytes, system, &key.event_id);
        let number = self.find(&bytes);
        self.spare.replace(bytes);
        number
    }

    fn find(&self, key: &[u8]) -> Option<u32> {
        let is_it = |number: &u32| self.row(*number).is_some_and(|row| row.identity.key() == key);
        self.table.find(hash(key), is_it).copied()
    }

    fn row(&self, number: u32) -> Option<&Packed> {
        self.rows.get(number)?.as_ref()
    }

    fn row_mut(&mut self, number: u32) -> Option<&mut Packed> {
        self.rows.get_mut(number)?.as_mut()
    }

    /// What is remembered of the event with a number.
    pub(crate) fn seen<'a>(&'a self, number: u32, kept: &'a Kept) -> Option<Seen<'a>> {
        let row = self.row(number)?;
        Some(Seen {
            number,
            row,
            events: self,
            kept,
        })
    }

    /// The events that are a ticket and belong to an incident, in no order that means anything.
    pub(crate) fn of_ticket(&self, ticket: &str) -> impl Iterator<Item = u32> + use<'_> {
        let mut bytes = Vec::with_capacity(ticket.len() + 2);
        brief::put(&mut bytes, ticket);
        let numbers = self.tickets.iter_hash(hash(&bytes)).copied();
        numbers.filter(move |number| {
            let ticket = self.row(*number).and_then(|row| row.identity.ticket_bytes());
            ticket == Some(&bytes)
        })
    }

    /// Whether the turn of an event that may be decided again is after another.
    pub(crate) fn is_after(&self, number: u32, turn: &Turn) -> bool {
        let Some((row, said)) = self.row(number).and_then(|row| Some((row, row.said.as_ref()?))) else {
            return false;
        };
        let order = (said.order, row.source).cmp(&(turn.order, turn.rank));
        let order = order.then_with(|| self.system_of(row).cmp(&turn.key.source_system));
        order.then_with(|| (*row.identity.event_id()).cmp(&turn.key.event_id)) == Ordering::Greater
    }

    /// The turn of an event that may be decided again.
    pub(crate) fn turn(&self, number: u32) -> Option<Turn> {
        let row = self.row(number)?;
        Some(Turn {
            order: row.said.as_ref()?.order,
            rank: row.source,
            key: self.key_of(row),
        })
    }

    fn system_of(&self, row: &Packed) -> &Name {
        &self.systems[row.identity.system()]
    }

    fn key_of(&self, row: &Packed) -> EventKey {
        EventKey {
            source_system: self.system_of(row).clone(),
            event_id: row.identity.event_id().into(),
        }
    }

    /// Says where in the order an event is that may be decided again.
    pub(crate) fn put_in_order(&mut self, number: u32, order: EventTime) {
        if let Some(said) = self.row_mut(number).and_then(|row| row.said.as_mut()) {
            said.order = order;
        }
    }

    /// The numbers of the events of which it is kept what they said, in no order that means anything.
    pub(crate) fn holding(&self) -> impl Iterator<Item = u32> + use<> {
        let holds = |row: &Option<Packed>| row.as_ref().is_some_and(|row| row.said.is_some());
        let holding: Vec<u32> = (0..)
            .zip(self.rows.iter())
            .filter_map(|(number, row)| holds(row).then_some(number))
            .collect();
        holding.into_iter()
    }

    /// What an event said, where it is only looked at once, with many others: it stays at rest.
    pub(crate) fn glance(&self, number: u32, kept: &Kept) -> Option<Arc<Held>> {
        let said = self.row(number)?.said.as_ref()?;
        Some(said.held.glance(kept.pieces()))
    }

    /// Lays down what nobody asked for lately, once too much is awake; `all` of it at once where that is wanted.
    pub(crate) fn rest(&mut self, kept: &mut Kept, all: bool) {
        let rows = &mut self.rows;
        self.awake.rest(all, |number, spares| {
            let row = rows.get_mut(number).and_then(Option::as_mut);
            let said = row.and_then(|row| row.said.as_mut());
            said.is_none_or(|said| said.held.rest(kept.pieces_mut(), spares))
        });
    }

    /// Enters a row in the place of what it was; answers its number, when it came before, and what it had said then.
    pub(crate) fn put(&mut self, row: &EventRow, held: Option<Arc<Held>>, kept: &mut Kept) -> Put {
        let incident = row.incident.as_ref().map_or(NONE, |id| kept.mention(id));
        let said = held.map(|held| {
            let (order, held) = (EventTime::MIN, Resting::awake(held));
            Box::new(Said { order, held })
        });
        let wakes = said.is_some();
        let system = self.system(&row.key.source_system);
        let packed = Packed {
            identity: Identity::of(system, row),
            ingested_at: row.ingested_at,
            said,
            incident,
            source: row.source,
            outcome: row.outcome,
        };
        let Some(number) = self.find(packed.identity.key()) else {
            let number = self.add(packed);
            if wakes {
                self.awake.woke(number);
            }
            return Put {
                number,
                was_at: None,
                was: None,
            };
        };
        self.leave_ticket(number);
        let was = self.rows.get_mut(number).and_then(|own| own.replace(packed));
        self.enter_ticket(number);
        let was_at = was.as_ref().map(|was| was.ingested_at);
        if let Some(was) = was.as_ref().filter(|was| was.incident != NONE) {
            kept.mention_no_more(was.incident);
        }
        let was = was.and_then(|was| was.said);
        if wakes && !was.as_ref().is_some_and(|was| was.held.is_awake()) {
            self.awake.woke(number);
        }
        let was = was.map(|was| was.held.into_whole(kept.pieces()));
        Put { number, was_at, was }
    }

    fn add(&mut self, packed: Packed) -> u32 {
        let hash_of_key = hash(packed.identity.key());
        let number = match self.free.pop() {
            Some(number) => {
                if let Some(place) = self.rows.get_mut(number) {
                    *place = Some(packed);
                }
                number
            }
            None => self.rows.push(Some(packed)),
        };
        let rows = &self.rows;
        // Every number in the table has its row.
        let rehash = |number: &u32| identity_at(rows, *number).map_or(0, |identity| hash(identity.key()));
        self.table.insert_unique(hash_of_key, number, rehash);
        self.enter_ticket(number);
        number
    }

    /// Takes what a settled event said.
    pub(crate) fn let_go(&mut self, number: u32, kept: &Kept) -> Option<Arc<Held>> {
        let said = self.row_mut(number)?.said.take()?;
        Some(said.held.into_whole(kept.pieces()))
    }

    /// Forgets an event.
    pub(crate) fn remove(&mut self, number: u32, kept: &mut Kept) {
        self.leave_ticket(number);
        let Some(row) = self.rows.get_mut(number).and_then(Option::take) else {
            return;
        };
        let hash = hash(row.identity.key());
        if let Ok(entry) = self.table.find_entry(hash, |other| *other == number) {
            entry.remove();
        }
        if row.incident != NONE {
            kept.mention_no_more(row.incident);
        }
        self.free.push(number);
    }

    fn enter_ticket(&mut self, number: u32) {
        let row = self.row(number).filter(|row| row.incident != NONE);
        let Some(ticket) = row.and_then(|row| row.identity.ticket_bytes()).map(hash) else {
            return;
        };
        let rows = &self.rows;
        let of_ticket = |number: &u32| identity_at(rows, *number).and_then(Identity::ticket_bytes);
        let rehash = |number: &u32| of_ticket(number).map_or(0, hash);
        self.tickets.insert_unique(ticket, number, rehash);
    }

    fn leave_ticket(&mut self, number: u32) {
        let row = self.row(number).filter(|row| row.incident != NONE);
        let ticket = row.and_then(|row| row.identity.ticket_bytes()).map(hash);
        if let Some(ticket) = ticket
            && let Ok(entry) = self.tickets.find_entry(ticket, |other| *other == number)
        {
            entry.remove();
        }
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

fn identity_at(rows: &Chunks<Option<Packed>>, number: u32) -> Option<&Identity> {
    Some(&rows.get(number)?.as_ref()?.identity)
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
        self.row.said.is_some()
    }

    /// What it said, as long as it may be decided again.
    pub(crate) fn held(self) -> Option<&'a Arc<Held>> {
        let said = self.row.said.as_ref()?;
        let woken = || self.events.awake.woke(self.number);
        Some(said.held.get(self.kept.pieces(), woken))
    }

    pub(crate) fn ticket(self) -> Option<Name> {
        self.row.identity.ticket().map(Name::from)
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
    pub(crate) fn turn(self) -> (Option<EventTime>, Source, EventKey) {
        let order = self.row.identity.order(self.row.ingested_at);
        (order, self.row.source, self.key())
    }

    pub(crate) fn key(self) -> EventKey {
        self.events.key_of(self.row)
    }

    /// The row as it is written down.
    pub(crate) fn to_row(self) -> EventRow {
        EventRow {
            key: self.key(),
            source: self.row.source,
            outcome: self.row.outcome,
            incident: self.incident_id().cloned(),
            ingested_at: self.row.ingested_at,
            ticket: self.ticket(),
            order: self.row.identity.order(self.row.ingested_at),
            held: self.held().cloned(),
        }
    }
}
