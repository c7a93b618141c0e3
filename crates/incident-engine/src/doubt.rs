//! How much speaks against an event being of an incident: distance against both uncertainties, vagueness, silence and
//! addresses, in one number that is compared with what the kind allows.
//!
//! It is twice a negative log-likelihood but for constants, in thousandths. Two reports of one trouble lie `d² / V` apart,
//! V being the variance of both positions and of the trouble's own breadth; the vaguer they are, the more strangers lie as
//! near, which costs the logarithm of V. What a kind allows stands for how many like it there are: few like a gas leak, many
//! like exposed garbage. A report without a place is weighed as a very vague one at no distance: its street must speak for it.
//! Where several incidents would do, each is likely to be the wrong one ([`rivals`]); that counts for kinds that hurt nobody. The weights were found by search over the
//! simulator's seeds 1 to 3, and rounded.

use city_model::{Event, Incident, Why, isqrt};
use city_rules::KindRule;

use crate::street::{self, Place, Spot, Streets};

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
const SAME_DOOR: i64 = 4_000;
const SAME_NAME: i64 = 1_800;
const SAME_CROSSING: i64 = 2_500;
/// What a road that both name takes away, and what it adds where the address is all that there is.
const SAME_ROAD: i64 = 1_000;
/// What another door, crossing or estate adds: callers of one trouble may sit behind many doors.
const OTHER_ADDRESS: i64 = 3_000;
/// What it takes away that one person calls again about the same.
const SAME_REPORTER: i64 = 6_000;
/// More than any kind bears.
const TOO_MUCH: i64 = 1_000_000;
/// What the lack of a place adds.
const NO_PLACE: i64 = 5_000;
/// What one more incident that would do just as well adds.
const RIVAL: i64 = 1_400;
/// Twice the natural logarithm of two in thousandths: so much more doubt makes an incident half as likely as another.
const HALF: i64 = 1_386;
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
    (event, spot): (&Event, Option<Spot<'_>>),
    gap_ms: i64,
    u_mm: i64,
    distance_mm: i64,
) -> Doubt {
    let breadth = i128::from(rule.radius_mm) * i128::from(BREADTH_PERMILLE) / 1_000;
    let u = i128::from(u_mm);
    let variance = (u * u + i128::from(incident.fused.variance_mm2()) + breadth * breadth).max(1);
    let streets = match street::compare(incident, spot) {
        Streets::SameRoad => -SAME_ROAD,
        other => said(rule, other),
    };
    let doublings = log2_milli(variance as u128) - log2_milli(PLAIN_VARIANCE);
    let beside = VAGUE * doublings / 1_000 + silence(rule, gap_ms) + streets + reporter(incident, event);
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

/// Weighs an event without a place, or an incident without one, `gap_ms` from its span, and says what of the two addresses
/// speaks for it. Two doors that differ are two places, for nothing else says where they are. Where lives are at stake neither
/// a road is enough nor a lane in which each names another house: a second leak must not be hidden in the first.
pub(crate) fn weigh_told(
    rule: &KindRule,
    incident: &Incident,
    (event, spot): (&Event, Option<Spot<'_>>),
    gap_ms: i64,
) -> (i64, Why) {
    let streets = street::compare(incident, spot);
    let (why, address) = match streets {
        Streets::Differ => (Why::SameRoad, TOO_MUCH),
        Streets::SameRoad | Streets::Beside(_) if rule.endangers_life() => (Why::SameRoad, TOO_MUCH),
        Streets::SameRoad => (Why::SameRoad, SAME_ROAD),
        Streets::Silent => (Why::SameRoad, 0),
        Streets::Same(_) => (Why::SameAddress, said(rule, streets)),
        Streets::Within(_) | Streets::Beside(_) => (Why::SameLane, said(rule, streets)),
    };
    let doubt = NO_PLACE + silence(rule, gap_ms) + address + reporter(incident, event);
    (doubt, why)
}

/// What it adds to the doubt of the best incident that others would do as well: each by how likely it is beside the best.
pub(crate) fn rivals(best: i64, others: impl Iterator<Item = i64>) -> i64 {
    let beside = |other: i64| {
        let more = other.saturating_sub(best).max(0);
        let (halvings, rest) = (more / HALF, more % HALF);
        let likely = 1_000 - 500 * rest / HALF;
        likely
            .checked_shr(u32::try_from(halvings).unwrap_or(u32::MAX))
            .unwrap_or(0)
    };
    RIVAL * others.map(beside).sum::<i64>() / 1_000
}

fn said(rule: &KindRule, streets: Streets) -> i64 {
    match streets {
        // Where lives are at stake another house is another place.
        Streets::Beside(_) if rule.endangers_life() => OTHER_ADDRESS,
        Streets::Same(place) | Streets::Within(place) | Streets::Beside(place) => match place {
            Place::Door => -SAME_DOOR,
            Place::Name => -SAME_NAME,
            Place::Crossing => -SAME_CROSSING,
        },
        Streets::Differ => OTHER_ADDRESS,
        Streets::SameRoad | Streets::Silent => 0,
    }
}

fn silence(rule: &KindRule, gap_ms: i64) -> i64 {
    narrow(i128::from(SILENCE) * i128::from(gap_ms) / i128::from(rule.gap_ms.max(1)))
}

fn reporter(incident: &Incident, event: &Event) -> i64 {
    // Under either key, while the key changes.
    let mut names = event.reporter.iter().chain(&event.reporter_before);
    let called = names.any(|who| incident.reporters.contains(who) || incident.reporters_before.contains(who));
    if called { -SAME_REPORTER } else { 0 }
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
    fn a_rival_counts_by_how_likely_it_is() {
        assert_eq!(rivals(2_000, [].into_iter()), 0);
        assert_eq!(rivals(2_000, [2_000].into_iter()), RIVAL);
        assert_eq!(rivals(2_000, [2_000 + HALF].into_iter()), RIVAL / 2);
        assert_eq!(
            rivals(2_000, [2_000 + 2 * HALF, 2_000 + HALF].into_iter()),
            RIVAL * 3 / 4
        );
        assert_eq!(rivals(-2_000, [i64::MAX].into_iter()), 0);
    }

    #[test]
    fn logarithms_are_exact_at_powers_and_rise_between() {
        assert_eq!(log2_milli(0), 0);
        assert_eq!(log2_milli(1 << 30), 30_000);
        assert_eq!(log2_milli(3 << 29), 30_500);
        assert!(log2_milli((1 << 31) - 1) < 31_000);
    }
}
