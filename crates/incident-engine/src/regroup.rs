//! What deciding again comes to: which incident keeps which id, which become one, and what is told of the events that moved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use city_model::{
    CloseReason, Event, EventKey, EventTime, Incident, IncidentId, Name, Outcome, Status, Turn, Watcher, Why,
};

use crate::again::Moved;
use crate::draft::{Draft, Regrouping};
use crate::engine::Engine;
use crate::life::{self, Step};
use crate::passage::{is_seen_after, is_stale};
use crate::rebuilt::stand_as;
use crate::{Change, EventRow, Evidence, Held, Output, Setting};

/// What is said of an event whose incident or outcome is another one than before.
pub(crate) const DECIDED_AGAIN: &str = "decided again";

impl Engine {
    /// Enters what deciding again changed. `new` is the event that caused it.
    pub(crate) fn regroup(&self, draft: &mut Draft<'_>, setting: &Setting, moved: &Moved, new: &Event) {
        draft.regrouping = Some(Regrouping::Again);
        let names = Names::of(self, setting, moved);
        let mut followed: Vec<(IncidentId, IncidentId)> = moved.withheld.clone();
        followed.extend(
            moved
                .beside
                .iter()
                .map(|(own, cited)| (own.clone(), names.of_slot(cited))),
        );
        for decided in moved.decided.values() {
            let own = names.of_slot(&decided.slot);
            followed.extend(decided.in_reach.iter().map(|id| (own.clone(), names.of_slot(id))));
        }
        for (slot, incident) in &moved.slots {
            let Some(incident) = incident else { continue };
            let id = names.of_slot(slot);
            let mut incident = self.resettled(setting, moved, incident, (id, draft.now), new);
            let all_stale = || !self.has_news(setting, moved, incident.tail.iter());
            if incident.status == Status::Open
                && incident.base.is_none()
                && !incident.handling.has_begun()
                && all_stale()
            {
                crate::passage::close_stale(&mut incident, draft.now);
            }
            draft.hold_back_as(&incident);
            self.tell_members(draft, moved, &names, &incident, &new.key);
            draft.touched.insert(incident.id.clone(), Arc::new(incident));
        }
        for (loser, survivor) in &names.merged {
            draft.edit(loser, |_, incident| merge_away(incident, survivor));
        }
        for (one, other) in followed {
            for (one, other) in [(&one, &other), (&other, &one)] {
                let (one, other) = (names.survivor(one), names.survivor(other));
                if one != other && [one, other].into_iter().all(|id| draft.held_back(id).is_none()) {
                    draft.edit(one, |_, incident| {
                        incident.related.insert(other.clone());
                    });
                }
            }
        }
    }

    /// An incident under its id, with its life as it was before, and with what follows from its new members.
    fn resettled(
        &self,
        setting: &Setting,
        moved: &Moved,
        incident: &Incident,
        (id, now): (IncidentId, EventTime),
        new: &Event,
    ) -> Incident {
        let mut incident = incident.clone();
        let before: BTreeSet<&IncidentId> = incident
            .tail
            .iter()
            .filter_map(|turn| self.seen(&turn.key)?.incident_id())
            .chain([&id])
            .collect();
        let before: Vec<&Arc<Incident>> = before.iter().filter_map(|id| self.incidents.get(id)).collect();
        match self.incidents.get(&id) {
            Some(known) => {
                stand_as(&mut incident, known);
                if known.status == Status::Merged {
                    crate::centre::part(&mut incident, now);
                }
                let stays = |turn: &Turn| incident.tail.binary_search(turn).is_ok();
                let lost = !known.tail.iter().all(stays);
                if lost && incident.pinned.is_none() && incident.handling.dispatched_at.is_none() {
                    // What made it more urgent may have been another's: nothing is held back for it.
                    incident.lower_since = Some(crate::priority::UNPINNED);
                }
                // What is stale never was open: what is no older opens it, also if it came before.
                let heard = incident.last_heard_at > known.last_heard_at
                    || incident.close_reason == Some(CloseReason::Stale);
                let was_there = |turn: &Turn| known.tail.binary_search(turn).is_ok();
                let came = || incident.tail.iter().filter(|turn| !was_there(turn));
                let is_news = || !is_all_history(known, &incident) && self.has_news(setting, moved, came());
                if heard && incident.status == Status::Closed && is_news() {
                    crate::passage::reopen(&mut incident, now);
                }
            }
            None => {
                incident.id = id;
                incident.named_after = None;
                // Its limits run from when somebody can know of it.
                incident.opened_at = incident.opened_at.max(now);
                // Readers were told of another id: of this one they have heard nothing yet.
                incident.revision = 0;
                incident.revised_in = None;
                incident.shown_in = None;
                incident.recurrence_of = self.repeats(setting, moved, &incident);
            }
        }
        recall_signals(&mut incident, &before, new);
        incident
    }

    /// Whether one of these was no older when it came than may open an incident.
    fn has_news<'a>(
        &self,
        setting: &Setting,
        moved: &Moved,
        mut turns: impl Iterator<Item = &'a Turn>,
    ) -> bool {
        let held = |turn| match moved.decided.get(turn) {
            Some(decided) => Some(&decided.held),
            None => self.held(&turn.key),
        };
        turns.any(|turn| held(turn).is_none_or(|held| !is_stale(setting, &held.event)))
    }

    fn repeats(&self, setting: &Setting, moved: &Moved, incident: &Incident) -> Option<IncidentId> {
        let first = moved.decided.get(&incident.founding)?;
        let kind = setting.rules.kind_id(first.held.event.kind.as_str())?;
        let repeated = self.recurrence(setting, kind, &first.held.event)?;
        (!self.was_false_alarm(&repeated)).then_some(repeated)
    }

    /// Tells of every member whose incident or outcome is another one than before, and remembers what decided it.
    fn tell_members(
        &self,
        draft: &mut Draft<'_>,
        moved: &Moved,
        names: &Names,
        incident: &Incident,
        new: &EventKey,
    ) {
        let said = |turn: &Turn| match moved.decided.get(turn) {
            Some(decided) => Some(decided.held.clone()),
            None => self.held(&turn.key).cloned(),
        };
        let opener = self.opener(incident, |turn| said(turn)?.event.device.clone());
        let settled = opener
            .as_ref()
            .filter(|key| *key != new)
            .and_then(|key| self.seen(key))
            .filter(|seen| !seen.is_held());
        if let Some(seen) = settled {
            let row = EventRow {
                outcome: Outcome::Opened,
                ..seen.to_row()
            };
            self.retell(draft, row, DECIDED_AGAIN, &Evidence::bare(Why::Founded, 0));
        }
        let mut devices: BTreeSet<Name> = incident
            .base
            .iter()
            .flat_map(|base| base.devices.keys().cloned())
            .collect();
        for turn in &incident.tail {
            let Some(held) = said(turn) else { continue };
            let evidence = match moved.decided.get(turn) {
                Some(decided) => named(decided.evidence.clone(), names),
                None => held.evidence(),
            };
            let device = held.event.device.clone();
            let continues = device.is_some_and(|device| !devices.insert(device));
            let outcome = if opener.as_ref() == Some(&turn.key) {
                Outcome::Opened
            } else if continues {
                Outcome::Continued
            } else {
                Outcome::Joined
            };
            self.tell_member(draft, (held, evidence), &incident.id, outcome, *new == turn.key);
        }
    }

    /// The member that counts as having opened an incident: the one that did before or, where an earlier report of the same device
    /// came, that one; where it left, the first. `None` when it is settled and stays.
    fn opener(&self, incident: &Incident, device: impl Fn(&Turn) -> Option<Name>) -> Option<EventKey> {
        let known = self
            .incidents
            .get(&incident.id)
            .filter(|known| known.status != Status::Merged);
        let opened = |turn: &&Turn| {
            let seen = self.seen(&turn.key);
            seen.is_some_and(|seen| {
                seen.outcome() == Outcome::Opened && seen.incident_id() == Some(&incident.id)
            })
        };
        let before = known.and_then(|known| known.tail.iter().find(opened));
        if before.is_none() && known.is_some_and(|known| known.is_anchored()) {
            return None;
        }
        let Some(before) = before.filter(|turn| incident.tail.contains(turn)) else {
            return Some(incident.founding.key.clone());
        };
        let own = device(before);
        let is_settled = own
            .as_ref()
            .zip(incident.base.as_ref())
            .is_some_and(|(own, base)| base.devices.contains_key(own));
        let same = |turn: &&Turn| !is_settled && own.is_some() && device(turn) == own;
        Some(incident.tail.iter().find(same).unwrap_or(before).key.clone())
    }

    fn tell_member(
        &self,
        draft: &mut Draft<'_>,
        (held, evidence): (Arc<Held>, Evidence),
        id: &IncidentId,
        outcome: Outcome,
        is_new: bool,
    ) {
        let row = EventRow::of_member(draft.setting(), &held, outcome, id);
        if is_new {
            draft.told(row, None, Some(evidence));
            return;
        }
        self.retell(draft, row, DECIDED_AGAIN, &evidence);
    }

    /// Tells that an event which was told of before is elsewhere, or counts as something else.
    pub(crate) fn retell(&self, draft: &mut Draft<'_>, row: EventRow, reason: &str, evidence: &Evidence) {
        let Some(old) = self.seen(&row.key) else {
            return;
        };
        let old = old.to_row();
        let was_told = self.as_told(&old);
        let (told, silence) = draft.as_told(&row);
        if old != row {
            draft.change(Change::PutEvent(row)); // perhaps only what was compared is another
        }
        if was_told.incident == told.incident && was_told.outcome == told.outcome {
            return;
        }
        if was_told.outcome != told.outcome {
            self.count(&mut draft.decision.changes, told.source, was_told.outcome, -1);
            self.count(&mut draft.decision.changes, told.source, told.outcome, 1);
        }
        draft.decision.outputs.push(Output::Outcome {
            row: told,
            evidence: silence.is_none().then(|| Box::new(evidence.clone())),
            reason: Some(silence.unwrap_or_else(|| reason.into())),
        });
    }
}

/// What was compared, by the ids that the incidents have now.
fn named(mut evidence: Evidence, names: &Names) -> Evidence {
    for miss in [&mut evidence.runner_up, &mut evidence.nearest_miss]
        .into_iter()
        .flatten()
    {
        miss.incident = names.survivor(&names.of_slot(&miss.incident)).clone();
    }
    evidence
}

/// Which id each incident has, and which of the known ones became part of another.
struct Names {
    ids: BTreeMap<IncidentId, IncidentId>,
    merged: Vec<(IncidentId, IncidentId)>,
}

impl Names {
    /// An id stays with the event that it is made of, or with what is settled of its incident. Of two that become one, the
    /// one that was opened first survives.
    fn of(engine: &Engine, setting: &Setting, moved: &Moved) -> Names {
        let turn_of: BTreeMap<&EventKey, &Turn> =
            moved.decided.keys().map(|turn| (&turn.key, turn)).collect();
        let known = |slot: &IncidentId| engine.incidents.get(slot);
        // Where each known incident's id goes.
        let mut claims: BTreeMap<&IncidentId, Vec<&Arc<Incident>>> = BTreeMap::new();
        for slot in moved.slots.keys() {
            let Some(incident) = known(slot) else { continue };
            let decided = turn_of
                .get(incident.namer())
                .and_then(|turn| moved.decided.get(*turn));
            let place = match decided {
                Some(decided) if !incident.is_anchored() => &decided.slot,
                _ => slot,
            };
            claims.entry(place).or_default().push(incident);
        }
        let mut names = Names {
            ids: BTreeMap::new(),
            merged: Vec::new(),
        };
        for (slot, incident) in &moved.slots {
            let Some(incident) = incident else { continue };
            let mut claimants = claims.remove(slot).unwrap_or_default();
            claimants.sort_by(|a, b| {
                (b.is_anchored(), a.opened_at, &a.founding).cmp(&(a.is_anchored(), b.opened_at, &b.founding))
            });
            let id = match claimants.first() {
                Some(first) => first.id.clone(),
                None => new_id(engine, setting, moved, incident, &names),
            };
            let losers = claimants
                .iter()
                .skip(1)
                .filter(|loser| loser.status != Status::Merged);
            names
                .merged
                .extend(losers.map(|loser| (loser.id.clone(), id.clone())));
            names.ids.insert(slot.clone(), id);
        }
        // Every id has a claim on an incident that has members; should one not, it must not be lost for it.
        let target = names.ids.values().next().cloned();
        for claimants in claims.into_values().flatten() {
            names
                .merged
                .extend(target.iter().map(|target| (claimants.id.clone(), target.clone())));
        }
        names
    }

    fn of_slot(&self, slot: &IncidentId) -> IncidentId {
        self.ids.get(slot).unwrap_or(slot).clone()
    }

    fn survivor<'a>(&'a self, id: &'a IncidentId) -> &'a IncidentId {
        let merged = self.merged.iter().find(|(loser, _)| loser == id);
        merged.map_or(id, |(_, survivor)| survivor)
    }
}

/// The id of its first event; where another incident bears that already, a further one made of the same event.
fn new_id(
    engine: &Engine,
    setting: &Setting,
    moved: &Moved,
    incident: &Incident,
    names: &Names,
) -> IncidentId {
    let is_free = |id: &IncidentId| {
        let revives = engine
            .incidents
            .get(id)
            .is_none_or(|known| known.status == Status::Merged && !known.commanded);
        revives && !moved.slots.contains_key(id) && !names.ids.values().any(|taken| taken == id)
    };
    free_id(setting, incident, is_free)
}

/// An id made of an incident's first event that is free.
pub(crate) fn free_id(
    setting: &Setting,
    incident: &Incident,
    is_free: impl Fn(&IncidentId) -> bool,
) -> IncidentId {
    let city = &setting.activation.city;
    let key = &incident.founding.key;
    let first = IncidentId::found(city, &incident.group, key);
    if is_free(&first) {
        return first;
    }
    let mut number = 2;
    loop {
        let again = EventKey::new(&key.source_system, &format!("{}#{number}", key.event_id));
        let id = IncidentId::found(city, &incident.group, &again);
        if is_free(&id) {
            return id;
        }
        number += 1;
    }
}

/// An incident all of whose members went to another.
fn merge_away(incident: &mut Incident, survivor: &IncidentId) {
    let at = incident.last_heard_at;
    let _ = life::take(incident, Step::Merge, at); // one that is part of another already becomes part of this one
    incident.merged_into = Some(survivor.clone());
    incident.members.clear();
    incident.member_count = 0;
    incident.tail.clear();
    incident.base = None;
}

/// Whether all that was heard since it was cleared tells of the time before.
fn is_all_history(known: &Incident, incident: &Incident) -> bool {
    known.close_reason == Some(CloseReason::Cleared)
        && known.over_at().is_some_and(|at| incident.last_event_at <= at)
}

/// A device that cleared has cleared wherever its alarms went; the new event's own says that it goes on.
fn recall_signals(incident: &mut Incident, before: &[&Arc<Incident>], new: &Event) {
    let holds_new = incident.tail.iter().any(|turn| turn.key == new.key);
    incident.devices.rewrite(|device, watcher| {
        let mut known = before
            .iter()
            .filter_map(|incident| incident.devices.get(device))
            .peekable();
        let alarming = if known.peek().is_some() && !(holds_new && new.device.as_ref() == Some(device)) {
            known.any(|watcher| watcher.alarming)
        } else {
            watcher.alarming
        };
        Watcher { alarming, ..*watcher }
    });
    // What a device said goes where its alarms go: of those whose devices are elsewhere nothing is over here.
    let is_here = |other: &&&Arc<Incident>| {
        let mut devices = other.devices.keys();
        devices.any(|device| incident.devices.contains_key(device))
    };
    let heard = before.iter().filter(is_here);
    let cleared = heard.clone().filter_map(|other| other.cleared_at).max();
    let told = heard.filter_map(|other| other.care().clear_told).max();
    incident.take_care(|care| care.clear_told = care.clear_told.max(told));
    incident.cleared_at = cleared.filter(|_| incident.is_cleared());
    // As when it was read: by the time that the devices told of, whenever that was heard.
    if incident
        .over_at()
        .is_some_and(|over| is_seen_after(incident, over))
    {
        incident.cleared_at = None;
    }
}

#[cfg(test)]
mod tests {
    use city_model::LedgerCell;

    use super::*;

    #[test]
    fn a_cell_is_counted_down_and_up() {
        let engine = Engine::default();
        let mut changes = Vec::new();
        engine.count(&mut changes, city_model::Source::Hotline, Outcome::Opened, -1);
        engine.count(&mut changes, city_model::Source::Hotline, Outcome::Joined, 1);
        engine.count(&mut changes, city_model::Source::Hotline, Outcome::Opened, 1);
        let last = changes.last();
        let cell = LedgerCell::Outcome(city_model::Source::Hotline, Outcome::Opened);
        assert_eq!(last, Some(&Change::Count(cell, 0)));
    }
}
