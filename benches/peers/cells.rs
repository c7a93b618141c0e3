//! The cell of an event: of a lattice, or of the polygons of a file.

use std::fmt::Write;
use std::path::Path;

use anyhow::Context;
use city_grid::{Crs, Layer, LayerConfig, LevelConfig};
use city_model::Position;

use super::event::Micro;
use super::plane::metres;

/// How places become cells.
pub enum Cells {
    /// Squares of 100 m on the job's plane.
    Lattice,
    /// A layer of the city's grid.
    Polygons(Box<Layer>),
}

impl Cells {
    /// `lattice`, or a file of polygons with a line each: the code, a tab, and the corners as `lon lat` with commas between.
    pub fn named(name: &str) -> anyhow::Result<Cells> {
        match name {
            "lattice" => Ok(Cells::Lattice),
            file => polygons(Path::new(file)).with_context(|| format!("read {file}")),
        }
    }

    /// Writes the code of the cell that holds a place.
    pub fn code<'a>(&'a self, place: Micro, text: &'a mut [u8; 8]) -> &'a [u8] {
        match self {
            Cells::Lattice => {
                let (x, y) = metres(place);
                let column = (x / 100.0).floor() as i32;
                let row = (y / 100.0).floor() as i32;
                *text = *b"c000-000";
                three(&mut text[1..4], column);
                three(&mut text[5..8], row);
                &text[..]
            }
            Cells::Polygons(layer) => {
                let at = Position {
                    lon_e9: i64::from(place.lon) * 1_000,
                    lat_e9: i64::from(place.lat) * 1_000,
                };
                let cell = layer.locate(at).cell();
                cell.map_or(&b"none"[..], |cell| layer.cell(cell).code.as_bytes())
            }
        }
    }
}

/// Three digits; the job's plane has no more.
fn three(text: &mut [u8], number: i32) {
    let mut number = number.unsigned_abs();
    for digit in text.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

fn polygons(file: &Path) -> anyhow::Result<Cells> {
    let mut features = String::new();
    for line in std::fs::read_to_string(file)?.lines() {
        let (code, corners) = line.split_once('\t').context("a line without a tab")?;
        let mut ring: Vec<&str> = corners.split(',').collect();
        ring.extend(ring.first().copied());
        let ring: Vec<String> = ring
            .into_iter()
            .map(|corner| format!("[{}]", corner.replace(' ', ",")))
            .collect();
        let comma = if features.is_empty() { "" } else { "," };
        write!(
            features,
            r#"{comma}{{"type":"Feature","properties":{{"code":"{code}"}},"geometry":{{"type":"Polygon","coordinates":[[{}]]}}}}"#,
            ring.join(",")
        )?;
    }
    let text = format!(r#"{{"type":"FeatureCollection","features":[{features}]}}"#);
    let config = LayerConfig {
        name: "cells".to_owned(),
        levels: vec![LevelConfig {
            level: "cell".to_owned(),
            crs: Crs::Wgs84,
            code: "code".to_owned(),
            label: "code".to_owned(),
            parent: None,
            unit: None,
            valid_from: None,
            valid_to: None,
            encoding: None,
        }],
    };
    let (layer, _) = Layer::load(&config, &[text.as_bytes()], false)?;
    // What lies outside all cells has none.
    Ok(Cells::Polygons(Box::new(layer.with_snap_mm(0))))
}
