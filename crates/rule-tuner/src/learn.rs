//! From labels to points: which kinds are one thing, and how much each distance, gap and pair of channels speaks for a merge.

use std::collections::{BTreeMap, BTreeSet};

use city_model::{Channel, DAY_MS, HOUR_MS, MINUTE_MS};
use city_rules::{KindId, Learned, Row, band};

use crate::History;
use crate::fit::{Factor, fit};
use crate::pairs::{Pair, pairs};

/// The ends of the bands of distance: the same door, the house, neighbours, the block. Beyond 150 m hardly a label is found.
const DISTANCES_MM: [i64; 6] = [1_000, 10_000, 30_000, 50_000, 100_000, 150_000];
/// The ends of the bands of gap. Finer bands find nothing more (measured on a quarter of a city).
const GAPS_MS: [i64; 8] = [
    5 * MINUTE_MS,
    HOUR_MS,
    6 * HOUR_MS,
    DAY_MS,
    3 * DAY_MS,
    7 * DAY_MS,
    14 * DAY_MS,
    30 * DAY_MS,
];
/// Ten points are a doubling.
const DOUBLING: f64 = 10.0;
/// Two kinds are one thing under two names from so many labels between them on: one may be a slip.
const LABELS_OF_A_PAIR: usize = 2;
/// Best candidates are chosen with the points of the round before; they stand after three.
const ROUNDS: usize = 3;

/// Pseudo-counts, cross-validated over the months of a city's quarter: kinds differ more than distances and gaps do.
const FIRM_COMMON: f64 = 1.0;
const FIRM_KIND: f64 = 1.5;
const FIRM_OWN_DISTANCE: f64 = 4.0;
const FIRM_OWN_GAP: f64 = 2.0;
const FIRM_CHANNELS: f64 = 3.0;
/// A kind without evidence is a little less likely to repeat than the mean, which the kinds that repeat often make.
const REST_OF_A_KIND: f64 = 0.8;

/// What a row of the table rests on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Events whose best candidate was of these kinds.
    pub candidates: usize,
    /// Those of them that labels put together with it.
    pub found: usize,
    /// Labels between the kinds.
    pub links: usize,
}

/// What was learned.
#[derive(Debug, Clone)]
pub struct Lesson {
    /// The points; the threshold is not chosen yet.
    pub table: Learned,
    /// What each row rests on.
    pub evidence: BTreeMap<(KindId, KindId), Evidence>,
    /// The kinds that are one thing under several names, two by two, the lesser first.
    pub pairs: Vec<(KindId, KindId)>,
}

impl Lesson {
    /// The kinds that a kind may meet by what was learned, itself first.
    pub fn partners(&self, kind: KindId) -> Vec<KindId> {
        let mut partners = vec![kind];
        for &(one, other) in &self.pairs {
            if one == kind {
                partners.push(other);
            } else if other == kind {
                partners.push(one);
            }
        }
        partners
    }
}

/// Learns from a history; `may_merge` says of two kinds whether the city allows that they are one incident.
pub fn learn(history: &History, may_merge: impl Fn(KindId, KindId) -> bool) -> Lesson {
    let own: BTreeSet<KindId> = history.samples().iter().map(|sample| sample.kind).collect();
    let between = labels_between(history);
    let families = families(&between, may_merge);
    let mut rows: Vec<(KindId, KindId)> = own.iter().map(|kind| (*kind, *kind)).collect();
    rows.extend(&families);
    let row_of: BTreeMap<(KindId, KindId), usize> = rows.iter().copied().zip(0..).collect();
    let mut partners: BTreeMap<KindId, Vec<KindId>> = own.iter().map(|kind| (*kind, vec![*kind])).collect();
    for &(one, other) in &families {
        partners.entry(one).or_default().push(other);
        partners.entry(other).or_default().push(one);
    }
    let (far, late) = (last(&DISTANCES_MM), last(&GAPS_MS));
    let pairs = pairs(history, far, late, |kind| {
        partners.get(&kind).map_or(&[], Vec::as_slice)
    });
    let trials: Vec<Trial> = pairs
        .iter()
        .filter_map(|pair| Trial::of(history, pair, &row_of))
        .collect();
    let (table, chosen) = rounds(&trials, &rows);
    let mut evidence: BTreeMap<(KindId, KindId), Evidence> = BTreeMap::new();
    for row in &rows {
        evidence.entry(*row).or_default().links = between.get(row).copied().unwrap_or(0);
    }
    for trial in chosen {
        let evidence = evidence.entry(rows[trial.row]).or_default();
        evidence.candidates += 1;
        evidence.found += usize::from(trial.found);
    }
    Lesson {
        table,
        evidence,
        pairs: families,
    }
}

/// An event and one of its candidates, as bands.
#[derive(Debug, Clone, Copy)]
struct Trial {
    event: usize,
    row: usize,
    distance: usize,
    gap: usize,
    channels: usize,
    found: bool,
}

impl Trial {
    fn of(history: &History, pair: &Pair, rows: &BTreeMap<(KindId, KindId), usize>) -> Option<Trial> {
        let (event, earlier) = (history.samples()[pair.event], history.samples()[pair.earlier]);
        let kinds = (event.kind.min(earlier.kind), event.kind.max(earlier.kind));
        Some(Trial {
            event: pair.event,
            row: *rows.get(&kinds)?,
            distance: band(&DISTANCES_MM, pair.distance_mm)?,
            gap: band(&GAPS_MS, pair.gap_ms)?,
            channels: channels(event.channel, earlier.channel),
            found: history.are_one(pair.event, pair.earlier),
        })
    }
}

fn channels(event: Channel, witness: Channel) -> usize {
    event as usize * Channel::ALL.len() + witness as usize
}

/// Points as they come out of a fit, in `DOUBLING`s.
struct Points {
    /// By row and band, the row's own rate in it.
    distance: Vec<[f64; DISTANCES_MM.len()]>,
    /// By row and band.
    gap: Vec<[f64; GAPS_MS.len()]>,
    channels: Vec<f64>,
}

impl Points {
    fn of(&self, trial: &Trial) -> f64 {
        self.distance[trial.row][trial.distance]
            + self.gap[trial.row][trial.gap]
            + self.channels[trial.channels]
    }
}

/// Chooses each event's best candidate, fits, and chooses again with what was learned. Answers the last choice as well.
fn rounds(trials: &[Trial], rows: &[(KindId, KindId)]) -> (Learned, Vec<Trial>) {
    // To begin with, nearer is better and sooner is better, band by band.
    let mut points = Points {
        distance: vec![std::array::from_fn(|band| -DOUBLING * band as f64); rows.len()],
        gap: vec![std::array::from_fn(|band| -DOUBLING / 2.0 * band as f64); rows.len()],
        channels: vec![0.0; Channel::ALL.len() * Channel::ALL.len()],
    };
    let mut chosen = best(trials, &points);
    let mut fitted = Vec::new();
    for _ in 0..ROUNDS {
        points = fit_points(&chosen, rows.len());
        fitted = std::mem::replace(&mut chosen, best(trials, &points));
    }
    // By pair of channels, of what the points were fitted to: marked candidates, and all.
    let mut seen = vec![(0, 0); points.channels.len()];
    for trial in &fitted {
        seen[trial.channels].0 += usize::from(trial.found);
        seen[trial.channels].1 += 1;
    }
    (table(points, rows, &seen), chosen)
}

/// For each event its marked candidates before others, then the one with most points, then the latest.
fn best(trials: &[Trial], points: &Points) -> Vec<Trial> {
    let mut chosen: Vec<Trial> = Vec::new();
    for trial in trials {
        match chosen.last_mut() {
            Some(last) if last.event == trial.event => {
                let better = (trial.found, points.of(trial));
                if better.partial_cmp(&(last.found, points.of(last))) == Some(std::cmp::Ordering::Greater) {
                    *last = *trial;
                }
            }
            _ => chosen.push(*trial),
        }
    }
    chosen
}

fn fit_points(trials: &[Trial], rows: usize) -> Points {
    let (far, late) = (DISTANCES_MM.len(), GAPS_MS.len());
    let pick = |of: fn(&Trial) -> usize| trials.iter().map(of).collect::<Vec<_>>();
    let mut factors = [
        Factor::new(pick(|t| t.distance), far, FIRM_COMMON, 1.0),
        Factor::new(pick(|t| t.gap), late, FIRM_COMMON, 1.0),
        Factor::new(pick(|t| t.row), rows, FIRM_KIND, REST_OF_A_KIND),
        Factor::new(
            pick(|t| t.row * DISTANCES_MM.len() + t.distance),
            rows * far,
            FIRM_OWN_DISTANCE,
            1.0,
        ),
        Factor::new(
            pick(|t| t.row * GAPS_MS.len() + t.gap),
            rows * late,
            FIRM_OWN_GAP,
            1.0,
        ),
        Factor::new(
            pick(|t| t.channels),
            Channel::ALL.len() * Channel::ALL.len(),
            FIRM_CHANNELS,
            1.0,
        ),
    ];
    let found: Vec<bool> = trials.iter().map(|trial| trial.found).collect();
    let overall = points_of(fit(&found, &mut factors));
    let [distance, gap, row, own_distance, own_gap, channels] =
        factors.map(|factor| factor.values.into_iter().map(points_of).collect::<Vec<f64>>());
    Points {
        distance: (0..rows)
            .map(|at| {
                std::array::from_fn(|band| overall + row[at] + distance[band] + own_distance[at * far + band])
            })
            .collect(),
        gap: (0..rows)
            .map(|at| std::array::from_fn(|band| gap[band] + own_gap[at * late + band]))
            .collect(),
        channels,
    }
}

fn points_of(rate: f64) -> f64 {
    DOUBLING * libm::log2(rate)
}

/// Rounds to whole points. What all rows share is moved to the distances: the channels of most marked pairs have none, and
/// the best gap of a row has none.
fn table(points: Points, rows: &[(KindId, KindId)], seen: &[(usize, usize)]) -> Learned {
    let whole = |points: f64| libm::round(points) as i32;
    let commonest = (0..seen.len()).max_by_key(|at| (seen[*at], std::cmp::Reverse(*at)));
    let shared = commonest.map_or(0.0, |at| points.channels[at]);
    // The bands are constants that rise, and so are the rows that fit them.
    let mut table = Learned::new(0, DISTANCES_MM.to_vec(), GAPS_MS.to_vec()).unwrap_or_default();
    for (at, &(one, other)) in rows.iter().enumerate() {
        let soonest = points.gap[at].iter().copied().fold(f64::MIN, f64::max);
        let row = Row::Points {
            distance: points.distance[at]
                .iter()
                .map(|p| whole(p + soonest + shared))
                .collect(),
            gap: points.gap[at].iter().map(|p| whole(p - soonest)).collect(),
        };
        // Never refused: the lengths are those of the bands, and a rate of 2^-1000 would take more events than there are.
        let _ = table.enter(one, other, row);
    }
    for event in Channel::ALL {
        for witness in Channel::ALL {
            let at = channels(*event, *witness);
            let own = whole(points.channels[at] - shared);
            if seen[at].1 > 0 && own != 0 {
                let _ = table.enter_channels(*event, *witness, own); // as little refused as the rows above
            }
        }
    }
    table
}

/// Labels between two kinds, or within one; the lesser kind first.
fn labels_between(history: &History) -> BTreeMap<(KindId, KindId), usize> {
    let mut between = BTreeMap::new();
    for &(child, parent) in history.links() {
        let (one, other) = (history.samples()[child].kind, history.samples()[parent].kind);
        *between.entry((one.min(other), one.max(other))).or_default() += 1;
    }
    between
}

/// Kinds with enough labels between them, and what these have in common: if A is B and B is C, then A is C.
fn families(
    between: &BTreeMap<(KindId, KindId), usize>,
    may_merge: impl Fn(KindId, KindId) -> bool,
) -> Vec<(KindId, KindId)> {
    let joined = |one: KindId, other: KindId| one != other && may_merge(one, other);
    let mut least: BTreeMap<KindId, KindId> = BTreeMap::new();
    for (&(one, other), labels) in between {
        if *labels >= LABELS_OF_A_PAIR && joined(one, other) {
            let of = |kind: KindId| least.get(&kind).copied().unwrap_or(kind);
            let (a, b) = (of(one), of(other));
            let (first, second) = (a.min(b), a.max(b));
            least.insert(one, first);
            least.insert(other, first);
            least
                .values_mut()
                .filter(|own| **own == second)
                .for_each(|own| *own = first);
        }
    }
    let mut pairs = Vec::new();
    for (one, family) in &least {
        for (other, others) in least.range(one..).skip(1) {
            if family == others && joined(*one, *other) {
                pairs.push((*one, *other));
            }
        }
    }
    pairs
}

fn last(ends: &[i64]) -> i64 {
    ends.last().copied().unwrap_or(0)
}
