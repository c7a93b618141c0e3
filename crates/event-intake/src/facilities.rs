//! The facilities around a place, from a hash grid of squares no smaller than the radius.

use city_model::{Facility, Plane, Position};
use rustc_hash::FxHashMap;

use crate::config::FacilityPlace;

/// How far a facility raises the exposure (DOMAIN 4.1 E).
const NEAR_MM: i64 = 200_000;
/// A ponding this near to an underpass is that underpass's: the length of a ramp (proposal).
const UNDERPASS_MM: i64 = 60_000;
/// The side of a square: 0.005° is 553 m of latitude, and more than 200 m of longitude up to 68° of latitude.
const SIDE_E9: i64 = 5_000_000;

/// An index of facilities.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facilities {
    squares: FxHashMap<(i64, i64), Vec<(Position, Facility)>>,
}

/// What lies around a place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Nearby {
    /// Classes within 200 m, sorted.
    pub(crate) classes: Vec<Facility>,
    /// Within an underpass's reach.
    pub(crate) in_underpass: bool,
}

impl Facilities {
    pub(crate) fn new(places: &[FacilityPlace]) -> Facilities {
        let mut facilities = Facilities::default();
        for place in places {
            facilities
                .squares
                .entry(square(place.position))
                .or_default()
                .push((place.position, place.class));
        }
        facilities
    }

    pub(crate) fn near(&self, position: Position) -> Nearby {
        let mut nearby = Nearby::default();
        if self.squares.is_empty() {
            return nearby;
        }
        let plane = Plane::at(position);
        let here = plane.project(position);
        let (x, y) = square(position);
        for (dx, dy) in [
            (-1, -1),
            (-1, 0),
            (-1, 1),
            (0, -1),
            (0, 0),
            (0, 1),
            (1, -1),
            (1, 0),
            (1, 1),
        ] {
            for (place, class) in self.squares.get(&(x + dx, y + dy)).map_or(&[][..], Vec::as_slice) {
                let distance_mm = here.distance_mm(plane.project(*place));
                if distance_mm <= NEAR_MM {
                    nearby.classes.push(*class);
                    nearby.in_underpass |= *class == Facility::Underpass && distance_mm <= UNDERPASS_MM;
                }
            }
        }
        nearby.classes.sort_unstable();
        nearby.classes.dedup();
        nearby
    }
}

fn square(position: Position) -> (i64, i64) {
    (
        position.lon_e9.div_euclid(SIDE_E9),
        position.lat_e9.div_euclid(SIDE_E9),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_near_across_squares() {
        let at = |lon: f64, lat: f64| Position::from_degrees(lon, lat).unwrap();
        let place = |class: Facility, position: Position| FacilityPlace {
            facility_id: "f".into(),
            class,
            name: "n".into(),
            position,
        };
        let facilities = Facilities::new(&[
            place(Facility::School, at(121.2201, 31.0301)),
            place(Facility::School, at(121.2202, 31.0301)),
            place(Facility::Underpass, at(121.2195, 31.0299)),
            place(Facility::Hospital, at(121.2200, 31.0320)), // 222 m
        ]);
        let near = facilities.near(at(121.22, 31.03));
        assert_eq!(near.classes, [Facility::School, Facility::Underpass]);
        assert!(near.in_underpass, "48 m");
        assert!(!facilities.near(at(121.2205, 31.03)).in_underpass, "96 m");
        assert_eq!(facilities.near(at(0.0, 0.0)), Nearby::default());
    }
}
