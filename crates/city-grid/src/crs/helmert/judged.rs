//! Whether a fit is to be believed: which control points are probably typed wrong, and what no plane of this city has.

use super::{ControlPoint, Fitted, PlaneFit, geodetic_to_plane};

/// A plane at another height or on another ellipsoid differs in scale by less than 30 parts in a million (200 m of height
/// are 31); more than three times that is another projection, or a typing error.
const PLAUSIBLE_PPM: f64 = 100.0;
/// Two minutes of longitude between central meridians turn the plane by a minute of arc in Shanghai (120″ · sin 31°); two
/// surveys of one plane differ by some seconds.
const PLAUSIBLE_ARCSEC: f64 = 60.0;

/// The one point without which all others fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlier {
    /// Which.
    pub at: usize,
    /// How far it lies from where the others put it, in metres.
    pub off_m: f64,
    /// The root mean square of the others' residuals, in metres.
    pub rms_m: f64,
}

impl PlaneFit {
    /// Why this is hardly a fit of the city's plane to the built-in one, each in some words.
    pub fn implausible(&self) -> Vec<String> {
        let mut told = Vec::new();
        let (ppm, turn) = (self.scale_ppm(), self.rotation_arcsec());
        if ppm.abs() > PLAUSIBLE_PPM {
            told.push(format!(
                "scale {ppm:.1} ppm (planes of one projection differ by less than {PLAUSIBLE_PPM})"
            ));
        }
        if turn.abs() > PLAUSIBLE_ARCSEC {
            told.push(format!(
                "rotation {turn:.1}\" (planes of one central meridian differ by less than {PLAUSIBLE_ARCSEC}\")"
            ));
        }
        told
    }
}

impl Fitted {
    /// The points that are probably typed wrong: their residual is beyond `limit_m`, or beyond three times the root mean
    /// square and the millimetre that coordinates are printed to.
    pub fn doubtful(&self, limit_m: f64) -> Vec<usize> {
        let is_doubtful =
            |residual: f64| residual > limit_m || (residual > 3.0 * self.rms_m && residual > 0.001);
        let at = self.residuals_m.iter().enumerate();
        at.filter(|(_, residual)| is_doubtful(**residual))
            .map(|(at, _)| at)
            .collect()
    }
    /// Why this is hardly a fit of the city's plane, each in some words; beyond `limit_m` the root mean square is too much.
    pub fn implausible(&self, limit_m: f64) -> Vec<String> {
        let mut told = self.fit.implausible();
        if self.rms_m > limit_m {
            told.push(format!("rms {:.3} m (limit {limit_m} m)", self.rms_m));
        }
        told
    }
}

/// The one point without which all others fit within `limit_m`: a single wrong point bends the whole fit, so the residuals
/// alone do not say which it is. It takes four points to tell.
pub fn outlier(points: &[ControlPoint], limit_m: f64) -> Option<Outlier> {
    if points.len() < 4 {
        return None;
    }
    let mut best: Option<Outlier> = None;
    for (at, point) in points.iter().enumerate() {
        let mut others = points.to_vec();
        others.remove(at);
        let Ok(fitted) = PlaneFit::through(&others) else {
            continue;
        };
        let fits = fitted.residuals_m.iter().all(|residual| *residual <= limit_m);
        if fits && best.is_none_or(|best| fitted.rms_m < best.rms_m) {
            let (x, y) = geodetic_to_plane(point.lon, point.lat);
            let (east, north) = fitted.fit.apply(x, y);
            best = Some(Outlier {
                at,
                off_m: libm::hypot(east - point.x, north - point.y),
                rms_m: fitted.rms_m,
            });
        }
    }
    best
}
