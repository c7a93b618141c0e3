//! The index of neighbours alone: all incidents of a kind within its cap of a place, and an incident that moves, beside an
//! R-tree for each kind that holds the same numbers, in the same run. Kinds have the shares that the rules expect; 33 incidents
//! are open on a square kilometre, half of them within 30 m of another, as callers of one trouble are.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::hint::black_box;

use city_model::Point;
use city_rules::{KindId, Rules};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use incident_engine::Neighbours;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rstar::primitives::GeomWithData;
use rstar::{AABB, RTree};

const PER_KM2: f64 = 33.0;
const ASKED: usize = 2_048;

type Entry = GeomWithData<[i64; 2], u32>;

struct Open {
    kind: KindId,
    side_mm: i64,
    point: Point,
    number: u32,
}

fn city(count: usize) -> Vec<Open> {
    let rules = Rules::builtin();
    let shares: Vec<(KindId, i64, u32)> = rules
        .kinds()
        .map(|(kind, rule)| (kind, rule.cap_mm, rules.group_weight(rules.group(kind))))
        .collect();
    let whole: u32 = shares.iter().map(|(.., weight)| weight).sum();
    let side = ((count as f64 / PER_KM2).sqrt() * 1e6) as i64;
    let mut random = ChaCha8Rng::seed_from_u64(6);
    let mut all: Vec<Open> = Vec::with_capacity(count);
    for number in 0..count {
        let mut at = random.random_range(0..whole);
        let drawn = shares.iter().find(|(.., weight)| {
            let is_it = at < *weight;
            at = at.saturating_sub(*weight);
            is_it
        });
        let (kind, side_mm, _) = *drawn.unwrap_or(&shares[0]);
        let (kind, side_mm, point) = match all.last() {
            Some(last) if random.random_bool(0.5) => {
                let mut near = |at: i64| at + random.random_range(-30_000..30_000);
                let point = Point {
                    x: near(last.point.x),
                    y: near(last.point.y),
                };
                (last.kind, last.side_mm, point)
            }
            _ => {
                let x = random.random_range(0..side);
                let y = random.random_range(0..side);
                (kind, side_mm, Point { x, y })
            }
        };
        all.push(Open {
            kind,
            side_mm,
            point,
            number: u32::try_from(number).unwrap(),
        });
    }
    all
}

fn entry(open: &Open) -> Entry {
    GeomWithData::new([open.point.x, open.point.y], open.number)
}

/// What both answer: the numbers of the incidents and where they lie. Neither takes a root.
fn from_tree(tree: &RTree<Entry>, at: Point, side_mm: i64, mut visit: impl FnMut(u32, Point)) {
    let around = AABB::from_corners([at.x - side_mm, at.y - side_mm], [at.x + side_mm, at.y + side_mm]);
    let beyond = (side_mm + 1) * (side_mm + 1);
    for entry in tree.locate_in_envelope(around) {
        let [x, y] = *entry.geom();
        let (dx, dy) = (x - at.x, y - at.y);
        if dx * dx + dy * dy < beyond {
            visit(entry.data, Point { x, y });
        }
    }
}

fn neighbours(criterion: &mut Criterion) {
    for count in [10_000, 100_000, 1_000_000] {
        let all = city(count);
        let kinds = Rules::builtin().kinds().len();
        let mut trees: Vec<Vec<Entry>> = vec![Vec::new(); kinds];
        let mut index = Neighbours::default();
        for open in &all {
            index.insert(open.kind, open.side_mm, (open.point, 0), open.number);
            trees[open.kind.index()].push(entry(open));
        }
        let mut trees: Vec<RTree<Entry>> = trees.into_iter().map(RTree::bulk_load).collect();
        let step = count / ASKED;
        let asked: Vec<&Open> = all.iter().step_by(step).take(ASKED).collect();
        for open in &asked {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            index.near(open.kind, open.side_mm, open.point, |number, at| {
                ours.push((number, at))
            });
            from_tree(
                &trees[open.kind.index()],
                open.point,
                open.side_mm,
                |number, at| theirs.push((number, at)),
            );
            ours.sort_unstable();
            theirs.sort_unstable();
            assert_eq!(ours, theirs);
        }

        let mut group = criterion.benchmark_group("neighbours");
        group.throughput(Throughput::Elements(asked.len() as u64));
        group.bench_function(BenchmarkId::new("near, grid", count), |bench| {
            bench.iter(|| {
                let mut sum = 0;
                for open in &asked {
                    index.near(open.kind, open.side_mm, open.point, |number, at| {
                        sum += at.x + i64::from(black_box(number));
                    });
                }
                sum
            });
        });
        group.bench_function(BenchmarkId::new("near, R-tree a kind", count), |bench| {
            bench.iter(|| {
                let mut sum = 0;
                for open in &asked {
                    let tree = &trees[open.kind.index()];
                    from_tree(tree, open.point, open.side_mm, |number, at| {
                        sum += at.x + i64::from(black_box(number));
                    });
                }
                sum
            });
        });
        // Each goes a metre east and comes back.
        let moved = |open: &Open, by: i64| Point {
            x: open.point.x + by,
            y: open.point.y,
        };
        group.bench_function(BenchmarkId::new("move, grid", count), |bench| {
            bench.iter(|| {
                for (from, to) in [(0, 1_000), (1_000, 0)] {
                    for open in &asked {
                        let way = (moved(open, from), moved(open, to), 0);
                        index.shift(open.kind, open.side_mm, way, open.number);
                    }
                }
            });
        });
        group.bench_function(BenchmarkId::new("move, R-tree a kind", count), |bench| {
            bench.iter(|| {
                for (from, to) in [(0, 1_000), (1_000, 0)] {
                    for open in &asked {
                        let tree = &mut trees[open.kind.index()];
                        let at = |by: i64| GeomWithData::new([open.point.x + by, open.point.y], open.number);
                        assert!(tree.remove(&at(from)).is_some());
                        tree.insert(at(to));
                    }
                }
            });
        });
        group.finish();
    }
}

criterion_group!(benches, neighbours);
criterion_main!(benches);
