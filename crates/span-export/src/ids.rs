//! Ids of spans that stand in no record, and which of them are kept: random, for nothing follows from them.

use std::hash::{BuildHasher, RandomState};

/// Random bits: the standard library's hashers begin with random keys, new for each.
fn bits() -> u64 {
    RandomState::new().hash_one(0)
}

/// A trace's id; never zero, which means none.
pub(crate) fn trace() -> [u8; 16] {
    let (high, low) = (u128::from(bits()), u128::from(bits()));
    (high << 64 | low.max(1)).to_be_bytes()
}

/// A span's id; never zero.
pub(crate) fn span() -> [u8; 8] {
    bits().max(1).to_be_bytes()
}

/// Whether this one of many is among the share that is kept.
pub(crate) fn is_kept(share: f64) -> bool {
    // 53 bits are what a float tells apart; a share of 0 keeps none, of 1 all.
    ((bits() >> 11) as f64) / ((1_u64 << 53) as f64) < share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_the_share_is_kept() {
        assert_ne!(trace(), trace());
        assert_ne!(span(), span());
        let kept = |share: f64| (0..10_000).filter(|_| is_kept(share)).count();
        assert_eq!((kept(0.0), kept(1.0)), (0, 10_000));
        // Six sigmas are 260.
        assert!((2_200..2_800).contains(&kept(0.25)));
    }
}
