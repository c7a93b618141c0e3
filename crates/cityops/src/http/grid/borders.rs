//! Borders as GeoJSON, their corners moved to the crossings of a lattice.

use city_grid::Layer;
use city_model::Position;
use serde_json::json;

/// A degree of latitude, and of longitude at the equator.
const METRES_PER_DEGREE: f64 = 111_320.0;

/// The cells of a level with what the map offers besides, or `None` when they take more room than there is.
pub(super) fn geojson(
    layer: &Layer,
    level: usize,
    step_m: f64,
    layers: &[&str],
    bytes_max: usize,
) -> Option<String> {
    let lattice = Lattice::new(layer.bbox(), step_m);
    let levels: Vec<&str> = layer.levels().map(|level| &**level).collect();
    let head = json!({
        "layer": layer.name(), "level": levels.get(level), "version": layer.version(), "step_m": step_m,
        "layers": layers, "levels": levels, "bbox": layer.bbox(),
    });
    let head = head.to_string();
    // RFC 7946, 6.1: other members may stand beside those of a collection.
    let mut text = format!(
        "{{\"type\":\"FeatureCollection\",{},\"features\":[",
        &head[1..head.len() - 1]
    );
    let mut rings = String::new();
    let mut is_first = true;
    for (index, cell) in layer.cells(level) {
        rings.clear();
        for polygon in layer.polygons(index) {
            let before = rings.len();
            for ring in polygon {
                let corners = lattice.ring(ring);
                if corners.len() < 3 {
                    // Smaller than the lattice shows. A hole goes by itself, an outer ring with its holes.
                    if rings.len() == before {
                        break;
                    }
                    continue;
                }
                rings.push_str(if rings.len() == before {
                    if before == 0 { "[[" } else { ",[[" }
                } else {
                    ",["
                });
                for corner in corners.iter().chain(corners.first()) {
                    rings.push_str(&format!("[{:.6},{:.6}],", corner.lon(), corner.lat()));
                }
                rings.pop();
                rings.push(']');
            }
            if rings.len() > before {
                rings.push(']');
            }
        }
        let parent = cell.parent.map(|parent| &layer.cell(parent).code);
        let properties = json!({"code": cell.code, "name": cell.name, "unit": cell.unit, "parent": parent});
        let comma = if is_first { "" } else { "," };
        is_first = false;
        let geometry = if rings.is_empty() {
            "null".to_owned()
        } else {
            format!("{{\"type\":\"MultiPolygon\",\"coordinates\":[{rings}]}}")
        };
        text.push_str(&format!(
            "{comma}{{\"type\":\"Feature\",\"properties\":{properties},\"geometry\":{geometry}}}"
        ));
        if text.len() > bytes_max {
            return None;
        }
    }
    text.push_str("]}");
    Some(text)
}

/// Crossings to which corners move.
struct Lattice {
    lon_e9: i64,
    lat_e9: i64,
}

impl Lattice {
    /// A lattice of so many metres in the middle of a box; 0 leaves corners where they are.
    fn new([_, south, _, north]: [f64; 4], step_m: f64) -> Lattice {
        let lat = step_m / METRES_PER_DEGREE * 1e9;
        // Nothing is decided by it, so the platform's own cosine will do; at a pole it is as good as nothing.
        let narrow = ((south + north) / 2.0).to_radians().cos().max(0.01);
        Lattice {
            lon_e9: ((lat / narrow) as i64).max(1),
            lat_e9: (lat as i64).max(1),
        }
    }

    fn moved(&self, corner: Position) -> Position {
        let to = |value: i64, step: i64| (value + step / 2).div_euclid(step) * step;
        Position {
            lon_e9: to(corner.lon_e9, self.lon_e9),
            lat_e9: to(corner.lat_e9, self.lat_e9),
        }
    }

    /// A ring without the corners that coincide, or lie on a straight line, afterwards.
    fn ring(&self, ring: &[Position]) -> Vec<Position> {
        let mut corners: Vec<Position> = Vec::with_capacity(ring.len());
        for corner in ring.iter().map(|corner| self.moved(*corner)) {
            while corners.last().is_some_and(|last| *last == corner) {
                corners.pop();
            }
            if let [.., a, b] = corners[..]
                && is_straight(a, b, corner)
            {
                corners.pop();
            }
            corners.push(corner);
        }
        while corners.len() > 1 && corners.first() == corners.last() {
            corners.pop();
        }
        corners
    }
}

/// Whether a middle corner lies on the way between two others.
fn is_straight(a: Position, b: Position, c: Position) -> bool {
    let wide = |to: i64, from: i64| i128::from(to) - i128::from(from);
    let across = wide(b.lon_e9, a.lon_e9) * wide(c.lat_e9, b.lat_e9)
        - wide(b.lat_e9, a.lat_e9) * wide(c.lon_e9, b.lon_e9);
    let along = wide(b.lon_e9, a.lon_e9) * wide(c.lon_e9, b.lon_e9)
        + wide(b.lat_e9, a.lat_e9) * wide(c.lat_e9, b.lat_e9);
    across == 0 && along >= 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lon_e9: i64, lat_e9: i64) -> Position {
        Position { lon_e9, lat_e9 }
    }

    #[test]
    fn corners_that_the_lattice_does_not_tell_apart_are_one() {
        let lattice = Lattice {
            lon_e9: 10,
            lat_e9: 10,
        };
        let ring = [
            at(1, 1),
            at(3, -2),
            at(48, 1),
            at(101, 3),
            at(99, 98),
            at(2, 103),
            at(4, 4),
        ];
        assert_eq!(
            lattice.ring(&ring),
            [at(0, 0), at(100, 0), at(100, 100), at(0, 100)]
        );
        assert!(lattice.ring(&[at(1, 1), at(2, 2), at(3, 1)]).len() < 3);
        let as_loaded = Lattice::new([0.0, 30.0, 1.0, 31.0], 0.0);
        assert_eq!(as_loaded.ring(&ring[..3]), &ring[..3]);
    }
}
