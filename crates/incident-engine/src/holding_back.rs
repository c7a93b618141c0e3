//! What readers are told of incidents that silences hold back: nothing, until one is shown; then all of it.
//!
//! A silence hides, it decides nothing: incidents form beneath it as ever, and their rows say what each event is. Only the
//! telling differs.

use std::collections::{BTreeMap, BTreeSet};

use city_model::{EventKey, Incident, IncidentId, Name, Outcome, Silence, Status, Watcher};

use crate::draft::Draft;
use crate::engine::Engine;
use crate::events::Seen;
use crate::ground::Announces;
use crate::priority::Assessment;
use crate::scene::Mark;
use crate::{Change, EventRow, Output};

/// What is said of an event that was held back until now.
const SHOWN: &str = "no longer held back";

impl Draft<'_> {
    /// The silences as they stand after this decision.
    pub(crate) fn standing_silences(&self) -> impl Iterator<Item = &Silence> {
        let revised = self.revised.as_ref();
        let stays =
            move |silence: &&Silence| revised.is_none_or(|revised| revised.silence_id != silence.silence_id);
        self.engine().silences.values().filter(stays).chain(revised)
    }

    /// Whether nothing is told of an incident. Never of a P1.
    pub(crate) fn keeps_back(&self, incident: &Incident, assessment: &Assessment) -> bool {
        if !incident.is_held_back() {
            return false;
        }
        match incident.status {
            Status::Merged => true,
            _ if assessment.band == city_model::Band::P1 => false,
            // It was over before anybody had to hear of it.
            Status::Closed => true,
            Status::Open => self.standing_silences().any(|silence| {
                silence.holds(self.setting(), incident, self.now, || {
                    self.engine().alarms_on(incident)
                })
            }),
        }
    }

    /// Finds out whether an incident that is being edited is held back, before its events are told of.
    pub(crate) fn hold_back(&mut self, id: &IncidentId) {
        let Some(incident) = self.touched.remove(id) else {
            return;
        };
        self.hold_back_as(&incident);
        self.touched.insert(id.clone(), incident);
    }

    /// The same of an incident that the draft does not have yet.
    pub(crate) fn hold_back_as(&mut self, incident: &Incident) {
        let id = &incident.id;
        if incident.is_held_back() {
            let assessment = Assessment::of(self.engine(), self.setting(), incident, self.now);
            let veil = self.keeps_back(incident, &assessment).then(|| veil(incident));
            self.veils.insert(id.clone(), veil);
        } else if self.engine().held_back(id).is_some() {
            self.veils.insert(id.clone(), None);
        }
    }

    /// The silence that holds an incident back.
    pub(crate) fn held_back(&self, id: &IncidentId) -> Option<Name> {
        match self.veils.get(id) {
            Some(veil) => veil.clone(),
            None => self.engine().held_back(id),
        }
    }

    /// A row as readers are told of it, and the silence by which it is held back.
    pub(crate) fn as_told(&self, row: &EventRow) -> (EventRow, Option<Name>) {
        told_by(row, row.incident.as_ref().and_then(|id| self.held_back(id)))
    }

    /// From here on readers are told of an incident: of its events first. Its times begin now.
    pub(crate) fn show(&mut self, incident: &mut Incident) {
        incident.opened_at = incident.opened_at.max(self.now);
        incident.last_heard_at = incident.last_heard_at.max(self.now);
        let outputs = self.decision.outputs.iter();
        let told: BTreeSet<EventKey> = outputs
            .filter_map(|output| match output {
                Output::Outcome { row, .. } => Some(row.key.clone()),
                _ => None,
            })
            .collect();
        // What this very decision has made of events: one that has just left, for another that is held back, is not shown here.
        let changes = self.decision.changes.iter();
        let mut decided: BTreeMap<EventKey, EventRow> = changes
            .filter_map(|change| match change {
                Change::PutEvent(row) => Some((row.key.clone(), row.clone())),
                _ => None,
            })
            .collect();
        let engine = self.engine();
        let mut rows = engine.rows_of(incident);
        rows.retain(|row| !told.contains(&row.key));
        for old in rows {
            let before = engine.as_told(&old);
            let row = decided.remove(&old.key).unwrap_or(old);
            if !row.outcome.belongs() || row.incident.as_ref() != Some(&incident.id) {
                continue;
            }
            engine.count(&mut self.decision.changes, row.source, before.outcome, -1);
            engine.count(&mut self.decision.changes, row.source, row.outcome, 1);
            self.decision.outputs.push(Output::Outcome {
                evidence: row.held.as_ref().map(|held| Box::new(held.evidence())),
                reason: Some(SHOWN.into()),
                row,
            });
        }
    }
}

impl Engine {
    /// The silence that holds an incident back, as it is now.
    pub(crate) fn held_back(&self, id: &IncidentId) -> Option<Name> {
        let incident = self.incidents.get(id)?;
        incident.is_held_back().then(|| veil(incident))
    }

    /// A row as readers were told of it.
    pub(crate) fn as_told(&self, row: &EventRow) -> EventRow {
        told_by(row, row.incident.as_ref().and_then(|id| self.held_back(id))).0
    }

    /// Whether an event counts in an open incident that is held back: when that is shown, it has to be told of.
    pub(crate) fn is_to_be_told(&self, key: &EventKey) -> bool {
        let seen = self.seen(key);
        let counts = seen.filter(|seen| matches!(seen.outcome(), Outcome::Opened | Outcome::Joined));
        counts.is_some_and(|seen| self.veiled.contains(&seen.incident_number()))
    }

    /// The open incidents that are held back, in the order of their ids.
    pub(crate) fn all_held_back(&self) -> Vec<&Incident> {
        let veiled = self.numbered(&self.veiled).map(std::sync::Arc::as_ref);
        let mut held_back: Vec<&Incident> = veiled.collect();
        held_back.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        held_back
    }

    /// Whether a sensor has not said that it is over. After its kind's gap it alarms of another incident: the latest counts.
    fn alarms_on(&self, incident: &Incident) -> bool {
        let is_latest = |device: &Name| {
            let bearing = self.all_bearing(Mark::Device(device));
            let mut others = bearing.filter(|other| other.id != incident.id && other.kind == incident.kind);
            !others.any(|other| other.last_event_at > incident.last_event_at)
        };
        let alarming = |watcher: &Watcher| watcher.measures && watcher.alarming;
        let mut devices = (&incident.devices).into_iter();
        devices.any(|(device, watcher)| alarming(watcher) && is_latest(device))
    }

    /// The rows of the events in an incident, in the order of their identities.
    fn rows_of(&self, incident: &Incident) -> Vec<EventRow> {
        let is_in = |seen: &Seen<'_>| seen.outcome().belongs() && seen.incident_id() == Some(&incident.id);
        let mut rows: Vec<EventRow> = if incident.base.is_none() && !incident.tail.is_empty() {
            let seen = incident.tail.iter().filter_map(|turn| self.seen(&turn.key));
            seen.filter(is_in).map(Seen::to_row).collect()
        } else {
            // Of what is settled only the rows know where it went. It is seldom asked for.
            self.all_seen().filter(is_in).map(Seen::to_row).collect()
        };
        rows.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        rows
    }
}

fn veil(incident: &Incident) -> Name {
    let ids = incident.silences.iter().flatten();
    ids.min().cloned().unwrap_or_else(|| "".into())
}

fn told_by(row: &EventRow, veil: Option<Name>) -> (EventRow, Option<Name>) {
    let Some(veil) = veil else {
        return (row.clone(), None);
    };
    let own = row.held.as_ref().and_then(|held| held.silence.clone());
    let told = EventRow {
        outcome: if row.outcome.belongs() {
            Outcome::Silenced
        } else {
            row.outcome
        },
        incident: None,
        held: None,
        ..row.clone()
    };
    let silence = format!("silence {}", own.unwrap_or(veil)).into();
    (told, row.outcome.belongs().then_some(silence))
}
