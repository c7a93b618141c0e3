//! Weather warnings: they stand per region, are revised and cancelled, and weigh on incidents of kinds that mind the weather.

use city_model::{EventKey, EventTime, Incident, Outcome, Source, Warning, WarningStatus};

use crate::draft::Draft;
use crate::engine::Engine;
use crate::{Change, Decision, EventRow, Setting};

impl Engine {
    pub(crate) fn decide_warning(&self, warning: &Warning, counts: bool) -> Decision {
        let Some(setting) = &self.setting else {
            return Decision::default();
        };
        let mut draft = Draft::new(self, setting);
        let clock = self.clock();
        draft.set_now(clock.unwrap_or(warning.issued_at));
        let known = self.warnings.get(&warning.warning_id).map(|(known, _)| known);
        if known == Some(warning) {
            if counts {
                self.count(
                    &mut draft.decision.changes,
                    Source::Weather,
                    Outcome::DuplicateId,
                    1,
                );
            }
            return draft.finish();
        }
        let older = known.is_some_and(|known| known.revision >= warning.revision);
        let row = EventRow {
            key: EventKey::new("weather", &format!("{}@{}", warning.warning_id, warning.revision)),
            source: Source::Weather,
            outcome: if older { Outcome::Refused } else { Outcome::Applied },
            incident: None,
            ingested_at: draft.now,
            ticket: None,
            order: None,
            held: None,
        };
        if counts {
            draft.told(
                row,
                older.then(|| "a revision at least as new was applied before".into()),
                None,
            );
        }
        if older {
            return draft.finish();
        }
        draft.change(Change::PutWarning(
            warning.clone(),
            clock.unwrap_or(EventTime::MIN),
        ));
        // Incidents are judged anew by the first tick that sees the warning in force.
        draft.finish()
    }

    /// Drops warnings that are over and judges the incidents on which a warning begins or ceases to weigh.
    pub(crate) fn expire_weather(&self, draft: &mut Draft<'_>, before: Option<EventTime>, clock: EventTime) {
        let mut turned = false;
        for (warning, heard) in self.warnings.values() {
            let stood = before.is_some_and(|before| stands(warning, before));
            let is_new = before.is_none_or(|before| *heard >= before);
            turned |= stood != stands(warning, clock) || is_new;
            // Its revision is remembered for as long as a repeated record may come.
            let over = warning
                .expires_at
                .unwrap_or(warning.issued_at + crate::engine::SEEN_MS * 10);
            if clock - over > crate::engine::SEEN_MS {
                draft.change(Change::RemoveWarning(warning.warning_id.clone()));
                turned = true;
            }
        }
        if turned {
            for incident in self.numbered(&self.open) {
                if minds_weather(draft.setting(), incident) {
                    draft.edit(&incident.id, |_, _| {});
                }
            }
        }
    }

    /// The most severe warning that weighs on an incident at `now`.
    pub(crate) fn warning_on(
        &self,
        setting: &Setting,
        incident: &Incident,
        now: EventTime,
    ) -> Option<&Warning> {
        let (kind, _) = setting.kind_of(incident)?;
        let city = &setting.activation.city;
        let touches = |region: &str| {
            if !incident.cells.is_empty() {
                incident.cells.iter().any(|cell| cell.code.starts_with(region))
            } else {
                incident.town.as_ref().unwrap_or(city).starts_with(region)
            }
        };
        self.warnings
            .values()
            .map(|(warning, _)| warning)
            .filter(|warning| {
                stands(warning, now)
                    && setting.rules.signal_matches(&warning.signal, kind)
                    && warning.region_codes.iter().any(|region| touches(region))
            })
            .max_by(|a, b| {
                a.severity
                    .cmp(&b.severity)
                    .then_with(|| b.warning_id.cmp(&a.warning_id))
            })
    }
}

fn stands(warning: &Warning, at: EventTime) -> bool {
    warning.status == WarningStatus::Issued
        && warning.effective_at <= at
        && warning.expires_at.is_none_or(|expires| at < expires)
}

fn minds_weather(setting: &Setting, incident: &Incident) -> bool {
    setting.kind_of(incident).is_some_and(|(_, rule)| rule.weather)
}
