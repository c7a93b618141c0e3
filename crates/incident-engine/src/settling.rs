//! What no event can precede any more goes from an incident's tail into what it rests on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use city_model::{EventTime, Incident, IncidentId};

use crate::draft::Draft;
use crate::engine::Engine;
use crate::{Change, Setting};

impl Engine {
    /// Settles the members before a time. Readers see nothing of it, so it makes no revision.
    pub(crate) fn settle_tails(&self, draft: &mut Draft<'_>, setting: &Setting, before: EventTime) {
        let ids: BTreeSet<&IncidentId> = self
            .unsettled
            .settled(before)
            .filter_map(|key| self.events.get(key)?.incident.as_ref())
            .collect();
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
}
