//! What finding a point's cell costs on layers of growing size, beside an R-tree of boxes with `geo::Contains`, in one run:
//! a table of time, memory and building.
//!
//! Not criterion's: the table wants both programs on the same points in turn, and the memory beside the time.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use city_grid::{Layer, Status, generate};
use city_model::Position;
use geo::{BoundingRect, Contains, LineString, Point, Polygon};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rstar::{AABB, RTree, RTreeObject};

/// Cells of the layers, with 60 edges each.
const SIZES: [usize; 3] = [1_400, 20_000, 200_000];
const POINTS: usize = 200_000;
/// Each program looks at all points so often, in turn; the best round counts, for others share the machine.
const ROUNDS: usize = 7;

/// A cell's polygon under its box, as most programs would index it.
struct Boxed(usize, Polygon);

impl RTreeObject for Boxed {
    type Envelope = AABB<[f64; 2]>;
    fn envelope(&self) -> Self::Envelope {
        let rect = self.1.bounding_rect().unwrap();
        AABB::from_corners([rect.min().x, rect.min().y], [rect.max().x, rect.max().y])
    }
}

fn baseline(layer: &Layer) -> RTree<Boxed> {
    let finest = layer.levels().len() - 1;
    let mut cells = Vec::new();
    for (index, _) in layer.cells(finest) {
        for polygon in layer.polygons(index) {
            let mut rings =
                polygon.map(|ring| ring.iter().map(|p| (p.lon(), p.lat())).collect::<LineString>());
            let outer = rings.next().unwrap();
            cells.push(Boxed(index.get(), Polygon::new(outer, rings.collect())));
        }
    }
    RTree::bulk_load(cells)
}

/// The places of the three kinds of question.
fn points(layer: &Layer) -> [(&'static str, Vec<Position>); 3] {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let [west, south, east, north] = layer.bbox();
    let at = |x: f64, y: f64| Position::from_degrees(x.clamp(west, east), y.clamp(south, north)).unwrap();
    let anywhere =
        |random: &mut ChaCha8Rng| (random.random_range(west..east), random.random_range(south..north));
    let spread = (0..POINTS)
        .map(|_| anywhere(&mut random))
        .map(|(x, y)| at(x, y))
        .collect();
    // sixty crowded places, a few hundred metres wide each
    let centres: Vec<(f64, f64)> = (0..60).map(|_| anywhere(&mut random)).collect();
    let clustered = (0..POINTS)
        .map(|_| {
            let (x, y) = centres[random.random_range(0..centres.len())];
            let mut around = || (0..6).map(|_| random.random_range(-0.001..0.001)).sum::<f64>();
            at(x + around(), y + around())
        })
        .collect();
    // within a metre of an edge, on either side
    let cells: Vec<_> = layer
        .cells(layer.levels().len() - 1)
        .map(|(index, _)| index)
        .collect();
    let beside = (0..POINTS)
        .map(|_| {
            let cell = cells[random.random_range(0..cells.len())];
            let ring: &[Position] = layer.polygons(cell).next().unwrap().next().unwrap();
            let first = random.random_range(0..ring.len());
            let (a, b) = (ring[first], ring[(first + 1) % ring.len()]);
            let share = random.random_range(0.0..1.0);
            let on = |a: i64, b: i64| a + ((b - a) as f64 * share) as i64;
            Position {
                lon_e9: on(a.lon_e9, b.lon_e9) + random.random_range(-10_000..10_000),
                lat_e9: on(a.lat_e9, b.lat_e9) + random.random_range(-9_000..9_000),
            }
        })
        .collect();
    [
        ("random", spread),
        ("clustered", clustered),
        ("beside edges", beside),
    ]
}

fn timed(work: impl FnOnce() -> usize) -> (Duration, usize) {
    let begun = Instant::now();
    let found = black_box(work());
    (begun.elapsed(), found)
}

fn main() {
    // `cargo test --benches` asks for a look that it runs at all
    let is_test = std::env::args().any(|argument| argument == "--test");
    let sizes = if is_test { &SIZES[..1] } else { &SIZES[..] };
    let rounds = if is_test { 1 } else { ROUNDS };
    println!(
        "| cells | edges | points | ours, ns | R-tree + geo, ns | times | built, s | borders, MB | beyond them, MB |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for size in sizes {
        let cells = generate::lattice(*size, 15, 7);
        let begun = Instant::now();
        let layer = cells.into_layer("unit");
        let built = begun.elapsed();
        let bytes = layer.bytes();
        let tree = baseline(&layer);
        for (name, mut points) in points(&layer) {
            // outside, ours looks for a cell to snap to, which the other does not
            points.retain(|p| layer.locate(*p).status == Status::Inside);
            let mut best = [Duration::MAX; 2];
            for _ in 0..rounds {
                let ours = timed(|| {
                    points
                        .iter()
                        .filter(|p| layer.locate(**p).cell().is_some())
                        .count()
                });
                let other = timed(|| {
                    let find = |p: &&Position| {
                        let at = Point::new(p.lon(), p.lat());
                        tree.locate_in_envelope_intersecting(AABB::from_point([at.x(), at.y()]))
                            .find(|cell| cell.1.contains(&at))
                            .map(|cell| cell.0)
                    };
                    points.iter().filter_map(|p| find(&p)).count()
                });
                // a point on a border is in neither cell for the other
                assert!(ours.1 - other.1 <= points.len() / 10_000, "{ours:?} {other:?}");
                best = [best[0].min(ours.0), best[1].min(other.0)];
            }
            let each = best.map(|time| time.as_nanos() as f64 / points.len() as f64);
            let rings = layer
                .cells(0)
                .flat_map(|(cell, _)| layer.polygons(cell).flatten());
            let edges: usize = rings.map(<[Position]>::len).sum();
            let megabytes = |bytes: usize| bytes as f64 / 1e6;
            println!(
                "| {} | {} | {name} | {:.0} | {:.0} | {:.1} | {:.2} | {:.1} | {:.1} |",
                layer.cells(0).count(),
                edges,
                each[0],
                each[1],
                each[1] / each[0],
                built.as_secs_f64(),
                megabytes(bytes.borders),
                megabytes(bytes.trees + bytes.rasters),
            );
        }
    }
}
