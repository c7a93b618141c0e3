//! By how much an event's turn comes later: who knows a place badly waits for those who know it better.
//!
//! Where a storm fells a row of trees, a call that is good to 100 m fits several of them, and the first of them takes it while
//! the others are not known yet. An hour later those who stood there have told of theirs, and the call is weighed against all.
//! It is decided at once all the same, and again when one comes whose turn is before it.

use city_model::Located;
use city_rules::KindRule;

/// How long (proposal). On the simulator's typhoon 30 min give half of what an hour gives, and two hours cost an ordinary day.
const WAITS_MS: i64 = 3_600_000;
/// Vaguer than the door of a house, in millimetres (proposal): on the simulator 30 m and 45 m do the same.
const VAGUE_MM: i64 = 40_000;

/// How much later the turn of an event comes. Where lives are at stake it waits for nobody: doubt between several keeps it out
/// of none. A device stands where it stands. What cites a ticket comes after that one, whatever either is read as.
pub(crate) fn waits_ms(rule: &KindRule, located: Option<&Located>, has_device: bool, cites: bool) -> i64 {
    let is_vague = located.is_some_and(|located| located.u_mm > VAGUE_MM);
    let is_of_many = rule.weather && !rule.endangers_life();
    if cites || (is_vague && is_of_many && !has_device) {
        WAITS_MS
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use city_model::{Position, Quality};
    use city_rules::Rules;

    use super::*;

    #[test]
    fn who_is_vague_about_one_of_many_waits() {
        let rules = Rules::builtin();
        let waits = |kind: &str, u_m: i64, has_device: bool, cites: bool| {
            let located = Located {
                position: Position::from_degrees(121.2277, 31.0322).unwrap(),
                u_mm: u_m * 1_000,
                quality: Quality::Poi,
            };
            let rule = rules.kind(rules.kind_id(kind).unwrap());
            waits_ms(rule, Some(&located), has_device, cites) > 0
        };
        assert!(waits("tree_fallen", 41, false, false));
        assert!(!waits("tree_fallen", 40, false, false));
        assert!(!waits("tree_fallen", 60, true, false), "a camera's pole");
        assert!(!waits("garbage_exposed", 150, false, false));
        assert!(!waits("road_collapse", 150, false, false), "lives");
        assert!(waits("road_collapse", 5, false, true));
        let rule = rules.kind(rules.kind_id("tree_fallen").unwrap());
        assert_eq!(waits_ms(rule, None, false, false), 0);
    }
}
