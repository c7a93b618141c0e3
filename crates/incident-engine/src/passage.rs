//! What the clock does: incidents go quiet, clear, fall back a band, run out of time, and are forgotten.

use city_model::{CloseReason, Command, Event, EventTime, Handling, Incident, Name, Status, Tick};

use crate::draft::Draft;
use crate::engine::Engine;
use crate::{Change, Decision, Output, Setting};

/// Changed incidents are published at most once in this time.
const FLUSH_MS: i64 = 1_000;

/// When the clock next means something to an incident.
pub(crate) fn due(setting: &Setting, incident: &Incident) -> Option<EventTime> {
    let rules = &setting.rules;
    let (_, rule) = setting.kind_of(incident)?;
    let kept = || {
        let recur = rule.recur_ms.unwrap_or(0);
        let late = setting
            .activation
            .max_late_ms
            .max(setting.activation.sensors_max_late_ms);
        let ended = incident
            .closed_at
            .unwrap_or(incident.last_heard_at)
            .max(incident.last_heard_at);
        ended + recur.max(rule.gap_ms + late)
    };
    if incident.status != Status::Open {
        return Some(kept());
    }
    let mut due: Option<EventTime> = None;
    let mut at = |time: EventTime| due = Some(due.map_or(time, |due: EventTime| due.min(time)));
    if is_left_alone(&incident.handling) {
        at(incident.last_heard_at + rule.gap_ms);
        if let Some(cleared) = incident.cleared_at {
            at(cleared + rules.clear_after_ms());
        }
    }
    if let Some(since) = incident.lower_since {
        at(since + rules.hold_band_ms());
    }
    if incident.handling.has_begun() && incident.handling.resolved_at.is_none() {
        let limit = (incident.control_by - incident.opened_at).max(1);
        let next = rules
            .priority()
            .time
            .iter()
            .filter(|(_, points)| *points > u32::from(incident.time_points));
        if let Some(percent) = next.map(|(percent, _)| i64::from(*percent)).min() {
            // Rounded up, so that the step is reached when the timer fires.
            at(incident.opened_at + (limit.saturating_mul(percent) + 99) / 100);
        }
    }
    due
}

/// An incident that the centre handles is closed by its word, not by silence.
fn is_left_alone(handling: &Handling) -> bool {
    !handling.has_begun() || handling.resolved_at.is_some()
}

impl Engine {
    pub(crate) fn decide_tick(&self, tick: &Tick) -> Decision {
        let Some(setting) = &self.setting else {
            return Decision::default();
        };
        let before = self.clock();
        let mut draft = Draft::new(self, setting);
        for (partition, at) in &tick.clocks {
            if self.clocks.get(partition).is_none_or(|known| known < at) {
                draft.change(Change::Clock(partition.clone(), *at));
            }
        }
        let Some(clock) = self.clock_with(&tick.clocks) else {
            return draft.finish();
        };
        draft.set_now(clock);
        let newest = self
            .clocks
            .values()
            .chain(tick.clocks.iter().map(|(_, at)| at))
            .max()
            .copied();
        let flushes =
            newest.filter(|newest| self.flushed.is_none_or(|flushed| *newest - flushed >= FLUSH_MS));
        if let Some(newest) = flushes {
            draft.begin_tick(newest.floor_second());
        }
        if before.is_none_or(|before| before < clock) {
            self.expire_weather(&mut draft, before, clock);
            self.expire_silences(&mut draft, clock);
            let due = self.due.range(..=(clock, u32::MAX));
            for incident in self.numbered(due.map(|(_, number)| number)) {
                draft.edit(&incident.id, |setting, incident| pass(setting, incident, clock));
            }
            for key in self.forgettable(clock) {
                draft.change(Change::ForgetEvent(key));
            }
        }
        draft.settle_touched();
        if flushes.is_some() {
            draft.publish_dirty();
        }
        let settled_before = crate::unsettled::settled_before(setting, clock);
        if settled_before > self.settled_before() {
            self.settle_tails(&mut draft, setting, settled_before);
            draft.change(Change::Settled(settled_before));
        }
        draft.finish()
    }
}

/// What the passing of time does to one incident. Removal is left to the draft, which sees that it is due.
fn pass(setting: &Setting, incident: &mut Incident, clock: EventTime) {
    if incident.status != Status::Open {
        return;
    }
    let rules = &setting.rules;
    let Some((_, rule)) = setting.kind_of(incident) else {
        return;
    };
    incident.time_points = crate::joining::time_points(setting, incident, clock);
    if !is_left_alone(&incident.handling) {
        return;
    }
    if incident
        .cleared_at
        .is_some_and(|cleared| clock >= cleared + rules.clear_after_ms())
    {
        close(incident, CloseReason::Cleared, clock);
    } else if clock >= incident.last_heard_at + rule.gap_ms {
        close(incident, CloseReason::Quiet, clock);
    }
}

/// Closes an incident.
pub(crate) fn close(incident: &mut Incident, reason: CloseReason, at: EventTime) {
    incident.status = Status::Closed;
    incident.close_reason = Some(reason);
    incident.closed_at = Some(at.max(incident.last_heard_at));
    incident.lower_since = None;
}

/// Whether what an event tells was over when it came: it neither opens an incident nor opens one again. A device that sends
/// what it kept says itself how old it is: had it come in time it would have gone quiet by now. A person may tell of a
/// thing hours later and mean that it is there. Only the event counts, so the order of reading does not. One that is younger
/// opens, also in a burst: nothing that was read says that it is over, and what it tells of may wait for nobody. If its device
/// says so behind it, `over_since` ends it at once.
pub(crate) fn is_stale(setting: &Setting, event: &Event) -> bool {
    let Some(kind) = setting.rules.kind_id(event.kind.as_str()) else {
        return false;
    };
    let rule = setting.rules.kind(kind);
    let oldest_ms = match event.device {
        Some(_) => rule.gap_ms.min(rule.max_life_ms),
        None => rule.max_life_ms,
    };
    event.ingested_at - event.event_time > oldest_ms
}

/// Since when what a device alarmed about is over by its clear signal: since it came, or, where the device kept the signal for
/// longer than a cleared incident stays open, since the time that it tells of. `None` where somebody saw it after that.
pub(crate) fn over_since(setting: &Setting, incident: &Incident, clear: &Event) -> Option<EventTime> {
    if clear.ingested_at - clear.event_time <= setting.rules.clear_after_ms() {
        return Some(clear.ingested_at);
    }
    (incident.last_event_at <= clear.event_time).then_some(clear.event_time)
}

/// Opens a closed incident again. One that was stale never was open: its time to dispatch and control begins now.
pub(crate) fn reopen(incident: &mut Incident, now: EventTime) {
    if incident.close_reason == Some(CloseReason::Stale) {
        incident.opened_at = incident.opened_at.max(now);
    }
    incident.status = Status::Open;
    incident.close_reason = None;
    incident.closed_at = None;
}

/// The identity under which a command is remembered.
pub(crate) fn command_key(command: &Command) -> city_model::EventKey {
    let (operator, id): (&Name, &Name) = (&command.operator, &command.command_id);
    city_model::EventKey::new(operator, id)
}

/// Told when an incident is forgotten.
pub(crate) fn removed(id: &city_model::IncidentId) -> (Change, Output) {
    (Change::RemoveIncident(id.clone()), Output::Removed(id.clone()))
}
