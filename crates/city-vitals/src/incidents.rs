//! From revisions to facts: what an incident was told as, what it is told as now, and the difference in each cell.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use city_model::{Band, EventTime, MINUTE_MS, Name, Status};
use incident_engine::IncidentRecord;
use serde::{Deserialize, Serialize};

use crate::fact::{Cell, Fact, Path, What, paths};

/// Deadlines are counted in steps of ten minutes: a district's open incidents fill a few hundred.
pub(crate) const DUE_STEP_MS: i64 = 10 * MINUTE_MS;

/// What an incident counted as when it was told last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    paths: Vec<Path>,
    kind: Name,
    /// The band, while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open: Option<Band>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    merged: bool,
    opened_at: EventTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed_at: Option<EventTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<i64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    recurs: bool,
    /// When the band changed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    changed_at: Option<EventTime>,
    /// When the centre handled it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    handled_at: Option<EventTime>,
    /// When it became what it is told as; of one incident never earlier than before, so that nothing is taken back before it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<EventTime>,
}

impl Told {
    /// What a revision counts as.
    pub(crate) fn of(city: &Name, record: &IncidentRecord) -> Told {
        let is = |status: Status| record.status == status.as_str();
        let cells = record.cells.iter();
        let (deadline, handling) = (&record.priority.deadline, &record.handling);
        // What is next: to send it out, then to have it under control; after that nothing is due.
        let due = match (handling.dispatched_at, handling.resolved_at) {
            (_, Some(_)) => None,
            (Some(_), None) => Some(deadline.control_by),
            (None, None) => Some(deadline.dispatch_by),
        };
        let step = due.map(|due| (due.0 + (DUE_STEP_MS - 1)).millis().div_euclid(DUE_STEP_MS));
        Told {
            paths: paths(
                city,
                cells.map(|cell| (&cell.layer, &cell.level, &cell.code, &cell.name)),
            ),
            kind: record.kind.as_str().into(),
            open: is(Status::Open).then_some(record.priority.band),
            merged: is(Status::Merged),
            opened_at: record.opened_at.0,
            closed_at: record.closed_at.map(|at| at.0),
            due: step.filter(|_| is(Status::Open)),
            recurs: record.recurrence_of.is_some(),
            changed_at: record
                .priority
                .previous
                .as_ref()
                .map(|previous| previous.changed_at.0),
            handled_at: [
                handling.acknowledged_at,
                handling.dispatched_at,
                handling.arrived_at,
                handling.resolved_at,
                handling.verified_at,
            ]
            .into_iter()
            .flatten()
            .map(|at| at.0)
            .max(),
            since: None,
        }
    }

    /// When it became what it is told as, as far as the revision says; `before` is `None` at the first one.
    fn changed_since(&self, before: Option<&Told>) -> Option<EventTime> {
        let Some(before) = before.filter(|before| !before.merged) else {
            return Some(self.opened_at).filter(|_| !self.merged);
        };
        let changed = |now: Option<EventTime>, was: Option<EventTime>| now.filter(|_| now != was);
        match (self.merged, self.open, before.open) {
            (true, ..) | (_, Some(_), None) => None,
            (_, None, Some(_)) => self.closed_at,
            _ => changed(self.changed_at, before.changed_at)
                .or_else(|| changed(self.handled_at, before.handled_at)),
        }
    }

    /// The sums that it is part of. A merged one is part of none: its survivor counts.
    fn sums(&self) -> Vec<What> {
        if self.merged {
            return Vec::new();
        }
        let mut sums = vec![What::Opened(self.opened_at)];
        sums.extend(self.recurs.then_some(What::Recurred(self.opened_at)));
        sums.extend(self.open.map(What::Open));
        sums.extend(self.due.map(What::Due));
        sums
    }

    /// What happened between two revisions; `before` is `None` at the first one.
    fn happened(&self, before: Option<&Told>) -> Vec<What> {
        let mut happened = Vec::new();
        let was_new = before.is_none_or(|before| before.merged);
        if self.merged {
            happened.extend((!was_new).then_some(What::Merged));
            return happened;
        }
        if was_new {
            happened.push(What::Began(self.opened_at));
        }
        let was_open = before.is_none_or(|before| before.merged || before.open.is_some());
        match (self.open, self.closed_at) {
            (None, Some(at)) if was_open => happened.push(What::Ended(at)),
            (Some(_), _) if !was_open => happened.push(What::Reopened),
            _ => {}
        }
        // Bands are in the order of urgency, the most urgent first.
        if let (Some(old), Some(new), Some(at)) =
            (before.and_then(|before| before.open), self.open, self.changed_at)
            && new < old
        {
            happened.push(What::Escalated(at));
        }
        happened
    }
}

/// The facts that lead from one telling to the next; `None` is before the first, and after an incident was forgotten. Each
/// travels by the widest cell of its path, also where it is about inner cells alone.
fn difference(before: Option<&Told>, after: Option<&Told>) -> Vec<(String, Fact)> {
    let mut facts = Vec::new();
    let nothing = Vec::new();
    let old_paths = before.map_or(&nothing, |told| &told.paths);
    let new_paths = after.map_or(&nothing, |told| &told.paths);
    let happened = after.map(|after| after.happened(before)).unwrap_or_default();
    let at = after.and_then(|after| after.since);
    for new in new_paths {
        let old = old_paths.iter().find(|old| old.layer == new.layer);
        let known =
            |cell: &Cell| old.is_some_and(|old| old.cells.iter().any(|other| other.code == cell.code));
        let (stays, enters): (Vec<Cell>, Vec<Cell>) = new.cells.iter().cloned().partition(known);
        push(&mut facts, new, stays, (before, after), &happened, at);
        push(&mut facts, new, enters, (None, after), &happened, at);
    }
    for old in old_paths {
        let new = new_paths.iter().find(|new| new.layer == old.layer);
        let gone = |cell: &&Cell| new.is_none_or(|new| new.cells.iter().all(|other| other.code != cell.code));
        let leaves = old.cells.iter().filter(gone).cloned().collect();
        push(&mut facts, old, leaves, (before, None), &[], at);
    }
    facts
}

/// Adds the facts for cells of a path.
fn push(
    facts: &mut Vec<(String, Fact)>,
    path: &Path,
    cells: Vec<Cell>,
    (before, after): (Option<&Told>, Option<&Told>),
    happened: &[What],
    at: Option<EventTime>,
) {
    if cells.is_empty() {
        return;
    }
    let mut by_kind: BTreeMap<&Name, BTreeMap<What, i64>> = BTreeMap::new();
    for (told, by) in [(before, -1), (after, 1)] {
        let Some(told) = told else { continue };
        let counts = by_kind.entry(&told.kind).or_default();
        for what in told.sums() {
            *counts.entry(what).or_default() += by;
        }
    }
    if let Some(after) = after {
        let counts = by_kind.entry(&after.kind).or_default();
        for what in happened {
            *counts.entry(*what).or_default() += 1;
        }
    }
    for (kind, counts) in by_kind {
        let counts: Vec<(What, i64)> = counts.into_iter().filter(|(_, by)| *by != 0).collect();
        if !counts.is_empty() {
            let fact = Fact::Incident {
                path: Path {
                    layer: path.layer.clone(),
                    cells: cells.clone(),
                },
                kind: kind.clone(),
                counts,
                at,
            };
            facts.push((path.key(), fact));
        }
    }
}

/// The incidents of a part of the log, as they were told last.
#[derive(Debug, Default)]
pub struct Incidents {
    city: Name,
    told: BTreeMap<String, Told>,
    changed: BTreeSet<String>,
}

impl Incidents {
    /// None yet, of the city with this code.
    pub fn of_city(city: Name) -> Incidents {
        Incidents {
            city,
            told: BTreeMap::new(),
            changed: BTreeSet::new(),
        }
    }

    /// Takes a revision, or that an incident was forgotten: the facts with the key that each travels by.
    pub fn take(&mut self, id: &str, record: Option<&IncidentRecord>) -> Vec<(String, Fact)> {
        let before = self.told.get(id);
        let mut after = record.map(|record| Told::of(&self.city, record));
        if let Some(after) = &mut after {
            after.since = before.and_then(|before| before.since);
        }
        if before == after.as_ref() {
            return Vec::new();
        }
        if let Some(after) = &mut after {
            // Where the revision does not say it, the first minute that was not told takes it.
            after.since = after.since.max(after.changed_since(before));
        }
        // A closed one that is forgotten was counted and stays so; one that is open still is taken back.
        let facts = match (&after, before) {
            (None, Some(before)) if before.open.is_none() => Vec::new(),
            _ => difference(before, after.as_ref()),
        };
        self.changed.insert(id.to_owned());
        match after {
            Some(told) => self.told.insert(id.to_owned(), told),
            None => self.told.remove(id),
        };
        facts
    }

    /// The rows that changed since the last call; `None` deletes.
    pub fn rows(&mut self) -> BTreeMap<String, Option<Vec<u8>>> {
        let changed = std::mem::take(&mut self.changed).into_iter();
        // Serialising to memory cannot fail: text, numbers and texts as keys.
        let row = |id: &String| Some(serde_json::to_vec(self.told.get(id)?).unwrap_or_default());
        changed.map(|id| (format!("incident/{id}"), row(&id))).collect()
    }

    /// Lets go of what [`Incidents::rows`] would tell, where nothing is restored.
    pub fn forget_changes(&mut self) {
        self.changed.clear();
    }

    /// Enters a row.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn restore(&mut self, key: &str, value: Option<&[u8]>) -> anyhow::Result<()> {
        let Some(id) = key.strip_prefix("incident/") else {
            return Ok(());
        };
        match value {
            Some(value) => {
                let told = serde_json::from_slice(value).with_context(|| format!("restore row {key}"))?;
                self.told.insert(id.to_owned(), told);
            }
            None => {
                self.told.remove(id);
            }
        }
        Ok(())
    }
}
