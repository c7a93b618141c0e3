//! What is wrong inside one cell: holes that are outside or overlap, parts that overlap or touch.

use city_model::Position;

use super::of_cell;
use crate::coverage::{Borders, Region, perimeter_m};
use crate::finding::{Finding, What};
use crate::geometry::Geometry;
use crate::ground::{Ground, Part, Side};
use crate::layer::{CellIndex, Layer};
use crate::ring::{Edge, Ring, cross, edges_cross, meetings};

/// Less is rounding of coordinates, as in the limits of gaps and overlaps.
const LEAST_M2: f64 = 1.0;
/// So many shared stretches of two parts are told.
const PLACES_MAX: usize = 100;

pub(super) fn check(layer: &Layer, cell: CellIndex, findings: &mut Vec<Finding>) {
    let parts = layer.parts(cell);
    for part in parts.clone() {
        let rings: Vec<&[Position]> = part.rings().collect();
        if let [outer, inner @ ..] = rings.as_slice()
            && !inner.is_empty()
        {
            holes(layer, cell, outer, inner, findings);
        }
    }
    if parts.len() > 1 {
        let mut borders = Borders::default();
        parts.clone().for_each(|part| borders.add(part, 1));
        let over = borders.regions(1, LEAST_M2).into_iter();
        for region in over.filter(|region| region.cover > 1) {
            findings.push(ground(layer, cell, What::PartsOverlap, "of two parts", region));
        }
        touching(layer, cell, parts, findings);
    }
}

fn holes(
    layer: &Layer,
    cell: CellIndex,
    outer: &[Position],
    holes: &[&[Position]],
    findings: &mut Vec<Finding>,
) {
    let (mut out, mut among) = (Borders::default(), Borders::default());
    out.add_alone(outer, 1);
    for hole in holes {
        among.add_alone(hole, 1);
        out.add_alone(hole, -1);
    }
    let double = among.regions(1, LEAST_M2).into_iter();
    for region in double.filter(|region| region.cover > 1) {
        findings.push(ground(layer, cell, What::HolesOverlap, "of two holes", region));
    }
    let mut polygon = Ground::default();
    polygon.push(vec![vec![outer.to_vec()]]);
    for region in out.regions(0, LEAST_M2) {
        // where two holes overlap inside the polygon the sum is negative as well; that has been told
        let is_out = polygon.part(0).side(region.sample) == Side::Outside;
        if region.cover < 0 && is_out {
            let of = "of a hole outside its polygon";
            findings.push(ground(layer, cell, What::HoleOutside, of, region));
        }
    }
}

fn ground(layer: &Layer, cell: CellIndex, what: What, of: &str, region: Region) -> Finding {
    let own = layer.cell(cell);
    let (lon, lat) = (region.sample.lon(), region.sample.lat());
    let detail = format!("{:.1} m² {of} near {lon:.6}, {lat:.6}", region.area_m2);
    let finding = Finding::new(what, &own.level, Some(&own.code), detail);
    Finding {
        area_m2: Some(region.area_m2),
        ..finding.at(region.sample, Geometry::polygons(region.polygons))
    }
}

/// Stretches of border that two parts have in common.
fn touching<'a>(
    layer: &Layer,
    cell: CellIndex,
    parts: impl Iterator<Item = Part<'a>>,
    findings: &mut Vec<Finding>,
) {
    let all = parts
        .enumerate()
        .flat_map(|(number, part)| part.edges().map(move |edge| (edge, number)));
    let mut shared: Vec<Edge> = Vec::new();
    meetings(all, |(one, part), (other, number)| {
        if part != number && edges_cross(one, other) && cross(one.0, one.1, other.0) == 0 {
            shared.extend(overlap_of(one, other));
        }
        shared.len() < PLACES_MAX
    });
    let Some(&(at, _)) = shared.first() else {
        return;
    };
    // there and back is twice the way
    let lines: Vec<Ring> = shared.iter().map(|&(from, to)| vec![from, to]).collect();
    let length_m = perimeter_m(lines.iter().map(Vec::as_slice)) / 2.0;
    let (lon, lat) = (at.lon(), at.lat());
    let detail = format!("two parts share {length_m:.1} m of border near {lon:.6}, {lat:.6}");
    let points: Vec<Position> = shared.into_iter().flat_map(|(from, to)| [from, to]).collect();
    findings.push(Finding {
        length_m: Some(length_m),
        ..of_cell(layer, cell, What::PartsTouch, detail).at_points(&points)
    });
}

/// The stretch that two edges on one line have in common.
fn overlap_of((a, b): Edge, (c, d): Edge) -> Option<Edge> {
    let (from, to) = (a.max(c), b.min(d));
    (from < to).then_some((from, to))
}
