//! `/`: the live map. A page of our own files alone: no script in the page, nothing from elsewhere.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use city_model::sha256_hex;

use super::{Guarded, nowhere_at};

/// What a page may do: its own scripts, styles and questions, and nothing of anybody else's.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE: File = File {
    name: "",
    content_type: "text/html; charset=utf-8",
    text: include_str!("map/index.html"),
};

const SCRIPT: &str = "text/javascript; charset=utf-8";

const FILES: [File; 6] = [
    File {
        name: "map.css",
        content_type: "text/css; charset=utf-8",
        text: include_str!("map/map.css"),
    },
    File {
        name: "main.js",
        content_type: SCRIPT,
        text: include_str!("map/main.js"),
    },
    File {
        name: "events.js",
        content_type: SCRIPT,
        text: include_str!("map/events.js"),
    },
    File {
        name: "city.js",
        content_type: SCRIPT,
        text: include_str!("map/city.js"),
    },
    File {
        name: "drawing.js",
        content_type: SCRIPT,
        text: include_str!("map/drawing.js"),
    },
    File {
        name: "words.js",
        content_type: SCRIPT,
        text: include_str!("map/words.js"),
    },
];

struct File {
    name: &'static str,
    content_type: &'static str,
    text: &'static str,
}

pub(super) async fn page(State(_): State<Guarded>, headers: HeaderMap) -> Response {
    serve(&PAGE, &headers)
}

pub(super) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match FILES.iter().find(|file| file.name == name) {
        Some(file) => serve(file, &headers),
        None => nowhere_at(&format!("/map/{name}")),
    }
}

fn serve(file: &File, asked: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", &sha256_hex(file.text.as_bytes())[..20]);
    let holds = asked
        .get(header::IF_NONE_MATCH)
        .is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let mut response = if holds {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        file.text.into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.content_type));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    // A new program brings new files: who kept one asks whether it holds.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    // Hexadecimal digits in quotes are a header's value.
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}
