//! Which incidents of a kind may lie within reach of a point: a hash grid per kind.
//!
//! An incident is entered, with its number and its place side by side, in every cell that lies within its kind's cap of its fused
//! position; so one cell holds every candidate, and a look is one look at memory. A cell is three to six times as wide as the cap:
//! then that is about two cells an incident.

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

    fn find(&mut self, number: u32) -> Option<&mut Entry> {
        let entries = match self {
            Cell::One(entry) => std::slice::from_mut(entry),
            Cell::Many(entries) => entries,
        };
        entries.iter_mut().find(|entry| entry.number == number)
    }
}

impl Neighbours {
    /// Enters the incident `number` of `kind` at `point`.
    pub fn insert(&mut self, kind: KindId, cap_mm: i64, point: Point, number: u32) {
        for key in keys_about(kind, cap_mm, point, cap_mm) {
            self.insert_at(key, Entry { point, number });
        }
    }

    fn insert_at(&mut self, key: u64, entry: Entry) {
        match self.cells.entry(key) {
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
        for key in keys_about(kind, cap_mm, point, cap_mm) {
            self.remove_at(key, number);
        }
    }

    fn remove_at(&mut self, key: u64, number: u32) {
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
        let before = Span::about(from, cap_mm, side(cap_mm));
        let after = Span::about(to, cap_mm, side(cap_mm));
        let entry = Entry { point: to, number };
        if before == after {
            for key in before.keys(kind) {
                let own = self.cells.get_mut(&key).and_then(|cell| cell.find(number));
                own.into_iter().for_each(|own| *own = entry);
            }
            return;
        }
        before.keys(kind).for_each(|key| self.remove_at(key, number));
        after.keys(kind).for_each(|key| self.insert_at(key, entry));
    }

    /// Calls `visit` with every incident of `kind` within `cap_mm` of `point`, in no order, and with where it lies: not all who ask
    /// want to pay for a root.
    #[inline]
    pub fn near(&self, kind: KindId, cap_mm: i64, point: Point, mut visit: impl FnMut(u32, Point)) {
        // A distance is rounded down, so what is less than one more is within.
        let beyond = i128::from(cap_mm) + 1;
        let beyond = beyond * beyond;
        let Some(cell) = self.cells.get(&key_of(kind, side(cap_mm), point)) else {
            return;
        };
        for entry in cell.entries() {
            let dx = i128::from(entry.point.x) - i128::from(point.x);
            let dy = i128::from(entry.point.y) - i128::from(point.y);
            if dx * dx + dy * dy < beyond {
                visit(entry.number, entry.point);
            }
        }
    }

    /// Calls `visit` with every incident of `kind` within `reach_mm` of `point` along both axes, and some that lie beyond, in no
    /// order, each once.
    pub fn within(&self, kind: KindId, cap_mm: i64, point: Point, reach_mm: i64, mut visit: impl FnMut(u32)) {
        let side = side(cap_mm);
        for key in Span::about(point, reach_mm, side).keys(kind) {
            let entries = self.cells.get(&key).map_or(&[][..], Cell::entries);
            let own = entries
                .iter()
                .filter(|entry| key_of(kind, side, entry.point) == key);
            own.for_each(|entry| visit(entry.number));
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.cells.clear();
    }
}

/// Cells side by side, the last ones included.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Span {
    west: i64,
    east: i64,
    south: i64,
    north: i64,
}

impl Span {
    fn about(point: Point, reach_mm: i64, side: u32) -> Span {
        let before = |at: i64| cell_at(at.saturating_sub(reach_mm), side);
        let after = |at: i64| cell_at(at.saturating_add(reach_mm), side);
        Span {
            west: before(point.x),
            east: after(point.x),
            south: before(point.y),
            north: after(point.y),
        }
    }

    fn keys(self, kind: KindId) -> impl Iterator<Item = u64> {
        (self.west..=self.east).flat_map(move |x| (self.south..=self.north).map(move |y| key(kind, x, y)))
    }
}

fn keys_about(kind: KindId, cap_mm: i64, point: Point, reach_mm: i64) -> impl Iterator<Item = u64> {
    Span::about(point, reach_mm, side(cap_mm)).keys(kind)
}

/// The logarithm of a cell's side to the base two: three to six times the cap. A shift is a tenth of a division.
fn side(cap_mm: i64) -> u32 {
    let least = cap_mm.saturating_mul(3).clamp(LEAST_SIDE_MM, 1 << 40);
    64 - (least - 1).leading_zeros()
}

fn cell_at(at: i64, side: u32) -> i64 {
    (at >> side).clamp(-FARTHEST, FARTHEST - 1)
}

fn key_of(kind: KindId, side: u32, point: Point) -> u64 {
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
        index.near(kind, cap_mm, at, |number, point| {
            found.push((point.distance_mm(at), number))
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
