//! Whether anything that was decided already could be touched by an event that comes now. Mostly nothing is: then it is held
//! against the incidents as they are.

use std::cell::Cell;
use std::sync::Arc;

use city_model::{Event, Extent, Incident, Name, Point, Turn};
use city_rules::KindId;

use crate::Setting;
use crate::engine::Engine;
use crate::matching::{Match, Matcher};
use crate::scene::{Mark, Scene};
use crate::unsettled::{Said, says};

/// The incidents as they are, and whether one that was looked at has a member whose turn is after a certain one.
struct AsTheyAre<'a> {
    engine: &'a Engine,
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
        let found = self.engine.bearing(mark);
        found.iter().for_each(|incident| self.look_at(incident));
        found
    }

    fn survivor(&self, merged: &Incident) -> Option<Arc<Incident>> {
        let survivor = Engine::survivor(self.engine, &merged.id)?;
        self.look_at(survivor);
        Some(survivor.clone())
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
            turn,
            is_later: Cell::new(false),
        };
        let found = Matcher {
            setting,
            scene: &scene,
        }
        .find(kind, event);
        let is_last = found
            .incident
            .as_ref()
            .is_none_or(|taker| self.is_last_in(setting, taker, event, turn));
        (is_last && !scene.is_later.get()).then_some(found)
    }

    /// Whether no event whose turn is after this one lies about this event, bears a name of it, or was taken by its device's
    /// incidents.
    fn stands_apart(&self, setting: &Setting, kind: KindId, event: &Event, turn: &Turn) -> bool {
        if event.cites.is_some() || self.wide.values().any(|ids| !ids.is_empty()) {
            return false;
        }
        let rules = &setting.rules;
        let is_last_by_name = |said: &Said| {
            let asked = match said {
                Said::Ticket(ticket) => &Said::Cites(ticket.clone()),
                said => said,
            };
            self.unsettled.saying(asked).all(|other| other <= turn)
        };
        if !says(event).all(|said| is_last_by_name(&said))
            || !event.device.iter().all(|device| self.is_last_of(device, turn))
        {
            return false;
        }
        let Some(located) = &event.located else {
            return true;
        };
        let point = setting.plane.project(located.position);
        let others = event.alternatives.iter();
        std::iter::once(kind)
            .chain(others.filter_map(|name| rules.kind_id(name.as_str())))
            .all(|read| {
                std::iter::once(read)
                    .chain(rules.kind(read).merges_with.iter().copied())
                    .all(|other| self.unsettled.is_last_about(rules, other, point, turn))
            })
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
        if let (Some(extent), Some((kind, _))) = (extent, setting.kind_of(incident))
            && !self.unsettled.is_last_around(&setting.rules, kind, extent, turn)
        {
            return false;
        }
        let is_last = |said: &Said| self.unsettled.saying(said).all(|other| other <= turn);
        let own = incident.town.as_ref().zip(incident.address_key.as_ref());
        let others = incident.also_at.iter().map(|(town, address)| (town, address));
        let components = incident.components.iter().chain(&incident.inferred_components);
        incident
            .devices
            .keys()
            .all(|device| self.is_last_of(device, turn))
            && components.cloned().all(|name| is_last(&Said::Component(name)))
            && own
                .into_iter()
                .chain(others)
                .all(|(town, address)| is_last(&Said::Address(town.clone(), address.clone())))
    }

    fn is_last_of(&self, device: &Name, turn: &Turn) -> bool {
        self.ids_bearing(Mark::Device(device))
            .filter_map(|id| self.incidents.get(id)?.tail.last())
            .all(|last| last <= turn)
    }
}
