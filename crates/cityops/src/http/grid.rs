//! `/api/grid`: the cells of one level of a layer as GeoJSON, as they are now, to be drawn.
//!
//! Corners are moved to the crossings of a lattice: what two cells share stays shared, which simplifying each border by
//! itself would not promise. Answers are kept, compressed, and bear a tag: who has one is told that it still holds.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use city_grid::{Layer, Timeline};
use city_model::{Position, sha256_hex};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::json;

use super::{Guarded, answer, wall_clock};

/// Half a dot of the map at the scale of a town.
const STEP_M: f64 = 5.0;
const STEP_M_MAX: f64 = 1_000.0;
/// A degree of latitude, and of longitude at the equator.
const METRES_PER_DEGREE: f64 = 111_320.0;
/// Answers that are kept; a page asks for two.
const KEPT: usize = 6;

/// Where the layers come from, and the answers that were made of them.
pub struct Grids {
    layers: Box<dyn Fn() -> Vec<Timeline> + Send + Sync>,
    kept: Mutex<Vec<Arc<Answer>>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Wanted {
    layer: Option<String>,
    level: Option<String>,
    step_m: f64,
}

/// An answer and what it was made of.
struct Answer {
    version: String,
    layer: String,
    level: String,
    asked_step_m: f64,
    gzip: Bytes,
}

impl Answer {
    fn tag(&self) -> String {
        let of = format!(
            "{} {} {} {}",
            self.version, self.layer, self.level, self.asked_step_m
        );
        format!("W/\"{}\"", &sha256_hex(of.as_bytes())[..20])
    }
}

impl Grids {
    /// Grids of these layers, asked for at each request: they may change while the process runs.
    pub fn new(layers: impl Fn() -> Vec<Timeline> + Send + Sync + 'static) -> Grids {
        Grids {
            layers: Box::new(layers),
            kept: Mutex::default(),
        }
    }

    /// The answer to a question, or why there is none.
    fn answer(&self, wanted: &Wanted, bytes_max: usize) -> Result<Arc<Answer>, Response> {
        let layers = (self.layers)();
        let names: Vec<&str> = layers.iter().map(|layer| &**layer.name()).collect();
        let nowhere = |what: &str, name: &str, there: &[&str]| {
            let error =
                json!({"error": format!("there is no {what} of this name"), what: name, "there_are": there});
            answer(StatusCode::NOT_FOUND, error)
        };
        let found = match &wanted.layer {
            Some(name) => layers.iter().find(|layer| &**layer.name() == name.as_str()),
            None => layers.first(),
        };
        let Some(timeline) = found else {
            return Err(nowhere(
                "layer",
                wanted.layer.as_deref().unwrap_or_default(),
                &names,
            ));
        };
        let layer = timeline.at(wall_clock());
        let levels: Vec<&str> = layer.levels().map(|level| &**level).collect();
        let level = match &wanted.level {
            Some(name) => levels.iter().position(|level| *level == name.as_str()),
            None => levels.len().checked_sub(1),
        };
        let Some(level) = level else {
            return Err(nowhere(
                "level",
                wanted.level.as_deref().unwrap_or_default(),
                &levels,
            ));
        };
        let is_this = |kept: &Arc<Answer>| {
            *kept.version == **layer.version()
                && *kept.layer == **layer.name()
                && kept.level == levels[level]
                && kept.asked_step_m.total_cmp(&wanted.step_m).is_eq()
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = kept.iter().position(is_this) {
            let found = kept.remove(at);
            kept.push(found.clone());
            return Ok(found);
        }
        // Others wait, so that nobody makes it a second time.
        let mut step_m = wanted.step_m;
        let text = loop {
            match geojson(layer, level, step_m, &names, bytes_max) {
                Some(text) => break text,
                None if step_m >= STEP_M_MAX => {
                    let error = json!({"error": "this level has more cells than http.limits.answer_mib has room for"});
                    return Err(answer(StatusCode::INSUFFICIENT_STORAGE, error));
                }
                None => step_m = (step_m * 2.0).max(1.0),
            }
        };
        let made = Arc::new(Answer {
            version: layer.version().to_string(),
            layer: layer.name().to_string(),
            level: levels[level].to_owned(),
            asked_step_m: wanted.step_m,
            gzip: packed(&text),
        });
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push(made.clone());
        Ok(made)
    }
}

pub(super) async fn show(
    State(guarded): State<Guarded>,
    headers: HeaderMap,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Response {
    let wanted = match query {
        Ok(Query(pairs)) => read(&pairs),
        Err(error) => return answer(StatusCode::BAD_REQUEST, json!({"error": error.body_text()})),
    };
    let wanted = match wanted {
        Ok(wanted) => wanted,
        Err((parameter, error)) => {
            return answer(
                StatusCode::BAD_REQUEST,
                json!({"error": error, "parameter": parameter}),
            );
        }
    };
    let grids = guarded.grids.clone();
    let bytes_max = guarded.door.limits.answer_mib * 1024 * 1024;
    let made = tokio::task::spawn_blocking(move || grids.answer(&wanted, bytes_max)).await;
    let made = match made {
        Ok(Ok(made)) => made,
        Ok(Err(refused)) => return refused,
        // The runtime ends while the question waits.
        Err(error) => {
            return answer(
                StatusCode::SERVICE_UNAVAILABLE,
                json!({"error": error.to_string()}),
            );
        }
    };
    let tag = made.tag();
    let shared = [
        (header::ETAG, tag.clone()),
        // Kept by whoever likes, and asked for again each time: a new grid shows at once.
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
        (header::VARY, "accept-encoding".to_owned()),
        (header::CONTENT_TYPE, "application/geo+json".to_owned()),
    ];
    let names = |header: header::HeaderName, word: &str| {
        let listed = headers
            .get_all(header)
            .iter()
            .filter_map(|value| value.to_str().ok());
        let mut words = listed.flat_map(|value| value.split(',')).map(str::trim);
        words.any(|listed| listed == word || listed == "*")
    };
    if names(header::IF_NONE_MATCH, &tag) {
        return (StatusCode::NOT_MODIFIED, shared).into_response();
    }
    if names(header::ACCEPT_ENCODING, "gzip") {
        return (shared, [(header::CONTENT_ENCODING, "gzip")], made.gzip.clone()).into_response();
    }
    let mut text = Vec::new();
    // The bytes are our own, so reading them back cannot fail.
    match GzDecoder::new(&*made.gzip).read_to_end(&mut text) {
        Ok(_) => (shared, text).into_response(),
        Err(error) => answer(
            StatusCode::INTERNAL_SERVER_ERROR,
            json!({"error": error.to_string()}),
        ),
    }
}

fn packed(text: &str) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 4), Compression::fast());
    // Writing to memory cannot fail.
    match encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()) {
        Ok(bytes) => bytes.into(),
        Err(_) => Bytes::new(),
    }
}

/// An empty value is as if it were not there.
fn read(pairs: &[(String, String)]) -> Result<Wanted, (String, String)> {
    let mut wanted = Wanted {
        layer: None,
        level: None,
        step_m: STEP_M,
    };
    for (name, value) in pairs {
        let bad = |message: String| Err((name.clone(), message));
        match name.as_str() {
            "layer" | "level" | "step_m" if value.is_empty() => {}
            "layer" => wanted.layer = Some(value.clone()),
            "level" => wanted.level = Some(value.clone()),
            "step_m" => match value.parse::<f64>() {
                // In whole metres, so that the answers that are kept are few.
                Ok(step_m) if (0.0..=STEP_M_MAX).contains(&step_m) && step_m.fract() == 0.0 => {
                    wanted.step_m = step_m;
                }
                _ => {
                    return bad(format!(
                        "whole metres from 0 (as loaded) to {STEP_M_MAX} are wanted"
                    ));
                }
            },
            _ => return bad("no such parameter; there are layer, level, step_m".to_owned()),
        }
    }
    Ok(wanted)
}

/// The cells of a level, or `None` when they take more room than there is.
fn geojson(layer: &Layer, level: usize, step_m: f64, layers: &[&str], bytes_max: usize) -> Option<String> {
    let lattice = Lattice::new(layer.bbox(), step_m);
    let levels: Vec<&str> = layer.levels().map(|level| &**level).collect();
    let head = json!({
        "layer": layer.name(), "level": levels.get(level), "version": layer.version(), "step_m": step_m,
        "layers": layers, "levels": levels, "bbox": layer.bbox(),
    });
    let head = head.to_string();
    // RFC 7946, 6.1: other members may stand beside those of a collection.
    let mut text = format!(
        "{{\"type\":\"FeatureCollection\",{},\"features\":[",
        &head[1..head.len() - 1]
    );
    let mut rings = String::new();
    let mut is_first = true;
    for (index, cell) in layer.cells(level) {
        rings.clear();
        for polygon in layer.polygons(index) {
            let before = rings.len();
            for ring in polygon {
                let corners = lattice.ring(ring);
                if corners.len() < 3 {
                    // Smaller than the lattice shows. A hole goes by itself, an outer ring with its holes.
                    if rings.len() == before {
                        break;
                    }
                    continue;
                }
                rings.push_str(if rings.len() == before {
                    if before == 0 { "[[" } else { ",[[" }
                } else {
                    ",["
                });
                for corner in corners.iter().chain(corners.first()) {
                    rings.push_str(&format!("[{:.6},{:.6}],", corner.lon(), corner.lat()));
                }
                rings.pop();
                rings.push(']');
            }
            if rings.len() > before {
                rings.push(']');
            }
        }
        let parent = cell.parent.map(|parent| &layer.cell(parent).code);
        let properties = json!({"code": cell.code, "name": cell.name, "unit": cell.unit, "parent": parent});
        let comma = if is_first { "" } else { "," };
        is_first = false;
        let geometry = if rings.is_empty() {
            "null".to_owned()
        } else {
            format!("{{\"type\":\"MultiPolygon\",\"coordinates\":[{rings}]}}")
        };
        text.push_str(&format!(
            "{comma}{{\"type\":\"Feature\",\"properties\":{properties},\"geometry\":{geometry}}}"
        ));
        if text.len() > bytes_max {
            return None;
        }
    }
    text.push_str("]}");
    Some(text)
}

/// Crossings to which corners move.
struct Lattice {
    lon_e9: i64,
    lat_e9: i64,
}

impl Lattice {
    /// A lattice of so many metres in the middle of a box; 0 leaves corners where they are.
    fn new([_, south, _, north]: [f64; 4], step_m: f64) -> Lattice {
        let lat = step_m / METRES_PER_DEGREE * 1e9;
        // Nothing is decided by it, so the platform's own cosine will do; at a pole it is as good as nothing.
        let narrow = ((south + north) / 2.0).to_radians().cos().max(0.01);
        Lattice {
            lon_e9: ((lat / narrow) as i64).max(1),
            lat_e9: (lat as i64).max(1),
        }
    }

    fn moved(&self, corner: Position) -> Position {
        let to = |value: i64, step: i64| (value + step / 2).div_euclid(step) * step;
        Position {
            lon_e9: to(corner.lon_e9, self.lon_e9),
            lat_e9: to(corner.lat_e9, self.lat_e9),
        }
    }

    /// A ring without the corners that coincide, or lie on a straight line, afterwards.
    fn ring(&self, ring: &[Position]) -> Vec<Position> {
        let mut corners: Vec<Position> = Vec::with_capacity(ring.len());
        for corner in ring.iter().map(|corner| self.moved(*corner)) {
            while corners.last().is_some_and(|last| *last == corner) {
                corners.pop();
            }
            if let [.., a, b] = corners[..]
                && is_straight(a, b, corner)
            {
                corners.pop();
            }
            corners.push(corner);
        }
        while corners.len() > 1 && corners.first() == corners.last() {
            corners.pop();
        }
        corners
    }
}

/// Whether a middle corner lies on the way between two others.
fn is_straight(a: Position, b: Position, c: Position) -> bool {
    let wide = |to: i64, from: i64| i128::from(to) - i128::from(from);
    let across = wide(b.lon_e9, a.lon_e9) * wide(c.lat_e9, b.lat_e9)
        - wide(b.lat_e9, a.lat_e9) * wide(c.lon_e9, b.lon_e9);
    let along = wide(b.lon_e9, a.lon_e9) * wide(c.lon_e9, b.lon_e9)
        + wide(b.lat_e9, a.lat_e9) * wide(c.lat_e9, b.lat_e9);
    across == 0 && along >= 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lon_e9: i64, lat_e9: i64) -> Position {
        Position { lon_e9, lat_e9 }
    }

    #[test]
    fn corners_that_the_lattice_does_not_tell_apart_are_one() {
        let lattice = Lattice {
            lon_e9: 10,
            lat_e9: 10,
        };
        let ring = [
            at(1, 1),
            at(3, -2),
            at(48, 1),
            at(101, 3),
            at(99, 98),
            at(2, 103),
            at(4, 4),
        ];
        assert_eq!(
            lattice.ring(&ring),
            [at(0, 0), at(100, 0), at(100, 100), at(0, 100)]
        );
        assert!(lattice.ring(&[at(1, 1), at(2, 2), at(3, 1)]).len() < 3);
        let as_loaded = Lattice::new([0.0, 30.0, 1.0, 31.0], 0.0);
        assert_eq!(as_loaded.ring(&ring[..3]), &ring[..3]);
    }

    #[test]
    fn what_does_not_fit_is_drawn_more_coarsely_or_not_at_all() {
        let grids = Grids::new(|| vec![city_grid::builtin().into()]);
        let wanted = Wanted {
            layer: None,
            level: None,
            step_m: 0.0,
        };
        let whole = grids.answer(&wanted, usize::MAX).unwrap();
        let read = |answer: &Answer| -> serde_json::Value {
            let mut text = String::new();
            GzDecoder::new(&*answer.gzip).read_to_string(&mut text).unwrap();
            serde_json::from_str(&text).unwrap()
        };
        let as_loaded = read(&whole);
        let size = as_loaded.to_string().len();
        let coarse = Grids::new(|| vec![city_grid::builtin().into()]);
        let coarse = read(&coarse.answer(&wanted, size * 4 / 5).unwrap());
        let cells = |answer: &serde_json::Value| answer["features"].as_array().unwrap().len();
        assert_eq!(cells(&coarse), cells(&as_loaded));
        assert!(
            coarse["step_m"].as_f64() > as_loaded["step_m"].as_f64(),
            "{}",
            coarse["step_m"]
        );
        let none = Grids::new(|| vec![city_grid::builtin().into()]);
        assert_eq!(none.answer(&wanted, 1_000).err().unwrap().status(), 507);
    }
}
