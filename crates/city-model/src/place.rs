//! Positions in nano-degrees and distances in whole millimetres on the city's local plane.

use serde::{Deserialize, Serialize};

/// A position in CGCS2000 (equal to WGS-84 within a metre), in nano-degrees: 1e-9° is 0.11 mm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Longitude east, in 1e-9 degrees.
    pub lon_e9: i64,
    /// Latitude north, in 1e-9 degrees.
    pub lat_e9: i64,
}

impl Position {
    /// From degrees. `None` when a number is not finite or lies off the earth.
    pub fn from_degrees(lon: f64, lat: f64) -> Option<Position> {
        if !(-180.0..=180.0).contains(&lon) || !(-90.0..=90.0).contains(&lat) {
            return None; // NaN is in no range
        }
        Some(Position {
            lon_e9: libm::rint(lon * 1e9) as i64,
            lat_e9: libm::rint(lat * 1e9) as i64,
        })
    }

    /// Longitude in degrees.
    pub fn lon(self) -> f64 {
        self.lon_e9 as f64 / 1e9
    }

    /// Latitude in degrees.
    pub fn lat(self) -> f64 {
        self.lat_e9 as f64 / 1e9
    }
}

/// A point on the local plane: millimetres east and north of the plane's origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Point {
    /// Millimetres east.
    pub x: i64,
    /// Millimetres north.
    pub y: i64,
}

impl Point {
    /// The straight distance to `other`, in millimetres, rounded down.
    pub fn distance_mm(self, other: Point) -> i64 {
        let (dx, dy) = (self.x.abs_diff(other.x), self.y.abs_diff(other.y));
        if (dx | dy) < 1 << 26 {
            return isqrt_64(dx * dx + dy * dy).cast_signed(); // within 67 km the squares stay below 2^53
        }
        let (dx, dy) = (u128::from(dx), u128::from(dy));
        i64::try_from(isqrt(dx.saturating_mul(dx).saturating_add(dy.saturating_mul(dy)))).unwrap_or(i64::MAX)
    }
}

/// The whole-number square root, rounded down. Distances below 3,000 km square into 64 bits, where it costs a fraction.
pub fn isqrt(n: u128) -> u128 {
    match u64::try_from(n) {
        Ok(n) => u128::from(isqrt_64(n)),
        Err(_) => n.isqrt(),
    }
}

/// A floating-point root is off by one at most below 2^53, where it is put right; so no rounding shows.
fn isqrt_64(n: u64) -> u64 {
    if n >= 1 << 53 {
        return n.isqrt();
    }
    let near = libm::sqrt(n as f64) as u64;
    if near * near > n {
        near - 1
    } else if (near + 1) * (near + 1) <= n {
        near + 1
    } else {
        near
    }
}

/// A tangent plane at the city's origin. Within 50 km of it a distance of 500 m errs by less than 4 m at Shanghai's
/// latitude; both ends of a comparison share the error, so decisions stay consistent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plane {
    origin: Position,
    /// Millimetres per nano-degree of longitude at the origin, times 2^32.
    x_scale: i64,
    /// Millimetres per nano-degree of latitude at the origin, times 2^32.
    y_scale: i64,
}

impl Plane {
    /// The plane that touches the CGCS2000 ellipsoid (a = 6 378 137 m, 1/f = 298.257222101) at `origin`.
    pub fn at(origin: Position) -> Plane {
        const A_MM: f64 = 6_378_137_000.0;
        const F: f64 = 1.0 / 298.257_222_101;
        let e2 = F * (2.0 - F);
        let lat = origin.lat().to_radians();
        let sin = libm::sin(lat);
        let w2 = 1.0 - e2 * sin * sin;
        let prime_vertical = A_MM / libm::sqrt(w2);
        let meridian = A_MM * (1.0 - e2) / (w2 * libm::sqrt(w2));
        let per_nano_degree = core::f64::consts::PI / 180.0 / 1e9;
        let fixed = |mm: f64| libm::rint(mm * per_nano_degree * 4_294_967_296.0) as i64;
        Plane {
            origin,
            x_scale: fixed(prime_vertical * libm::cos(lat)),
            y_scale: fixed(meridian),
        }
    }

    /// Where the plane touches the earth.
    pub fn origin(&self) -> Position {
        self.origin
    }

    /// The point of a position on this plane.
    pub fn project(&self, position: Position) -> Point {
        let scale = |delta: i64, scale: i64| ((i128::from(delta) * i128::from(scale)) >> 32) as i64;
        Point {
            x: scale(position.lon_e9 - self.origin.lon_e9, self.x_scale),
            y: scale(position.lat_e9 - self.origin.lat_e9, self.y_scale),
        }
    }

    /// How far east or west and how far north or south of the origin something can be that projects within `r_mm`
    /// millimetres of it, in nano-degrees; never too little. At a pole every longitude is in reach.
    pub fn half_box(&self, r_mm: i64) -> (i64, i64) {
        // Projecting rounds down, so something may be nearly a millimetre farther.
        let reach = (i128::from(r_mm.max(0)) + 1) << 32;
        let within = |scale: i64| match scale {
            ..=0 => i64::MAX,
            scale => i64::try_from(reach / i128::from(scale) + 1).unwrap_or(i64::MAX),
        };
        (within(self.x_scale), within(self.y_scale))
    }

    /// The position of a point on this plane.
    pub fn unproject(&self, point: Point) -> Position {
        let unscale = |mm: i64, scale: i64| ((i128::from(mm) << 32) / i128::from(scale.max(1))) as i64;
        Position {
            lon_e9: self.origin.lon_e9 + unscale(point.x, self.x_scale),
            lat_e9: self.origin.lat_e9 + unscale(point.y, self.y_scale),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_not_on_earth() {
        for (lon, lat) in [
            (f64::NAN, 31.0),
            (121.0, f64::INFINITY),
            (181.0, 0.0),
            (0.0, -90.5),
        ] {
            assert_eq!(Position::from_degrees(lon, lat), None);
        }
    }

    #[test]
    fn a_hundredth_of_a_degree_is_its_length() {
        let origin = Position::from_degrees(121.2277, 31.0322).unwrap();
        let plane = Plane::at(origin);
        let north = plane.project(Position::from_degrees(121.2277, 31.0422).unwrap());
        let east = plane.project(Position::from_degrees(121.2377, 31.0322).unwrap());
        assert!((north.y - 1_108_670).abs() < 200, "{north:?}"); // 110.867 km a degree at 31°
        assert!((east.x - 954_830).abs() < 300, "{east:?}"); // 95.48 km a degree at 31°
    }

    #[test]
    fn the_root_is_the_same_on_both_sides_of_64_bits() {
        for root in [
            0,
            1,
            3,
            u128::from(u32::MAX) - 1,
            u128::from(u32::MAX),
            1 << 32,
            (1 << 32) + 1,
        ] {
            assert_eq!((isqrt(root * root), isqrt(root * root + 2 * root)), (root, root));
        }
    }

    #[test]
    fn the_root_is_the_whole_number_s_own() {
        let mut n = 1_u64;
        for _ in 0..100_000 {
            n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            for n in [
                n,
                n >> 11,
                n >> 24,
                (n >> 38).pow(2),
                (n >> 38).pow(2).saturating_sub(1),
            ] {
                assert_eq!(isqrt(u128::from(n)), u128::from(n.isqrt()), "{n}");
            }
        }
        for n in [0, 1, 2, (1 << 53) - 1, 1 << 53] {
            assert_eq!(isqrt(n), u128::from((n as u64).isqrt()));
        }
    }

    #[test]
    fn a_half_box_is_hardly_larger_than_its_circle() {
        for lat in [-89.9, 0.0, 31.0322, 60.0] {
            let origin = Position::from_degrees(121.2277, lat).unwrap();
            let plane = Plane::at(origin);
            for r_mm in [0, 1, 5_000, 45_000] {
                let (lon, lat) = plane.half_box(r_mm);
                let outside = |lon_e9: i64, lat_e9: i64| {
                    let there = Position {
                        lon_e9: origin.lon_e9 + lon_e9,
                        lat_e9: origin.lat_e9 + lat_e9,
                    };
                    plane.project(there).distance_mm(Point::default()) - r_mm
                };
                for beyond in [
                    outside(lon, 0),
                    outside(-lon, 0),
                    outside(0, lat),
                    outside(0, -lat),
                ] {
                    assert!((1..=2).contains(&beyond), "{r_mm}: {beyond}");
                }
            }
        }
        let pole = Plane::at(Position::from_degrees(0.0, 90.0).unwrap());
        assert_eq!(pole.half_box(0).0, i64::MAX);
    }

    #[test]
    fn projection_comes_back_within_a_millimetre() {
        let plane = Plane::at(Position::from_degrees(121.2277, 31.0322).unwrap());
        for (lon, lat) in [(121.0, 30.9), (121.45, 31.2), (121.2277, 31.0322)] {
            let position = Position::from_degrees(lon, lat).unwrap();
            let back = plane.unproject(plane.project(position));
            assert!(
                (back.lon_e9 - position.lon_e9).abs() <= 11 && (back.lat_e9 - position.lat_e9).abs() <= 10
            );
        }
    }
}
