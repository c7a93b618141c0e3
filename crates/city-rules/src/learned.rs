//! The learned table: how many points speak for an event and an incident of one or two kinds being the same trouble.
//!
//! Ten points are a doubling of the odds that a labelled history showed. The table weighs; it does not look for anything.

use std::collections::BTreeMap;

use city_model::Channel;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::kind::KindId;
use crate::number::Thousandths;
use crate::strict::DurationMs;

/// More bands than a person would check are a mistake.
const BANDS_MAX: usize = 64;
/// No number of points is beyond this: 2^1000 to one.
const POINTS_MAX: i32 = 10_000;

/// The points of one kind, or of two that are one thing under two names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// Two of them are never the same incident by nearness.
    Never,
    /// One number for each band of distance and one for each band of gap.
    Points {
        /// By band of distance.
        distance: Vec<i32>,
        /// By band of gap.
        gap: Vec<i32>,
    },
}

/// What the table says of an event and an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may join, with so many points.
    Joins(i32),
    /// Too few points, or beyond the last band.
    TooFew,
    /// These kinds never meet by nearness.
    Never,
}

/// A table of points. An event joins the incident with most of them, from the threshold on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Learned {
    threshold: i32,
    /// Upper ends of the bands, rising.
    distance_mm: Vec<i64>,
    /// Upper ends of the bands, rising.
    gap_ms: Vec<i64>,
    rows: FxHashMap<(KindId, KindId), Row>,
    /// The event's channel, then that of a witness whom the incident has.
    channels: BTreeMap<(Channel, Channel), i32>,
}

impl Learned {
    /// An empty table over bands that end at these distances and gaps.
    ///
    /// # Errors
    /// When there are no bands or too many, or they do not rise.
    pub fn new(threshold: i32, distance_mm: Vec<i64>, gap_ms: Vec<i64>) -> Result<Learned, String> {
        for (name, bands) in [("distance", &distance_mm), ("gap", &gap_ms)] {
            let rises = bands.first().is_some_and(|first| *first > 0) && bands.is_sorted_by(|a, b| a < b);
            if !rises || bands.len() > BANDS_MAX {
                return Err(format!(
                    "learned.{name} needs 1 to {BANDS_MAX} bands above 0, each wider than the one before"
                ));
            }
        }
        Ok(Learned {
            threshold,
            distance_mm,
            gap_ms,
            ..Learned::default()
        })
    }

    /// Enters the points of two kinds, or of one with itself. The order of the two does not matter.
    ///
    /// # Errors
    /// When the numbers do not fit the bands or are out of all proportion.
    pub fn enter(&mut self, one: KindId, other: KindId, row: Row) -> Result<(), String> {
        if let Row::Points { distance, gap } = &row {
            let (of_distance, of_gap) = (self.distance_mm.len(), self.gap_ms.len());
            if distance.len() != of_distance || gap.len() != of_gap {
                return Err(format!(
                    "{of_distance} numbers of points by distance and {of_gap} by gap are needed, not {} and {}",
                    distance.len(),
                    gap.len()
                ));
            }
            sane(distance.iter().chain(gap).copied())?;
        }
        self.rows.insert(ordered(one, other), row);
        Ok(())
    }

    /// Enters the points of an event of one channel at an incident that has a witness of another.
    ///
    /// # Errors
    /// When the number is out of all proportion.
    pub fn enter_channels(&mut self, event: Channel, witness: Channel, points: i32) -> Result<(), String> {
        sane([points])?;
        self.channels.insert((event, witness), points);
        Ok(())
    }

    /// The points from which on an event joins.
    pub fn threshold(&self) -> i32 {
        self.threshold
    }

    /// The same table with another threshold.
    pub fn with_threshold(mut self, threshold: i32) -> Learned {
        self.threshold = threshold;
        self
    }

    /// The upper ends of the bands of distance, in millimetres.
    pub fn distances_mm(&self) -> &[i64] {
        &self.distance_mm
    }

    /// The upper ends of the bands of gap, in milliseconds.
    pub fn gaps_ms(&self) -> &[i64] {
        &self.gap_ms
    }

    /// The points of two kinds, if the table knows the two.
    pub fn row(&self, one: KindId, other: KindId) -> Option<&Row> {
        self.rows.get(&ordered(one, other))
    }

    /// The points of an event's channel at an incident with a witness of another; 0 for what was never seen.
    pub fn channel_points(&self, event: Channel, witness: Channel) -> i32 {
        self.channels.get(&(event, witness)).copied().unwrap_or(0)
    }

    /// What speaks for an event of kind `event` and `channel` at an incident of kind `incident` with these witnesses: the
    /// best of them counts. `None`: the table does not know these kinds, so the plain rule of their radius decides.
    pub fn weigh(
        &self,
        (event, incident): (KindId, KindId),
        distance_mm: i64,
        gap_ms: i64,
        channel: Channel,
        witnesses: impl Iterator<Item = Channel>,
    ) -> Option<Verdict> {
        let (distance, gap) = match self.row(event, incident)? {
            Row::Never => return Some(Verdict::Never),
            Row::Points { distance, gap } => (distance, gap),
        };
        let (Some(far), Some(late)) = (band(&self.distance_mm, distance_mm), band(&self.gap_ms, gap_ms))
        else {
            return Some(Verdict::TooFew);
        };
        let by_channel = witnesses
            .map(|witness| self.channel_points(channel, witness))
            .max()
            .unwrap_or(0);
        let points = distance[far] + gap[late] + by_channel;
        Some(if points >= self.threshold {
            Verdict::Joins(points)
        } else {
            Verdict::TooFew
        })
    }

    /// The highest threshold at which two of these can merge at all: at the nearest, soonest and by the channels that tell most.
    pub fn highest(&self, one: KindId, other: KindId) -> Option<i32> {
        let Some(Row::Points { distance, gap }) = self.row(one, other) else {
            return None;
        };
        Some(distance.iter().max()? + gap.iter().max()? + self.best_channel())
    }

    fn best_channel(&self) -> i32 {
        self.channels.values().copied().max().unwrap_or(0).max(0)
    }

    /// The farthest distance and the longest gap at which two kinds can meet at all, with the channels that speak for it
    /// most. `None`: they never do.
    pub fn reach(&self, one: KindId, other: KindId) -> Option<(i64, i64)> {
        let Some(Row::Points { distance, gap }) = self.row(one, other) else {
            return None;
        };
        let best = self.best_channel();
        let nearest = *distance.iter().max()? + best;
        let soonest = *gap.iter().max()? + best;
        let last = |points: &[i32], with: i32| points.iter().rposition(|own| own + with >= self.threshold);
        let far = last(distance, soonest)?;
        let late = last(gap, nearest)?;
        Some((self.distance_mm[far], self.gap_ms[late]))
    }
}

/// The band that a value lies in: the first whose end it does not pass. `None`: it lies beyond the last.
pub fn band(ends: &[i64], value: i64) -> Option<usize> {
    let at = ends.partition_point(|end| *end < value);
    (at < ends.len()).then_some(at)
}

fn ordered(one: KindId, other: KindId) -> (KindId, KindId) {
    (one.min(other), one.max(other))
}

fn sane(points: impl IntoIterator<Item = i32>) -> Result<(), String> {
    let range = -POINTS_MAX..=POINTS_MAX;
    if points.into_iter().all(|points| range.contains(&points)) {
        Ok(())
    } else {
        Err(format!("points lie between -{POINTS_MAX} and {POINTS_MAX}"))
    }
}

/// The table as written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawLearned {
    pub(crate) threshold: i32,
    /// Metres.
    pub(crate) distance: Vec<Thousandths>,
    pub(crate) gap: Vec<DurationMs>,
    pub(crate) kinds: BTreeMap<String, RawRow>,
    /// By one kind, then by the other.
    pub(crate) pairs: BTreeMap<String, BTreeMap<String, RawRow>>,
    /// By the event's channel, then by the incident's.
    pub(crate) channels: BTreeMap<Channel, BTreeMap<Channel, i32>>,
}

/// A row as written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawRow {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) never: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) distance: Vec<i32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) gap: Vec<i32>,
}

impl RawRow {
    pub(crate) fn row(&self) -> Result<Row, String> {
        match (self.never, self.distance.is_empty() && self.gap.is_empty()) {
            (true, true) => Ok(Row::Never),
            (true, false) => Err("what never merges has no points".to_owned()),
            (false, _) => Ok(Row::Points {
                distance: self.distance.clone(),
                gap: self.gap.clone(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Learned {
        let mut table = Learned::new(-50, vec![1_000, 50_000], vec![60_000, 3_600_000]).unwrap();
        let row = Row::Points {
            distance: vec![-30, -45],
            gap: vec![0, -10],
        };
        table.enter(KindId(2), KindId(1), row).unwrap();
        table.enter(KindId(3), KindId(3), Row::Never).unwrap();
        table
            .enter_channels(Channel::Hotline, Channel::Inspector, -8)
            .unwrap();
        table
    }

    #[test]
    fn bands_end_where_they_say_and_the_best_witness_counts() {
        let table = table();
        let weigh = |distance, gap, witnesses: &[Channel]| {
            let kinds = (KindId(1), KindId(2));
            table.weigh(kinds, distance, gap, Channel::Hotline, witnesses.iter().copied())
        };
        let hotline = [Channel::Hotline];
        assert_eq!(weigh(1_000, 60_000, &hotline), Some(Verdict::Joins(-30)));
        assert_eq!(weigh(1_001, 60_000, &hotline), Some(Verdict::Joins(-45)));
        assert_eq!(weigh(1_001, 60_001, &hotline), Some(Verdict::TooFew));
        assert_eq!(
            weigh(50_001, 0, &hotline),
            Some(Verdict::TooFew),
            "beyond the last band"
        );
        assert_eq!(
            weigh(1_001, 0, &[Channel::Inspector]),
            Some(Verdict::TooFew),
            "-53"
        );
        let both = [Channel::Inspector, Channel::Hotline];
        assert_eq!(weigh(1_001, 0, &both), Some(Verdict::Joins(-45)));
    }

    #[test]
    fn unknown_kinds_are_left_to_the_plain_rule() {
        let table = table();
        let none = std::iter::empty;
        assert_eq!(
            table.weigh((KindId(1), KindId(1)), 0, 0, Channel::Other, none()),
            None
        );
        assert_eq!(
            table.weigh((KindId(3), KindId(3)), 0, 0, Channel::Other, none()),
            Some(Verdict::Never)
        );
    }

    #[test]
    fn nothing_beyond_the_reach_can_join() {
        let table = table();
        assert_eq!(table.reach(KindId(1), KindId(2)), Some((50_000, 3_600_000)));
        let strict = table.clone().with_threshold(-35);
        assert_eq!(strict.reach(KindId(1), KindId(2)), Some((1_000, 60_000)));
        assert_eq!(table.with_threshold(-20).reach(KindId(1), KindId(2)), None);
    }

    #[test]
    fn bands_rise_and_rows_fit_them() {
        assert!(Learned::new(0, vec![10, 10], vec![1]).is_err());
        assert!(Learned::new(0, Vec::new(), vec![1]).is_err());
        let row = Row::Points {
            distance: vec![1],
            gap: vec![1, 2],
        };
        assert!(table().enter(KindId(0), KindId(0), row).is_err());
    }
}
