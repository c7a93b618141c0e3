//! A decision in the making: what it edits is judged once, entered as a row, and published at once or with the next tick.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use city_model::{Band, Event, EventTime, Incident, IncidentId, MINUTE_MS, Name, Outcome, Silence, Status};

use crate::engine::Engine;
use crate::priority::Assessment;
use crate::record::IncidentRecord;
use crate::{Change, Decision, EventRow, Evidence, Held, Output, Setting, ToldBy, Withheld};

/// What merely continues is worth a revision only this often, unless it changes the priority.
const CONTINUED_REVISION_MS: i64 = 10 * MINUTE_MS;

/// So many revisions of what is no P1 are published in one tick; the rest waits for the next, the more urgent and then those
/// that waited longest first. So a flood of them never makes the transaction long that a P1 comes in. About 25 MB in the
/// topics.
const REVISIONS_A_TICK: usize = 4_000;

/// A decision in the making: incidents that it touches are copied, edited, judged once and then entered.
pub(crate) struct Draft<'a> {
    engine: &'a Engine,
    setting: &'a Setting,
    pub(crate) now: EventTime,
    /// The tick of this decision: an incident has one revision in each.
    tick: Option<EventTime>,
    /// It begins that tick: what it has to tell goes by urgency, with what waited.
    flushes: bool,
    /// Nobody else holds these, so they are edited where they are.
    pub(crate) touched: BTreeMap<IncidentId, Arc<Incident>>,
    pub(crate) continued: Option<IncidentId>,
    /// A silence that this decision revises, as it is from now on.
    pub(crate) revised: Option<Silence>,
    /// How it comes that members leave incidents in this decision, where they may.
    pub(crate) regrouping: Option<Regrouping>,
    /// What is open because the word that closed it was taken back: its limits are those that it had.
    pub(crate) resumed: Vec<IncidentId>,
    /// What was found out of incidents: the silence that holds each back, if one does.
    pub(crate) veils: BTreeMap<IncidentId, Option<Name>>,
    pub(crate) decision: Decision,
}

/// By whose word what belongs to incidents may change in another way than by what joins them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Regrouping {
    /// By the centre's.
    Centre,
    /// By the rule, for something that was read late.
    Again,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(engine: &'a Engine, setting: &'a Setting) -> Draft<'a> {
        Draft {
            engine,
            setting,
            now: EventTime::MIN,
            tick: engine.flushed,
            flushes: false,
            touched: BTreeMap::new(),
            continued: None,
            revised: None,
            regrouping: None,
            resumed: Vec::new(),
            veils: BTreeMap::new(),
            decision: Decision::default(),
        }
    }

    pub(crate) fn set_now(&mut self, now: EventTime) {
        self.now = now;
    }

    /// This decision begins a tick: what changed in the last one is published.
    pub(crate) fn begin_tick(&mut self, tick: EventTime) {
        self.tick = Some(tick);
        self.flushes = true;
        self.change(Change::Flushed(tick));
    }

    pub(crate) fn engine(&self) -> &'a Engine {
        self.engine
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
            self.touched.insert(id.clone(), Arc::new((**incident).clone()));
        }
        if let Some(incident) = self.touched.get_mut(id) {
            edit(self.setting, Arc::make_mut(incident));
        }
    }

    /// Enters what became of an event, and counts it.
    pub(crate) fn outcome(
        &mut self,
        event: &Event,
        outcome: Outcome,
        incident: Option<IncidentId>,
        reason: Option<Name>,
        evidence: Option<Evidence>,
    ) {
        let reorder_ms = self.setting.activation.reorder_ms;
        let row = EventRow::of(event, reorder_ms, outcome, incident, None);
        self.told(row, reason, evidence);
    }

    /// Enters an event that belongs to an incident; what it said is kept as long as it may be decided again.
    pub(crate) fn member(
        &mut self,
        held: &Arc<Held>,
        outcome: Outcome,
        incident: IncidentId,
        evidence: Evidence,
        keep: bool,
    ) {
        let reorder_ms = self.setting.activation.reorder_ms;
        let keeps = keep.then(|| held.clone());
        let row = EventRow::of(&held.event, reorder_ms, outcome, Some(incident), keeps);
        let placed_by = held.event.placed_by.clone();
        self.told(
            row,
            None,
            Some(Evidence {
                placed_by,
                ..evidence
            }),
        );
    }

    /// Tells that something was not decided again.
    pub(crate) fn withheld(&mut self, because: Withheld, times: usize) {
        let told = std::iter::repeat_with(|| Output::Withheld(because)).take(times);
        self.decision.outputs.extend(told);
    }

    /// Enters a row, counts its outcome and tells readers.
    pub(crate) fn told(&mut self, row: EventRow, reason: Option<Name>, evidence: Option<Evidence>) {
        let (told, silence) = self.as_told(&row);
        self.engine
            .count(&mut self.decision.changes, told.source, told.outcome, 1);
        self.decision.changes.push(Change::PutEvent(row));
        self.decision.outputs.push(Output::Outcome {
            row: told,
            evidence: evidence.filter(|_| silence.is_none()).map(Box::new),
            reason: silence.or(reason),
        });
    }

    /// Judges every touched incident and enters it: what is new, closed, or of another band is published at once, unless it was
    /// published in this tick already; the rest waits for the next.
    pub(crate) fn settle_touched(&mut self) {
        self.inhibit();
        for (id, incident) in std::mem::take(&mut self.touched) {
            let before = self.engine.incidents.get(&id).map(Arc::as_ref);
            let is_at_rest = before.is_some_and(|before| before.status != Status::Open && !before.dirty);
            let due = crate::passage::due(self.setting, &incident);
            if incident.status != Status::Open && is_at_rest && due.is_some_and(|due| due <= self.now) {
                self.forget(incident);
                continue;
            }
            self.settle(before, incident);
        }
    }

    /// Forgets what is over for so long; but what the centre merged stands for its place as long as there is what it is part of.
    fn forget(&mut self, mut incident: Arc<Incident>) {
        if incident.commanded
            && incident.status == Status::Merged
            && self.engine.survivor_of(&incident).is_some()
        {
            Arc::make_mut(&mut incident).last_heard_at = self.now;
            self.decision.changes.push(Change::PutIncident(incident));
            return;
        }
        let (change, output) = crate::passage::removed(&incident.id);
        self.decision.changes.push(change);
        // Of what was never shown nothing need be taken back.
        let was_shown = !incident.is_held_back();
        self.decision.outputs.extend(was_shown.then_some(output));
    }

    fn settle(&mut self, before: Option<&Incident>, mut settling: Arc<Incident>) {
        let incident = Arc::make_mut(&mut settling);
        if let Some(shorter) = self.engine.shortened(self.setting, incident) {
            *incident = shorter;
            self.withheld(Withheld::TooMany, 1);
        }
        let mut as_before = before.map(Cow::Borrowed);
        if self.resumed.contains(&incident.id) {
            if let Some(before) = &mut as_before {
                before.to_mut().status = Status::Open; // as though it had been open all the while
            }
        } else if incident.status == Status::Open
            && before.is_some_and(|before| before.status == Status::Closed)
        {
            // Before it is judged, or it would be by what was over when it was closed.
            crate::limits::begin_anew(incident, self.now);
        }
        let as_before = as_before.as_deref();
        let assessment = Assessment::of(self.engine, self.setting, incident, self.now);
        if self.keeps_back(incident, &assessment) {
            assessment.move_band(self.engine, self.setting, as_before, incident, self.now);
            incident.dirty = false;
            self.decision.changes.push(Change::PutIncident(settling));
            return;
        }
        incident.silences = None;
        if before.is_some_and(Incident::is_held_back) {
            self.show(incident);
        }
        let changed_band = assessment.move_band(self.engine, self.setting, as_before, incident, self.now);
        let quietly = before.is_some_and(|before| {
            self.continued.as_ref() == Some(&incident.id)
                && before.status == incident.status
                && incident.last_heard_at - before.revised_at < CONTINUED_REVISION_MS
                && Assessment::of(self.engine, self.setting, before, self.now).score == assessment.score
        });
        let moved = before.is_none_or(|before| before.status != incident.status) || changed_band;
        if moved || (!incident.dirty && before.is_none_or(|before| *before != *incident) && !quietly) {
            incident.dirty = true;
        }
        incident.config_version = self.setting.activation.version.clone();
        let is_told = incident.revision > 0 && self.tick.is_some() && incident.revised_in == self.tick;
        if moved && !is_told && !self.flushes {
            self.publish(incident, &assessment);
        }
        self.decision.changes.push(Change::PutIncident(settling));
    }

    /// Makes a revision of an incident.
    fn publish(&mut self, incident: &mut Incident, assessment: &Assessment) {
        incident.revision += 1;
        incident.dirty = false;
        incident.revised_at = self.now.max(incident.opened_at);
        incident.revised_in = self.tick;
        let shown_in = (incident.status == Status::Open).then_some(incident.band);
        let leaves = incident.shown_in.filter(|band| Some(*band) != shown_in);
        incident.shown_in = shown_in;
        let record = Box::new(IncidentRecord::of(self.setting, incident, assessment));
        self.decision.outputs.push(Output::Revision {
            record,
            leaves,
            shown_in,
            told_by: ToldBy::of(incident),
        });
    }

    /// Publishes the incidents that changed since their last revision, those of this draft and those of earlier ones: P1
    /// first, and of the others no more than a tick may.
    pub(crate) fn publish_dirty(&mut self) {
        let mut latest: BTreeMap<IncidentId, Arc<Incident>> = BTreeMap::new();
        for incident in self.engine.numbered(&self.engine.dirty) {
            latest.insert(incident.id.clone(), incident.clone());
        }
        for change in &self.decision.changes {
            match change {
                Change::PutIncident(incident) => {
                    latest.insert(incident.id.clone(), incident.clone());
                }
                Change::RemoveIncident(id) => {
                    latest.remove(id);
                }
                _ => {}
            }
        }
        let mut waiting: Vec<Arc<Incident>> = latest.into_values().filter(|latest| latest.dirty).collect();
        // What leaves the P1 topic is as urgent as what enters it. The sort is stable, ids come last.
        let is_p1 = |incident: &Incident| incident.band == Band::P1 || incident.shown_in == Some(Band::P1);
        waiting.sort_by_key(|incident| (!is_p1(incident), incident.band, incident.revised_at));
        let urgent = waiting.iter().filter(|incident| is_p1(incident)).count();
        for mut latest in waiting.into_iter().take(urgent + REVISIONS_A_TICK) {
            let incident = Arc::make_mut(&mut latest);
            let assessment = Assessment::of(self.engine, self.setting, incident, self.now);
            self.publish(incident, &assessment);
            self.decision.changes.push(Change::PutIncident(latest));
        }
    }

    pub(crate) fn finish(self) -> Decision {
        debug_assert!(self.touched.is_empty(), "every touched incident is settled");
        self.decision
    }
}
