//! What is wrong with a configuration, in one sentence that says where and what was probably meant.

use std::fmt;
use std::ops::Range;

/// A mistake in a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The file.
    pub file: String,
    /// The line in it, from 1.
    pub line: Option<usize>,
    /// The key, with the tables that it is in: `kafka.bootstrap_server`.
    pub key: Option<String>,
    /// The valid name that is nearest to a wrong one.
    pub nearest: Option<String>,
    /// The whole sentence, nearest name included.
    pub message: String,
}

impl ConfigError {
    /// A mistake that has no line of its own, such as in a value from the environment.
    pub fn new(file: &str, key: &str, message: impl Into<String>) -> ConfigError {
        ConfigError {
            file: file.to_owned(),
            line: None,
            key: Some(key.to_owned()).filter(|key| !key.is_empty()),
            nearest: None,
            message: message.into(),
        }
    }

    /// A name that is not among `candidates`; `what` says of what sort they are. The line is the first in `text` that
    /// has the name.
    pub fn unknown_name<'a>(
        file: &str,
        text: &str,
        what: &str,
        name: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> ConfigError {
        let nearest = nearest(name, candidates);
        let hint = hint(what, nearest.as_deref());
        ConfigError {
            file: file.to_owned(),
            line: line_with(text, name),
            key: None,
            nearest,
            message: format!("unknown {what} \"{name}\"{hint}"),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

impl std::error::Error for ConfigError {}

/// The candidate that is most like `name`; of equals, the first in alphabetical order.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let name = name.to_lowercase();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let lower = candidate.to_lowercase();
        let mut distance = 2 * strsim::damerau_levenshtein(&name, &lower);
        // A shared beginning or a whole word of the other is a hint that plain edit distance misses.
        if !name.is_empty() && (lower.starts_with(&name) || name.starts_with(&lower)) {
            distance /= 2;
        }
        if best.is_none_or(|(least, text)| (distance, candidate) < (least, text)) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate.to_owned())
}

/// Turns a parser's message and span into one that an operator can act on.
pub(super) fn explain(file: &str, text: &str, raw: &str, span: Option<Range<usize>>) -> ConfigError {
    let at = span.map(|span| floor_boundary(text, span.start));
    let mut table = at.map(|at| table_at(text, at)).unwrap_or_default();
    if let (Some(at), Some((field, _))) = (at, unknown_field(raw)) {
        table = outside_header(text, at, table, &field);
    }
    let place = if table.is_empty() {
        String::new()
    } else {
        format!(" in [{table}]")
    };
    let mut nearest_name = None;
    let (key, message) = if let Some((field, candidates)) = unknown_field(raw) {
        nearest_name = nearest(&field, candidates.iter().map(String::as_str));
        let hint = hint("key", nearest_name.as_deref());
        (
            Some(field.clone()),
            format!("unknown key \"{field}\"{place}{hint}"),
        )
    } else if let Some((value, candidates)) = unknown_variant(raw) {
        nearest_name = nearest(&value, candidates.iter().map(String::as_str));
        let key = at.and_then(|at| key_at(text, at));
        let of = key
            .as_ref()
            .map(|key| format!(" for \"{key}\""))
            .unwrap_or_default();
        let hint = hint("value", nearest_name.as_deref());
        (key, format!("unknown value \"{value}\"{of}{place}{hint}"))
    } else if let Some(field) = quoted_after(raw, "missing field ") {
        (
            Some(field.to_owned()),
            format!("the key \"{field}\" is missing{place}"),
        )
    } else {
        let key = at.and_then(|at| key_at(text, at));
        let of = key
            .as_ref()
            .map(|key| format!("\"{key}\"{place}: "))
            .unwrap_or_default();
        (key, format!("{of}{}", raw.replace('\n', ", ")))
    };
    let key = key.map(|key| {
        if table.is_empty() {
            key
        } else {
            format!("{table}.{key}")
        }
    });
    let line = at.map(|at| text[..at].matches('\n').count() + 1);
    ConfigError {
        file: file.to_owned(),
        line,
        key,
        nearest: nearest_name,
        message,
    }
}

fn hint(what: &str, nearest: Option<&str>) -> String {
    nearest
        .map(|name| format!("; the nearest valid {what} is \"{name}\""))
        .unwrap_or_default()
}

fn unknown_field(raw: &str) -> Option<(String, Vec<String>)> {
    unknown(raw, "unknown field ")
}

fn unknown_variant(raw: &str) -> Option<(String, Vec<String>)> {
    unknown(raw, "unknown variant ")
}

/// Reads serde's "unknown field `x`, expected one of `a`, `b`".
fn unknown(raw: &str, prefix: &str) -> Option<(String, Vec<String>)> {
    let name = quoted_after(raw, prefix)?;
    let rest = &raw[prefix.len() + name.len() + 2..];
    let candidates = rest.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Some((name.to_owned(), candidates))
}

fn quoted_after<'a>(raw: &'a str, prefix: &str) -> Option<&'a str> {
    raw.strip_prefix(prefix)?.strip_prefix('`')?.split('`').next()
}

/// The table whose header stands last before `at`.
fn table_at(text: &str, at: usize) -> String {
    // The line of `at` itself counts: a missing field is reported at its table's header.
    let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
    let header = text[..end].lines().rev().find_map(|line| {
        let line = line.trim_start();
        let inner = line.strip_prefix("[[").or_else(|| line.strip_prefix('['))?;
        inner.split(']').next()
    });
    header.map(|name| name.trim().to_owned()).unwrap_or_default()
}

/// When the mistake is the header itself, such as `[kafak]`, the table that the wrong name stands in.
fn outside_header(text: &str, at: usize, table: String, field: &str) -> String {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    if !text[start..].trim_start().starts_with('[') {
        return table;
    }
    let segments: Vec<&str> = table.split('.').collect();
    let wrong = segments
        .iter()
        .position(|segment| segment.trim().trim_matches('"') == field);
    wrong.map_or(table.clone(), |index| segments[..index].join("."))
}

/// The key that is set on the line of `at`, or on the nearest line above it when a value goes on over several lines.
fn key_at(text: &str, at: usize) -> Option<String> {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
    // On the line itself, only what stands before the mistake can be its key: inline tables hold several.
    let own = inner_key(&text[start..at]).or_else(|| plain_key(&text[start..end]));
    own.or_else(|| {
        let above = text[..start]
            .lines()
            .rev()
            .take_while(|line| !line.trim_start().starts_with('['));
        above.filter_map(plain_key).next()
    })
}

/// The last `key =` in a piece of a line, such as inside an inline table.
fn inner_key(piece: &str) -> Option<String> {
    let (before, _) = piece.rsplit_once('=')?;
    let name = before.rsplit(['{', ',', '=']).next()?;
    clean_key(name)
}

/// The key before the first `=` of a line.
fn plain_key(line: &str) -> Option<String> {
    let (name, _) = line.split_once('=')?;
    clean_key(name)
}

fn clean_key(name: &str) -> Option<String> {
    let name = name.trim().trim_matches('"');
    let sound = !name.is_empty() && !name.starts_with(['#', '[', '"']);
    sound.then(|| name.to_owned())
}

/// The first line, from 1, that has `name` as a whole word outside a comment line.
fn line_with(text: &str, name: &str) -> Option<usize> {
    let whole = |line: &str, at: usize| {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let before = line[..at].chars().next_back();
        let after = line[at + name.len()..].chars().next();
        !before.is_some_and(word) && !after.is_some_and(word)
    };
    text.lines()
        .position(|line| {
            !line.trim_start().starts_with('#') && line.match_indices(name).any(|(at, _)| whole(line, at))
        })
        .map(|index| index + 1)
}

/// The nearest character boundary at or before `at`: a span may end past the text or inside a character.
fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
