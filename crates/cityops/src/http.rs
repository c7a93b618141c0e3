//! HTTP: health for the platform, metrics for Prometheus, and the committed incidents of the whole city, read-only: as
//! pages, as a stream of changes, and on a map.
//!
//! It answers from the board and from atomics; it asks no worker and no broker.

pub(crate) mod access;
mod door;
mod events;
mod grid;
mod health;
mod hosts;
mod incidents;
mod listening;
mod map;
mod seats;
mod tls;
mod tokens;
mod vitals;

use std::future::Future;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{FromRef, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use city_model::EventTime;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::board::Board;
use crate::feed::Feed;
use crate::metrics::{self, Metrics};
use crate::vitals::VitalsBoard;

pub use door::Door;
pub use grid::Grids;
pub use health::{Health, LoopHealth, SILENT_MAX};

/// How long a slow reader may keep the process from ending.
const GRACE: Duration = Duration::from_secs(3);

/// What answers are made from.
#[derive(Clone)]
pub struct Serving {
    /// The incidents.
    pub board: Arc<Board>,
    /// Their changes.
    pub feed: Arc<Feed>,
    /// The grid.
    pub grids: Arc<Grids>,
    /// The vital signs.
    pub vitals: Arc<VitalsBoard>,
    /// The loops.
    pub health: Arc<Health>,
    /// The metrics.
    pub metrics: Arc<Metrics>,
}

/// Listens at `http.listen`, such as `127.0.0.1:8080`; port 0 takes any free one.
///
/// # Errors
/// One sentence with the address and the reason: in use, not this machine's, not allowed, not an address.
pub async fn bind(listen: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).await.map_err(|error| {
        let why = match error.kind() {
            ErrorKind::AddrInUse => "the address is in use, perhaps by another cityops".to_owned(),
            ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
            ErrorKind::PermissionDenied => "this user may not listen there".to_owned(),
            ErrorKind::InvalidInput => "it is not an address; write one such as 127.0.0.1:8080".to_owned(),
            _ => error.to_string(),
        };
        anyhow::anyhow!("cannot listen at {listen}: {why}")
    })
}

/// Answers requests until `shutdown` is done, then ends the streams and finishes the answers that are under way, for at most
/// three seconds.
pub async fn serve(
    listener: TcpListener,
    door: Door,
    serving: Serving,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    listening::serve(listener, door, serving, shutdown, GRACE).await;
}

/// What the answers of one listener are made from.
#[derive(Clone)]
struct Guarded {
    serving: Serving,
    door: Door,
    streams: Arc<Semaphore>,
    /// Turns true when the listener ends.
    ending: watch::Receiver<bool>,
}

impl std::ops::Deref for Guarded {
    type Target = Serving;

    fn deref(&self) -> &Serving {
        &self.serving
    }
}

impl FromRef<Guarded> for Serving {
    fn from_ref(guarded: &Guarded) -> Serving {
        guarded.serving.clone()
    }
}

impl Guarded {
    fn new(serving: Serving, door: Door, ending: watch::Receiver<bool>) -> Guarded {
        let streams = Arc::new(Semaphore::new(door.limits.streams));
        Guarded {
            serving,
            door,
            streams,
            ending,
        }
    }
}

/// The routes.
fn router_of(serving: Serving, door: Door, ending: watch::Receiver<bool>) -> Router {
    let guarded = Guarded::new(serving, door, ending);
    let routes = of_probes()
        .route("/", get(map::page))
        .route("/map/{file}", get(map::file))
        .route("/api/incidents", get(incidents::list))
        .route("/api/incidents/{id}", get(incidents::one))
        .route("/api/events", get(events::stream))
        .route("/api/grid", get(grid::show))
        .route("/api/vitals", get(vitals::list))
        .fallback(nowhere);
    finished(routes, guarded)
}

/// The routes of a connection beyond the limit.
fn probes(serving: Serving, door: Door, ending: watch::Receiver<bool>) -> Router {
    finished(of_probes().fallback(full), Guarded::new(serving, door, ending))
}

fn of_probes() -> Router<Guarded> {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics_text))
}

fn finished(routes: Router<Guarded>, guarded: Guarded) -> Router {
    routes
        .method_not_allowed_fallback(read_only)
        .layer(from_fn_with_state(guarded.clone(), tokens::guard))
        .layer(from_fn_with_state(guarded.clone(), hosts::guard))
        .layer(from_fn(as_declared))
        .with_state(guarded)
}

/// Nobody is to guess what an answer is from what it looks like.
async fn as_declared(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

async fn livez(State(serving): State<Serving>) -> Response {
    let silent = serving.health.silent();
    if silent.is_empty() {
        return answer(StatusCode::OK, json!({"alive": true}));
    }
    let silent: Vec<Value> = silent
        .iter()
        .map(|(worker, silence)| json!({"worker": worker, "silent_seconds": silence.as_secs()}))
        .collect();
    let error = format!(
        "a loop has given no sign for more than {} s",
        SILENT_MAX.as_secs()
    );
    answer(
        StatusCode::SERVICE_UNAVAILABLE,
        json!({"alive": false, "error": error, "silent": silent}),
    )
}

/// What the process misses until it is ready.
fn missing(serving: &Serving) -> Vec<String> {
    let mut missing = serving.health.missing();
    if !serving.board.is_caught_up() {
        missing.push("board: caught up".to_owned());
    }
    missing
}

async fn readyz(State(serving): State<Serving>) -> Response {
    let missing = missing(&serving);
    let status = if missing.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    answer(status, json!({"ready": missing.is_empty(), "missing": missing}))
}

async fn metrics_text(State(serving): State<Serving>) -> Response {
    let readiness = serving.metrics.readiness();
    readiness.show(missing(&serving).is_empty(), &serving.health.reads());
    match serving.metrics.text(wall_clock()) {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => answer(
            StatusCode::INTERNAL_SERVER_ERROR,
            json!({"error": format!("{error:#}")}),
        ),
    }
}

async fn nowhere(request: Request) -> Response {
    nowhere_at(request.uri().path())
}

fn nowhere_at(path: &str) -> Response {
    answer(
        StatusCode::NOT_FOUND,
        json!({"error": "there is nothing here", "path": path}),
    )
}

async fn full(State(guarded): State<Guarded>) -> Response {
    let limit = guarded.door.limits.connections;
    let error = format!("there are {limit} connections already, as many as http.limits.connections allows");
    answer(
        StatusCode::SERVICE_UNAVAILABLE,
        json!({"error": error, "limit": limit}),
    )
}

async fn read_only() -> Response {
    let error = json!({"error": "only GET and HEAD are answered; commands go to city.incidents.commands.v1"});
    (
        [(header::ALLOW, "GET,HEAD")],
        answer(StatusCode::METHOD_NOT_ALLOWED, error),
    )
        .into_response()
}

fn answer(status: StatusCode, body: Value) -> Response {
    json_text(status, body.to_string())
}

/// An answer whose body is JSON already. What is true now may not be true a second later, so nobody keeps it.
fn json_text(status: StatusCode, body: String) -> Response {
    (
        status,
        [
            (header::CONTENT_TYPE, "application/json"),
            (header::CACHE_CONTROL, "no-store"),
        ],
        body,
    )
        .into_response()
}

/// The time on this machine's clock.
pub fn wall_clock() -> EventTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    EventTime::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
