//! The candidates of each event: earlier events within the widest bands whose kinds may meet it.

use city_rules::KindId;
use rustc_hash::FxHashMap;

use crate::History;

/// An event and an earlier one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair {
    /// The later one.
    pub(crate) event: usize,
    /// The earlier one.
    pub(crate) earlier: usize,
    pub(crate) distance_mm: i64,
    pub(crate) gap_ms: i64,
}

/// An event has so many candidates at most, the latest: a storm at one door must not cost the square of its reports.
const CANDIDATES_MAX: usize = 400;

/// All pairs within `within_mm` and `within_ms`, by event, the latest candidate first. `partners` names the kinds that may meet
/// a kind, itself included.
pub(crate) fn pairs<'a>(
    history: &History,
    within_mm: i64,
    within_ms: i64,
    partners: impl Fn(KindId) -> &'a [KindId],
) -> Vec<Pair> {
    let side = within_mm.max(1);
    // Looked up, never iterated.
    let mut buckets: FxHashMap<(KindId, i64, i64), Vec<usize>> = FxHashMap::default();
    let mut found = Vec::new();
    for (event, sample) in history.samples().iter().enumerate() {
        let (x, y) = (sample.point.x.div_euclid(side), sample.point.y.div_euclid(side));
        let first = found.len();
        for kind in partners(sample.kind) {
            for (dx, dy) in NINE {
                let Some(bucket) = buckets.get(&(*kind, x + dx, y + dy)) else {
                    continue;
                };
                for &earlier in bucket.iter().rev().take(CANDIDATES_MAX) {
                    let other = &history.samples()[earlier];
                    let gap_ms = sample.time_ms - other.time_ms;
                    if gap_ms > within_ms {
                        break;
                    }
                    let distance_mm = sample.point.distance_mm(other.point);
                    if distance_mm <= within_mm {
                        found.push(Pair {
                            event,
                            earlier,
                            distance_mm,
                            gap_ms,
                        });
                    }
                }
            }
        }
        found[first..].sort_unstable_by_key(|pair| std::cmp::Reverse(pair.earlier));
        buckets.entry((sample.kind, x, y)).or_default().push(event);
    }
    found
}

const NINE: [(i64, i64); 9] = [
    (-1, -1),
    (-1, 0),
    (-1, 1),
    (0, -1),
    (0, 0),
    (0, 1),
    (1, -1),
    (1, 0),
    (1, 1),
];
