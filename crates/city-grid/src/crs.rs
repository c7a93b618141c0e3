//! Coordinate systems that sources use, to and from WGS-84 (taken as equal to CGCS2000: they differ by less than a metre).
//!
//! A system is always stated by the source's configuration. It is never guessed from the numbers.

mod gauss_kruger;
mod gcj;
mod helmert;
mod systems;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use helmert::{ControlPoint, FitError, Fitted, PlaneFit, outlier};
pub use systems::Systems;

/// The coordinate systems of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Crs {
    /// GPS: longitude and latitude in degrees.
    Wgs84,
    /// The national geodetic system (EPSG:4490), which the city-management standards use.
    Cgcs2000,
    /// The map offset of Amap, Tencent and phones' map kits.
    Gcj02,
    /// Baidu's offset on top of GCJ-02.
    Bd09,
    /// The Shanghai 2000 plane: metres east and north.
    Sh2000,
}

impl Crs {
    /// All of them.
    pub const ALL: [Crs; 5] = [Crs::Wgs84, Crs::Cgcs2000, Crs::Gcj02, Crs::Bd09, Crs::Sh2000];

    /// The name on the wire and in configuration.
    pub fn name(self) -> &'static str {
        match self {
            Crs::Wgs84 => "WGS84",
            Crs::Cgcs2000 => "CGCS2000",
            Crs::Gcj02 => "GCJ02",
            Crs::Bd09 => "BD09",
            Crs::Sh2000 => "SH2000",
        }
    }
}

impl fmt::Display for Crs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// No coordinate system has this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownCrs(String);

impl fmt::Display for UnknownCrs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "unknown coordinate system `{}`: one of WGS84, CGCS2000, GCJ02, BD09, SH2000",
            self.0
        )
    }
}

impl std::error::Error for UnknownCrs {}

impl FromStr for Crs {
    type Err = UnknownCrs;

    fn from_str(text: &str) -> Result<Crs, UnknownCrs> {
        Crs::ALL
            .into_iter()
            .find(|crs| crs.name() == text)
            .ok_or_else(|| UnknownCrs(text.to_owned()))
    }
}

/// Longitude and latitude in WGS-84 degrees of `(x, y)` in `crs`; x is the longitude or metres east, y the latitude or
/// metres north.
///
/// `None` when a number is not finite, lies off the earth, has no point in WGS-84 that maps to it, or, for the plane, is
/// more than 500 km from its origin.
///
/// Outside the box in which GCJ-02 is defined (longitude 72.004 to 137.8347, latitude 0.8293 to 55.8271) that system equals
/// WGS-84, and BD-09 is its plain shift by about 0.006°. The published box is coarser than the country: in it, abroad
/// (Seoul, Hanoi), the formula still shifts, as the map kits do.
pub fn to_wgs84(crs: Crs, x: f64, y: f64) -> Option<(f64, f64)> {
    if !x.is_finite() || !y.is_finite() {
        return None;
    }
    let place = match crs {
        Crs::Wgs84 | Crs::Cgcs2000 => (x, y),
        Crs::Gcj02 => gcj::gcj_to_wgs(x, y)?,
        Crs::Bd09 => {
            let (lon, lat) = gcj::bd_to_gcj(x, y)?;
            gcj::gcj_to_wgs(lon, lat)?
        }
        Crs::Sh2000 => gauss_kruger::plane_to_geodetic(x, y)?,
    };
    Some(place).filter(on_earth)
}

fn on_earth(&(lon, lat): &(f64, f64)) -> bool {
    (-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat)
}

/// `(x, y)` in `crs` of a WGS-84 longitude and latitude in degrees. What is not finite stays so; the plane means nothing
/// more than some hundred kilometres from Shanghai.
pub fn from_wgs84(crs: Crs, lon: f64, lat: f64) -> (f64, f64) {
    match crs {
        Crs::Wgs84 | Crs::Cgcs2000 => (lon, lat),
        Crs::Gcj02 => gcj::wgs_to_gcj(lon, lat),
        Crs::Bd09 => {
            let (lon, lat) = gcj::wgs_to_gcj(lon, lat);
            gcj::gcj_to_bd(lon, lat)
        }
        Crs::Sh2000 => gauss_kruger::geodetic_to_plane(lon, lat),
    }
}

#[cfg(test)]
mod tests;
