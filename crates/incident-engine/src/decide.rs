//! Decides one input: looks at the state, answers with rows and with what readers are told.

use std::sync::Arc;

use city_model::{
    Activation, CloseReason, Event, EventKey, EventTime, Incident, IncidentId, Input, LedgerCell, Outcome,
    Signal, Source, Status, Watcher,
};

use crate::again::{Again, Retelling};
use crate::draft::Draft;
use crate::engine::{Engine, is_alike};
use crate::joining::{enter, found_as};
use crate::matching::Matcher;
use crate::passage::{close_stale, is_stale, over_since, reopen};
use crate::scene::Mark;
use crate::{Change, Decision, EventRow, Held, Output, Withheld};

impl Engine {
    /// Looks at the state and decides what an input changes.
    pub fn decide(&self, input: &Input) -> Decision {
        match input {
            Input::Activation(activation) => self.decide_activation(activation),
            Input::Event(event) => self.decide_event(event),
            Input::Tick(tick) => self.decide_tick(tick),
            Input::Warning {
                warning,
                counts,
                note,
            } => self.decide_warning(warning, *counts, note.as_ref()),
            Input::Silence {
                silence,
                counts,
                note,
            } => self.decide_silence(silence, *counts, note.as_ref()),
            Input::Command(command) => self.decide_command(command),
        }
    }

    /// An activation that holds already changes nothing: every partition of every process announces it.
    fn decide_activation(&self, activation: &Activation) -> Decision {
        let mut activation = activation.clone();
        if let Some(setting) = &self.setting
            && !self.incidents.is_empty()
        {
            // Kept incidents lie on this plane: a grid whose middle moved must not move them.
            activation.origin = setting.activation.origin;
        }
        let mut decision = Decision::default();
        if self
            .setting
            .as_ref()
            .is_none_or(|setting| *setting.activation != activation)
        {
            let activation = Arc::new(activation);
            if let Some(setting) = &self.setting
                && !is_alike(&setting.activation, &activation)
            {
                // Other rules hold for what comes now: what was decided by these is not decided again.
                let mut draft = Draft::new(self, setting);
                self.settle_tails(&mut draft, setting, EventTime::from_millis(i64::MAX));
                decision.changes.extend(draft.finish().changes);
            }
            decision.changes.push(Change::Activate(activation));
        }
        decision
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
                ..
            } => (
                EventKey::new("weather", &warning.warning_id),
                Source::Weather,
                warning.issued_at,
            ),
            Input::Silence {
                silence,
                counts: true,
                ..
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
            order: None,
            held: None,
        };
        self.count(&mut decision.changes, source, row.outcome, 1);
        decision.outputs.push(Output::Outcome {
            row,
            reason: Some(city_model::DeadLetterReason::ProcessingFailed.as_str().into()),
            evidence: None,
        });
        decision
    }

    fn decide_event(&self, event: &Arc<Event>) -> Decision {
        let Some(setting) = &self.setting else {
            return self.decide_failed(&Input::Event(event.clone()));
        };
        let mut draft = Draft::new(self, setting);
        if self.events.contains_key(&event.key) {
            self.count(&mut draft.decision.changes, event.source, Outcome::DuplicateId, 1);
            return draft.finish();
        }
        // The incident that an event founded outlives the memory of the event: founding it again would begin it anew.
        let own_id = IncidentId::found(&setting.activation.city, &event.group, &event.key);
        if self.incidents.contains_key(&own_id) {
            self.count(&mut draft.decision.changes, event.source, Outcome::DuplicateId, 1);
            return draft.finish();
        }
        let Some(kind) = setting.rules.kind_id(event.kind.as_str()) else {
            return self.decide_failed(&Input::Event(event.clone()));
        };
        if setting.is_late(event) {
            draft.outcome(
                event,
                Outcome::Late,
                None,
                Some("older than its source may be".into()),
                None,
            );
            // It decides nothing more, so nobody need know which algorithm told of it or when its turn was: the public schema
            // has no such fields.
            let mut told = event.clone();
            if told.algorithm.is_some() || told.waits_ms != 0 {
                let told = Arc::make_mut(&mut told);
                (told.algorithm, told.waits_ms) = (None, 0);
            }
            draft.decision.outputs.push(Output::Late(told));
            return draft.finish();
        }
        // The clock may lag behind a record: it is the least over all partitions. What the record shows is later.
        draft.set_now(
            self.clock()
                .map_or(event.ingested_at, |clock| clock.max(event.ingested_at)),
        );
        if event.signal == Signal::Clear {
            return self.decide_clear(draft, event);
        }
        let turn = event.turn(setting.activation.reorder_ms);
        let settled_before = self.settled_before();
        let silence = self.announced(setting, kind, event);
        let found_match = if turn.order < settled_before || self.unsettled.is_last(&turn) {
            Matcher::find_in(self, self, setting, kind, event)
        } else if let Some(found) = self.find_apart(setting, kind, event, &turn) {
            found
        } else {
            match Retelling::of(self, setting, kind, event, silence.as_ref()) {
                Again::Alone(found) => found,
                Again::Moved(moved) => {
                    draft.withheld(Withheld::Commanded, moved.withheld.len());
                    self.regroup(&mut draft, setting, &moved, event);
                    draft.settle_touched();
                    return draft.finish();
                }
                Again::TooMany => {
                    draft.withheld(Withheld::TooMany, 1);
                    Matcher::find_in(self, self, setting, kind, event)
                }
            }
        };
        let mut related = found_match.also_in_reach;
        related.extend(found_match.graver_than);
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
                let mut incident = found_as(setting, event, own_id);
                incident.recurrence_of = found_match.repeats.or_else(|| {
                    let repeated = self.recurrence(setting, kind, event)?;
                    if self.was_false_alarm(&repeated) {
                        related.push(repeated); // it cannot come back
                        return None;
                    }
                    Some(repeated)
                });
                // By what the centre closed those who urge that ticket find this one.
                related.extend(
                    incident
                        .recurrence_of
                        .clone()
                        .filter(|closed| self.is_commanded(closed)),
                );
                let id = incident.id.clone();
                draft.touched.insert(id.clone(), Arc::new(incident));
                (id, Outcome::Opened)
            }
        };
        if outcome != Outcome::Continued {
            related.extend(self.related_near(setting, kind, event));
        }
        related.retain(|other| {
            !self
                .incidents
                .get(other)
                .is_some_and(|other| other.is_held_back())
        });
        let held = Arc::new(Held {
            silence,
            ..Held::new(event.clone(), &evidence)
        });
        let is_stale = is_stale(setting, event);
        let now = draft.now;
        draft.edit(&id, |setting, incident| {
            let counts = outcome != Outcome::Continued;
            enter(setting, incident, &held, counts, settled_before);
            incident
                .related
                .extend(related.iter().filter(|other| **other != incident.id).cloned());
            if incident.status == Status::Closed && !is_stale && !is_history(incident, event) {
                reopen(incident, now);
            }
            if outcome == Outcome::Opened && is_stale {
                close_stale(incident, now);
            }
        });
        if draft
            .touched
            .get(&id)
            .is_some_and(|incident| incident.is_held_back())
            || self.held_back(&id).is_some()
        {
            draft.hold_back(&id);
        }
        let is_shown = draft.held_back(&id).is_none();
        for other in related.iter().filter(|other| **other != id && is_shown) {
            draft.edit(other, |_, incident| {
                incident.related.insert(id.clone());
            });
        }
        if outcome == Outcome::Continued {
            draft.continued = Some(id.clone());
        }
        draft.member(&held, outcome, id, evidence, turn.order >= settled_before);
        draft.settle_touched();
        draft.finish()
    }

    /// A clear signal ends what its device said; when no device alarms any more, the incident is cleared.
    fn decide_clear(&self, mut draft: Draft<'_>, event: &Event) -> Decision {
        let alarming = |incident: &&Arc<Incident>| {
            incident.status == Status::Open
                && (incident.kind == event.kind || event.alternatives.contains(&incident.kind))
                && event
                    .device
                    .as_ref()
                    .and_then(|device| incident.devices.get(device))
                    .is_some_and(|watcher| watcher.alarming)
        };
        let bearing = event
            .device
            .iter()
            .flat_map(|device| self.all_bearing(Mark::Device(device)));
        let alarming: Vec<_> = bearing.filter(alarming).collect();
        // After its kind's gap it may have alarmed of another while the first was open: handled, or held back. It is over for all.
        let latest = alarming.iter().max_by(|a, b| a.founding.cmp(&b.founding));
        let id = latest.map(|incident| incident.id.clone());
        for incident in &alarming {
            draft.edit(&incident.id, |setting, incident| {
                incident.take_care(|care| care.clear_told = care.clear_told.max(Some(event.event_time)));
                incident.devices.rewrite(|device, watcher| Watcher {
                    alarming: watcher.alarming && event.device.as_ref() != Some(device),
                    ..*watcher
                });
                if incident.is_cleared() {
                    incident.cleared_at = over_since(setting, incident, event);
                }
            });
        }
        draft.outcome(event, Outcome::Cleared, id, None, None);
        draft.settle_touched();
        draft.finish()
    }
}

/// Whether an event tells of the time before a closed incident's devices cleared: it belongs, and changes nothing about
/// that it is over.
pub(crate) fn is_history(incident: &Incident, event: &Event) -> bool {
    incident.close_reason == Some(CloseReason::Cleared)
        && incident.over_at().is_some_and(|at| event.event_time <= at)
}

impl Engine {
    /// Whether the centre has said of an incident that it was a false alarm.
    pub(crate) fn was_false_alarm(&self, id: &IncidentId) -> bool {
        let incident = self.incidents.get(id);
        incident.is_some_and(|incident| incident.close_reason == Some(CloseReason::FalseAlarm))
    }

    fn is_commanded(&self, id: &IncidentId) -> bool {
        self.incidents.get(id).is_some_and(|incident| incident.commanded)
    }

    /// How many records of a source have an outcome here.
    pub fn counted(&self, source: Source, outcome: Outcome) -> i64 {
        self.ledger.get(LedgerCell::Outcome(source, outcome))
    }
}
