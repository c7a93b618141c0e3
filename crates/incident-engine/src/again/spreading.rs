//! Which events a changed incident may be held against: they have their turns again.

use std::sync::Arc;

use city_model::{Event, Extent, Incident, IncidentId, Name, Turn};
use city_rules::{KindId, KindRule};

use super::Retelling;
use crate::scene::Mark;
use crate::street;
use crate::unsettled::Said;

impl Retelling<'_> {
    /// What may be held against an incident once a new event is in it.
    pub(super) fn spread_new(&mut self, slot: &IncidentId, kind: KindId, event: &Event) {
        let setting = self.setting;
        let known = self.engine.incidents.get(slot);
        let own = match known {
            Some(known) => setting.kind_of(known),
            None => Some((kind, setting.rules.kind(kind))),
        };
        if let (Some((kind, _)), Some(located)) = (own, &event.located) {
            let at = Extent::of(setting.plane.project(located.position));
            let extent = known.and_then(|known| known.extent);
            self.spread(slot, kind, extent.map_or(at, |extent| extent.around(at)));
        }
        let has_own = event.located.is_none() || known.is_some_and(|known| known.address_key.is_some());
        self.spread_names(own, has_own, event);
    }

    /// What lies within reach of an incident whose members lie in a box may be held against it.
    pub(super) fn spread(&mut self, id: &IncidentId, kind: KindId, extent: Extent) {
        let known = self.regions.get(&(id.clone(), kind)).copied();
        let region = known.map_or(extent, |known| known.around(extent));
        if known == Some(region) {
            return;
        }
        self.regions.insert((id.clone(), kind), region);
        let mut later = Vec::new();
        let (engine, rules) = (self.engine, &self.setting.rules);
        engine.unsettled.around(rules, kind, region, |number| {
            if engine.events.is_after(number, &self.turn) {
                later.push(number);
            }
        });
        later.into_iter().for_each(|number| self.enqueue_event(number));
    }

    /// What could meet an event by a name in an incident of a kind.
    pub(super) fn spread_names(&mut self, kind: Option<(KindId, &KindRule)>, has_own: bool, event: &Event) {
        if let Some(device) = &event.device {
            self.spread_device(device);
        }
        if let (Some(town), Some(address)) = (&event.town, &event.address_key) {
            self.spread_address(kind, has_own, town, address);
        }
        if let Some(component) = &event.component {
            self.spread_to(Said::Component(component));
        }
        if let Some(ticket) = &event.ticket {
            self.spread_to(Said::Cites(ticket));
        }
    }

    pub(super) fn spread_device(&mut self, device: &Name) {
        let engine = self.engine;
        let bearing = engine.all_bearing(Mark::Device(device));
        let tails = bearing.map(|incident| &incident.tail);
        let says = |turn: &&Turn| {
            let held = engine.held(&turn.key);
            held.is_some_and(|held| held.event.device.as_ref() == Some(device))
        };
        tails.flatten().filter(says).for_each(|turn| self.enqueue(turn));
    }

    pub(super) fn spread_to(&mut self, said: Said<'_>) {
        let engine = self.engine;
        let numbers = engine.unsettled.saying(said);
        numbers.for_each(|number| self.enqueue_event(number));
    }

    /// Events without a place may be held against an incident by its streets; those with one only if it has none, which it
    /// had at no time unless a member gave it its own address.
    pub(super) fn spread_address(
        &mut self,
        kind: Option<(KindId, &KindRule)>,
        has_own: bool,
        town: &Name,
        address: &Name,
    ) {
        let Some((kind, _)) = kind else { return };
        let (engine, rules) = (self.engine, &self.setting.rules);
        for name in street::names(address) {
            for is_placed in [false, true] {
                if !is_placed || has_own {
                    let numbers = engine.unsettled.at_street(rules, kind, (town, name), is_placed);
                    numbers.for_each(|number| self.enqueue_event(number));
                }
            }
        }
    }

    /// The same of an event by its number.
    fn enqueue_event(&mut self, number: u32) {
        let engine = self.engine;
        if engine.events.is_after(number, &self.turn)
            && let Some(turn) = engine.events.turn(number)
        {
            self.enqueue(&turn);
        }
    }

    /// An event has its turn again, unless it is past, settled, or the centre gave a command about its incident.
    pub(super) fn enqueue(&mut self, turn: &Turn) {
        if *turn <= self.turn {
            return;
        }
        let incident = self.engine.seen(&turn.key).and_then(|seen| seen.incident());
        let may_move =
            |incident: &Arc<Incident>| !incident.commanded && incident.tail.binary_search(turn).is_ok();
        if incident.is_some_and(may_move) {
            self.queue.insert(turn.clone());
        }
    }
}
