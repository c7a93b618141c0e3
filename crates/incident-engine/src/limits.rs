//! The limits of an incident: until when it must be sent out and under control, how much of that is used up, and what is over.
//!
//! What was promised is kept: a rise of the band runs from the moment of the rise and makes nothing later, a fall makes nothing
//! earlier, and what the centre extended stands. What is sent back by its unit has its time to dispatch once more. Limits are state; they run out on the log's clock, whether an event comes or not.

use city_model::{Band, EventTime, Incident, Overdue, Status};
use city_rules::{Clock, Deadline};

use crate::Setting;

/// Whether time counts against an incident: readers know of it, the centre has begun with it and not said that it is mended, or
/// somebody has seen it since.
pub(crate) fn run(setting: &Setting, incident: &Incident) -> bool {
    let handling = &incident.handling;
    let counts = handling.has_begun() || setting.rules.priority().time_unhandled;
    let is_mended = handling.resolved_at.is_some() && !incident.is_objected_to();
    incident.status == Status::Open && !incident.is_held_back() && counts && !is_mended
}

/// The limits of a new incident, of one that is opened again, or of one that came to another band.
pub(crate) fn set(
    setting: &Setting,
    incident: &mut Incident,
    before: Option<(Status, Band)>,
    now: EventTime,
) {
    let deadline = setting.rules.priority().deadline(incident.band);
    let control = control(setting, incident, deadline);
    let from = |start: EventTime| {
        let add = |(amount, clock): (i64, Clock)| setting.calendar.add(start, amount, clock);
        (add(deadline.dispatch), add(control))
    };
    let promised = (incident.dispatch_by, incident.control_by);
    // What the centre gave more time to was over since.
    let is_again = matches!(before, Some((Status::Closed, _)));
    let extended = incident.care().extended_to.filter(|_| !is_again);
    let (dispatch_by, control_by) = match before {
        None => from(incident.opened_at),
        // What was merged and is apart again was promised before.
        Some((Status::Closed, _)) => {
            begin_anew(incident, now);
            from(now)
        }
        // T stays: it is a part of the score that made it rise. Without it the very report that lifted an incident could let it
        // fall back half an hour later, and more evidence would lower a priority. Nor would less be used up: what was to be under
        // control in days and now is in hours had its time already. The reasons say of which limit that was a share.
        Some((_, band)) if incident.band < band => {
            let (dispatch_by, control_by) = from(now);
            if control_by < promised.1 && extended.is_none() {
                incident.take_care(|care| care.limits_from = Some(now));
            }
            (dispatch_by.min(promised.0), control_by.min(promised.1))
        }
        // As if it had not been more urgent between: neither a pin nor an order that is taken back gives time away.
        Some(_) => {
            let begun_at = incident.care().begun_at;
            let (dispatch_by, control_by) = from(begun_at.unwrap_or(incident.opened_at));
            if control_by >= promised.1 && extended.is_none() {
                incident.take_care(|care| care.limits_from = begun_at);
            }
            (dispatch_by.max(promised.0), control_by.max(promised.1))
        }
    };
    incident.dispatch_by = dispatch_by;
    incident.control_by = extended
        .filter(|at| *at > now || *at >= control_by)
        .unwrap_or(control_by);
}

/// It was closed and is open again: nobody could mend it meanwhile, so nothing is used up and nothing over.
pub(crate) fn begin_anew(incident: &mut Incident, now: EventTime) {
    incident.time_points = 0;
    incident.take_care(|care| {
        care.begun_at = Some(now);
        care.limits_from = Some(now);
        care.overdue = None;
        care.extended_to = None;
    });
}

/// Another one that is not solved became part of it: what was promised there is kept here, and what is over there is over here.
pub(crate) fn take_over(setting: &Setting, incident: &mut Incident, other: &Incident, now: EventTime) {
    if other.handling.dispatched_at.is_none() {
        incident.dispatch_by = incident.dispatch_by.min(other.dispatch_by);
    }
    if other.control_by < incident.control_by {
        incident.control_by = other.control_by;
        incident.time_points = incident.time_points.max(other.time_points);
        let from = other.limits_from();
        incident.take_care(|care| {
            care.limits_from = Some(from);
            care.extended_to = None;
        });
    }
    keep(setting, incident, now);
}

/// The unit gave it back: the centre has the whole time to send it out once more.
pub(crate) fn give_back(setting: &Setting, incident: &mut Incident, now: EventTime) {
    let (amount, clock) = setting.rules.priority().deadline(incident.band).dispatch;
    let again = setting.calendar.add(now, amount, clock);
    incident.dispatch_by = incident.dispatch_by.max(again);
}

/// The centre gives it more time: what was used up of the old limit no longer counts.
pub(crate) fn extend(incident: &mut Incident, until: EventTime) {
    incident.control_by = until;
    incident.time_points = 0;
    incident.take_care(|care| {
        care.extended_to = Some(until);
        care.overdue = care.overdue.filter(|overdue| *overdue != Overdue::Control);
    });
}

/// Brings T and what is over up to date.
pub(crate) fn keep(setting: &Setting, incident: &mut Incident, now: EventTime) {
    if !run(setting, incident) {
        if incident.overdue().is_some() && incident.handling.resolved_at.is_some() {
            incident.take_care(|care| care.overdue = None);
        }
        return;
    }
    let percent = percent_used(setting, incident, now);
    let points = u8::try_from(setting.rules.priority().time_points(percent)).unwrap_or(u8::MAX);
    incident.time_points = incident.time_points.max(points);
    let is_sent = incident.handling.dispatched_at.is_some();
    let overdue = if now >= incident.control_by {
        Some(Overdue::Control)
    } else if !is_sent && now >= incident.dispatch_by {
        Some(Overdue::Dispatch)
    } else {
        None
    };
    if overdue != incident.overdue() {
        incident.take_care(|care| care.overdue = overdue);
    }
}

/// How much of the time to control is used up.
fn percent_used(setting: &Setting, incident: &Incident, now: EventTime) -> u32 {
    let (from, clock) = (incident.limits_from(), clock(setting, incident));
    let calendar = &setting.calendar;
    let limit = calendar.elapsed_ms(from, incident.control_by, clock).max(1);
    let used = calendar.elapsed_ms(from, now, clock);
    let percent = (i128::from(used) * 100 / i128::from(limit)).clamp(0, 1_000) as u32;
    // A limit that ends outside office hours is over when it says, not when the office opens.
    if now >= incident.control_by {
        percent.max(100)
    } else {
        percent.min(99)
    }
}

/// The share of a limit that T stands for, in percent, and whether that is the present one: T outlasts a limit whose place an
/// earlier or a later one took.
pub(crate) fn share_told(setting: &Setting, incident: &Incident, now: EventTime) -> Option<(u32, bool)> {
    let steps = setting.rules.priority().time.iter();
    let reached = steps.filter(|(_, points)| *points <= incident.time_points.into());
    let (percent, _) = reached.max_by_key(|(_, points)| *points)?;
    let until = incident.closed_at.map_or(now, |at| at.min(now));
    Some((*percent, percent_used(setting, incident, until) >= *percent))
}

/// When a limit, or a share of it that counts, is over next.
pub(crate) fn due(setting: &Setting, incident: &Incident) -> Option<EventTime> {
    if !run(setting, incident) {
        return None;
    }
    let (from, clock) = (incident.limits_from(), clock(setting, incident));
    let calendar = &setting.calendar;
    let limit = calendar.elapsed_ms(from, incident.control_by, clock).max(1);
    let steps = &setting.rules.priority().time;
    let next = steps
        .iter()
        .filter(|(percent, points)| *percent < 100 && *points > u32::from(incident.time_points))
        .map(|(percent, _)| i64::from(*percent))
        .min();
    let step = next.map(|percent| {
        // Rounded up, so that the step is reached when the timer fires.
        let used = limit.saturating_mul(percent).saturating_add(99) / 100;
        calendar.after_ms(from, used, clock).min(incident.control_by)
    });
    let overdue = incident.overdue();
    let control = (overdue != Some(Overdue::Control)).then_some(incident.control_by);
    let dispatch =
        (incident.handling.dispatched_at.is_none() && overdue.is_none()).then_some(incident.dispatch_by);
    [step, control, dispatch].into_iter().flatten().min()
}

/// The clock of the time to control.
pub(crate) fn clock(setting: &Setting, incident: &Incident) -> Clock {
    control(
        setting,
        incident,
        setting.rules.priority().deadline(incident.band),
    )
    .1
}

/// The time to control: the band's, or in the lowest band the kind's own where it has one.
fn control(setting: &Setting, incident: &Incident, deadline: Deadline) -> (i64, Clock) {
    match setting.kind_of(incident).and_then(|(_, rule)| rule.control) {
        Some(own) if incident.band == Band::P4 => own,
        _ => deadline.control,
    }
}
