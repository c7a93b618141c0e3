//! Which incident an event joins, if any, and what was compared on the way.

use std::sync::Arc;

use city_model::{CloseReason, Event, Incident, IncidentId, Name, Point, Status, Why};
use city_rules::{KindId, KindRule};

use crate::engine::Engine;
use crate::engine::LONGEST_CHAIN;
use crate::scene::{Mark, Scene, is_at};
use crate::street::Streets;
use crate::weather::stretch;
use crate::weighing::{
    Asked, Candidate, differs, gap_ms, is_joinable, may_merge, radius_mm, time_barrier, untold_ms, weigh,
};
use crate::{Evidence, Setting, doubt, street};

/// What keeps an event out where several incidents would do.
const RIVALS: &str = "rivals";
/// What keeps it out of the only one, however near: a long silence, a vague position, another address.
const DOUBT: &str = "doubt";

/// What was found for an event.
pub(crate) struct Match {
    /// The incident that it joins.
    pub(crate) incident: Option<Arc<Incident>>,
    /// What was compared.
    pub(crate) evidence: Evidence,
    /// Other incidents in reach: they have to do with it.
    pub(crate) also_in_reach: Vec<IncidentId>,
    /// The incident that it says itself that it repeats: its ticket cites one of it, and the centre closed it.
    pub(crate) repeats: Option<IncidentId>,
    /// The incident that its ticket cites, beside which it is a danger of its own: they have to do with each other, wherever
    /// it goes.
    pub(crate) graver_than: Option<IncidentId>,
}

/// Holds events against a scene by the rules.
pub(crate) struct Matcher<'a, S> {
    setting: &'a Setting,
    scene: &'a S,
    /// The signals of the warnings in whose time, or aftermath, the event happened.
    signals: Vec<Name>,
}

impl<'a, S: Scene> Matcher<'a, S> {
    /// Finds the incident of an event, in a scene of this engine, by the order of evidence.
    pub(crate) fn find_in(
        scene: &'a S,
        engine: &Engine,
        setting: &'a Setting,
        kind: KindId,
        event: &Event,
    ) -> Match {
        let signals = engine.signals_at(setting, event);
        let matcher = Matcher {
            setting,
            scene,
            signals,
        };
        matcher.find(kind, event)
    }

    fn find(&self, kind: KindId, event: &Event) -> Match {
        let cited = event
            .cites
            .as_ref()
            .and_then(|ticket| self.scene.of_ticket(ticket));
        let cited = cited
            .map(|cited| self.latest_of(cited, event))
            .filter(|cited| self.is_of_group(kind, cited, event));
        let graver = cited
            .as_ref()
            .filter(|cited| self.is_graver(kind, cited))
            .cloned();
        let cited = cited.filter(|_| graver.is_none());
        if let Some(cited) = cited.as_ref().filter(|cited| self.takes(cited, event)) {
            return Match::by(cited.clone(), Why::CitedTicket, event);
        }
        let own = self.find_as(kind, event);
        let mut found = match own.incident {
            Some(_) => own,
            None => self.find_as_other(kind, event).unwrap_or(own),
        };
        found.repeats = cited.map(|cited| cited.id.clone());
        let joined = found.incident.as_ref().map(|incident| &incident.id);
        let beside = graver.filter(|cited| cited.status == Status::Open && Some(&cited.id) != joined);
        found.graver_than = beside.map(|cited| cited.id.clone());
        found
    }

    /// Whether an incident is of an event's group: another group's may be decided elsewhere, so its tickets are not followed.
    fn is_of_group(&self, kind: KindId, incident: &Incident, event: &Event) -> bool {
        let rules = &self.setting.rules;
        match self.setting.kind_of(incident) {
            Some((other, _)) => rules.group(kind) == rules.group(other),
            None => incident.group == event.group,
        }
    }

    /// Whether an event of a kind is a danger of its own beside the incident that it cites ("催办，现在着火了"): hidden in
    /// that one it would be no more urgent than that.
    fn is_graver(&self, kind: KindId, cited: &Incident) -> bool {
        let cited = self.setting.kind_of(cited);
        cited.is_some_and(|(cited, _)| self.setting.rules.is_graver(kind, cited))
    }

    /// Of a cited incident that the centre closed, what repeated it last.
    fn latest_of(&self, cited: Arc<Incident>, event: &Event) -> Arc<Incident> {
        let mut latest = cited;
        for _ in 0..LONGEST_CHAIN {
            if self.takes(&latest, event) {
                break;
            }
            let related = latest.related.iter().filter_map(|id| self.scene.known(id));
            let repeating = related.filter(|other| other.recurrence_of.as_ref() == Some(&latest.id));
            let next = repeating.max_by(|a, b| a.founding.cmp(&b.founding));
            match next {
                Some(next) => latest = next,
                None => break,
            }
        }
        latest
    }

    /// The incident that an event joins by one of its other readings, where none of its own kind fits. Never a milder
    /// one: what may be a flooded underpass is not hidden among the ponding of the street; and never farther away than
    /// its own kind reaches, because a doubtful reading needs the better evidence of the place.
    fn find_as_other(&self, kind: KindId, event: &Event) -> Option<Match> {
        let rules = &self.setting.rules;
        let own = rules.kind(kind);
        let others = event.alternatives.iter().filter_map(|name| {
            let other = rules.kind_id(name.as_str())?;
            let rule = rules.kind(other);
            let fits = rules.group(other) == &event.group && rule.grade <= own.grade && rule.correlates;
            (other != kind && fits).then_some(other)
        });
        let mut found = others.map(|other| self.find_as(other, event));
        found.find(|found| {
            found.incident.as_ref().is_some_and(|incident| {
                let reach = event.located.as_ref().map_or(i64::MAX, |located| {
                    radius_mm(self.setting, own, incident, located.u_mm)
                });
                found
                    .evidence
                    .distance_mm
                    .is_none_or(|distance| distance <= reach)
            })
        })
    }

    /// Finds the incident of an event, read as `kind`.
    fn find_as(&self, kind: KindId, event: &Event) -> Match {
        let marks = [
            (Why::SameComponent, event.component.as_ref().map(Mark::Component)),
            (Why::SameDevice, event.device.as_ref().map(Mark::Device)),
        ];
        for (why, mark) in marks {
            let Some(mark) = mark else { continue };
            let mut found = self.scene.bearing(mark);
            // Also by a component that was but inferred there.
            found.retain(|incident| !self.is_another_component(incident, event));
            if let Some((elsewhere, incident)) = self.first_founded(kind, event, found) {
                return Match::by(incident, why, event).elsewhere(elsewhere);
            }
        }
        match &event.located {
            Some(located) => {
                let point = self.setting.plane.project(located.position);
                let near = self.nearest(kind, event, point, located.u_mm);
                if near.incident.is_some() {
                    return near;
                }
                // Callers without coordinates may have been first: then the address alone tells.
                let told = self.by_address(kind, event);
                if told.incident.is_some() { told } else { near }
            }
            None => self.by_address(kind, event),
        }
    }

    /// Among incidents that share a component, device or address: the one founded first that is open to the event, and
    /// whether it was met at what the centre merged into it.
    fn first_founded(
        &self,
        kind: KindId,
        event: &Event,
        found: Vec<Arc<Incident>>,
    ) -> Option<(bool, Arc<Incident>)> {
        found
            .into_iter()
            .filter_map(|incident| {
                let (other, rule) = self.setting.kind_of(&incident)?;
                let life = self.life_of(&incident, event)?;
                let stretch = stretch(self.setting, rule, &self.signals);
                let fits = may_merge(&self.setting.rules, kind, other)
                    && time_barrier(rule, stretch, &life, event).is_none();
                fits.then(|| (life.id != incident.id, life))
            })
            // Where the survivor bears the mark as well, perhaps by the merge alone, what comes says nothing of where that lies.
            .min_by(|(one, a), (other, b)| a.founding.cmp(&b.founding).then(other.cmp(one)))
    }

    /// Whether both state their components, and two of them, where these decide: one camera sees two covers, one house has two
    /// lifts.
    fn is_another_component(&self, incident: &Incident, event: &Event) -> bool {
        let rule = self.setting.kind_of(incident).map(|(_, rule)| rule);
        rule.is_some_and(|rule| rule.component_decides) && differs(incident, event)
    }

    /// The incident that an event joins where it meets this one: itself, or what the centre merged it into. `None` when
    /// it takes no more events.
    fn life_of(&self, incident: &Arc<Incident>, event: &Event) -> Option<Arc<Incident>> {
        if incident.status != Status::Merged {
            return self.takes(incident, event).then(|| incident.clone());
        }
        let survivor = incident.commanded.then(|| self.scene.survivor(incident))??;
        self.takes(&survivor, event).then_some(survivor)
    }

    /// Whether an incident takes an event by its life. The centre's word that a danger to lives was a false alarm is its word on
    /// those who had told of it: another one is no part of that, whenever he saw it.
    fn takes(&self, incident: &Incident, event: &Event) -> bool {
        let is_false = incident.status == Status::Closed
            && incident.close_reason == Some(CloseReason::FalseAlarm)
            && self
                .setting
                .kind_of(incident)
                .is_some_and(|(_, rule)| rule.endangers_life());
        is_joinable(incident, event) && (!is_false || has_told(incident, event))
    }

    fn nearest(&self, kind: KindId, event: &Event, point: Point, u_mm: i64) -> Match {
        let rules = &self.setting.rules;
        let mut candidates: Vec<Candidate> = Vec::new();
        // What it would have joined, had the centre not closed it.
        let mut over: Vec<(KindId, Arc<Incident>, i64)> = Vec::new();
        let own = rules.kind(kind);
        let asked = Asked {
            setting: self.setting,
            kind,
            event,
            spot: street::spot_of(event),
            point,
            u_mm,
            signals: &self.signals,
        };
        for other in std::iter::once(kind).chain(own.merges_with.iter().copied()) {
            let rule = rules.kind(other);
            if rule.moving {
                continue; // a moving thing is matched by its plate or ticket, not by where it was
            }
            self.scene
                .near(other, rule.cap_mm, point, &mut |incident, distance_mm| {
                    if let Some(life) = self.life_of(incident, event) {
                        candidates.push(weigh(&asked, other, incident, &life, distance_mm));
                    } else if is_closed_lately(rule, incident, event) {
                        over.push((other, incident.clone(), distance_mm));
                    }
                });
        }
        candidates.sort_unstable_by(Candidate::before);
        self.doubt_rivals(&mut candidates);
        let mut reach = candidates.iter().filter(|candidate| candidate.in_reach());
        let best = reach.next();
        let best_id = best.map(|candidate| &candidate.incident.id);
        let runner_up = reach.find(|candidate| Some(&candidate.incident.id) != best_id);
        let miss = candidates.iter().find(|candidate| !candidate.in_reach());
        // Where it may as well be of another it is of neither, and is told of both.
        let is_of_either = || candidates.iter().any(|one| one.barrier == Some(RIVALS));
        let rival = miss
            .filter(|_| best.is_none() && is_of_either())
            .and_then(|miss| {
                let mut others = candidates.iter().filter(|one| one.doubt().is_some());
                others.find(|one| one.incident.id != miss.incident.id)
            });
        if best.is_some() || rival.is_some() {
            over.clear();
        }
        let over = over
            .iter()
            .map(|(other, incident, distance_mm)| weigh(&asked, *other, incident, incident, *distance_mm))
            .filter(Candidate::in_reach)
            .min_by(Candidate::before);
        Match {
            evidence: Evidence {
                why: if best.is_some() { Why::Near } else { Why::Founded },
                distance_mm: best.map(|c| c.distance_mm),
                radius_mm: best.map(|c| c.radius_mm),
                gap_ms: best.map_or(0, |c| untold_ms(&c.incident, event)),
                doubt_milli: best.and_then(Candidate::weighed),
                elsewhere: best.is_some_and(|c| c.elsewhere),
                placed_by: None,
                nearest_miss: over
                    .map(|c| c.as_miss(closed_how(&c.incident)))
                    .or(miss.map(|c| c.as_miss(c.barrier.unwrap_or("farther")))),
                runner_up: (runner_up.map(|c| c.as_miss("second"))).or(rival.map(|c| c.as_miss(RIVALS))),
            },
            also_in_reach: candidates
                .iter()
                .filter(|candidate| match candidate.barrier {
                    None | Some(RIVALS | DOUBT) => true,
                    // The same place, and still open: who is sent to the one should know of the other.
                    Some("gap" | "life") => candidate.distance_mm <= candidate.radius_mm,
                    Some(_) => false,
                })
                .filter(|candidate| candidate.incident.status == Status::Open)
                .filter(|candidate| Some(&candidate.incident.id) != best_id)
                .map(|candidate| candidate.incident.id.clone())
                .collect(),
            incident: best.map(|c| c.incident.clone()),
            repeats: None,
            graver_than: None,
        }
    }

    /// Where others would do nearly as well as the best one, it is likely to be the wrong one: with their doubt beside its own
    /// it may be too much for what its kind bears, and then the event joins none of them.
    fn doubt_rivals(&self, candidates: &mut [Candidate]) {
        let Some(best) = candidates.iter().position(Candidate::in_reach) else {
            return;
        };
        let Some(doubt) = candidates[best].doubt().filter(|_| candidates[best].is_refusable) else {
            return; // rather in the likelier one, which is open already, than in one more
        };
        let others = candidates
            .iter()
            .filter(|other| other.incident.id != candidates[best].incident.id)
            .filter_map(Candidate::doubt);
        let bears = candidates[best].rank.1;
        if doubt + doubt::rivals(doubt, others) > bears {
            // Where its own is too much already it is no other's fault.
            let barrier = if doubt > bears { DOUBT } else { RIVALS };
            let of_doubt = candidates
                .iter_mut()
                .filter(|candidate| candidate.doubt().is_some());
            of_doubt.for_each(|candidate| candidate.barrier = candidate.barrier.or(Some(barrier)));
        }
    }

    /// Without a place: the incident whose street speaks most for it, as far as its kind bears the doubt. Where a kind says
    /// nothing of doubt, the first founded at the very address. An event that has a place finds only one that has none; one
    /// that is placed by its address alone also one at that address that lies too far away to be compared, as where somebody
    /// else's coordinates are wrong.
    fn by_address(&self, kind: KindId, event: &Event) -> Match {
        let (Some(town), Some(address)) = (&event.town, &event.address_key) else {
            return Match::none();
        };
        let rules = &self.setting.rules;
        let mut weighed: Vec<(i64, Why, Arc<Incident>)> = Vec::new();
        let mut exact = Vec::new();
        let spot = street::spot_of(event);
        let point = (event.located.as_ref()).map(|located| self.setting.plane.project(located.position));
        let is_told_only = event.is_told_only();
        for other in std::iter::once(kind).chain(rules.kind(kind).merges_with.iter().copied()) {
            let rule = rules.kind(other);
            let is_found = |incident: &Arc<Incident>| match (point, incident.fused.point()) {
                (None, _) | (_, None) => true,
                (Some(point), Some(at)) => {
                    is_told_only
                        && at.distance_mm(point) > rule.cap_mm
                        && matches!(
                            street::compare(incident, spot),
                            Streets::Same(_) | Streets::Within(_)
                        )
                }
            };
            for name in street::names(address) {
                let found = self
                    .scene
                    .bearing(Mark::Street(&rule.name, town, name))
                    .into_iter();
                let found = found.filter(|found| is_found(found) && !self.is_another_component(found, event));
                match rule.most_doubt_milli {
                    Some(most) => weighed.extend(found.filter_map(|incident| {
                        let life = self.life_of(&incident, event)?;
                        let stretch = stretch(self.setting, rule, &self.signals);
                        let is_open = time_barrier(rule, stretch, &life, event).is_none();
                        let gap_ms = gap_ms(&life, event) / stretch;
                        let (doubt, why) = doubt::weigh_told(rule, &incident, (event, spot), gap_ms);
                        (is_open && doubt <= most).then_some((doubt - most, why, incident))
                    })),
                    None => exact.extend(found.filter(|incident| is_at(incident, town, address))),
                }
            }
        }
        let best = weighed
            .into_iter()
            .min_by(|(a, _, one), (b, _, other)| a.cmp(b).then_with(|| one.founding.cmp(&other.founding)));
        let (why, found) = best.map_or((Why::SameAddress, exact), |(_, why, incident)| {
            (why, vec![incident])
        });
        match self.first_founded(kind, event, found) {
            Some((elsewhere, incident)) => Match::by(incident, why, event).elsewhere(elsewhere),
            None => Match::none(),
        }
    }
}

/// Whether an event is by a device or a person of whom an incident has heard.
fn has_told(incident: &Incident, event: &Event) -> bool {
    let is_watching = |device: &Name| incident.devices.contains_key(device);
    let is_known = |reporter: &u64| {
        incident.reporters.contains(reporter) || incident.reporters_before.contains(reporter)
    };
    event.device.as_ref().is_some_and(is_watching)
        || event.reporter.as_ref().is_some_and(is_known)
        || event.reporter_before.as_ref().is_some_and(is_known)
}

/// Whether the centre closed an incident so lately that what comes would have joined it by its time.
fn is_closed_lately(rule: &KindRule, incident: &Incident, event: &Event) -> bool {
    incident.status == Status::Closed && !incident.is_held_back() && gap_ms(incident, event) <= rule.gap_ms
}

/// Why a closed incident takes nothing more.
fn closed_how(incident: &Incident) -> &'static str {
    match incident.close_reason {
        Some(CloseReason::FalseAlarm) => "false_alarm",
        _ => "closed",
    }
}

impl Match {
    fn by(incident: Arc<Incident>, why: Why, event: &Event) -> Match {
        let untold_ms = untold_ms(&incident, event);
        Match {
            incident: Some(incident),
            evidence: Evidence::bare(why, untold_ms),
            also_in_reach: Vec::new(),
            repeats: None,
            graver_than: None,
        }
    }

    /// The same, met at what the centre merged into it.
    fn elsewhere(mut self, elsewhere: bool) -> Match {
        self.evidence.elsewhere = elsewhere;
        self
    }

    fn none() -> Match {
        Match {
            incident: None,
            evidence: Evidence::bare(Why::Founded, 0),
            also_in_reach: Vec::new(),
            repeats: None,
            graver_than: None,
        }
    }
}
