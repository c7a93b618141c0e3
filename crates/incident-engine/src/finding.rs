//! By what incidents are found: the indexes over them, which follow from their rows.

use std::collections::BTreeSet;

use city_model::{EventTime, Incident, IncidentId, Kind, Name, Point, Status};
use city_rules::KindId;
use rustc_hash::FxHashMap;

use crate::engine::Engine;
use crate::scene::addresses_of;
use crate::street;

/// Where the indexes of places hold an incident.
#[derive(PartialEq, Eq)]
struct Spot {
    kind: KindId,
    side_mm: i64,
    point: Point,
    is_wide: bool,
}

impl Engine {
    fn kind_and_side(&self, incident: &Incident) -> Option<(KindId, i64)> {
        let (kind, rule) = self.setting.as_ref()?.kind_of(incident)?;
        Some((kind, rule.cap_mm))
    }

    fn is_wide(&self, incident: &Incident) -> bool {
        let known = self
            .setting
            .as_ref()
            .and_then(|setting| setting.kind_of(incident));
        let diagonal = incident.extent.map_or(0, |extent| extent.diagonal_mm());
        known.is_some_and(|(_, rule)| diagonal > rule.extent_mm)
    }

    fn spot_of(&self, incident: &Incident) -> Option<Spot> {
        let (kind, side_mm) = self.kind_and_side(incident)?;
        Some(Spot {
            kind,
            side_mm,
            point: incident.fused.point()?,
            is_wide: self.is_wide(incident),
        })
    }

    fn due_at(&self, incident: &Incident) -> Option<EventTime> {
        crate::passage::due(self.setting.as_ref()?, incident)
    }

    /// Enters an incident into the indexes in the place of what it was before. An event changes few of the things by which an
    /// incident is found, and what stays the same is left where it is.
    pub(crate) fn relink(&mut self, old: Option<&Incident>, new: Option<&Incident>) {
        let Some(id) = new.or(old).map(|incident| &incident.id) else {
            return;
        };
        let (was, is) = (old.filter(|old| is_found(old)), new.filter(|new| is_found(new)));
        let spot = |of: Option<&Incident>| of.and_then(|incident| self.spot_of(incident));
        let (from, to) = (spot(was), spot(is));
        if from != to {
            if let Some(spot) = from {
                self.neighbours.remove(spot.kind, spot.side_mm, spot.point, id);
                if let Some(wide) = self.wide.get_mut(&spot.kind) {
                    wide.remove(id);
                }
            }
            if let Some(spot) = to {
                self.neighbours
                    .insert(spot.kind, spot.side_mm, spot.point, id.clone());
                if spot.is_wide {
                    self.wide.entry(spot.kind).or_default().insert(id.clone());
                }
            }
        }
        let differ = |same: fn(&Incident, &Incident) -> bool| match (was, is) {
            (Some(was), Some(is)) => !same(was, is),
            (was, is) => was.is_some() || is.is_some(),
        };
        if differ(|was, is| was.devices.keys().eq(is.devices.keys())) {
            move_under(&mut self.by_device, id, devices_of(was), devices_of(is));
        }
        if differ(|was, is| {
            was.components == is.components && was.inferred_components == is.inferred_components
        }) {
            move_under(&mut self.by_component, id, components_of(was), components_of(is));
        }
        if differ(|was, is| was.inhibited_by == is.inhibited_by) {
            let cause = |of: Option<&Incident>| of.and_then(|of| of.inhibited_by.clone()).into_iter();
            move_under(&mut self.inhibited, id, cause(was), cause(is));
        }
        if differ(|was, is| {
            was.kind == is.kind
                && was.town == is.town
                && was.address_key == is.address_key
                && was.also_at == is.also_at
        }) {
            move_under(&mut self.by_street, id, streets_of(was), streets_of(is));
        }
        let is_open = |of: Option<&Incident>| of.is_some_and(|of| of.status == Status::Open);
        list(&mut self.open, id, is_open(old), is_open(new));
        let is_dirty = |of: Option<&Incident>| of.is_some_and(|of| of.dirty);
        list(&mut self.dirty, id, is_dirty(old), is_dirty(new));
        let due = |of: Option<&Incident>| of.and_then(|incident| self.due_at(incident));
        let (from, to) = (due(old), due(new));
        if from != to {
            if let Some(at) = from {
                self.due.remove(&(at, id.clone()));
            }
            if let Some(at) = to {
                self.due.insert((at, id.clone()));
            }
        }
    }
}

fn devices_of(incident: Option<&Incident>) -> impl Iterator<Item = Name> {
    let devices = incident.into_iter().flat_map(|incident| incident.devices.keys());
    devices.cloned()
}

fn components_of(incident: Option<&Incident>) -> impl Iterator<Item = Name> {
    let components = incident.into_iter().flat_map(|incident| {
        let inferred = incident.inferred_components.iter();
        incident.components.iter().chain(inferred)
    });
    components.cloned()
}

fn streets_of(incident: Option<&Incident>) -> impl Iterator<Item = (Kind, Name, Name)> {
    incident.into_iter().flat_map(|incident| {
        addresses_of(incident).flat_map(|(town, address)| {
            street::names(address).map(|name| (incident.kind.clone(), town.clone(), name.into()))
        })
    })
}

/// What the centre merged still stands for its place and its names; another part only says what it became part of.
fn is_found(incident: &Incident) -> bool {
    incident.status != Status::Merged || incident.commanded
}

/// Moves an id from some keys of an index to others.
fn move_under<K: std::hash::Hash + Eq>(
    index: &mut FxHashMap<K, BTreeSet<IncidentId>>,
    id: &IncidentId,
    from: impl Iterator<Item = K>,
    to: impl Iterator<Item = K>,
) {
    for key in from {
        if let Some(ids) = index.get_mut(&key) {
            ids.remove(id);
            if ids.is_empty() {
                index.remove(&key);
            }
        }
    }
    for key in to {
        index.entry(key).or_default().insert(id.clone());
    }
}

/// Enters an id in a list that it was not in, or takes it out.
fn list(ids: &mut BTreeSet<IncidentId>, id: &IncidentId, was: bool, is: bool) {
    match (was, is) {
        (false, true) => ids.insert(id.clone()),
        (true, false) => ids.remove(id),
        _ => false,
    };
}
