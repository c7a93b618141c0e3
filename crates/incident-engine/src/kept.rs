//! The incidents that are kept, each under a number: what points at them needs four bytes, and finds them without a hash.
//!
//! A number means something to this process alone and is given anew once nothing bears it, so it is never written down, and no
//! order of numbers shows.

use std::sync::Arc;

use city_model::{Incident, IncidentId};
use rustc_hash::FxHashMap;

/// The incidents, and the ids that events were told of.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    numbers: FxHashMap<IncidentId, u32>,
    places: Vec<Place>,
    free: Vec<u32>,
    /// How many of the places hold an incident.
    count: usize,
}

#[derive(Debug)]
struct Place {
    id: IncidentId,
    incident: Option<Arc<Incident>>,
    /// How many events say that they belong to it: they may be remembered for longer than it is kept.
    mentions: u32,
}

impl Kept {
    pub(crate) fn get(&self, id: &IncidentId) -> Option<&Arc<Incident>> {
        self.at(*self.numbers.get(id)?)
    }

    /// An incident by its number.
    pub(crate) fn at(&self, number: u32) -> Option<&Arc<Incident>> {
        self.places.get(number as usize)?.incident.as_ref()
    }

    pub(crate) fn contains_key(&self, id: &IncidentId) -> bool {
        self.get(id).is_some()
    }

    /// All of them, in no order that means anything.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (u32, Arc<Incident>)> {
        let places = (0..).zip(&self.places);
        places.filter_map(|(number, place)| Some((number, place.incident.clone()?)))
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Keeps an incident in the place of what it was; answers its number, and what it was.
    pub(crate) fn keep(&mut self, incident: &Arc<Incident>) -> (u32, Option<Arc<Incident>>) {
        let number = self.number(&incident.id);
        let Some(place) = self.places.get_mut(number as usize) else {
            return (number, None); // a number always has its place
        };
        let old = place.incident.replace(incident.clone());
        self.count += usize::from(old.is_none());
        (number, old)
    }

    /// Lets go of an incident.
    pub(crate) fn remove(&mut self, id: &IncidentId) -> Option<(u32, Arc<Incident>)> {
        let number = *self.numbers.get(id)?;
        let old = self.places.get_mut(number as usize)?.incident.take()?;
        self.count -= 1;
        self.give_back(number);
        Some((number, old))
    }

    /// The number of an id that an event mentions.
    pub(crate) fn mention(&mut self, id: &IncidentId) -> u32 {
        let number = self.number(id);
        if let Some(place) = self.places.get_mut(number as usize) {
            place.mentions += 1;
        }
        number
    }

    /// An event that mentioned it does so no more.
    pub(crate) fn mention_no_more(&mut self, number: u32) {
        if let Some(place) = self.places.get_mut(number as usize) {
            place.mentions = place.mentions.saturating_sub(1);
            self.give_back(number);
        }
    }

    /// The id that a number stands for.
    pub(crate) fn id(&self, number: u32) -> Option<&IncidentId> {
        self.places.get(number as usize).map(|place| &place.id)
    }

    /// The number of an id that is known.
    pub(crate) fn number_of(&self, id: &IncidentId) -> Option<u32> {
        self.numbers.get(id).copied()
    }

    fn number(&mut self, id: &IncidentId) -> u32 {
        if let Some(number) = self.numbers.get(id) {
            return *number;
        }
        let place = Place {
            id: id.clone(),
            incident: None,
            mentions: 0,
        };
        let number = match self.free.pop() {
            Some(number) => {
                self.places[number as usize] = place;
                number
            }
            None => {
                self.places.push(place);
                // Four billion incidents do not fit into memory.
                u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX)
            }
        };
        self.numbers.insert(id.clone(), number);
        number
    }

    fn give_back(&mut self, number: u32) {
        if let Some(place) = self.places.get(number as usize)
            && place.incident.is_none()
            && place.mentions == 0
            && self.numbers.remove(&place.id).is_some()
        {
            self.free.push(number);
        }
    }
}
