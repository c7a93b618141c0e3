//! By what incidents are found: the indexes over them, which follow from their rows.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

use city_model::{EventTime, Extent, Incident, Kind, Name, Point, Status};
use city_rules::{KindId, KindRule};
use rustc_hash::{FxHashMap, FxHasher};

use crate::engine::Engine;
use crate::numbers::{Numbers, take_out};
use crate::scene::addresses_of;
use crate::street;

/// Incidents by what stands for a kind, a town, and a name that an address is found by. Two streets that share it, once in many
/// cities, share their incidents: whoever asks looks whether they bear what it asked for.
pub(crate) type ByStreet = FxHashMap<u64, Numbers>;

/// What stands for a street.
pub(crate) fn street_mark(kind: &Kind, town: &str, name: &str) -> u64 {
    let mut hasher = FxHasher::default();
    (kind, town, name).hash(&mut hasher);
    hasher.finish()
}

/// Where the indexes of places hold an incident.
#[derive(PartialEq, Eq, Clone, Copy)]
struct Spot {
    kind: KindId,
    cap_mm: i64,
    point: Point,
    /// How far from there its members lie along an axis, at most: it may have lain there before its later members came.
    spread_mm: i64,
    /// The box around its members and the side of the squares that hold it, where its kind's extent is less.
    wide: Option<(Extent, i64)>,
}

/// The side of the squares by which wide incidents are found.
pub(crate) fn wide_side_mm(rule: &KindRule) -> i64 {
    rule.cap_mm.saturating_add(rule.extent_mm)
}

impl Engine {
    fn spot_of(&self, incident: &Incident) -> Option<Spot> {
        let (kind, rule) = self.setting.as_ref()?.kind_of(incident)?;
        let is_wide = |extent: &Extent| extent.diagonal_mm() > rule.extent_mm;
        let point = incident.fused.point()?;
        Some(Spot {
            kind,
            cap_mm: rule.cap_mm,
            point,
            spread_mm: incident
                .extent
                .map_or(i64::MAX, |extent| extent.farthest_mm(point)),
            wide: incident
                .extent
                .filter(is_wide)
                .map(|extent| (extent, wide_side_mm(rule))),
        })
    }

    fn due_at(&self, incident: &Incident) -> Option<EventTime> {
        crate::passage::due(self.setting.as_ref()?, incident)
    }

    /// Enters an incident into the indexes in the place of what it was before. An event changes few of the things by which an
    /// incident is found, and what stays the same is left where it is.
    pub(crate) fn relink(&mut self, number: u32, old: Option<&Incident>, new: Option<&Incident>) {
        let (was, is) = (old.filter(|old| is_found(old)), new.filter(|new| is_found(new)));
        let spot = |of: Option<&Incident>| of.and_then(|incident| self.spot_of(incident));
        let (from, to) = (spot(was), spot(is));
        if from != to {
            self.move_spot(number, from, to);
        }
        let differ = |same: fn(&Incident, &Incident) -> bool| match (was, is) {
            (Some(was), Some(is)) => !same(was, is),
            (was, is) => was.is_some() || is.is_some(),
        };
        if differ(|was, is| was.devices.keys().eq(is.devices.keys())) {
            move_under(&mut self.by_device, number, devices_of(was), devices_of(is));
        }
        if differ(|was, is| {
            was.components == is.components && was.inferred_components == is.inferred_components
        }) {
            move_under(
                &mut self.by_component,
                number,
                components_of(was),
                components_of(is),
            );
        }
        if differ(|was, is| was.inhibited_by == is.inhibited_by) {
            let cause = |of: Option<&Incident>| of?.inhibited_by.as_ref().map(|id| Name::from(id.as_str()));
            let (from, to) = (cause(was), cause(is));
            move_under(&mut self.inhibited, number, from.iter(), to.iter());
        }
        if differ(|was, is| {
            was.kind == is.kind
                && was.town == is.town
                && was.address_key == is.address_key
                && was.also_at == is.also_at
        }) {
            self.move_streets(number, was, is);
        }
        let is_open = |of: Option<&Incident>| of.is_some_and(|of| of.status == Status::Open);
        list(&mut self.open, number, is_open(old), is_open(new));
        let is_veiled = |of: Option<&Incident>| is_open(of) && of.is_some_and(Incident::is_held_back);
        list(&mut self.veiled, number, is_veiled(old), is_veiled(new));
        let repeats = |of: Option<&Incident>| is_open(of) && of.is_some_and(|of| of.recurrence_of.is_some());
        list(&mut self.repeating, number, repeats(old), repeats(new));
        let is_dirty = |of: Option<&Incident>| of.is_some_and(|of| of.dirty);
        list(&mut self.dirty, number, is_dirty(old), is_dirty(new));
        let due = |of: Option<&Incident>| of.and_then(|incident| self.due_at(incident));
        let (from, to) = (due(old), due(new));
        if from != to {
            if let Some(at) = from {
                self.due.remove(&(at, number));
            }
            if let Some(at) = to {
                self.due.insert((at, number));
            }
        }
    }

    fn move_spot(&mut self, number: u32, from: Option<Spot>, to: Option<Spot>) {
        match (from, to) {
            (Some(from), Some(to)) if from.kind == to.kind && from.cap_mm == to.cap_mm => {
                self.neighbours
                    .shift(to.kind, to.cap_mm, (from.point, to.point, to.spread_mm), number);
            }
            (from, to) => {
                if let Some(spot) = from {
                    self.neighbours.remove(spot.kind, spot.cap_mm, spot.point, number);
                }
                if let Some(spot) = to {
                    let place = (spot.point, spot.spread_mm);
                    self.neighbours.insert(spot.kind, spot.cap_mm, place, number);
                }
            }
        }
        if let Some((kind, (extent, side))) = from.and_then(|from| Some((from.kind, from.wide?))) {
            self.wide.remove(kind, side, extent, number);
        }
        if let Some((kind, (extent, side))) = to.and_then(|to| Some((to.kind, to.wide?))) {
            self.wide.insert(kind, side, extent, number);
        }
    }

    fn move_streets(&mut self, number: u32, was: Option<&Incident>, is: Option<&Incident>) {
        for street in streets_of(was) {
            take_out(&mut self.by_street, &street, number);
        }
        for street in streets_of(is) {
            self.by_street.entry(street).or_default().insert(number);
        }
    }
}

fn devices_of(incident: Option<&Incident>) -> impl Iterator<Item = &Name> {
    incident.into_iter().flat_map(|incident| incident.devices.keys())
}

fn components_of(incident: Option<&Incident>) -> impl Iterator<Item = &Name> {
    incident.into_iter().flat_map(|incident| {
        let inferred = incident.inferred_components.iter();
        incident.components.iter().chain(inferred)
    })
}

fn streets_of(incident: Option<&Incident>) -> impl Iterator<Item = u64> {
    incident.into_iter().flat_map(|incident| {
        addresses_of(incident).flat_map(|(town, address)| {
            street::names(address).map(|name| street_mark(&incident.kind, town, name))
        })
    })
}

/// What the centre merged still stands for its place and its names; another part only says what it became part of.
fn is_found(incident: &Incident) -> bool {
    incident.status != Status::Merged || incident.commanded
}

/// Moves a number from some keys of an index to others.
fn move_under<'a>(
    index: &mut FxHashMap<Name, Numbers>,
    number: u32,
    from: impl Iterator<Item = &'a Name>,
    to: impl Iterator<Item = &'a Name>,
) {
    for key in from {
        take_out(index, key, number);
    }
    for key in to {
        index.entry(key.clone()).or_default().insert(number);
    }
}

/// Enters a number in a list that it was not in, or takes it out.
fn list(numbers: &mut BTreeSet<u32>, number: u32, was: bool, is: bool) {
    match (was, is) {
        (false, true) => numbers.insert(number),
        (true, false) => numbers.remove(&number),
        _ => false,
    };
}
