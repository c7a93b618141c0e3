//! From the texts of a layer's files to the layer: coordinates, rings, and what was odd about them.

use city_model::{Name, Position};
use jiff::tz::TimeZone;

use super::bent::bent;
use super::holes::polygons_of;
use super::read::{Feature, Ground, LevelSource, RawRing, read};
use super::validity::Span;
use super::{Draft, LayerConfig};
use crate::crs::{Crs, Systems};
use crate::finding::{Finding, GridError, What};
use crate::ring::{Ring, cross, self_crossings, spikes};

/// A cell with the time that it is valid.
#[derive(Debug, Clone)]
pub(super) struct Dated {
    pub(super) draft: Draft,
    pub(super) span: Span,
}

/// Levels of cells, widest first, and what was odd about their files.
pub(super) type Levels = (Vec<(Name, Vec<Dated>)>, Vec<Finding>);

/// Reads the files of a layer.
pub(super) fn levels(
    systems: &Systems,
    config: &LayerConfig,
    sources: &[LevelSource<'_>],
    strict: bool,
    zone: &TimeZone,
) -> Result<Levels, GridError> {
    if config.levels.is_empty() || config.levels.len() != sources.len() {
        return Err(GridError::Config(format!(
            "layer `{}` has {} levels and {} files",
            config.name,
            config.levels.len(),
            sources.len()
        )));
    }
    let mut findings = Vec::new();
    let mut levels: Vec<(Name, Vec<Dated>)> = Vec::with_capacity(sources.len());
    for (at, (level, source)) in config.levels.iter().zip(sources).enumerate() {
        let name: Name = level.level.as_str().into();
        if levels.iter().any(|(other, _)| *other == name) {
            let what = format!("layer `{}` has level `{name}` twice", config.name);
            return Err(GridError::Config(what));
        }
        let read = read(level, source)?;
        let of_file = read.oddities;
        if let Some((what, detail)) = of_file.first().filter(|_| strict) {
            return Err(GridError::File {
                level: level.level.clone(),
                what: format!("{what}: {detail}"),
            });
        }
        let mut cells = Vec::with_capacity(read.features.len());
        for feature in read.features {
            let index = feature.index;
            let before = findings.len();
            let mut cell =
                dated(&name, (systems, level.crs), feature, zone, &mut findings).map_err(|error| {
                    // numbers that are no place are best explained by the file's own word
                    let mismatch = of_file.iter().find(|(what, _)| *what == What::CrsMismatch);
                    mismatch.map_or(error.clone(), |(_, detail)| error.because(detail))
                })?;
            if at == 0 {
                cell.draft.parent = None; // the enclosing cell is beyond this layer
            }
            // a repeated point means nothing in any reading
            let mut new = findings[before..].iter();
            let flaw = new.find(|finding| finding.what != What::RepeatedPoint);
            if let Some(finding) = flaw.filter(|_| strict) {
                return Err(GridError::Feature {
                    level: level.level.clone(),
                    index,
                    code: Some(cell.draft.code),
                    what: format!("{}: {}", finding.what, finding.detail),
                });
            }
            cells.push(cell);
        }
        let of_file = of_file.into_iter();
        findings.extend(of_file.map(|(what, detail)| Finding::new(what, &name, None, detail)));
        levels.push((name, cells));
    }
    Ok((levels, findings))
}

fn dated(
    level: &Name,
    crs: (&Systems, Crs),
    feature: Feature,
    zone: &TimeZone,
    findings: &mut Vec<Finding>,
) -> Result<Dated, GridError> {
    let code: Name = feature.code.as_str().into();
    let mut report = |what: What, detail: String, points: &[Position]| {
        findings.push(Finding::new(what, level, Some(&code), detail).at_points(points));
    };
    for (what, detail) in feature.oddities {
        report(what, detail, &[]);
    }
    let mut usable = |points: &RawRing, place: &str| {
        let positions = positions(crs, points).map_err(|what| GridError::Feature {
            level: level.to_string(),
            index: feature.index,
            code: Some(feature.code.clone()),
            what: format!("{place}, {what}"),
        })?;
        let ring = ring(positions, place, &mut report);
        Ok(ring.map(|ring| bent(ring, crs.0, crs.1)))
    };
    let polygons = match &feature.ground {
        Ground::Polygons(polygons) => {
            let mut kept = Vec::with_capacity(polygons.len());
            for (at, polygon) in polygons.iter().enumerate() {
                let mut rings = Vec::with_capacity(polygon.len());
                for (number, points) in polygon.iter().enumerate() {
                    match usable(points, &format!("polygon {at}, ring {number}"))? {
                        Some(ring) => rings.push(ring),
                        None if number == 0 => break, // holes without their polygon would become ground
                        None => {}
                    }
                }
                if !rings.is_empty() {
                    kept.push(rings);
                }
            }
            kept
        }
        Ground::Loose(rings) => {
            let mut kept = Vec::with_capacity(rings.len());
            for (number, points) in rings.iter().enumerate() {
                kept.extend(usable(points, &format!("polygon 0, ring {number}"))?);
            }
            polygons_of(kept)
        }
    };
    if polygons.is_empty() {
        report(What::NoArea, "no usable ring is left".to_owned(), &[]);
    }
    let span = Span::read(&feature.valid, zone, |detail| {
        report(What::BadValidity, detail, &[])
    });
    Ok(Dated {
        draft: Draft {
            code: feature.code,
            name: feature.name,
            parent: feature.parent,
            unit: feature.unit,
            polygons,
        },
        span,
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
                2 => ", and at another place".to_owned(),
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
