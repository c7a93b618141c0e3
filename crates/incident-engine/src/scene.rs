//! What an event is held against: the incidents as they are, or as they were at an earlier place in the order.

use std::sync::Arc;

use city_model::{Incident, IncidentId, Kind, Name, Point};
use city_rules::KindId;

use crate::engine::Engine;
use crate::finding::street_mark;
use crate::numbers::Numbers;
use crate::street;

/// A name by which an incident is found without its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Mark<'a> {
    /// A component, stated or inferred.
    Component(&'a Name),
    /// A device or camera.
    Device(&'a Name),
    /// A kind in a town, at a name that its address is found by ([`street::names`]).
    Street(&'a Kind, &'a Name, &'a str),
}

/// The incidents that an event may join.
pub(crate) trait Scene {
    /// Visits every incident of `kind` whose position lies within `side_mm` of `point`, with its distance, in no order.
    fn near(&self, kind: KindId, side_mm: i64, point: Point, visit: &mut dyn FnMut(&Arc<Incident>, i64));

    /// The incidents that bear a mark, in no order.
    fn bearing(&self, mark: Mark<'_>) -> Vec<Arc<Incident>>;

    /// What an incident was merged into, at the end of the chain.
    fn survivor(&self, merged: &Incident) -> Option<Arc<Incident>>;

    /// An incident by its id; the survivor, if it was merged.
    fn known(&self, id: &IncidentId) -> Option<Arc<Incident>>;

    /// The incident that a ticket belongs to; the survivor, if that one was merged.
    fn of_ticket(&self, ticket: &Name) -> Option<Arc<Incident>>;
}

/// Whether an incident bears a mark.
pub(crate) fn bears(incident: &Incident, mark: Mark<'_>) -> bool {
    match mark {
        Mark::Component(name) => {
            incident.components.contains(name) || incident.inferred_components.contains(name)
        }
        Mark::Device(name) => incident.devices.contains_key(name),
        Mark::Street(kind, town, name) => {
            let is_named = |address: &Name| street::names(address).any(|own| own == name);
            incident.kind == *kind
                && addresses_of(incident).any(|(t, address)| t == town && is_named(address))
        }
    }
}

/// The towns and addresses that an incident is found by.
pub(crate) fn addresses_of(incident: &Incident) -> impl Iterator<Item = (&Name, &Name)> {
    let own = incident.town.as_ref().zip(incident.address_key.as_ref());
    let others = incident.also_at.iter().map(|(town, address)| (town, address));
    own.into_iter().chain(others)
}

/// Whether an incident is at an event's very address.
pub(crate) fn is_at(incident: &Incident, town: &Name, address: &Name) -> bool {
    addresses_of(incident).any(|own| own == (town, address))
}

impl Engine {
    /// The incidents that bear a mark, in no order.
    pub(crate) fn all_bearing<'a, 'm>(
        &'a self,
        mark: Mark<'m>,
    ) -> impl Iterator<Item = &'a Arc<Incident>> + use<'a, 'm> {
        let numbers = match mark {
            Mark::Component(name) => self.by_component.get(name),
            Mark::Device(name) => self.by_device.get(name),
            Mark::Street(kind, town, name) => self.by_street.get(&street_mark(kind, town, name)),
        };
        let all = self.numbered(numbers.map_or(&[][..], Numbers::as_slice));
        // A street is found by what stands for it, and another may share that.
        all.filter(move |incident| !matches!(mark, Mark::Street(..)) || bears(incident, mark))
    }
}

impl Scene for Engine {
    fn near(&self, kind: KindId, side_mm: i64, point: Point, visit: &mut dyn FnMut(&Arc<Incident>, i64)) {
        self.neighbours.near(kind, side_mm, point, |number, at| {
            if let Some(incident) = self.incidents.at(number) {
                visit(incident, at.distance_mm(point));
            }
        });
    }

    fn bearing(&self, mark: Mark<'_>) -> Vec<Arc<Incident>> {
        self.all_bearing(mark).cloned().collect()
    }

    fn survivor(&self, merged: &Incident) -> Option<Arc<Incident>> {
        Engine::survivor(self, &merged.id).cloned()
    }

    fn known(&self, id: &IncidentId) -> Option<Arc<Incident>> {
        Engine::survivor(self, id).cloned()
    }

    fn of_ticket(&self, ticket: &Name) -> Option<Arc<Incident>> {
        self.survivor_of(self.cited(ticket)?.incident()?).cloned()
    }
}
