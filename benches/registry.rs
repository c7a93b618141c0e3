//! What it costs to find the components of a class around a place, and a component by its id, beside an R-tree for each
//! class and a map of texts, in the same run. The city is as dense as Shanghai: 6,340 km², 60 classes of uneven shares, half of
//! everything on a tenth of the ground.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::collections::HashMap;
use std::hint::black_box;

use city_model::{Plane, Point, Position};
use city_registry::{Components, ComponentsBuilder};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rstar::RTree;
use rstar::primitives::GeomWithData;
use rustc_hash::FxHashMap;

const CLASSES: usize = 60;
/// The side of a square of 6,340 km², and of a tenth of it, in millimetres.
const SIDE_MM: i64 = 79_624_000;
const CENTRE_MM: i64 = 25_180_000;
const ASKED: usize = 4_096;
/// Three sigmas of a satellite fix, and of an address.
const RADII_M: [i64; 2] = [45, 90];

type Tree = RTree<GeomWithData<[f64; 2], u32>>;

struct City {
    plane: Plane,
    components: Components,
    trees: Vec<Tree>,
    by_text: HashMap<String, u32>,
    /// What is asked for: near components, class by share.
    asked: Vec<(String, usize, Position)>,
}

fn class_name(class: usize) -> String {
    format!("{:02}{:03}", class / 12 + 1, class % 12 + 1)
}

impl City {
    /// With the baselines only where there is memory for them: a map of fifteen million texts takes 2 GB.
    fn of(count: usize, with_map: bool) -> City {
        let plane = Plane::at(Position::from_degrees(121.47, 31.23).unwrap());
        let mut random = ChaCha8Rng::seed_from_u64(15);
        let mut builder = ComponentsBuilder::default();
        let mut points: Vec<Vec<GeomWithData<[f64; 2], u32>>> = vec![Vec::new(); CLASSES];
        let mut by_text = HashMap::new();
        let mut asked = Vec::new();
        // The same density for fewer: a smaller city.
        let scale = (count as f64 / 15e6).sqrt();
        for number in 0..count {
            // The n-th class has a share like 1 / n.
            let class = ((CLASSES as f64 + 1.0).powf(random.random_range(0.0..1.0)) - 1.0) as usize;
            let side = if random.random_bool(0.5) {
                CENTRE_MM
            } else {
                SIDE_MM
            };
            let half = (side as f64 * scale / 2.0) as i64;
            let point = Point {
                x: random.random_range(-half..half),
                y: random.random_range(-half..half),
            };
            let place = plane.unproject(point);
            let id = format!("3101{:02}{}{number:06}", number / 1_000_000, class_name(class));
            builder.add(&id, &class_name(class), place, Some(1_000)).unwrap();
            points[class].push(GeomWithData::new([point.x as f64, point.y as f64], number as u32));
            if with_map {
                by_text.insert(id.clone(), number as u32);
            }
            if number % (count / ASKED) == 0 {
                let off = Point {
                    x: point.x + random.random_range(-20_000..20_000),
                    y: point.y + random.random_range(-20_000..20_000),
                };
                asked.push((id, class, plane.unproject(off)));
            }
        }
        City {
            plane,
            components: builder.finish(),
            trees: points.into_iter().map(RTree::bulk_load).collect(),
            by_text,
            asked,
        }
    }
}

fn registry(criterion: &mut Criterion) {
    for (count, name) in [(1_000_000, "1M"), (15_000_000, "15M")] {
        let city = City::of(count, count < 2_000_000);
        let names: Vec<String> = (0..CLASSES).map(class_name).collect();
        let mut group = criterion.benchmark_group(format!("registry/{name}"));
        group.throughput(Throughput::Elements(city.asked.len() as u64));
        for r_m in RADII_M {
            group.bench_function(BenchmarkId::new("near", r_m), |bench| {
                bench.iter(|| {
                    let found = city.asked.iter().map(|(_, class, place)| {
                        city.components.near(&names[*class], *place, r_m * 1_000).len()
                    });
                    found.sum::<usize>()
                });
            });
            group.bench_function(BenchmarkId::new("only_near", r_m), |bench| {
                bench.iter(|| {
                    for (_, class, place) in &city.asked {
                        let classes = [names[*class].as_str()];
                        black_box(city.components.only_near(classes, *place, r_m * 1_000));
                    }
                });
            });
            group.bench_function(BenchmarkId::new("rstar a class, sorted", r_m), |bench| {
                let by_name: FxHashMap<&str, &Tree> =
                    names.iter().map(String::as_str).zip(&city.trees).collect();
                bench.iter(|| {
                    let found = city.asked.iter().map(|(_, class, place)| {
                        let at = city.plane.project(*place);
                        let at = [at.x as f64, at.y as f64];
                        let reach = (r_m * 1_000) as f64;
                        let tree = by_name[names[*class].as_str()];
                        let mut near: Vec<(i64, u32)> = tree
                            .locate_within_distance(at, reach * reach)
                            .map(|found| {
                                let [x, y] = *found.geom();
                                let (dx, dy) = (x - at[0], y - at[1]);
                                ((dx * dx + dy * dy).sqrt() as i64, found.data)
                            })
                            .collect();
                        near.sort_unstable();
                        near.len()
                    });
                    found.sum::<usize>()
                });
            });
        }
        group.bench_function("by id", |bench| {
            bench.iter(|| {
                let found = city.asked.iter().filter_map(|(id, _, _)| city.components.get(id));
                found.count()
            });
        });
        if !city.by_text.is_empty() {
            group.bench_function("by id, HashMap<String, u32>", |bench| {
                bench.iter(|| {
                    let found = city.asked.iter().filter_map(|(id, _, _)| city.by_text.get(id));
                    found.count()
                });
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = registry
}
criterion_main!(benches);
