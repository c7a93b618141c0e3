//! `[http]`: where it listens, who may ask, and how much of everything.

use std::net::IpAddr;
use std::path::PathBuf;

use city_rules::ConfigError;
use city_rules::strict::DurationMs;
use serde::{Deserialize, Serialize};

use super::Loaded;

/// `[http]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Where it listens.
    pub listen: String,
    /// Whether anybody who reaches an address beyond this machine may read, without a token.
    pub allow_anonymous: bool,
    /// Names by which it may be asked, besides this machine's own; empty, with tokens or beyond this machine: any.
    pub hosts: Vec<String>,
    /// Which requests are written down: who read what.
    pub access_log: AccessLog,
    /// A file with `name sha256:HASH` lines: whoever asks must have one of these tokens.
    pub tokens_file: Option<PathBuf>,
    /// A PEM file with the certificate and those between it and its authority: TLS is spoken, and nothing else.
    pub tls_certificate: Option<PathBuf>,
    /// A PEM file with its key.
    pub tls_key: Option<PathBuf>,
    /// How much of everything.
    pub limits: HttpLimits,
}

impl Default for Http {
    fn default() -> Self {
        Http {
            listen: "127.0.0.1:8080".to_owned(),
            allow_anonymous: false,
            hosts: Vec::new(),
            access_log: AccessLog::default(),
            tokens_file: None,
            tls_certificate: None,
            tls_key: None,
            limits: HttpLimits::default(),
        }
    }
}

/// Which HTTP requests are written down, a line each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessLog {
    /// All but health and metrics, and those where they are refused.
    #[default]
    Api,
    /// All.
    All,
    /// None.
    Off,
}

/// `[http.limits]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpLimits {
    /// Connections at once; a few more are let in for health and metrics alone.
    pub connections: usize,
    /// Streams of `/api/events` at once; each is a connection, too.
    pub streams: usize,
    /// Changes that the reader of a stream may fall behind before it is cut off.
    pub behind: usize,
    /// How long a client may take for the head of a request, TLS included, and wait between two.
    pub header_time: DurationMs,
    /// How long an answer may stand still because nobody reads it.
    pub stalled: DurationMs,
    /// How often a stream on which nothing happens gives a sign.
    pub heartbeat: DurationMs,
    /// The head of a request, in KiB.
    pub request_kib: usize,
    /// Incidents or cells in one answer.
    pub page: usize,
    /// Borders in one answer of `/api/grid`, in MiB; they are drawn more coarsely rather than longer.
    pub answer_mib: usize,
}

impl Default for HttpLimits {
    fn default() -> Self {
        HttpLimits {
            connections: 256,
            streams: 64,
            behind: 8_192,
            header_time: DurationMs(10_000),
            stalled: DurationMs(30_000),
            heartbeat: DurationMs(15_000),
            request_kib: 16,
            page: 10_000,
            answer_mib: 32,
        }
    }
}

impl HttpLimits {
    /// The key that makes no sense, and why.
    fn mistake(&self) -> Option<(&'static str, &'static str)> {
        // Longer than a day is no limit; shorter than this, and nobody gets an answer.
        let time = |time: DurationMs| !(100..=86_400_000).contains(&time.0);
        match self {
            it if !(1..=100_000).contains(&it.connections) => Some(("connections", "from 1 to 100000")),
            it if it.streams > it.connections => {
                Some(("streams", "each stream is a connection: at most \"connections\""))
            }
            it if !(1..=1_000_000).contains(&it.behind) => Some(("behind", "from 1 to 1000000 changes")),
            it if time(it.header_time) => Some(("header_time", "from 100ms to 1d")),
            it if time(it.stalled) => Some(("stalled", "from 100ms to 1d")),
            it if time(it.heartbeat) => Some(("heartbeat", "from 100ms to 1d")),
            it if !(1..=1_024).contains(&it.request_kib) => Some(("request_kib", "from 1 to 1024")),
            it if !(1..=10_000).contains(&it.page) => Some(("page", "from 1 to 10000")),
            it if !(1..=1_024).contains(&it.answer_mib) => Some(("answer_mib", "from 1 to 1024")),
            _ => None,
        }
    }
}

/// Whether only this machine reaches an address. A name other than `localhost` may lead anywhere.
pub fn is_loopback(listen: &str) -> bool {
    let host = listen.rsplit_once(':').map_or(listen, |(host, _)| host);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether it is a name or an address, without a port.
fn is_name(host: &str) -> bool {
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    host.parse::<IpAddr>().is_ok() || (!host.is_empty() && host.bytes().all(is_of_name))
}

impl Loaded {
    /// What `[http]` gets wrong without looking at any file.
    pub(crate) fn validate_http(&self) -> Result<(), ConfigError> {
        let http = &self.config.http;
        let wrong = |section: &str, key: &str, message: &str| {
            Err(self.wrong(section, key, &format!("\"{section}.{key}\": {message}")))
        };
        let listen = &http.listen;
        if !listen
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
        {
            let message = format!("\"{listen}\" is no host:port, such as 127.0.0.1:8080");
            return wrong("http", "listen", &message);
        }
        match (&http.tls_certificate, &http.tls_key) {
            (Some(_), None) => {
                return wrong("http", "tls_certificate", "its key is missing: set http.tls_key");
            }
            (None, Some(_)) => {
                return wrong(
                    "http",
                    "tls_key",
                    "there is no certificate for it: set http.tls_certificate",
                );
            }
            _ => {}
        }
        if http.allow_anonymous && http.tokens_file.is_some() {
            let message = "http.tokens_file says who may read; one of the two must go";
            return wrong("http", "allow_anonymous", message);
        }
        if !is_loopback(listen) && http.tokens_file.is_none() && !http.allow_anonymous {
            let message = format!(
                "at \"{listen}\" others than this machine could read all incidents; set http.tokens_file, or \
                 http.allow_anonymous = true where a gateway or the network decides who may"
            );
            return wrong("http", "listen", &message);
        }
        if let Some(host) = http.hosts.iter().find(|host| !is_name(host)) {
            let message = format!("\"{host}\" is no host's name, which has neither scheme nor port");
            return wrong("http", "hosts", &message);
        }
        match http.limits.mistake() {
            Some((key, message)) => wrong("http.limits", key, message),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for (listen, only_here) in [
            ("127.0.0.1:8080", true),
            ("127.9.9.9:1", true),
            ("[::1]:8080", true),
            ("localhost:8080", true),
            ("0.0.0.0:8080", false),
            ("[::]:8080", false),
            ("10.0.0.1:8080", false),
            ("127.0.0.1.example:8080", false),
            ("cityops:8080", false),
        ] {
            assert_eq!(is_loopback(listen), only_here, "{listen}");
        }
    }
}
