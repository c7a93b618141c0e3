//! An incident put together again from its base and some of its tail: as it was before a turn, or without what left it.

use std::borrow::Cow;
use std::sync::Arc;

use city_model::{EventKey, EventTime, Incident, IncidentId, LastCommand, Status, Turn};
use rustc_hash::FxHashMap;

use crate::engine::Engine;
use crate::joining::{found_as, hear};
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

    /// Whether it is kept what an event said.
    pub(crate) fn is_held(&self, key: &EventKey) -> bool {
        self.seen(key).is_some_and(|seen| seen.is_held())
    }

    /// What an event said as a member of one incident: what came to it by a merge says nothing of where it lies.
    pub(crate) fn held_in(&self, incident: &Incident, key: &EventKey) -> Option<Cow<'_, Held>> {
        let seen = self.seen(key)?;
        let held: &Held = seen.held()?;
        let home = seen.incident_id().filter(|home| {
            incident.commanded
                && **home != incident.id
                && incident.place_of.as_ref() != Some(home)
                && !held.elsewhere
        });
        if home.is_none_or(|home| !self.is_part_of(home, &incident.id)) {
            return Some(Cow::Borrowed(held));
        }
        Some(Cow::Owned(Held {
            elsewhere: true,
            ..held.clone()
        }))
    }

    /// Whether one incident was merged into another, also by way of others.
    fn is_part_of(&self, part: &IncidentId, whole: &IncidentId) -> bool {
        let next = |incident: &Arc<Incident>| {
            incident
                .merged_into
                .as_ref()
                .and_then(|id| self.incidents.get(id))
        };
        let chain = std::iter::successors(self.incidents.get(part), |incident| next(incident));
        chain
            .skip(1)
            .take(crate::engine::LONGEST_CHAIN)
            .any(|incident| incident.id == *whole)
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
        if is_grouped_by_hand(incident) || incident.tail.last().is_none_or(|last| last < turn) {
            return Some(incident.clone());
        }
        let rebuilt = earlier.entry(incident.id.clone()).or_insert_with(|| Rebuilt {
            members: 0,
            incident: from_base(incident).map(|mut first| {
                stand_as(&mut first, incident);
                Arc::new(first)
            }),
        });
        let until = incident.tail.partition_point(|member| member < turn);
        if rebuilt.members < until {
            let mut before = rebuilt.incident.take().map(Arc::unwrap_or_clone);
            for member in &incident.tail[rebuilt.members..until] {
                if let Some(held) = self.held_in(incident, &member.key) {
                    take_as(setting, &mut before, &held, || incident.id.clone());
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

    /// The same incident with the members before a time in its base, and so what it would be without its commands. `None` when
    /// there are none.
    pub(crate) fn settled(
        &self,
        setting: &Setting,
        incident: &Incident,
        before: EventTime,
    ) -> Option<Incident> {
        let last = incident.last_command.as_deref().and_then(|last| {
            let without = self.settled(setting, &last.without, before)?;
            Some(Arc::new(LastCommand {
                command_id: last.command_id.clone(),
                operator: last.operator.clone(),
                action: last.action,
                other: last.other.clone(),
                events: last.events.clone(),
                homes: last.homes.clone(),
                without,
                of_handling: last.of_handling,
            }))
        });
        let own = self.settled_alone(setting, incident, before);
        if own.is_none() && last.is_none() {
            return None;
        }
        let mut settled = own.unwrap_or_else(|| incident.clone());
        settled.last_command = last.or(settled.last_command);
        Some(settled)
    }

    /// The same without regard to its commands.
    pub(crate) fn settled_alone(
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
            if let Some(held) = self.held_in(incident, &member.key) {
                take_as(setting, &mut base, &held, || incident.id.clone());
            }
        }
        settled.base = base.map(|base| Arc::new(base.as_base()));
        Some(settled)
    }
}

/// Whether the centre said what belongs to an incident: that is not decided again, and stands as it is for events of any turn.
fn is_grouped_by_hand(incident: &Incident) -> bool {
    let last = incident.last_command.as_deref();
    let mut chain = std::iter::successors(last, |last| last.without.last_command.as_deref());
    incident.commanded && (incident.status == Status::Merged || chain.any(|last| !last.of_handling))
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
        incident.base = Some(Arc::new(incident.as_base()));
    }
    hear(setting, incident, held, counts);
    let turn = held.event.turn(setting.activation.reorder_ms);
    let at = incident.tail.partition_point(|other| *other < turn);
    incident.tail.insert(at, turn);
}

/// Whether an event only goes on with what its device reported already.
pub(crate) fn continues(incident: &Incident, held: &Held) -> bool {
    held.event
        .device
        .as_ref()
        .is_some_and(|device| incident.devices.contains_key(device))
}

/// Gives an incident what readers were told last of another state of it.
pub(crate) fn told_as(incident: &mut Incident, known: &Incident) {
    incident.revision = known.revision;
    incident.dirty = known.dirty;
    incident.revised_at = known.revised_at;
    incident.revised_in = known.revised_in;
    incident.shown_in = known.shown_in;
    incident.band = known.band;
    incident.previous = known.previous.clone();
}

/// What is settled of an incident, as what its tail is put on again; `None` where nothing is.
pub(crate) fn from_base(incident: &Incident) -> Option<Incident> {
    incident.base.as_ref().map(|base| Incident {
        base: Some(base.clone()),
        ..(**base).clone()
    })
}

/// Gives an incident the life that another state of it has: whether it is open, and what was done about it.
pub(crate) fn live_as(incident: &mut Incident, other: &Incident) {
    incident.status = other.status;
    incident.close_reason = other.close_reason;
    incident.opened_at = other.opened_at;
    incident.closed_at = other.closed_at;
    incident.handling = other.handling.clone();
    incident.care = other.care.clone();
    incident.time_points = other.time_points;
}

/// Gives what was put together again the life of the incident that it is: what readers were told, what was done, and what
/// its devices said since.
pub(crate) fn stand_as(rebuilt: &mut Incident, known: &Incident) {
    rebuilt.id = known.id.clone();
    rebuilt.named_after = (rebuilt.founding.key != *known.namer()).then(|| known.namer().clone());
    live_as(rebuilt, known);
    rebuilt.merged_into = known.merged_into.clone();
    told_as(rebuilt, known);
    rebuilt.storm_id = known.storm_id.clone();
    rebuilt.lower_since = known.lower_since;
    rebuilt.pinned = known.pinned;
    rebuilt.dispatch_by = known.dispatch_by;
    rebuilt.control_by = known.control_by;
    rebuilt.related = known.related.clone();
    rebuilt.recurrence_of = known.recurrence_of.clone();
    rebuilt.inhibited_by = known.inhibited_by.clone();
    if !known.is_held_back() {
        rebuilt.silences = None; // what was shown stays shown
    }
    rebuilt.config_version = known.config_version.clone();
    rebuilt.commanded = known.commanded;
    rebuilt.place_of = known.place_of.clone();
    rebuilt.last_command = known.last_command.clone();
}
