//! The incidents that are kept, each under a number: what points at them needs four bytes, and finds them without a hash.
//!
//! A number means something to this process alone and is given anew once nothing bears it, so it is never written down, and no
//! order of numbers shows.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use city_model::{Incident, IncidentId};
use hashbrown::HashTable;
use rustc_hash::FxHasher;
use state_rows::Pieces;

use crate::awake::Awake;
use crate::chunks::Chunks;
use crate::resting::{Resting, pieces};

/// So many incidents are whole at a time, some 3 kB each: the least, and the most where a storm asks for them again and again.
const AWAKE: (usize, usize) = (1_024, 16_384);

/// The incidents, and the ids that events were told of.
#[derive(Debug)]
pub(crate) struct Kept {
    table: HashTable<u32>,
    places: Chunks<Place>,
    free: Vec<u32>,
    /// How many of the places hold an incident.
    count: usize,
    pieces: Pieces,
    awake: Awake,
}

#[derive(Debug)]
struct Place {
    id: IncidentId,
    incident: Option<Resting<Incident>>,
    /// How many events say that they belong to it: they may be remembered for longer than it is kept.
    mentions: u32,
}

impl Default for Kept {
    fn default() -> Kept {
        Kept {
            table: HashTable::new(),
            places: Chunks::default(),
            free: Vec::new(),
            count: 0,
            pieces: pieces(),
            awake: Awake::within(AWAKE.0, AWAKE.1),
        }
    }
}

impl Kept {
    pub(crate) fn get(&self, id: &IncidentId) -> Option<&Arc<Incident>> {
        self.at(self.number_of(id)?)
    }

    /// An incident by its number.
    pub(crate) fn at(&self, number: u32) -> Option<&Arc<Incident>> {
        let resting = self.places.get(number)?.incident.as_ref()?;
        Some(resting.get(&self.pieces, || self.awake.woke(number)))
    }

    /// An incident that is only looked at once, with many others: it stays at rest.
    pub(crate) fn glance(&self, number: u32) -> Option<Arc<Incident>> {
        let resting = self.places.get(number)?.incident.as_ref()?;
        Some(resting.glance(&self.pieces))
    }

    pub(crate) fn contains_key(&self, id: &IncidentId) -> bool {
        let place = self.number_of(id).and_then(|number| self.places.get(number));
        place.is_some_and(|place| place.incident.is_some())
    }

    /// The numbers of all of them, in no order that means anything.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u32> + use<> {
        let held: Vec<u32> = (0..)
            .zip(self.places.iter())
            .filter_map(|(number, place)| place.incident.is_some().then_some(number))
            .collect();
        held.into_iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// What those at rest share, and events as well.
    pub(crate) fn pieces(&self) -> &Pieces {
        &self.pieces
    }

    pub(crate) fn pieces_mut(&mut self) -> &mut Pieces {
        &mut self.pieces
    }

    /// Keeps an incident in the place of what it was; answers its number, and what it was.
    pub(crate) fn keep(&mut self, incident: &Arc<Incident>) -> (u32, Option<Arc<Incident>>) {
        let number = self.number(&incident.id);
        let Some(place) = self.places.get_mut(number) else {
            return (number, None); // a number always has its place
        };
        let old = place.incident.replace(Resting::awake(incident.clone()));
        if !old.as_ref().is_some_and(Resting::is_awake) {
            self.awake.woke(number);
        }
        self.count += usize::from(old.is_none());
        (number, old.map(|old| old.into_whole(&self.pieces)))
    }

    /// Lets go of an incident.
    pub(crate) fn remove(&mut self, id: &IncidentId) -> Option<(u32, Arc<Incident>)> {
        let number = self.number_of(id)?;
        let old = self.places.get_mut(number)?.incident.take()?;
        self.count -= 1;
        self.give_back(number);
        Some((number, old.into_whole(&self.pieces)))
    }

    /// Lays down those that nobody asked for lately, once too many are awake; `all` of them at once where that is wanted.
    pub(crate) fn rest(&mut self, all: bool) {
        let (places, pieces) = (&mut self.places, &mut self.pieces);
        self.awake.rest(all, |number, spares| {
            let place = places.get_mut(number);
            let incident = place.and_then(|place| place.incident.as_mut());
            incident.is_none_or(|incident| incident.rest(pieces, spares))
        });
    }

    /// The number of an id that an event mentions.
    pub(crate) fn mention(&mut self, id: &IncidentId) -> u32 {
        let number = self.number(id);
        if let Some(place) = self.places.get_mut(number) {
            place.mentions += 1;
        }
        number
    }

    /// An event that mentioned it does so no more.
    pub(crate) fn mention_no_more(&mut self, number: u32) {
        if let Some(place) = self.places.get_mut(number) {
            place.mentions = place.mentions.saturating_sub(1);
            self.give_back(number);
        }
    }

    /// The id that a number stands for.
    pub(crate) fn id(&self, number: u32) -> Option<&IncidentId> {
        self.places.get(number).map(|place| &place.id)
    }

    /// The number of an id that is known.
    pub(crate) fn number_of(&self, id: &IncidentId) -> Option<u32> {
        let is_it = |number: &u32| self.id(*number) == Some(id);
        self.table.find(hash(id), is_it).copied()
    }

    fn number(&mut self, id: &IncidentId) -> u32 {
        if let Some(number) = self.number_of(id) {
            return number;
        }
        let place = Place {
            id: id.clone(),
            incident: None,
            mentions: 0,
        };
        let number = match self.free.pop() {
            Some(number) => {
                if let Some(free) = self.places.get_mut(number) {
                    *free = place;
                }
                number
            }
            None => self.places.push(place),
        };
        let places = &self.places;
        let rehash = |number: &u32| places.get(*number).map_or(0, |place| hash(&place.id));
        self.table.insert_unique(hash(id), number, rehash);
        number
    }

    fn give_back(&mut self, number: u32) {
        if let Some(place) = self.places.get(number)
            && place.incident.is_none()
            && place.mentions == 0
            && let Ok(entry) = self.table.find_entry(hash(&place.id), |other| *other == number)
        {
            entry.remove();
            self.free.push(number);
        }
    }
}

fn hash(id: &IncidentId) -> u64 {
    let mut hasher = FxHasher::default();
    id.hash(&mut hasher);
    hasher.finish()
}
