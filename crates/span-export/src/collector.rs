//! A collector: where it is, and what came of sending it a request.

use std::fmt;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use schema_registry::{Address, AddressFlaw, Authorities, Credentials};

/// Where the protocol has traces beneath a collector's address.
const PATH: &str = "/v1/traces";
/// Longest answer that is read, in bytes: it holds a number and a sentence.
const ANSWER_MAX: u64 = 64 * 1024;

/// The address of a collector for traces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(String);

impl Endpoint {
    /// Reads an address, `http://host:port` or `https://host:port` and perhaps a path; `/v1/traces` is put behind it unless it is
    /// there.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Endpoint, String> {
        let address = Address::read(text).map_err(|flaw| {
            match flaw {
                AddressFlaw::Scheme => "an address begins with http:// or https://",
                AddressFlaw::Secret => {
                    "a secret does not belong into an address; a token goes into token_file"
                }
                AddressFlaw::Form => "an address is http://host:port, such as http://127.0.0.1:4318",
            }
            .to_owned()
        })?;
        let base = address.to_string();
        let base = base.strip_suffix(PATH).unwrap_or(&base);
        Ok(Endpoint(format!("{base}{PATH}")))
    }

    /// Whether it is asked by TLS.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A collector as it is configured.
#[derive(Debug, Clone)]
pub struct Collector {
    /// Where it is.
    pub endpoint: Endpoint,
    /// Who may have signed its certificate.
    pub authorities: Option<Authorities>,
    /// Who sends.
    pub credentials: Option<Credentials>,
    /// How long one request may take.
    pub timeout: Duration,
}

/// What came of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Taken, but for so many spans, and why those not.
    Taken { refused: u64, why: String },
    /// Not now: it is away, or has too much to do.
    Later(String),
    /// It will not take this.
    Never(String),
}

/// Sends requests to a collector.
pub(crate) struct Client {
    agent: ureq::Agent,
    endpoint: String,
    authorization: Option<String>,
}

impl Client {
    pub(crate) fn new(collector: &Collector) -> Client {
        let mut config = ureq::Agent::config_builder()
            .timeout_global(Some(collector.timeout))
            // A status is an answer.
            .http_status_as_error(false);
        if let Some(authorities) = &collector.authorities {
            config = config.tls_config(authorities.tls());
        }
        Client {
            agent: config.build().into(),
            endpoint: collector.endpoint.to_string(),
            authorization: collector.credentials.as_ref().map(Credentials::header),
        }
    }

    pub(crate) fn send(&self, request: &ExportTraceServiceRequest) -> Answer {
        let mut post = self
            .agent
            .post(&self.endpoint)
            .header("Content-Type", "application/x-protobuf");
        if let Some(authorization) = &self.authorization {
            post = post.header("Authorization", authorization);
        }
        let mut answer = match post.send(request.encode_to_vec()) {
            Ok(answer) => answer,
            Err(error) => return Answer::Later(error.to_string()),
        };
        match answer.status().as_u16() {
            200..=299 => {
                let body = answer.body_mut().with_config().limit(ANSWER_MAX).read_to_vec();
                taken(&body.unwrap_or_default())
            }
            // Those that the protocol calls retryable, and that a token is being changed.
            status @ (401 | 403 | 408 | 429 | 502..=504) => Answer::Later(format!("status {status}")),
            status => Answer::Never(format!("status {status}")),
        }
    }
}

/// What an answer's body says: a collector may take a part. One that cannot be read says that all was taken.
fn taken(body: &[u8]) -> Answer {
    let said = ExportTraceServiceResponse::decode(body).unwrap_or_default();
    let part = said.partial_success.unwrap_or_default();
    Answer::Taken {
        refused: u64::try_from(part.rejected_spans).unwrap_or(0),
        why: part.error_message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_to_the_traces() {
        let check = |text: &str, expected: Result<&str, &str>| {
            let found = Endpoint::parse(text).map(|endpoint| endpoint.to_string());
            match (&found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(found), Err(part)) => assert!(found.contains(part), "{text}: {found}"),
                _ => panic!("{text}: {found:?}"),
            }
        };
        check("http://c:4318", Ok("http://c:4318/v1/traces"));
        check("https://c/otlp/", Ok("https://c/otlp/v1/traces"));
        check("http://c:4318/v1/traces", Ok("http://c:4318/v1/traces"));
        check("c:4318", Err("begins with http://"));
        check("grpc://c:4317", Err("begins with http://"));
        check("http://", Err("an address is"));
        check("http://a:b@c", Err("token_file"));
        check("http://c?x=y", Err("an address is"));
    }
}
