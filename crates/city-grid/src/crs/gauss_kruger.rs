//! The Shanghai 2000 plane: Gauss–Krüger on the CGCS2000 ellipsoid, to a micron within 500 km.
//!
//! The published constants are truncated, so the result is good to some metres against the official one; a city with
//! control points can fit that away.

/// CGCS2000: semi-major axis in metres and flattening.
const A: f64 = 6_378_137.0;
const F: f64 = 1.0 / 298.257_222_101;
/// Third flattening.
const N: f64 = F / (2.0 - F);
/// Central meridian 121°27′52″ E.
const CENTRAL_MERIDIAN: f64 = 121.0 + 27.0 / 60.0 + 52.0 / 3600.0;
/// The plane lies 16.32 m above the ellipsoid, over a mean radius of 6371 km.
const SCALE: f64 = 1.0 + 16.32 / 6_371_000.0;
/// The transverse Mercator coordinates of the origin, 121°28′01″ E 31°14′07″ N.
const ORIGIN_EAST: f64 = 259.516;
const ORIGIN_NORTH: f64 = 3_457_086.026;
/// Where the plane stops meaning anything; the series is exact far beyond.
const EXTENT_M: f64 = 500_000.0;

/// Radius of the sphere with the meridian's length: A/(1+n)·(1 + n²/4 + n⁴/64).
const RECTIFYING: f64 = A / (1.0 + N) * (1.0 + N * N / 4.0 + N * N * N * N / 64.0);

/// Krüger's coefficients from geodetic to rectifying latitude, to n⁴ (the next terms are below 0.1 µm).
const ALPHA: [f64; 4] = [
    N / 2.0 - 2.0 / 3.0 * N * N + 5.0 / 16.0 * N * N * N + 41.0 / 180.0 * N * N * N * N,
    13.0 / 48.0 * N * N - 3.0 / 5.0 * N * N * N + 557.0 / 1440.0 * N * N * N * N,
    61.0 / 240.0 * N * N * N - 103.0 / 140.0 * N * N * N * N,
    49_561.0 / 161_280.0 * N * N * N * N,
];

/// And back.
const BETA: [f64; 4] = [
    N / 2.0 - 2.0 / 3.0 * N * N + 37.0 / 96.0 * N * N * N - 1.0 / 360.0 * N * N * N * N,
    1.0 / 48.0 * N * N + 1.0 / 15.0 * N * N * N - 437.0 / 1440.0 * N * N * N * N,
    17.0 / 480.0 * N * N * N - 37.0 / 840.0 * N * N * N * N,
    4397.0 / 161_280.0 * N * N * N * N,
];

pub(super) fn geodetic_to_plane(lon: f64, lat: f64) -> (f64, f64) {
    let lambda = (lon - CENTRAL_MERIDIAN).to_radians();
    let tau = conformal_tangent(libm::tan(lat.to_radians()));
    let xi0 = libm::atan2(tau, libm::cos(lambda));
    let cos = libm::cos(lambda);
    let eta0 = libm::asinh(libm::sin(lambda) / libm::sqrt(tau * tau + cos * cos));
    let (mut xi, mut eta) = (xi0, eta0);
    for (k, alpha) in ALPHA.iter().enumerate() {
        let m = 2.0 * (k + 1) as f64;
        xi += alpha * libm::sin(m * xi0) * libm::cosh(m * eta0);
        eta += alpha * libm::cos(m * xi0) * libm::sinh(m * eta0);
    }
    (
        SCALE * RECTIFYING * eta - ORIGIN_EAST,
        SCALE * RECTIFYING * xi - ORIGIN_NORTH,
    )
}

pub(super) fn plane_to_geodetic(east: f64, north: f64) -> Option<(f64, f64)> {
    if east.abs() > EXTENT_M || north.abs() > EXTENT_M {
        return None;
    }
    let xi = (north + ORIGIN_NORTH) / (SCALE * RECTIFYING);
    let eta = (east + ORIGIN_EAST) / (SCALE * RECTIFYING);
    let (mut xi0, mut eta0) = (xi, eta);
    for (k, beta) in BETA.iter().enumerate() {
        let m = 2.0 * (k + 1) as f64;
        xi0 -= beta * libm::sin(m * xi) * libm::cosh(m * eta);
        eta0 -= beta * libm::cos(m * xi) * libm::sinh(m * eta);
    }
    let (sinh, cos) = (libm::sinh(eta0), libm::cos(xi0));
    let target = libm::sin(xi0) / libm::sqrt(sinh * sinh + cos * cos);
    let lambda = libm::atan2(sinh, cos);
    // Newton's method on the tangent of the latitude; three steps reach the last bit in this band.
    let e2 = F * (2.0 - F);
    let mut tangent = target / (1.0 - e2);
    for _ in 0..4 {
        let got = conformal_tangent(tangent);
        let slope = (1.0 + (1.0 - e2) * tangent * tangent)
            / ((1.0 - e2) * libm::sqrt(1.0 + got * got) * libm::sqrt(1.0 + tangent * tangent));
        tangent += (target - got) * slope;
    }
    Some((
        CENTRAL_MERIDIAN + lambda.to_degrees(),
        libm::atan(tangent).to_degrees(),
    ))
}

/// The tangent of the conformal latitude from that of the geodetic one.
fn conformal_tangent(tangent: f64) -> f64 {
    let e = libm::sqrt(F * (2.0 - F));
    let secant = libm::sqrt(1.0 + tangent * tangent);
    let sigma = libm::sinh(e * libm::atanh(e * tangent / secant));
    tangent * libm::sqrt(1.0 + sigma * sigma) - sigma * secant
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (longitude, latitude, metres east, metres north).
    const VECTORS: [(f64, f64, f64, f64); 6] = [
        (121.467168475, 31.235433322, 0.00, 0.00),
        (121.2277, 31.0322, -22862.11, -22508.83),
        (121.3200, 31.1370, -14034.86, -10904.62),
        (121.0700, 30.9100, -37966.21, -36014.45),
        (121.9300, 30.9000, 44249.70, -37096.94),
        (121.3970, 31.6230, -6658.51, 42974.26),
    ];

    #[test]
    fn vectors_hold_to_their_last_digit() {
        for (lon, lat, east, north) in VECTORS {
            let got = geodetic_to_plane(lon, lat);
            assert!(
                (got.0 - east).abs() < 0.006 && (got.1 - north).abs() < 0.006,
                "{got:?} for {east} {north}"
            );
            let back = plane_to_geodetic(east, north).unwrap();
            assert!(
                (back.0 - lon).abs() < 1e-7 && (back.1 - lat).abs() < 1e-7,
                "{back:?}"
            );
        }
    }

    #[test]
    fn the_inverse_is_exact_to_a_micron() {
        for lon in [118.5, 120.9, 121.47, 122.3, 124.0] {
            for lat in [28.0, 30.7, 31.2, 32.0, 34.5] {
                let (x, y) = geodetic_to_plane(lon, lat);
                let (back_lon, back_lat) = plane_to_geodetic(x, y).unwrap();
                assert!((back_lon - lon).abs() < 1e-11 && (back_lat - lat).abs() < 1e-11);
            }
        }
    }

    #[test]
    fn metres_are_metres_near_the_origin() {
        // 0.01° north along the central meridian: 1108.68 m on the ellipsoid at 31.24°, in the plane's scale
        let south = geodetic_to_plane(CENTRAL_MERIDIAN, 31.23);
        let north = geodetic_to_plane(CENTRAL_MERIDIAN, 31.24);
        assert!(
            (north.1 - south.1 - 1108.70).abs() < 0.05,
            "{}",
            north.1 - south.1
        );
    }
}
