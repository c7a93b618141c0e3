//! How many labels a grouping finds, and how much it merges for them.

use std::collections::BTreeMap;

use city_rules::KindId;

use crate::History;
use crate::history::is_period;

/// The counts of a grouping. Links count under their child's kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judged {
    /// Located events.
    pub events: usize,
    /// Those that joined an incident.
    pub merged: usize,
    /// Labels.
    pub links: usize,
    /// Labels with both ends in one incident.
    pub found: usize,
    /// The same by kind: events, merged, links, found.
    pub kinds: BTreeMap<KindId, [usize; 4]>,
    /// The largest share of a period that was merged, as merged and events.
    pub worst: (usize, usize),
}

impl Judged {
    /// Merged events of all.
    pub fn share(&self) -> f64 {
        share(self.merged, self.events)
    }

    /// Found labels of all.
    pub fn recall(&self) -> f64 {
        share(self.found, self.links)
    }

    /// The largest share of a period that was merged.
    pub fn worst_share(&self) -> f64 {
        share(self.worst.0, self.worst.1)
    }

    /// The kind with most links; the first of equals.
    pub fn biggest(&self) -> Option<KindId> {
        let most = self
            .kinds
            .iter()
            .max_by_key(|(kind, counts)| (counts[2], std::cmp::Reverse(**kind)));
        most.filter(|(_, counts)| counts[2] > 0).map(|(kind, _)| *kind)
    }

    /// Links and found ones of all kinds but the biggest.
    pub fn without_biggest(&self) -> (usize, usize) {
        let counts = self.biggest().and_then(|kind| self.kinds.get(&kind));
        let [_, _, links, found] = counts.copied().unwrap_or_default();
        (self.links - links, self.found - found)
    }
}

/// Judges the incidents of a history's events.
pub fn judge(history: &History, places: &[usize]) -> Judged {
    let mut judged = Judged::default();
    let mut opened = 0;
    let mut periods: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
    for (sample, place) in history.samples().iter().zip(places) {
        // Incidents are numbered as they open, so a number that was not there yet is a new one.
        let joined = *place < opened;
        opened = opened.max(place + 1);
        judged.events += 1;
        judged.merged += usize::from(joined);
        let kind = judged.kinds.entry(sample.kind).or_default();
        kind[0] += 1;
        kind[1] += usize::from(joined);
        let period = periods.entry(sample.period).or_default();
        period.0 += usize::from(joined);
        period.1 += 1;
    }
    for &(child, parent) in history.links() {
        let found = places
            .get(child)
            .is_some_and(|place| Some(place) == places.get(parent));
        judged.links += 1;
        judged.found += usize::from(found);
        let kind = judged.kinds.entry(history.samples()[child].kind).or_default();
        kind[2] += 1;
        kind[3] += usize::from(found);
    }
    let own = periods
        .values()
        .filter(|(_, events)| is_period(*events, judged.events));
    // a/b > c/d without a division, so that no rounding picks another one
    judged.worst = own.copied().fold((0, 1), |worst, period| {
        if period.0 * worst.1 > worst.0 * period.1 {
            period
        } else {
            worst
        }
    });
    judged
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}
