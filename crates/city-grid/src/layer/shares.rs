//! How likely a place that is only known to so many metres lies in each cell around it.

use std::sync::LazyLock;

use city_model::{Plane, Point, Position};

use super::{CellIndex, Layer};

/// How likely the true place lies in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The cell, of the finest level.
    pub cell: CellIndex,
    /// In thousandths.
    pub thousandths: u16,
}

/// Places that stand for a normal distribution around a point: a share is a whole number of them.
const PLACES: usize = 64;
/// Millionths of one sigma, east and north.
type Offset = (i64, i64);

/// On a spiral of the golden angle, with radii that give each place the same share of the distribution. Of them 1 in 64 lies
/// beyond 2.9 sigma.
static OFFSETS: LazyLock<[Offset; PLACES]> = LazyLock::new(|| {
    const GOLDEN_ANGLE: f64 = 2.399_963_229_728_653;
    std::array::from_fn(|at| {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - (at as f64 + 0.5) / PLACES as f64));
        let angle = at as f64 * GOLDEN_ANGLE;
        let millionths = |x: f64| libm::rint(radius * x * 1e6) as i64;
        (millionths(libm::cos(angle)), millionths(libm::sin(angle)))
    })
});

impl Layer {
    /// The finest cells in which a place may lie that is known to one sigma of `u_mm` in each direction, the likeliest first, ties
    /// by code. What is missing from a thousand lies outside all cells. Beyond 5 km nothing is known: that counts as 5 km.
    pub fn shares(&self, position: Position, u_mm: i64) -> Vec<Share> {
        const U_MAX_MM: i64 = 5_000_000;
        let Some(level) = self.levels.last() else {
            return Vec::new();
        };
        let u_mm = u_mm.clamp(0, U_MAX_MM);
        let plane = Plane::at(position);
        let mut cells: Vec<CellIndex> = OFFSETS
            .iter()
            .filter_map(|(east, north)| {
                let point = Point {
                    x: east * u_mm / 1_000_000,
                    y: north * u_mm / 1_000_000,
                };
                self.hit(level, plane.unproject(point))
            })
            .collect();
        cells.sort_unstable();
        let mut shares: Vec<Share> = cells
            .chunk_by(|a, b| a == b)
            .map(|places| Share {
                cell: places[0],
                thousandths: ((places.len() * 1_000 + PLACES / 2) / PLACES) as u16,
            })
            .collect();
        shares.sort_by_key(|share| (std::cmp::Reverse(share.thousandths), share.cell));
        shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::lattice;

    #[test]
    fn the_places_are_a_normal_distribution() {
        let n = PLACES as f64;
        let mean = |of: fn(&Offset) -> f64| OFFSETS.iter().map(of).sum::<f64>() / n;
        let east: fn(&Offset) -> f64 = |o| o.0 as f64 / 1e6;
        let north: fn(&Offset) -> f64 = |o| o.1 as f64 / 1e6;
        assert!(mean(east).abs() < 0.03 && mean(north).abs() < 0.03);
        for variance in [
            mean(|o| (o.0 as f64 / 1e6).powi(2)),
            mean(|o| (o.1 as f64 / 1e6).powi(2)),
        ] {
            assert!((0.93..1.05).contains(&variance), "{variance}");
        }
        // Φ(1.6) = 0.945: a straight border 1.6 sigma away has 5 % beyond it
        for (side, sign) in [(east, 1.0), (north, 1.0), (east, -1.0), (north, -1.0)] {
            let beyond = |sigmas: f64| OFFSETS.iter().filter(|o| sign * side(o) > sigmas).count();
            assert!((2..=5).contains(&beyond(1.6)), "{}", beyond(1.6));
            assert!((31..=33).contains(&beyond(0.0)), "{}", beyond(0.0));
        }
    }

    #[test]
    fn shares_add_up_and_know_the_border() {
        let layer = lattice(400, 15, 2).into_layer("unit");
        let (cell, _) = layer.cells(0).nth(205).unwrap();
        let inner = layer.inner_point(cell).unwrap();
        assert_eq!(
            layer.shares(inner, 1_000),
            [Share {
                cell,
                thousandths: 1_000
            }]
        );
        let vague = layer.shares(inner, 60_000); // the cells are 100 m wide
        assert!(vague.len() > 4 && vague[0].cell == cell, "{vague:?}");
        let total: u32 = vague.iter().map(|share| u32::from(share.thousandths)).sum();
        assert!((990..=1_010).contains(&total), "{total}");
        // in the middle of a side two cells share a place alike
        let ring: Vec<Position> = layer.polygons(cell).flatten().next().unwrap().to_vec();
        let shares = layer.shares(ring[7], 5_000);
        assert_eq!(shares.len(), 2, "{shares:?}");
        assert!((400..=600).contains(&shares[0].thousandths), "{shares:?}");
        // outside everything a part of the thousand is missing
        let [west, south, ..] = layer.bbox();
        let corner = Position::from_degrees(west, south).unwrap();
        let outside: u32 = layer
            .shares(corner, 30_000)
            .iter()
            .map(|share| u32::from(share.thousandths))
            .sum();
        assert!(outside < 700, "{outside}");
    }
}
