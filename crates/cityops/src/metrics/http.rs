//! What HTTP serves and refuses.

use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Registry};

use super::Maker;
use crate::http::access::ROUTES;

/// Why something was refused or cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Too many connections.
    Connections,
    /// Too many streams.
    Streams,
    /// No token, or one that nobody knows.
    Token,
    /// The reader of a stream fell too far behind.
    Behind,
    /// It waited, and somebody else needed its seat.
    Idle,
    /// It asked by another name than this machine's.
    Host,
}

impl Refused {
    const ALL: [Refused; 6] = [
        Refused::Connections,
        Refused::Streams,
        Refused::Token,
        Refused::Behind,
        Refused::Idle,
        Refused::Host,
    ];

    /// The label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Refused::Connections => "connections",
            Refused::Streams => "streams",
            Refused::Token => "token",
            Refused::Behind => "behind",
            Refused::Idle => "idle",
            Refused::Host => "host",
        }
    }
}

/// How a request may be answered that something is found or missed; the other two are seldom, and there when they were.
const ANSWERS: [&str; 3] = ["2xx", "4xx", "5xx"];

/// Requests, open connections and streams, and what was refused.
pub struct HttpMetrics {
    open: IntGaugeVec,
    refused: IntCounterVec,
    requests: IntCounterVec,
}

/// Counts one that is open, as long as it is held.
pub struct Open(IntGauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl HttpMetrics {
    pub(super) fn register(registry: &Registry) -> anyhow::Result<HttpMetrics> {
        let make = Maker(registry);
        Ok(HttpMetrics {
            open: make.gauges("http_open", "Open HTTP connections, and those of them that are streams of events.", &["what"])?,
            requests: make.counters("http_requests_total", "HTTP requests, by what was asked for and how it was answered: 2xx, 3xx, 4xx, 5xx, or none when the client went away first.", &["route", "answer"])?,
            refused: make.counters("http_refused_total", "HTTP connections and requests that were refused, and streams that were cut off, by the reason.", &["reason"])?,
        })
    }

    pub(super) fn begin(&self) {
        for reason in Refused::ALL {
            self.refused.with_label_values(&[reason.as_str()]);
        }
        for route in ROUTES {
            for answer in ANSWERS {
                self.requests.with_label_values(&[route, answer]);
            }
        }
        for what in ["connection", "stream"] {
            self.open.with_label_values(&[what]);
        }
    }

    /// Counts one that was refused.
    pub fn refused(&self, why: Refused) {
        self.refused.with_label_values(&[why.as_str()]).inc();
    }

    /// Counts a request by its route, and by its status, if it was answered.
    pub(crate) fn asked(&self, route: &str, status: Option<u16>) {
        let answer = match status {
            None => "none",
            Some(200..300) => "2xx",
            Some(300..400) => "3xx",
            Some(400..500) => "4xx",
            Some(_) => "5xx",
        };
        self.requests.with_label_values(&[route, answer]).inc();
    }

    /// Counts a connection.
    pub fn connection(&self) -> Open {
        self.opened("connection")
    }

    /// Counts a stream.
    pub fn stream(&self) -> Open {
        self.opened("stream")
    }

    fn opened(&self, what: &str) -> Open {
        let gauge = self.open.with_label_values(&[what]);
        gauge.inc();
        Open(gauge)
    }
}
