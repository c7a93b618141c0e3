//! `/api/grid`: the cells of one level of a layer as GeoJSON, as they are now, to be drawn.
//!
//! Corners are moved to the crossings of a lattice: what two cells share stays shared, which simplifying each border by
//! itself would not promise. Answers are kept, compressed, and bear a tag: who has one is told that it still holds.

mod borders;

use std::io::{Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use city_grid::Timeline;
use city_model::sha256_hex;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::{Guarded, answer, wall_clock};

/// Half a dot of the map at the scale of a town.
const STEP_M: f64 = 5.0;
const STEP_M_MAX: f64 = 1_000.0;
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
    fn answer(&self, wanted: &Wanted, bytes_max: usize) -> Result<Arc<Answer>, (StatusCode, Value)> {
        let layers = (self.layers)();
        let names: Vec<&str> = layers.iter().map(|layer| &**layer.name()).collect();
        let nowhere = |what: &str, name: &str, there: &[&str]| {
            let error =
                json!({"error": format!("there is no {what} of this name"), what: name, "there_are": there});
            (StatusCode::NOT_FOUND, error)
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
            match borders::geojson(layer, level, step_m, &names, bytes_max) {
                Some(text) => break text,
                None if step_m >= STEP_M_MAX => {
                    let error = json!({"error": "this level has more cells than http.limits.answer_mib has room for"});
                    return Err((StatusCode::INSUFFICIENT_STORAGE, error));
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
        Ok(Err((status, error))) => return answer(status, error),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_drawn_more_coarsely_or_not_at_all() {
        let grids = Grids::new(|| vec![city_grid::builtin().into()]);
        let wanted = Wanted {
            layer: None,
            level: None,
            step_m: 0.0,
        };
        let whole = grids.answer(&wanted, usize::MAX).unwrap();
        let read = |answer: &Answer| -> Value {
            let mut text = String::new();
            GzDecoder::new(&*answer.gzip).read_to_string(&mut text).unwrap();
            serde_json::from_str(&text).unwrap()
        };
        let as_loaded = read(&whole);
        let size = as_loaded.to_string().len();
        let coarse = Grids::new(|| vec![city_grid::builtin().into()]);
        let coarse = read(&coarse.answer(&wanted, size * 4 / 5).unwrap());
        let cells = |answer: &Value| answer["features"].as_array().unwrap().len();
        assert_eq!(cells(&coarse), cells(&as_loaded));
        assert!(
            coarse["step_m"].as_f64() > as_loaded["step_m"].as_f64(),
            "{}",
            coarse["step_m"]
        );
        let none = Grids::new(|| vec![city_grid::builtin().into()]);
        assert_eq!(
            none.answer(&wanted, 1_000).err().unwrap().0,
            StatusCode::INSUFFICIENT_STORAGE
        );
    }
}
