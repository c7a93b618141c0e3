//! Every point has exactly one cell, whoever asks: millions of points on vertices and edges and beside them, against
//! another method, the position of a point by robust predicates in `geo`.
//!
//! `CITYOPS_TEST_GRID=cityops.toml` tries the first layer of that configuration as well, with real polygons.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use city_grid::generate::{GridSpec, generate, lattice};
use city_grid::{CellIndex, Layer, Status};
use city_model::Position;
use cityops::assemble;
use cityops::config::Loaded;
use geo::coordinate_position::{CoordPos, CoordinatePosition};
use geo::{BoundingRect, Coord, LineString, Polygon};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rstar::{AABB, RTree, RTreeObject};

/// A ring in whole nano-degrees, which a float holds exactly.
struct Ring {
    cell: usize,
    polygon: usize,
    ring: Polygon,
}

impl RTreeObject for Ring {
    type Envelope = AABB<[f64; 2]>;
    fn envelope(&self) -> Self::Envelope {
        let rect = self.ring.bounding_rect().unwrap();
        AABB::from_corners([rect.min().x, rect.min().y], [rect.max().x, rect.max().y])
    }
}

fn coord(p: Position) -> Coord {
    Coord {
        x: p.lon_e9 as f64,
        y: p.lat_e9 as f64,
    }
}

/// The other method.
struct Other(RTree<Ring>);

impl Other {
    fn new(layer: &Layer, level: usize) -> Other {
        let mut rings = Vec::new();
        for (index, _) in layer.cells(level) {
            for (polygon, of_polygon) in layer.polygons(index).enumerate() {
                for ring in of_polygon {
                    let line: LineString = ring.iter().map(|p| coord(*p)).collect();
                    rings.push(Ring {
                        cell: index.get(),
                        polygon,
                        ring: Polygon::new(line, Vec::new()),
                    });
                }
            }
        }
        Other(RTree::bulk_load(rings))
    }

    /// The first cell that holds the point: on a ring, or in an odd number of the rings of one of its polygons. Rings that do
    /// not cross themselves only.
    fn cell(&self, p: Position) -> Option<usize> {
        let at = coord(p);
        let mut odd: Vec<(usize, usize)> = Vec::new();
        let mut on: Option<usize> = None;
        for ring in self
            .0
            .locate_in_envelope_intersecting(AABB::from_point([at.x, at.y]))
        {
            let polygon = (ring.cell, ring.polygon);
            match ring.ring.coordinate_position(&at) {
                CoordPos::Outside => {}
                CoordPos::OnBoundary => on = Some(on.map_or(ring.cell, |cell| cell.min(ring.cell))),
                CoordPos::Inside => match odd.iter().position(|other| *other == polygon) {
                    Some(twice) => drop(odd.swap_remove(twice)),
                    None => odd.push(polygon),
                },
            }
        }
        odd.iter().map(|(cell, _)| *cell).chain(on).min()
    }
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 {
        a.abs()
    } else {
        greatest_common_divisor(b, a % b)
    }
}

/// Points on vertices, exactly on edges where whole numbers allow, beside both, and anywhere.
fn tries(layer: &Layer, level: usize, count: usize, seed: u64) -> impl Iterator<Item = Position> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let edges: Vec<(Position, Position)> = layer
        .cells(level)
        .flat_map(|(index, _)| layer.polygons(index).flatten())
        .flat_map(|ring| ring.iter().zip(ring.iter().cycle().skip(1)))
        .map(|(a, b)| (*a, *b))
        .collect();
    let [west, south, east, north] = layer.bbox();
    (0..count).map(move |at| {
        let (a, b) = edges[random.random_range(0..edges.len())];
        let (x, y) = (b.lon_e9 - a.lon_e9, b.lat_e9 - a.lat_e9);
        let mut p = match at % 4 {
            0 => a,
            1 => {
                // the whole points of an edge lie its divisor apart
                let pieces = greatest_common_divisor(x, y).max(1);
                let piece = random.random_range(0..=pieces);
                Position {
                    lon_e9: a.lon_e9 + x / pieces * piece,
                    lat_e9: a.lat_e9 + y / pieces * piece,
                }
            }
            2 => {
                let share = random.random_range(0.0..1.0);
                Position {
                    lon_e9: a.lon_e9 + (x as f64 * share) as i64,
                    lat_e9: a.lat_e9 + (y as f64 * share) as i64,
                }
            }
            _ => Position::from_degrees(random.random_range(west..east), random.random_range(south..north))
                .unwrap(),
        };
        if at % 8 >= 4 {
            p.lon_e9 += random.random_range(-2..=2);
            p.lat_e9 += random.random_range(-2..=2);
        }
        p
    })
}

fn agree(layer: Layer, level: usize, count: usize, seed: u64) {
    let other = Other::new(&layer, level);
    let mut inside = 0;
    for p in tries(&layer, level, count, seed) {
        let located = layer.locate(p);
        // what is snapped is in no cell, and of another level is in none of this one
        let ours = Some(located).filter(|located| located.status == Status::Inside);
        let ours = ours.and_then(|located| located.cell());
        let ours = ours.filter(|cell| layer.path(*cell).len() == level + 1);
        assert_eq!(
            ours.map(CellIndex::get),
            other.cell(p),
            "{p:?} in {}, seed {seed}",
            layer.name()
        );
        inside += usize::from(located.status == Status::Inside);
    }
    println!("{}: {count} points agree, {inside} inside", layer.name());
    assert!(inside > count / 2);
}

#[test]
fn millions_of_points_on_borders_have_the_cell_of_another_exact_method() {
    agree(
        generate(&GridSpec::default(), 5).into_layer("duty"),
        3,
        1_500_000,
        1,
    );
    agree(lattice(1_000, 15, 5).into_layer("unit"), 0, 800_000, 2);
}

#[test]
fn a_grid_of_yours_agrees_as_well() {
    let Ok(config) = std::env::var("CITYOPS_TEST_GRID") else {
        println!("CITYOPS_TEST_GRID names no configuration: the built-in grid is tried");
        agree(city_grid::builtin(), 3, 10_000, 3);
        return;
    };
    for (layer, findings) in assemble::layers(&Loaded::read(Path::new(&config)).unwrap()).unwrap() {
        println!("{}: {} findings", layer.name(), findings.len());
        agree(layer.clone(), layer.levels().len() - 1, 2_000_000, 4);
    }
}
