//! The centre groups by its own word: merge, split, move, and taking a command back.
//!
//! Its word is remembered: an incident with a command is not decided again, one that was merged still stands for its place, so
//! that what comes there goes to the survivor, and nothing brings two together that it parted.

use std::sync::Arc;

use city_model::{Command, EventTime, Incident, IncidentId, Status};

use crate::Held;
use crate::combining::combine;
use crate::draft::Draft;
use crate::engine::Engine;
use crate::life::{self, Step};
use crate::limits;
use crate::parting::Parted;
use crate::rebuilt::take;

/// Told where what is resolved takes in what is not.
const TAKEN_IN: &str = "the handling is open again: what came into it is not resolved";

impl Engine {
    /// The other incident becomes part of this one.
    pub(crate) fn merge(
        &self,
        draft: &mut Draft<'_>,
        incident: &Arc<Incident>,
        command: &Command,
    ) -> Result<Option<&'static str>, String> {
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
        let setting = draft.setting();
        let last = self.to_take_back(setting, incident, command);
        let is_taken_in = takes_in(incident, other);
        draft.edit(&incident.id, |setting, edited| {
            freeze(edited);
            combine(edited, other);
            if edited.recurrence_of.as_ref() == Some(&other.id) {
                edited.recurrence_of = None; // one trouble does not come back to itself
            }
            if is_taken_in {
                let _ = life::take(edited, Step::TakeIn, now); // what is open can take in another
            }
            if is_unsolved(other) {
                take_over(edited, other);
                limits::take_over(setting, edited, other, now);
            }
            edited.last_command = Some(Arc::new(last));
        });
        let survivor = incident.id.clone();
        let last = self.to_take_back(setting, other, command);
        draft.edit(&other.id, |_, edited| {
            become_part(edited, survivor, now);
            edited.last_command = Some(Arc::new(last));
        });
        Ok(is_taken_in.then_some(TAKEN_IN))
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
        let remaining = self.remaining(setting, incident, &parting)?;
        let mut own: Option<Incident> = None;
        for parted in &parting {
            take(setting, &mut own, &parted.as_own());
        }
        let Some(mut own) = own else {
            return Err("a split needs events".to_owned());
        };
        own.id = self.free_id(setting, &own);
        let id = own.id.clone();
        own.recurrence_of = None;
        own.related.insert(incident.id.clone());
        freeze(&mut own);
        let mut last = self.to_take_back(setting, &own, command);
        last.other = Some(incident.id.clone()); // only both together are taken back
        own.last_command = Some(Arc::new(last));
        draft.touched.insert(id.clone(), Arc::new(own));
        self.put_remaining(draft, incident, command, (remaining, &parting, &id));
        let held: Vec<Arc<Held>> = parting.iter().map(|parted| Arc::new(parted.as_own())).collect();
        self.tell_parted(draft, &held, &id, true);
        Ok(())
    }

    /// Some events go to another incident.
    pub(crate) fn move_events(
        &self,
        draft: &mut Draft<'_>,
        incident: &Arc<Incident>,
        command: &Command,
    ) -> Result<Option<&'static str>, String> {
        let other = self.other_of(incident, command)?;
        if other.status != Status::Open {
            return Err("the other incident is closed".to_owned());
        }
        if let Some(pinned) = other.pinned.filter(|pinned| *pinned > incident.band) {
            // What it has of the more urgent would be hidden under the pin.
            return Err(format!(
                "the other incident is pinned to {pinned}, this one is {}: take the pin back first",
                incident.band
            ));
        }
        let parting = self.parting(incident, command)?;
        let setting = draft.setting();
        let remaining = self.remaining(setting, incident, &parting)?;
        let is_taken_in = takes_in(other, incident);
        let now = draft.now;
        let moved = |parted: &Parted| Arc::new(self.as_moved(setting, other, parted));
        let held: Vec<Arc<Held>> = parting.iter().map(moved).collect();
        let mut last = self.to_take_back(setting, other, command);
        last.other = Some(incident.id.clone());
        draft.edit(&other.id, |setting, edited| {
            let mut with = Some(edited.clone());
            for held in &held {
                take(setting, &mut with, held);
            }
            if let Some(with) = with {
                *edited = with;
            }
            if is_taken_in {
                let _ = life::take(edited, Step::TakeIn, now); // what is open can take in another
            }
            edited.last_command = Some(Arc::new(last));
            freeze(edited);
        });
        let target = other.id.clone();
        self.put_remaining(draft, incident, command, (remaining, &parting, &target));
        self.tell_parted(draft, &held, &target, false);
        Ok(is_taken_in.then_some(TAKEN_IN))
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
            return Err("no such other incident, or it is over for so long that it is forgotten".to_owned());
        };
        if other.group != incident.group {
            return Err("the two are of kinds that never meet".to_owned());
        }
        if other.status == Status::Merged {
            return Err("the other incident was merged into another".to_owned());
        }
        Ok(other)
    }

    fn free_id(&self, setting: &crate::Setting, incident: &Incident) -> IncidentId {
        crate::regroup::free_id(setting, incident, |id| !self.incidents.contains_key(id))
    }
}

/// Whether the handling of an incident is open again with what it takes in of another.
fn takes_in(incident: &Incident, other: &Incident) -> bool {
    incident.handling.resolved_at.is_some() && is_unsolved(other)
}

fn is_unsolved(incident: &Incident) -> bool {
    incident.status == Status::Open && incident.handling.resolved_at.is_none()
}

/// What the centre has begun with does not end because nobody tells of it any more; and who was sent to what is as urgent is sent.
fn take_over(incident: &mut Incident, other: &Incident) {
    let handling = &other.handling;
    let is_free = incident.handling.dispatched_at.is_none() && incident.band == other.band;
    let sent = handling.dispatched_at.filter(|_| is_free);
    let steps = [
        (
            Step::Acknowledge,
            handling.acknowledged_at.or(handling.dispatched_at),
        ),
        (Step::Dispatch, sent),
        (Step::Arrive, handling.arrived_at.filter(|_| sent.is_some())),
    ];
    for (step, at) in steps {
        if let Some(at) = at {
            let _ = life::take(incident, step, at.max(incident.opened_at)); // what is open can be sent out
        }
    }
}

/// From here on it is not decided again.
pub(crate) fn freeze(incident: &mut Incident) {
    incident.commanded = true;
    incident.silences = None;
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
pub(crate) fn become_part(incident: &mut Incident, survivor: IncidentId, now: EventTime) {
    freeze(incident);
    let _ = life::take(incident, Step::Merge, now); // freezing it made it no part, and what is none can become one
    incident.merged_into = Some(survivor);
}
