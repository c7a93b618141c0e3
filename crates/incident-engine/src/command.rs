//! The centre's word about an incident: what it may say in which state, and what follows.

use std::sync::Arc;

use city_model::{Action, CloseReason, Command, EventTime, Incident, Outcome, Source, Status};

use crate::draft::{Draft, Regrouping};
use crate::engine::Engine;
use crate::life::{self, Stage, Step};
use crate::passage::command_key;
use crate::undoing::{handled, open_again, stays_open};
use crate::{Decision, EventRow, limits};

impl Engine {
    pub(crate) fn decide_command(&self, command: &Command) -> Decision {
        let Some(setting) = &self.setting else {
            return Decision::default();
        };
        let mut draft = Draft::new(self, setting);
        let key = command_key(command);
        if self.events.contains_key(&key) {
            self.count(
                &mut draft.decision.changes,
                Source::Command,
                Outcome::DuplicateId,
                1,
            );
            return draft.finish();
        }
        draft.set_now(self.clock().unwrap_or(command.issued_at));
        draft.regrouping = Some(Regrouping::Centre);
        let (outcome, reason) = match self.carry_out(&mut draft, command) {
            Ok(note) => (Outcome::Applied, note.map(Into::into)),
            Err(refusal) => (Outcome::Refused, Some(refusal.into())),
        };
        let incident = Some(command.incident_id.clone());
        let row = EventRow::of_order(key, Source::Command, outcome, incident, draft.now);
        draft.told(row, reason, None);
        draft.settle_touched();
        draft.finish()
    }

    /// Does what a command says, and tells what else that made; or says why it makes no sense now, and then nothing is changed.
    fn carry_out(&self, draft: &mut Draft<'_>, command: &Command) -> Result<Option<String>, String> {
        let known = self.incidents.get(&command.incident_id);
        let Some(incident) = known.filter(|incident| !incident.is_held_back()) else {
            return Err("no such incident, or it is over for so long that it is forgotten".to_owned());
        };
        if incident.status == Status::Merged && command.action != Action::Undo {
            return Err("the incident was merged into another".to_owned());
        }
        match command.action {
            Action::Merge => return Ok(self.merge(draft, incident, command)?.map(str::to_owned)),
            Action::Split => self.split(draft, incident, command)?,
            Action::Move => return Ok(self.move_events(draft, incident, command)?.map(str::to_owned)),
            Action::Undo => self.undo(draft, incident)?,
            _ => {
                let now = draft.now;
                if let Some(refusal) = refusal(incident, command, now) {
                    return Err(refusal.to_owned());
                }
                let (before, said) = (incident.care().was_false, verdict(incident, command.action));
                self.learn(draft, incident, before, said);
                draft.edit(&incident.id, |setting, edited| {
                    edited.last_command = Some(Arc::new(handled(incident, command)));
                    edited.commanded = true;
                    handle(edited, command, now);
                    if command.action == Action::Return {
                        limits::give_back(setting, edited, now);
                    }
                    if before != said {
                        edited.take_care(|care| care.was_false = said);
                    }
                    limits::keep(setting, edited, now);
                });
            }
        }
        let last = incident.last_command.as_deref();
        if command.action == Action::Undo && last.is_some_and(|last| stays_open(incident, last)) {
            return Ok(Some(
                "it stays open: somebody told of it since it was opened again".to_owned(),
            ));
        }
        let opens = |edited: &Arc<Incident>| edited.status == Status::Open && incident.status != Status::Open;
        if !draft.touched.get(&incident.id).is_some_and(opens) {
            return Ok(None);
        }
        Ok(match self.came_back(incident).as_slice() {
            [] => None,
            [other] => Some(format!(
                "it came back as {} meanwhile: merge the two if they are one",
                other.id
            )),
            others => {
                let ids: Vec<&str> = others.iter().map(|other| other.id.as_str()).collect();
                Some(format!(
                    "it came back as {} meanwhile: merge what is one",
                    ids.join(", ")
                ))
            }
        })
    }

    /// What was opened because the trouble came back after an incident was closed, and is open still: of a false alarm nothing comes
    /// back, but who saw it all the same opened what is related to it.
    fn came_back(&self, incident: &Incident) -> Vec<&Arc<Incident>> {
        let repeats = |other: &&Arc<Incident>| other.recurrence_of.as_ref() == Some(&incident.id);
        let is_since = |other: &&Arc<Incident>| {
            let was_false = incident.close_reason == Some(CloseReason::FalseAlarm);
            was_false
                && other.status == Status::Open
                && other.kind == incident.kind
                && incident.closed_at.is_some_and(|at| other.opened_at >= at)
        };
        let related = incident.related.iter().filter_map(|id| self.incidents.get(id));
        let mut found: Vec<&Arc<Incident>> = self.numbered(&self.repeating).filter(repeats).collect();
        found.extend(related.filter(is_since));
        found.retain(|other| !other.is_held_back());
        found.sort_unstable_by(|a, b| a.founding.cmp(&b.founding));
        found.dedup_by(|a, b| a.id == b.id);
        found
    }
}

/// What the centre's word makes of those who told of an incident, after an action: whether it was a false alarm.
fn verdict(incident: &Incident, action: Action) -> Option<bool> {
    match action {
        Action::FalseAlarm => Some(true),
        Action::Resolve | Action::Verify => Some(false),
        // It was none after all; that something was mended and came back says nothing against it.
        Action::Reopen => incident.care().was_false.filter(|was_false| !was_false),
        _ => incident.care().was_false,
    }
}

/// Why a command about the handling makes no sense now.
fn refusal(incident: &Incident, command: &Command, now: EventTime) -> Option<&'static str> {
    if let Some(step) = Step::of(command.action) {
        return Stage::of(incident).after(step).err();
    }
    match command.action {
        _ if incident.status != Status::Open => Some("the incident is closed"),
        Action::Extend if command.deadline.is_none() => Some("an extension needs a deadline"),
        Action::Extend if command.deadline.is_some_and(|until| until <= now) => {
            Some("an extension needs a deadline that is to come")
        }
        Action::PinPriority if command.band.is_none() => Some("a pin needs a band"),
        Action::UnpinPriority if incident.pinned.is_none() => Some("the priority is not pinned"),
        _ => None,
    }
}

fn handle(incident: &mut Incident, command: &Command, now: EventTime) {
    if let Some(step) = Step::of(command.action) {
        if step == Step::Reopen {
            open_again(incident, now);
        }
        let _ = life::take(incident, step, now); // what cannot be taken was refused
        return;
    }
    match (command.action, command.deadline) {
        (Action::Extend, Some(until)) => limits::extend(incident, until),
        (Action::PinPriority, _) => incident.pinned = command.band,
        (Action::UnpinPriority, _) => {
            incident.pinned = None;
            incident.lower_since = Some(crate::priority::UNPINNED);
        }
        // What changes the grouping is not handling.
        _ => {}
    }
}
