//! Weather warnings: they stand per region, are revised and cancelled, weigh on incidents of kinds that mind the weather, and
//! stretch the time in which what happens at one site is one incident.
//!
//! What a storm does to the grouping follows from when an event happened and from what warnings said of that time, not from when
//! either was read, as far as the warning was read before the event.

use city_model::{
    CellRef, Event, EventKey, EventTime, Incident, Name, Outcome, Source, Status, Warning, WarningStatus,
};
use city_rules::{AreaRule, KindId, KindRule, OverrideRule};

use crate::draft::Draft;
use crate::engine::{Engine, SEEN_MS};
use crate::{Change, Counted, Decision, EventRow, Setting};

/// So many earlier revisions of a warning are remembered; a storm has a dozen.
const MOST_REVISIONS: usize = 32;

/// A warning as it is told now, and what it said before.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) warning: Warning,
    /// Where the clock stood when this was heard.
    pub(crate) heard: EventTime,
    /// Its earlier revisions, each until the next took its place.
    pub(crate) before: Vec<Warning>,
    /// The newest revision that was counted.
    pub(crate) counted: Counted,
}

impl Told {
    fn revisions(&self) -> impl Iterator<Item = &Warning> {
        self.before.iter().chain([&self.warning])
    }

    /// The times at which one of its revisions, or the aftermath of one, begins or ends.
    fn turning_points(&self, aftermath_ms: i64) -> impl Iterator<Item = EventTime> + '_ {
        let times = move |told: &Warning| {
            let ends = told.expires_at;
            [Some(told.effective_at), ends, ends.map(|at| at + aftermath_ms)]
        };
        self.revisions().flat_map(times).flatten()
    }

    /// The revisions before `next`, with this one until `next` takes its place: a new one from when it holds, a
    /// cancellation from when it was said.
    fn followed_by(&self, next: &Warning) -> Vec<Warning> {
        let ends = Warning::ends_with(next);
        let mut before = self.before.clone();
        if self.warning.status == WarningStatus::Issued && ends > self.warning.effective_at {
            before.push(Warning {
                expires_at: Some(self.warning.expires_at.map_or(ends, |at| at.min(ends))),
                ..self.warning.clone()
            });
        }
        let surplus = before.len().saturating_sub(MOST_REVISIONS);
        before.drain(..surplus);
        before
    }

    /// The newest revision that was counted, if any was.
    fn counted(&self) -> Option<&Warning> {
        match &self.counted {
            Counted::This => Some(&self.warning),
            Counted::Earlier(warning) => Some(warning),
            Counted::None => None,
        }
    }
}

/// Where something is, by what regions are called by.
#[derive(Clone, Copy)]
pub(crate) struct Spot<'a> {
    cells: &'a [CellRef],
    /// The town where no cell is known, else the city.
    town: &'a Name,
}

impl<'a> Spot<'a> {
    pub(crate) fn of(setting: &'a Setting, incident: &'a Incident) -> Spot<'a> {
        Spot {
            cells: &incident.cells,
            town: incident.town.as_ref().unwrap_or(&setting.activation.city),
        }
    }

    fn of_event(setting: &'a Setting, event: &'a Event) -> Spot<'a> {
        Spot {
            cells: &event.cells,
            town: event.town.as_ref().unwrap_or(&setting.activation.city),
        }
    }

    fn is_in(&self, warning: &Warning) -> bool {
        warning.is_about(self.cells, self.town)
    }
}

impl Engine {
    pub(crate) fn decide_warning(&self, warning: &Warning, counts: bool, note: Option<&Name>) -> Decision {
        let Some(setting) = &self.setting else {
            return Decision::default();
        };
        let mut draft = Draft::new(self, setting);
        let clock = self.clock();
        draft.set_now(clock.unwrap_or(warning.issued_at));
        let known = self.warnings.get(&warning.warning_id);
        let last = known.and_then(Told::counted);
        if counts && last == Some(warning) {
            self.count(
                &mut draft.decision.changes,
                Source::Weather,
                Outcome::DuplicateId,
                1,
            );
            return draft.finish();
        }
        // Who reads ahead tells of warnings before they are counted: what is said of a revision follows from the counted ones alone.
        let is_refused = last.is_some_and(|last| last.revision >= warning.revision);
        if counts {
            let outcome = match is_refused {
                true => Outcome::Refused,
                false => Outcome::Applied,
            };
            let key = EventKey::new("weather", &format!("{}@{}", warning.warning_id, warning.revision));
            let row = EventRow::of_order(key, Source::Weather, outcome, None, draft.now);
            let refusal = is_refused.then(|| "a revision at least as new was applied before".into());
            draft.told(row, refusal.or_else(|| note.cloned()), None);
        }
        let is_counted = counts && !is_refused;
        let is_news = known.is_none_or(|known| known.warning.revision < warning.revision);
        // A loop that starts tells of all that there ever was.
        let is_past = !counts && clock.is_some_and(|clock| clock - over(warning) > self.kept_ms(setting));
        if is_news && !is_past {
            let counted = match last {
                _ if is_counted => Counted::This,
                Some(last) => Counted::Earlier(Box::new(last.clone())),
                None => Counted::None,
            };
            draft.change(Change::PutWarning(
                warning.clone(),
                clock.unwrap_or(EventTime::MIN),
                known.map(|known| known.followed_by(warning)).unwrap_or_default(),
                counted,
            ));
        } else if let Some(known) = known.filter(|_| is_counted) {
            let counted = if known.warning == *warning {
                Counted::This
            } else {
                Counted::Earlier(Box::new(warning.clone()))
            };
            draft.change(Change::PutWarning(
                known.warning.clone(),
                known.heard,
                known.before.clone(),
                counted,
            ));
        }
        // Incidents are judged anew by the first tick that sees the warning in force.
        draft.finish()
    }

    /// Drops warnings that are over and judges the incidents on which a warning or a major event begins or ceases to weigh.
    pub(crate) fn expire_weather(&self, draft: &mut Draft<'_>, before: Option<EventTime>, clock: EventTime) {
        let setting = draft.setting();
        let tables = setting.rules.priority();
        let passed = |at: EventTime| at <= clock && before.is_none_or(|before| at > before);
        let areas = tables.areas.iter();
        let areas: Vec<&AreaRule> = areas
            .filter(|area| passed(area.from) || passed(area.until))
            .collect();
        let mut turned: Vec<&Told> = Vec::new();
        for told in self.warnings.values() {
            let is_forgotten = clock - over(&told.warning) > self.kept_ms(setting);
            if is_forgotten {
                draft.change(Change::RemoveWarning(told.warning.warning_id.clone()));
            }
            let is_new = before.is_none_or(|before| told.heard >= before);
            if is_forgotten || is_new || told.turning_points(tables.storm.aftermath_ms).any(passed) {
                turned.push(told);
            }
        }
        if turned.is_empty() && areas.is_empty() {
            return;
        }
        for number in &self.open {
            let Some(incident) = self.incidents.glance(*number) else {
                continue;
            };
            let Some((kind, rule)) = setting.kind_of(&incident) else {
                continue;
            };
            let spot = Spot::of(setting, &incident);
            let bears = |told: &&Told| {
                told.revisions()
                    .any(|warning| concerns(setting, kind, rule, warning) && spot.is_in(warning))
            };
            if turned.iter().any(bears) || areas.iter().any(|area| names(&area.kinds, kind)) {
                draft.edit(&incident.id, |_, _| {});
            }
        }
    }

    /// When the next tick has a warning to look at that was heard since the last one.
    pub(crate) fn unseen_warning(&self) -> Option<EventTime> {
        let clock = self.clock()?;
        let mut warnings = self.warnings.values();
        warnings.any(|told| told.heard >= clock).then_some(clock + 1)
    }

    /// For so long after its end a warning is remembered: a repeated record, or an event of its time, may come.
    fn kept_ms(&self, setting: &Setting) -> i64 {
        SEEN_MS + setting.rules.priority().storm.aftermath_ms
    }

    /// The times at which a warning, its aftermath or a declared area begins or ends.
    pub(crate) fn turning_points(&self) -> impl Iterator<Item = EventTime> + '_ {
        let tables = self.setting.as_ref().map(|setting| setting.rules.priority());
        let aftermath_ms = tables.map_or(0, |tables| tables.storm.aftermath_ms);
        let weather = self.warnings.values();
        let weather = weather.flat_map(move |told| told.turning_points(aftermath_ms));
        let areas = tables.into_iter().flat_map(|tables| &tables.areas);
        weather.chain(areas.flat_map(|area| [area.from, area.until]))
    }

    /// The most severe warning that weighs on an incident at `now`.
    pub(crate) fn warning_on(
        &self,
        setting: &Setting,
        incident: &Incident,
        now: EventTime,
    ) -> Option<&Warning> {
        let (_, rule) = setting.kind_of(incident)?;
        self.storm_at(rule, Spot::of(setting, incident), now, 0)
    }

    /// The storm that names an incident: the one that it began in, though others pass over it later. What began before is named by one
    /// that comes over it while nobody cares for it yet, for it stays open longer then. What is over, or what the centre has begun
    /// with, a later storm neither made nor keeps open: counted among its incidents it would tell of damage that it did not do.
    pub(crate) fn storm_of(
        &self,
        setting: &Setting,
        incident: &Incident,
        now: EventTime,
    ) -> Option<&Warning> {
        let (_, rule) = setting.kind_of(incident)?;
        let aftermath_ms = setting.rules.priority().storm.aftermath_ms;
        let at = |time| self.storm_at(rule, Spot::of(setting, incident), time, aftermath_ms);
        let waits = incident.status == Status::Open && !incident.handling.has_begun();
        at(incident.first_event_at).or_else(|| at(now).filter(|_| waits))
    }

    /// The most severe warning that bears on a kind at a place at a moment, or did until `tail_ms` before; one that stands goes before one
    /// that did.
    pub(crate) fn storm_at(
        &self,
        rule: &KindRule,
        spot: Spot<'_>,
        at: EventTime,
        tail_ms: i64,
    ) -> Option<&Warning> {
        let storms = self.storms_at(spot, at, tail_ms);
        most_severe(storms.filter(|warning| rule.minds(&warning.signal)), at)
    }

    fn storms_at<'a, 'b>(
        &'a self,
        spot: Spot<'b>,
        at: EventTime,
        tail_ms: i64,
    ) -> impl Iterator<Item = &'a Warning> + use<'a, 'b> {
        let revisions = self.warnings.values().flat_map(Told::revisions);
        revisions.filter(move |warning| warning.stands(at, tail_ms) && spot.is_in(warning))
    }

    /// The signals of the warnings in whose time, or aftermath, an event happened there, by what is known of them.
    pub(crate) fn signals_at(&self, setting: &Setting, event: &Event) -> Vec<Name> {
        if self.warnings.is_empty() {
            return Vec::new();
        }
        let tail_ms = setting.rules.priority().storm.aftermath_ms;
        let spot = Spot::of_event(setting, event);
        let storms = self.storms_at(spot, event.event_time, tail_ms);
        let mut signals: Vec<Name> = storms.map(|warning| warning.signal.clone()).collect();
        signals.sort_unstable();
        signals.dedup();
        signals
    }

    /// Whether a storm such as an override asks for, or its aftermath, bears on an incident's place; where the override names signals,
    /// a warning of one of them that stands.
    pub(crate) fn is_stormy(
        &self,
        setting: &Setting,
        incident: &Incident,
        now: EventTime,
        over: &OverrideRule,
    ) -> bool {
        let Some(least) = over.storm else {
            return true;
        };
        let aftermath_ms = setting.rules.priority().storm.aftermath_ms;
        let tail_ms = if over.signals.is_empty() { aftermath_ms } else { 0 };
        let storms = self.storms_at(Spot::of(setting, incident), now, tail_ms);
        let storms = storms.filter(|warning| is_asked_for(setting, over, warning));
        most_severe(storms, now).is_some_and(|warning| warning.severity >= least)
    }
}

/// The most severe of some warnings; one that stands goes before one that did.
fn most_severe<'a>(warnings: impl Iterator<Item = &'a Warning>, at: EventTime) -> Option<&'a Warning> {
    warnings.max_by(|a, b| {
        let rank = |warning: &Warning| (warning.stands(at, 0), warning.severity);
        rank(a)
            .cmp(&rank(b))
            .then_with(|| b.warning_id.cmp(&a.warning_id))
            .then(a.revision.cmp(&b.revision))
    })
}

/// By how much a kind's gap and longest life are stretched where these signals stood.
pub(crate) fn stretch(setting: &Setting, rule: &KindRule, signals: &[Name]) -> i64 {
    stretch_if(setting, rule, signals.iter().any(|signal| rule.minds(signal)))
}

/// The most by which they may be.
pub(crate) fn most_stretch(setting: &Setting, rule: &KindRule) -> i64 {
    stretch_if(setting, rule, true)
}

fn stretch_if(setting: &Setting, rule: &KindRule, is_in_storm: bool) -> i64 {
    if is_in_storm && rule.weather {
        setting.rules.priority().storm.stretch
    } else {
        1
    }
}

/// The gap after which an incident is quiet: longer where a storm bore on it.
pub(crate) fn quiet_after_ms(setting: &Setting, rule: &KindRule, incident: &Incident) -> i64 {
    let stretch = stretch_if(setting, rule, incident.storm_id.is_some());
    rule.gap_ms.saturating_mul(stretch)
}

/// When a warning ends; one that does not say so is not forgotten soon.
fn over(warning: &Warning) -> EventTime {
    warning.expires_at.unwrap_or(warning.issued_at + SEEN_MS * 10)
}

/// Whether a warning may change how urgent a kind is.
fn concerns(setting: &Setting, kind: KindId, rule: &KindRule, warning: &Warning) -> bool {
    let overrides = setting.rules.priority().overrides.iter();
    let mut storms = overrides.filter(|over| over.storm.is_some() && names(&over.kinds, kind));
    rule.minds(&warning.signal) || storms.any(|over| is_asked_for(setting, over, warning))
}

/// Whether an override asks for a warning of this signal.
fn is_asked_for(setting: &Setting, over: &OverrideRule, warning: &Warning) -> bool {
    let mut asked = over.signals.iter();
    if over.signals.is_empty() {
        setting.rules.is_storm(&warning.signal)
    } else {
        asked.any(|signal| signal.eq_ignore_ascii_case(&warning.signal))
    }
}

fn names(kinds: &[KindId], kind: KindId) -> bool {
    kinds.is_empty() || kinds.contains(&kind)
}
