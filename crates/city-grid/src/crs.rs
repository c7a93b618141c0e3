//! Coordinate systems that sources use, to and from WGS-84 (taken as equal to CGCS2000: they differ by less than a metre).
//!
//! A system is always stated by the source's configuration. It is never guessed from the numbers.

mod gauss_kruger;
mod gcj;
mod helmert;
mod systems;

pub use city_model::{Crs, UnknownCrs};
pub use helmert::{ControlPoint, FitError, Fitted, Outlier, PlaneFit, outlier};
pub use systems::Systems;

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
