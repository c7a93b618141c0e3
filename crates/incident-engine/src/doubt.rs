//! How much speaks against an event being of an incident: distance against both uncertainties, vagueness, silence and
//! addresses, in one number that is compared with what the kind allows.
//!
//! It is twice a negative log-likelihood but for constants, in thousandths. Two reports of one trouble lie `d² / V` apart,
//! V being the variance of both positions and of the trouble's own breadth; the vaguer they are, the more strangers lie as
//! near, which costs the logarithm of V. What a kind allows stands for how many like it there are: few like a gas leak, many
//! like exposed garbage. The weights are those of a logistic regression over the simulator's seeds 1 and 2, rounded.

use city_model::{Event, Incident, isqrt};
use city_rules::KindRule;

use crate::street::{self, Streets};

/// Of the squared distance, beyond which an error is taken for a gross one (a wrong house), four times as wide.
const GROSS: i64 = 6_000;
/// What the gross error is wider by, squared.
const GROSS_VARIANCE: i128 = 16;
/// The variance that costs nothing: that of a fix to 30 m, in mm².
const PLAIN_VARIANCE: u128 = 900_000_000;
/// For each doubling of the variance.
const VAGUE: i64 = 555;
/// For a silence as long as the whole session gap.
const SILENCE: i64 = 8_000;
/// What an equal address takes away.
const SAME_DOOR: i64 = 3_000;
const SAME_NAME: i64 = 1_800;
const SAME_CROSSING: i64 = 1_100;
/// What another door, crossing or estate adds, where the trouble is narrower than [`BROAD_MM`].
const OTHER_ADDRESS: i64 = 8_000;
/// From this radius on callers of one trouble sit behind many doors.
const BROAD_MM: i64 = 100_000;
/// The one-sigma breadth of a trouble in thousandths of its radius.
const BREADTH_PERMILLE: i64 = 400;

/// What was weighed, in thousandths.
pub(crate) struct Doubt {
    /// All of it.
    pub(crate) total: i64,
    /// The distance at which it would just be too much, in millimetres; 0 where no distance is near enough.
    pub(crate) reach_mm: i64,
}

/// Weighs an event at `distance_mm` from the fused position of an incident and `gap_ms` from its span, against what its kind
/// allows.
pub(crate) fn weigh(
    rule: &KindRule,
    most: i64,
    incident: &Incident,
    event: &Event,
    gap_ms: i64,
    u_mm: i64,
    distance_mm: i64,
) -> Doubt {
    let breadth = i128::from(rule.radius_mm) * i128::from(BREADTH_PERMILLE) / 1_000;
    let u = i128::from(u_mm);
    let variance = (u * u + i128::from(incident.fused.variance_mm2()) + breadth * breadth).max(1);
    let silence = i128::from(SILENCE) * i128::from(gap_ms) / i128::from(rule.gap_ms.max(1));
    let streets = match street::compare(incident, event) {
        Streets::SameDoor => -SAME_DOOR,
        Streets::SameName => -SAME_NAME,
        Streets::SameCrossing => -SAME_CROSSING,
        Streets::Differ if rule.radius_mm < BROAD_MM => OTHER_ADDRESS,
        Streets::Differ | Streets::Silent => 0,
    };
    let doublings = log2_milli(variance as u128) - log2_milli(PLAIN_VARIANCE);
    let beside = VAGUE * doublings / 1_000 + narrow(silence) + streets;
    let squared = i128::from(distance_mm) * i128::from(distance_mm);
    let plain = squared * 1_000 / variance;
    let gross = i128::from(GROSS) + plain / GROSS_VARIANCE;
    let within = |allowed: i128| isqrt((allowed.max(0) * variance / 1_000) as u128) as i128;
    let left = i128::from(most - beside);
    let reach = within(left).max(within((left - i128::from(GROSS)) * GROSS_VARIANCE));
    Doubt {
        total: beside.saturating_add(narrow(plain.min(gross))),
        reach_mm: narrow(reach),
    }
}

fn narrow(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX / 4)
}

/// The binary logarithm in thousandths, straight between powers of two (0.09 too small at most): the same on every machine.
fn log2_milli(n: u128) -> i64 {
    let n = n.max(1);
    let whole = n.ilog2();
    let rest = ((n - (1 << whole)) * 1_000) >> whole;
    i64::from(whole) * 1_000 + rest as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_exact_at_powers_and_rise_between() {
        assert_eq!(log2_milli(0), 0);
        assert_eq!(log2_milli(1 << 30), 30_000);
        assert_eq!(log2_milli(3 << 29), 30_500);
        assert!(log2_milli((1 << 31) - 1) < 31_000);
    }
}
