//! Which incidents of a kind may lie within reach of a point: a hash grid per kind.
//!
//! One entry an incident, at its fused position; a bucket's side is the kind's cap, so nine buckets hold every candidate.

use city_model::{IncidentId, Point};
use city_rules::KindId;
use rustc_hash::FxHashMap;

/// The index. It is looked up, never iterated.
#[derive(Debug, Default)]
pub struct Neighbours {
    buckets: FxHashMap<(KindId, i64, i64), Vec<(Point, IncidentId)>>,
}

impl Neighbours {
    /// Enters an incident of `kind` at `point`.
    pub fn insert(&mut self, kind: KindId, side_mm: i64, point: Point, id: IncidentId) {
        self.buckets
            .entry(bucket(kind, side_mm, point))
            .or_default()
            .push((point, id));
    }

    /// Takes it out again.
    pub fn remove(&mut self, kind: KindId, side_mm: i64, point: Point, id: &IncidentId) {
        let key = bucket(kind, side_mm, point);
        if let Some(entries) = self.buckets.get_mut(&key) {
            if let Some(at) = entries.iter().position(|(_, entry)| entry == id) {
                entries.swap_remove(at);
            }
            if entries.is_empty() {
                self.buckets.remove(&key);
            }
        }
    }

    /// Calls `visit` with every incident of `kind` within `side_mm` of `point`, in no order.
    pub fn near(&self, kind: KindId, side_mm: i64, point: Point, mut visit: impl FnMut(&IncidentId, i64)) {
        let (_, bx, by) = bucket(kind, side_mm, point);
        for dx in -1..=1 {
            for dy in -1..=1 {
                for (at, id) in self
                    .buckets
                    .get(&(kind, bx + dx, by + dy))
                    .map_or(&[][..], Vec::as_slice)
                {
                    let distance = at.distance_mm(point);
                    if distance <= side_mm {
                        visit(id, distance);
                    }
                }
            }
        }
    }

    /// Calls `visit` with every incident of `kind` within `reach_mm` of `point` along both axes, in no order.
    pub fn within(
        &self,
        kind: KindId,
        side_mm: i64,
        point: Point,
        reach_mm: i64,
        mut visit: impl FnMut(&IncidentId),
    ) {
        let (_, west, south) = bucket(
            kind,
            side_mm,
            Point {
                x: point.x - reach_mm,
                y: point.y - reach_mm,
            },
        );
        let (_, east, north) = bucket(
            kind,
            side_mm,
            Point {
                x: point.x + reach_mm,
                y: point.y + reach_mm,
            },
        );
        for bx in west..=east {
            for by in south..=north {
                for (_, id) in self.buckets.get(&(kind, bx, by)).into_iter().flatten() {
                    visit(id);
                }
            }
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.buckets.clear();
    }
}

fn bucket(kind: KindId, side_mm: i64, point: Point) -> (KindId, i64, i64) {
    let side = side_mm.max(1);
    (kind, point.x.div_euclid(side), point.y.div_euclid(side))
}

#[cfg(test)]
mod tests {
    use super::*;
    use city_rules::Rules;

    #[test]
    fn finds_what_is_near_across_bucket_borders() {
        let rules = Rules::builtin();
        let kind = rules.kind_id("tree_fallen").unwrap();
        let mut index = Neighbours::default();
        let at = |x, y| Point { x, y };
        index.insert(kind, 1_000, at(-1, 0), IncidentId::new("west"));
        index.insert(kind, 1_000, at(999, 999), IncidentId::new("east"));
        index.insert(kind, 1_000, at(2_500, 0), IncidentId::new("far"));
        let found = |index: &Neighbours| {
            let mut found = Vec::new();
            index.near(kind, 1_000, at(0, 0), |id, distance| {
                found.push((distance, id.to_string()))
            });
            found.sort();
            found
        };
        assert_eq!(
            found(&index),
            [(1, "west".to_owned())],
            "1 412 mm is farther than the side"
        );
        index.remove(kind, 1_000, at(-1, 0), &IncidentId::new("west"));
        assert!(found(&index).is_empty());
    }
}
