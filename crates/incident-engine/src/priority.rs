//! How urgent an incident is: six whole-number parts, a band, the overrides that have the last word, and the reasons.
//!
//! The tables are the rules'; what is here is only how they are read. `score = min(100, S + E + C + R + W + T)`.

use city_model::{Band, BandFact, Channel, EventTime, Grade, Incident, Severity, Status};
use city_rules::{KindId, KindRule, OverrideEffect, OverrideRule};
use serde::{Deserialize, Serialize};

use crate::engine::Engine;
use crate::inhibition::{Cause, INHIBITED, UNINHIBITED};
use crate::trust::Belief;
use crate::{Setting, limits};

/// Marks that a pin was just taken back.
pub(crate) const UNPINNED: EventTime = EventTime::MIN;

/// The parts of a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Parts {
    /// Safety.
    #[serde(rename = "S")]
    pub safety: u32,
    /// Exposure.
    #[serde(rename = "E")]
    pub exposure: u32,
    /// Credibility.
    #[serde(rename = "C")]
    pub credibility: u32,
    /// Repetition.
    #[serde(rename = "R")]
    pub repetition: u32,
    /// Weather and context.
    #[serde(rename = "W")]
    pub weather: u32,
    /// Time used up.
    #[serde(rename = "T")]
    pub time: u32,
}

impl Parts {
    /// Their sum, at most 100.
    pub fn score(&self) -> u32 {
        (self.safety + self.exposure + self.credibility + self.repetition + self.weather + self.time).min(100)
    }
}

/// An incident as the rules judge it at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The parts.
    pub parts: Parts,
    /// Their sum, at most 100.
    pub score: u32,
    /// The band of the score after the overrides.
    pub band: Band,
    pub(crate) grade: Grade,
    /// The overrides whose conditions hold, by their index in the rules.
    pub(crate) holding: Vec<usize>,
    /// The kind's base band, where it lifts the incident (O7).
    pub(crate) base: Option<Band>,
    /// The warning that weighs on it: signal and colour.
    pub(crate) warning: Option<(city_model::Name, Severity)>,
    /// Many people live there.
    pub(crate) is_dense: bool,
    /// The declared area that it lies in, by its index in the rules.
    pub(crate) area: Option<usize>,
    /// When it was judged: its limits may be others since.
    pub(crate) at: EventTime,
    /// What feedback makes of its witnesses.
    pub(crate) beliefs: Vec<Belief>,
    /// What explains it away, so that it can wait.
    pub(crate) inhibited: Option<Cause>,
}

impl Assessment {
    /// Judges an incident at `now`.
    pub(crate) fn of(engine: &Engine, setting: &Setting, incident: &Incident, now: EventTime) -> Assessment {
        let rules = &setting.rules;
        let tables = rules.priority();
        let (kind, rule) = setting.kind_of(incident).unzip();
        let peak = |metric: &str| incident.peaks.get(metric).copied();
        let grade = rule.map_or(Grade::D, |rule| rule.grade_at(peak));
        let warning = engine.warning_on(setting, incident, now);
        let is_dense = codes(incident).any(|code| tables.dense.contains(code));
        let area = tables.areas.iter().position(|area| {
            kind.is_some_and(|kind| area.holds(kind, now)) && codes(incident).any(|code| area.contains(code))
        });
        let beliefs = engine.beliefs(setting, incident);
        let parts = Parts {
            safety: tables.safety.points(grade),
            exposure: rule.map_or(0, |rule| exposure(setting, rule, incident, is_dense)),
            credibility: tables.credibility.points(
                best_witness(incident, &beliefs),
                incident.independent_witnesses().max(1),
            ),
            repetition: tables.repetition.points(
                u32::try_from(incident.reporters.len()).unwrap_or(u32::MAX),
                incident.recurrence_of.is_some(),
            ),
            weather: tables
                .weather
                .total(warning.map(|warning| warning.severity), area.is_some()),
            time: incident.time_points.into(),
        };
        let score = parts.score();
        let mut holding = Vec::new();
        for (index, over) in tables.overrides.iter().enumerate() {
            if kind.is_some_and(|kind| concerns(over, kind))
                && holds(over, incident, grade)
                && engine.is_stormy(setting, incident, now, over)
            {
                holding.push(index);
            }
        }
        let effects = || holding.iter().map(|index| tables.overrides[*index].effect);
        let lowest = rule
            .filter(|_| incident.sound)
            .and_then(|rule| rule.base_at(peak));
        let cause = engine.cause_of(incident);
        let judged = |score: u32| {
            let bounds = effects().filter(|effect| !matches!(effect, OverrideEffect::Raise(_)));
            let bounded = bounds.fold(tables.band(score), |band, effect| effect.apply(band));
            let base = lowest.filter(|base| *base < bounded);
            let band = base.unwrap_or(bounded);
            let is_quiet = cause.is_some() && band != Band::P1;
            (if is_quiet { Band::P4 } else { band }, base, is_quiet)
        };
        let (band, base, is_quiet) = judged(score);
        // Chased once, however many limits are over, and from where it stood before: the points for that are no second rise.
        let before_over = Parts {
            time: parts.time.min(tables.time_points(99)),
            ..parts
        };
        let raised = effects()
            .filter(|effect| matches!(effect, OverrideEffect::Raise(_)))
            .map(|effect| effect.apply(judged(before_over.score()).0));
        let band = raised.min().map_or(band, |raised| raised.min(band));
        let inhibited = cause.filter(|_| is_quiet);
        Assessment {
            parts,
            score,
            band,
            inhibited,
            grade,
            holding,
            base,
            warning: warning.map(|w| (w.signal.clone(), w.severity)),
            is_dense,
            area,
            at: now,
            beliefs,
        }
    }

    /// Moves an incident's band towards the judgement: up at once; down only after it has stayed lower for a while or on a
    /// clear signal, and never once it was sent out. An operator's pin stands above all. Answers whether the band
    /// changed, or the incident is new.
    pub(crate) fn move_band(
        &self,
        engine: &Engine,
        setting: &Setting,
        before: Option<&Incident>,
        incident: &mut Incident,
        now: EventTime,
    ) -> bool {
        if incident.storm_id.is_none() {
            let storm = engine.storm_of(setting, incident, now);
            incident.storm_id = storm.map(|warning| warning.warning_id.clone());
        }
        let is_new = incident.revision == 0;
        let target = incident.pinned.unwrap_or(self.band);
        // An operator who takes a pin back wants what the rules say, at once.
        let unpinned = incident.lower_since == Some(UNPINNED);
        let moves = if is_new || unpinned || target < incident.band || incident.pinned.is_some() {
            true
        } else if target > incident.band
            && incident.status == Status::Open
            && incident.handling.dispatched_at.is_none()
        {
            let since = *incident.lower_since.get_or_insert(now);
            incident.cleared_at.is_some() || now - since >= setting.rules.hold_band_ms()
        } else {
            false
        };
        if target <= incident.band || moves {
            incident.lower_since = None;
        }
        let was = before.map(|before| (before.status, before.band));
        let is_reopened = incident.status == Status::Open
            && was.is_some_and(|(status, _)| status != Status::Open)
            && !is_new;
        if !moves || (!is_new && target == incident.band) {
            if is_reopened {
                limits::set(setting, incident, was, now);
            }
            return is_new;
        }
        if !is_new {
            let because = self.because(engine, setting, before, incident, (target, unpinned), now);
            incident.previous = Some(BandFact {
                band: incident.band,
                changed_at: now,
                because,
            });
        }
        let old = (incident.status, incident.band);
        incident.band = target;
        let was = if is_new {
            None
        } else if is_reopened {
            was
        } else {
            Some(old)
                .filter(|_| incident.status == Status::Open)
                .or(Some((Status::Open, old.1)))
        };
        limits::set(setting, incident, was, now);
        true
    }

    /// What changed a band: the override that decides it, the part of the score that rose most, or why it fell.
    fn because(
        &self,
        engine: &Engine,
        setting: &Setting,
        before: Option<&Incident>,
        incident: &Incident,
        (target, unpinned): (Band, bool),
        now: EventTime,
    ) -> city_model::Name {
        if incident.pinned.is_some() {
            return "O5.operator_pin".into();
        }
        if self.inhibited.is_some() && target == Band::P4 {
            return INHIBITED.into();
        }
        if before.is_some_and(|before| before.pinned.is_some()) {
            return "unpinned".into();
        }
        if before.is_some_and(|before| before.inhibited_by.is_some()) && incident.inhibited_by.is_none() {
            return UNINHIBITED.into();
        }
        if target > incident.band {
            return match () {
                () if unpinned => "regrouped",
                () if incident.cleared_at.is_some() => "cleared",
                () => "lower_for_a_while",
            }
            .into();
        }
        let overrides = &setting.rules.priority().overrides;
        let mut holding = self.holding.iter().map(|index| &overrides[*index]);
        let decides = |over: &&OverrideRule| match over.effect {
            OverrideEffect::Floor(band) | OverrideEffect::Ceiling(band) => band == target,
            OverrideEffect::Raise(_) => false,
        };
        if incident.overdue().is_some()
            && before.is_some_and(|before| before.overdue().is_none())
            && let Some(over) = holding.clone().find(|over| over.overdue.is_some())
        {
            return over.id.as_str().into();
        }
        if self.base == Some(target) {
            return format!("O7.base_{target}").into();
        }
        if let Some(over) = holding.find(decides) {
            return over.id.as_str().into();
        }
        let Some(before) = before else {
            return "score".into();
        };
        let old = Assessment::of(engine, setting, before, now).parts;
        let (new, rise) = (self.parts, |new: u32, old: u32| i64::from(new) - i64::from(old));
        let rises = [
            ("S", rise(new.safety, old.safety)),
            ("E", rise(new.exposure, old.exposure)),
            ("C", rise(new.credibility, old.credibility)),
            ("R", rise(new.repetition, old.repetition)),
            ("T", rise(new.time, old.time)),
        ];
        // Nothing about the incident changed: then the weather did.
        let most = rises
            .iter()
            .filter(|(_, rise)| *rise > 0)
            .max_by_key(|(_, rise)| *rise);
        most.map_or("W", |(letter, _)| letter).into()
    }

    /// The ids of the overrides that hold.
    pub(crate) fn overrides(&self, setting: &Setting, incident: &Incident) -> Vec<String> {
        let table = &setting.rules.priority().overrides;
        let mut ids: Vec<String> = self
            .holding
            .iter()
            .map(|index| table[*index].id.clone())
            .collect();
        ids.extend(self.base.map(|band| format!("O7.base_{band}")));
        ids.extend(self.inhibited.as_ref().map(|_| INHIBITED.to_owned()));
        ids.extend(incident.pinned.map(|_| "O5.operator_pin".to_owned()));
        ids.extend((incident.pinned.is_none() && incident.band < self.band).then(|| "hold".to_owned()));
        ids
    }

    /// The clock of the deadline to control.
    pub(crate) fn clock_name(&self, setting: &Setting, incident: &Incident) -> &'static str {
        limits::clock(setting, incident).as_str()
    }
}

impl Engine {
    /// An incident as the rules judge it at the engine's clock.
    pub fn assess(&self, id: &city_model::IncidentId) -> Option<Assessment> {
        let (setting, incident) = (self.setting.as_ref()?, self.incidents.get(id)?);
        Some(Assessment::of(
            self,
            setting,
            incident,
            self.clock().unwrap_or(incident.last_heard_at),
        ))
    }
}

/// The points of the best witness, by what it said and what is believed of it. Nobody's word is nothing.
fn best_witness(incident: &Incident, beliefs: &[Belief]) -> u32 {
    let points = incident.witnesses.as_slice().iter().map(|(channel, points)| {
        let belief = beliefs.iter().find(|belief| belief.channel == *channel);
        let points = i32::from(*points);
        let moved = points + belief.map_or(0, |belief| belief.points);
        moved.max(points.min(1)).unsigned_abs()
    });
    points.max().unwrap_or(0)
}

/// The cells that it lies in or may lie in; none is ever forgotten, so no better position makes it less urgent.
fn codes(incident: &Incident) -> impl Iterator<Item = &str> {
    let own = incident.responsible.iter().map(|responsible| &responsible.code);
    let cells = own.chain(incident.also_affects.iter());
    cells.map(|code| &**code)
}

fn concerns(over: &OverrideRule, kind: KindId) -> bool {
    over.kinds.is_empty() || over.kinds.contains(&kind)
}

/// An hour at which a kind is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hour {
    Rush,
    Night,
}

/// The hour that counts for an incident. Rush and night never were together, so of the two the one that weighs more.
pub(crate) fn hour(setting: &Setting, rule: &KindRule, incident: &Incident) -> Option<Hour> {
    let table = &setting.rules.priority().exposure;
    let rush = (rule.road && incident.rush).then_some((table.rush, Hour::Rush));
    let night = (rule.night && incident.night).then_some((table.night, Hour::Night));
    match (rush, night) {
        (Some(rush), Some(night)) if night.0 > rush.0 => Some(night.1),
        (rush, night) => rush.or(night).map(|(_, hour)| hour),
    }
}

fn exposure(setting: &Setting, rule: &KindRule, incident: &Incident, is_dense: bool) -> u32 {
    let table = &setting.rules.priority().exposure;
    let near =
        |classes: &[city_model::Facility]| incident.facilities.iter().any(|class| classes.contains(class));
    let points = |holds: bool, points: u32| if holds { points } else { 0 };
    (points(near(&table.facilities), table.facility)
        + points(near(&table.sites), table.site)
        + points(hour(setting, rule, incident) == Some(Hour::Rush), table.rush)
        + points(hour(setting, rule, incident) == Some(Hour::Night), table.night)
        + points(is_dense, table.dense))
    .min(table.cap)
}

fn holds(over: &OverrideRule, incident: &Incident, grade: Grade) -> bool {
    let single_video = || {
        incident.witnesses.keys().eq([&Channel::Video])
            && incident.devices.len() <= 1
            && incident.member_count <= 1
    };
    (over.grades.is_empty() || over.grades.contains(&grade))
        && over
            .metric
            .as_ref()
            .is_none_or(|(metric, least)| incident.peaks.get(metric.as_str()).is_some_and(|v| v >= least))
        && over.hint.is_none_or(|hint| incident.hints.contains(&hint))
        && over
            .witnesses_at_least
            .is_none_or(|least| incident.independent_witnesses().max(1) >= usize::from(least))
        && over
            .reporters_at_least
            .is_none_or(|least| incident.reporters.len() >= usize::from(least))
        && (!over.night || incident.night)
        && (!over.only_video || single_video())
        && (!over.all_suspect || incident.all_suspect)
        && (!over.sound || incident.sound)
        && over
            .overdue
            .is_none_or(|overdue| incident.overdue() == Some(overdue))
}
