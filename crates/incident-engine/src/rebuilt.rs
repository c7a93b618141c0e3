//! An incident put together again from its base and some of its tail: as it was before a turn, or without what left it.

use std::sync::Arc;

use city_model::{EventKey, EventTime, Incident, IncidentId, Turn};
use rustc_hash::FxHashMap;

use crate::engine::Engine;
use crate::joining::{absorb, found_as};
use crate::{Held, Setting};

/// What was put together of an incident.
pub(crate) struct Rebuilt {
    /// Of its tail, how many.
    members: usize,
    incident: Option<Arc<Incident>>,
}

impl Engine {
    /// What an event said, as long as it may be decided again.
    pub(crate) fn held(&self, key: &EventKey) -> Option<&Arc<Held>> {
        self.seen(key)?.held()
    }

    /// An incident as it was before a turn; `None` when it had no member then. What was put together of it before an earlier turn
    /// is gone on with: a crowd costs its members once, not once for each turn.
    pub(crate) fn as_before(
        &self,
        setting: &Setting,
        incident: &Arc<Incident>,
        turn: &Turn,
        earlier: &mut FxHashMap<IncidentId, Rebuilt>,
    ) -> Option<Arc<Incident>> {
        if incident.tail.last().is_none_or(|last| last < turn) {
            return Some(incident.clone());
        }
        let rebuilt = earlier.entry(incident.id.clone()).or_insert_with(|| Rebuilt {
            members: 0,
            incident: incident.base.as_ref().map(|base| {
                let mut first = Incident {
                    base: Some(base.clone()),
                    ..(**base).clone()
                };
                stand_as(&mut first, incident);
                Arc::new(first)
            }),
        });
        let until = incident.tail.partition_point(|member| member < turn);
        if rebuilt.members < until {
            let mut before = rebuilt.incident.take().map(Arc::unwrap_or_clone);
            for member in &incident.tail[rebuilt.members..until] {
                if let Some(held) = self.held(&member.key) {
                    take_as(setting, &mut before, held, || incident.id.clone());
                }
            }
            rebuilt.incident = before.map(|mut before| {
                stand_as(&mut before, incident);
                Arc::new(before)
            });
            rebuilt.members = until;
        }
        rebuilt.incident.clone()
    }

    /// The same incident with the members before a time in its base. `None` when there are none.
    pub(crate) fn settled(
        &self,
        setting: &Setting,
        incident: &Incident,
        before: EventTime,
    ) -> Option<Incident> {
        let until = incident.tail.partition_point(|member| member.order < before);
        if until == 0 {
            return None;
        }
        let mut settled = incident.clone();
        if until == incident.tail.len() {
            settled.tail.clear();
            settled.base = None;
            return Some(settled);
        }
        let mut base = incident.base.as_deref().cloned();
        for member in settled.tail.drain(..until) {
            if let Some(held) = self.held(&member.key) {
                take_as(setting, &mut base, held, || incident.id.clone());
            }
        }
        settled.base = base.map(|mut base| {
            base.tail.clear();
            base.base = None;
            Arc::new(base)
        });
        Some(settled)
    }
}

/// Enters a member into an incident that is put together again, and opens it with the first.
pub(crate) fn take(setting: &Setting, incident: &mut Option<Incident>, held: &Held) {
    let id = || IncidentId::found(&setting.activation.city, &held.event.group, &held.event.key);
    take_as(setting, incident, held, id);
}

/// The same where its id is known.
pub(crate) fn take_as(
    setting: &Setting,
    incident: &mut Option<Incident>,
    held: &Held,
    id: impl FnOnce() -> IncidentId,
) {
    let incident = incident.get_or_insert_with(|| found_as(setting, &held.event, id()));
    let counts = !continues(incident, held);
    if incident.tail.is_empty() && incident.base.is_none() && incident.member_count > 0 {
        incident.base = Some(Arc::new(incident.clone()));
    }
    absorb(setting, incident, &held.event, &held.evidence(), counts);
    crate::silence::announce(incident, held);
    incident.tail.push(held.event.turn(setting.activation.reorder_ms));
}

/// Whether an event only goes on with what its device reported already.
pub(crate) fn continues(incident: &Incident, held: &Held) -> bool {
    held.event
        .device
        .as_ref()
        .is_some_and(|device| incident.devices.contains_key(device))
}

/// Gives what was put together again the life of the incident that it is: what readers were told, what was done, and what
/// its devices said since.
pub(crate) fn stand_as(rebuilt: &mut Incident, known: &Incident) {
    rebuilt.id = known.id.clone();
    rebuilt.named_after = (rebuilt.founding.key != *known.namer()).then(|| known.namer().clone());
    rebuilt.status = known.status;
    rebuilt.close_reason = known.close_reason;
    rebuilt.merged_into = known.merged_into.clone();
    rebuilt.revision = known.revision;
    rebuilt.dirty = known.dirty;
    rebuilt.revised_at = known.revised_at;
    rebuilt.revised_in = known.revised_in;
    rebuilt.shown_in = known.shown_in;
    rebuilt.opened_at = known.opened_at;
    rebuilt.closed_at = known.closed_at;
    rebuilt.storm_id = known.storm_id.clone();
    rebuilt.band = known.band;
    rebuilt.previous = known.previous.clone();
    rebuilt.lower_since = known.lower_since;
    rebuilt.pinned = known.pinned;
    rebuilt.time_points = known.time_points;
    rebuilt.dispatch_by = known.dispatch_by;
    rebuilt.control_by = known.control_by;
    rebuilt.handling = known.handling.clone();
    rebuilt.care = known.care.clone();
    rebuilt.related = known.related.clone();
    rebuilt.recurrence_of = known.recurrence_of.clone();
    rebuilt.inhibited_by = known.inhibited_by.clone();
    if !known.is_held_back() {
        rebuilt.silences = None; // what was shown stays shown
    }
    rebuilt.config_version = known.config_version.clone();
    rebuilt.commanded = known.commanded;
    rebuilt.last_command = known.last_command.clone();
}
