//! One incident held against one event: distance, radius, time, extent, and what keeps them apart.

use std::sync::Arc;

use city_model::{Event, EventTime, Flag, Incident, Name, Point, Status};
use city_rules::{KindId, KindRule, Rules};

use crate::street::{self, Spot, Streets};
use crate::weather::stretch;
use crate::{Miss, Setting, doubt, learned};

/// A candidate in space, held against its radius.
pub(crate) struct Candidate {
    pub(crate) incident: Arc<Incident>,
    pub(crate) distance_mm: i64,
    pub(crate) radius_mm: i64,
    /// How near, all in all, against what is too far: negative where much speaks for it. The second is positive.
    pub(crate) rank: (i64, i64),
    /// The first of the rank is doubt.
    weighs_doubt: bool,
    /// The first of the rank is doubt, the second what its kind bears, and nothing but doubt keeps the event out.
    is_doubted: bool,
    /// Where others would do as well an event rather opens another than that it joins the wrong one.
    pub(crate) is_refusable: bool,
    /// From the learned table, where it knows the two kinds.
    pub(crate) points: Option<i32>,
    pub(crate) gap_ms: i64,
    pub(crate) elsewhere: bool,
    pub(crate) barrier: Option<&'static str>,
}

impl Candidate {
    pub(crate) fn in_reach(&self) -> bool {
        self.barrier.is_none()
    }

    /// The order of preference: most points where they were learned, else least rank; then distance, then the one founded
    /// first. Fractions are compared by cross-multiplication, so no rounding can turn the order.
    pub(crate) fn before(&self, other: &Candidate) -> std::cmp::Ordering {
        let left = i128::from(self.rank.0) * i128::from(other.rank.1);
        let right = i128::from(other.rank.0) * i128::from(self.rank.1);
        let is_learned = self.points.is_some() && other.points.is_some();
        let by_rank = (!is_learned).then(|| left.cmp(&right));
        (other.points.cmp(&self.points))
            .then(by_rank.unwrap_or(std::cmp::Ordering::Equal))
            .then(self.distance_mm.cmp(&other.distance_mm))
            .then_with(|| self.incident.founding.cmp(&other.incident.founding))
    }

    /// What speaks against it in all, where its kind says how much it bears and nothing else keeps the event out.
    pub(crate) fn doubt(&self) -> Option<i64> {
        self.is_doubted.then_some(self.rank.0)
    }

    /// What spoke against it, where its kind weighs doubt, whatever else keeps the event out.
    pub(crate) fn weighed(&self) -> Option<i64> {
        self.weighs_doubt.then_some(self.rank.0)
    }

    pub(crate) fn as_miss(&self, because: &'static str) -> Miss {
        Miss {
            incident: self.incident.id.clone(),
            distance_mm: self.distance_mm,
            radius_mm: self.radius_mm,
            gap_ms: self.gap_ms,
            doubt_milli: self.weighed(),
            because: because.into(),
        }
    }
}

/// An event as it is held against incidents in space.
pub(crate) struct Asked<'a> {
    pub(crate) setting: &'a Setting,
    /// As which it is read.
    pub(crate) kind: KindId,
    pub(crate) event: &'a Event,
    /// What its address names.
    pub(crate) spot: Option<Spot<'a>>,
    pub(crate) point: Point,
    pub(crate) u_mm: i64,
    /// The signals of the storms that it happened in.
    pub(crate) signals: &'a [Name],
}

/// Holds an event against the place of one incident and the life of another: they are two where the centre merged the first into
/// the second, which then stands at both places.
pub(crate) fn weigh(
    asked: &Asked<'_>,
    other: KindId,
    place: &Incident,
    life: &Arc<Incident>,
    distance_mm: i64,
) -> Candidate {
    let (event, rules) = (asked.event, &asked.setting.rules);
    let rule = rules.kind(other);
    let gap_ms = gap_ms(life, event);
    let stretch = stretch(asked.setting, rule, asked.signals);
    let (radius_mm, rank) = match rule.most_doubt_milli {
        Some(most) => {
            let doubt = doubt::weigh(
                rule,
                most,
                place,
                (event, asked.spot),
                gap_ms / stretch,
                asked.u_mm,
                distance_mm,
            );
            (doubt.reach_mm.min(rule.cap_mm), (doubt.total, most.max(1)))
        }
        None => {
            let radius_mm = radius_mm(asked.setting, rule, place, asked.u_mm);
            (radius_mm, (distance_mm, radius_mm))
        }
    };
    let extent = place
        .extent
        .map_or(0, |extent| extent.with(asked.point).diagonal_mm());
    let learned = learned::weigh(
        rules,
        (asked.kind, other),
        life,
        event,
        distance_mm,
        gap_ms / stretch,
    );
    let apart = if rule.component_decides && differs(place, event) {
        Some("component")
    } else if is_another_house(rule, place, asked) {
        Some("house")
    } else {
        time_barrier(rule, stretch, life, event)
    };
    let is_wide = extent > rule.extent_mm;
    let barrier = if apart.is_some() {
        apart
    } else if distance_mm > radius_mm {
        Some("farther")
    } else if is_wide {
        Some("extent")
    } else {
        learned.err()
    };
    Candidate {
        incident: life.clone(),
        distance_mm,
        radius_mm,
        rank,
        weighs_doubt: rule.most_doubt_milli.is_some(),
        is_doubted: rule.most_doubt_milli.is_some() && apart.is_none() && !is_wide,
        is_refusable: !rule.endangers_life(),
        points: learned.ok().flatten(),
        gap_ms,
        elsewhere: place.id != life.id,
        barrier,
    }
}

/// Whether an event and an incident name two houses where lives are at stake, and the address is all that says where one of the
/// two is: a second leak must not be hidden in the first.
fn is_another_house(rule: &KindRule, incident: &Incident, asked: &Asked<'_>) -> bool {
    rule.endangers_life()
        && (asked.event.is_told_only() || is_told_only(incident))
        && matches!(
            street::compare(incident, asked.spot),
            Streets::Differ | Streets::Beside(_)
        )
}

/// Whether none of an incident's members brought a place to compare, so that addresses are all that says where it is.
pub(crate) fn is_told_only(incident: &Incident) -> bool {
    incident.best.is_some_and(|(quality, _)| !quality.is_place())
}

/// `min(cap, r_kind + k·√(u² + σ²))`, in millimetres.
pub(crate) fn radius_mm(setting: &Setting, rule: &KindRule, incident: &Incident, u_mm: i64) -> i64 {
    let variance_mm2 = incident.fused.variance_mm2();
    setting
        .rules
        .widened_mm(rule.radius_mm, rule.cap_mm, u_mm, variance_mm2)
}

/// The gap in event time between an event and an incident's span; zero inside it.
pub(crate) fn gap_ms(incident: &Incident, event: &Event) -> i64 {
    let (first, last) = span(incident);
    (first - event.event_time).max(event.event_time - last).max(0)
}

/// The same, whatever the centre said meanwhile: how long nobody had told of it.
pub(crate) fn untold_ms(incident: &Incident, event: &Event) -> i64 {
    let (first, last) = (incident.first_event_at, incident.last_event_at);
    (first - event.event_time).max(event.event_time - last).max(0)
}

/// From when to when an incident lasted so far. What the centre opened again begins anew: something was told of it then.
fn span(incident: &Incident) -> (EventTime, EventTime) {
    let last = incident
        .last_event_at
        .max(incident.reopened_at().unwrap_or(EventTime::MIN));
    (incident.first_event_at, last)
}

/// Why time keeps an event out of an incident; a storm stretches the kind's times.
pub(crate) fn time_barrier(
    rule: &KindRule,
    stretch: i64,
    incident: &Incident,
    event: &Event,
) -> Option<&'static str> {
    let (first, last) = span(incident);
    let since = incident.reopened_at().unwrap_or(EventTime::MIN);
    let (first, last) = (first.max(since).min(event.event_time), last.max(event.event_time));
    if gap_ms(incident, event) > rule.gap_ms.saturating_mul(stretch) {
        Some("gap")
    } else if last - first > rule.max_life_ms.saturating_mul(stretch) {
        Some("life")
    } else {
        None
    }
}

/// Two different components never meet where components decide. An inferred id is no evidence of a difference: the registry
/// may lack the one that is meant.
pub(crate) fn differs(incident: &Incident, event: &Event) -> bool {
    let is_stated = !event.flags.contains(&Flag::ComponentInferred);
    event
        .component
        .as_ref()
        .is_some_and(|own| is_stated && !incident.components.is_empty() && !incident.components.contains(own))
}

/// An incident that the centre closed takes what tells of the time before, and stays closed; one that went quiet or cleared opens
/// again. What was merged takes nothing.
pub(crate) fn is_joinable(incident: &Incident, event: &Event) -> bool {
    use city_model::CloseReason::{Cleared, Quiet, Stale};
    match incident.status {
        Status::Open => true,
        Status::Closed => {
            let is_before = || incident.closed_at.is_some_and(|closed| event.event_time < closed);
            matches!(incident.close_reason, Some(Quiet | Cleared | Stale)) || is_before()
        }
        Status::Merged => false,
    }
}

pub(crate) fn may_merge(rules: &Rules, event: KindId, incident: KindId) -> bool {
    event == incident || rules.kind(event).merges_with.contains(&incident)
}
