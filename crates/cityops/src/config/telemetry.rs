//! `[telemetry]`: where spans go and how many; `[log]`: how lines are written.

use std::path::PathBuf;

use city_rules::ConfigError;
use city_rules::strict::DurationMs;
use serde::{Deserialize, Serialize};
use span_export::Endpoint;

use super::Loaded;

/// How spans are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum OtlpProtocol {
    /// OTLP over HTTP, in protobuf.
    #[default]
    #[serde(rename = "http/protobuf")]
    HttpProtobuf,
}

/// `[telemetry]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// A collector's address, `http(s)://host:port`; none: no spans leave, and traces are passed on all the same.
    pub endpoint: Option<String>,
    /// How spans are sent.
    pub protocol: OtlpProtocol,
    /// The share of transactions that are exported without any sampled record in them, 0 to 1.
    pub ratio: f64,
    /// The spans' `service.name`.
    pub service_name: String,
    /// A file with a token for the collector.
    pub token_file: Option<PathBuf>,
    /// A PEM file with the certificates of those who may have signed the collector's; needed for `https`.
    pub ca_file: Option<PathBuf>,
    /// How long one request may take.
    pub timeout: DurationMs,
    /// How many spans may wait; more are dropped and counted.
    pub queue: usize,
}

impl Default for Telemetry {
    fn default() -> Self {
        Telemetry {
            endpoint: None,
            protocol: OtlpProtocol::HttpProtobuf,
            ratio: 0.01,
            service_name: "cityops".to_owned(),
            token_file: None,
            ca_file: None,
            timeout: DurationMs(5_000),
            queue: 4_096,
        }
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// An object a line, with the same fields.
    Json,
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// How lines are written; `--log-json` asks for JSON, too.
    pub format: LogFormat,
}

impl Loaded {
    /// What `[telemetry]` gets wrong without looking at any file.
    pub(super) fn validate_telemetry(&self) -> Result<(), ConfigError> {
        let told = &self.config.telemetry;
        let wrong = |key: &str, message: &str| {
            Err(self.wrong("telemetry", key, &format!("\"telemetry.{key}\": {message}")))
        };
        if !(0.0..=1.0).contains(&told.ratio) {
            return wrong("ratio", "a share from 0 to 1, such as 0.01");
        }
        if told.service_name.trim().is_empty() {
            return wrong(
                "service_name",
                "spans need a name of their service, such as cityops",
            );
        }
        if !(100..=60_000).contains(&told.timeout.0) {
            return wrong("timeout", "from 100ms to 1m");
        }
        // A span is about a kilobyte.
        if !(64..=1_000_000).contains(&told.queue) {
            return wrong("queue", "from 64 to 1000000 spans");
        }
        let files = [("token_file", &told.token_file), ("ca_file", &told.ca_file)];
        let Some(endpoint) = &told.endpoint else {
            for (key, file) in files {
                if file.is_some() {
                    return wrong(
                        key,
                        "there is no collector that it is for: set telemetry.endpoint",
                    );
                }
            }
            return Ok(());
        };
        let endpoint = match Endpoint::parse(endpoint) {
            Ok(endpoint) => endpoint,
            Err(why) => return wrong("endpoint", &why),
        };
        match (&told.ca_file, endpoint.is_https()) {
            (None, true) => wrong(
                "endpoint",
                "https needs telemetry.ca_file: the certificates of those who may have signed the collector's, in PEM; \
                 the system's are often /etc/ssl/certs/ca-certificates.crt",
            ),
            (Some(_), false) => wrong("ca_file", "the collector's address is http: nothing is verified"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> anyhow::Result<Loaded> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cityops.toml");
        std::fs::write(&path, text).unwrap();
        Loaded::read_with(&path, std::iter::empty())
    }

    #[test]
    fn without_a_word_nothing_is_exported_and_lines_are_text() {
        let config = read("").unwrap().config;
        assert_eq!(config.telemetry.endpoint, None);
        assert_eq!(config.log.format, LogFormat::Text);
        let text = "[telemetry]\nendpoint = \"http://c:4318\"\nprotocol = \"http/protobuf\"\nratio = 1\n[log]\nformat = \"json\"";
        let config = read(text).unwrap().config;
        assert_eq!(
            (config.telemetry.ratio, config.log.format),
            (1.0, LogFormat::Json)
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cityops.toml");
        std::fs::write(&path, text).unwrap();
        let environment = [("CITYOPS__TELEMETRY__RATIO".to_owned(), "0.5".to_owned())];
        let loaded = Loaded::read_with(&path, environment.into_iter()).unwrap();
        assert_eq!(loaded.config.telemetry.ratio, 0.5);
    }

    #[test]
    fn mistakes_are_told_with_line_and_key() {
        let check = |lines: &str, parts: &[&str]| {
            let error = format!("{:#}", read(&format!("[telemetry]\n{lines}\n")).unwrap_err());
            assert!(parts.iter().all(|part| error.contains(part)), "{lines}: {error}");
        };
        check("endpont = \"http://c\"", &[":2", "endpont", "\"endpoint\""]);
        check("endpoint = \"c:4317\"", &[":2", "telemetry.endpoint", "http://"]);
        check(
            "endpoint = \"https://c\"",
            &[":2", "telemetry.endpoint", "ca_file"],
        );
        check("protocol = \"grpc\"", &[":2", "grpc", "http/protobuf"]);
        check("ratio = 2", &[":2", "telemetry.ratio"]);
        check("ratio = nan", &[":2", "telemetry.ratio"]);
        check("queue = 1", &[":2", "telemetry.queue"]);
        check("timeout = \"1h\"", &[":2", "telemetry.timeout"]);
        check("service_name = \" \"", &[":2", "telemetry.service_name"]);
        check("token_file = \"t\"", &[":2", "telemetry.token_file"]);
        check(
            "endpoint = \"http://c\"\nca_file = \"t\"",
            &[":3", "telemetry.ca_file"],
        );
        let error = format!("{:#}", read("[log]\nformat = \"jsn\"").unwrap_err());
        assert!(error.contains(":2") && error.contains("json"), "{error}");
    }
}
