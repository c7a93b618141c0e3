//! Decimal numbers of the rules as whole thousandths: metres become millimetres, values their milli-units.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number with at most three decimals, kept in thousandths so that it compares the same everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Thousandths(pub(crate) i64);

impl Serialize for Thousandths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 1_000 == 0 {
            serializer.serialize_i64(self.0 / 1_000)
        } else {
            serializer.serialize_f64(self.0 as f64 / 1_000.0)
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a number")]
enum Number {
    Whole(i64),
    Decimal(f64),
}

impl<'de> Deserialize<'de> for Thousandths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Thousandths, D::Error> {
        use serde::de::Error;
        match Number::deserialize(deserializer)? {
            // A thousandfold must fit, with room for arithmetic.
            Number::Whole(n) if n.unsigned_abs() <= 1_000_000_000_000 => Ok(Thousandths(n * 1_000)),
            Number::Decimal(n) if n.abs() <= 1e12 => Ok(Thousandths((n * 1_000.0).round() as i64)),
            _ => Err(D::Error::custom("the number is too large")),
        }
    }
}
