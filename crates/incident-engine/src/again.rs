//! Decides events again whose turn comes after that of an event which was read late.
//!
//! The order of reading must not show: an event is decided as if it had been read at its turn. What was decided after that turn
//! stands unless an incident that it was held against changed; so the change spreads from the new event over the events that its
//! incident could have taken, in the order of their turns, and ends where nothing differs any more.

mod spreading;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use city_model::{Event, Extent, Incident, IncidentId, Name, Point, Turn};
use city_rules::KindId;
use rustc_hash::FxHashMap;

use crate::engine::Engine;
use crate::finding::wide_side_mm;
use crate::matching::{Match, Matcher};
use crate::rebuilt::{Rebuilt, stand_as, take_as};
use crate::scene::{Mark, Scene, addresses_of, bears};
use crate::unsettled::Said;
use crate::{Evidence, Held, Setting};

/// How many events are decided again at most for one that was read late; beyond that it is decided alone.
pub(crate) const MOST: usize = 10_000;

/// What deciding again came to.
pub(crate) enum Again {
    /// Nothing that was decided later is touched: the event stands by itself.
    Alone(Match),
    /// What changed.
    Moved(Moved),
    /// Too much would have to be decided again.
    TooMany,
}

/// One event that was decided again, in the order of turns; the last decision of each counts.
pub(crate) struct Decided {
    pub(crate) held: Arc<Held>,
    /// All that was compared, with the incidents that it did not join.
    pub(crate) evidence: Evidence,
    pub(crate) slot: IncidentId,
    pub(crate) in_reach: Vec<IncidentId>,
}

/// The changed incidents and the events that were decided again.
#[derive(Default)]
pub(crate) struct Moved {
    /// The incidents by what they are called while it is being decided: their ids, or a number for a new one. An incident that
    /// has no member left is `None`.
    pub(crate) slots: BTreeMap<IncidentId, Option<Arc<Incident>>>,
    pub(crate) decided: BTreeMap<Turn, Decided>,
    /// Events that would rather have gone to an incident which the centre gave a command about.
    pub(crate) withheld: Vec<(IncidentId, IncidentId)>,
    /// Where an event stayed, and what it cites and is graver than: that is known only now.
    pub(crate) beside: Vec<(IncidentId, IncidentId)>,
}

/// The state of deciding again: the incidents as they are before the present turn.
pub(crate) struct Retelling<'a> {
    engine: &'a Engine,
    setting: &'a Setting,
    turn: Turn,
    queue: BTreeSet<Turn>,
    moved: Moved,
    /// The numbers of the known ones among the changed incidents, sorted.
    changed: Vec<u32>,
    /// What was looked through for an incident as a kind: it is of another kind when another event opens it.
    regions: BTreeMap<(IncidentId, KindId), Extent>,
    /// Unchanged incidents as they were before the present turn or an earlier one.
    rebuilt: RefCell<FxHashMap<IncidentId, Rebuilt>>,
}

impl<'a> Retelling<'a> {
    /// Decides a new event at its turn, and what follows from it. `silence` is the one that announced it.
    pub(crate) fn of(
        engine: &'a Engine,
        setting: &'a Setting,
        kind: KindId,
        event: &Arc<Event>,
        silence: Option<&Name>,
    ) -> Again {
        let turn = event.turn(setting.activation.reorder_ms);
        let mut telling = Retelling {
            engine,
            setting,
            turn: turn.clone(),
            queue: BTreeSet::new(),
            moved: Moved::default(),
            changed: Vec::new(),
            regions: BTreeMap::new(),
            rebuilt: RefCell::default(),
        };
        let found = Matcher::find_in(&telling, engine, setting, kind, event);
        if found.incident.as_ref().is_some_and(|incident| incident.commanded) {
            return Again::Alone(found);
        }
        if found.incident.is_none() {
            // What the centre gave a command about is not decided again, so it stands as it is: also for what was seen before
            // all that it consists of, and came after the command.
            let standing = Matcher::find_in(engine, engine, setting, kind, event);
            if standing
                .incident
                .as_ref()
                .is_some_and(|incident| incident.commanded)
            {
                return Again::Alone(standing);
            }
        }
        let slot = telling.slot_for(&found, event, None);
        telling.change(&slot);
        telling.spread_new(&slot, kind, event);
        if telling.queue.is_empty() {
            return Again::Alone(found);
        }
        let held = Arc::new(Held {
            silence: silence.cloned(),
            ..Held::new(event.clone(), &found.evidence)
        });
        let mut in_reach = found.also_in_reach;
        in_reach.extend(found.graver_than);
        telling.enter(held, slot, in_reach, found.evidence);
        while let Some(next) = telling.queue.pop_first() {
            if telling.moved.decided.len() >= MOST {
                return Again::TooMany;
            }
            telling.turn = next;
            telling.decide_again();
        }
        Again::Moved(telling.moved)
    }

    fn decide_again(&mut self) {
        let engine = self.engine;
        let Some(seen) = engine.seen(&self.turn.key) else {
            return;
        };
        let (Some(held), Some(old)) = (seen.held(), seen.incident_id()) else {
            return;
        };
        let Some(kind) = self.setting.rules.kind_id(held.event.kind.as_str()) else {
            return;
        };
        let found = Matcher::find_in(self, self.engine, self.setting, kind, &held.event);
        let slot = match &found.incident {
            Some(other) if other.commanded => {
                self.moved.withheld.push((old.clone(), other.id.clone()));
                old.clone()
            }
            _ => self.slot_for(&found, &held.event, Some(old)),
        };
        if slot == *old && !self.moved.slots.contains_key(&slot) {
            let beside = found.graver_than.map(|cited| (slot, cited));
            self.moved.beside.extend(beside);
            return; // as it was
        }
        self.change(old);
        let Match {
            incident,
            evidence,
            mut also_in_reach,
            graver_than,
            ..
        } = found;
        also_in_reach.extend(graver_than);
        // With nobody else who holds it the incident is edited where it is: a copy for each event of a crowd would cost its square.
        drop(incident);
        let held = Arc::new(held.decided_by(&evidence));
        self.enter(held, slot, also_in_reach, evidence);
    }

    /// Where an event goes: to what was found, or to an incident of its own. That is the one which it opened before, if nothing
    /// is left in it.
    fn slot_for(&self, found: &Match, event: &Event, old: Option<&IncidentId>) -> IncidentId {
        if let Some(incident) = &found.incident {
            return incident.id.clone();
        }
        if let Some(old) = old
            && let Some(known) = self.engine.incidents.get(old)
            && *known.namer() == event.key
            && self.present(known).is_none()
        {
            return old.clone();
        }
        IncidentId::new(&format!("~{}", self.moved.slots.len()))
    }

    /// An incident as it is before the present turn.
    fn present(&self, known: &Arc<Incident>) -> Option<Arc<Incident>> {
        match self.moved.slots.get(&known.id) {
            Some(slot) => slot.clone(),
            None => self.unchanged(known),
        }
    }

    /// An incident that is not changed yet, as it is before the present turn.
    fn unchanged(&self, known: &Arc<Incident>) -> Option<Arc<Incident>> {
        let mut earlier = self.rebuilt.borrow_mut();
        self.engine
            .as_before(self.setting, known, &self.turn, &mut earlier)
    }

    /// From here on an incident is not what it was: its later members, and all that was held against it, are decided again.
    fn change(&mut self, id: &IncidentId) {
        let engine = self.engine;
        let Some(known) = engine.incidents.get(id) else {
            return;
        };
        if self.moved.slots.contains_key(id) {
            return;
        }
        let present = self.unchanged(known);
        self.rebuilt.borrow_mut().remove(id);
        self.moved.slots.insert(id.clone(), present);
        if let Some(number) = engine.incidents.number_of(id)
            && let Err(at) = self.changed.binary_search(&number)
        {
            self.changed.insert(at, number);
        }
        for member in &known.tail {
            self.enqueue(member);
        }
        if let (Some((kind, _)), Some(extent)) = (self.setting.kind_of(known), known.extent) {
            self.spread(id, kind, extent);
        }
        for device in known.devices.keys() {
            self.spread_device(device);
        }
        for component in known.components.iter().chain(&known.inferred_components) {
            self.spread_to(Said::Component(component));
        }
        for (town, address) in addresses_of(known) {
            self.spread_address(
                self.setting.kind_of(known),
                known.address_key.is_some(),
                town,
                address,
            );
        }
    }

    /// Enters an event into an incident as it is at its turn.
    fn enter(&mut self, held: Arc<Held>, slot: IncidentId, in_reach: Vec<IncidentId>, evidence: Evidence) {
        self.change(&slot);
        let mut incident = self
            .moved
            .slots
            .insert(slot.clone(), None)
            .flatten()
            .map(Arc::unwrap_or_clone);
        take_as(self.setting, &mut incident, &held, || slot.clone());
        if let Some(incident) = &mut incident {
            if let Some(known) = self.engine.incidents.get(&slot) {
                stand_as(incident, known);
            }
            if let (Some((kind, _)), Some(extent)) = (self.setting.kind_of(incident), incident.extent) {
                self.spread(&slot, kind, extent);
            }
        }
        let (kind, has_own) = match &incident {
            Some(incident) => (self.setting.kind_of(incident), incident.address_key.is_some()),
            None => (None, false),
        };
        self.moved.slots.insert(slot.clone(), incident.map(Arc::new));
        self.spread_names(kind, has_own, &held.event);
        let decided = Decided {
            held,
            evidence,
            slot,
            in_reach,
        };
        self.moved.decided.insert(self.turn.clone(), decided);
    }
}

impl Scene for Retelling<'_> {
    fn near(&self, kind: KindId, side_mm: i64, point: Point, visit: &mut dyn FnMut(&Arc<Incident>, i64)) {
        let mut meet = |incident: &Arc<Incident>| {
            if let Some(at) = incident.fused.point() {
                let distance = at.distance_mm(point);
                if distance <= side_mm {
                    visit(incident, distance);
                }
            }
        };
        for incident in self.moved.slots.values().flatten() {
            if self.setting.kind_of(incident).is_some_and(|(own, _)| own == kind) {
                meet(incident);
            }
        }
        // An incident may have lain elsewhere before its later members came, as far as its extent goes.
        let engine = self.engine;
        let mut look = |number: u32| {
            if self.changed.binary_search(&number).is_ok() {
                return;
            }
            let Some(known) = engine.incidents.at(number) else {
                return;
            };
            // Wherever it lay before, it was among its members.
            let may_have_lain = |extent: Extent| extent.is_within(point, side_mm);
            if !known.extent.is_some_and(may_have_lain) {
                return;
            }
            // Most have no later member, and are as they were.
            if known.tail.last().is_none_or(|last| *last < self.turn) {
                meet(known);
            } else if let Some(present) = self.unchanged(known) {
                meet(&present);
            }
        };
        let rule = self.setting.rules.kind(kind);
        let mut wide = Vec::new();
        engine
            .wide
            .about(kind, wide_side_mm(rule), point, side_mm, |number| {
                wide.push(number)
            });
        wide.sort_unstable();
        wide.dedup();
        engine.neighbours.within(
            kind,
            side_mm,
            point,
            (side_mm, side_mm + rule.extent_mm),
            |number| {
                if wide.binary_search(&number).is_err() {
                    look(number);
                }
            },
        );
        wide.into_iter().for_each(look);
    }

    fn bearing(&self, mark: Mark<'_>) -> Vec<Arc<Incident>> {
        let engine = self.engine;
        let slots = self.moved.slots.values().flatten();
        let mut found: Vec<Arc<Incident>> = slots.filter(|incident| bears(incident, mark)).cloned().collect();
        let bearing = engine.all_bearing(mark);
        let mut all: Vec<&Arc<Incident>> = bearing.collect();
        if let Mark::Street(kind, town, name) = mark
            && let Some(kind) = self.setting.rules.kind_id(kind.as_str())
        {
            // An incident keeps but the first addresses: what it was found by before may have given way to others.
            let at = |is_placed| {
                let rules = &self.setting.rules;
                engine.unsettled.at_street(rules, kind, (town, name), is_placed)
            };
            let numbers = at(false).chain(at(true));
            all.extend(numbers.filter_map(|number| engine.seen_at(number)?.incident()));
            all.sort_unstable_by(|a, b| a.id.cmp(&b.id));
            all.dedup_by(|a, b| a.id == b.id);
        }
        for known in all {
            if !self.moved.slots.contains_key(&known.id)
                && let Some(present) = self.unchanged(known)
                && bears(&present, mark)
            {
                found.push(present);
            }
        }
        found
    }

    fn survivor(&self, merged: &Incident) -> Option<Arc<Incident>> {
        self.present(self.engine.survivor(&merged.id)?)
    }

    fn known(&self, id: &IncidentId) -> Option<Arc<Incident>> {
        self.present(self.engine.survivor(id)?)
    }

    fn of_ticket(&self, ticket: &Name) -> Option<Arc<Incident>> {
        let engine = self.engine;
        let settled = engine.cited(ticket).filter(|seen| !seen.is_held());
        if let Some(incident) = settled.and_then(|seen| engine.survivor_of(seen.incident()?)) {
            return self.present(incident);
        }
        // An event that was not read before bears no row yet: what was decided in this telling comes first.
        let numbers = engine.unsettled.saying(Said::Ticket(ticket));
        let turns: Vec<Turn> = numbers
            .filter(|number| {
                let seen = engine.seen_at(*number);
                seen.is_some_and(|seen| seen.ticket().as_ref() == Some(ticket))
            })
            .filter_map(|number| engine.events.turn(number))
            .filter(|turn| *turn < self.turn)
            .collect();
        let told = self
            .moved
            .decided
            .iter()
            .filter(|(_, decided)| decided.held.event.ticket.as_ref() == Some(ticket));
        let first = turns.iter().chain(told.map(|(turn, _)| turn)).min()?;
        match self.moved.decided.get(first) {
            Some(decided) => self.moved.slots.get(&decided.slot)?.clone(),
            None => self.present(engine.incident_of(&first.key)?),
        }
    }
}
