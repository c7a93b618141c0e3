//! Facilities around a place: of each class the nearest one, so that it can be named.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use city_model::{Facility, Name, Plane, Point, Position};

use crate::ground::{Area, Ground};

/// A facility whose neighbourhood matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacilityPlace {
    /// Its id.
    pub facility_id: Name,
    /// What it is.
    pub class: Facility,
    /// Its name.
    pub name: Name,
    /// Where it is.
    pub position: Position,
}

/// A facility with its distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NearFacility<'a> {
    /// The facility.
    pub facility: &'a FacilityPlace,
    /// How far it is, in whole millimetres, rounded down.
    pub distance_mm: i64,
}

/// The city's facilities.
#[derive(Debug, Default)]
pub struct Facilities {
    /// In the order of their ids.
    places: Vec<FacilityPlace>,
    ground: Ground<u32>,
}

impl Facilities {
    /// The facilities. Of those with the same id the last one counts.
    pub fn new(places: impl IntoIterator<Item = FacilityPlace>) -> Facilities {
        let by_id: BTreeMap<Name, FacilityPlace> = places
            .into_iter()
            .map(|place| (place.facility_id.clone(), place))
            .collect();
        let places: Vec<FacilityPlace> = by_id.into_values().collect();
        let mut ground = Ground::default();
        for (number, place) in (0..).zip(&places) {
            ground.push(place.class as u32, place.position, number);
        }
        ground.seal(Facility::ALL.len(), |class| class);
        Facilities { places, ground }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Of each class that has one within `r_mm` millimetres of a place: the nearest, of equally near ones the first by
    /// its id; in the order of the classes.
    pub fn near(&self, place: Position, r_mm: i64) -> Vec<NearFacility<'_>> {
        let mut found = Vec::new();
        if self.is_empty() {
            return found;
        }
        let plane = Plane::at(place);
        let area = Area::around(&plane, r_mm);
        for class in Facility::ALL {
            let mut nearest: Option<(i64, u32)> = None;
            self.ground.visit(*class as u32, area, |number, position| {
                let distance_mm = plane.project(position).distance_mm(Point::default());
                if distance_mm <= r_mm
                    && let Some(spot) = self.ground.get(number)
                {
                    let this = (distance_mm, spot.what);
                    nearest = Some(nearest.map_or(this, |best| best.min(this)));
                }
                ControlFlow::Continue(())
            });
            if let Some((distance_mm, number)) = nearest {
                found.push(NearFacility {
                    facility: &self.places[number as usize],
                    distance_mm,
                });
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_nearest_of_each_class() {
        let at = |lon: f64, lat: f64| Position::from_degrees(lon, lat).unwrap();
        let place = |id: &str, class: Facility, position: Position| FacilityPlace {
            facility_id: id.into(),
            class,
            name: "n".into(),
            position,
        };
        let facilities = Facilities::new([
            place("s2", Facility::School, at(121.2202, 31.0301)),
            place("s3", Facility::School, at(121.2201, 31.0301)),
            place("s1", Facility::School, at(121.2201, 31.0301)),
            place("u1", Facility::Underpass, at(121.2195, 31.0299)),
            place("h1", Facility::Hospital, at(121.2200, 31.0301)),
            place("h1", Facility::Hospital, at(121.2200, 31.0320)), // the last one counts; 222 m
        ]);
        let near = |lon: f64, lat: f64| -> Vec<(String, i64)> {
            let found = facilities.near(at(lon, lat), 200_000);
            let told =
                |near: &NearFacility<'_>| (near.facility.facility_id.to_string(), near.distance_mm / 1_000);
            found.iter().map(told).collect()
        };
        assert_eq!(facilities.len(), 5);
        assert_eq!(
            near(121.22, 31.03),
            [("s1".to_owned(), 14), ("u1".to_owned(), 49)]
        );
        assert_eq!(near(121.2205, 31.03)[1], ("u1".to_owned(), 96));
        assert_eq!(near(0.0, 0.0), []);
        assert!(Facilities::default().near(at(0.0, 0.0), 200_000).is_empty());
    }
}
