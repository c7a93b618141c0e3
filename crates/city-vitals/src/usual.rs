//! What is usual for an hour, and when a number is above it. Whole numbers; a number here is in thousandths of an incident.
//!
//! The sample is the same hour of the last ten days of the same sort (work day or day off). The greatest is left out where it
//! is itself above the usual of the others: the storm of last week is not usual. Of those n counts,
//!
//! ```text
//! usual    = sum / n
//! variance = the greater of usual (a Poisson count's) and the sample's own, + (usual + 1) / n (the usual itself is
//!            uncertain) + 1
//! above    : count ≥ 5, count > usual, and (count − usual)² ≥ 25 × variance: five standard deviations
//! over     : the same with half of the distance, so that a notice does not flicker
//! ```
//!
//! An hour that lies in two hours of the clock is both in their shares: at 08:15 a quarter of 08 and three of 07.

use city_model::isqrt;

/// Hours of the same sort that the usual is made of.
pub(crate) const HOURS_KEPT: usize = 10;
/// Fewer say nothing.
pub(crate) const HOURS_LEAST: usize = 4;
/// Fewer incidents in an hour are never above the usual: one in a quiet cell is no notice.
pub(crate) const LEAST: i64 = 5;
/// The square of how many standard deviations are above.
const SIGMAS_SQUARED: i128 = 25;

/// The usual number of an hour, and how it varies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sample {
    mean_milli: i64,
    variance_milli: i64,
    hours: usize,
}

impl Sample {
    /// Of the counts of the same hour on other days; `None` when they are too few.
    pub(crate) fn of(counts: &[i64]) -> Option<Sample> {
        if counts.len() < HOURS_LEAST {
            return None;
        }
        let mut kept: Vec<i64> = counts.iter().map(|count| (*count).clamp(0, 1 << 31)).collect();
        kept.sort_unstable();
        if let Some((greatest, others)) = kept.split_last()
            && others.len() >= HOURS_LEAST
        {
            let others = Sample::of_all(others);
            if others.ending(others, 60).is_above(*greatest) {
                return Some(others);
            }
        }
        Some(Sample::of_all(&kept))
    }

    /// Of at least two counts.
    fn of_all(counts: &[i64]) -> Sample {
        let n = counts.len() as i128;
        let sum: i128 = counts.iter().map(|count| i128::from(*count)).sum();
        let squares: i128 = counts.iter().map(|count| i128::from(*count).pow(2)).sum();
        let mean = sum * 1_000 / n;
        let sampled = (n * squares - sum * sum) * 1_000 / (n * (n - 1));
        let variance = mean.max(sampled) + (mean + 1_000) / n + 1_000;
        Sample {
            mean_milli: i64::try_from(mean).unwrap_or(i64::MAX),
            variance_milli: i64::try_from(variance).unwrap_or(i64::MAX),
            hours: counts.len(),
        }
    }

    /// The hour that ends `minutes` into this one and began in the one `before`.
    pub(crate) fn ending(self, before: Sample, minutes: i64) -> Usual {
        let minutes = minutes.clamp(0, 60);
        let share = |now: i64, then: i64| {
            let sum = i128::from(now) * i128::from(minutes) + i128::from(then) * i128::from(60 - minutes);
            i64::try_from(sum / 60).unwrap_or(i64::MAX)
        };
        Usual {
            usual_milli: share(self.mean_milli, before.mean_milli),
            variance_milli: share(self.variance_milli, before.variance_milli),
            hours: self.hours.min(before.hours),
        }
    }
}

/// What is usual for the hour that ends now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usual {
    /// The usual number, in thousandths.
    pub(crate) usual_milli: i64,
    variance_milli: i64,
    /// Of how many hours it is made.
    pub(crate) hours: usize,
}

impl Usual {
    /// Whether so many are above the usual.
    pub(crate) fn is_above(&self, count: i64) -> bool {
        count >= LEAST && self.is_beyond(count, 1)
    }

    /// Whether a notice goes on: more than half of the way up.
    pub(crate) fn is_over(&self, count: i64) -> bool {
        self.is_beyond(count, 4)
    }

    fn is_beyond(&self, count: i64, quarter: i128) -> bool {
        // More than can be counted is above all the same.
        let above = i128::from(count.min(1 << 50)) * 1_000 - i128::from(self.usual_milli);
        above > 0 && quarter * above * above >= SIGMAS_SQUARED * 1_000 * i128::from(self.variance_milli)
    }

    /// The least whole number that is above the usual.
    pub(crate) fn limit(&self) -> i64 {
        let squared = SIGMAS_SQUARED * 1_000 * i128::from(self.variance_milli.max(0));
        let distance = i64::try_from(isqrt(squared.unsigned_abs())).unwrap_or(i64::MAX);
        let mut limit = (self.usual_milli.saturating_add(distance) / 1_000).max(LEAST);
        while !self.is_above(limit) {
            limit += 1;
        }
        limit
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_formula_by_hand() {
        let check = |counts: &[i64], expected: Option<(i64, i64)>| {
            let found = Sample::of(counts).map(|sample| {
                let usual = sample.ending(sample, 60);
                (usual.usual_milli, usual.limit())
            });
            assert_eq!(found, expected, "{counts:?}");
        };
        check(&[], None);
        check(&[3, 3, 3], None);
        // Nothing ever: variance 1/4 + 1, five times its root is 5.6.
        check(&[0; 4], Some((0, 6)));
        // Variance 2 + 3/10 + 1 = 3.3: 2 + 9.1.
        check(&[2; 10], Some((2_000, 12)));
        // Variance 10 + 11/10 + 1 = 12.1: 10 + 17.4.
        check(&[10; 10], Some((10_000, 28)));
        // Variance 100 + 101/10 + 1 = 111.1: 100 + 52.7.
        check(&[100; 10], Some((100_000, 153)));
        // One storm is left out.
        check(&[2, 2, 2, 2, 90, 2, 2, 2, 2, 2], Some((2_000, 12)));
        // Two are not: the hour is known to vary.
        check(&[2, 2, 2, 2, 90, 90, 2, 2, 2, 2], Some((19_600, 206)));
    }

    #[test]
    fn an_hour_over_two_of_the_clock_is_both_in_their_shares() {
        let (quiet, busy) = (Sample::of(&[0; 4]).unwrap(), Sample::of(&[8; 4]).unwrap());
        let usual = |minutes| busy.ending(quiet, minutes).usual_milli;
        assert_eq!(
            [usual(0), usual(15), usual(60), usual(99)],
            [0, 2_000, 8_000, 8_000]
        );
    }

    proptest! {
        #[test]
        fn limits_are_what_is_above_and_more_is_never_less(
            counts in proptest::collection::vec(0..100_000_i64, 4..12), count in 0..200_000_i64,
        ) {
            let sample = Sample::of(&counts).unwrap();
            let usual = sample.ending(sample, 60);
            let limit = usual.limit();
            prop_assert_eq!(usual.is_above(count), count >= limit);
            prop_assert!(!usual.is_above(count) || usual.is_over(count));
            prop_assert!(limit >= LEAST && limit * 1_000 > usual.usual_milli);
            let mut turned = counts.clone();
            turned.reverse();
            prop_assert_eq!(Sample::of(&turned), Some(sample));
        }

        #[test]
        fn no_count_overflows(counts in proptest::collection::vec(any::<i64>(), 0..12), count in any::<i64>(), minutes in any::<i64>()) {
            if let Some(sample) = Sample::of(&counts) {
                let usual = sample.ending(sample, minutes);
                let _ = (usual.is_above(count), usual.is_over(count), usual.limit());
            }
        }
    }
}
