//! The city as all scenes see it: ground, registry, map layer, and positions written in a source's own coordinates.

use city_grid::Crs;
use city_grid::crs::from_wgs84;

use crate::Scenario;
use crate::chance::Chance;
use crate::ground::{Ground, Spot};
use crate::parameters::{ACCURACY_GIVEN_SHARE, CRS_GIVEN_SHARE};
use crate::record::Location;
use crate::registry::Registry;

/// Everything that is the same for the whole simulation.
pub(crate) struct City {
    pub(crate) seed: u64,
    pub(crate) scenario: Scenario,
    pub(crate) ground: Ground,
    pub(crate) registry: Registry,
}

impl City {
    /// Index into the parameters that differ by scenario.
    pub(crate) fn weather(&self) -> usize {
        match self.scenario {
            Scenario::Normal => 0,
            Scenario::Typhoon => 1,
        }
    }

    /// The code of the town that holds a place.
    pub(crate) fn town_code(&self, spot: Spot) -> Option<String> {
        self.ground.town(spot).map(|town| town.code.clone())
    }

    /// The point that stands for the whole town of a place.
    pub(crate) fn town_centre(&self, spot: Spot) -> Spot {
        self.ground.town(spot).map_or(spot, |town| town.centre)
    }

    /// A spot as a source with this coordinate system writes it; sometimes with the system's name and an accuracy.
    pub(crate) fn locate(&self, chance: &mut Chance, crs: Crs, spot: Spot, error_m: f64) -> Location {
        let mut location = self.write(crs, spot);
        location.crs = chance.hit(CRS_GIVEN_SHARE).then_some(crs);
        location.accuracy_m = chance.hit(ACCURACY_GIVEN_SHARE).then_some(libm::round(error_m));
        location
    }

    /// A spot in a coordinate system: seven decimals of a degree are a centimetre, as are two of a metre.
    pub(crate) fn write(&self, crs: Crs, spot: Spot) -> Location {
        let (lon, lat) = self.ground.degrees(spot);
        let (x, y) = from_wgs84(crs, lon, lat);
        let scale = if crs == Crs::Sh2000 { 1e2 } else { 1e7 };
        Location {
            crs: None,
            x: libm::round(x * scale) / scale,
            y: libm::round(y * scale) / scale,
            accuracy_m: None,
            quality: None,
        }
    }
}
