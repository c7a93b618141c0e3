//! What the clock does: incidents go quiet, clear, fall back a band, run out of time, and are forgotten.

use city_model::{Channel, Command, Event, EventTime, Incident, Name, Status, Tick};
use city_rules::KindRule;

use crate::draft::Draft;
use crate::engine::Engine;
use crate::life::{self, Step};
use crate::weather::quiet_after_ms;
use crate::{Change, Decision, Output, Setting, limits};

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
        // A storm whose warning is read later may stretch the gap.
        let gap_ms = rule
            .gap_ms
            .saturating_mul(crate::weather::most_stretch(setting, rule));
        ended + recur.max(gap_ms + late)
    };
    if incident.status != Status::Open {
        return Some(kept());
    }
    let mut due: Option<EventTime> = None;
    let mut at = |time: EventTime| due = Some(due.map_or(time, |due: EventTime| due.min(time)));
    if is_left_alone(incident) {
        at(quiet_at(setting, incident, rule));
        if let Some(cleared) = incident.cleared_at {
            at(cleared + rules.clear_after_ms());
        }
    }
    // Once it was sent out it is never lowered: what waited for that waits for nothing, and must not be looked at again and again.
    let waits = incident.handling.dispatched_at.is_none();
    if let Some(since) = incident.lower_since.filter(|_| waits) {
        at(since + rules.hold_band_ms());
    }
    if let Some(limit) = limits::due(setting, incident) {
        at(limit);
    }
    due
}

/// When an incident goes quiet. One that a silence holds back does not while a sensor has not said that it is over: many
/// tell of an alarm once. It would be over before anybody heard of it.
fn quiet_at(setting: &Setting, incident: &Incident, rule: &KindRule) -> EventTime {
    let quiet_after_ms = quiet_after_ms(setting, rule, incident);
    // What is said to be mended is looked at, and somebody may object.
    let resolved_at = incident.handling.resolved_at.unwrap_or(EventTime::MIN);
    let quiet_at = incident.last_heard_at.max(resolved_at) + quiet_after_ms;
    if !incident.is_held_back() {
        return quiet_at;
    }
    // Whether it outlasts its silence follows from its events' own times, wherever the clock stood when they were read.
    let quiet_at = quiet_at.max(incident.last_event_at + quiet_after_ms);
    if incident.is_alarming() {
        return quiet_at.max(incident.first_event_at + rule.max_life_ms);
    }
    quiet_at
}

/// An incident that the centre handles is closed by its word, not by silence; where it said that it is mended that stands, unless
/// somebody has seen it since.
fn is_left_alone(incident: &Incident) -> bool {
    match incident.handling.resolved_at {
        Some(_) => !incident.is_objected_to(),
        None => !incident.handling.has_begun(),
    }
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
        let clock = self.clock_with(&tick.clocks);
        let heard = || self.clocks.values().chain(tick.clocks.iter().map(|(_, at)| at));
        let newest = heard().max().copied();
        // While a partition was never heard of nothing goes quiet, but what changed is told.
        let Some(now) = clock.or_else(|| heard().min().copied()) else {
            return draft.finish();
        };
        draft.set_now(now);
        let flushes =
            newest.filter(|newest| self.flushed.is_none_or(|flushed| *newest - flushed >= FLUSH_MS));
        if let Some(newest) = flushes {
            draft.begin_tick(newest.floor_second());
        }
        if let Some(clock) = clock.filter(|clock| before.is_none_or(|before| before < *clock)) {
            self.expire_weather(&mut draft, before, clock);
            self.expire_silences(&mut draft, before, clock);
            let due = self.due.range(..=(clock, u32::MAX));
            let ends = self.a_silence_ends(before, clock);
            for incident in self.numbered(due.map(|(_, number)| number)) {
                // What outlasts a silence shows before it goes quiet, also where one tick sees both.
                if ends && incident.is_held_back() {
                    continue;
                }
                draft.edit(&incident.id, |setting, incident| pass(setting, incident, clock));
            }
            for key in self.forgettable(clock).filter(|key| !self.is_to_be_told(key)) {
                draft.change(Change::ForgetEvent(key));
            }
        }
        draft.settle_touched();
        if flushes.is_some() {
            draft.publish_dirty();
        }
        let settled_before = clock.map(|clock| crate::unsettled::settled_before(setting, clock));
        if let Some(settled_before) = settled_before.filter(|before| *before > self.settled_before()) {
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
    limits::keep(setting, incident, clock);
    let is_clear = incident
        .cleared_at
        .is_some_and(|cleared| clock >= cleared + rules.clear_after_ms());
    let is_quiet = clock >= quiet_at(setting, incident, rule);
    // Neither happens to what the centre handles: the step does not exist.
    if incident.is_objected_to() {
        return;
    }
    if is_clear {
        let _ = life::take(incident, Step::Clear, clock);
    } else if is_quiet {
        let _ = life::take(incident, Step::Quiet, clock);
    }
}

/// Closes an incident that was over when it was first heard of.
pub(crate) fn close_stale(incident: &mut Incident, at: EventTime) {
    let _ = life::take(incident, Step::Stale, at);
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

/// Since when what devices alarmed about is over by the last clear signal: since it came, or, where the device kept the signal for
/// longer than a cleared incident stays open, since the time that it tells of. `None` where somebody saw it after they were clear.
pub(crate) fn over_since(setting: &Setting, incident: &Incident, clear: &Event) -> Option<EventTime> {
    let told = incident.care().clear_told.unwrap_or(clear.event_time);
    if is_seen_after(incident, told) {
        return None;
    }
    if clear.ingested_at - clear.event_time <= setting.rules.clear_after_ms() {
        return Some(clear.ingested_at);
    }
    (incident.last_event_at <= told).then_some(clear.event_time)
}

/// Whether anybody but a sensor, which says itself when it is over, saw it after a time.
pub(crate) fn is_seen_after(incident: &Incident, at: EventTime) -> bool {
    let mut later = incident
        .members
        .iter()
        .take_while(|member| member.event_time > at);
    later.any(|member| member.channel != Channel::Sensor)
}

/// Opens a closed incident again because of an event. What the centre closed stays closed, and no event finds it.
pub(crate) fn reopen(incident: &mut Incident, now: EventTime) {
    let _ = life::take(incident, Step::Hear, now);
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
