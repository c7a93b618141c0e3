//! Random numbers: one independent ChaCha stream for each scene, so that no scene's draws move another's, and
//! distributions of our own on top, so that a new version of a library cannot change a city.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::parameters::{TAIL_FACTOR, TAIL_SHARE};

/// What a stream is for. Two domains never share a number.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Domain {
    /// Where the devices, cameras and facilities stand.
    City = 1,
    /// What a scene is, when and where.
    Plan = 2,
    /// What is reported about a scene.
    Scene = 3,
    /// The quiet readings.
    Quiet = 4,
    /// Weather warnings.
    Weather = 5,
}

/// A source of random numbers.
pub(crate) struct Chance(ChaCha8Rng);

impl Chance {
    /// The stream `index` of `domain` in the city of `seed`.
    pub(crate) fn of(seed: u64, domain: Domain, index: u64) -> Chance {
        let mut key = [0_u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8] = domain as u8;
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(index);
        Chance(generator)
    }

    /// Uniform in `[0, 1)`, 53 bits.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform in `0..n`; 0 when `n` is 0. The bias of 2⁻³² n is of no account here.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (((self.0.next_u64() >> 32) * n as u64) >> 32) as usize
    }

    /// Uniform in `[low, high)`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// True with this probability.
    pub(crate) fn hit(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Milliseconds, uniform between two numbers of minutes.
    pub(crate) fn minutes(&mut self, low: f64, high: f64) -> i64 {
        (self.between(low, high) * 60_000.0) as i64
    }

    /// One of a list.
    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len()))
    }

    /// An index with probability in proportion to its weight.
    pub(crate) fn weighted(&mut self, weights: impl Iterator<Item = f64> + Clone) -> usize {
        let mut left = self.unit() * weights.clone().sum::<f64>();
        let mut last = 0;
        for (index, weight) in weights.enumerate() {
            last = index;
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
        last
    }

    /// Two independent standard normal numbers (Box and Muller).
    pub(crate) fn normal_pair(&mut self) -> (f64, f64) {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        let angle = 2.0 * std::f64::consts::PI * self.unit();
        (radius * libm::cos(angle), radius * libm::sin(angle))
    }

    /// Exponential with this mean.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.unit())
    }

    /// Poisson with this mean, at most 200 (Knuth's product).
    pub(crate) fn poisson(&mut self, mean: f64) -> usize {
        let limit = libm::exp(-mean);
        let mut product = self.unit();
        let mut count = 0;
        while product > limit && count < 200 {
            product *= self.unit();
            count += 1;
        }
        count
    }

    /// Log-normal with this median and sigma of the logarithm.
    pub(crate) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * libm::exp(sigma * self.normal_pair().0)
    }

    /// A position error: root mean square distance `rms_m`, with the heavy tail of the parameters.
    pub(crate) fn error(&mut self, rms_m: f64) -> (f64, f64) {
        let wide = if self.hit(TAIL_SHARE) { TAIL_FACTOR } else { 1.0 };
        let (x, y) = self.normal_pair();
        let scale = rms_m * wide * std::f64::consts::FRAC_1_SQRT_2;
        (x * scale, y * scale)
    }

    /// A point uniform in the disc of this radius.
    pub(crate) fn in_disc(&mut self, radius_m: f64) -> (f64, f64) {
        let distance = radius_m * libm::sqrt(self.unit());
        self.at_distance(distance)
    }

    /// A point at this distance in a random direction.
    pub(crate) fn at_distance(&mut self, distance_m: f64) -> (f64, f64) {
        let angle = 2.0 * std::f64::consts::PI * self.unit();
        (distance_m * libm::cos(angle), distance_m * libm::sin(angle))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_independent_of_each_other_and_fixed() {
        let mut a = Chance::of(7, Domain::Scene, 1);
        let mut again = Chance::of(7, Domain::Scene, 1);
        let mut b = Chance::of(7, Domain::Scene, 2);
        let mut other = Chance::of(7, Domain::Plan, 1);
        let first = a.unit();
        assert_eq!(first, again.unit());
        assert_ne!(first, b.unit());
        assert_ne!(first, other.unit());
    }

    /// If this fails, every seed means another city: a library or a formula has changed.
    #[test]
    fn a_seed_means_the_same_numbers_for_ever() {
        let mut chance = Chance::of(42, Domain::Scene, 7);
        let bits = |(x, y): (f64, f64)| (x.to_bits(), y.to_bits());
        assert_eq!(chance.unit().to_bits(), 4597321213732579900);
        assert_eq!(
            bits(chance.normal_pair()),
            (13823037394401016949, 13820445165006952018)
        );
        assert_eq!(chance.exponential(3.0).to_bits(), 4605313063168297046);
        assert_eq!(chance.log_normal(3.0, 0.8).to_bits(), 4616908597136323173);
    }

    #[test]
    fn the_error_has_the_spread_it_claims() {
        let mut chance = Chance::of(1, Domain::Scene, 0);
        let n = 20_000;
        let squares: f64 = (0..n)
            .map(|_| {
                let (x, y) = chance.error(10.0);
                x * x + y * y
            })
            .sum();
        // 97 % at 10 m and 3 % at 40 m: 0.97 · 100 + 0.03 · 1600 = 145 m².
        let mean = squares / f64::from(n);
        assert!((130.0..160.0).contains(&mean), "{mean}");
    }

    #[test]
    fn poisson_has_its_mean() {
        let mut chance = Chance::of(2, Domain::Scene, 0);
        let total: usize = (0..10_000).map(|_| chance.poisson(2.5)).sum();
        assert!((24_300..25_700).contains(&total), "{total}");
    }
}
