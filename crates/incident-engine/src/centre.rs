//! The centre groups by its own word: merge, split, move, and taking a command back.
//!
//! Its word is remembered: an incident with a command is not decided again, one that was merged still stands for its place, so
//! that what comes there goes to the survivor, and nothing brings two together that it parted.

use std::collections::BTreeSet;
use std::sync::Arc;

use city_model::{
    Action, Command, EventKey, EventTime, Incident, IncidentId, LastCommand, Name, Outcome, Status, Turn, Why,
};

use crate::combining::combine;
use crate::command::remembered;
use crate::draft::Draft;
use crate::engine::Engine;
use crate::life::{self, Step};
use crate::rebuilt::{stand_as, take};
use crate::{EventRow, Evidence, Held};

impl Engine {
    /// The other incident becomes part of this one.
    pub(crate) fn merge(
        &self,
        draft: &mut Draft<'_>,
        incident: &Arc<Incident>,
        command: &Command,
    ) -> Result<(), String> {
        let other = self.other_of(incident, command)?;
        if incident.status != Status::Open {
            return Err("the incident is closed".to_owned());
        }
        if other.status == Status::Open && other.band < incident.band {
            // Nothing urgent is hidden in what can wait.
            return Err(format!(
                "the other incident is {}, this one {}: merge this one into the other",
                other.band, incident.band
            ));
        }
        let now = draft.now;
        draft.edit(&incident.id, |_, edited| {
            edited.last_command = Some(remembered(incident, command));
            freeze(edited);
            combine(edited, other);
        });
        let survivor = incident.id.clone();
        draft.edit(&other.id, |_, edited| {
            become_part(edited, survivor, now);
            edited.last_command = Some(remembered(other, command));
        });
        Ok(())
    }

    /// Some events become an incident of their own.
    pub(crate) fn split(
        &self,
        draft: &mut Draft<'_>,
        incident: &Arc<Incident>,
        command: &Command,
    ) -> Result<(), String> {
        let parting = self.parting(incident, command)?;
        let setting = draft.setting();
        let remaining = self.without(draft, incident, &parting)?;
        let mut own: Option<Incident> = None;
        for held in &parting {
            take(setting, &mut own, held);
        }
        let Some(mut own) = own else {
            return Err("a split needs events".to_owned());
        };
        own.id = self.free_id(setting, &own);
        let id = own.id.clone();
        own.recurrence_of = None;
        own.related.insert(incident.id.clone());
        freeze(&mut own);
        let mut last = (*remembered(&own, command)).clone();
        last.other = Some(incident.id.clone()); // only both together are taken back
        own.last_command = Some(Arc::new(last));
        draft.touched.insert(id.clone(), Arc::new(own));
        let keys = parting.iter().map(|held| held.event.key.clone()).collect();
        self.put_remaining(draft, incident, command, remaining, Some(id.clone()), keys);
        self.tell_parted(draft, &parting, &id, true);
        Ok(())
    }

    /// Some events go to another incident.
    pub(crate) fn move_events(
        &self,
        draft: &mut Draft<'_>,
        incident: &Arc<Incident>,
        command: &Command,
    ) -> Result<(), String> {
        let other = self.other_of(incident, command)?;
        if other.status != Status::Open {
            return Err("the other incident is closed".to_owned());
        }
        let parting = self.parting(incident, command)?;
        let remaining = self.without(draft, incident, &parting)?;
        let keys: Vec<EventKey> = parting.iter().map(|held| held.event.key.clone()).collect();
        draft.edit(&other.id, |setting, edited| {
            let mut last = (*remembered(other, command)).clone();
            last.other = Some(incident.id.clone());
            freeze(edited);
            let mut with = Some(edited.clone());
            for held in &parting {
                take(setting, &mut with, held);
            }
            if let Some(with) = with {
                *edited = with;
            }
            edited.last_command = Some(Arc::new(last));
            freeze(edited);
        });
        let target = other.id.clone();
        self.put_remaining(draft, incident, command, remaining, Some(target.clone()), keys);
        self.tell_parted(draft, &parting, &target, false);
        Ok(())
    }

    /// Takes the last command back. What was heard since stays.
    pub(crate) fn undo(&self, draft: &mut Draft<'_>, incident: &Arc<Incident>) -> Result<(), String> {
        let Some(last) = incident.last_command.clone() else {
            return Err("there is no command to take back".to_owned());
        };
        let same = |other: &&Arc<Incident>| {
            other
                .last_command
                .as_ref()
                .is_some_and(|theirs| theirs.command_id == last.command_id)
        };
        let other = match &last.other {
            None => None,
            Some(id) => Some(self.incidents.get(id).filter(same).ok_or_else(|| {
                "the other incident had a command since: take that one back first".to_owned()
            })?),
        };
        if let (Action::Split | Action::Move, true, Some(from)) = (last.action, last.events.is_empty(), other)
        {
            return self.undo(draft, from); // said of the incident that the events came to
        }
        if incident.status == Status::Merged {
            return Err("the incident was merged into another: take the merge back there".to_owned());
        }
        match (last.action, other) {
            (Action::Split, Some(own)) => {
                // The part goes back with all that it heard.
                draft.edit(&incident.id, |_, edited| {
                    freeze(edited);
                    combine(edited, own);
                    edited.last_command = None;
                });
                let now = draft.now;
                let survivor = incident.id.clone();
                draft.edit(&own.id, |_, edited| {
                    become_part(edited, survivor, now);
                    edited.last_command = None;
                });
            }
            (action, other) => {
                self.take_back(draft, incident, &last);
                if let Some(other) = other
                    && let Some(theirs) = &other.last_command
                {
                    self.take_back(draft, other, theirs);
                }
                if action == Action::Move {
                    let parted: Vec<Arc<Held>> = last
                        .events
                        .iter()
                        .filter_map(|key| self.held(key).cloned())
                        .collect();
                    self.tell_parted(draft, &parted, &incident.id, false);
                }
            }
        }
        Ok(())
    }

    fn take_back(&self, draft: &mut Draft<'_>, incident: &Arc<Incident>, last: &LastCommand) {
        let without = &last.without;
        self.learn(
            draft,
            incident,
            incident.care().was_false,
            without.care().was_false,
        );
        draft.edit(&incident.id, |_, edited| {
            let (revision, dirty) = (edited.revision, edited.dirty);
            let (revised_at, shown_in) = (edited.revised_at, edited.shown_in);
            let (band, previous) = (edited.band, edited.previous.clone());
            *edited = without.clone();
            edited.revision = revision;
            edited.dirty = dirty;
            edited.revised_at = revised_at;
            edited.shown_in = shown_in;
            edited.band = band;
            edited.previous = previous;
            edited.lower_since = edited.pinned.is_none().then_some(crate::priority::UNPINNED);
            freeze(edited);
        });
    }

    /// The other incident that a command names.
    fn other_of(&self, incident: &Incident, command: &Command) -> Result<&Arc<Incident>, String> {
        let Some(id) = &command.other_incident_id else {
            return Err(format!("a {} needs the other incident", command.action));
        };
        if *id == incident.id {
            return Err("the other incident is the same one".to_owned());
        }
        let known = self.incidents.get(id);
        let Some(other) = known.filter(|other| !other.is_held_back()) else {
            return Err("no such other incident".to_owned());
        };
        if other.group != incident.group {
            return Err("the two are of kinds that never meet".to_owned());
        }
        if other.status == Status::Merged {
            return Err("the other incident was merged into another".to_owned());
        }
        Ok(other)
    }

    /// The events that a command names, with what they said.
    fn parting(&self, incident: &Incident, command: &Command) -> Result<Vec<Arc<Held>>, String> {
        if command.event_ids.is_empty() {
            return Err(format!("a {} needs events", command.action));
        }
        let named: BTreeSet<&Name> = command.event_ids.iter().collect();
        let mut parting = Vec::new();
        for name in named {
            let key = name.split_once('/').map(|(system, id)| EventKey::new(system, id));
            let Some(row) = key.as_ref().and_then(|key| self.seen(key)) else {
                return Err(format!("no such event: {name}"));
            };
            let belongs = row.incident().and_then(|of| self.survivor_of(of));
            if belongs.is_none_or(|other| other.id != incident.id) {
                return Err(format!("event {name} does not belong to the incident"));
            }
            let turn = incident.tail.iter().find(|turn| Some(&turn.key) == key.as_ref());
            match (row.held(), turn) {
                (Some(held), Some(_)) => parting.push(held.clone()),
                _ => {
                    return Err(format!(
                        "event {name} is settled: what it said is no longer kept; report it anew"
                    ));
                }
            }
        }
        Ok(parting)
    }

    /// An incident without some of its events.
    fn without(
        &self,
        draft: &Draft<'_>,
        incident: &Arc<Incident>,
        parting: &[Arc<Held>],
    ) -> Result<Incident, String> {
        let parts = |turn: &Turn| parting.iter().any(|held| held.event.key == turn.key);
        let mut remaining = incident.base.as_ref().map(|base| Incident {
            base: Some(base.clone()),
            ..(**base).clone()
        });
        for turn in incident.tail.iter().filter(|turn| !parts(turn)) {
            if let Some(held) = self.held(&turn.key) {
                take(draft.setting(), &mut remaining, held);
            }
        }
        let Some(mut remaining) = remaining else {
            return Err("nothing would be left of the incident".to_owned());
        };
        stand_as(&mut remaining, incident);
        let known = |device: &Name| incident.devices.get(device).copied();
        remaining
            .devices
            .rewrite(|device, watcher| known(device).unwrap_or(*watcher));
        remaining.cleared_at = incident.cleared_at.filter(|_| remaining.is_cleared());
        Ok(remaining)
    }

    fn put_remaining(
        &self,
        draft: &mut Draft<'_>,
        incident: &Arc<Incident>,
        command: &Command,
        remaining: Incident,
        other: Option<IncidentId>,
        events: Vec<EventKey>,
    ) {
        let mut last = (*remembered(incident, command)).clone();
        last.other = other;
        last.events = events;
        draft.edit(&incident.id, |_, edited| {
            *edited = remaining;
            edited.related.extend(last.other.clone());
            if edited.pinned.is_none() {
                edited.lower_since = Some(crate::priority::UNPINNED);
            }
            edited.last_command = Some(Arc::new(last));
            freeze(edited);
        });
    }

    /// Tells of events that the centre put elsewhere.
    fn tell_parted(&self, draft: &mut Draft<'_>, parted: &[Arc<Held>], id: &IncidentId, opens: bool) {
        let evidence = Evidence::bare(Why::Operator, 0);
        for (number, held) in parted.iter().enumerate() {
            let event = &held.event;
            let outcome = match self.seen(&event.key) {
                Some(seen) if !opens && seen.outcome() == Outcome::Opened => Outcome::Joined,
                Some(seen) if !opens || number > 0 => seen.outcome(),
                _ if opens => Outcome::Opened,
                _ => Outcome::Joined,
            };
            let held = Some(Arc::new(Held::new(event.clone(), &evidence)));
            let reorder_ms = draft.setting().activation.reorder_ms;
            let row = EventRow::of(event, reorder_ms, outcome, Some(id.clone()), held);
            self.retell(draft, row, "moved by the centre", &evidence);
        }
    }

    fn free_id(&self, setting: &crate::Setting, incident: &Incident) -> IncidentId {
        crate::regroup::free_id(setting, incident, |id| !self.incidents.contains_key(id))
    }
}

/// From here on it is not decided again: what it took in is settled.
fn freeze(incident: &mut Incident) {
    incident.commanded = true;
    incident.silences = None;
    incident.tail.clear();
    incident.base = None;
    if incident.status == Status::Merged {
        let began = incident.opened_at;
        part(incident, began);
    }
}

/// It is no part of another any more.
pub(crate) fn part(incident: &mut Incident, at: EventTime) {
    incident.merged_into = None;
    let _ = life::take(incident, Step::Part, at); // what is no part stays what it is
}

/// From here on it stands for its place alone; what comes there goes to the survivor.
fn become_part(incident: &mut Incident, survivor: IncidentId, now: EventTime) {
    freeze(incident);
    let _ = life::take(incident, Step::Merge, now); // freezing it made it no part, and what is none can become one
    incident.merged_into = Some(survivor);
}
