//! `[crs]`: the coordinate systems whose parameters the city knows better than the published ones.

use std::path::PathBuf;

use city_grid::crs::{FitError, PlaneFit};
use serde::{Deserialize, Serialize};

/// `[crs]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Coordinates {
    /// The Shanghai 2000 plane.
    pub sh2000: Sh2000,
}

/// `[crs.sh2000]`: control points or parameters, not both; with neither the published constants stand, which are some
/// metres off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sh2000 {
    /// `x,y,lon,lat[,name]`: points known on the city's plane and in WGS-84.
    pub control_points: Option<PathBuf>,
    /// A control point that the fit misses by more metres than this is told as a probable typing error.
    pub residual_limit_m: f64,
    /// Metres that the city's plane adds to the built-in one's east.
    pub dx: Option<f64>,
    /// The same north.
    pub dy: Option<f64>,
    /// Seconds of arc by which the city's plane is turned counter-clockwise.
    pub rotation_arcsec: Option<f64>,
    /// Parts in a million by which its scale exceeds the built-in one's.
    pub scale_ppm: Option<f64>,
}

impl Default for Sh2000 {
    fn default() -> Self {
        Sh2000 {
            control_points: None,
            residual_limit_m: 1.0,
            dx: None,
            dy: None,
            rotation_arcsec: None,
            scale_ppm: None,
        }
    }
}

impl Sh2000 {
    /// The fit of plain parameters, where any is given.
    ///
    /// # Errors
    /// The key and what is wrong with it.
    pub fn parameters(&self) -> Result<Option<PlaneFit>, (&'static str, String)> {
        let given = [self.dx, self.dy, self.rotation_arcsec, self.scale_ppm];
        if given.iter().all(Option::is_none) {
            return Ok(None);
        }
        let [dx, dy, turn, ppm] = given.map(Option::unwrap_or_default);
        PlaneFit::new(dx, dy, turn, ppm).map(Some).map_err(|error| {
            let key = match &error {
                FitError::Unusable(key, _) => key,
                _ => "scale_ppm",
            };
            (key, error.to_string())
        })
    }

    /// Whether the section holds together.
    ///
    /// # Errors
    /// The key and what is wrong with it.
    pub(super) fn check(&self) -> Result<(), (&'static str, String)> {
        let has_parameters = self.parameters()?.is_some();
        if self.control_points.is_some() && has_parameters {
            let message = "control points and dx, dy, rotation_arcsec, scale_ppm exclude each other";
            return Err(("control_points", message.to_owned()));
        }
        // NaN lies in no range
        if !(0.001..=1_000.0).contains(&self.residual_limit_m) {
            let message = "metres from 0.001 to 1000".to_owned();
            return Err(("residual_limit_m", message));
        }
        Ok(())
    }
}
