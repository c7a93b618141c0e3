//! The traces of what changed incidents, kept until the revision goes out that says so: by the tick's coalescing that may be
//! another batch, and after a restart another process. They are state rows, so neither changes what a revision carries.

use std::collections::{BTreeMap, BTreeSet};

use city_model::IncidentId;
use serde::{Deserialize, Serialize};
use wire_format::TraceContext;

/// What the keys of these rows begin with.
const PREFIX: &str = "trace/";
/// Most earlier causes that a revision names; the oldest go first.
const LINKS_MAX: usize = 8;
/// Most incidents that wait with a trace. Traced events are few; those beneath a silence wait longest.
const WAITING_MAX: usize = 10_000;

/// Why an incident's next revision says something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cause {
    /// The newest event or command that changed it.
    pub(crate) by: String,
    /// Its trace.
    pub(crate) context: TraceContext,
    /// The traces of those before it, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) earlier: Vec<TraceContext>,
}

/// The causes of one partition's incidents.
#[derive(Debug, Default)]
pub(crate) struct Causes {
    waiting: BTreeMap<IncidentId, Cause>,
    /// Since the last checkpoint.
    changed: BTreeSet<IncidentId>,
    /// Those that have a row in the changelog.
    written: BTreeSet<IncidentId>,
}

impl Causes {
    /// The incident that a row is about; `None` where it is another's.
    pub(crate) fn incident_of(key: &str) -> Option<IncidentId> {
        key.strip_prefix(PREFIX).map(IncidentId::new)
    }

    /// Enters a row.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn restore(&mut self, incident: IncidentId, value: Option<&[u8]>) -> serde_json::Result<()> {
        match value {
            Some(value) => {
                self.waiting
                    .insert(incident.clone(), serde_json::from_slice(value)?);
                self.written.insert(incident);
            }
            None => {
                self.waiting.remove(&incident);
                self.written.remove(&incident);
            }
        }
        Ok(())
    }

    /// Something traced changed an incident; `false` when there is no room for it.
    pub(crate) fn note(&mut self, incident: &IncidentId, by: &str, context: &TraceContext) -> bool {
        if let Some(cause) = self.waiting.get_mut(incident) {
            // Vendors' additions are long, and links are for looking up.
            let before = std::mem::replace(&mut cause.context, context.clone()).without_state();
            cause.earlier.push(before);
            if cause.earlier.len() > LINKS_MAX {
                cause.earlier.remove(0);
            }
            by.clone_into(&mut cause.by);
        } else if self.waiting.len() < WAITING_MAX {
            let cause = Cause {
                by: by.to_owned(),
                context: context.clone(),
                earlier: Vec::new(),
            };
            self.waiting.insert(incident.clone(), cause);
        } else {
            return false;
        }
        self.changed.insert(incident.clone());
        true
    }

    /// The cause of the revision that goes out now; nothing waits for the next one then.
    pub(crate) fn take(&mut self, incident: &IncidentId) -> Option<Cause> {
        // Without traces this is all that a revision costs.
        if self.waiting.is_empty() {
            return None;
        }
        let cause = self.waiting.remove(incident)?;
        self.changed.insert(incident.clone());
        Some(cause)
    }

    /// The rows that changed since the last call.
    pub(crate) fn rows(&mut self) -> Vec<(String, Option<Vec<u8>>)> {
        let mut rows = Vec::new();
        for incident in std::mem::take(&mut self.changed) {
            let key = format!("{PREFIX}{incident}");
            match self.waiting.get(&incident) {
                // Text and lists of text always serialise.
                Some(cause) => {
                    rows.push((key, Some(serde_json::to_vec(cause).unwrap_or_default())));
                    self.written.insert(incident);
                }
                // One that came and went between two checkpoints never had a row.
                None if self.written.remove(&incident) => rows.push((key, None)),
                None => {}
            }
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(number: u64) -> TraceContext {
        format!("00-{:032x}-{number:016x}-01", 7).parse().unwrap()
    }

    #[test]
    fn the_newest_stands_first_and_the_others_are_few() {
        let mut causes = Causes::default();
        let incident = IncidentId::new("i");
        for number in 1..=20 {
            assert!(causes.note(&incident, &format!("s/{number}"), &context(number)));
        }
        let cause = causes.take(&incident).unwrap();
        assert_eq!((&*cause.by, cause.context), ("s/20", context(20)));
        let expected: Vec<TraceContext> = (12..=19).map(context).collect();
        assert_eq!(cause.earlier, expected);
        assert_eq!(causes.take(&incident), None);
    }

    #[test]
    fn rows_restore_what_waits_and_what_never_waited_has_none() {
        let mut causes = Causes::default();
        let (stays, goes, passes) = (
            IncidentId::new("stays"),
            IncidentId::new("goes"),
            IncidentId::new("passes"),
        );
        for incident in [&stays, &goes] {
            causes.note(incident, "s/1", &context(1));
        }
        let mut rows = causes.rows();
        causes.note(&passes, "s/2", &context(2));
        causes.take(&passes);
        causes.take(&goes);
        rows.extend(causes.rows());
        let told: Vec<(&str, bool)> = rows.iter().map(|(key, row)| (&**key, row.is_some())).collect();
        assert_eq!(
            told,
            [("trace/goes", true), ("trace/stays", true), ("trace/goes", false)]
        );
        let mut restored = Causes::default();
        for (key, value) in &rows {
            let incident = Causes::incident_of(key).unwrap();
            restored.restore(incident, value.as_deref()).unwrap();
        }
        assert_eq!(restored.waiting, causes.waiting);
        assert_eq!(restored.written, causes.written);
        assert_eq!(Causes::incident_of("incident/x"), None);
        assert!(restored.restore(stays, Some(b"{}")).is_err());
    }

    #[test]
    fn a_row_that_was_written_is_read() {
        // As written on 2026-11-26; never change it.
        let row = r#"{"by":"gauges/e-2","context":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 a=b",
            "earlier":["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b8-00"]}"#;
        let mut causes = Causes::default();
        let incident = Causes::incident_of("trace/310117-flood-0123456789abcdef").unwrap();
        causes.restore(incident.clone(), Some(row.as_bytes())).unwrap();
        let cause = causes.take(&incident).unwrap();
        assert_eq!(
            (&*cause.by, cause.context.tracestate()),
            ("gauges/e-2", Some("a=b"))
        );
        assert_eq!((cause.earlier.len(), cause.earlier[0].is_sampled()), (1, false));
        assert_eq!(
            causes.rows(),
            [("trace/310117-flood-0123456789abcdef".to_owned(), None)]
        );
    }

    #[test]
    fn what_waits_has_a_limit() {
        let mut causes = Causes::default();
        for number in 0..WAITING_MAX {
            assert!(causes.note(&IncidentId::new(&number.to_string()), "s/1", &context(1)));
        }
        assert!(!causes.note(&IncidentId::new("more"), "s/1", &context(1)));
        assert!(causes.note(&IncidentId::new("7"), "s/2", &context(2)));
    }
}
