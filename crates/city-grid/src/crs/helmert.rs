//! A four-parameter fit between two planes (Helmert, 2-D): two shifts, a rotation, a scale; given, or found from control
//! points by least squares.
//!
//! The full-precision constants of the Shanghai 2000 plane are not public, so the built-in plane is some metres off the
//! official one. Over a city a shift, a small turn and a scale are all that two such planes differ by.

mod judged;

use std::fmt;

pub use judged::{Outlier, outlier};

use super::gauss_kruger::{geodetic_to_plane, plane_to_geodetic};

/// Two planes of one projection differ in scale by parts in a million; a thousand of them is another projection, or x and
/// y exchanged.
const SCALE_PPM_MAX: f64 = 1_000.0;
/// Ten thousand kilometres: the largest shift that a plane's false origin could ask for.
const SHIFT_M_MAX: f64 = 1e7;
/// Half a turn, in seconds of arc.
const TURN_ARCSEC_MAX: f64 = 648_000.0;
/// Points closer together than this (root mean square distance from their middle, in metres) say nothing about rotation
/// and scale some ten kilometres away.
const SPREAD_M_MIN: f64 = 100.0;
/// Seconds of arc in a radian.
const ARCSEC_PER_RADIAN: f64 = 206_264.806_247_096_36;

/// From the built-in plane to the customer's: `X = dx + a·x − b·y`, `Y = dy + b·x + a·y`.
///
/// All four numbers are finite and `a² + b²` is near 1, so the inverse always exists.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlaneFit {
    dx: f64,
    dy: f64,
    /// Scale times the cosine of the rotation.
    a: f64,
    /// Scale times its sine.
    b: f64,
}

/// Why there is no fit.
#[derive(Debug, Clone, PartialEq)]
pub enum FitError {
    /// Fewer than two points.
    TooFew(usize),
    /// The points lie so close together (root mean square metres from their middle) that they fix no rotation.
    OneSpot(f64),
    /// A number is not finite or lies beyond what a plane could be shifted by: which, and what it is.
    Unusable(&'static str, f64),
    /// This point's longitude and latitude are not near the plane.
    FarAway(usize),
    /// The scale differs by so many parts in a million.
    Scale(f64),
}

impl fmt::Display for FitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FitError::TooFew(0) => write!(
                f,
                "there is no control point; a fit needs at least 2, better 4 or more"
            ),
            FitError::TooFew(count) => write!(
                f,
                "there is {count} control point; a fit needs at least 2, better 4 or more"
            ),
            FitError::OneSpot(spread_m) => write!(
                f,
                "the control points lie in one spot ({spread_m:.1} m from their middle, at least {SPREAD_M_MIN:.0} m are needed)"
            ),
            FitError::Unusable(what, value) => write!(f, "{what} is {value}, which no plane has"),
            FitError::FarAway(at) => write!(
                f,
                "control point {} lies more than 500 km from the plane's origin: are lon and lat exchanged?",
                at + 1
            ),
            FitError::Scale(ppm) => write!(
                f,
                "the planes differ in scale by {ppm:.0} parts in a million (at most {SCALE_PPM_MAX:.0}): are x and y exchanged, or another plane's?"
            ),
        }
    }
}

impl std::error::Error for FitError {}

/// A point whose place is known on both sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ControlPoint {
    /// Metres east on the customer's plane.
    pub x: f64,
    /// Metres north on the customer's plane.
    pub y: f64,
    /// Longitude in WGS-84/CGCS2000 degrees.
    pub lon: f64,
    /// Latitude in WGS-84/CGCS2000 degrees.
    pub lat: f64,
}

/// A fit with how well it holds at each of its points.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The fit.
    pub fit: PlaneFit,
    /// How far each point lies from where the fit puts it, in metres, in their order.
    pub residuals_m: Vec<f64>,
    /// The root mean square of the residuals, in metres.
    pub rms_m: f64,
}

impl PlaneFit {
    /// The fit of these parameters: shifts in metres, the rotation counter-clockwise in seconds of arc about the built-in
    /// plane's origin, the scale in parts per million beyond 1.
    ///
    /// # Errors
    /// When a number is not finite or beyond what two planes could differ by.
    pub fn new(dx: f64, dy: f64, rotation_arcsec: f64, scale_ppm: f64) -> Result<PlaneFit, FitError> {
        for (what, value, most) in [
            ("dx", dx, SHIFT_M_MAX),
            ("dy", dy, SHIFT_M_MAX),
            ("rotation_arcsec", rotation_arcsec, TURN_ARCSEC_MAX),
        ] {
            // NaN lies in no range
            if !(-most..=most).contains(&value) {
                return Err(FitError::Unusable(what, value));
            }
        }
        if !scale_ppm.is_finite() {
            return Err(FitError::Unusable("scale_ppm", scale_ppm));
        }
        if scale_ppm.abs() > SCALE_PPM_MAX {
            return Err(FitError::Scale(scale_ppm));
        }
        let (scale, turn) = (1.0 + scale_ppm * 1e-6, rotation_arcsec / ARCSEC_PER_RADIAN);
        Ok(PlaneFit {
            dx,
            dy,
            a: scale * libm::cos(turn),
            b: scale * libm::sin(turn),
        })
    }

    /// The fit with the least squared residuals. The same points in the same order give the same bits.
    ///
    /// # Errors
    /// Fewer than two points, points in one spot, numbers that are not finite, or a scale that no such plane has.
    pub fn through(points: &[ControlPoint]) -> Result<Fitted, FitError> {
        if points.len() < 2 {
            return Err(FitError::TooFew(points.len()));
        }
        let mut pairs = Vec::with_capacity(points.len());
        for (at, point) in points.iter().enumerate() {
            for (what, value) in [("x", point.x), ("y", point.y)] {
                if !(-2.0 * SHIFT_M_MAX..=2.0 * SHIFT_M_MAX).contains(&value) {
                    return Err(FitError::Unusable(what, value));
                }
            }
            for (what, value) in [("lon", point.lon), ("lat", point.lat)] {
                if !value.is_finite() {
                    return Err(FitError::Unusable(what, value));
                }
            }
            let local = geodetic_to_plane(point.lon, point.lat);
            if plane_to_geodetic(local.0, local.1).is_none() {
                return Err(FitError::FarAway(at));
            }
            pairs.push((local, (point.x, point.y)));
        }
        let fit = least_squares(&pairs)?;
        let residuals_m: Vec<f64> = pairs
            .iter()
            .map(|((x, y), (given_x, given_y))| {
                let (east, north) = fit.apply(*x, *y);
                libm::hypot(east - given_x, north - given_y)
            })
            .collect();
        let squares: f64 = residuals_m.iter().map(|residual| residual * residual).sum();
        Ok(Fitted {
            fit,
            rms_m: libm::sqrt(squares / points.len() as f64),
            residuals_m,
        })
    }

    /// From the built-in plane to the customer's, in metres.
    pub(super) fn apply(&self, x: f64, y: f64) -> (f64, f64) {
        (
            self.dx + self.a * x - self.b * y,
            self.dy + self.b * x + self.a * y,
        )
    }

    /// And back.
    pub(super) fn undo(&self, x: f64, y: f64) -> (f64, f64) {
        let (x, y) = (x - self.dx, y - self.dy);
        let square = self.a * self.a + self.b * self.b;
        (
            (self.a * x + self.b * y) / square,
            (self.a * y - self.b * x) / square,
        )
    }

    pub(super) fn numbers(&self) -> [f64; 4] {
        [self.dx, self.dy, self.a, self.b]
    }

    /// The shifts east and north, in metres.
    pub fn shift_m(&self) -> (f64, f64) {
        (self.dx, self.dy)
    }

    /// The rotation counter-clockwise, in seconds of arc.
    pub fn rotation_arcsec(&self) -> f64 {
        libm::atan2(self.b, self.a) * ARCSEC_PER_RADIAN
    }

    /// The scale beyond 1, in parts per million.
    pub fn scale_ppm(&self) -> f64 {
        (libm::hypot(self.a, self.b) - 1.0) * 1e6
    }
}

/// A point on the built-in plane, and on the customer's.
type Pair = ((f64, f64), (f64, f64));

/// About the middles, so that large coordinates lose no digits.
fn least_squares(pairs: &[Pair]) -> Result<PlaneFit, FitError> {
    let count = pairs.len() as f64;
    let mean = |pick: fn(&Pair) -> f64| pairs.iter().map(pick).sum::<f64>() / count;
    let from = (mean(|p| p.0.0), mean(|p| p.0.1));
    let to = (mean(|p| p.1.0), mean(|p| p.1.1));
    let (mut along, mut across, mut square) = (0.0, 0.0, 0.0);
    for (local, given) in pairs {
        let (u, v) = (local.0 - from.0, local.1 - from.1);
        let (p, q) = (given.0 - to.0, given.1 - to.1);
        along += u * p + v * q;
        across += u * q - v * p;
        square += u * u + v * v;
    }
    let spread_m = libm::sqrt(square / count);
    if spread_m < SPREAD_M_MIN {
        return Err(FitError::OneSpot(spread_m));
    }
    let (a, b) = (along / square, across / square);
    let fit = PlaneFit {
        dx: to.0 - (a * from.0 - b * from.1),
        dy: to.1 - (b * from.0 + a * from.1),
        a,
        b,
    };
    if !(-SCALE_PPM_MAX..=SCALE_PPM_MAX).contains(&fit.scale_ppm()) {
        return Err(FitError::Scale(fit.scale_ppm()));
    }
    Ok(fit)
}

#[cfg(test)]
mod tests;
