//! The engine's state and the one way to change it.
//!
//! Only `Change` rows are state; every index here follows from them, so a restored engine is the engine that ran.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use city_model::{
    Activation, EventKey, EventTime, HOUR_MS, Incident, IncidentId, Kind, Ledger, LedgerCell, Name, Outcome,
    Silence, Source, Status, Warning,
};
use city_rules::KindId;
use rustc_hash::FxHashMap;

use crate::neighbours::Neighbours;
use crate::scene::addresses_of;
use crate::street;
use crate::unsettled::Unsettled;
use crate::{Change, EventRow, Held, Setting, SettingError};

/// How long an event's identity is remembered after it came: as late as a backfilled reading may come.
pub(crate) const SEEN_MS: i64 = 72 * HOUR_MS;

/// The state of one partition's groups.
#[derive(Debug, Default)]
pub struct Engine {
    pub(crate) setting: Option<Setting>,
    pub(crate) clocks: BTreeMap<Name, EventTime>,
    pub(crate) flushed: Option<EventTime>,
    pub(crate) incidents: FxHashMap<IncidentId, Arc<Incident>>,
    pub(crate) events: FxHashMap<EventKey, EventRow>,
    pub(crate) warnings: BTreeMap<Name, (Warning, EventTime)>,
    pub(crate) silences: BTreeMap<Name, Silence>,
    pub(crate) ledger: Ledger,

    // What follows from the rows above.
    pub(crate) neighbours: Neighbours,
    pub(crate) by_device: FxHashMap<Name, BTreeSet<IncidentId>>,
    pub(crate) by_component: FxHashMap<Name, BTreeSet<IncidentId>>,
    pub(crate) by_street: FxHashMap<(Kind, Name, Name), BTreeSet<IncidentId>>,
    pub(crate) by_ticket: FxHashMap<Name, EventKey>,
    /// Incidents whose members lie farther apart than their kind's extent: a component or the centre joined them.
    pub(crate) wide: BTreeMap<KindId, BTreeSet<IncidentId>>,
    pub(crate) unsettled: Unsettled,
    pub(crate) open: BTreeSet<IncidentId>,
    pub(crate) dirty: BTreeSet<IncidentId>,
    pub(crate) due: BTreeSet<(EventTime, IncidentId)>,
    pub(crate) expiring: BTreeMap<i64, Vec<EventKey>>,
}

impl Engine {
    /// Moves: enters one row. Running and restoring call nothing else.
    ///
    /// # Errors
    /// When an activation's rules cannot be read; the state is then as it was.
    pub fn apply(&mut self, change: &Change) -> Result<(), SettingError> {
        match change {
            Change::Activate(activation) => {
                match &mut self.setting {
                    // Another grid, say: nothing here rests on it, so nothing is laid anew and nothing waits.
                    Some(old) if is_alike(&old.activation, activation) => old.activation = activation.clone(),
                    Some(old) if old.activation.rules == activation.rules => {
                        let setting = Setting::with_rules(activation.clone(), old.rules.clone())?;
                        self.activate(setting);
                    }
                    _ => self.activate(Setting::read(activation)?),
                }
            }
            Change::Clock(partition, at) => {
                self.clocks.insert(partition.clone(), *at);
                self.release();
            }
            Change::Flushed(at) => self.flushed = Some(*at),
            Change::PutIncident(incident) => {
                if let Some(old) = self.incidents.insert(incident.id.clone(), incident.clone()) {
                    self.unlink(&old);
                }
                self.link(incident);
            }
            Change::RemoveIncident(id) => {
                if let Some(old) = self.incidents.remove(id) {
                    self.unlink(&old);
                }
            }
            Change::PutEvent(row) => self.remember(row),
            Change::ForgetEvent(key) => self.forget(key),
            Change::Count(cell, count) => self.ledger.set(*cell, *count),
            Change::PutWarning(warning, heard) => {
                self.warnings
                    .insert(warning.warning_id.clone(), (warning.clone(), *heard));
            }
            Change::RemoveWarning(id) => {
                self.warnings.remove(id);
            }
            Change::PutSilence(silence) => {
                self.silences.insert(silence.silence_id.clone(), silence.clone());
            }
            Change::RemoveSilence(id) => {
                self.silences.remove(id);
            }
        }
        Ok(())
    }

    /// Spares the first activation of this process the reading of its rules.
    pub fn with_setting(setting: Setting) -> Engine {
        let mut engine = Engine::default();
        engine.activate(setting);
        engine
    }

    /// The clock: the least of the input partitions' append times. `None` until every one of them has been heard of.
    pub fn clock(&self) -> Option<EventTime> {
        self.clock_with(&[])
    }

    /// The clock as it would be with some partitions moved on.
    pub(crate) fn clock_with(&self, moved: &[(Name, EventTime)]) -> Option<EventTime> {
        let setting = self.setting.as_ref()?;
        let mut least = None;
        for partition in &setting.activation.partitions {
            let known = self.clocks.get(partition).copied();
            let told = moved
                .iter()
                .filter(|(name, _)| name == partition)
                .map(|(_, at)| *at)
                .max();
            match known.max(told) {
                Some(at) => least = Some(least.map_or(at, |least: EventTime| least.min(at))),
                None if setting.activation.hold_idle => {}
                None => return None,
            }
        }
        least
    }

    /// The rules that hold.
    pub fn setting(&self) -> Option<&Setting> {
        self.setting.as_ref()
    }

    /// The counted outcomes.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// An incident by its id.
    pub fn incident(&self, id: &IncidentId) -> Option<&Arc<Incident>> {
        self.incidents.get(id)
    }

    /// How many incidents are kept, and how many of them are open.
    pub fn sizes(&self) -> (usize, usize) {
        (self.incidents.len(), self.open.len())
    }

    /// The open incidents in the order of their ids.
    pub fn open_incidents(&self) -> impl Iterator<Item = &Arc<Incident>> {
        self.open.iter().filter_map(|id| self.incidents.get(id))
    }

    /// The change that a deleted row of this key stands for, if the row is here.
    pub fn removal_of(&self, key: &str) -> Option<Change> {
        let (family, name) = key.split_once('/')?;
        match family {
            "incident" => {
                let id = IncidentId::new(name);
                self.incidents
                    .contains_key(&id)
                    .then_some(Change::RemoveIncident(id))
            }
            "event" => {
                let (length, rest) = name.split_once('/')?;
                let (system, id) = rest.split_at_checked(length.parse().ok()?)?;
                Some(Change::ForgetEvent(EventKey::new(system, id.strip_prefix('/')?)))
            }
            "warning" => Some(Change::RemoveWarning(name.into())),
            "silence" => Some(Change::RemoveSilence(name.into())),
            _ => None,
        }
    }

    /// When the clock next means something to an incident; nothing happens by time alone before that.
    pub fn next_due(&self) -> Option<EventTime> {
        let incident = self.due.first().map(|(at, _)| *at);
        let weather = self.warnings.values().flat_map(|(warning, _)| {
            [Some(warning.effective_at), warning.expires_at]
                .into_iter()
                .flatten()
        });
        let clock = self.clock();
        let weather = weather.filter(|at| clock.is_none_or(|clock| *at > clock)).min();
        match (incident, weather) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Whether changed incidents wait for the next tick to be published.
    pub fn has_unpublished(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// The survivor of an incident: itself, or what it was merged into.
    pub(crate) fn survivor<'a>(&'a self, id: &'a IncidentId) -> Option<&'a Arc<Incident>> {
        let mut incident = self.incidents.get(id)?;
        // Each merge leads to an incident that was founded earlier, so the chain ends; the bound guards against rows
        // that no engine wrote.
        for _ in 0..64 {
            match &incident.merged_into {
                Some(next) => incident = self.incidents.get(next)?,
                None => return Some(incident),
            }
        }
        None
    }

    /// The row that adds `delta` to a cell, given what this decision has added before.
    pub(crate) fn count(&self, pending: &mut Vec<Change>, source: Source, outcome: Outcome, delta: i64) {
        let cell = LedgerCell::Outcome(source, outcome);
        let before = pending.iter().rev().find_map(|change| match change {
            Change::Count(c, count) if *c == cell => Some(*count),
            _ => None,
        });
        pending.push(Change::Count(
            cell,
            before.unwrap_or_else(|| self.ledger.get(cell)) + delta,
        ));
    }

    fn activate(&mut self, setting: Setting) {
        self.setting = Some(setting);
        // Radii and kinds may have changed with the rules: every index is laid anew.
        self.neighbours.clear();
        self.by_device.clear();
        self.by_component.clear();
        self.by_street.clear();
        self.open.clear();
        self.dirty.clear();
        self.due.clear();
        self.wide.clear();
        self.unsettled.clear();
        let held: Vec<Arc<Held>> = self.events.values().filter_map(|row| row.held.clone()).collect();
        held.iter().for_each(|held| self.hold(held));
        let mut all: Vec<_> = self.incidents.values().cloned().collect();
        all.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        for incident in &all {
            self.link(incident);
        }
        self.release();
    }

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

    fn link(&mut self, incident: &Arc<Incident>) {
        // What the centre merged still stands for its place and its names.
        if incident.status != Status::Merged || incident.commanded {
            if let (Some((kind, side)), Some(point)) = (self.kind_and_side(incident), incident.fused.point())
            {
                self.neighbours.insert(kind, side, point, incident.id.clone());
                if self.is_wide(incident) {
                    self.wide.entry(kind).or_default().insert(incident.id.clone());
                }
            }
            for device in incident.devices.keys() {
                self.by_device
                    .entry(device.clone())
                    .or_default()
                    .insert(incident.id.clone());
            }
            for component in components_of(incident) {
                self.by_component
                    .entry(component.clone())
                    .or_default()
                    .insert(incident.id.clone());
            }
            for key in streets_of(incident) {
                self.by_street.entry(key).or_default().insert(incident.id.clone());
            }
        }
        if incident.status == Status::Open {
            self.open.insert(incident.id.clone());
        }
        if incident.dirty {
            self.dirty.insert(incident.id.clone());
        }
        if let Some(due) = self
            .setting
            .as_ref()
            .and_then(|setting| crate::passage::due(setting, incident))
        {
            self.due.insert((due, incident.id.clone()));
        }
    }

    fn unlink(&mut self, incident: &Arc<Incident>) {
        if let (Some((kind, side)), Some(point)) = (self.kind_and_side(incident), incident.fused.point()) {
            self.neighbours.remove(kind, side, point, &incident.id);
            if let Some(wide) = self.wide.get_mut(&kind) {
                wide.remove(&incident.id);
            }
        }
        for device in incident.devices.keys() {
            take(&mut self.by_device, device, &incident.id);
        }
        for component in components_of(incident) {
            take(&mut self.by_component, component, &incident.id);
        }
        for key in streets_of(incident) {
            take(&mut self.by_street, &key, &incident.id);
        }
        self.open.remove(&incident.id);
        self.dirty.remove(&incident.id);
        if let Some(due) = self
            .setting
            .as_ref()
            .and_then(|setting| crate::passage::due(setting, incident))
        {
            self.due.remove(&(due, incident.id.clone()));
        }
    }
}

/// Whether two activations decide alike: they differ in what is only shown or only concerns the clock.
pub(crate) fn is_alike(one: &Activation, other: &Activation) -> bool {
    let alike = Activation {
        version: one.version.clone(),
        grid: one.grid.clone(),
        partitions: one.partitions.clone(),
        hold_idle: one.hold_idle,
        ..other.clone()
    };
    *one == alike
}

/// What an incident is found by where an event has an equal component.
fn components_of(incident: &Incident) -> impl Iterator<Item = &Name> {
    incident.components.iter().chain(&incident.inferred_components)
}

/// The keys under which an incident is found by the roads of its addresses.
fn streets_of(incident: &Incident) -> impl Iterator<Item = (Kind, Name, Name)> + '_ {
    addresses_of(incident).flat_map(|(town, address)| {
        street::names(address).map(|name| (incident.kind.clone(), town.clone(), name.into()))
    })
}

fn take<K: std::hash::Hash + Eq>(map: &mut FxHashMap<K, BTreeSet<IncidentId>>, key: &K, id: &IncidentId) {
    if let Some(ids) = map.get_mut(key) {
        ids.remove(id);
        if ids.is_empty() {
            map.remove(key);
        }
    }
}
