//! A refusal and how it words what is wrong: field names, types and positions, never a value, which may be personal.

use std::fmt;

use city_model::{DeadLetterReason, EventKey};

/// Why a record goes to the dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The reason, from the closed set.
    pub reason: DeadLetterReason,
    /// What exactly is wrong.
    pub detail: String,
    /// The record's identity, if it could still be read.
    pub identity: Option<EventKey>,
}

impl Refusal {
    /// A refusal of a record whose identity is not known.
    pub fn new(reason: DeadLetterReason, detail: impl Into<String>) -> Refusal {
        Refusal {
            reason,
            detail: detail.into(),
            identity: None,
        }
    }

    /// The refusal with the record's identity.
    pub fn of(self, identity: Option<EventKey>) -> Refusal {
        Refusal { identity, ..self }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.detail)
    }
}

/// Classifies what a record's own `Deserialize` complained about at `path`. The messages are serde's, which quote
/// values, and ours, which do not; only the known shapes of serde's are read, and of them only what is no value.
pub(crate) fn of_message(path: &str, message: &str) -> Refusal {
    use DeadLetterReason::{BadValue, MissingField};
    let at = |field: &str| match path {
        "" | "." => field.to_owned(),
        path if field.is_empty() => path.to_owned(),
        path => format!("{path}.{field}"),
    };
    if let Some(field) = quoted_after(message, "missing field `") {
        return Refusal::new(MissingField, at(field));
    }
    if let Some(field) = quoted_after(message, "duplicate field `") {
        return Refusal::new(BadValue, format!("{}: given twice", at(field)));
    }
    let Some(rest) = ["invalid type: ", "invalid value: ", "invalid length "]
        .iter()
        .find_map(|start| message.strip_prefix(start))
    else {
        // Our own messages are literals without values.
        return Refusal::new(BadValue, format!("{}: {}", at(""), without_position(message)));
    };
    let found = rest.split(['`', '"', ',']).next().unwrap_or_default().trim();
    if matches!(found, "null" | "unit value" | "Option value") {
        return Refusal::new(MissingField, at(""));
    }
    let expected = without_position(message)
        .rsplit_once(", expected ")
        .map_or("another type", |(_, expected)| in_plain_words(expected));
    Refusal::new(
        BadValue,
        format!("{}: {found} where {expected} was expected", at("")),
    )
}

fn quoted_after<'a>(message: &'a str, start: &str) -> Option<&'a str> {
    message.strip_prefix(start)?.split('`').next()
}

/// Drops the ` at line 1 column 2` that serde_json appends.
fn without_position(message: &str) -> &str {
    message
        .rsplit_once(" at line ")
        .map_or(message, |(message, _)| message)
}

/// What serde calls by the names of this program's types, as a sender of records would.
fn in_plain_words(expected: &str) -> &str {
    match expected {
        "f64" | "f32" => "a number",
        "i64" | "i32" | "i16" | "i8" | "u64" | "u32" | "u16" | "u8" => "a whole number",
        _ if expected.starts_with("struct ") => "an object",
        _ => expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fields_and_types_but_never_values() {
        let check = |path: &str, message: &str, expected: &str| {
            assert_eq!(of_message(path, message).to_string(), expected);
        };
        check(
            ".",
            "missing field `event_id` at line 1 column 2",
            "missing_field: event_id",
        );
        check("location", "missing field `x`", "missing_field: location.x");
        check(
            "title",
            "invalid type: null, expected a string",
            "missing_field: title",
        );
        check(
            "value",
            "invalid type: string \"13812345678, expected `x`\", expected a number or a boolean at line 1 column 9",
            "bad_value: value: string where a number or a boolean was expected",
        );
        check(
            "location",
            "invalid type: string \"x\", expected struct WireLocation at line 1 column 9",
            "bad_value: location: string where an object was expected",
        );
        check(
            "revision",
            "invalid type: string \"x\", expected i64",
            "bad_value: revision: string where a whole number was expected",
        );
        check(
            "alarm",
            "invalid type: integer `13812345678`, expected a boolean",
            "bad_value: alarm: integer where a boolean was expected",
        );
        check(
            ".",
            "duplicate field `metric` at line 1 column 3",
            "bad_value: metric: given twice",
        );
        check(
            "called_at",
            "a time out of range at line 1 column 3",
            "bad_value: called_at: a time out of range",
        );
    }
}
