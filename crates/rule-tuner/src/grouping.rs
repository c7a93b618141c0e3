//! Puts a history together as the engine does: each event joins the open incident that it fits best, or opens one.
//!
//! The tuner tries hundreds of thresholds, so it keeps only what the choice needs. That it chooses as the engine does is
//! tested against the engine in the program.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use city_model::{Channel, DAY_MS, Extent, Fused, Point};
use city_rules::{KindId, Learned, Row, Rules, Verdict};

use crate::learn::Lesson;
use crate::{History, Sample};

/// The longest life of an incident of a learned kind: as long as a label counts. A shorter one loses labels (15 days: one in
/// a hundred), a longer one finds none.
pub(crate) const LIFE_MS: i64 = 30 * DAY_MS;

/// How events are put together under rules and what was learned beside them.
pub struct Grouping<'a> {
    rules: &'a Rules,
    table: Learned,
    /// By kind that may join others: those, itself first.
    partners: BTreeMap<KindId, Vec<KindId>>,
    /// The largest box around the members of an incident of a learned kind.
    extent_mm: i64,
    highest: i32,
}

/// What the kinds of an event and an incident ask of them.
#[derive(Clone, Copy)]
struct Limits {
    radius_mm: i64,
    cap_mm: i64,
    gap_ms: i64,
    life_ms: i64,
    extent_mm: i64,
}

struct Open {
    fused: Fused,
    at: Point,
    extent: Extent,
    first_ms: i64,
    last_ms: i64,
    witnesses: BTreeSet<Channel>,
}

/// An incident that an event may join, in the engine's order of preference.
struct Candidate {
    incident: usize,
    points: Option<i32>,
    distance_mm: i64,
    radius_mm: i64,
}

impl Candidate {
    fn before(&self, other: &Candidate) -> Ordering {
        let ratio = || {
            let left = i128::from(self.distance_mm) * i128::from(other.radius_mm);
            let right = i128::from(other.distance_mm) * i128::from(self.radius_mm);
            left.cmp(&right)
        };
        let by_ratio = if self.points.is_some() && other.points.is_some() {
            Ordering::Equal
        } else {
            ratio()
        };
        other
            .points
            .cmp(&self.points)
            .then(by_ratio)
            .then(self.distance_mm.cmp(&other.distance_mm))
            .then(self.incident.cmp(&other.incident))
    }
}

impl<'a> Grouping<'a> {
    /// Under `rules` alone, as they are.
    pub fn plain(rules: &'a Rules) -> Grouping<'a> {
        let mut partners = BTreeMap::new();
        for (kind, rule) in rules.kinds() {
            if !rule.moving {
                partners.insert(
                    kind,
                    std::iter::once(kind)
                        .chain(rule.merges_with.iter().copied())
                        .collect(),
                );
            }
        }
        Grouping {
            rules,
            table: rules.learned().cloned().unwrap_or_default(),
            partners,
            extent_mm: 0,
            highest: 0,
        }
    }

    /// Under `rules` and a lesson over them.
    pub fn learned(rules: &'a Rules, lesson: &Lesson) -> Grouping<'a> {
        let mut grouping = Grouping::plain(rules);
        for &(one, other) in &lesson.pairs {
            for (kind, partner) in [(one, other), (other, one)] {
                let partners = grouping.partners.entry(kind).or_insert_with(|| vec![kind]);
                if !partners.contains(&partner) {
                    partners.push(partner);
                }
            }
        }
        grouping.table = lesson.table.clone();
        grouping.extent_mm = extent_mm(&lesson.table);
        grouping.highest = highest(lesson);
        grouping
    }

    /// The same from another threshold on.
    pub fn set_threshold(&mut self, threshold: i32) {
        self.table = std::mem::take(&mut self.table).with_threshold(threshold);
    }

    /// The most points that any event can have by what was learned.
    pub fn highest(&self) -> i32 {
        self.highest
    }

    /// The incident of each event, by number in the order of opening.
    pub fn group(&self, history: &History) -> Vec<usize> {
        let mut incidents: Vec<Open> = Vec::new();
        let mut of_kind: BTreeMap<KindId, Vec<usize>> = BTreeMap::new();
        let mut places = Vec::with_capacity(history.samples().len());
        for sample in history.samples() {
            let mut best: Option<Candidate> = None;
            for &other in self.partners.get(&sample.kind).map_or(&[][..], Vec::as_slice) {
                let Some(open) = of_kind.get_mut(&other) else {
                    continue;
                };
                let limits = self.limits(sample.kind, other);
                let longest = self.longest_gap(other).max(limits.gap_ms);
                open.retain(|&at| sample.time_ms - incidents[at].last_ms <= longest);
                for &at in open.iter() {
                    if let Some(candidate) = self.weigh(&limits, sample, other, at, &incidents[at])
                        && best
                            .as_ref()
                            .is_none_or(|best| candidate.before(best) == Ordering::Less)
                    {
                        best = Some(candidate);
                    }
                }
            }
            let place = match best {
                Some(best) => {
                    incidents[best.incident].absorb(sample);
                    best.incident
                }
                None => {
                    of_kind.entry(sample.kind).or_default().push(incidents.len());
                    incidents.push(Open::found(sample));
                    incidents.len() - 1
                }
            };
            places.push(place);
        }
        places
    }

    fn limits(&self, kind: KindId, other: KindId) -> Limits {
        let (distances, gaps) = (self.table.distances_mm(), self.table.gaps_ms());
        match (self.table.row(kind, other), distances.last(), gaps.last()) {
            (Some(_), Some(far), Some(late)) if self.extent_mm > 0 => Limits {
                radius_mm: *far,
                cap_mm: *far,
                gap_ms: *late,
                life_ms: LIFE_MS,
                extent_mm: self.extent_mm,
            },
            _ => {
                let rule = self.rules.kind(other);
                Limits {
                    radius_mm: rule.radius_mm,
                    cap_mm: rule.cap_mm,
                    gap_ms: rule.gap_ms,
                    life_ms: rule.max_life_ms,
                    extent_mm: rule.extent_mm,
                }
            }
        }
    }

    /// After so long nothing can join an incident of a kind any more, whatever its own kind is.
    fn longest_gap(&self, kind: KindId) -> i64 {
        let learned = self.table.gaps_ms().last().copied().unwrap_or(0);
        learned.max(self.rules.kind(kind).gap_ms)
    }

    fn weigh(
        &self,
        limits: &Limits,
        sample: &Sample,
        other: KindId,
        incident: usize,
        open: &Open,
    ) -> Option<Candidate> {
        let (dx, dy) = (
            (sample.point.x - open.at.x).abs(),
            (sample.point.y - open.at.y).abs(),
        );
        if dx > limits.cap_mm || dy > limits.cap_mm {
            return None;
        }
        let distance_mm = sample.point.distance_mm(open.at);
        let variance_mm2 = open.fused.variance_mm2();
        let radius_mm = self
            .rules
            .widened_mm(limits.radius_mm, limits.cap_mm, sample.u_mm, variance_mm2);
        let gap_ms = (sample.time_ms - open.last_ms).max(0);
        if distance_mm > radius_mm
            || gap_ms > limits.gap_ms
            || sample.time_ms - open.first_ms > limits.life_ms
            || open.extent.with(sample.point).diagonal_mm() > limits.extent_mm
        {
            return None;
        }
        let witnesses = open.witnesses.iter().copied();
        let kinds = (sample.kind, other);
        let points = match self
            .table
            .weigh(kinds, distance_mm, gap_ms, sample.channel, witnesses)
        {
            None => None,
            Some(Verdict::Joins(points)) => Some(points),
            Some(Verdict::TooFew | Verdict::Never) => return None,
        };
        Some(Candidate {
            incident,
            points,
            distance_mm,
            radius_mm,
        })
    }
}

impl Open {
    fn found(sample: &Sample) -> Open {
        let mut open = Open {
            fused: Fused::default(),
            at: sample.point,
            extent: Extent::of(sample.point),
            first_ms: sample.time_ms,
            last_ms: sample.time_ms,
            witnesses: BTreeSet::new(),
        };
        open.absorb(sample);
        open
    }

    fn absorb(&mut self, sample: &Sample) {
        self.fused.add(sample.point, sample.u_mm);
        self.at = self.fused.point().unwrap_or(self.at);
        self.extent = self.extent.with(sample.point);
        self.last_ms = self.last_ms.max(sample.time_ms);
        self.witnesses.insert(sample.channel);
    }
}

fn highest(lesson: &Lesson) -> i32 {
    let rows = lesson
        .evidence
        .keys()
        .filter_map(|(one, other)| match lesson.table.row(*one, *other)? {
            Row::Never => None,
            Row::Points { distance, gap } => Some(distance.iter().max()? + gap.iter().max()?),
        });
    let channels = Channel::ALL.iter().flat_map(|event| {
        let witnesses = Channel::ALL.iter();
        witnesses.map(|witness| lesson.table.channel_points(*event, *witness))
    });
    rows.max().unwrap_or(0) + channels.max().unwrap_or(0)
}

/// The box around the members of an incident: twice the widest band, as the rules take it where nothing else is said.
pub(crate) fn extent_mm(table: &Learned) -> i64 {
    table
        .distances_mm()
        .last()
        .copied()
        .unwrap_or(0)
        .saturating_mul(2)
}
