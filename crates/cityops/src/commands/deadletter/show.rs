//! `cityops deadletter show`: one dead letter. What it holds is masked, unless its reader asks for it.

use std::ops::ControlFlow;

use base64::Engine;
use city_model::{Source, sha256_hex};
use kafka_log::read::{Record, Start, read_topic};
use serde_json::{Map, Value, json};
use wire_format::{Format, Topic, headers};

use super::told;
use crate::CommandResult;
use crate::cli::DeadletterShowArgs;
use crate::commands::print;
use crate::config::Loaded;
use crate::deadletter::{Filter, Letter, Systems, known_fields, masked, place, scan};
use crate::exit::Exit;
use crate::topics;

/// A letter's record as it was kept.
struct Kept {
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Vec<u8>)>,
}

pub(super) fn run(args: &DeadletterShowArgs, json: bool) -> CommandResult {
    let loaded = Loaded::read(&args.config)?;
    let at = place(&args.at)?;
    let properties = topics::properties(&loaded)?;
    let found = scan(&loaded, &properties, &Filter::at(at), &mut Systems::of(&loaded)?)?;
    let topic = kafka_log::topic_name(&loaded.config.kafka.topic_prefix, Topic::DeadLetters);
    let mut kept = None;
    if !found.is_empty() {
        read_topic(&properties, &topic, at.0, Start::Offset(at.1), |record| {
            kept = (record.offset() == at.1).then(|| Kept::of(record));
            ControlFlow::Break(())
        })?;
    }
    let Some((letter, kept)) = found.first().zip(kept) else {
        anyhow::bail!(
            "{topic} has no dead letter at {}; `cityops deadletter list` names those that there are",
            args.at
        )
    };
    let shown = shown(letter, &kept, args.value);
    if json {
        print(shown);
        return Ok(Exit::Clean);
    }
    let Value::Object(parts) = shown else {
        return Ok(Exit::Clean);
    };
    for (name, part) in parts.iter().filter(|(_, part)| !part.is_null()) {
        match part {
            Value::Object(inner) => {
                print(format!("{name}:"));
                for (name, part) in inner {
                    print(format!("  {name}: {}", plain(part)));
                }
            }
            part => print(format!("{name}: {}", plain(part))),
        }
    }
    if let Some(obstacle) = letter.obstacle(false) {
        print(format!("cannot be fed again: {}", obstacle.sentence()));
    }
    if !args.value {
        print(
            "key, value and own headers are masked, for they may hold personal data; --value prints them  键、值与自有消息头已掩码，可能含个人信息；--value 显示原文",
        );
    }
    Ok(Exit::Clean)
}

impl Kept {
    fn of(record: &Record<'_>) -> Kept {
        let told = record.headers().into_iter();
        Kept {
            key: record.key().map(<[u8]>::to_vec),
            value: record.value().map(<[u8]>::to_vec),
            headers: told
                .map(|(name, value)| (name.to_owned(), value.to_vec()))
                .collect(),
        }
    }
}

fn shown(letter: &Letter, kept: &Kept, untouched: bool) -> Value {
    let mut ours = Map::new();
    let mut own = Map::new();
    for (name, value) in &kept.headers {
        if headers::is_ours(name) {
            ours.insert(
                name.clone(),
                Value::String(String::from_utf8_lossy(value).into_owned()),
            );
        } else if untouched {
            own.insert(name.clone(), bytes(value));
        }
    }
    let foreign = kept.headers.iter().filter(|(name, _)| !headers::is_ours(name));
    let (number, length) = foreign.fold((0, 0), |(number, length), (name, value)| {
        (number + 1, length + name.len() + value.len())
    });
    if !untouched && number > 0 {
        own.insert("count".to_owned(), json!(number));
        own.insert("bytes".to_owned(), json!(length));
    }
    let mut all = told(letter);
    all["headers"] = Value::Object(ours);
    all["own_headers"] = match own.is_empty() {
        true => Value::Null,
        false => Value::Object(own),
    };
    all["key"] = match (&kept.key, untouched) {
        (None, _) => Value::Null,
        (Some(key), true) => bytes(key),
        (Some(key), false) => json!({ "bytes": key.len() }),
    };
    all["value"] = kept.value.as_ref().map_or(Value::Null, |value| {
        value_of(value, letter.topic().and_then(Topic::source), untouched)
    });
    all
}

/// What a value is, and what it holds, masked or not.
fn value_of(value: &[u8], source: Option<Source>, untouched: bool) -> Value {
    let (format, schema_id) = match Format::detect(value) {
        Format::Json => ("json", None),
        Format::Framed { schema_id } => ("avro", schema_id),
        Format::SingleObject { .. } => ("avro_single_object", None),
    };
    let mut shown = json!({ "bytes": value.len(), "sha256": sha256_hex(value), "format": format });
    if let Some(id) = schema_id {
        shown["schema_id"] = json!(id);
    }
    if untouched {
        shown["untouched"] = bytes(value);
    } else if let (Some(source), Ok(record)) = (source, serde_json::from_slice(value)) {
        shown["masked"] = masked(&record, &known_fields(source));
    }
    shown
}

/// Bytes as text, or as base64 where they are none.
fn bytes(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::String(text.to_owned()),
        Err(_) => json!({ "base64": base64::engine::general_purpose::STANDARD.encode(bytes) }),
    }
}

/// A value without quotes, if it is a text. A terminal must not be told what to do by a record.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text
            .chars()
            .map(|c| match c.is_control() && c != '\n' && c != '\t' {
                true => '\u{FFFD}',
                false => c,
            })
            .collect(),
        value => value.to_string(),
    }
}
