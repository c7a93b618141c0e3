//! A share of counted things, with what it is worth: none without any, marked where they are few.

use serde::{Serialize, Serializer, ser::SerializeStruct};

/// Fewer are too few to say much: such a rate is marked.
pub const SMALL: u64 = 20;

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rate {
    /// How many are.
    pub hits: u64,
    /// Of how many.
    pub of: u64,
}

impl Rate {
    /// Counts one more, and whether it is.
    pub fn count(&mut self, hit: bool) {
        self.of += 1;
        self.hits += u64::from(hit);
    }

    /// The share; none of nothing.
    pub fn share(&self) -> Option<f64> {
        (self.of > 0).then(|| self.hits as f64 / self.of as f64)
    }

    /// Whether it is of too few.
    pub fn is_small(&self) -> bool {
        self.of < SMALL
    }

    /// The share's interval of 95 % by Wilson's score (Wilson 1927): it holds for few and for extreme shares, too.
    pub fn interval(&self) -> Option<(f64, f64)> {
        rule_tuner::wilson(usize::try_from(self.hits).ok()?, usize::try_from(self.of).ok()?)
    }

    /// As people read it: "87%", "87%*" where it is of few, "—" where it is of none.
    pub fn shown(&self) -> String {
        match self.share() {
            None => "—".to_owned(),
            Some(share) => format!("{:.0}%{}", share * 100.0, if self.is_small() { "*" } else { "" }),
        }
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rounded = |share: f64| (share * 10_000.0).round() / 10_000.0;
        let mut fields = serializer.serialize_struct("Rate", 5)?;
        fields.serialize_field("hits", &self.hits)?;
        fields.serialize_field("of", &self.of)?;
        fields.serialize_field("share", &self.share().map(rounded))?;
        fields.serialize_field(
            "interval_95",
            &self.interval().map(|(low, high)| [rounded(low), rounded(high)]),
        )?;
        fields.serialize_field("small", &self.is_small())?;
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_is_no_zero_and_few_are_marked() {
        let shown = |hits, of| Rate { hits, of }.shown();
        assert_eq!(
            [shown(0, 0), shown(0, 3), shown(19, 19), shown(18, 20)],
            ["—", "0%*", "100%*", "90%"]
        );
        assert_eq!(Rate::default().interval(), None);
        // Wilson's interval of 9 of 10, as tables have it.
        let (low, high) = Rate { hits: 9, of: 10 }.interval().unwrap();
        assert!(
            (low - 0.5958).abs() < 1e-4 && (high - 0.9821).abs() < 1e-4,
            "{low} {high}"
        );
    }

    proptest! {
        #[test]
        fn shares_lie_in_their_intervals(hits in 0..2_000_u64, more in 0..2_000_u64) {
            let rate = Rate { hits, of: hits + more };
            let Some(share) = rate.share() else { return Ok(()) };
            let (low, high) = rate.interval().unwrap();
            prop_assert!(0.0 <= low && low <= share + 1e-12 && share <= high + 1e-12 && high <= 1.0);
        }
    }
}
