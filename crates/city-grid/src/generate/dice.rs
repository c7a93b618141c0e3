//! The generator's own random numbers: SplitMix64, so that a seed means the same grid for ever.

use core::f64::consts::TAU;

#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to below 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    pub(super) fn angle(&mut self) -> f64 {
        self.between(0.0, TAU)
    }

    /// Nearly normal, mean 0 and deviation 1, never beyond 3.5.
    pub(super) fn bell(&mut self) -> f64 {
        let sum = self.unit() + self.unit() + self.unit() + self.unit();
        (sum - 2.0) * 1.732_050_807_568_877_2
    }

    /// Around 1, with a long tail to the right: sizes of cells.
    pub(super) fn log_normal(&mut self, spread: f64) -> f64 {
        libm::exp(spread * self.bell())
    }
}
