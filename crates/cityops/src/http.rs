//! HTTP: health for the platform, metrics for Prometheus, and the committed incidents of the whole city, read-only.
//!
//! It answers from the board and from atomics; it asks no worker and no broker.

mod health;
mod incidents;
mod vitals;

use std::future::Future;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use city_model::EventTime;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::board::Board;
use crate::metrics::{self, Metrics};
use crate::vitals::VitalsBoard;

pub use health::{Health, LoopHealth, SILENT_MAX};

/// How long a slow reader may keep the process from ending.
const GRACE: Duration = Duration::from_secs(3);

/// What answers are made from.
#[derive(Clone)]
pub struct Serving {
    /// The incidents.
    pub board: Arc<Board>,
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

/// Answers requests until `shutdown` is done, then finishes the answers that are under way, for at most three seconds.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    serving: Serving,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    serve_within(listener, serving, shutdown, GRACE).await
}

async fn serve_within(
    listener: TcpListener,
    serving: Serving,
    shutdown: impl Future<Output = ()> + Send + 'static,
    grace: Duration,
) -> std::io::Result<()> {
    let (ending, ended) = oneshot::channel::<()>();
    let server = axum::serve(listener, router(serving)).with_graceful_shutdown(async move {
        shutdown.await;
        // Nobody listens any more when the server has already failed.
        let _ = ending.send(());
    });
    let patience = async {
        let _ = ended.await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        result = server => result,
        () = patience => Ok(()),
    }
}

/// The routes.
pub fn router(serving: Serving) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics_text))
        .route("/api/incidents", get(incidents::list))
        .route("/api/incidents/{id}", get(incidents::one))
        .route("/api/vitals", get(vitals::list))
        .fallback(nowhere)
        .method_not_allowed_fallback(read_only)
        .with_state(serving)
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

async fn readyz(State(serving): State<Serving>) -> Response {
    let mut missing = serving.health.missing();
    if !serving.board.is_caught_up() {
        missing.push("board: caught up".to_owned());
    }
    let status = if missing.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    answer(status, json!({"ready": missing.is_empty(), "missing": missing}))
}

async fn metrics_text(State(serving): State<Serving>) -> Response {
    match serving.metrics.text(wall_clock()) {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => answer(
            StatusCode::INTERNAL_SERVER_ERROR,
            json!({"error": format!("{error:#}")}),
        ),
    }
}

async fn nowhere(request: Request) -> Response {
    answer(
        StatusCode::NOT_FOUND,
        json!({"error": "there is nothing here", "path": request.uri().path()}),
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
