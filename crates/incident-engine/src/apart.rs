//! Whether anything that was decided already could be touched by an event that comes now. Mostly nothing is: then it is held
//! against the incidents as they are.

use std::cell::Cell;
use std::sync::Arc;

use city_model::{Event, Extent, Incident, IncidentId, Name, Point, Turn};
use city_rules::KindId;

use crate::engine::Engine;
use crate::finding::wide_side_mm;
use crate::matching::{Match, Matcher};
use crate::scene::{Mark, Scene, addresses_of};
use crate::unsettled::Said;
use crate::{Setting, street};

/// The incidents as they are, and whether one that was looked at has a member whose turn is after a certain one.
struct AsTheyAre<'a> {
    engine: &'a Engine,
    setting: &'a Setting,
    turn: &'a Turn,
    is_later: Cell<bool>,
}

impl AsTheyAre<'_> {
    fn look_at(&self, incident: &Incident) {
        if incident.tail.last().is_some_and(|last| last > self.turn) {
            self.is_later.set(true);
        }
    }
}

impl Scene for AsTheyAre<'_> {
    fn near(&self, kind: KindId, side_mm: i64, point: Point, visit: &mut dyn FnMut(&Arc<Incident>, i64)) {
        self.engine.near(kind, side_mm, point, &mut |incident, distance| {
            self.look_at(incident);
            visit(incident, distance);
        });
    }

    fn bearing(&self, mark: Mark<'_>) -> Vec<Arc<Incident>> {
        let engine = self.engine;
        let found = engine.bearing(mark);
        found.iter().for_each(|incident| self.look_at(incident));
        if let Mark::Street(kind, town, name) = mark
            && let Some(kind) = self.setting.rules.kind_id(kind.as_str())
        {
            // What it was found by before may have given way to other addresses.
            for is_placed in [false, true] {
                let street = (town, name);
                let numbers = engine
                    .unsettled
                    .at_street(&self.setting.rules, kind, street, is_placed);
                let incidents = numbers.filter_map(|number| engine.seen_at(number)?.incident());
                incidents.for_each(|incident| self.look_at(incident));
            }
        }
        found
    }

    fn survivor(&self, merged: &Incident) -> Option<Arc<Incident>> {
        let survivor = Engine::survivor(self.engine, &merged.id)?;
        self.look_at(survivor);
        Some(survivor.clone())
    }

    fn known(&self, id: &IncidentId) -> Option<Arc<Incident>> {
        let found = self.engine.survivor(id)?;
        self.look_at(found);
        Some(found.clone())
    }

    fn of_ticket(&self, ticket: &Name) -> Option<Arc<Incident>> {
        let found = self.engine.of_ticket(ticket)?;
        self.look_at(&found);
        Some(found)
    }
}

impl Engine {
    /// What an event joins among the incidents as they are; `None` where what was decided already might have been another thing
    /// at its turn, or might be one after it.
    pub(crate) fn find_apart(
        &self,
        setting: &Setting,
        kind: KindId,
        event: &Event,
        turn: &Turn,
    ) -> Option<Match> {
        if !self.stands_apart(setting, kind, event, turn) {
            return None;
        }
        let scene = AsTheyAre {
            engine: self,
            setting,
            turn,
            is_later: Cell::new(false),
        };
        let found = Matcher::find_in(&scene, self, setting, kind, event);
        let is_last = found
            .incident
            .as_ref()
            .is_none_or(|taker| self.is_last_in(setting, taker, event, turn));
        (is_last && !scene.is_later.get()).then_some(found)
    }

    /// Whether no event whose turn is after this one lies about this event, bears a name of it, or was taken by its device's
    /// incidents.
    fn stands_apart(&self, setting: &Setting, kind: KindId, event: &Event, turn: &Turn) -> bool {
        if event.cites.is_some() {
            return false;
        }
        let rules = &setting.rules;
        let kinds = || {
            let others = event.alternatives.iter();
            let read = std::iter::once(kind).chain(others.filter_map(|name| rules.kind_id(name.as_str())));
            read.flat_map(|read| {
                let merged = rules.kind(read).merges_with.iter().copied();
                std::iter::once(read).chain(merged)
            })
        };
        let cites = event.ticket.as_ref().map(Said::Cites);
        let named = event.component.as_ref().map(Said::Component);
        let is_last_by_name = cites
            .iter()
            .chain(&named)
            .all(|said| self.is_last_saying(*said, turn))
            && event.device.iter().all(|device| self.is_last_of(device, turn));
        let address = event.town.as_ref().zip(event.address_key.as_ref());
        let is_nowhere = event.is_told_only();
        if !is_last_by_name
            || !address.is_none_or(|(town, address)| {
                kinds().all(|kind| self.is_last_at(setting, kind, is_nowhere, (town, address), turn))
            })
        {
            return false;
        }
        let Some(located) = &event.located else {
            return true;
        };
        let point = setting.plane.project(located.position);
        kinds().all(|kind| {
            !self.is_in_wide(setting, kind, point)
                && self
                    .unsettled
                    .is_last_about(&self.events, rules, kind, point, turn)
        })
    }

    /// Whether an incident that is wider than its kind's extent may have lain in reach of a point: its later members may be anywhere.
    fn is_in_wide(&self, setting: &Setting, kind: KindId, point: Point) -> bool {
        let rule = setting.rules.kind(kind);
        let mut is_in = false;
        self.wide
            .about(kind, wide_side_mm(rule), point, rule.cap_mm, |number| {
                let extent = self.incidents.at(number).and_then(|incident| incident.extent);
                is_in |= extent.is_some_and(|extent| extent.is_within(point, rule.cap_mm));
            });
        is_in
    }

    /// Whether nothing whose turn is after an event's lies about the incident that takes it, or bears a name by which that is
    /// found.
    fn is_last_in(&self, setting: &Setting, incident: &Incident, event: &Event, turn: &Turn) -> bool {
        let located = event.located.as_ref();
        let at = located.map(|located| Extent::of(setting.plane.project(located.position)));
        let extent = match (incident.extent, at) {
            (Some(extent), Some(at)) => Some(extent.around(at)),
            (extent, at) => extent.or(at),
        };
        let Some((kind, _)) = setting.kind_of(incident) else {
            return false;
        };
        let is_last_about = |extent| {
            self.unsettled
                .is_last_around(&self.events, &setting.rules, kind, extent, turn)
        };
        let mut components = incident.components.iter().chain(&incident.inferred_components);
        let has_own = incident.address_key.is_some() || located.is_none();
        extent.is_none_or(is_last_about)
            && incident
                .devices
                .keys()
                .all(|device| self.is_last_of(device, turn))
            && components.all(|name| self.is_last_saying(Said::Component(name), turn))
            && addresses_of(incident).all(|at| self.is_last_at(setting, kind, has_own, at, turn))
    }

    fn is_last_saying(&self, said: Said<'_>, turn: &Turn) -> bool {
        let mut saying = self.unsettled.saying(said);
        saying.all(|number| !self.events.is_after(number, turn))
    }

    /// Whether nothing whose turn is after this one may be held against an incident of a kind by its address: what has a place
    /// only where the incident has an address of its own.
    fn is_last_at(
        &self,
        setting: &Setting,
        kind: KindId,
        has_own: bool,
        (town, address): (&Name, &Name),
        turn: &Turn,
    ) -> bool {
        street::names(address).all(|name| {
            [false, true].into_iter().all(|is_placed| {
                let street = (town, name);
                let mut numbers = self.unsettled.at_street(&setting.rules, kind, street, is_placed);
                (is_placed && !has_own) || numbers.all(|number| !self.events.is_after(number, turn))
            })
        })
    }

    fn is_last_of(&self, device: &Name, turn: &Turn) -> bool {
        self.all_bearing(Mark::Device(device))
            .filter_map(|incident| incident.tail.last())
            .all(|last| last <= turn)
    }
}
