//! The job's plane: metres from its south-west corner, in floating point, because its definition says so.

use city_model::Point;

use super::event::Micro;

const LON: i32 = 121_000_000;
const LAT: i32 = 31_000_000;
/// Metres a micro-degree.
const EAST: f64 = 0.095_415;
const NORTH: f64 = 0.110_86;

/// A place on the plane.
pub fn metres(place: Micro) -> (f64, f64) {
    (
        f64::from(place.lon - LON) * EAST,
        f64::from(place.lat - LAT) * NORTH,
    )
}

/// The same in whole millimetres, as the index of neighbours takes it.
pub fn millimetres(place: Micro) -> Point {
    let (x, y) = metres(place);
    let millimetres = |metres: f64| (metres * 1_000.0).round() as i64;
    Point {
        x: millimetres(x),
        y: millimetres(y),
    }
}

/// The square of the distance of two places, in square metres.
pub fn squared(a: Micro, b: Micro) -> f64 {
    let ((ax, ay), (bx, by)) = (metres(a), metres(b));
    (ax - bx) * (ax - bx) + (ay - by) * (ay - by)
}
