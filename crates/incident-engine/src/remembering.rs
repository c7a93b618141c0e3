//! What is remembered of events: their identities, where they went, and what they said until their turns are settled.

use std::sync::Arc;

use city_model::{EventKey, EventTime, Incident, MINUTE_MS, Name};

use crate::engine::{Engine, SEEN_MS};
use crate::{EventRow, Held};

impl Engine {
    /// The incident that an event belongs to; the survivor, if it was merged.
    pub(crate) fn incident_of(&self, key: &EventKey) -> Option<&Arc<Incident>> {
        self.survivor(self.events.get(key)?.incident.as_ref()?)
    }

    /// The time before which no event's turn can come any more.
    pub(crate) fn settled_before(&self) -> EventTime {
        self.settled.unwrap_or(EventTime::MIN)
    }

    /// Lets go of what settled events said: their incidents have taken it in.
    pub(crate) fn release(&mut self) {
        let before = self.settled_before();
        let keys: Vec<EventKey> = self.unsettled.settled(before).cloned().collect();
        self.unsettled.forget_squares(before);
        for key in &keys {
            let held = self.events.get_mut(key).and_then(|row| row.held.take());
            if let Some(held) = held {
                self.unhold(&held);
            }
        }
    }

    pub(crate) fn hold(&mut self, held: &Held) {
        if let Some(setting) = &self.setting {
            let turn = held.event.turn(setting.activation.reorder_ms);
            self.unsettled.insert(setting, &held.event, &turn);
        }
    }

    fn unhold(&mut self, held: &Held) {
        if let Some(setting) = &self.setting {
            let turn = held.event.turn(setting.activation.reorder_ms);
            self.unsettled.remove(setting, &held.event, &turn);
        }
    }

    pub(crate) fn remember(&mut self, row: &EventRow) {
        let mut row = row.clone();
        let before = self.settled_before();
        let reorder = self
            .setting
            .as_ref()
            .map_or(0, |setting| setting.activation.reorder_ms);
        row.held = row.held.filter(|held| held.event.order_time(reorder) >= before);
        // What is held of it is entered after what was held before is taken out: both are of the same turn.
        let (key, ingested_at, held) = (row.key.clone(), row.ingested_at, row.held.clone());
        self.cite(&row);
        match self.events.insert(key.clone(), row) {
            Some(old) => old.held.iter().for_each(|held| self.unhold(held)),
            None => {
                let minute = ingested_at.millis().div_euclid(MINUTE_MS);
                self.expiring.entry(minute).or_default().push(key);
            }
        }
        held.iter().for_each(|held| self.hold(held));
    }

    /// Enters a row among those of its ticket, before it is entered itself.
    fn cite(&mut self, row: &EventRow) {
        let Some(ticket) = &row.ticket else {
            return;
        };
        self.uncite(ticket, &row.key);
        if row.incident.is_none() {
            return;
        }
        let keys = self.by_ticket.entry(ticket.clone()).or_default();
        let turn = (row.order, row.source, &row.key);
        let at = keys.partition_point(|key| {
            let other = self.events.get(key);
            other.is_some_and(|other| (other.order, other.source, &other.key) < turn)
        });
        // Nearly every ticket is one event.
        if keys.is_empty() {
            keys.reserve_exact(1);
        }
        keys.insert(at, row.key.clone());
    }

    fn uncite(&mut self, ticket: &Name, key: &EventKey) {
        if let Some(keys) = self.by_ticket.get_mut(ticket) {
            keys.retain(|other| other != key);
            if keys.is_empty() {
                self.by_ticket.remove(ticket);
            }
        }
    }

    /// The event by which a ticket is found.
    pub(crate) fn cited(&self, ticket: &Name) -> Option<&EventKey> {
        self.by_ticket.get(ticket)?.first()
    }

    pub(crate) fn forget(&mut self, key: &EventKey) {
        let Some(row) = self.events.remove(key) else {
            return;
        };
        if let Some(held) = &row.held {
            self.unhold(held);
        }
        let minute = row.ingested_at.millis().div_euclid(MINUTE_MS);
        if let Some(keys) = self.expiring.get_mut(&minute) {
            keys.retain(|k| k != key);
            if keys.is_empty() {
                self.expiring.remove(&minute);
            }
        }
        if let Some(ticket) = &row.ticket {
            self.uncite(ticket, key);
        }
    }

    /// The event identities that may be forgotten at `clock`, oldest first.
    pub(crate) fn forgettable(&self, clock: EventTime) -> impl Iterator<Item = &EventKey> {
        let until = (clock - SEEN_MS).millis().div_euclid(MINUTE_MS);
        self.expiring.range(..until).flat_map(|(_, keys)| keys)
    }
}
