//! Decides one input: looks at the state, answers with rows and with what readers are told.

use std::collections::BTreeMap;
use std::sync::Arc;

use city_model::{
    CloseReason, Event, EventKey, EventTime, Incident, IncidentId, Input, LedgerCell, MINUTE_MS, Name,
    Outcome, Signal, Source, Status,
};

use crate::engine::Engine;
use crate::joining::{absorb, found};
use crate::passage::{close, reopen};
use crate::priority::Assessment;
use crate::record::IncidentRecord;
use crate::{Change, Decision, EventRow, Evidence, Output, Setting};

/// What merely continues is worth a revision only this often, unless it changes the priority.
const CONTINUED_REVISION_MS: i64 = 10 * MINUTE_MS;

impl Engine {
    /// Looks at the state and decides what an input changes.
    pub fn decide(&self, input: &Input) -> Decision {
        match input {
            Input::Activation(activation) => {
                let known = self
                    .setting
                    .as_ref()
                    .is_some_and(|s| *s.activation == **activation);
                let mut decision = Decision::default();
                if !known {
                    decision
                        .changes
                        .push(Change::Activate(Arc::new((**activation).clone())));
                }
                decision
            }
            Input::Event(event) => self.decide_event(event),
            Input::Tick(tick) => self.decide_tick(tick),
            Input::Warning { warning, counts } => self.decide_warning(warning, *counts),
            Input::Silence { silence, counts } => self.decide_silence(silence, *counts),
            Input::Command(command) => self.decide_command(command),
        }
    }

    /// Looks at the state and decides what becomes of an input whose decision failed: it is counted, never lost.
    pub fn decide_failed(&self, input: &Input) -> Decision {
        let (key, source, at) = match input {
            Input::Event(event) => (event.key.clone(), event.source, event.ingested_at),
            Input::Command(command) => (
                crate::passage::command_key(command),
                Source::Command,
                command.issued_at,
            ),
            Input::Warning {
                warning,
                counts: true,
            } => (
                EventKey::new("weather", &warning.warning_id),
                Source::Weather,
                warning.issued_at,
            ),
            Input::Silence {
                silence,
                counts: true,
            } => (
                EventKey::new("silence", &silence.silence_id),
                Source::Silence,
                silence.starts_at,
            ),
            _ => return Decision::default(),
        };
        let mut decision = Decision::default();
        let row = EventRow {
            key,
            source,
            outcome: Outcome::DeadLetter,
            incident: None,
            ingested_at: at,
            ticket: None,
        };
        self.count(&mut decision.changes, source, row.outcome, 1);
        decision.outputs.push(Output::Outcome {
            row,
            reason: Some(city_model::DeadLetterReason::ProcessingFailed.as_str().into()),
            evidence: None,
        });
        decision
    }

    fn decide_event(&self, event: &Event) -> Decision {
        let Some(setting) = &self.setting else {
            return self.decide_failed(&Input::Event(Box::new(event.clone())));
        };
        let mut draft = Draft::new(self, setting);
        if self.events.contains_key(&event.key) {
            self.count(&mut draft.decision.changes, event.source, Outcome::DuplicateId, 1);
            return draft.finish();
        }
        let Some(kind) = setting.rules.kind_id(event.kind.as_str()) else {
            return self.decide_failed(&Input::Event(Box::new(event.clone())));
        };
        if setting.is_late(event) {
            draft.outcome(
                event,
                Outcome::Late,
                None,
                Some("older than its source may be".into()),
                None,
            );
            draft.decision.outputs.push(Output::Late(Box::new(event.clone())));
            return draft.finish();
        }
        draft.set_now(self.clock().unwrap_or(event.ingested_at));
        if event.signal == Signal::Clear {
            return self.decide_clear(draft, event);
        }
        let found_match = self.find(setting, kind, event);
        if found_match.incident.is_none()
            && let Some(silence) = self.silenced_by(setting, kind, event)
        {
            draft.outcome(event, Outcome::Silenced, None, Some(silence), None);
            return draft.finish();
        }
        let evidence = found_match.evidence;
        let (id, outcome) = match found_match.incident {
            Some(incident) => {
                let continues = event
                    .device
                    .as_ref()
                    .is_some_and(|device| incident.devices.contains_key(device));
                (
                    incident.id.clone(),
                    if continues {
                        Outcome::Continued
                    } else {
                        Outcome::Joined
                    },
                )
            }
            None => {
                let mut incident = found(setting, event);
                incident.recurrence_of = self.recurrence(setting, kind, event);
                let id = incident.id.clone();
                draft.touched.insert(id.clone(), incident);
                (id, Outcome::Opened)
            }
        };
        let mut related = found_match.also_in_reach;
        if outcome != Outcome::Continued {
            related.extend(self.related_near(setting, kind, event));
        }
        let max_life_ms = setting.rules.kind(kind).max_life_ms;
        let now = draft.now;
        draft.edit(&id, |setting, incident| {
            absorb(setting, incident, event, &evidence, outcome != Outcome::Continued);
            incident
                .related
                .extend(related.iter().filter(|other| **other != incident.id).cloned());
            if incident.status == Status::Closed {
                reopen(incident);
            }
            if outcome == Outcome::Opened && now - event.event_time > max_life_ms {
                close(incident, CloseReason::Stale, now);
            }
        });
        for other in related.iter().filter(|other| **other != id) {
            draft.edit(other, |_, incident| {
                incident.related.insert(id.clone());
            });
        }
        if outcome == Outcome::Continued {
            draft.continued = Some(id.clone());
        }
        draft.outcome(event, outcome, Some(id), None, Some(evidence));
        draft.settle_touched();
        draft.finish()
    }

    /// A clear signal ends what its device said; when no device alarms any more, the incident is cleared.
    fn decide_clear(&self, mut draft: Draft<'_>, event: &Event) -> Decision {
        let alarming = |incident: &&Arc<Incident>| {
            incident.status == Status::Open
                && incident.kind == event.kind
                && event
                    .device
                    .as_ref()
                    .and_then(|device| incident.devices.get(device))
                    .is_some_and(|watcher| watcher.alarming)
        };
        let ids = event
            .device
            .as_ref()
            .and_then(|device| self.by_device.get(device))
            .into_iter()
            .flatten();
        let incident = ids
            .filter_map(|id| self.incidents.get(id))
            .filter(alarming)
            .min_by(|a, b| a.founding.cmp(&b.founding));
        let id = incident.map(|incident| incident.id.clone());
        if let Some(id) = &id {
            draft.edit(id, |_, incident| {
                if let Some(watcher) = event
                    .device
                    .as_ref()
                    .and_then(|device| incident.devices.get_mut(device))
                {
                    watcher.alarming = false;
                }
                if incident.is_cleared() {
                    incident.cleared_at = Some(event.ingested_at);
                }
            });
        }
        draft.outcome(event, Outcome::Cleared, id, None, None);
        draft.settle_touched();
        draft.finish()
    }
}

/// A decision in the making: incidents that it touches are copied, edited, judged once and then entered.
pub(crate) struct Draft<'a> {
    engine: &'a Engine,
    setting: &'a Setting,
    pub(crate) now: EventTime,
    pub(crate) touched: BTreeMap<IncidentId, Incident>,
    pub(crate) continued: Option<IncidentId>,
    pub(crate) decision: Decision,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(engine: &'a Engine, setting: &'a Setting) -> Draft<'a> {
        Draft {
            engine,
            setting,
            now: EventTime::MIN,
            touched: BTreeMap::new(),
            continued: None,
            decision: Decision::default(),
        }
    }

    pub(crate) fn set_now(&mut self, now: EventTime) {
        self.now = now;
    }

    pub(crate) fn setting(&self) -> &'a Setting {
        self.setting
    }

    pub(crate) fn change(&mut self, change: Change) {
        self.decision.changes.push(change);
    }

    /// Edits an incident; its priority is judged when the draft settles.
    pub(crate) fn edit(&mut self, id: &IncidentId, edit: impl FnOnce(&Setting, &mut Incident)) {
        if !self.touched.contains_key(id) {
            let Some(incident) = self.engine.incidents.get(id) else {
                return;
            };
            self.touched.insert(id.clone(), (**incident).clone());
        }
        if let Some(incident) = self.touched.get_mut(id) {
            edit(self.setting, incident);
        }
    }

    /// Enters what became of an event, and counts it.
    fn outcome(
        &mut self,
        event: &Event,
        outcome: Outcome,
        incident: Option<IncidentId>,
        reason: Option<Name>,
        evidence: Option<Evidence>,
    ) {
        let row = EventRow {
            key: event.key.clone(),
            source: event.source,
            outcome,
            incident,
            ingested_at: event.ingested_at,
            ticket: event.ticket.clone(),
        };
        self.told(row, reason, evidence);
    }

    /// Enters a row, counts its outcome and tells readers.
    pub(crate) fn told(&mut self, row: EventRow, reason: Option<Name>, evidence: Option<Evidence>) {
        self.engine
            .count(&mut self.decision.changes, row.source, row.outcome, 1);
        self.decision.changes.push(Change::PutEvent(row.clone()));
        self.decision.outputs.push(Output::Outcome {
            row,
            reason,
            evidence: evidence.map(Box::new),
        });
    }

    /// Judges every touched incident and enters it: a changed band is published at once, the rest waits for the tick.
    pub(crate) fn settle_touched(&mut self) {
        for (id, incident) in std::mem::take(&mut self.touched) {
            let before = self.engine.incidents.get(&id).map(Arc::as_ref);
            if incident.status != Status::Open
                && crate::passage::due(self.setting, &incident).is_some_and(|due| due <= self.now)
                && before.is_some_and(|before| before.status != Status::Open && !before.dirty)
            {
                let (change, output) = crate::passage::removed(&id);
                self.decision.changes.push(change);
                self.decision.outputs.push(output);
                continue;
            }
            self.settle(before, incident);
        }
    }

    fn settle(&mut self, before: Option<&Incident>, mut incident: Incident) {
        let assessment = Assessment::of(self.engine, self.setting, &incident, self.now);
        let changed_band = assessment.move_band(self.setting, &mut incident, self.now);
        let quietly = before.is_some_and(|before| {
            self.continued.as_ref() == Some(&incident.id)
                && before.status == incident.status
                && incident.last_heard_at - before.revised_at < CONTINUED_REVISION_MS
                && Assessment::of(self.engine, self.setting, before, self.now).score == assessment.score
        });
        if before.is_none_or(|before| *before != incident) && !quietly {
            incident.dirty = true;
        }
        incident.config_version = self.setting.activation.version.clone();
        let moved = before.is_none_or(|before| before.status != incident.status) || changed_band;
        if moved {
            self.publish(&mut incident, &assessment);
        }
        self.decision
            .changes
            .push(Change::PutIncident(Arc::new(incident)));
    }

    /// Makes a revision of an incident.
    fn publish(&mut self, incident: &mut Incident, assessment: &Assessment) {
        incident.revision += 1;
        incident.dirty = false;
        incident.revised_at = self.now.max(incident.opened_at);
        let shown_in = (incident.status == Status::Open).then_some(incident.band);
        let leaves = incident.shown_in.filter(|band| Some(*band) != shown_in);
        incident.shown_in = shown_in;
        let record = Box::new(IncidentRecord::of(self.setting, incident, assessment));
        self.decision.outputs.push(Output::Revision {
            record,
            leaves,
            shown_in,
        });
    }

    /// Publishes every incident that changed since its last revision: those of this draft and those of earlier ones.
    pub(crate) fn publish_dirty(&mut self) {
        let mut latest: BTreeMap<IncidentId, Incident> = BTreeMap::new();
        for id in &self.engine.dirty {
            if let Some(incident) = self.engine.incidents.get(id) {
                latest.insert(id.clone(), (**incident).clone());
            }
        }
        for change in &self.decision.changes {
            match change {
                Change::PutIncident(incident) => {
                    latest.insert(incident.id.clone(), (**incident).clone());
                }
                Change::RemoveIncident(id) => {
                    latest.remove(id);
                }
                _ => {}
            }
        }
        for (_, mut incident) in latest {
            if incident.dirty {
                let assessment = Assessment::of(self.engine, self.setting, &incident, self.now);
                self.publish(&mut incident, &assessment);
                self.decision
                    .changes
                    .push(Change::PutIncident(Arc::new(incident)));
            }
        }
    }

    pub(crate) fn finish(self) -> Decision {
        debug_assert!(self.touched.is_empty(), "every touched incident is settled");
        self.decision
    }
}

impl Engine {
    /// How many records of a source have an outcome here.
    pub fn counted(&self, source: Source, outcome: Outcome) -> i64 {
        self.ledger.get(LedgerCell::Outcome(source, outcome))
    }
}
