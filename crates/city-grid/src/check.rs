//! What is wrong with a grid: gaps, overlaps, bad rings, duplicate codes, children outside their parents, slivers.
//!
//! Seams that are shared vertex by vertex cost nothing to check; only what does not cancel is measured.

use std::collections::BTreeMap;

use city_model::Name;

use crate::coverage::{Borders, Region, square_metres_at};
use crate::finding::{Finding, What};
use crate::ground::Part;
use crate::layer::{Cell, CellIndex, Layer};

/// Gaps and overlaps up to this are rounding of coordinates.
const AREA_MIN_M2: f64 = 1.0;
/// The smallest duty cells are a few hundred square metres.
const SLIVER_M2: f64 = 25.0;
/// Twice the area over the perimeter: the width of a long strip.
const SLIVER_WIDTH_M: f64 = 2.0;

/// Everything that is wrong with a layer, including what was found at loading. In order of severity, worst first.
pub fn check(layer: &Layer) -> Vec<Finding> {
    let mut findings = layer.findings().to_vec();
    let levels: Vec<Name> = layer.levels().cloned().collect();
    for (at, level) in levels.iter().enumerate() {
        cover_of_level(layer, at, level, &mut findings);
        if at > 0 {
            cover_of_parents(layer, at, level, &mut findings);
        }
        for (index, cell) in layer.cells(at) {
            let mut report = |what, detail| {
                findings.push(Finding::new(what, level, Some(&cell.code), detail));
            };
            if let Some(detail) = bad_code(level, &cell.code) {
                report(What::BadCode, detail);
            }
            if let Some(detail) = sliver(layer, index) {
                report(What::Sliver, detail);
            }
        }
    }
    findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.cmp(b)));
    findings
}

/// Gaps and overlaps among the cells of a level.
fn cover_of_level(layer: &Layer, at: usize, level: &Name, findings: &mut Vec<Finding>) {
    let mut borders = Borders::default();
    for (index, _) in layer.cells(at) {
        for part in layer.parts(index) {
            borders.add(part, 1);
        }
    }
    for region in borders.regions(1) {
        if region.area_m2 <= AREA_MIN_M2 {
            continue;
        }
        let (what, cells) = if region.cover > 1 {
            (What::Overlap, layer.all_at(at, region.sample))
        } else {
            (What::Gap, layer.nearest_at(at, region.sample))
        };
        let codes: Vec<&str> = cells.iter().map(|&cell| &*layer.cell(cell).code).collect();
        let relation = match what {
            What::Overlap => "of",
            _ => "beside",
        };
        let detail = format!("{} {relation} {}", measure(&region), codes.join(", "));
        let first = cells.first().map(|&cell| &layer.cell(cell).code);
        findings.push(Finding::new(what, level, first, detail));
    }
}

/// Whether the cells of a level fill their parents and stay inside them.
fn cover_of_parents(layer: &Layer, at: usize, level: &Name, findings: &mut Vec<Finding>) {
    let mut children: BTreeMap<CellIndex, Vec<CellIndex>> = BTreeMap::new();
    for (index, cell) in layer.cells(at) {
        if let Some(parent) = cell.parent {
            children.entry(parent).or_default().push(index);
        }
    }
    for (index, parent) in layer.cells(at - 1) {
        let Some(children) = children.get(&index) else {
            let detail = format!("has no {level}");
            let what = What::ParentNotCovered;
            findings.push(Finding::new(what, &parent.level, Some(&parent.code), detail));
            continue;
        };
        let mut borders = Borders::default();
        for part in layer.parts(index) {
            borders.add(part, -1);
        }
        for part in children.iter().flat_map(|&child| layer.parts(child)) {
            borders.add(part, 1);
        }
        for region in borders.regions(0) {
            if region.area_m2 > AREA_MIN_M2 {
                findings.push(misfit(layer, at, parent, children, &region));
            }
        }
    }
}

fn misfit(layer: &Layer, at: usize, parent: &Cell, children: &[CellIndex], region: &Region) -> Finding {
    if region.cover < 0 {
        let detail = format!("{} in no child", measure(region));
        let what = What::ParentNotCovered;
        return Finding::new(what, &parent.level, Some(&parent.code), detail);
    }
    let mut there = layer.all_at(at, region.sample);
    there.retain(|cell| children.contains(cell));
    let child = there.first().map(|&cell| layer.cell(cell));
    let level = child.map_or(&parent.level, |child| &child.level);
    let detail = format!("{} outside its parent {}", measure(region), parent.code);
    Finding::new(What::OutsideParent, level, child.map(|child| &child.code), detail)
}

fn measure(region: &Region) -> String {
    let (lon, lat) = (region.sample.lon(), region.sample.lat());
    format!("{:.1} m² near {lon:.6}, {lat:.6}", region.area_m2)
}

/// Lengths by GB/T 2260 (6), GB/T 10114 (9), the statistical codes (12) and GB/T 47678.3-2026 (15, digits and capitals).
fn bad_code(level: &str, code: &str) -> Option<String> {
    let length = match level {
        "district" => 6,
        "town" => 9,
        "village" => 12,
        "duty_cell" | "unit_cell" => 15,
        _ => return None,
    };
    if code.chars().count() != length {
        return Some(format!(
            "has {} characters, a {level} has {length}",
            code.chars().count()
        ));
    }
    let allowed = |c: char| c.is_ascii_digit() || (length == 15 && c.is_ascii_uppercase());
    code.chars()
        .find(|&c| !allowed(c))
        .map(|c| format!("has `{c}` in it"))
}

fn sliver(layer: &Layer, index: CellIndex) -> Option<String> {
    let middle = layer.inner_point(index)?;
    let scale = square_metres_at(middle.lat_e9 as f64);
    let area = layer.area_m2(index);
    let side = libm::sqrt(scale); // a perimeter needs no more than a rough scale
    let perimeter: f64 = layer
        .parts(index)
        .flat_map(Part::edges)
        .map(|(a, b)| {
            let (x, y) = ((b.lon_e9 - a.lon_e9) as f64, (b.lat_e9 - a.lat_e9) as f64);
            side * libm::sqrt(x * x + y * y)
        })
        .sum();
    let width = 2.0 * area / perimeter;
    if area < SLIVER_M2 {
        Some(format!("only {area:.1} m²"))
    } else if width < SLIVER_WIDTH_M {
        Some(format!("only {width:.1} m wide"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
