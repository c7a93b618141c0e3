//! When a reading in alarm is an alarm: history, maintenance, frames sent twice, confirmation and flapping stand before it.

use city_model::{EventTime, Outcome, Signal};
use city_rules::{Confirm, HELD_MAX, MetricRule, OwnWord};

use super::told::{Notes, Told};
use super::value::Value;
use crate::device::{Cleared, Held};
use crate::health::{self, Look};
use crate::intake::Intake;
use crate::place::Place;
use crate::silence::unconfirmed;
use crate::{Alarm, Decision, Fault, Released, Verdict};

/// How far behind a quiet reading an alarm may be told and still be news: readings come out of their order, and a clock that ran
/// fast is set right. What opens so is ended by quiet at the latest. Proposal: as long as events are waited for (`reorder`).
const REORDERED_MS: i64 = 15 * 60_000;

/// What a reading says, given whether the device alarms already; `None` is below threshold. An older reading than the
/// alarm's latest, sent again or late, does not end it.
pub(super) fn signal(
    rule: &MetricRule,
    said: Option<bool>,
    milli: Option<i64>,
    alarm: Option<Alarm>,
    event_time: EventTime,
    has_risen: bool,
) -> Option<Signal> {
    let is_alarm = said.unwrap_or_else(|| has_risen || milli.is_some_and(|milli| rule.is_alarm(milli)));
    let is_clear = match said {
        Some(said) => !said,
        None => milli.is_some_and(|milli| rule.is_clear(milli)),
    };
    match alarm {
        _ if is_alarm => Some(Signal::Report),
        Some(alarm) if is_clear => (event_time >= alarm.at).then_some(Signal::Clear),
        Some(_) => Some(Signal::Report),
        None => None,
    }
}

impl Intake {
    /// A reading in alarm.
    pub(super) fn alarms(
        &self,
        told: &Told<'_>,
        given: &Place,
        value: Value,
        look: Look,
        notes: &mut Notes,
    ) -> Verdict {
        let (rule, at) = (told.rule, told.when.event_time);
        let alarm = told.alarm();
        let watch = told.watch();
        if self.is_in_maintenance(told) {
            told.tell(Fault::Maintenance, notes);
            return told.settled(Outcome::Silenced);
        }
        let is_same_frame = |alarm: Alarm| alarm.at == at && alarm.milli == value.milli();
        if rule.unique_frames && told.when.fault.is_none() && alarm.is_some_and(is_same_frame) {
            told.tell(Fault::DuplicateFrame, notes);
            return told.settled(Outcome::DeviceFault);
        }
        let cleared = watch.and_then(|watch| watch.cleared);
        if let (None, Some(cleared)) = (alarm, cleared)
            && at < cleared.at
        {
            // It came behind the end of its own alarm. While that incident is open it belongs there; afterwards it would
            // open one that nothing ends.
            notes.rows.push(told.seen_row());
            let verdict =
                Verdict::event(self.reading_event(told, Signal::Report, given, value, look.is_flat));
            let is_over = told.ingested_at - cleared.heard > self.rules().clear_after_ms();
            return match verdict.result {
                Decision::Event(event) if is_over => Verdict::of(Decision::Late(event)),
                _ => verdict,
            };
        }
        if let (None, Some(quiet)) = (alarm, watch.and_then(|watch| watch.quiet))
            && quiet - at > REORDERED_MS
        {
            // The device is known to have been quiet since: whatever this was is over.
            notes.rows.push(told.seen_row());
            notes.rows.extend(look.watch.map(|watch| told.watch_row(watch)));
            let (event, _) = self.reading_event(told, Signal::Report, given, value, look.is_flat);
            return Verdict::of(Decision::Late(Box::new(event)));
        }
        let is_doubtful = |began: &[EventTime]| look.is_flat || health::is_flapping(rule.flap, began, at);
        if alarm.is_none()
            && let Some(waits) = self.confirmed(told, given, value, look.is_flat, notes)
        {
            notes.rows.extend(look.watch.map(|watch| told.watch_row(watch)));
            return waits;
        }
        let mut next = look.watch;
        if let (None, Some(flap)) = (alarm, rule.flap) {
            health::begin(flap, &mut health::changed(&mut next, watch).began, at);
        }
        let began = next.as_ref().or(watch).map_or(&[][..], |watch| &watch.began);
        let is_flapping = health::is_flapping(rule.flap, began, at);
        let is_suspect = is_doubtful(began);
        if is_flapping {
            told.tell(Fault::Flapping, notes);
        }
        let at = alarm.map_or(at, |alarm| alarm.at.max(at));
        let milli = value.milli().filter(|_| rule.unique_frames);
        notes.rows.push(told.alarm_row(Some(Alarm { at, milli })));
        notes.rows.push(told.seen_row());
        notes.rows.extend(next.map(|watch| told.watch_row(watch)));
        Verdict::event(self.reading_event(told, Signal::Report, given, value, is_suspect))
    }

    /// The end of an alarm. A device that flaps is not believed that it is over: its incident ends by quiet. One that still alarms
    /// of the same trouble by another metric has not said that it is over.
    pub(super) fn clears(
        &self,
        told: &Told<'_>,
        given: &Place,
        value: Value,
        look: Look,
        notes: &mut Notes,
    ) -> Verdict {
        let at = told.when.event_time;
        let mut next = look.watch;
        let watch = health::changed(&mut next, told.watch());
        watch.cleared = Some(Cleared {
            at,
            heard: told.ingested_at,
        });
        let is_flapping = health::is_flapping(told.rule.flap, &watch.began, at);
        notes.rows.push(told.alarm_row(None));
        notes.rows.push(told.seen_row());
        notes.rows.extend(next.map(|watch| told.watch_row(watch)));
        if is_flapping {
            told.tell(Fault::Flapping, notes);
        }
        if is_flapping || self.alarms_otherwise(told) {
            return told.settled(Outcome::BelowThreshold);
        }
        Verdict::event(self.reading_event(told, Signal::Clear, given, value, look.is_flat))
    }

    /// Whether the device alarms of the same kind of trouble by another metric: an arc, say, while the residual current is as usual.
    fn alarms_otherwise(&self, told: &Told<'_>) -> bool {
        told.known.is_some_and(|device| {
            device.alarms.iter().any(|(metric, alarm)| {
                **metric != *told.rule.name
                    && self.rules().metric(metric).is_some_and(|rule| {
                        rule.own_word.is_none()
                            && rule.kind == told.rule.kind
                            && told.ingested_at - alarm.at < rule.longest_ms
                    })
            })
        })
    }

    /// Whether the device says that it is tested or repaired, and has not forgotten to say that it no longer is.
    fn is_in_maintenance(&self, told: &Told<'_>) -> bool {
        told.known.is_some_and(|device| {
            device.alarms.iter().any(|(metric, alarm)| {
                self.rules().metric(metric).is_some_and(|rule| {
                    rule.own_word == Some(OwnWord::Maintenance)
                        && told.ingested_at - alarm.at < rule.longest_ms
                })
            })
        })
    }

    /// `None` when the alarm counts, with those that waited for it released; else what becomes of the reading meanwhile.
    /// The device's own word needs no other, nor does a reading under a severe warning.
    fn confirmed(
        &self,
        told: &Told<'_>,
        given: &Place,
        value: Value,
        is_doubtful: bool,
        notes: &mut Notes,
    ) -> Option<Verdict> {
        let (own_held, at) = (told.held(), told.when.event_time);
        let held = own_held.filter(|held| told.ingested_at <= held.due);
        if let (Some(over), None) = (own_held, held) {
            notes.released.extend(unconfirmed(over));
        }
        let asked = told.rule.confirm.filter(|_| told.reading.alarm.is_none());
        let waits = asked.filter(|asked| !is_enough(*asked, held, at)).map(|asked| {
            let (event, _) = self.reading_event(told, Signal::Report, given, value, is_doubtful);
            (asked, event)
        });
        if let Some((asked, event)) = waits.filter(|(_, event)| !self.is_enough_in_storm(told.weather, event))
        {
            let mut held = held.cloned().unwrap_or_else(|| Held {
                due: told.ingested_at + asked.within_ms,
                events: Vec::new(),
            });
            held.events.push(event);
            notes.rows.push(told.held_row(Some(held)));
            notes.rows.push(told.seen_row());
            return Some(told.settled(Outcome::Pending));
        }
        let events = held.into_iter().flat_map(|held| &held.events);
        let released = events.map(|event| Released::Event(Box::new(event.clone())));
        notes.released.extend(released);
        if own_held.is_some() {
            notes.rows.push(told.held_row(None));
        }
        None
    }
}

/// Whether one more alarm makes those that wait count.
fn is_enough(asked: Confirm, held: Option<&Held>, at: EventTime) -> bool {
    let Some(held) = held else {
        return asked.readings <= 1 && asked.for_ms <= 0;
    };
    let since = held
        .events
        .iter()
        .map(|event| event.event_time)
        .min()
        .unwrap_or(at);
    let is_long = at - since >= asked.for_ms;
    (held.events.len() + 1 >= asked.readings && is_long) || held.events.len() >= HELD_MAX
}
