//! Small files of squares, for the tests of loading and of locating.

mod formats;
mod loading;
mod locating;
mod timelines;
mod written;

use super::*;
use crate::crs::{Crs, from_wgs84};
use crate::finding::{GridError, What};
use crate::generate::{GeneratedGrid, GridSpec, generate};

fn flat(crs: Crs) -> LayerConfig {
    let level = LevelConfig {
        level: "beat".to_owned(),
        crs,
        code: "code".to_owned(),
        label: "name".to_owned(),
        parent: None,
        unit: None,
        valid_from: None,
        valid_to: None,
        encoding: None,
    };
    LayerConfig {
        name: "police".to_owned(),
        levels: vec![level],
    }
}

fn feature(code: &str, geometry: &str) -> String {
    format!(
        r#"{{"type":"Feature","properties":{{"code":{code},"name":"n{}"}},"geometry":{geometry}}}"#,
        code.trim_matches('"')
    )
}

fn polygon(rings: &str) -> String {
    format!(r#"{{"type":"Polygon","coordinates":[{rings}]}}"#)
}

/// A square of 0.01° with its south-west corner `x`, `y` hundredths of a degree from 121° E 31° N.
fn square(code: &str, x: i64, y: i64) -> String {
    let lon = |x: i64| format!("{:.2}", 121.0 + x as f64 / 100.0);
    let lat = |y: i64| format!("{:.2}", 31.0 + y as f64 / 100.0);
    let (w, s, e, n) = (lon(x), lat(y), lon(x + 1), lat(y + 1));
    feature(
        code,
        &polygon(&format!("[[{w},{s}],[{e},{s}],[{e},{n}],[{w},{n}],[{w},{s}]]")),
    )
}

fn collection(features: &[String]) -> String {
    let features = features.join(",");
    format!(r#"{{"type":"FeatureCollection","features":[{features}]}}"#)
}

fn load(features: &[String]) -> (Layer, Vec<Finding>) {
    Layer::load(&flat(Crs::Wgs84), &[collection(features).as_bytes()], false).unwrap()
}

fn error(text: &[u8]) -> String {
    let outcome = Layer::load(&flat(Crs::Wgs84), &[text], false);
    outcome.unwrap_err().to_string()
}

fn at(lon: f64, lat: f64) -> Position {
    Position::from_degrees(lon, lat).unwrap()
}

fn code_at(layer: &Layer, lon: f64, lat: f64) -> Option<String> {
    let cell = layer.locate(at(lon, lat)).cell()?;
    Some(layer.cell(cell).code.to_string())
}
