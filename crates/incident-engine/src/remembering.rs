//! What is remembered of events: their identities, where they went, and what they said until their turns are settled.

use std::sync::Arc;

use city_model::{EventKey, EventTime, Incident, MINUTE_MS, Name};

use crate::engine::{Engine, SEEN_MS};
use crate::events::Seen;
use crate::{EventRow, Held};

impl Engine {
    /// What is remembered of an event.
    pub(crate) fn seen(&self, key: &EventKey) -> Option<Seen<'_>> {
        self.seen_at(self.events.number(key)?)
    }

    pub(crate) fn seen_at(&self, number: u32) -> Option<Seen<'_>> {
        self.events.seen(number, &self.incidents)
    }

    /// All that is remembered, in no order that means anything.
    pub(crate) fn all_seen(&self) -> impl Iterator<Item = Seen<'_>> {
        self.events.numbers().filter_map(|number| self.seen_at(number))
    }

    /// The incident that an event belongs to; the survivor, if it was merged.
    pub(crate) fn incident_of(&self, key: &EventKey) -> Option<&Arc<Incident>> {
        self.survivor_of(self.seen(key)?.incident()?)
    }

    /// The time before which no event's turn can come any more.
    pub(crate) fn settled_before(&self) -> EventTime {
        self.settled.unwrap_or(EventTime::MIN)
    }

    /// Lets go of what settled events said: their incidents have taken it in.
    pub(crate) fn release(&mut self) {
        let before = self.settled_before();
        let numbers: Vec<u32> = self.unsettled.settled(before).collect();
        self.unsettled.forget_squares(before);
        for number in numbers {
            if let Some(held) = self.events.let_go(number, &self.incidents) {
                self.unhold(number, &held);
            }
        }
    }

    pub(crate) fn hold(&mut self, number: u32, held: &Held) {
        if let Some(setting) = &self.setting {
            let turn = held.event.turn(setting.activation.reorder_ms);
            self.events.put_in_order(number, turn.order);
            self.unsettled.insert(setting, &held.event, (&turn, number));
        }
    }

    fn unhold(&mut self, number: u32, held: &Held) {
        if let Some(setting) = &self.setting {
            let order = held.event.order_time(setting.activation.reorder_ms);
            self.unsettled.remove(setting, &held.event, (order, number));
        }
    }

    pub(crate) fn remember(&mut self, row: &EventRow) {
        let before = self.settled_before();
        let reorder = self
            .setting
            .as_ref()
            .map_or(0, |setting| setting.activation.reorder_ms);
        let unsettled = |held: &&Arc<Held>| held.event.order_time(reorder) >= before;
        let held = row.held.as_ref().filter(unsettled).cloned();
        let put = self.events.put(row, held.clone(), &mut self.incidents);
        // What is held of it is entered after what was held before is taken out: both are of the same turn.
        put.was.iter().for_each(|was| self.unhold(put.number, was));
        held.iter().for_each(|held| self.hold(put.number, held));
        // A number that stayed under the minute of its former row would outlive that row, and forget another event for it.
        let (minute, was_in) = (minute_of(row.ingested_at), put.was_at.map(minute_of));
        if was_in != Some(minute) {
            was_in.iter().for_each(|was_in| self.unlist(*was_in, put.number));
            self.expiring.entry(minute).or_default().push(put.number);
        }
    }

    /// The event by which a ticket is found: the first of those that belong to an incident, in the order of their turns.
    pub(crate) fn cited(&self, ticket: &Name) -> Option<Seen<'_>> {
        let all = self
            .events
            .of_ticket(ticket)
            .filter_map(|number| self.seen_at(number));
        // Mostly it is the only one, and then nothing is compared.
        all.min_by(|a, b| a.turn().cmp(&b.turn()))
    }

    pub(crate) fn forget(&mut self, key: &EventKey) {
        let Some(number) = self.events.number(key) else {
            return;
        };
        if let Some(held) = self.events.let_go(number, &self.incidents) {
            self.unhold(number, &held);
        }
        let minute = self.seen_at(number).map(|seen| minute_of(seen.ingested_at()));
        minute.iter().for_each(|minute| self.unlist(*minute, number));
        self.events.remove(number, &mut self.incidents);
    }

    fn unlist(&mut self, minute: i64, number: u32) {
        if let Some(numbers) = self.expiring.get_mut(&minute) {
            if let Some(at) = numbers.iter().position(|other| *other == number) {
                numbers.swap_remove(at);
            }
            if numbers.is_empty() {
                self.expiring.remove(&minute);
            }
        }
    }

    /// The event identities that may be forgotten at `clock`, the oldest minutes first.
    pub(crate) fn forgettable(&self, clock: EventTime) -> impl Iterator<Item = EventKey> + use<'_> {
        let until = minute_of(clock - SEEN_MS);
        let numbers = self.expiring.range(..until).flat_map(|(_, numbers)| numbers);
        numbers.filter_map(|number| Some(self.seen_at(*number)?.key()))
    }
}

/// Identities are forgotten minute by minute of when they came.
fn minute_of(at: EventTime) -> i64 {
    at.millis().div_euclid(MINUTE_MS)
}
