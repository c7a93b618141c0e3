//! Whether a level's cells cover their ground once, and fill their enclosing cells without leaving them.

use std::collections::BTreeMap;

use city_model::{Name, Position};

use super::of_cell;
use crate::coverage::{Borders, Region};
use crate::finding::{Finding, What};
use crate::geometry::Geometry;
use crate::ground::Side;
use crate::layer::{Cell, CellIndex, Layer};
use crate::limits::Limits;

/// So many points of a gap's border are asked for the cells beside it.
const ASKED_MAX: usize = 64;
/// So many cells beside a gap are named in its text.
const NAMED_MAX: usize = 6;
/// A cell of which less than this share lies outside another is inside it.
const INSIDE_SHARE: f64 = 1e-4;

/// Gaps and overlaps among the cells of a level.
pub(super) fn of_level(layer: &Layer, at: usize, level: &Name, limits: &Limits, findings: &mut Vec<Finding>) {
    let mut borders = Borders::default();
    for (index, _) in layer.cells(at) {
        for part in layer.parts(index) {
            borders.add(part, 1);
        }
    }
    let (gap_m2, overlap_m2) = (Limits::least_m2(limits.gap), Limits::least_m2(limits.overlap));
    let mut pairs: Vec<(CellIndex, CellIndex)> = Vec::new();
    for region in borders.regions(1, gap_m2.min(overlap_m2)) {
        let thin = region.width_m() < limits.sliver.width_m;
        let (what, cells) = if region.cover > 1 {
            let cells = covering(layer, at, &region);
            if let [cell] = cells[..]
                && layer.parts(cell).len() > 1
            {
                continue; // its own parts overlap, which is told of the cell
            }
            let two = cells.iter().enumerate();
            pairs.extend(two.flat_map(|(n, &a)| cells[n + 1..].iter().map(move |&b| (a, b))));
            (if thin { What::SeamOverlap } else { What::Overlap }, cells)
        } else {
            let what = if thin { What::SeamGap } else { What::Gap };
            (what, beside(layer, at, &region))
        };
        let relation = if region.cover > 1 { "of" } else { "beside" };
        let codes: Vec<Name> = cells.iter().map(|&cell| layer.cell(cell).code.clone()).collect();
        let mut named: Vec<&str> = codes.iter().map(|code| &**code).take(NAMED_MAX).collect();
        if codes.len() > NAMED_MAX {
            named.push("…");
        }
        let detail = format!("{} {relation} {}", measure(&region), named.join(", "));
        let finding = Finding::new(what, level, codes.first(), detail);
        findings.push(Finding {
            codes,
            ..placed(finding, region)
        });
    }
    pairs.sort_unstable();
    pairs.dedup();
    for (a, b) in pairs {
        nested(layer, a, b, findings);
    }
}

/// The cells that make an overlap, the most frequent in it first.
fn covering(layer: &Layer, at: usize, region: &Region) -> Vec<CellIndex> {
    let mut count: BTreeMap<CellIndex, usize> = BTreeMap::new();
    let places = std::iter::once(&region.sample).chain(&region.samples);
    for &place in places {
        let there = layer.all_at(at, place);
        if there.len() > 1 {
            there
                .into_iter()
                .for_each(|cell| *count.entry(cell).or_insert(0) += 1);
        }
    }
    if count.is_empty() {
        return layer.all_at(at, region.sample);
    }
    let mut cells: Vec<CellIndex> = count.keys().copied().collect();
    cells.sort_by_key(|cell| (std::cmp::Reverse(count[cell]), *cell));
    cells
}

/// The cells whose border a gap has in common.
fn beside(layer: &Layer, at: usize, region: &Region) -> Vec<CellIndex> {
    let border: Vec<Position> = region.polygons.iter().flatten().flatten().copied().collect();
    let every = border.len().div_ceil(ASKED_MAX).max(1);
    let mut cells: Vec<CellIndex> = border
        .iter()
        .step_by(every)
        .flat_map(|&place| layer.all_at(at, place))
        .collect();
    cells.sort_unstable();
    cells.dedup();
    if cells.is_empty() {
        cells = layer.nearest_at(at, region.sample);
    }
    cells
}

/// Whether one of two overlapping cells is wholly inside the other, or both are the same.
fn nested(layer: &Layer, a: CellIndex, b: CellIndex, findings: &mut Vec<Finding>) {
    let inside = |cell: CellIndex, other: CellIndex| {
        // most overlaps are strips along a border, and the middle of a cell tells them cheaply
        let middle = layer.inner_point(cell);
        let may_be = |p: Position| layer.parts(other).any(|part| part.side(p) != Side::Outside);
        if !middle.is_some_and(may_be) {
            return false;
        }
        let mut borders = Borders::default();
        layer.parts(cell).for_each(|part| borders.add(part, 1));
        layer.parts(other).for_each(|part| borders.add(part, -1));
        let regions = borders.regions(0, 0.0);
        let only_here = regions.iter().filter(|region| region.cover > 0);
        only_here.map(|region| region.area_m2).sum::<f64>() <= INSIDE_SHARE * layer.area_m2(cell)
    };
    let (a_inside, b_inside) = (inside(a, b), inside(b, a));
    let (what, inner, outer, relation) = match (a_inside, b_inside) {
        (true, true) => (What::SameGround, a, b, "has the same ground as"),
        (true, false) => (What::InsideAnother, a, b, "lies wholly in"),
        (false, true) => (What::InsideAnother, b, a, "lies wholly in"),
        (false, false) => return,
    };
    let area = layer.area_m2(inner);
    let other = layer.cell(outer);
    let detail = format!("{relation} {} `{}`: {area:.1} m²", other.code, other.name);
    let mut finding = of_cell(layer, inner, what, detail);
    finding.area_m2 = Some(area);
    finding.codes.push(other.code.clone());
    findings.push(finding);
}

/// Whether the cells of a level fill their parents and stay inside them.
pub(super) fn of_parents(
    layer: &Layer,
    at: usize,
    level: &Name,
    limits: &Limits,
    findings: &mut Vec<Finding>,
) {
    let mut children: BTreeMap<CellIndex, Vec<CellIndex>> = BTreeMap::new();
    for (index, cell) in layer.cells(at) {
        if let Some(parent) = cell.parent {
            children.entry(parent).or_default().push(index);
        }
    }
    let least = Limits::least_m2(limits.outside_parent).min(Limits::least_m2(limits.parent_not_covered));
    for (index, parent) in layer.cells(at - 1) {
        let Some(children) = children.get(&index) else {
            let bare = of_cell(layer, index, What::ParentNotCovered, format!("has no {level}"));
            findings.push(Finding {
                area_m2: Some(layer.area_m2(index)),
                ..bare
            });
            continue;
        };
        // its own ground and its children's, so that overlapping children do not count as outside
        let mut borders = Borders::default();
        for part in layer.parts(index) {
            borders.add(part, -1);
        }
        for part in children.iter().flat_map(|&child| layer.parts(child)) {
            borders.add(part, 1);
        }
        for region in borders.regions(0, least) {
            findings.extend(misfit(layer, at, index, parent, children, region));
        }
    }
}

fn misfit(
    layer: &Layer,
    at: usize,
    index: CellIndex,
    parent: &Cell,
    children: &[CellIndex],
    region: Region,
) -> Option<Finding> {
    if region.cover < 0 {
        let detail = format!("{} in no child", measure(&region));
        let what = What::ParentNotCovered;
        return Some(placed(
            Finding::new(what, &parent.level, Some(&parent.code), detail),
            region,
        ));
    }
    if layer.all_at(at - 1, region.sample).contains(&index) {
        return None; // children that overlap inside their parent, which the level tells
    }
    let mut there = layer.all_at(at, region.sample);
    there.retain(|cell| children.contains(cell));
    let child = there.first().map(|&cell| layer.cell(cell));
    let level = child.map_or(&parent.level, |child| &child.level);
    let detail = format!("{} outside its parent {}", measure(&region), parent.code);
    let finding = Finding::new(What::OutsideParent, level, child.map(|child| &child.code), detail);
    let mut finding = placed(finding, region);
    finding.codes.push(parent.code.clone());
    Some(finding)
}

fn placed(finding: Finding, region: Region) -> Finding {
    Finding {
        area_m2: Some(region.area_m2),
        ..finding.at(region.sample, Geometry::polygons(region.polygons))
    }
}

fn measure(region: &Region) -> String {
    let (lon, lat) = (region.sample.lon(), region.sample.lat());
    format!("{:.1} m² near {lon:.6}, {lat:.6}", region.area_m2)
}
