//! How urgent an incident is: six whole-number parts, a band, the overrides that have the last word, and the reasons.
//!
//! The tables are the rules'; what is here is only how they are read. `score = min(100, S + E + C + R + W + T)`.

use city_model::{Band, BandFact, Channel, EventTime, Grade, Incident, Severity, Status};
use city_rules::{Clock, Deadline, KindRule, OverrideEffect, OverrideRule, Text};
use serde::{Deserialize, Serialize};

use crate::Setting;
use crate::engine::Engine;
use crate::inhibition::{Cause, INHIBITED};

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
    grade: Grade,
    /// The overrides whose conditions hold, by their index in the rules.
    holding: Vec<usize>,
    /// The kind's base band, where it lifts the incident (O7).
    base: Option<Band>,
    /// What explains it away, so that it can wait.
    inhibited: Option<Cause>,
    warning: Option<(city_model::Name, Severity, city_model::Name)>,
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
        let parts = Parts {
            safety: tables.safety.points(grade),
            exposure: rule.map_or(0, |rule| exposure(setting, rule, incident)),
            credibility: tables.credibility.points(
                incident.witnesses.values().copied().max().unwrap_or(0).into(),
                independent(incident),
            ),
            repetition: tables.repetition.points(
                u32::try_from(incident.reporters.len()).unwrap_or(u32::MAX),
                incident.recurrence_of.is_some(),
            ),
            weather: warning.map_or(0, |warning| tables.weather.points(warning.severity)),
            time: incident.time_points.into(),
        };
        let score = parts.score();
        let mut band = tables.band(score);
        let mut holding = Vec::new();
        for (index, over) in tables.overrides.iter().enumerate() {
            if kind.is_some_and(|kind| over.kinds.is_empty() || over.kinds.contains(&kind))
                && holds(over, incident, grade)
            {
                holding.push(index);
                band = over.effect.apply(band);
            }
        }
        let base = rule
            .filter(|_| incident.sound)
            .and_then(|rule| rule.base_at(peak))
            .filter(|base| *base < band);
        let band = base.unwrap_or(band);
        let inhibited = engine.cause_of(incident).filter(|_| band != Band::P1);
        Assessment {
            parts,
            score,
            band: inhibited.as_ref().map_or(band, |_| Band::P4),
            inhibited,
            grade,
            holding,
            base,
            warning: warning.map(|w| (w.signal.clone(), w.severity, w.warning_id.clone())),
        }
    }

    /// Moves an incident's band towards the judgement: up at once; down only after it has stayed lower for a while or on a
    /// clear signal, and never once it was sent out. An operator's pin stands above all. Answers whether the band
    /// changed, or the incident is new.
    pub(crate) fn move_band(&self, setting: &Setting, incident: &mut Incident, now: EventTime) -> bool {
        incident.storm_id = self
            .warning
            .as_ref()
            .map(|(_, _, id)| id.clone())
            .or(incident.storm_id.take());
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
        if !moves || (!is_new && target == incident.band) {
            return is_new;
        }
        if !is_new {
            let because = self.because(setting, incident, target);
            incident.previous = Some(BandFact {
                band: incident.band,
                changed_at: now,
                because,
            });
        }
        incident.band = target;
        let deadline = setting.rules.priority().deadline(target);
        let add = |(amount, clock): (i64, Clock)| setting.calendar.add(incident.opened_at, amount, clock);
        let (dispatch_by, control_by) = (add(deadline.dispatch), add(control(setting, incident, deadline)));
        incident.dispatch_by = dispatch_by;
        incident.control_by = control_by;
        true
    }

    fn because(&self, setting: &Setting, incident: &Incident, target: Band) -> city_model::Name {
        if incident.pinned.is_some() {
            return "O5.operator_pin".into();
        }
        if self.inhibited.is_some() && target == Band::P4 {
            return INHIBITED.into();
        }
        if self.base == Some(target) {
            return "O7.base".into();
        }
        let overrides = &setting.rules.priority().overrides;
        let decisive = self
            .holding
            .iter()
            .map(|index| &overrides[*index])
            .find(|over| match over.effect {
                OverrideEffect::Floor(band) | OverrideEffect::Ceiling(band) => band == target,
            });
        decisive.map_or_else(|| "score".into(), |over| over.id.as_str().into())
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
        control(
            setting,
            incident,
            setting.rules.priority().deadline(incident.band),
        )
        .1
        .as_str()
    }

    /// Why, in Chinese and English, most decisive first. Never empty.
    pub(crate) fn reasons(&self, setting: &Setting, incident: &Incident) -> (Vec<String>, Vec<String>) {
        let rules = &setting.rules;
        let (texts, tables) = (rules.texts(), rules.priority());
        let rule = setting.kind_of(incident).map(|(_, rule)| rule);
        let mut reasons: Vec<Text> = Vec::new();
        if incident.pinned.is_some() {
            reasons.push(texts.sentence("pin"));
        }
        if let Some(cause) = &self.inhibited {
            reasons.push(texts.inhibited(&cause.name, cause.id.as_str()));
        }
        for index in &self.holding {
            let over = &tables.overrides[*index];
            let peak = over
                .metric
                .as_ref()
                .and_then(|(metric, _)| incident.peaks.get(metric.as_str()).copied());
            reasons.push(over.reason(peak));
        }
        if let Some(rule) = rule {
            let name = Text {
                zh: rule.name_zh.clone(),
                en: rule.name_en.clone(),
            };
            if let Some(base) = self.base {
                reasons.push(texts.base(&name, base));
            }
            if reasons.is_empty() {
                reasons.push(Text {
                    zh: format!("{}，危害等级{}", name.zh, self.grade),
                    en: format!("{}, hazard grade {}", name.en, self.grade),
                });
            }
            if rule.road && incident.rush {
                reasons.push(texts.sentence("rush"));
            }
            if rule.night && incident.night {
                reasons.push(texts.sentence("night"));
            }
        }
        reasons.extend(incident.facilities.iter().map(|facility| texts.near(*facility)));
        let channels: Vec<Channel> = incident
            .witnesses
            .keys()
            .copied()
            .filter(|channel| *channel != Channel::Other)
            .collect();
        if channels.len() >= 2 {
            reasons.push(texts.witnesses(&channels));
        }
        if incident.reporters.len() >= 2 {
            reasons.push(texts.repetition(incident.reporters.len()));
        }
        if incident.recurrence_of.is_some() {
            reasons.push(texts.sentence("recurrence"));
        }
        if let Some((signal, severity, _)) = &self.warning {
            reasons.push(texts.weather(signal, *severity));
        }
        let used = tables
            .time
            .iter()
            .filter(|(_, points)| *points <= incident.time_points.into());
        if let Some((percent, _)) = used.max_by_key(|(_, points)| *points) {
            reasons.push(texts.time(*percent));
        }
        if incident.pinned.is_none() && incident.band < self.band {
            reasons.push(texts.sentence("hold"));
        }
        reasons.into_iter().map(|text| (text.zh, text.en)).unzip()
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

/// How many independent kinds of witness there are. An unknown channel confirms nothing: it may be a known one misspelt.
fn independent(incident: &Incident) -> usize {
    let known = incident
        .witnesses
        .keys()
        .filter(|channel| **channel != Channel::Other)
        .count();
    known.max(1)
}

fn exposure(setting: &Setting, rule: &KindRule, incident: &Incident) -> u32 {
    let table = &setting.rules.priority().exposure;
    let near =
        |classes: &[city_model::Facility]| incident.facilities.iter().any(|class| classes.contains(class));
    let points = |holds: bool, points: u32| if holds { points } else { 0 };
    (points(near(&table.facilities), table.facility)
        + points(near(&table.sites), table.site)
        + points(rule.road && incident.rush, table.rush)
        + points(rule.night && incident.night, table.night))
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
            .is_none_or(|least| independent(incident) >= usize::from(least))
        && (!over.only_video || single_video())
        && (!over.all_suspect || incident.all_suspect)
        && (!over.sound || incident.sound)
}

/// The time to control: the band's, or in the lowest band the kind's own where it has one.
fn control(setting: &Setting, incident: &Incident, deadline: Deadline) -> (i64, Clock) {
    match setting.kind_of(incident).and_then(|(_, rule)| rule.control) {
        Some(own) if incident.band == Band::P4 => own,
        _ => deadline.control,
    }
}
