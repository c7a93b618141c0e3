//! What a refused record looks like without what it says: its fields, and how long each is.
//!
//! The untouched value is the one place where personal data lie; a look at it must not spread them.

use std::collections::BTreeSet;

use city_model::Source;
use event_intake::privacy::scrub;
use serde_json::{Map, Value};
use wire_format::Topic;

/// Fields whose values are codes and names of systems: shown, scrubbed, for they are what is wrong most often.
const CODES: [&str; 15] = [
    "source_system",
    "channel",
    "metric",
    "unit",
    "crs",
    "quality",
    "alert_code",
    "code_system",
    "category_code",
    "standard_ref",
    "action",
    "signal",
    "severity",
    "status",
    "phase",
];
/// A code is no longer than this, in characters.
const CODE_MAX: usize = 64;
/// Of an array, so many elements are shown.
const ELEMENTS: usize = 5;
/// Deeper is not looked.
const DEPTH: usize = 8;

/// The names of fields that may be shown: those of the stream's schema. Another name could be anything.
pub fn known_fields(source: Source) -> BTreeSet<String> {
    fn names(value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| names(value, into)),
            Value::Object(object) => {
                if let Some(Value::Array(fields)) = object.get("fields") {
                    let named = fields.iter().filter_map(|field| field["name"].as_str());
                    into.extend(named.map(str::to_owned));
                }
                object.values().for_each(|value| names(value, into));
            }
            _ => {}
        }
    }
    let mut known = BTreeSet::new();
    let schema = Topic::of(source).schema().map(serde_json::from_str::<Value>);
    if let Some(Ok(schema)) = schema {
        names(&schema, &mut known);
    }
    known
}

/// The form of a JSON value: codes scrubbed, times and everything else by kind and length.
pub fn masked(value: &Value, known: &BTreeSet<String>) -> Value {
    hide(None, value, known, 0)
}

fn hide(field: Option<&str>, value: &Value, known: &BTreeSet<String>, depth: usize) -> Value {
    let told = |text: String| Value::String(format!("‹{text}›"));
    match value {
        Value::Null | Value::Bool(_) => value.clone(),
        Value::Number(number) => told(format!("number, {} characters", number.to_string().len())),
        Value::String(text) => {
            let length = text.chars().count();
            match field {
                Some(field) if CODES.contains(&field) && length <= CODE_MAX => Value::String(scrub(text)),
                _ => told(format!("text, {length} characters")),
            }
        }
        Value::Array(_) | Value::Object(_) if depth >= DEPTH => told("more".to_owned()),
        Value::Array(values) => {
            let mut shown: Vec<Value> = values
                .iter()
                .take(ELEMENTS)
                .map(|value| hide(None, value, known, depth + 1))
                .collect();
            if values.len() > ELEMENTS {
                shown.push(told(format!("{} more", values.len() - ELEMENTS)));
            }
            Value::Array(shown)
        }
        Value::Object(object) => {
            let mut shown = Map::new();
            let mut unknown = 0;
            for (name, value) in object {
                if known.contains(name) {
                    shown.insert(name.clone(), hide(Some(name), value, known, depth + 1));
                } else {
                    unknown += 1;
                }
            }
            if unknown > 0 {
                shown.insert("‹other fields›".to_owned(), Value::from(unknown));
            }
            Value::Object(shown)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_personal_is_left_and_codes_are() {
        let record = json!({"event_id": "r-13912345678", "source_system": "app 13912345678", "report_id": 13912345678_i64,
            "content": "张先生", "13912345678": 1, "channel": "inspector", "category": ["a", "b", "c", "d", "e", "f"],
            "location": {"x": 121.5, "crs": "WGS84", "note": "老李"}, "title": null});
        let shown = masked(&record, &known_fields(Source::Report));
        let text = shown.to_string();
        for personal in ["139", "张", "老李", "121.5"] {
            assert!(!text.contains(personal), "{personal}: {text}");
        }
        assert_eq!(shown["channel"], "inspector");
        assert_eq!(shown["location"]["crs"], "WGS84");
        assert_eq!(shown["location"]["‹other fields›"], 1);
        assert_eq!(shown["content"], "‹text, 3 characters›");
        assert_eq!(shown["report_id"], "‹number, 11 characters›");
        assert_eq!(shown["category"][5], "‹1 more›");
        assert_eq!(shown["title"], Value::Null);
        assert_eq!(shown["‹other fields›"], 1);
    }

    #[test]
    fn every_stream_has_its_fields() {
        for source in Source::ALL {
            let known = known_fields(*source);
            assert!(known.len() > 5, "{source}: {known:?}");
        }
    }

    #[test]
    fn deep_values_end() {
        let mut deep = json!("老李");
        for _ in 0..40 {
            deep = json!([deep]);
        }
        let shown = masked(&deep, &BTreeSet::new()).to_string();
        assert!(shown.contains("‹more›") && !shown.contains("老李"), "{shown}");
    }
}
