//! From the texts of a layer's files to the layer: coordinates, rings, and what was odd about them.

use city_model::{Name, Position};

use super::features::{Feature, read};
use super::{Draft, Layer, LayerConfig};
use crate::crs::{Crs, Systems};
use crate::finding::{Finding, GridError, What};
use crate::ring::{Ring, cross, self_crossing};

impl Layer {
    /// Reads a layer from the bytes of its levels' GeoJSON files, gzipped or not, in the order of the configuration.
    ///
    /// Bad rings (unclosed, self-crossing, degenerate), duplicate codes and missing parents are findings; when `strict`, the
    /// first of them is an error. What leaves no choice is an error always: no text, broken JSON, another geometry than
    /// polygons, coordinates that are no place, a feature without a code.
    ///
    /// # Errors
    /// As said; with the level, the feature and the point where they are known.
    pub fn load(
        config: &LayerConfig,
        texts: &[&[u8]],
        strict: bool,
    ) -> Result<(Layer, Vec<Finding>), GridError> {
        Layer::load_in(&Systems::default(), config, texts, strict)
    }

    /// The same in the city's own coordinate systems.
    ///
    /// # Errors
    /// As [`Layer::load`].
    pub fn load_in(
        systems: &Systems,
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
                let mut draft = draft(&name, (systems, level.crs), feature, &mut findings)?;
                if at == 0 {
                    draft.parent = None; // the enclosing cell is beyond this layer
                }
                if let Some(finding) = findings.get(before).filter(|_| strict) {
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

fn draft(
    level: &Name,
    crs: (&Systems, Crs),
    feature: Feature,
    findings: &mut Vec<Finding>,
) -> Result<Draft, GridError> {
    let code: Name = feature.code.as_str().into();
    let mut report = |what: What, detail: String| {
        findings.push(Finding::new(what, level, Some(&code), detail));
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
        report(What::NoArea, "no usable ring is left".to_owned());
    }
    Ok(Draft {
        code: feature.code,
        name: feature.name,
        parent: feature.parent,
        unit: feature.unit,
        polygons,
    })
}

fn positions((systems, crs): (&Systems, Crs), points: &[(f64, f64)]) -> Result<Vec<Position>, String> {
    let place = |(at, &(x, y)): (usize, &(f64, f64))| {
        systems
            .to_wgs84(crs, x, y)
            .and_then(|(lon, lat)| Position::from_degrees(lon, lat))
            .ok_or_else(|| format!("point {at}: ({x}, {y}) is no place in {crs}"))
    };
    points.iter().enumerate().map(place).collect()
}

/// Opens the ring and drops repeated points. `None` when nothing with an area is left.
fn ring(mut points: Vec<Position>, place: &str, report: &mut impl FnMut(What, String)) -> Option<Ring> {
    let closed = points.len() > 1 && points.first() == points.last();
    points.dedup();
    while points.len() > 1 && points.first() == points.last() {
        points.pop();
    }
    if points.len() < 3 {
        report(
            What::DegenerateRing,
            format!("{place} has {} different points", points.len()),
        );
        return None;
    }
    if !closed {
        report(What::UnclosedRing, format!("{place} is not closed"));
    }
    // a figure of eight can have no net area and still enclose ground; a line cannot
    if points.iter().all(|&p| cross(points[0], points[1], p) == 0) {
        report(What::DegenerateRing, format!("{place} is a line"));
        return None;
    }
    if let Some(at) = self_crossing(&points) {
        let (lon, lat) = (at.lon(), at.lat());
        let detail = format!("{place} crosses itself near {lon:.6}, {lat:.6}");
        report(What::SelfCrossing, detail);
    }
    Some(points)
}
