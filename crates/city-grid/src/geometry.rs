//! A geometry to look at, and how it is written as GeoJSON: closed rings, outer ones counter-clockwise (RFC 7946).

use city_model::Position;
use serde_json::{Value, json};

use crate::coverage::outlines;
use crate::ground::Part;
use crate::ring::Ring;

/// A geometry with more points than this is told by its box: it is to look at, and the file must stay readable.
const POINTS_MAX: usize = 4_000;

/// Where something is, in CGCS2000 (equal to WGS-84 within a metre).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Geometry {
    /// It has no place.
    #[default]
    None,
    /// One or more points.
    Points(Vec<Position>),
    /// Polygons of rings, which are not closed: the outer one, counter-clockwise, and its holes, clockwise.
    Polygons(Vec<Vec<Vec<Position>>>),
}

impl Geometry {
    /// A point.
    pub fn point(at: Position) -> Geometry {
        Geometry::Points(vec![at])
    }

    /// Polygons that keep the order of their rings; with too many points, their box.
    pub(crate) fn polygons(polygons: Vec<Vec<Ring>>) -> Geometry {
        let points = || polygons.iter().flatten().flatten();
        if points().count() <= POINTS_MAX {
            return if polygons.is_empty() {
                Geometry::None
            } else {
                Geometry::Polygons(polygons)
            };
        }
        let west = points().map(|p| p.lon_e9).min().unwrap_or(0);
        let east = points().map(|p| p.lon_e9).max().unwrap_or(0);
        let south = points().map(|p| p.lat_e9).min().unwrap_or(0);
        let north = points().map(|p| p.lat_e9).max().unwrap_or(0);
        let corners = [(west, south), (east, south), (east, north), (west, north)];
        let ring = corners.map(|(lon_e9, lat_e9)| Position { lon_e9, lat_e9 });
        Geometry::Polygons(vec![vec![ring.to_vec()]])
    }

    /// The ground of parts, by the even-odd rule where their rings cross.
    pub(crate) fn of_parts<'a>(parts: impl Iterator<Item = Part<'a>>) -> Geometry {
        Geometry::polygons(parts.flat_map(outlines).collect())
    }

    /// As a GeoJSON geometry; null when there is none. Coordinates have the nine decimals of the grid itself: with fewer, a
    /// thin strip would be drawn with another area than it has.
    pub fn to_geojson(&self) -> Value {
        let point = |p: &Position| json!([p.lon(), p.lat()]);
        let ring = |ring: &Vec<Position>| -> Value { ring.iter().chain(ring.first()).map(point).collect() };
        let rings = |rings: &Vec<Vec<Position>>| -> Value { rings.iter().map(ring).collect() };
        match self {
            Geometry::None => Value::Null,
            Geometry::Points(points) => match points.as_slice() {
                [] => Value::Null,
                [one] => json!({ "type": "Point", "coordinates": point(one) }),
                many => {
                    json!({ "type": "MultiPoint", "coordinates": many.iter().map(point).collect::<Value>() })
                }
            },
            Geometry::Polygons(polygons) => match polygons.as_slice() {
                [] => Value::Null,
                [one] => json!({ "type": "Polygon", "coordinates": rings(one) }),
                many => {
                    json!({ "type": "MultiPolygon", "coordinates": many.iter().map(rings).collect::<Value>() })
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::tests::ground;

    fn ring(points: &[(i64, i64)]) -> Ring {
        let at = |&(x, y): &(i64, i64)| Position {
            lon_e9: x * 1_000_000_000,
            lat_e9: y * 1_000_000_000,
        };
        points.iter().map(at).collect()
    }

    #[test]
    fn rings_are_closed_and_their_ground_is_on_the_left() {
        let clockwise = ring(&[(0, 0), (0, 9), (9, 9), (9, 0)]);
        let hole = ring(&[(1, 1), (2, 1), (2, 2)]);
        let part = ground(vec![clockwise.clone(), hole]);
        let told = Geometry::of_parts([part.part(0)].into_iter()).to_geojson();
        assert_eq!(told["type"], "Polygon");
        let rings = told["coordinates"].as_array().unwrap();
        assert_eq!(rings.len(), 2, "{told}");
        for (ring, sign) in rings.iter().zip([1.0, -1.0]) {
            let ring = ring.as_array().unwrap();
            assert_eq!(ring.first(), ring.last());
            let area: f64 = ring
                .windows(2)
                .map(|pair| {
                    let at = |n: usize, axis: usize| pair[n][axis].as_f64().unwrap();
                    at(0, 0) * at(1, 1) - at(1, 0) * at(0, 1)
                })
                .sum();
            assert!(area * sign > 0.0, "{told}");
        }
        let plain = ground(vec![clockwise]);
        let plain = Geometry::of_parts([plain.part(0)].into_iter());
        assert_eq!(
            plain.to_geojson()["coordinates"].to_string(),
            "[[[9.0,0.0],[9.0,9.0],[0.0,9.0],[0.0,0.0],[9.0,0.0]]]"
        );
    }

    #[test]
    fn coordinates_keep_the_last_nano_degree() {
        let at = |lon_e9, lat_e9| Position { lon_e9, lat_e9 };
        for p in [
            at(121_199_999_999, 31_000_000_001),
            at(-123_456_789, 89_999_999_999),
        ] {
            let told = Geometry::point(p).to_geojson()["coordinates"].clone();
            let back = Position::from_degrees(told[0].as_f64().unwrap(), told[1].as_f64().unwrap());
            assert_eq!(back, Some(p), "{told}");
        }
        let told = Geometry::point(at(121_199_999_999, 31_000_000_001)).to_geojson();
        assert_eq!(told["coordinates"].to_string(), "[121.199999999,31.000000001]");
    }

    #[test]
    fn a_figure_of_eight_becomes_two_polygons() {
        let eight = ground(vec![ring(&[(0, 0), (10, 10), (10, 0), (0, 10)])]);
        let told = Geometry::of_parts([eight.part(0)].into_iter()).to_geojson();
        assert_eq!(told["type"], "MultiPolygon");
        assert_eq!(told["coordinates"].as_array().unwrap().len(), 2, "{told}");
        assert!(told.to_string().contains("[5.0,5.0]"), "{told}");
    }

    #[test]
    fn a_geometry_with_too_many_points_is_told_by_its_box() {
        let saw: Vec<(i64, i64)> = (0..5_000).map(|n| (n % 80, n / 80)).collect();
        let Geometry::Polygons(polygons) = Geometry::polygons(vec![vec![ring(&saw)]]) else {
            panic!("a polygon stays a polygon");
        };
        assert_eq!(polygons[0][0], ring(&[(0, 0), (79, 0), (79, 62), (0, 62)]));
    }
}
