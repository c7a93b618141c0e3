//! What the facilities around a place mean for an event there.

use city_model::{Facility, Position};
use city_registry::Facilities;

/// How far a facility raises the exposure (DOMAIN 4.1 E).
const NEAR_MM: i64 = 200_000;
/// A ponding this near to an underpass is that underpass's: the length of a ramp (proposal).
const UNDERPASS_MM: i64 = 60_000;

/// What lies around a place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Nearby {
    /// Classes within 200 m, sorted.
    pub(crate) classes: Vec<Facility>,
    /// Within an underpass's reach.
    pub(crate) in_underpass: bool,
}

pub(crate) fn near(facilities: &Facilities, position: Position) -> Nearby {
    let near = facilities.near(position, NEAR_MM);
    Nearby {
        classes: near.iter().map(|near| near.facility.class).collect(),
        in_underpass: near
            .iter()
            .any(|near| near.facility.class == Facility::Underpass && near.distance_mm <= UNDERPASS_MM),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use city_registry::FacilityPlace;

    #[test]
    fn an_underpass_reaches_less_far_than_it_counts() {
        let at = |lon: f64, lat: f64| Position::from_degrees(lon, lat).unwrap();
        let place = |id: &str, class: Facility, position: Position| FacilityPlace {
            facility_id: id.into(),
            class,
            name: "n".into(),
            position,
        };
        let facilities = Facilities::new([
            place("1", Facility::School, at(121.2201, 31.0301)),
            place("2", Facility::School, at(121.2202, 31.0301)),
            place("3", Facility::Underpass, at(121.2195, 31.0299)),
            place("4", Facility::Hospital, at(121.2200, 31.0320)), // 222 m
        ]);
        let here = near(&facilities, at(121.22, 31.03));
        assert_eq!(here.classes, [Facility::School, Facility::Underpass]);
        assert!(here.in_underpass, "49 m");
        assert!(!near(&facilities, at(121.2205, 31.03)).in_underpass, "96 m");
        assert_eq!(near(&facilities, at(0.0, 0.0)), Nearby::default());
    }
}
