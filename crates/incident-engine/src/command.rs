//! The centre's word about an incident: what it may say in which state, and what follows.

use std::sync::Arc;

use city_model::{Action, CloseReason, Command, EventTime, Incident, LastCommand, Outcome, Source, Status};

use crate::draft::Draft;
use crate::engine::Engine;
use crate::passage::{close, command_key, reopen};
use crate::{Decision, EventRow};

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
        let carried_out = self.carry_out(&mut draft, command);
        let row = EventRow {
            key,
            source: Source::Command,
            outcome: if carried_out.is_err() {
                Outcome::Refused
            } else {
                Outcome::Applied
            },
            incident: Some(command.incident_id.clone()),
            ingested_at: draft.now,
            ticket: None,
            order: None,
            held: None,
        };
        draft.told(row, carried_out.err().map(Into::into), None);
        draft.settle_touched();
        draft.finish()
    }

    /// Does what a command says, or says why it makes no sense now; then nothing is changed.
    fn carry_out(&self, draft: &mut Draft<'_>, command: &Command) -> Result<(), String> {
        let known = self.incidents.get(&command.incident_id);
        let Some(incident) = known.filter(|incident| !incident.is_held_back()) else {
            return Err("no such incident".to_owned());
        };
        if incident.status == Status::Merged && command.action != Action::Undo {
            return Err("the incident was merged into another".to_owned());
        }
        match command.action {
            Action::Merge => self.merge(draft, incident, command),
            Action::Split => self.split(draft, incident, command),
            Action::Move => self.move_events(draft, incident, command),
            Action::Undo => self.undo(draft, incident),
            _ => {
                if let Some(refusal) = refusal(incident, command) {
                    return Err(refusal.to_owned());
                }
                let now = draft.now;
                draft.edit(&incident.id, |_, edited| {
                    edited.last_command = Some(remembered(incident, command));
                    edited.commanded = true;
                    handle(edited, command, now);
                });
                Ok(())
            }
        }
    }
}

/// What an incident was before a command, so that it can be taken back.
pub(crate) fn remembered(incident: &Incident, command: &Command) -> Arc<LastCommand> {
    let mut without = incident.clone();
    without.last_command = None;
    Arc::new(LastCommand {
        command_id: command.command_id.clone(),
        action: command.action,
        other: command.other_incident_id.clone(),
        events: Vec::new(),
        without,
    })
}

/// Why a command about the handling makes no sense now.
fn refusal(incident: &Incident, command: &Command) -> Option<&'static str> {
    let open = incident.status == Status::Open;
    match command.action {
        Action::Reopen if open => Some("the incident is open"),
        Action::Reopen => None,
        _ if !open => Some("the incident is closed"),
        Action::Return | Action::Arrive if incident.handling.dispatched_at.is_none() => {
            Some("the incident was not dispatched")
        }
        Action::Verify if incident.handling.resolved_at.is_none() => Some("the incident was not resolved"),
        Action::Extend if command.deadline.is_none() => Some("an extension needs a deadline"),
        Action::PinPriority if command.band.is_none() => Some("a pin needs a band"),
        Action::UnpinPriority if incident.pinned.is_none() => Some("the priority is not pinned"),
        _ => None,
    }
}

fn handle(incident: &mut Incident, command: &Command, now: EventTime) {
    let handling = &mut incident.handling;
    match command.action {
        Action::Acknowledge => handling.acknowledged_at = handling.acknowledged_at.or(Some(now)),
        Action::Dispatch => handling.dispatched_at = Some(now),
        Action::Return => {
            handling.returned_count += 1;
            handling.dispatched_at = None;
            handling.arrived_at = None;
        }
        Action::Arrive => handling.arrived_at = Some(now),
        Action::Resolve => handling.resolved_at = Some(now),
        Action::Verify => {
            handling.verified_at = Some(now);
            close(incident, CloseReason::Resolved, now);
        }
        Action::Extend => incident.control_by = command.deadline.unwrap_or(incident.control_by),
        Action::Close => close(incident, CloseReason::Closed, now),
        Action::FalseAlarm => close(incident, CloseReason::FalseAlarm, now),
        Action::Reopen => {
            handling.resolved_at = None;
            handling.verified_at = None;
            incident.last_heard_at = incident.last_heard_at.max(now);
            reopen(incident, now);
        }
        Action::PinPriority => incident.pinned = command.band,
        Action::UnpinPriority => {
            incident.pinned = None;
            incident.lower_since = Some(crate::priority::UNPINNED);
        }
        // What changes the grouping is not handling.
        Action::Merge | Action::Split | Action::Move | Action::Undo => {}
    }
}
