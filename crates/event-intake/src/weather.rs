//! Which weather warnings a partition of intake knows of, and when one reading of a sensor is enough because of one.
//!
//! What was known of a moment follows from the append times alone, however far ahead the warnings were read. It is no state of the
//! partition: whoever reads it tells of all warnings again.

use std::collections::BTreeMap;

use city_model::{Event, EventTime, HOUR_MS, Name, Warning, WarningStatus};

use crate::intake::Intake;

/// So many revisions of a warning are remembered; a storm has a dozen.
const MOST_REVISIONS: usize = 32;
/// So many warnings are remembered whatever their age; a year has some hundreds.
const MANY: usize = 1_000;
/// So long after its end a warning is forgotten: no reading that could be an alarm is older.
const FORGET_MS: i64 = 14 * 24 * HOUR_MS;
/// A warning that names no end is over after so long.
const NO_END_MS: i64 = 30 * 24 * HOUR_MS;

/// The warnings by their ids, each with its revisions in their order and when they were appended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Weather {
    warnings: BTreeMap<Name, Vec<(EventTime, Warning)>>,
}

impl Weather {
    /// Remembers a warning. Telling it twice changes nothing; of two with one revision the first counts.
    pub(crate) fn hear(&mut self, warning: &Warning, appended_at: EventTime) {
        if self.warnings.len() > MANY {
            self.warnings.retain(|_, revisions| {
                revisions.iter().any(|(_, told)| {
                    let over = told.expires_at.unwrap_or(told.issued_at + NO_END_MS);
                    appended_at - over < FORGET_MS
                })
            });
        }
        let revisions = self.warnings.entry(warning.warning_id.clone()).or_default();
        // A newer one that was appended before makes this one void.
        if revisions.iter().any(|(at, told)| {
            told.revision == warning.revision || told.revision > warning.revision && *at <= appended_at
        }) {
            return;
        }
        revisions.push((appended_at, warning.clone()));
        revisions.sort_by_key(|(_, told)| told.revision);
        if revisions.len() > MOST_REVISIONS {
            revisions.remove(0);
        }
    }

    /// The warnings as they were known before an append time, each revision until the next one took its place.
    fn known(&self, before: EventTime) -> impl Iterator<Item = (&Warning, Option<EventTime>)> + '_ {
        self.warnings.values().flat_map(move |revisions| {
            let known: Vec<&Warning> = revisions
                .iter()
                .filter(|(at, _)| *at < before)
                .map(|(_, told)| told)
                .collect();
            let ends: Vec<Option<EventTime>> = (1..=known.len())
                .map(|next| known.get(next).map(|next| Warning::ends_with(next)))
                .collect();
            known.into_iter().zip(ends)
        })
    }
}

impl Intake {
    /// Whether one reading is enough for an alarm: it is of a kind that minds the weather, and when it was taken a severe warning
    /// stood there, as far as that was known when it was appended. A sensor that nobody can place has no weather.
    pub(crate) fn is_enough_in_storm(&self, weather: &Weather, event: &Event) -> bool {
        let rules = self.rules();
        let Some(least) = rules.priority().storm.confirm_at else {
            return false;
        };
        if weather.warnings.is_empty() {
            return false;
        }
        let Some(rule) = rules.kind_id(event.kind.as_str()).map(|kind| rules.kind(kind)) else {
            return false;
        };
        let nowhere = Name::from("");
        let town = event.town.as_ref().unwrap_or(&nowhere);
        let at = event.event_time;
        weather.known(event.ingested_at).any(|(warning, ends)| {
            warning.status == WarningStatus::Issued
                && warning.severity >= least
                && warning.stands(at, 0)
                && ends.is_none_or(|ends| at < ends)
                && rule.minds(&warning.signal)
                && warning.is_about(&event.cells, town)
        })
    }
}
