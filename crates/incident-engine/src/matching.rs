//! Which incident an event joins, if any, and what was compared on the way.

use std::sync::Arc;

use city_model::{Event, Flag, Incident, IncidentId, Point, Status, Why, isqrt};
use city_rules::{KindId, KindRule, Rules};

use crate::engine::Engine;
use crate::{Evidence, Miss, Setting, learned};

/// What was found for an event.
pub(crate) struct Match {
    /// The incident that it joins.
    pub(crate) incident: Option<Arc<Incident>>,
    /// What was compared.
    pub(crate) evidence: Evidence,
    /// Other incidents in reach: they have to do with it.
    pub(crate) also_in_reach: Vec<IncidentId>,
}

/// A candidate in space, held against its radius.
struct Candidate {
    incident: Arc<Incident>,
    distance_mm: i64,
    radius_mm: i64,
    gap_ms: i64,
    /// From the learned table, where it knows the two kinds.
    points: Option<i32>,
    barrier: Option<&'static str>,
}

impl Candidate {
    fn in_reach(&self) -> bool {
        self.barrier.is_none()
    }

    /// The order of preference: most points where they were learned, else least distance / radius; then distance, then the
    /// one founded first. Fractions are compared by cross-multiplication, so no rounding can turn the order.
    fn before(&self, other: &Candidate) -> std::cmp::Ordering {
        let left = i128::from(self.distance_mm) * i128::from(other.radius_mm);
        let right = i128::from(other.distance_mm) * i128::from(self.radius_mm);
        let is_learned = self.points.is_some() && other.points.is_some();
        let by_ratio = (!is_learned).then(|| left.cmp(&right));
        (other.points.cmp(&self.points))
            .then(by_ratio.unwrap_or(std::cmp::Ordering::Equal))
            .then(self.distance_mm.cmp(&other.distance_mm))
            .then_with(|| self.incident.founding.cmp(&other.incident.founding))
    }

    fn as_miss(&self, because: &'static str) -> Miss {
        Miss {
            incident: self.incident.id.clone(),
            distance_mm: self.distance_mm,
            radius_mm: self.radius_mm,
            gap_ms: self.gap_ms,
            because: because.into(),
        }
    }
}

impl Engine {
    /// Finds the incident of an event by the order of evidence.
    pub(crate) fn find(&self, setting: &Setting, kind: KindId, event: &Event) -> Match {
        if let Some(cited) = event.cites.as_ref().and_then(|ticket| self.by_ticket.get(ticket))
            && let Some(incident) = self.survivor(cited)
            && is_joinable(incident)
        {
            return Match::by(incident.clone(), Why::CitedTicket, event);
        }
        let own = self.find_as(setting, kind, event);
        if own.incident.is_some() {
            return own;
        }
        self.find_as_other(setting, kind, event).unwrap_or(own)
    }

    /// The incident that an event joins by one of its other readings, where none of its own kind fits. Never a milder
    /// one: what may be a flooded underpass is not hidden among the ponding of the street; and never farther away than
    /// its own kind reaches, because a doubtful reading needs the better evidence of the place.
    fn find_as_other(&self, setting: &Setting, kind: KindId, event: &Event) -> Option<Match> {
        let own = setting.rules.kind(kind);
        let others = event.alternatives.iter().filter_map(|name| {
            let other = setting.rules.kind_id(name.as_str())?;
            let rule = setting.rules.kind(other);
            let fits =
                setting.rules.group(other) == &event.group && rule.grade <= own.grade && rule.correlates;
            (other != kind && fits).then_some(other)
        });
        let mut found = others.map(|other| self.find_as(setting, other, event));
        found.find(|found| {
            found.incident.as_ref().is_some_and(|incident| {
                let reach = event.located.as_ref().map_or(i64::MAX, |located| {
                    radius_mm(setting, own, incident, located.u_mm)
                });
                found
                    .evidence
                    .distance_mm
                    .is_none_or(|distance| distance <= reach)
            })
        })
    }

    /// Finds the incident of an event, read as `kind`.
    fn find_as(&self, setting: &Setting, kind: KindId, event: &Event) -> Match {
        for (why, name, index) in [
            (Why::SameComponent, &event.component, &self.by_component),
            (Why::SameDevice, &event.device, &self.by_device),
        ] {
            let Some(ids) = name.as_ref().and_then(|name| index.get(name)) else {
                continue;
            };
            if let Some(incident) = self.first_founded(setting, kind, event, ids) {
                return Match::by(incident, why, event);
            }
        }
        match &event.located {
            Some(located) => {
                let point = setting.plane.project(located.position);
                let near = self.nearest(setting, kind, event, point, located.u_mm);
                if near.incident.is_some() {
                    return near;
                }
                // Callers without coordinates may have been first: then the address alone tells.
                let told = self.by_address(setting, kind, event);
                let is_nowhere = |incident: &Arc<Incident>| incident.fused.point().is_none();
                if told.incident.as_ref().is_some_and(is_nowhere) {
                    told
                } else {
                    near
                }
            }
            None => self.by_address(setting, kind, event),
        }
    }

    /// Among incidents that share a component, device or address: the one founded first that is open to the event.
    fn first_founded<'a>(
        &self,
        setting: &Setting,
        kind: KindId,
        event: &Event,
        ids: impl IntoIterator<Item = &'a IncidentId>,
    ) -> Option<Arc<Incident>> {
        ids.into_iter()
            .filter_map(|id| self.incidents.get(id))
            .filter(|incident| {
                let Some((other, rule)) = setting.kind_of(incident) else {
                    return false;
                };
                is_joinable(incident)
                    && may_merge(&setting.rules, kind, other)
                    && time_barrier(rule, incident, event).is_none()
            })
            .min_by(|a, b| a.founding.cmp(&b.founding))
            .cloned()
    }

    fn nearest(&self, setting: &Setting, kind: KindId, event: &Event, point: Point, u_mm: i64) -> Match {
        let rules = &setting.rules;
        let mut candidates = Vec::new();
        let own = rules.kind(kind);
        for other in std::iter::once(kind).chain(own.merges_with.iter().copied()) {
            let rule = rules.kind(other);
            if rule.moving {
                continue; // a moving thing is matched by its plate or ticket, not by where it was
            }
            self.neighbours
                .near(other, rule.cap_mm, point, |id, distance_mm| {
                    if let Some(incident) = self.incidents.get(id) {
                        let kinds = (kind, other);
                        candidates.push(weigh(
                            setting,
                            rule,
                            kinds,
                            incident,
                            event,
                            point,
                            u_mm,
                            distance_mm,
                        ));
                    }
                });
        }
        candidates.retain(|candidate| is_joinable(&candidate.incident));
        candidates.sort_unstable_by(Candidate::before);
        let mut reach = candidates.iter().filter(|candidate| candidate.in_reach());
        let best = reach.next();
        let runner_up = reach.next();
        let miss = candidates.iter().find(|candidate| !candidate.in_reach());
        Match {
            evidence: Evidence {
                why: if best.is_some() { Why::Near } else { Why::Founded },
                distance_mm: best.map(|c| c.distance_mm),
                radius_mm: best.map(|c| c.radius_mm),
                gap_ms: best.map_or(0, |c| c.gap_ms),
                runner_up: runner_up.map(|c| c.as_miss("second")),
                nearest_miss: miss.map(|c| c.as_miss(c.barrier.unwrap_or("farther"))),
            },
            also_in_reach: candidates
                .iter()
                .filter(|candidate| candidate.in_reach() && candidate.incident.status == Status::Open)
                .skip(1)
                .map(|candidate| candidate.incident.id.clone())
                .collect(),
            incident: best.map(|c| c.incident.clone()),
        }
    }

    fn by_address(&self, setting: &Setting, kind: KindId, event: &Event) -> Match {
        let mut found = Vec::new();
        if let (Some(town), Some(address)) = (&event.town, &event.address_key) {
            let rules = &setting.rules;
            for other in std::iter::once(kind).chain(rules.kind(kind).merges_with.iter().copied()) {
                let key = (rules.kind(other).name.clone(), town.clone(), address.clone());
                found.extend(self.by_address.get(&key).into_iter().flatten());
            }
        }
        match self.first_founded(setting, kind, event, found) {
            Some(incident) => Match::by(incident, Why::SameAddress, event),
            None => Match::none(),
        }
    }

    /// Open incidents of the kinds that the rules call related, within the wider radius of the two.
    pub(crate) fn related_near(&self, setting: &Setting, kind: KindId, event: &Event) -> Vec<IncidentId> {
        let Some(located) = &event.located else {
            return Vec::new();
        };
        let point = setting.plane.project(located.position);
        let own = setting.rules.kind(kind);
        let mut found = Vec::new();
        for other in &own.related {
            let rule = setting.rules.kind(*other);
            let reach = rule.radius_mm.max(own.radius_mm).min(rule.cap_mm);
            self.neighbours.near(*other, rule.cap_mm, point, |id, distance| {
                let Some(incident) = self.incidents.get(id) else {
                    return;
                };
                if incident.status == Status::Open
                    && distance <= reach
                    && gap_ms(incident, event) <= rule.gap_ms.max(own.gap_ms)
                {
                    found.push(id.clone());
                }
            });
        }
        found.sort_unstable();
        found
    }

    /// The closed incident of the same kind and place that an event repeats (复发): the latest within `recur`.
    pub(crate) fn recurrence(&self, setting: &Setting, kind: KindId, event: &Event) -> Option<IncidentId> {
        let rule = setting.rules.kind(kind);
        let recur_ms = rule.recur_ms?;
        let mut found: Vec<&Arc<Incident>> = Vec::new();
        let mut look = |id: &IncidentId| {
            if let Some(incident) = self.incidents.get(id)
                && incident.status == Status::Closed
                && incident.last_event_at <= event.event_time
                && event.event_time - incident.last_event_at <= recur_ms
            {
                found.push(incident);
            }
        };
        if let Some(located) = &event.located {
            let point = setting.plane.project(located.position);
            self.neighbours.near(kind, rule.cap_mm, point, |id, distance| {
                let Some(incident) = self.incidents.get(id) else {
                    return;
                };
                let different = rule.component_decides && differs(incident, event);
                if distance <= radius_mm(setting, rule, incident, located.u_mm) && !different {
                    look(id);
                }
            });
        } else if let (Some(town), Some(address)) = (&event.town, &event.address_key) {
            for id in self
                .by_address
                .get(&(rule.name.clone(), town.clone(), address.clone()))
                .into_iter()
                .flatten()
            {
                look(id);
            }
        }
        found
            .into_iter()
            .max_by_key(|incident| (incident.last_event_at, incident.founding.clone()))
            .map(|i| i.id.clone())
    }
}

impl Match {
    fn by(incident: Arc<Incident>, why: Why, event: &Event) -> Match {
        let gap_ms = gap_ms(&incident, event);
        Match {
            incident: Some(incident),
            evidence: Evidence::bare(why, gap_ms),
            also_in_reach: Vec::new(),
        }
    }

    fn none() -> Match {
        Match {
            incident: None,
            evidence: Evidence::bare(Why::Founded, 0),
            also_in_reach: Vec::new(),
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "what is compared, each once")]
fn weigh(
    setting: &Setting,
    rule: &KindRule,
    kinds: (KindId, KindId),
    incident: &Arc<Incident>,
    event: &Event,
    point: Point,
    u_mm: i64,
    distance_mm: i64,
) -> Candidate {
    let radius_mm = radius_mm(setting, rule, incident, u_mm);
    let extent = incident
        .extent
        .map_or(0, |extent| extent.with(point).diagonal_mm());
    let gap_ms = gap_ms(incident, event);
    let learned = learned::weigh(&setting.rules, kinds, incident, event, distance_mm, gap_ms);
    let barrier = if rule.component_decides && differs(incident, event) {
        Some("component")
    } else if let Some(barrier) = time_barrier(rule, incident, event) {
        Some(barrier)
    } else if distance_mm > radius_mm {
        Some("farther")
    } else if extent > rule.extent_mm {
        Some("extent")
    } else {
        learned.err()
    };
    Candidate {
        incident: incident.clone(),
        distance_mm,
        radius_mm,
        gap_ms,
        points: learned.ok().flatten(),
        barrier,
    }
}

/// `min(cap, r_kind + k·√(u² + σ²))`, in millimetres.
fn radius_mm(setting: &Setting, rule: &KindRule, incident: &Incident, u_mm: i64) -> i64 {
    let variance = i128::from(u_mm) * i128::from(u_mm) + i128::from(incident.fused.variance_mm2());
    let sigma = i64::try_from(isqrt(variance as u128)).unwrap_or(i64::MAX);
    let widened = sigma.saturating_mul(setting.rules.radius_weight_permille()) / 1_000;
    rule.radius_mm.saturating_add(widened).min(rule.cap_mm).max(1)
}

/// The gap in event time between an event and an incident's span; zero inside it.
pub(crate) fn gap_ms(incident: &Incident, event: &Event) -> i64 {
    (incident.first_event_at - event.event_time)
        .max(event.event_time - incident.last_event_at)
        .max(0)
}

/// Why time keeps an event out of an incident.
fn time_barrier(rule: &KindRule, incident: &Incident, event: &Event) -> Option<&'static str> {
    let last = incident.last_event_at.max(event.event_time);
    let first = incident.first_event_at.min(event.event_time);
    if gap_ms(incident, event) > rule.gap_ms {
        Some("gap")
    } else if last - first > rule.max_life_ms {
        Some("life")
    } else {
        None
    }
}

/// Two different components never meet where components decide. An inferred id is no evidence of a difference: the registry
/// may lack the one that is meant.
fn differs(incident: &Incident, event: &Event) -> bool {
    let is_stated = !event.flags.contains(&Flag::ComponentInferred);
    event
        .component
        .as_ref()
        .is_some_and(|own| is_stated && !incident.components.is_empty() && !incident.components.contains(own))
}

/// An incident that the centre closed or merged takes no more events; one that went quiet or cleared opens again.
pub(crate) fn is_joinable(incident: &Incident) -> bool {
    use city_model::CloseReason::{Cleared, Quiet, Stale};
    match incident.status {
        Status::Open => true,
        Status::Closed => matches!(incident.close_reason, Some(Quiet | Cleared | Stale)),
        Status::Merged => false,
    }
}

fn may_merge(rules: &Rules, event: KindId, incident: KindId) -> bool {
    event == incident || rules.kind(event).merges_with.contains(&incident)
}
