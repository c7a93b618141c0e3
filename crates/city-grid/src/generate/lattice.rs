//! A flat layer of any number of cells, for measuring: a bent lattice whose borders have as many points as real ones.

use city_model::{Name, Position};

use super::dice::Dice;
use super::draft;
use crate::layer::{Draft, Layer};
use crate::ring::Ring;

/// A cell is about 100 m by 100 m at Shanghai's latitude, the size that unit cells (万米单元网格) are named for.
const SIDE: (i64, i64) = (1_048_000, 902_000);
const SOUTH_WEST: Position = Position {
    lon_e9: 121_000_000_000,
    lat_e9: 30_700_000_000,
};

/// Points of the lattice, and those between them along each side.
struct Lattice {
    columns: usize,
    pieces: usize,
    corners: Vec<Position>,
    /// For each corner, the points on the way east and on the way north.
    sides: Vec<[Vec<Position>; 2]>,
}

/// A flat layer before it is one.
#[derive(Debug, Clone)]
pub struct GeneratedCells(Vec<Draft>);

impl GeneratedCells {
    /// The layer, with its one level `cell`.
    pub fn into_layer(self, name: &str) -> Layer {
        Layer::assemble(name, vec![(Name::from("cell"), self.0)])
    }
}

/// A seamless flat layer of at least `cells` cells (a whole number of rows) with `4 * pieces` edges each. The same seed gives
/// the same layer on every machine.
pub fn lattice(cells: usize, pieces: usize, seed: u64) -> GeneratedCells {
    let columns = (cells.max(1) as f64).sqrt().ceil() as usize;
    let rows = cells.max(1).div_ceil(columns);
    let lattice = Lattice::new(columns, rows, pieces.max(1), &mut Dice::new(seed));
    let drafts = (0..rows * columns).map(|at| {
        let (column, row) = (at % columns, at / columns);
        let code = format!("310117{:09}", at + 1);
        let mut draft = draft(&code, &format!("第{}单元网格", at + 1), None);
        draft.polygons = vec![vec![lattice.ring(column, row)]];
        draft
    });
    GeneratedCells(drafts.collect())
}

impl Lattice {
    fn new(columns: usize, rows: usize, pieces: usize, dice: &mut Dice) -> Lattice {
        let mut corners = Vec::with_capacity((columns + 1) * (rows + 1));
        for row in 0..=rows as i64 {
            for column in 0..=columns as i64 {
                let mut bend = |side: i64| (side as f64 * dice.between(-0.2, 0.2)) as i64;
                corners.push(Position {
                    lon_e9: SOUTH_WEST.lon_e9 + column * SIDE.0 + bend(SIDE.0),
                    lat_e9: SOUTH_WEST.lat_e9 + row * SIDE.1 + bend(SIDE.1),
                });
            }
        }
        let mut lattice = Lattice {
            columns,
            pieces,
            corners,
            sides: Vec::new(),
        };
        lattice.sides = (0..lattice.corners.len())
            .map(|at| [at + 1, at + columns + 1].map(|to| lattice.side(at, to, dice)))
            .collect();
        lattice
    }

    /// The points between two corners: a street that is not straight.
    fn side(&self, from: usize, to: usize, dice: &mut Dice) -> Vec<Position> {
        let (Some(a), Some(b)) = (self.corners.get(from), self.corners.get(to)) else {
            return Vec::new();
        };
        let (across, up) = (b.lon_e9 - a.lon_e9, b.lat_e9 - a.lat_e9);
        let pieces = self.pieces as i64;
        (1..pieces)
            .map(|piece| {
                let aside = dice.between(-0.3, 0.3) / pieces as f64;
                Position {
                    lon_e9: a.lon_e9 + across * piece / pieces - (up as f64 * aside) as i64,
                    lat_e9: a.lat_e9 + up * piece / pieces + (across as f64 * aside) as i64,
                }
            })
            .collect()
    }

    /// Around a cell, counter-clockwise.
    fn ring(&self, column: usize, row: usize) -> Ring {
        let south_west = row * (self.columns + 1) + column;
        let (south_east, north_west) = (south_west + 1, south_west + self.columns + 1);
        let mut ring = Ring::with_capacity(4 * self.pieces);
        ring.push(self.corners[south_west]);
        ring.extend(&self.sides[south_west][0]);
        ring.push(self.corners[south_east]);
        ring.extend(&self.sides[south_east][1]);
        ring.push(self.corners[north_west + 1]);
        ring.extend(self.sides[north_west][0].iter().rev());
        ring.push(self.corners[north_west]);
        ring.extend(self.sides[south_west][1].iter().rev());
        ring
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lattice_is_seamless() {
        let layer_of = |seed: u64| lattice(50, 15, seed).into_layer("unit");
        let layer = layer_of(3);
        assert_eq!(layer.cells(0).count(), 56); // seven rows of eight
        let edges: usize = layer
            .cells(0)
            .map(|(cell, _)| layer.polygons(cell).flatten().map(<[_]>::len).sum::<usize>())
            .sum();
        assert_eq!(edges, 56 * 60);
        assert_eq!(crate::check::check(&layer), []);
        assert_eq!(layer_of(3).version(), layer.version());
        assert_ne!(layer_of(4).version(), layer.version());
    }
}
