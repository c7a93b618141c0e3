//! A labelled history as the tuner sees it: located events in order, and which of them belong together by label.

use std::collections::BTreeMap;

use city_model::{Channel, DAY_MS, Point};
use city_rules::KindId;

/// A label counts when the two events are at most this far apart.
pub const LINK_MM: i64 = 500_000;
/// A label counts when the two events are at most this long apart.
pub const LINK_MS: i64 = 30 * DAY_MS;
/// A period has at least one event in so many.
const PERIOD_PART: usize = 20;

/// A located event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// When it happened, in milliseconds.
    pub time_ms: i64,
    /// Where, on the history's plane.
    pub point: Point,
    /// One sigma of that, in millimetres.
    pub u_mm: i64,
    /// What it reports.
    pub kind: KindId,
    /// The kind of witness.
    pub channel: Channel,
    /// The period that it lies in, such as a month: folds are cut between periods, and a budget holds in each.
    pub period: u32,
}

/// Events in the order in which they are decided, and the labels between them.
#[derive(Debug, Clone, Default)]
pub struct History {
    samples: Vec<Sample>,
    /// Child and parent, by index.
    links: Vec<(usize, usize)>,
    /// The least index of what an event belongs together with; its own where it stands alone.
    cluster: Vec<usize>,
}

impl History {
    /// A history of events in order. Links name them by index; those that lie too far apart or name nothing are left out.
    pub fn new(samples: Vec<Sample>, links: Vec<(usize, usize)>) -> History {
        let links: Vec<_> = links
            .into_iter()
            .filter(|&(child, parent)| {
                let (Some(a), Some(b)) = (samples.get(child), samples.get(parent)) else {
                    return false;
                };
                child != parent
                    && a.point.distance_mm(b.point) <= LINK_MM
                    && (a.time_ms - b.time_ms).abs() <= LINK_MS
            })
            .collect();
        let mut history = History {
            cluster: (0..samples.len()).collect(),
            samples,
            links,
        };
        for at in 0..history.links.len() {
            let (child, parent) = history.links[at];
            let (one, other) = (history.root(child), history.root(parent));
            let (least, most) = (one.min(other), one.max(other));
            history.cluster[most] = least;
        }
        for at in 0..history.cluster.len() {
            history.cluster[at] = history.root(at); // what an event points at lies before it and is done
        }
        history
    }

    fn root(&self, mut at: usize) -> usize {
        while self.cluster[at] != at {
            at = self.cluster[at];
        }
        at
    }

    /// The events, in order.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// The labels that count: child and parent.
    pub fn links(&self) -> &[(usize, usize)] {
        &self.links
    }

    /// Whether two events belong together by label.
    pub fn are_one(&self, one: usize, other: usize) -> bool {
        self.cluster[one] == self.cluster[other]
    }

    /// The events that `keep` chooses, with the labels between them.
    pub fn part(&self, keep: impl Fn(usize, &Sample) -> bool) -> History {
        let mut place = vec![None; self.samples.len()];
        let mut samples = Vec::new();
        for (at, sample) in self.samples.iter().enumerate() {
            if keep(at, sample) {
                place[at] = Some(samples.len());
                samples.push(*sample);
            }
        }
        let links = self.links.iter();
        let kept = links.filter_map(|&(child, parent)| Some((place[child]?, place[parent]?)));
        History::new(samples, kept.collect())
    }

    /// The periods, in order; one with too few events to be one of its own is left out.
    pub fn periods(&self) -> Vec<u32> {
        let mut events: BTreeMap<u32, usize> = BTreeMap::new();
        for sample in &self.samples {
            *events.entry(sample.period).or_default() += 1;
        }
        events.retain(|_, events| is_period(*events, self.samples.len()));
        events.into_keys().collect()
    }
}

/// Whether so many events of all make a period of their own, rather than a first day's rest of the month before.
pub(crate) fn is_period(events: usize, of: usize) -> bool {
    events * PERIOD_PART >= of
}
