//! The scores of a grouping against the labels of its history: the JSON that others rely on.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use city_model::{Name, Plane};
use rule_tuner::{LINK_MM, LINK_MS};
use serde::Serialize;

use super::clusters::{Clustering, Score, rounded};
use super::{History, Place, Row, Skipped};

/// What a backtest found. A share of nothing is `null`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Events that were read.
    pub events: usize,
    /// Those with a position.
    pub located: usize,
    /// Incidents, also those of events without a position.
    pub incidents: usize,
    /// Located events minus their incidents.
    pub merged: usize,
    /// `merged` of `located`.
    pub merge_share: Option<f64>,
    /// Labelled pairs that count: both located, at most 500 m and 30 days apart.
    pub links: usize,
    /// The share of the links with both ends in one incident.
    pub link_recall: Option<f64>,
    /// The share of the located duplicates that joined an incident.
    pub duplicate_recall: Option<f64>,
    /// The share of the located events that joined an incident which a label calls part of a duplicate pair. Cities mark
    /// few of their duplicates, so the precision is higher than this.
    pub duplicate_precision_lower_bound: Option<f64>,
    /// Over pairs of events with a true incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pairwise: Option<Score>,
    /// Over events with a true incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub b_cubed: Option<Score>,
    /// By kind, the one with most events first.
    pub per_kind: Vec<KindReport>,
    /// How long it took.
    pub seconds: f64,
    /// Rows that could not be read, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<Skipped>,
}

/// The scores of one kind; a link counts under its child's kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KindReport {
    /// The kind.
    pub kind: Name,
    /// As in [`Report`].
    pub events: usize,
    /// As in [`Report`].
    pub located: usize,
    /// Located events of this kind that joined an incident.
    pub merged: usize,
    /// `merged` of `located`.
    pub merge_share: Option<f64>,
    /// As in [`Report`].
    pub links: usize,
    /// As in [`Report`].
    pub link_recall: Option<f64>,
    /// As in [`Report`].
    pub duplicate_recall: Option<f64>,
    /// As in [`Report`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub b_cubed: Option<Score>,
}

/// What is counted over a set of events.
#[derive(Debug, Clone, Default)]
struct Counts<'a> {
    events: usize,
    located: usize,
    incidents: BTreeSet<&'a str>,
    merged: usize,
    merged_labelled: usize,
    links: usize,
    links_found: usize,
    duplicates: usize,
    duplicates_found: usize,
    /// True and found group of the events that have a true one.
    groups: Vec<(&'a str, Found<'a>)>,
}

/// The group that an event was put in; one in no incident stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Found<'a> {
    Incident(&'a str),
    Alone(&'a str),
}

impl Report {
    /// Scores places, one for each row of the history.
    pub fn of(history: &History, places: &[Place]) -> Report {
        let by_id: HashMap<&str, (&Row, &Place)> = history
            .rows
            .iter()
            .zip(places)
            .map(|(row, place)| (&*row.event_id, (row, place)))
            .collect();
        let parents: HashSet<&str> = history
            .rows
            .iter()
            .filter_map(|row| Some((row.duplicate_of.as_deref()?, &*row.event_id)))
            .filter(|(parent, child)| parent != child)
            .map(|(parent, _)| parent)
            .collect();
        let mut all = Counts::default();
        let mut kinds: BTreeMap<&Name, Counts<'_>> = BTreeMap::new();
        for (row, place) in history.rows.iter().zip(places) {
            let parent = row.duplicate_of.as_deref().and_then(|id| by_id.get(id)).copied();
            let labelled = row.is_duplicate || row.duplicate_of.is_some() || parents.contains(&*row.event_id);
            for counts in [&mut all, kinds.entry(&row.kind).or_default()] {
                counts.add(row, place, parent, labelled);
            }
        }
        let mut per_kind: Vec<KindReport> = kinds
            .into_iter()
            .map(|(kind, counts)| counts.of_kind(kind))
            .collect();
        per_kind.sort_by_key(|kind| std::cmp::Reverse(kind.events)); // stable: equal ones stay in alphabetical order
        let clustering = all.clustering();
        Report {
            events: all.events,
            located: all.located,
            incidents: all.incidents.len(),
            merged: all.merged,
            merge_share: share(all.merged, all.located),
            links: all.links,
            link_recall: share(all.links_found, all.links),
            duplicate_recall: share(all.duplicates_found, all.duplicates),
            duplicate_precision_lower_bound: share(all.merged_labelled, all.merged),
            pairwise: clustering.as_ref().map(Clustering::pairwise),
            b_cubed: clustering.as_ref().map(Clustering::b_cubed),
            per_kind,
            seconds: 0.0,
            skipped: (history.skipped.rows > 0).then(|| history.skipped.clone()),
        }
    }
}

impl<'a> Counts<'a> {
    fn add(&mut self, row: &'a Row, place: &'a Place, parent: Option<(&Row, &Place)>, labelled: bool) {
        let incident = place
            .incident
            .as_ref()
            .filter(|_| place.outcome.belongs())
            .map(|id| id.as_str());
        self.events += 1;
        self.incidents.extend(incident);
        if let Some(truth) = row.truth.as_deref() {
            self.groups.push((
                truth,
                incident.map_or(Found::Alone(&row.event_id), Found::Incident),
            ));
        }
        if row.located.is_none() {
            return;
        }
        self.located += 1;
        // An incident has one event that opened it, and events with a position never share one with events without: so
        // those that joined are events minus incidents.
        let joined = place.joined();
        self.merged += usize::from(joined);
        self.merged_labelled += usize::from(joined && labelled);
        self.duplicates += usize::from(row.is_duplicate);
        self.duplicates_found += usize::from(row.is_duplicate && joined);
        if let Some((_, parents_place)) = parent.filter(|(parent, _)| is_link(row, parent)) {
            let parents_incident = parents_place
                .incident
                .as_ref()
                .filter(|_| parents_place.outcome.belongs());
            let found = incident.is_some() && incident == parents_incident.map(|id| id.as_str());
            self.links += 1;
            self.links_found += usize::from(found);
        }
    }

    fn clustering(&self) -> Option<Clustering<&'a str, Found<'a>>> {
        (!self.groups.is_empty()).then(|| Clustering::of(self.groups.iter().copied()))
    }

    fn of_kind(&self, kind: &Name) -> KindReport {
        KindReport {
            kind: kind.clone(),
            events: self.events,
            located: self.located,
            merged: self.merged,
            merge_share: share(self.merged, self.located),
            links: self.links,
            link_recall: share(self.links_found, self.links),
            duplicate_recall: share(self.duplicates_found, self.duplicates),
            b_cubed: self.clustering().as_ref().map(Clustering::b_cubed),
        }
    }
}

/// Whether a child's link counts, by the tuner's bounds. The distance is taken on a plane at the parent.
pub(crate) fn is_link(child: &Row, parent: &Row) -> bool {
    let (Some((here, _)), Some((there, _))) = (child.located, parent.located) else {
        return false;
    };
    let plane = Plane::at(there);
    child.event_id != parent.event_id
        && plane.project(here).distance_mm(plane.project(there)) <= LINK_MM
        && child.event_time.gap_ms(parent.event_time) <= LINK_MS
}

fn share(part: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| rounded(part as f64 / of as f64))
}
