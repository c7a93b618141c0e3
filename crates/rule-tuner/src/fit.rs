//! Rates as products of factors, each drawn towards one by pseudo-counts: a kind with little evidence goes with the others.
//!
//! The rate at which an event's best candidate is a marked duplicate is taken as overall × kind × distance × gap × channels ×
//! (kind's own distance) × (kind's own gap). Each factor in turn becomes (found + a) / (expected + a): the mean of a gamma
//! distribution after Poisson counts with `a` pseudo-counts. Turns go round until the product stands.

/// Turns of the factors; the points stand after about ten (measured on a quarter of a city: 15 and 60 give the same).
const TURNS: usize = 15;

/// One factor of the rate: which of its values each trial has, and how firmly they are held.
pub(crate) struct Factor {
    /// By trial.
    pub(crate) of: Vec<usize>,
    /// Pseudo-counts.
    pub(crate) firmness: f64,
    /// What a value is without evidence.
    pub(crate) rest: f64,
    /// The values.
    pub(crate) values: Vec<f64>,
}

impl Factor {
    pub(crate) fn new(of: Vec<usize>, values: usize, firmness: f64, rest: f64) -> Factor {
        Factor {
            of,
            firmness,
            rest,
            values: vec![1.0; values],
        }
    }
}

/// Fits the factors to trials, of which `found` were successes, and answers the overall rate.
pub(crate) fn fit(found: &[bool], factors: &mut [Factor]) -> f64 {
    let successes = found.iter().filter(|found| **found).count();
    let overall = (successes as f64).max(0.5) / (found.len() as f64).max(1.0);
    let mut expected = vec![overall; found.len()];
    for _ in 0..TURNS {
        for factor in factors.iter_mut() {
            let mut counts = vec![(0.0, 0.0); factor.values.len()];
            for (trial, &value) in factor.of.iter().enumerate() {
                counts[value].0 += f64::from(u8::from(found[trial]));
                counts[value].1 += expected[trial] / factor.values[value];
            }
            let before = factor.values.clone();
            for (value, (hits, rate)) in factor.values.iter_mut().zip(counts) {
                *value = (hits + factor.firmness * factor.rest) / (rate + factor.firmness);
            }
            for (expected, &value) in expected.iter_mut().zip(&factor.of) {
                *expected *= factor.values[value] / before[value];
            }
        }
    }
    overall
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn much_evidence_stands_and_little_is_drawn_to_one() {
        // Value 0: 50 of 100. Value 1: 10 of 100. Value 2: 1 of 1.
        let of: Vec<usize> = (0..201).map(|trial| trial / 100).collect();
        let found: Vec<bool> = (0..201)
            .map(|trial| trial < 50 || (100..110).contains(&trial) || trial == 200)
            .collect();
        let mut factors = [Factor::new(of, 4, 1.0, 0.8)];
        let overall = fit(&found, &mut factors);
        let values = &factors[0].values;
        assert!((overall * values[0] - 0.5).abs() < 0.01);
        assert!((overall * values[1] - 0.1).abs() < 0.01);
        assert!(values[2] < 1.5, "one hit of one is no proof: {}", values[2]);
        assert_eq!(values[3], 0.8, "no evidence at all");
    }
}
