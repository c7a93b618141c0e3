//! What HTTP serves and refuses.

use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Registry};

use super::Maker;

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
}

impl Refused {
    const ALL: [Refused; 4] = [
        Refused::Connections,
        Refused::Streams,
        Refused::Token,
        Refused::Behind,
    ];

    /// The label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Refused::Connections => "connections",
            Refused::Streams => "streams",
            Refused::Token => "token",
            Refused::Behind => "behind",
        }
    }
}

/// Open connections and streams, and what was refused.
pub struct HttpMetrics {
    open: IntGaugeVec,
    refused: IntCounterVec,
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
            refused: make.counters("http_refused_total", "HTTP connections and requests that were refused, and streams that were cut off, by the reason.", &["reason"])?,
        })
    }

    pub(super) fn begin(&self) {
        for reason in Refused::ALL {
            self.refused.with_label_values(&[reason.as_str()]);
        }
        for what in ["connection", "stream"] {
            self.open.with_label_values(&[what]);
        }
    }

    /// Counts one that was refused.
    pub fn refused(&self, why: Refused) {
        self.refused.with_label_values(&[why.as_str()]).inc();
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
