//! From the texts of a layer's files to the layer: coordinates, rings, and what was odd about them.

use city_model::{Name, Position};

use super::features::{Feature, read};
use super::{Draft, Layer, LayerConfig};
use crate::crs::{Crs, to_wgs84};
use crate::finding::{Finding, GridError, What};
use crate::ring::{Ring, cross, self_crossings, spikes};

impl Layer {
    /// Reads a layer from the bytes of its levels' GeoJSON files, gzipped or not, in the order of the configuration.
    ///
    /// Bad rings (unclosed, self-crossing, degenerate), duplicate codes and missing parents are findings; when `strict`, the
    /// first of them is an error. What leaves no choice is an error always: no text, broken JSON, another geometry than
    /// polygons, coordinates that are no place, a feature without a code.
    pub fn load(
        config: &LayerConfig,
        texts: &[&[u8]],
        strict: bool,
    ) -> Result<(Layer, Vec<Finding>), GridError> {
        if config.levels.is_empty() || config.levels.len() != texts.len() {
            return Err(GridError::Config(format!(
                "layer `{}` has {} levels and {} files",
                config.name,
                config.levels.len(),
                texts.len()
            )));
        }
        let mut findings = Vec::new();
        let mut drafts: Vec<(Name, Vec<Draft>)> = Vec::with_capacity(texts.len());
        for (at, (level, text)) in config.levels.iter().zip(texts).enumerate() {
            let name: Name = level.level.as_str().into();
            if drafts.iter().any(|(other, _)| *other == name) {
                let what = format!("layer `{}` has level `{name}` twice", config.name);
                return Err(GridError::Config(what));
            }
            let mut cells = Vec::new();
            for feature in read(level, text)? {
                let index = feature.index;
                let before = findings.len();
                let mut draft = draft(&name, level.crs, feature, &mut findings)?;
                if at == 0 {
                    draft.parent = None; // the enclosing cell is beyond this layer
                }
                // a repeated point means nothing in any reading
                let mut new = findings[before..].iter();
                let flaw = new.find(|finding| finding.what != What::RepeatedPoint);
                if let Some(finding) = flaw.filter(|_| strict) {
                    return Err(GridError::Feature {
                        level: level.level.clone(),
                        index,
                        code: Some(draft.code),
                        what: format!("{}: {}", finding.what, finding.detail),
                    });
                }
                cells.push(draft);
            }
            drafts.push((name, cells));
        }
        let mut layer = Layer::assemble(&config.name, drafts);
        if let Some(finding) = layer.findings.first().filter(|_| strict) {
            return Err(GridError::File {
                level: finding.level.to_string(),
                what: finding.to_string(),
            });
        }
        findings.append(&mut layer.findings);
        findings.sort(); // features may come in any order
        layer.findings.clone_from(&findings);
        Ok((layer, findings))
    }
}

fn draft(level: &Name, crs: Crs, feature: Feature, findings: &mut Vec<Finding>) -> Result<Draft, GridError> {
    let code: Name = feature.code.as_str().into();
    let mut report = |what: What, detail: String, points: &[Position]| {
        findings.push(Finding::new(what, level, Some(&code), detail).at_points(points));
    };
    let mut polygons = Vec::with_capacity(feature.polygons.len());
    for (at, polygon) in feature.polygons.iter().enumerate() {
        let mut rings = Vec::with_capacity(polygon.len());
        for (number, points) in polygon.iter().enumerate() {
            let place = format!("polygon {at}, ring {number}");
            let positions = positions(crs, points).map_err(|what| GridError::Feature {
                level: level.to_string(),
                index: feature.index,
                code: Some(feature.code.clone()),
                what: format!("{place}, {what}"),
            })?;
            match ring(positions, &place, &mut report) {
                Some(ring) => rings.push(ring),
                None if number == 0 => break, // holes without their polygon would become ground
                None => {}
            }
        }
        if !rings.is_empty() {
            polygons.push(rings);
        }
    }
    if polygons.is_empty() {
        report(What::NoArea, "no usable ring is left".to_owned(), &[]);
    }
    Ok(Draft {
        code: feature.code,
        name: feature.name,
        parent: feature.parent,
        unit: feature.unit,
        polygons,
    })
}

fn positions(crs: Crs, points: &[(f64, f64)]) -> Result<Vec<Position>, String> {
    let place = |(at, &(x, y)): (usize, &(f64, f64))| {
        to_wgs84(crs, x, y)
            .and_then(|(lon, lat)| Position::from_degrees(lon, lat))
            .ok_or_else(|| format!("point {at}: ({x}, {y}) is no place in {crs}"))
    };
    points.iter().enumerate().map(place).collect()
}

/// So many places of one ring's flaw are told.
const PLACES_MAX: usize = 100;

/// Opens the ring and drops repeated points. `None` when nothing with an area is left.
fn ring(
    mut points: Vec<Position>,
    place: &str,
    report: &mut impl FnMut(What, String, &[Position]),
) -> Option<Ring> {
    let closed = points.len() > 1 && points.first() == points.last();
    let repeated: Vec<Position> = points
        .windows(2)
        .filter(|two| two[0] == two[1])
        .map(|two| two[0])
        .collect();
    let first = points.first().copied();
    points.dedup();
    while points.len() > 1 && points.first() == points.last() {
        points.pop();
    }
    if points.len() < 3 {
        let detail = format!("{place} has {} different points", points.len());
        report(What::DegenerateRing, detail, &points);
        return None;
    }
    if !closed {
        let open: Vec<Position> = first.into_iter().chain(points.last().copied()).collect();
        report(What::UnclosedRing, format!("{place} is not closed"), &open);
    }
    // a figure of eight can have no net area and still enclose ground; a line cannot
    if points.iter().all(|&p| cross(points[0], points[1], p) == 0) {
        report(What::DegenerateRing, format!("{place} is a line"), &points);
        return None;
    }
    let mut tell = |what: What, doing: &str, at: &[Position]| {
        if let Some(first) = at.first() {
            let times = match at.len() {
                1 => String::new(),
                PLACES_MAX => format!(", and at {} or more other places", PLACES_MAX - 1),
                many => format!(", and at {} other places", many - 1),
            };
            let (lon, lat) = (first.lon(), first.lat());
            let detail = format!("{place} {doing} near {lon:.6}, {lat:.6}{times}");
            report(what, detail, &at[..at.len().min(PLACES_MAX)]);
        }
    };
    tell(What::RepeatedPoint, "repeats a point", &repeated);
    tell(What::Spike, "goes there and back", &spikes(&points));
    tell(
        What::SelfCrossing,
        "crosses itself",
        &self_crossings(&points, PLACES_MAX),
    );
    Some(points)
}
