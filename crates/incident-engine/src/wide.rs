//! Incidents whose members lie farther apart than their kind's extent, because a component or the centre joined them: before their
//! later members came they may have lain anywhere among the earlier ones.

use city_model::{Extent, Point};
use city_rules::KindId;
use rustc_hash::FxHashMap;

use crate::numbers::{Numbers, take_out};

/// An incident that covers more squares than this is held against everything of its kind.
const MOST_SQUARES: i64 = 256;

/// The index, by the squares that the boxes around members cover.
#[derive(Debug, Default)]
pub(crate) struct Wide {
    squares: FxHashMap<(KindId, i64, i64), Numbers>,
    vast: FxHashMap<KindId, Numbers>,
}

impl Wide {
    pub(crate) fn insert(&mut self, kind: KindId, side_mm: i64, extent: Extent, number: u32) {
        match squares(side_mm, extent) {
            Some(squares) => {
                for (x, y) in squares {
                    self.squares.entry((kind, x, y)).or_default().insert(number);
                }
            }
            None => self.vast.entry(kind).or_default().insert(number),
        }
    }

    pub(crate) fn remove(&mut self, kind: KindId, side_mm: i64, extent: Extent, number: u32) {
        match squares(side_mm, extent) {
            Some(squares) => {
                for (x, y) in squares {
                    take_out(&mut self.squares, &(kind, x, y), number);
                }
            }
            None => take_out(&mut self.vast, &kind, number),
        }
    }

    /// Visits what may have lain within `reach_mm` of a point, and more, each perhaps several times.
    pub(crate) fn about(
        &self,
        kind: KindId,
        side_mm: i64,
        point: Point,
        reach_mm: i64,
        mut visit: impl FnMut(u32),
    ) {
        if self.squares.is_empty() && self.vast.is_empty() {
            return;
        }
        let vast = self.vast.get(&kind).map_or(&[][..], Numbers::as_slice);
        vast.iter().copied().for_each(&mut visit);
        let Some(squares) = squares(side_mm, Extent::about(point, reach_mm)) else {
            return; // a reach is less than a side
        };
        for (x, y) in squares {
            let numbers = self.squares.get(&(kind, x, y));
            let numbers = numbers.map_or(&[][..], Numbers::as_slice);
            numbers.iter().copied().for_each(&mut visit);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.squares.clear();
        self.vast.clear();
    }
}

/// The squares that a box covers, unless they are too many.
fn squares(side_mm: i64, extent: Extent) -> Option<impl Iterator<Item = (i64, i64)>> {
    let side = side_mm.max(1);
    let (west, east) = (extent.min.x.div_euclid(side), extent.max.x.div_euclid(side));
    let (south, north) = (extent.min.y.div_euclid(side), extent.max.y.div_euclid(side));
    let across = |from: i64, to: i64| to.saturating_sub(from).saturating_add(1);
    let count = across(west, east).saturating_mul(across(south, north));
    (count <= MOST_SQUARES).then(|| (west..=east).flat_map(move |x| (south..=north).map(move |y| (x, y))))
}
