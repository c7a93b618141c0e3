//! How a schema stands to what a registry has under a subject: asked before anything is registered.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::client::{Client, NO_SUCH_SCHEMA, NO_SUCH_SUBJECT, NOT_A_REGISTRY, words};

/// So many reasons are told.
const REASONS_MAX: usize = 20;

/// How a schema stands to a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The subject is not there yet.
    New,
    /// A version of the subject is this schema.
    Same {
        /// Its id.
        id: u32,
        /// Its version, where the registry says it.
        version: Option<u32>,
    },
    /// It would be the subject's next version.
    Compatible,
    /// The registry would refuse it.
    Incompatible {
        /// What the registry says; where it says nothing, the fields that differ from its newest version.
        reasons: Vec<String>,
    },
}

/// A standing with the mode that it was judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// How it stands.
    pub standing: Standing,
    /// The subject's mode, or the registry's: `NONE BACKWARD FORWARD FULL` and their `_TRANSITIVE`.
    pub mode: String,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// The registry is away or in trouble, or somebody else answers at its address.
    Away(String),
    /// It refuses to answer.
    Refused(String),
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoAnswer::Away(why) | NoAnswer::Refused(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for NoAnswer {}

#[derive(Deserialize)]
struct Found {
    id: u32,
    version: Option<u32>,
}

#[derive(Deserialize)]
struct Level {
    #[serde(rename = "compatibilityLevel")]
    level: String,
}

#[derive(Deserialize)]
struct Verdict {
    is_compatible: bool,
    #[serde(default)]
    messages: Vec<String>,
}

#[derive(Deserialize)]
struct Version {
    schema: String,
}

#[derive(Deserialize)]
struct Code {
    error_code: u64,
}

impl Client {
    /// How a schema stands to a subject, by the subject's own mode. Nothing is changed.
    ///
    /// # Errors
    /// When the registry does not answer, or not to this caller.
    pub fn judge(&self, subject: &str, schema: &str) -> Result<Judged, NoAnswer> {
        let mode = self.mode(subject)?;
        let standing = match self.found(subject, schema)? {
            Some(standing) => standing,
            None => self.next_version(subject, schema, &mode)?,
        };
        Ok(Judged { standing, mode })
    }

    /// `POST /subjects/{subject}`; `None` where the subject has other versions only.
    fn found(&self, subject: &str, schema: &str) -> Result<Option<Standing>, NoAnswer> {
        let path = format!("/subjects/{subject}?normalize=true");
        let (status, body) = self.post(&path, schema).map_err(NoAnswer::Away)?;
        match (status, code(&body)) {
            (200, _) => {
                let found: Found = read(&body)?;
                Ok(Some(Standing::Same {
                    id: found.id,
                    version: found.version,
                }))
            }
            (404, Some(NO_SUCH_SUBJECT)) => Ok(Some(Standing::New)),
            (404, Some(NO_SUCH_SCHEMA)) => Ok(None),
            _ => Err(unexpected(status, &body)),
        }
    }

    /// The mode that holds for a subject: its own, or else the registry's.
    fn mode(&self, subject: &str) -> Result<String, NoAnswer> {
        for path in [
            format!("/config/{subject}?defaultToGlobal=true"),
            "/config".to_owned(),
        ] {
            let (status, body) = self.get(&path).map_err(NoAnswer::Away)?;
            match (status, code(&body)) {
                (200, _) => return Ok(read::<Level>(&body)?.level),
                // 40401: no such subject; 40408: none of its own.
                (404, Some(_)) => {}
                _ => return Err(unexpected(status, &body)),
            }
        }
        Err(NoAnswer::Away(NOT_A_REGISTRY.to_owned()))
    }

    /// `POST /compatibility/subjects/{subject}/versions`, all of them or the newest.
    fn next_version(&self, subject: &str, schema: &str, mode: &str) -> Result<Standing, NoAnswer> {
        let against = match mode.ends_with("_TRANSITIVE") {
            true => "versions",
            false => "versions/latest",
        };
        let path = format!("/compatibility/subjects/{subject}/{against}?verbose=true");
        let (status, body) = self.post(&path, schema).map_err(NoAnswer::Away)?;
        if status != 200 {
            return Err(unexpected(status, &body));
        }
        let verdict: Verdict = read(&body)?;
        if verdict.is_compatible {
            return Ok(Standing::Compatible);
        }
        let mut reasons = verdict.messages;
        if reasons.is_empty() {
            let path = format!("/subjects/{subject}/versions/latest");
            let (status, body) = self.get(&path).map_err(NoAnswer::Away)?;
            if status == 200 {
                reasons = differences(&read::<Version>(&body)?.schema, schema);
            }
        }
        reasons.truncate(REASONS_MAX);
        Ok(Standing::Incompatible { reasons })
    }
}

fn code(body: &str) -> Option<u64> {
    serde_json::from_str::<Code>(body)
        .ok()
        .map(|code| code.error_code)
}

fn read<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, NoAnswer> {
    serde_json::from_str(body).map_err(|_| NoAnswer::Away("an answer that no registry gives".to_owned()))
}

fn unexpected(status: u16, body: &str) -> NoAnswer {
    match status {
        401 | 403 => NoAnswer::Refused(format!(
            "status {status}: the caller has no right to it{}",
            words(body)
        )),
        404 if code(body).is_none() => NoAnswer::Away(NOT_A_REGISTRY.to_owned()),
        422 => NoAnswer::Refused(format!("status 422{}", words(body))),
        status => NoAnswer::Away(format!("status {status}{}", words(body))),
    }
}

/// The fields of two records that differ, in words: some registries say no more than no.
fn differences(theirs: &str, ours: &str) -> Vec<String> {
    let (Ok(theirs), Ok(ours)) = (
        serde_json::from_str::<Value>(theirs),
        serde_json::from_str::<Value>(ours),
    ) else {
        return Vec::new();
    };
    let name = |schema: &Value| {
        let part = |key: &str| schema[key].as_str().unwrap_or_default().to_owned();
        format!("{}.{}", part("namespace"), part("name"))
    };
    let mut told = Vec::new();
    if name(&theirs) != name(&ours) {
        told.push(format!(
            "the record is {} here and {} there",
            name(&ours),
            name(&theirs)
        ));
    }
    let fields = |schema: &Value| schema["fields"].as_array().cloned().unwrap_or_default();
    let (theirs, ours) = (fields(&theirs), fields(&ours));
    let named = |fields: &[Value], name: &Value| fields.iter().find(|field| field["name"] == *name).cloned();
    for field in &ours {
        let default = match field.get("default") {
            Some(_) => "with a default",
            None => "without a default",
        };
        match named(&theirs, &field["name"]) {
            None => told.push(format!("{} is here only, {default}", field["name"])),
            Some(other) if plain(&other["type"]) != plain(&field["type"]) => {
                told.push(format!("{} has another type", field["name"]));
            }
            Some(_) => {}
        }
    }
    for field in &theirs {
        if named(&ours, &field["name"]).is_none() {
            told.push(format!("{} is there only", field["name"]));
        }
    }
    told
}

/// A type without what only people read.
fn plain(value: &Value) -> Value {
    match value {
        Value::Array(values) => values.iter().map(plain).collect(),
        Value::Object(object) => {
            let kept = object.iter().filter(|(name, _)| *name != "doc");
            kept.map(|(name, value)| (name.clone(), plain(value))).collect()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_differ_are_named() {
        let record =
            |fields: &str| format!(r#"{{"type":"record","name":"R","namespace":"n","fields":[{fields}]}}"#);
        let check = |theirs: &str, ours: &str, expected: &[&str]| {
            assert_eq!(differences(&record(theirs), &record(ours)), expected);
        };
        let a = r#"{"name":"a","type":"int"}"#;
        check(a, a, &[]);
        check(
            a,
            r#"{"name":"a","doc":"x","type":{"type":"int","doc":"y"}}"#,
            &["\"a\" has another type"],
        );
        check(a, r#"{"name":"a","doc":"x","type":"int"}"#, &[]);
        check(
            a,
            r#"{"name":"b","type":"int"}"#,
            &["\"b\" is here only, without a default", "\"a\" is there only"],
        );
        assert_eq!(
            differences(r#"{"name":"R","fields":[]}"#, &record("")),
            ["the record is n.R here and .R there"]
        );
        assert!(differences("no JSON", &record(a)).is_empty());
    }

    #[test]
    fn who_answers_is_told_apart() {
        let check = |status, body: &str, away: bool| {
            let answer = unexpected(status, body);
            assert_eq!(
                matches!(answer, NoAnswer::Away(_)),
                away,
                "{status} {body}: {answer}"
            );
        };
        check(500, "{}", true);
        check(404, "<html>", true);
        check(401, "", false);
        check(403, r#"{"error_code":40301,"message":"no"}"#, false);
        check(422, r#"{"error_code":42201,"message":"no schema"}"#, false);
    }
}
