//! Which incidents of a kind may lie within reach of a point: a hash grid per kind.
//!
//! An incident is entered, with its number and its place side by side, in every cell that lies within its kind's cap of its fused
//! position; so one cell holds every candidate, and a look is one look at memory. A cell is three to six times as wide as the cap:
//! then that is about two cells an incident.
//!
//! What costs is passing over those in the cell that are not near. They lie in blocks of four, by their distance from the cell's
//! corner in 32 bits, so that four are compared at once; and the first block lies in the table itself.

use city_model::Point;
use city_rules::KindId;
use rustc_hash::FxHashMap;

use crate::block::{Block, Place, Spread};

/// Narrower cells would only be more of them.
const LEAST_SIDE_MM: i64 = 32_768;
/// The logarithm of the widest side: what lies within three caps of a corner must be told by 32 bits.
const WIDEST: u32 = 29;
/// So many cells either way of the plane's origin have a key of their own.
const FARTHEST: i64 = 1 << 23;

/// The index. It is looked up, never iterated.
#[derive(Debug, Default)]
pub struct Neighbours {
    cells: FxHashMap<u64, Cell>,
    /// Those that no cell can hold: with a cap of more than 170 km, or farther than 270,000 km from the plane's origin.
    beyond: Vec<(KindId, Point, u32)>,
}

#[derive(Debug)]
enum Cell {
    One(Block),
    /// All but the last are full.
    Many(Vec<Block>),
}

impl Cell {
    fn blocks(&self) -> &[Block] {
        match self {
            Cell::One(block) => std::slice::from_ref(block),
            Cell::Many(blocks) => blocks,
        }
    }

    fn blocks_mut(&mut self) -> &mut [Block] {
        match self {
            Cell::One(block) => std::slice::from_mut(block),
            Cell::Many(blocks) => blocks,
        }
    }

    fn push(&mut self, place: Place) {
        let is_in = self.blocks_mut().last_mut().is_some_and(|last| last.push(place));
        if is_in {
            return;
        }
        match self {
            Cell::One(first) => *self = Cell::Many(vec![*first, Block::of(place)]),
            Cell::Many(blocks) => blocks.push(Block::of(place)),
        }
    }

    /// Puts what is here already to another place.
    fn set(&mut self, place: Place) {
        let _is_here = self
            .blocks_mut()
            .iter_mut()
            .any(|block| block.replace(place.number, place));
    }

    /// Takes it out; whether nothing is left.
    fn remove(&mut self, number: u32) -> bool {
        let blocks = self.blocks_mut();
        let Some(at) = blocks.iter().position(|block| block.holds(number)) else {
            return false;
        };
        let Some((last, is_drained)) = blocks.last_mut().and_then(Block::pop) else {
            return false;
        };
        // The last one takes its place.
        if last.number != number {
            blocks[at].replace(number, last);
        }
        match self {
            Cell::One(_) => is_drained,
            Cell::Many(blocks) => {
                if is_drained {
                    blocks.pop();
                }
                blocks.is_empty()
            }
        }
    }
}

impl Neighbours {
    /// Enters the incident `number` of `kind` at `point`, which may have lain `spread_mm` from there along either axis.
    pub fn insert(&mut self, kind: KindId, cap_mm: i64, (point, spread_mm): (Point, i64), number: u32) {
        let Some(span) = Span::about(point, cap_mm, side(cap_mm)) else {
            self.beyond.push((kind, point, number));
            return;
        };
        let spread = Spread::of(spread_mm);
        for (key, corner) in span.cells(kind) {
            let place = place(corner, point, number, spread);
            match self.cells.entry(key) {
                std::collections::hash_map::Entry::Vacant(vacant) => {
                    vacant.insert(Cell::One(Block::of(place)));
                }
                std::collections::hash_map::Entry::Occupied(mut occupied) => occupied.get_mut().push(place),
            }
        }
    }

    /// Takes it out again.
    pub fn remove(&mut self, kind: KindId, cap_mm: i64, point: Point, number: u32) {
        let Some(span) = Span::about(point, cap_mm, side(cap_mm)) else {
            self.beyond.retain(|one| *one != (kind, point, number));
            return;
        };
        for (key, _) in span.cells(kind) {
            if self.cells.get_mut(&key).is_some_and(|cell| cell.remove(number)) {
                self.cells.remove(&key);
            }
        }
    }

    /// Puts an incident that lay at `from` to another place, with what it may have lain from there.
    pub fn shift(
        &mut self,
        kind: KindId,
        cap_mm: i64,
        (from, to, spread_mm): (Point, Point, i64),
        number: u32,
    ) {
        let before = Span::about(from, cap_mm, side(cap_mm));
        let after = Span::about(to, cap_mm, side(cap_mm));
        let Some(span) = before.filter(|_| before == after) else {
            self.remove(kind, cap_mm, from, number);
            self.insert(kind, cap_mm, (to, spread_mm), number);
            return;
        };
        let spread = Spread::of(spread_mm);
        for (key, corner) in span.cells(kind) {
            if let Some(cell) = self.cells.get_mut(&key) {
                cell.set(place(corner, to, number, spread));
            }
        }
    }

    /// Calls `visit` with every incident of `kind` within `cap_mm` of `point`, in no order, and with where it lies: not all who ask
    /// want to pay for a root.
    #[inline]
    pub fn near(&self, kind: KindId, cap_mm: i64, point: Point, mut visit: impl FnMut(u32, Point)) {
        if !self.beyond.is_empty() {
            self.near_beyond(kind, cap_mm, point, &mut visit);
        }
        let side = side(cap_mm);
        let (x, y) = (point.x >> side, point.y >> side);
        if !has_key(x) || !has_key(y) {
            return;
        }
        let (Some(cell), Ok(reach)) = (self.cells.get(&key(kind, x, y)), u32::try_from(cap_mm)) else {
            return;
        };
        let corner = corner(x, y, side);
        let own = place(corner, point, 0, Spread::NONE);
        for block in cell.blocks() {
            block.near(own, reach, |place| {
                let at = Point {
                    x: corner.x + i64::from(place.x),
                    y: corner.y + i64::from(place.y),
                };
                visit(place.number, at);
            });
        }
    }

    #[cold]
    fn near_beyond(&self, kind: KindId, cap_mm: i64, point: Point, visit: &mut impl FnMut(u32, Point)) {
        for (_, at, number) in self.beyond.iter().filter(|(own, ..)| *own == kind) {
            if at.distance_mm(point) <= cap_mm {
                visit(*number, *at);
            }
        }
    }

    /// Calls `visit` with every incident of `kind` that lies within `reach_mm` of `point` along both axes, and may have lain within
    /// `side_mm`; and with some that did not, in no order, each once.
    pub fn within(
        &self,
        kind: KindId,
        cap_mm: i64,
        point: Point,
        (side_mm, reach_mm): (i64, i64),
        mut visit: impl FnMut(u32),
    ) {
        let beyond = self.beyond.iter().filter(|(own, ..)| *own == kind);
        beyond.for_each(|(.., number)| visit(*number));
        let side = side(cap_mm);
        for (key, corner) in Span::whole(point, reach_mm, side).with_keys().cells(kind) {
            let blocks = self.cells.get(&key).map_or(&[][..], Cell::blocks);
            let lies_here = |place: &Place| (place.x >> side, place.y >> side) == (0, 0);
            let (x, y) = (point.x - corner.x, point.y - corner.y);
            let may_be_near = |place: &Place| {
                let reach = side_mm.saturating_add(place.spread.most_mm()).unsigned_abs();
                i64::from(place.x).abs_diff(x) <= reach && i64::from(place.y).abs_diff(y) <= reach
            };
            let own = blocks.iter().flat_map(Block::places);
            own.filter(|place| lies_here(place) && may_be_near(place))
                .for_each(|place| visit(place.number));
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.cells.clear();
        self.beyond.clear();
    }
}

/// Cells side by side, the last ones included.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Span {
    /// The logarithm of their sides to the base two.
    side: u32,
    west: i64,
    east: i64,
    south: i64,
    north: i64,
}

impl Span {
    /// All cells that lie within reach of a point.
    fn whole(point: Point, reach_mm: i64, side: u32) -> Span {
        Span {
            side,
            west: point.x.saturating_sub(reach_mm) >> side,
            east: point.x.saturating_add(reach_mm) >> side,
            south: point.y.saturating_sub(reach_mm) >> side,
            north: point.y.saturating_add(reach_mm) >> side,
        }
    }

    /// The same; `None` where one of them has no key, or is too wide.
    fn about(point: Point, reach_mm: i64, side: u32) -> Option<Span> {
        let span = Span::whole(point, reach_mm, side);
        (side <= WIDEST && span == span.with_keys()).then_some(span)
    }

    /// Without what has no key.
    fn with_keys(self) -> Span {
        Span {
            side: self.side,
            west: self.west.max(-FARTHEST),
            east: self.east.min(FARTHEST - 1),
            south: self.south.max(-FARTHEST),
            north: self.north.min(FARTHEST - 1),
        }
    }

    /// The keys of the cells, and their corners.
    fn cells(self, kind: KindId) -> impl Iterator<Item = (u64, Point)> {
        let Span { side, .. } = self;
        let all = (self.west..=self.east).flat_map(move |x| (self.south..=self.north).map(move |y| (x, y)));
        all.map(move |(x, y)| (key(kind, x, y), corner(x, y, side)))
    }
}

fn corner(x: i64, y: i64, side: u32) -> Point {
    Point {
        x: x << side,
        y: y << side,
    }
}

/// Where a point lies as seen from a corner near it.
fn place(corner: Point, point: Point, number: u32, spread: Spread) -> Place {
    let from = |corner: i64, at: i64| i32::try_from(at - corner).unwrap_or(i32::MAX);
    Place {
        x: from(corner.x, point.x),
        y: from(corner.y, point.y),
        number,
        spread,
    }
}

/// The logarithm of a cell's side to the base two: three to six times the cap. A shift is a tenth of a division.
fn side(cap_mm: i64) -> u32 {
    let least = cap_mm.saturating_mul(3).clamp(LEAST_SIDE_MM, 1 << 40);
    64 - (least - 1).leading_zeros()
}

fn has_key(at: i64) -> bool {
    (-FARTHEST..FARTHEST).contains(&at)
}

/// What has a key lies within `FARTHEST`, so each of the two takes 24 bits.
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
        index.insert(kind, 1_000, (at(-1, 0), 0), 1);
        index.insert(kind, 1_000, (at(999, 999), 0), 2);
        index.insert(kind, 1_000, (at(2_500, 0), 0), 3);
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
            cap_mm in prop_oneof![Just(0i64), 1_000i64..40_000, Just(500_000), Just(200_000_000)],
            // At the plane's origin, and where the last cells are that have a key.
            origin in prop_oneof![Just(0i64), Just(FARTHEST << 15), Just(-(FARTHEST << 15))],
            steps in prop::collection::vec((any::<bool>(), 0u32..12, -200_000i64..200_000, -200_000i64..200_000, 0i64..600_000), 1..60),
        ) {
            let kind = KindId(3);
            let mut index = Neighbours::default();
            let mut plain: std::collections::BTreeMap<u32, Point> = std::collections::BTreeMap::new();
            let mut spreads: std::collections::BTreeMap<u32, i64> = std::collections::BTreeMap::new();
            for (put, number, x, y, spread_mm) in steps {
                let at = Point { x: origin + x, y };
                match (plain.get(&number).copied(), put) {
                    (Some(from), true) => index.shift(kind, cap_mm, (from, at, spread_mm), number),
                    (Some(from), false) => index.remove(kind, cap_mm, from, number),
                    (None, _) => index.insert(kind, cap_mm, (at, spread_mm), number),
                }
                if put || !plain.contains_key(&number) {
                    plain.insert(number, at);
                    spreads.insert(number, spread_mm);
                } else {
                    plain.remove(&number);
                }
                let walked = plain.iter().map(|(number, own)| (own.distance_mm(at), *number));
                let mut walked: Vec<_> = walked.filter(|(distance, _)| *distance <= cap_mm).collect();
                walked.sort_unstable();
                prop_assert_eq!(found(&index, kind, cap_mm, at), walked);
                prop_assert!(found(&index, KindId(4), cap_mm, at).is_empty());

                let reach_mm = cap_mm.max(50_000);
                let mut within = Vec::new();
                let side_mm = reach_mm / 2;
                index.within(kind, cap_mm, at, (side_mm, reach_mm), |number| within.push(number));
                within.sort_unstable();
                let each_once = within.windows(2).all(|pair| pair[0] < pair[1]);
                prop_assert!(each_once, "{within:?}");
                for (number, own) in &plain {
                    let (dx, dy) = (own.x.abs_diff(at.x), own.y.abs_diff(at.y));
                    let lain = side_mm + spreads[number];
                    if dx.max(dy) <= reach_mm.min(lain).unsigned_abs() {
                        prop_assert!(within.contains(number), "{number} is at {own:?}");
                    }
                }
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
        index.insert(KindId(0), 10, (at, 0), 7);
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
