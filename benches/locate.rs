//! What finding a point's cell costs, beside an R-tree of boxes with `geo::Contains`, in the same run.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::hint::black_box;

use city_grid::Layer;
use city_model::Position;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use geo::{BoundingRect, Contains, LineString, Point, Polygon};
use rand::{RngExt, SeedableRng};
use rstar::{AABB, RTree, RTreeObject};

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
    for (at, (index, _)) in layer.cells(finest).enumerate() {
        for polygon in layer.polygons(index) {
            let mut rings = polygon
                .iter()
                .map(|ring| ring.iter().map(|p| (p.lon(), p.lat())).collect::<LineString>());
            let outer = rings.next().unwrap();
            cells.push(Boxed(at, Polygon::new(outer, rings.collect())));
        }
    }
    RTree::bulk_load(cells)
}

fn points(layer: &Layer) -> Vec<Position> {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(11);
    let [west, south, east, north] = layer.bbox();
    (0..4_096)
        .map(|_| {
            let (x, y) = (random.random_range(west..east), random.random_range(south..north));
            Position::from_degrees(x, y).unwrap()
        })
        .collect()
}

fn locate(criterion: &mut Criterion) {
    let layer = city_grid::builtin();
    let tree = baseline(&layer);
    let points = points(&layer);
    let mut group = criterion.benchmark_group("locate/1322 cells");
    group.throughput(Throughput::Elements(points.len() as u64));
    group.bench_function("city-grid", |bench| {
        bench.iter(|| {
            points
                .iter()
                .filter(|point| layer.locate(**point).cell().is_some())
                .count()
        });
    });
    group.bench_function("rstar + geo::Contains", |bench| {
        bench.iter(|| {
            let found = points.iter().filter_map(|point| {
                let at = Point::new(point.lon(), point.lat());
                let here = AABB::from_point([at.x(), at.y()]);
                tree.locate_in_envelope_intersecting(here)
                    .find(|cell| cell.1.contains(&at))
                    .map(|cell| cell.0)
            });
            black_box(found.count())
        });
    });
    group.finish();
}

criterion_group!(benches, locate);
criterion_main!(benches);
