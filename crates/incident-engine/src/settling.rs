//! What no event can precede any more goes from an incident's tail into what it rests on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use city_model::{EventTime, Incident, IncidentId};

use crate::draft::Draft;
use crate::engine::Engine;
use crate::{Change, Setting};

impl Engine {
    /// An incident that more events came to than could be decided again, with the earlier half of them settled before their
    /// time: what it keeps, and what each further event costs, is bounded. `None` for any other.
    pub(crate) fn shortened(&self, setting: &Setting, incident: &Incident) -> Option<Incident> {
        let middle = incident
            .tail
            .get(crate::again::MOST)
            .and(incident.tail.get(crate::again::MOST / 2))?;
        let earlier = incident.tail.iter().take_while(|turn| turn.order < middle.order);
        // The event that is being decided is not held yet; it may be among the earlier ones, and then the next one settles them.
        let all_held = earlier.into_iter().all(|turn| self.is_held(&turn.key));
        all_held
            .then(|| self.settled(setting, incident, middle.order))
            .flatten()
    }

    /// Settles the members before a time. Readers see nothing of it, so it makes no revision.
    pub(crate) fn settle_tails(&self, draft: &mut Draft<'_>, setting: &Setting, before: EventTime) {
        let ids = self.concerned(self.unsettled.settled(before));
        if ids.is_empty() {
            return;
        }
        let mut latest: BTreeMap<&IncidentId, Option<&Arc<Incident>>> = BTreeMap::new();
        for change in &draft.decision.changes {
            match change {
                Change::PutIncident(incident) => latest.insert(&incident.id, Some(incident)),
                Change::RemoveIncident(id) => latest.insert(id, None),
                _ => None,
            };
        }
        let mut settled = Vec::new();
        for id in ids {
            let now = latest.get(id).copied().unwrap_or_else(|| self.incidents.get(id));
            if let Some(incident) = now.and_then(|now| self.settled(setting, now, before)) {
                settled.push(Change::PutIncident(Arc::new(incident)));
            }
        }
        draft.decision.changes.extend(settled);
    }

    /// The incidents that some events belong to, and those that hold them as well: what theirs was merged into, and what would
    /// have them again if a command were taken back.
    fn concerned(&self, events: impl Iterator<Item = u32>) -> BTreeSet<&IncidentId> {
        let ids = events.filter_map(|number| self.seen_at(number)?.incident_id());
        let mut waiting: Vec<&IncidentId> = ids.collect();
        let mut found = BTreeSet::new();
        while let Some(id) = waiting.pop() {
            if !found.insert(id) {
                continue;
            }
            let Some(incident) = self.incidents.get(id) else {
                continue;
            };
            waiting.extend(&incident.merged_into);
            let mut last = incident.last_command.as_deref();
            while let Some(command) = last {
                waiting.extend(command.other.iter().chain(&command.homes));
                last = command.without.last_command.as_deref();
            }
        }
        found
    }
}
