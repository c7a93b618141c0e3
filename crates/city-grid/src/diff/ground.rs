//! Who has an old cell's ground now: cells that were split, merged, or merely got another code.

use std::collections::{BTreeMap, BTreeSet};

use city_model::Name;

use super::{Change, NEW, OLD, Share, Sides, What, whole};
use crate::coverage::Borders;
use crate::layer::{CellIndex, Layer};

/// Cells with at least this share of each other's ground are the same ground: borders are redrawn a little when codes change.
const SAME_SHARE: f64 = 0.99;
/// Less than this share of a cell is its border's move, not a part of it.
const PART_SHARE: f64 = 0.02;

/// The cells of a level whose ground or code changed.
#[derive(Debug, Default)]
pub(super) struct Changed {
    pub(super) added: Vec<CellIndex>,
    pub(super) removed: Vec<CellIndex>,
    /// The old and the new cell.
    pub(super) moved: Vec<(CellIndex, CellIndex)>,
}

/// Tells what was split, merged or recoded; answers the cells (of the old or the new side) that only got another code.
///
/// A cell is split when at least two new cells share its ground, and merged when at least two old ones had it, and not both
/// the cell and the others go on under their codes: that is a border that moved.
pub(super) fn overlay(
    sides: &Sides<'_>,
    level: &Name,
    changed: &Changed,
    changes: &mut Vec<Change>,
) -> BTreeSet<(usize, CellIndex)> {
    let [old, new] = sides.layers;
    let mut told = BTreeSet::new();
    let Some(at) = sides.levels[NEW] else {
        return told;
    };
    let removed: BTreeSet<CellIndex> = changed.removed.iter().copied().collect();
    let added: BTreeSet<CellIndex> = changed.added.iter().copied().collect();
    if removed.is_empty() && added.is_empty() {
        return told; // borders moved, no more
    }
    let new_ones: BTreeSet<CellIndex> = added
        .iter()
        .copied()
        .chain(changed.moved.iter().map(|pair| pair.1))
        .collect();
    let old_ones = removed
        .iter()
        .copied()
        .chain(changed.moved.iter().map(|pair| pair.0));
    let mut of_old: BTreeMap<CellIndex, Vec<(CellIndex, f64)>> = BTreeMap::new();
    let mut of_new: BTreeMap<CellIndex, Vec<(CellIndex, f64)>> = BTreeMap::new();
    for a in old_ones {
        for b in new.meeting(at, old.parts(a)) {
            // a cell that did not change has no ground of another's, unless the level overlaps itself
            if !new_ones.contains(&b) {
                continue;
            }
            let area_m2 = common_m2(old, a, new, b);
            if area_m2 > 0.0 {
                of_old.entry(a).or_default().push((b, area_m2));
                of_new.entry(b).or_default().push((a, area_m2));
            }
        }
    }
    for &a in &changed.removed {
        let found = of_old.get(&a).map_or(&[][..], Vec::as_slice);
        let same = found.iter().find(|&&(b, area_m2)| {
            added.contains(&b) && area_m2 >= SAME_SHARE * old.area_m2(a).max(new.area_m2(b))
        });
        if let Some(&(b, area_m2)) = same
            && !told.contains(&(NEW, b))
        {
            told.extend([(OLD, a), (NEW, b)]);
            let from = old.cell(a).code.clone();
            let share = area_m2 / new.area_m2(b);
            changes.push(whole(new, b, level, What::Recoded { from, area_m2, share }));
        }
    }
    for (a, found) in of_old {
        let into = shares(new, &found, old.area_m2(a));
        let is_news = removed.contains(&a)
            || found
                .iter()
                .any(|(b, area)| is_part(*area, old.area_m2(a)) && added.contains(b));
        if into.len() > 1 && is_news {
            changes.push(whole(old, a, level, What::Split { into }));
        }
    }
    for (b, found) in of_new {
        let from = shares(old, &found, new.area_m2(b));
        let is_news = added.contains(&b)
            || found
                .iter()
                .any(|(a, area)| is_part(*area, new.area_m2(b)) && removed.contains(a));
        if from.len() > 1 && is_news {
            changes.push(whole(new, b, level, What::Merged { from }));
        }
    }
    told
}

fn is_part(area_m2: f64, of_m2: f64) -> bool {
    area_m2 >= PART_SHARE * of_m2
}

/// The parts of a cell that other cells have, the largest first.
fn shares(layer: &Layer, found: &[(CellIndex, f64)], whole_m2: f64) -> Vec<Share> {
    let mut shares: Vec<Share> = found
        .iter()
        .filter(|(_, area_m2)| is_part(*area_m2, whole_m2))
        .map(|&(cell, area_m2)| Share {
            code: layer.cell(cell).code.clone(),
            area_m2,
            share: area_m2 / whole_m2,
        })
        .collect();
    shares.sort_by(|a, b| b.area_m2.total_cmp(&a.area_m2).then_with(|| a.code.cmp(&b.code)));
    shares
}

/// The ground that two cells have in common, in m².
fn common_m2(old: &Layer, a: CellIndex, new: &Layer, b: CellIndex) -> f64 {
    let mut borders = Borders::default();
    old.parts(a).for_each(|part| borders.add(part, 1));
    new.parts(b).for_each(|part| borders.add(part, 1));
    let twice = borders
        .regions(1, 0.0)
        .into_iter()
        .filter(|region| region.cover > 1);
    twice.map(|region| region.area_m2).sum()
}
