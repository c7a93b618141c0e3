//! How well one grouping of events agrees with another: pairwise and B-cubed precision, recall and F1.

use std::collections::BTreeMap;

use serde::Serialize;

/// Precision, recall and their harmonic mean, in 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Score {
    /// The share of what was put together that belongs together.
    pub precision: f64,
    /// The share of what belongs together that was put together.
    pub recall: f64,
    /// The harmonic mean of the two.
    pub f1: f64,
}

impl Score {
    fn of(precision: f64, recall: f64) -> Score {
        let sum = precision + recall;
        let f1 = if sum > 0.0 {
            2.0 * precision * recall / sum
        } else {
            0.0
        };
        Score {
            precision: rounded(precision),
            recall: rounded(recall),
            f1: rounded(f1),
        }
    }
}

/// Six decimals: more would be digits of the arithmetic.
pub(crate) fn rounded(share: f64) -> f64 {
    (share * 1e6).round() / 1e6
}

/// Events counted by their true and their found group.
#[derive(Debug, Clone, Default)]
pub struct Clustering<T, F> {
    truth: BTreeMap<T, u64>,
    found: BTreeMap<F, u64>,
    // Ordered, because a sum of fractions depends on its order.
    both: BTreeMap<(T, F), u64>,
    events: u64,
}

impl<T: Ord + Clone, F: Ord + Clone> Clustering<T, F> {
    /// Counts over events, each with its true and its found group.
    pub fn of(events: impl IntoIterator<Item = (T, F)>) -> Clustering<T, F> {
        let mut all = Clustering {
            truth: BTreeMap::new(),
            found: BTreeMap::new(),
            both: BTreeMap::new(),
            events: 0,
        };
        for (truth, found) in events {
            *all.truth.entry(truth.clone()).or_default() += 1;
            *all.found.entry(found.clone()).or_default() += 1;
            *all.both.entry((truth, found)).or_default() += 1;
            all.events += 1;
        }
        all
    }

    /// Over pairs of events: those put together that belong together. No pair at all counts as 1.
    pub fn pairwise(&self) -> Score {
        let right = pairs(self.both.values());
        let share = |of: u64| if of > 0 { right as f64 / of as f64 } else { 1.0 };
        Score::of(
            share(pairs(self.found.values())),
            share(pairs(self.truth.values())),
        )
    }

    /// Over events: the mean share of an event's group that belongs with it (Bagga and Baldwin 1998). No event counts
    /// as 1.
    pub fn b_cubed(&self) -> Score {
        if self.events == 0 {
            return Score::of(1.0, 1.0);
        }
        let (mut precision, mut recall) = (0.0, 0.0);
        for ((truth, found), both) in &self.both {
            let squared = (*both as f64) * (*both as f64);
            // Whatever was counted together was counted in either.
            precision += squared / self.found.get(found).copied().unwrap_or(1) as f64;
            recall += squared / self.truth.get(truth).copied().unwrap_or(1) as f64;
        }
        Score::of(precision / self.events as f64, recall / self.events as f64)
    }
}

fn pairs<'a>(sizes: impl Iterator<Item = &'a u64>) -> u64 {
    sizes.map(|n| n * n.saturating_sub(1) / 2).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_a_count_by_hand() {
        // Truth {a,b,c} {d,e}; found {a,b} {c,d} {e}: one right pair of two found and four true.
        let all = Clustering::of([(1, 1), (1, 1), (1, 2), (2, 2), (2, 3)]);
        assert_eq!(
            all.pairwise(),
            Score {
                precision: 0.5,
                recall: 0.25,
                f1: 0.333_333
            }
        );
        // Precision (1 + 1 + ½ + ½ + 1) / 5, recall (⅔ + ⅔ + ⅓ + ½ + ½) / 5.
        assert_eq!(
            all.b_cubed(),
            Score {
                precision: 0.8,
                recall: 0.533_333,
                f1: 0.64
            }
        );
    }

    #[test]
    fn what_has_no_pair_is_not_wrong() {
        let perfect = Score {
            precision: 1.0,
            recall: 1.0,
            f1: 1.0,
        };
        assert_eq!(Clustering::<u32, u32>::of([]).b_cubed(), perfect);
        assert_eq!(Clustering::of([(1, 1), (2, 2)]).pairwise(), perfect);
        let torn = Clustering::of([(1, 1), (1, 2)]);
        assert_eq!(
            torn.pairwise(),
            Score {
                precision: 1.0,
                recall: 0.0,
                f1: 0.0
            }
        );
    }
}
