//! The coordinate systems as this city has them: the contract's five, with the plane fitted to the customer's where it is.

use super::helmert::PlaneFit;
use super::{Crs, from_wgs84, gauss_kruger, on_earth, to_wgs84};

/// What conversion needs beside the name of a system. Small, and handed to everybody who reads coordinates of a source, a
/// grid or a registry; there are no globals.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Systems {
    sh2000: Option<PlaneFit>,
}

impl Systems {
    /// SH2000 by this fit.
    pub fn with_sh2000(fit: PlaneFit) -> Systems {
        Systems { sh2000: Some(fit) }
    }

    /// The fit of the SH2000 plane; `None` where the published constants stand.
    pub fn sh2000(&self) -> Option<&PlaneFit> {
        self.sh2000.as_ref()
    }

    /// The fit's parameters as bytes, for a version that is to cover them; empty where the published constants stand.
    pub fn to_bytes(&self) -> Vec<u8> {
        let numbers = self.sh2000.iter().flat_map(PlaneFit::numbers);
        numbers
            .flat_map(|number| number.to_bits().to_le_bytes())
            .collect()
    }

    /// As [`to_wgs84`], with SH2000 on the fitted plane. `None` where that has no answer.
    pub fn to_wgs84(&self, crs: Crs, x: f64, y: f64) -> Option<(f64, f64)> {
        match (crs, &self.sh2000) {
            (Crs::Sh2000, Some(fit)) => {
                if !x.is_finite() || !y.is_finite() {
                    return None;
                }
                let (x, y) = fit.undo(x, y);
                gauss_kruger::plane_to_geodetic(x, y).filter(on_earth)
            }
            _ => to_wgs84(crs, x, y),
        }
    }

    /// As [`from_wgs84`], with SH2000 on the fitted plane.
    pub fn from_wgs84(&self, crs: Crs, lon: f64, lat: f64) -> (f64, f64) {
        match (crs, &self.sh2000) {
            (Crs::Sh2000, Some(fit)) => {
                let (x, y) = gauss_kruger::geodetic_to_plane(lon, lat);
                fit.apply(x, y)
            }
            _ => from_wgs84(crs, lon, lat),
        }
    }
}
