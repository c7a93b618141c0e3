//! Which incidents of a kind may lie within reach of a point: a hash grid per kind.
//!
//! One entry an incident, at its fused position: its number and its place side by side. A cell is twice as wide as the kind's cap, so
//! four cells hold every candidate, and mostly three of them are known to be empty without a look at memory of their own.

use city_model::Point;
use city_rules::KindId;
use rustc_hash::FxHashMap;

/// Narrower cells would only be more of them.
const LEAST_SIDE_MM: i64 = 32_768;
/// So many cells either way of the plane's origin have a key of their own; those beyond share the outermost one.
const FARTHEST: i64 = 1 << 23;

/// The index. It is looked up, never iterated.
#[derive(Debug, Default)]
pub struct Neighbours {
    cells: FxHashMap<u64, Cell>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    point: Point,
    number: u32,
}

#[derive(Debug)]
enum Cell {
    One(Entry),
    Many(Vec<Entry>),
}

impl Cell {
    fn entries(&self) -> &[Entry] {
        match self {
            Cell::One(entry) => std::slice::from_ref(entry),
            Cell::Many(entries) => entries,
        }
    }
}

impl Neighbours {
    /// Enters the incident `number` of `kind` at `point`.
    pub fn insert(&mut self, kind: KindId, cap_mm: i64, point: Point, number: u32) {
        let entry = Entry { point, number };
        match self.cells.entry(key_of(kind, side(cap_mm), point)) {
            std::collections::hash_map::Entry::Vacant(vacant) => {
                vacant.insert(Cell::One(entry));
            }
            std::collections::hash_map::Entry::Occupied(mut occupied) => match occupied.get_mut() {
                Cell::One(first) => {
                    let first = *first;
                    occupied.insert(Cell::Many(vec![first, entry]));
                }
                Cell::Many(entries) => entries.push(entry),
            },
        }
    }

    /// Takes it out again.
    pub fn remove(&mut self, kind: KindId, cap_mm: i64, point: Point, number: u32) {
        let key = key_of(kind, side(cap_mm), point);
        let is_empty = match self.cells.get_mut(&key) {
            None => false,
            Some(Cell::One(entry)) => entry.number == number,
            Some(Cell::Many(entries)) => {
                if let Some(at) = entries.iter().position(|entry| entry.number == number) {
                    entries.swap_remove(at);
                }
                entries.is_empty()
            }
        };
        if is_empty {
            self.cells.remove(&key);
        }
    }

    /// Puts an incident that lay at `from` to another place.
    pub fn shift(&mut self, kind: KindId, cap_mm: i64, (from, to): (Point, Point), number: u32) {
        let side = side(cap_mm);
        let key = key_of(kind, side, from);
        if key == key_of(kind, side, to) {
            let entries = match self.cells.get_mut(&key) {
                None => return,
                Some(Cell::One(entry)) => std::slice::from_mut(entry),
                Some(Cell::Many(entries)) => entries,
            };
            if let Some(entry) = entries.iter_mut().find(|entry| entry.number == number) {
                entry.point = to;
            }
        } else {
            self.remove(kind, cap_mm, from, number);
            self.insert(kind, cap_mm, to, number);
        }
    }

    /// Calls `visit` with every incident of `kind` within `cap_mm` of `point`, in no order.
    pub fn near(&self, kind: KindId, cap_mm: i64, point: Point, mut visit: impl FnMut(u32, i64)) {
        self.cells_about(kind, cap_mm, point, cap_mm, |entry| {
            let (dx, dy) = (entry.point.x.abs_diff(point.x), entry.point.y.abs_diff(point.y));
            let cap = cap_mm.unsigned_abs();
            if dx <= cap && dy <= cap {
                let distance = entry.point.distance_mm(point);
                if distance <= cap_mm {
                    visit(entry.number, distance);
                }
            }
        });
    }

    /// Calls `visit` with every incident of `kind` within `reach_mm` of `point` along both axes, and some that lie beyond, in no
    /// order.
    pub fn within(&self, kind: KindId, cap_mm: i64, point: Point, reach_mm: i64, mut visit: impl FnMut(u32)) {
        self.cells_about(kind, cap_mm, point, reach_mm, |entry| visit(entry.number));
    }

    fn cells_about(
        &self,
        kind: KindId,
        cap_mm: i64,
        point: Point,
        reach_mm: i64,
        mut visit: impl FnMut(&Entry),
    ) {
        let side = side(cap_mm);
        let range =
            |at: i64| cell_at(at.saturating_sub(reach_mm), side)..=cell_at(at.saturating_add(reach_mm), side);
        for x in range(point.x) {
            for y in range(point.y) {
                if let Some(cell) = self.cells.get(&key(kind, x, y)) {
                    cell.entries().iter().for_each(&mut visit);
                }
            }
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.cells.clear();
    }
}

fn side(cap_mm: i64) -> i64 {
    cap_mm.saturating_mul(2).max(LEAST_SIDE_MM)
}

fn cell_at(at: i64, side: i64) -> i64 {
    at.div_euclid(side).clamp(-FARTHEST, FARTHEST - 1)
}

fn key_of(kind: KindId, side: i64, point: Point) -> u64 {
    key(kind, cell_at(point.x, side), cell_at(point.y, side))
}

/// Cells lie within `FARTHEST`, so each of the two takes 24 bits.
fn key(kind: KindId, x: i64, y: i64) -> u64 {
    let unsigned = |at: i64| (at + FARTHEST).unsigned_abs();
    u64::from(kind.0) << 48 | unsigned(x) << 24 | unsigned(y)
}

#[cfg(test)]
mod tests {
    use city_rules::Rules;
    use proptest::prelude::*;

    use super::*;

    fn found(index: &Neighbours, kind: KindId, cap_mm: i64, at: Point) -> Vec<(i64, u32)> {
        let mut found = Vec::new();
        index.near(kind, cap_mm, at, |number, distance| {
            found.push((distance, number))
        });
        found.sort_unstable();
        found
    }

    #[test]
    fn finds_what_is_near_across_the_borders_of_cells() {
        let rules = Rules::builtin();
        let kind = rules.kind_id("tree_fallen").unwrap();
        let mut index = Neighbours::default();
        let at = |x, y| Point { x, y };
        index.insert(kind, 1_000, at(-1, 0), 1);
        index.insert(kind, 1_000, at(999, 999), 2);
        index.insert(kind, 1_000, at(2_500, 0), 3);
        assert_eq!(
            found(&index, kind, 1_000, at(0, 0)),
            [(1, 1)],
            "1 412 mm is farther than the cap"
        );
        index.remove(kind, 1_000, at(-1, 0), 1);
        assert!(found(&index, kind, 1_000, at(0, 0)).is_empty());
    }

    proptest! {
        #[test]
        fn finds_what_a_walk_over_all_finds(
            cap_mm in prop_oneof![Just(0i64), 1_000i64..40_000, Just(500_000)],
            steps in prop::collection::vec((any::<bool>(), 0u32..12, -200_000i64..200_000, -200_000i64..200_000), 1..60),
        ) {
            let kind = KindId(3);
            let mut index = Neighbours::default();
            let mut plain: std::collections::BTreeMap<u32, Point> = std::collections::BTreeMap::new();
            for (put, number, x, y) in steps {
                let at = Point { x, y };
                match (plain.get(&number).copied(), put) {
                    (Some(from), true) => index.shift(kind, cap_mm, (from, at), number),
                    (Some(from), false) => index.remove(kind, cap_mm, from, number),
                    (None, _) => index.insert(kind, cap_mm, at, number),
                }
                if put || !plain.contains_key(&number) {
                    plain.insert(number, at);
                } else {
                    plain.remove(&number);
                }
                let walked = plain.iter().map(|(number, own)| (own.distance_mm(at), *number));
                let mut walked: Vec<_> = walked.filter(|(distance, _)| *distance <= cap_mm).collect();
                walked.sort_unstable();
                prop_assert_eq!(found(&index, kind, cap_mm, at), walked);
                prop_assert!(found(&index, KindId(4), cap_mm, at).is_empty());
            }
        }
    }

    #[test]
    fn far_from_the_city_is_found_too() {
        let mut index = Neighbours::default();
        let at = Point {
            x: i64::MAX / 4,
            y: i64::MIN / 4,
        };
        index.insert(KindId(0), 10, at, 7);
        assert_eq!(found(&index, KindId(0), 10, at), [(0, 7)]);
        assert!(
            found(
                &index,
                KindId(0),
                10,
                Point {
                    x: i64::MAX / 2,
                    y: at.y
                }
            )
            .is_empty()
        );
    }
}
