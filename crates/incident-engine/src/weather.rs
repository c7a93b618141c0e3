//! Weather warnings: they stand per region, are revised and cancelled, weigh on incidents of kinds that mind the weather, and
//! stretch the time in which what happens at one site is one incident.
//!
//! What a storm does to the grouping follows from when an event happened and from what warnings said of that time, not from when
//! either was read, as far as the warning was read before the event.

use city_model::{
    CellRef, Event, EventKey, EventTime, Incident, Name, Outcome, Severity, Source, Warning, WarningStatus,
};
use city_rules::{KindId, KindRule};

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
    pub(crate) fn decide_warning(&self, warning: &Warning, counts: bool) -> Decision {
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
            let row = EventRow {
                key: EventKey::new("weather", &format!("{}@{}", warning.warning_id, warning.revision)),
                source: Source::Weather,
                outcome: if is_refused {
                    Outcome::Refused
                } else {
                    Outcome::Applied
                },
                incident: None,
                ingested_at: draft.now,
                ticket: None,
                order: None,
                held: None,
            };
            let reason = is_refused.then(|| "a revision at least as new was applied before".into());
            draft.told(row, reason, None);
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
        let passed = |at: EventTime| at <= clock && before.is_none_or(|before| at > before);
        let mut turned = self.turning_points().any(passed);
        for told in self.warnings.values() {
            turned |= before.is_none_or(|before| told.heard >= before);
            let warning = &told.warning;
            if clock - over(warning) > self.kept_ms(setting) {
                draft.change(Change::RemoveWarning(warning.warning_id.clone()));
                turned = true;
            }
        }
        if turned {
            for incident in self.numbered(&self.open) {
                if minds_time(setting, incident) {
                    draft.edit(&incident.id, |_, _| {});
                }
            }
        }
    }

    /// For so long after its end a warning is remembered: a repeated record, or an event of its time, may come.
    fn kept_ms(&self, setting: &Setting) -> i64 {
        SEEN_MS + setting.rules.priority().storm.aftermath_ms
    }

    /// The times at which a warning, its aftermath or a declared area begins or ends.
    pub(crate) fn turning_points(&self) -> impl Iterator<Item = EventTime> + '_ {
        let tables = self.setting.as_ref().map(|setting| setting.rules.priority());
        let aftermath_ms = tables.map_or(0, |tables| tables.storm.aftermath_ms);
        let weather = self
            .warnings
            .values()
            .flat_map(Told::revisions)
            .flat_map(move |told| {
                let ends = told.expires_at;
                [Some(told.effective_at), ends, ends.map(|at| at + aftermath_ms)]
            });
        let areas = tables.into_iter().flat_map(|tables| &tables.areas);
        let areas = areas.flat_map(|area| [Some(area.from), Some(area.until)]);
        weather.chain(areas).flatten()
    }

    /// The most severe warning that weighs on an incident at `now`.
    pub(crate) fn warning_on(
        &self,
        setting: &Setting,
        incident: &Incident,
        now: EventTime,
    ) -> Option<&Warning> {
        let (_, rule) = setting.kind_of(incident)?;
        rule.weather
            .then(|| self.storm_at(setting, Spot::of(setting, incident), now, 0))?
    }

    /// The most severe warning that bears on a place at a moment, or did until `tail_ms` before; one that stands goes before one
    /// that did.
    pub(crate) fn storm_at(
        &self,
        setting: &Setting,
        spot: Spot<'_>,
        at: EventTime,
        tail_ms: i64,
    ) -> Option<&Warning> {
        self.storms_at(setting, spot, at, tail_ms).max_by(|a, b| {
            let rank = |warning: &Warning| (warning.stands(at, 0), warning.severity);
            rank(a)
                .cmp(&rank(b))
                .then_with(|| b.warning_id.cmp(&a.warning_id))
                .then(a.revision.cmp(&b.revision))
        })
    }

    fn storms_at<'a, 'b>(
        &'a self,
        setting: &'b Setting,
        spot: Spot<'b>,
        at: EventTime,
        tail_ms: i64,
    ) -> impl Iterator<Item = &'a Warning> + use<'a, 'b> {
        let revisions = self.warnings.values().flat_map(Told::revisions);
        revisions.filter(move |warning| {
            warning.stands(at, tail_ms) && setting.rules.is_storm(&warning.signal) && spot.is_in(warning)
        })
    }

    /// Whether an event happened in a storm or its aftermath, by what is known of warnings.
    pub(crate) fn is_in_storm(&self, setting: &Setting, event: &Event) -> bool {
        let tail_ms = setting.rules.priority().storm.aftermath_ms;
        !self.warnings.is_empty() && {
            let spot = Spot::of_event(setting, event);
            self.storms_at(setting, spot, event.event_time, tail_ms)
                .next()
                .is_some()
        }
    }

    /// Whether a storm of at least a severity, or its aftermath, bears on an incident.
    pub(crate) fn is_stormy(
        &self,
        setting: &Setting,
        incident: &Incident,
        now: EventTime,
        least: Severity,
    ) -> bool {
        let tail_ms = setting.rules.priority().storm.aftermath_ms;
        let storm = self.storm_at(setting, Spot::of(setting, incident), now, tail_ms);
        storm.is_some_and(|warning| warning.severity >= least)
    }
}

/// By how much a kind's gap and longest life are stretched.
pub(crate) fn stretch(setting: &Setting, rule: &KindRule, is_in_storm: bool) -> i64 {
    if is_in_storm && rule.weather {
        setting.rules.priority().storm.stretch
    } else {
        1
    }
}

/// The gap after which an incident is quiet: longer where a storm bore on it.
pub(crate) fn quiet_after_ms(setting: &Setting, rule: &KindRule, incident: &Incident) -> i64 {
    let stretch = stretch(setting, rule, incident.storm_id.is_some());
    rule.gap_ms.saturating_mul(stretch)
}

/// When a warning ends; one that does not say so is not forgotten soon.
fn over(warning: &Warning) -> EventTime {
    warning.expires_at.unwrap_or(warning.issued_at + SEEN_MS * 10)
}

/// Whether a warning or a major event may change how urgent it is, without anything being told of it.
fn minds_time(setting: &Setting, incident: &Incident) -> bool {
    let tables = setting.rules.priority();
    let names = |kinds: &[KindId], kind: KindId| kinds.is_empty() || kinds.contains(&kind);
    setting.kind_of(incident).is_some_and(|(kind, rule)| {
        let mut storms = tables.overrides.iter().filter(|over| over.storm.is_some());
        rule.weather
            || storms.any(|over| names(&over.kinds, kind))
            || tables.areas.iter().any(|area| names(&area.kinds, kind))
    })
}
