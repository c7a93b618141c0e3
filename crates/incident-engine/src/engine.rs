//! The engine's state and the one way to change it.
//!
//! Only `Change` rows are state; every index here follows from them, so a restored engine is the engine that ran.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use city_model::{
    Activation, EventKey, EventTime, HOUR_MS, Incident, IncidentId, Ledger, LedgerCell, Name, Outcome,
    Silence, Source,
};
use rustc_hash::FxHashMap;

use crate::events::Events;
use crate::finding::ByStreet;
use crate::kept::Kept;
use crate::neighbours::Neighbours;
use crate::numbers::Numbers;
use crate::unsettled::Unsettled;
use crate::weather::Told;
use crate::wide::Wide;
use crate::{Change, Setting, SettingError, Trust, Witness};

/// How long an event's identity is remembered after it came: as late as a backfilled reading may come.
pub const SEEN_MS: i64 = 72 * HOUR_MS;

/// Of so many merges one into the other the survivor is found.
pub(crate) const LONGEST_CHAIN: usize = 64;

/// The state of one partition's groups.
#[derive(Debug, Default)]
pub struct Engine {
    pub(crate) setting: Option<Setting>,
    pub(crate) clocks: BTreeMap<Name, EventTime>,
    pub(crate) flushed: Option<EventTime>,
    pub(crate) settled: Option<EventTime>,
    pub(crate) incidents: Kept,
    pub(crate) events: Events,
    pub(crate) warnings: BTreeMap<Name, Told>,
    pub(crate) trust: FxHashMap<Witness, Trust>,
    pub(crate) silences: BTreeMap<Name, Silence>,
    pub(crate) ledger: Ledger,

    // What follows from the rows above.
    pub(crate) neighbours: Neighbours,
    pub(crate) by_device: FxHashMap<Name, Numbers>,
    pub(crate) by_component: FxHashMap<Name, Numbers>,
    /// By the id of what explains them away.
    pub(crate) inhibited: FxHashMap<Name, Numbers>,
    pub(crate) by_street: ByStreet,
    pub(crate) wide: Wide,
    pub(crate) unsettled: Unsettled,
    pub(crate) open: BTreeSet<u32>,
    /// Of the open ones those that silences hold back, and those that repeat another: both are few.
    pub(crate) veiled: BTreeSet<u32>,
    pub(crate) repeating: BTreeSet<u32>,
    pub(crate) dirty: BTreeSet<u32>,
    pub(crate) due: BTreeSet<(EventTime, u32)>,
    pub(crate) expiring: BTreeMap<i64, Vec<u32>>,
}

impl Engine {
    /// Moves: enters one row. Running and restoring call nothing else.
    ///
    /// # Errors
    /// When an activation's rules cannot be read; the state is then as it was.
    pub fn apply(&mut self, change: &Change) -> Result<(), SettingError> {
        let applied = self.enter(change);
        self.lay_down(false);
        applied
    }

    /// Packs everything that may be at rest. It decides nothing, and what is asked for next is there again.
    pub fn rest(&mut self) {
        self.lay_down(true);
    }

    fn lay_down(&mut self, all: bool) {
        self.incidents.rest(all);
        self.events.rest(&mut self.incidents, all);
    }

    fn enter(&mut self, change: &Change) -> Result<(), SettingError> {
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
            }
            Change::Flushed(at) => self.flushed = Some(*at),
            Change::Settled(at) => {
                self.settled = Some(*at);
                self.release();
            }
            Change::PutIncident(incident) => {
                let (number, old) = self.incidents.keep(incident);
                self.relink(number, old.as_deref(), Some(incident));
            }
            Change::RemoveIncident(id) => {
                if let Some((number, old)) = self.incidents.remove(id) {
                    self.relink(number, Some(&old), None);
                }
            }
            Change::PutEvent(row) => self.remember(row),
            Change::ForgetEvent(key) => self.forget(key),
            Change::Count(cell, count) => self.ledger.set(*cell, *count),
            Change::PutWarning(warning, heard, before, counted) => {
                let told = Told {
                    warning: warning.clone(),
                    heard: *heard,
                    before: before.clone(),
                    counted: counted.clone(),
                };
                self.warnings.insert(warning.warning_id.clone(), told);
            }
            Change::PutTrust(witness, trust) => {
                self.trust.insert(witness.clone(), *trust);
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

    /// How many events' identities are remembered, and of how many what they said is kept, because they may be decided again.
    pub fn remembered(&self) -> (usize, usize) {
        (self.events.len(), self.unsettled.count())
    }

    /// The open incidents in the order of their ids.
    pub fn open_incidents(&self) -> impl Iterator<Item = &Arc<Incident>> {
        let mut open: Vec<&Arc<Incident>> = self.numbered(&self.open).collect();
        open.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        open.into_iter()
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
        let clock = self.clock();
        let weather = self.turning_points();
        let weather = weather.filter(|at| clock.is_none_or(|clock| *at > clock)).min();
        let silence = self.silences.values().map(|silence| silence.ends_at);
        let silence = silence.filter(|at| clock.is_none_or(|clock| *at > clock)).min();
        [incident, weather, self.unseen_warning(), silence]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether changed incidents wait for the next tick to be published.
    pub fn has_unpublished(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// The incidents of some numbers.
    pub(crate) fn numbered<'a>(
        &'a self,
        numbers: impl IntoIterator<Item = &'a u32>,
    ) -> impl Iterator<Item = &'a Arc<Incident>> {
        numbers
            .into_iter()
            .filter_map(|number| self.incidents.at(*number))
    }

    /// The survivor of an incident: itself, or what it was merged into.
    pub(crate) fn survivor(&self, id: &IncidentId) -> Option<&Arc<Incident>> {
        self.survivor_of(self.incidents.get(id)?)
    }

    /// What an incident was merged into in the end, or itself.
    pub(crate) fn survivor_of<'a>(&'a self, mut incident: &'a Arc<Incident>) -> Option<&'a Arc<Incident>> {
        // Each merge leads to an incident that was founded earlier, so the chain ends; the bound guards against rows
        // that no engine wrote.
        for _ in 0..LONGEST_CHAIN {
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
        self.inhibited.clear();
        self.by_street.clear();
        self.open.clear();
        self.veiled.clear();
        self.repeating.clear();
        self.dirty.clear();
        self.due.clear();
        self.wide.clear();
        self.unsettled.clear();
        for number in self.events.holding() {
            if let Some(held) = self.events.glance(number, &self.incidents) {
                self.hold(number, &held);
            }
        }
        for number in self.incidents.numbers() {
            if let Some(incident) = self.incidents.glance(number) {
                self.relink(number, None, Some(&incident));
            }
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
