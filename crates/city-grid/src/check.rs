//! What is wrong with a grid, each finding with its place: gaps, overlaps, bad rings and codes, children outside parents.
//!
//! Seams that are shared vertex by vertex cost nothing to check; only what does not cancel is measured.

mod codes;
mod cover;
mod parts;

use city_model::Name;

use crate::coverage::{outlines, perimeter_m};
use crate::finding::{Finding, What};
use crate::geometry::Geometry;
use crate::ground::Part;
use crate::layer::{CellIndex, Layer};
use crate::limits::{Limits, Verdict};
use crate::ring::Ring;

/// Everything that is wrong with a layer by the default limits; see [`check_by`].
pub fn check(layer: &Layer) -> Vec<Finding> {
    check_by(layer, &Limits::default())
}

/// Everything that is wrong with a layer, including what was found at loading, that the limits do not ignore. Worst first.
pub fn check_by(layer: &Layer, limits: &Limits) -> Vec<Finding> {
    let mut findings = loaded(layer);
    let levels: Vec<Name> = layer.levels().cloned().collect();
    for (at, level) in levels.iter().enumerate() {
        cover::of_level(layer, at, level, limits, &mut findings);
        if at > 0 {
            cover::of_parents(layer, at, level, limits, &mut findings);
        }
        for (index, _) in layer.cells(at) {
            codes::check(layer, index, &mut findings);
            parts::check(layer, index, &mut findings);
            sliver(layer, index, limits, &mut findings);
        }
    }
    findings.retain(|finding| limits.judge(finding) != Verdict::Ignore);
    findings.sort_by(Finding::worst_first);
    findings
}

/// What was found at loading, with the places of the cells.
pub fn loaded(layer: &Layer) -> Vec<Finding> {
    let mut findings = layer.findings().to_vec();
    for finding in findings
        .iter_mut()
        .filter(|finding| finding.geometry == Geometry::None)
    {
        let Some(code) = finding.code.clone() else {
            continue;
        };
        let cells = layer.of_code(&finding.level, &code);
        let place = || cells.iter().find_map(|&cell| layer.inner_point(cell));
        finding.position = finding.position.or_else(place);
        finding.geometry = Geometry::of_parts(cells.iter().flat_map(|&cell| layer.parts(cell)));
        if finding.what == What::DuplicateCode && !cells.is_empty() {
            finding.area_m2 = Some(cells.iter().map(|&cell| layer.area_m2(cell)).sum());
        }
    }
    findings
}

/// A finding about one cell, with the cell's ground.
fn of_cell(layer: &Layer, cell: CellIndex, what: What, detail: String) -> Finding {
    let own = layer.cell(cell);
    let finding = Finding::new(what, &own.level, Some(&own.code), detail);
    match layer.inner_point(cell) {
        Some(inside) => finding.at(inside, Geometry::of_parts(layer.parts(cell))),
        None => finding,
    }
}

fn sliver(layer: &Layer, index: CellIndex, limits: &Limits, findings: &mut Vec<Finding>) {
    let area = layer.area_m2(index);
    if area <= 0.0 {
        return; // which was found at loading
    }
    let smallest = limits.sliver.warn_m2.max(limits.sliver.refuse_m2.unwrap_or(0.0));
    // rings are no shorter than the border of their ground: wide by them is wide, and quickly said
    let mut width = 2.0 * area / perimeter_m(layer.parts(index).flat_map(Part::rings));
    if width < limits.sliver.width_m {
        let borders: Vec<Ring> = layer.parts(index).flat_map(outlines).flatten().collect();
        width = 2.0 * area / perimeter_m(borders.iter().map(Vec::as_slice));
    }
    let detail = if area < smallest {
        format!("only {area:.1} m²")
    } else if width < limits.sliver.width_m {
        format!("only {width:.1} m wide")
    } else {
        return;
    };
    findings.push(Finding {
        area_m2: Some(area),
        ..of_cell(layer, index, What::Sliver, detail)
    });
}

#[cfg(test)]
mod tests;
