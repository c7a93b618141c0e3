//! One request, one answer: what a registry says, sorted into what is settled and what must be asked again.

use serde::Deserialize;

use crate::{Address, Credentials, RegistryConfig};

/// Longest answer that is read, in bytes: schemas are texts that people write.
const ANSWER_MAX: u64 = 4 << 20;
/// The interface's number for "no schema has this id".
pub(crate) const NO_SUCH_SCHEMA: u64 = 40_403;
/// Its number for "no such subject".
pub(crate) const NO_SUCH_SUBJECT: u64 = 40_401;
/// A 404 of somebody else.
pub(crate) const NOT_A_REGISTRY: &str = "404, not in a registry's words: is the path of its address right?";
/// Of an error's message, so much is told.
const WORDS_MAX: usize = 300;

/// A client that waits for its answers.
#[derive(Debug, Clone)]
pub struct Client {
    agent: ureq::Agent,
    address: Address,
    authorization: Option<String>,
}

/// What came of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fetched {
    /// The schema's text.
    Schema(String),
    /// The registry has none of this id.
    Unknown,
    /// It has one that cannot be used, and why.
    Unusable(String),
    /// Nothing is settled, and why: it is away, in trouble, or somebody else has answered.
    Trouble(String),
}

#[derive(Deserialize)]
struct SchemaAnswer {
    schema: String,
    #[serde(rename = "schemaType")]
    kind: Option<String>,
    #[serde(default)]
    references: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct IdAnswer {
    id: u32,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error_code: u64,
    #[serde(default)]
    message: String,
}

impl Client {
    /// A client.
    pub fn new(registry: &RegistryConfig) -> Client {
        let mut config = ureq::Agent::config_builder()
            .timeout_global(Some(registry.timeout))
            // A status is an answer.
            .http_status_as_error(false);
        if let Some(authorities) = &registry.authorities {
            config = config.tls_config(authorities.tls());
        }
        Client {
            agent: config.build().into(),
            address: registry.address.clone(),
            authorization: registry.credentials.as_ref().map(Credentials::header),
        }
    }

    /// The registry's address.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The schema of an id: `GET /schemas/ids/{id}`.
    pub(crate) fn schema(&self, id: u32) -> Fetched {
        let (status, body) = match self.get(&format!("/schemas/ids/{id}")) {
            Ok(answer) => answer,
            Err(why) => return Fetched::Trouble(why),
        };
        match status {
            200 => match serde_json::from_str::<SchemaAnswer>(&body) {
                Ok(answer) => usable(answer),
                Err(_) => Fetched::Trouble("an answer that no registry gives".to_owned()),
            },
            // A wrong path and a proxy say 404, too, and must not turn a topic into dead letters.
            404 => match serde_json::from_str::<ErrorAnswer>(&body) {
                Ok(error) if error.error_code == NO_SUCH_SCHEMA => Fetched::Unknown,
                _ => Fetched::Trouble(NOT_A_REGISTRY.to_owned()),
            },
            status => Fetched::Trouble(format!("status {status}")),
        }
    }

    /// Registers a schema under a subject and gives its id; the same text again has the same id:
    /// `POST /subjects/{subject}/versions`.
    ///
    /// # Errors
    /// What the registry says: it is away, or the schema is not compatible with the subject's last one.
    pub fn register(&self, subject: &str, schema: &str) -> Result<u32, String> {
        let path = format!("/subjects/{subject}/versions");
        let (status, body) = self.post(&path, schema)?;
        match (status, serde_json::from_str::<IdAnswer>(&body)) {
            (200, Ok(registered)) => Ok(registered.id),
            (409, _) => Err(format!(
                "{subject}: the schema is not compatible with its last version{}",
                words(&body)
            )),
            (status, _) => Err(format!("{subject}: status {status}{}", words(&body))),
        }
    }

    /// The id of a schema that somebody has registered under a subject: `POST /subjects/{subject}`.
    ///
    /// # Errors
    /// What the registry says: it is away, or the subject has no such schema.
    pub fn lookup(&self, subject: &str, schema: &str) -> Result<u32, String> {
        let (status, body) = self.post(&format!("/subjects/{subject}?normalize=true"), schema)?;
        match (status, serde_json::from_str::<IdAnswer>(&body)) {
            (200, Ok(found)) => Ok(found.id),
            (404, Err(_)) => match serde_json::from_str::<ErrorAnswer>(&body).map(|error| error.error_code) {
                Ok(NO_SUCH_SUBJECT) => Err(format!("{subject}: the registry has no such subject")),
                Ok(NO_SUCH_SCHEMA) => Err(format!("{subject}: no version of the subject is this schema")),
                _ => Err(format!("{subject}: {NOT_A_REGISTRY}")),
            },
            (status, _) => Err(format!("{subject}: status {status}{}", words(&body))),
        }
    }

    pub(crate) fn post(&self, path: &str, schema: &str) -> Result<(u16, String), String> {
        let mut request = self
            .agent
            .post(self.address.of(path))
            .header("Content-Type", "application/vnd.schemaregistry.v1+json");
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        let body = serde_json::json!({ "schema": schema }).to_string();
        read(request.send(body))
    }

    pub(crate) fn get(&self, path: &str) -> Result<(u16, String), String> {
        let mut request = self.agent.get(self.address.of(path));
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        read(
            request
                .header(
                    "Accept",
                    "application/vnd.schemaregistry.v1+json, application/json",
                )
                .call(),
        )
    }
}

fn read(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<(u16, String), String> {
    let mut answer = answer.map_err(|error| error.to_string())?;
    let body = answer.body_mut().with_config().limit(ANSWER_MAX).read_to_string();
    Ok((answer.status().as_u16(), body.map_err(|error| error.to_string())?))
}

/// What a registry says about an error, behind a colon, if it says anything.
pub(crate) fn words(body: &str) -> String {
    let message =
        serde_json::from_str::<ErrorAnswer>(body).map_or_else(|_| String::new(), |error| error.message);
    let told: String = message.split_whitespace().collect::<Vec<_>>().join(" ");
    match told.is_empty() {
        true => told,
        false => format!(": {}", told.chars().take(WORDS_MAX).collect::<String>()),
    }
}

fn usable(answer: SchemaAnswer) -> Fetched {
    match answer.kind.as_deref() {
        // The first registries did not say it: all was Avro.
        None | Some("AVRO") if answer.references.is_empty() => Fetched::Schema(answer.schema),
        None | Some("AVRO") => Fetched::Unusable("a schema that refers to others".to_owned()),
        Some("JSON") => Fetched::Unusable("a JSON schema, not Avro".to_owned()),
        Some("PROTOBUF") => Fetched::Unusable("a Protobuf schema, not Avro".to_owned()),
        Some(_) => Fetched::Unusable("not an Avro schema".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_avro_without_references_is_read() {
        let check = |json: &str, expected: Fetched| {
            assert_eq!(usable(serde_json::from_str(json).unwrap()), expected, "{json}");
        };
        let unusable = |why: &str| Fetched::Unusable(why.to_owned());
        check(r#"{"schema":"\"int\""}"#, Fetched::Schema("\"int\"".to_owned()));
        check(
            r#"{"schema":"\"int\"","schemaType":"AVRO","references":[]}"#,
            Fetched::Schema("\"int\"".to_owned()),
        );
        check(
            r#"{"schema":"\"X\"","references":[{"name":"X","subject":"x","version":1}]}"#,
            unusable("a schema that refers to others"),
        );
        check(
            r#"{"schema":"{}","schemaType":"JSON"}"#,
            unusable("a JSON schema, not Avro"),
        );
    }
}
