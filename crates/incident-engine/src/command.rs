//! The centre's word about an incident: what it may say in which state, and what follows.

use city_model::{Action, CloseReason, Command, EventTime, Incident, Outcome, Source, Status};

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
        let now = draft.now;
        let refusal = match self.incidents.get(&command.incident_id) {
            None => Some("no such incident".to_owned()),
            Some(incident) => refusal(incident, command).map(str::to_owned),
        };
        let row = EventRow {
            key,
            source: Source::Command,
            outcome: if refusal.is_some() {
                Outcome::Refused
            } else {
                Outcome::Applied
            },
            incident: Some(command.incident_id.clone()),
            ingested_at: now,
            ticket: None,
            order: None,
            held: None,
        };
        if refusal.is_none() {
            draft.edit(&command.incident_id, |_, incident| {
                incident.commanded = true;
                carry_out(incident, command, now)
            });
        }
        draft.told(row, refusal.map(Into::into), None);
        draft.settle_touched();
        draft.finish()
    }
}

/// Why a command makes no sense now.
fn refusal(incident: &Incident, command: &Command) -> Option<&'static str> {
    let open = incident.status == Status::Open;
    match command.action {
        Action::Merge | Action::Split | Action::Move | Action::Undo => {
            Some("merge, split, move and undo are not offered by this version")
        }
        _ if incident.status == Status::Merged => Some("the incident was merged into another"),
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

fn carry_out(incident: &mut Incident, command: &Command, now: EventTime) {
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
            reopen(incident);
        }
        Action::PinPriority => incident.pinned = command.band,
        Action::UnpinPriority => {
            incident.pinned = None;
            incident.lower_since = Some(crate::priority::UNPINNED);
        }
        // Refused above.
        Action::Merge | Action::Split | Action::Move | Action::Undo => {}
    }
}
