//! Who read what: one line a request when its answer is out, so that access can be audited; a stream has one when it begins, too.
//!
//! A line has nothing that a client may write as it likes: no query, no header, and a path only where something was found there.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::http::{Method, Request, Response, StatusCode};
use hyper::body::{Body, Bytes, Frame, SizeHint};

use super::seats::Answering;
use crate::config::AccessLog;
use crate::metrics::Metrics;

/// The name of the token that a request bore; the guard puts it beside the answer.
#[derive(Debug, Clone)]
pub(super) struct Reader(pub(super) String);

/// Where requests are written down.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) log: AccessLog,
    /// Whether whoever asks has to bear a token.
    pub(super) tokens: bool,
    pub(super) peer: IpAddr,
    pub(super) metrics: Arc<Metrics>,
}

/// A path longer than any of ours.
const PATH_MAX: usize = 200;

/// Where something is: what all paths of one kind are counted as.
pub(crate) const ROUTES: [&str; 11] = [
    "/",
    "/livez",
    "/readyz",
    "/metrics",
    "/map/{file}",
    "/api/incidents",
    "/api/incidents/{id}",
    "/api/events",
    "/api/grid",
    "/api/vitals",
    "other",
];

fn route(path: &str) -> &'static str {
    if let Some(route) = ROUTES.into_iter().find(|route| *route == path) {
        return route;
    }
    match path {
        path if path.starts_with("/api/incidents/") => "/api/incidents/{id}",
        path if path.starts_with("/map/") => "/map/{file}",
        _ => "other",
    }
}

/// A request that is not answered to its end yet; it is written down when it is dropped.
pub(super) struct Asked {
    access: Access,
    begun: Instant,
    method: &'static str,
    path: String,
    route: &'static str,
    reader: Option<String>,
    status: Option<StatusCode>,
    bytes: u64,
}

impl Access {
    pub(super) fn asked<B>(&self, request: &Request<B>) -> Asked {
        let path = request.uri().path();
        let method = match *request.method() {
            Method::GET => "GET",
            Method::HEAD => "HEAD",
            _ => "other",
        };
        Asked {
            access: self.clone(),
            begun: Instant::now(),
            method,
            path: path.chars().take(PATH_MAX).collect(),
            route: route(path),
            reader: None,
            status: None,
            bytes: 0,
        }
    }
}

impl Asked {
    /// Goes on with the answer, until its body is out.
    pub(super) fn answered(
        mut self,
        response: Response<axum::body::Body>,
        answering: Answering,
    ) -> Response<Answer> {
        self.status = Some(response.status());
        self.reader = response
            .extensions()
            .get::<Reader>()
            .map(|reader| reader.0.clone());
        if self.route == "/api/events" && response.status() == StatusCode::OK {
            self.tell("a stream begins");
        }
        response.map(|body| Answer {
            body,
            asked: self,
            _answering: answering,
        })
    }

    /// The path, where it is one of ours to its end: else it may be anything, a telephone number too.
    fn shown(&self) -> &str {
        let found = self
            .status
            .is_some_and(|status| status.is_success() || status.is_redirection());
        if found { &self.path } else { self.route }
    }

    fn is_wanted(&self) -> bool {
        let is_probe = matches!(self.route, "/livez" | "/readyz" | "/metrics");
        let is_refused = self.status == Some(StatusCode::UNAUTHORIZED);
        match self.access.log {
            AccessLog::Off => false,
            AccessLog::Api => !is_probe || is_refused,
            AccessLog::All => true,
        }
    }

    fn tell(&self, what: &str) {
        if !self.is_wanted() {
            return;
        }
        let nobody = if self.access.tokens {
            "unknown"
        } else {
            "anonymous"
        };
        tracing::info!(
            target: "cityops::access",
            reader = self.reader.as_deref().unwrap_or(nobody),
            peer = %self.access.peer,
            method = self.method,
            path = self.shown(),
            status = self.status.map_or(0, |status| status.as_u16()),
            bytes = self.bytes,
            duration_ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            "{what}"
        );
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.access
            .metrics
            .http()
            .asked(self.route, self.status.map(|status| status.as_u16()));
        self.tell("an HTTP request ends");
    }
}

/// An answer's body, which counts what of it has gone out.
pub(super) struct Answer {
    body: axum::body::Body,
    asked: Asked,
    _answering: Answering,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            self.asked.bytes += data.len() as u64;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
