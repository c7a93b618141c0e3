//! The folders that hold what earlier versions wrote.

use std::path::{Path, PathBuf};

use city_model::EventTime;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire_format::Topic;

/// Where they lie.
pub(crate) const GOLDEN: &str = "tests/changelog/golden";

/// What one version wrote.
pub(crate) struct Golden {
    dir: PathBuf,
}

/// A state row; a deletion has no value.
pub(crate) type Row = (String, Option<Vec<u8>>);

/// Compact rows are no text: they are kept as their bytes in hexadecimal digits, which JSON never begins with.
const HEX: &str = "0x";

fn text_of(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) if text.starts_with(['{', '"', '[']) => text.to_owned(),
        _ => format!("{HEX}{}", city_model::hex(value)),
    }
}

fn bytes_of(text: &str) -> Vec<u8> {
    let Some(digits) = text.strip_prefix(HEX) else {
        return text.as_bytes().to_vec();
    };
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect()
}

/// A record that came after the rows.
pub(crate) struct Next {
    pub(crate) topic: Topic,
    pub(crate) offset: i64,
    pub(crate) timestamp: EventTime,
    pub(crate) value: String,
}

#[derive(Serialize, Deserialize)]
struct Line {
    topic: String,
    offset: i64,
    timestamp: i64,
    value: String,
}

impl Golden {
    /// All of them, the oldest first.
    pub(crate) fn all() -> Vec<Golden> {
        let found = std::fs::read_dir(GOLDEN).into_iter().flatten();
        let mut dirs: Vec<PathBuf> = found.map(|entry| entry.unwrap().path()).collect();
        dirs.sort();
        dirs.into_iter().map(|dir| Golden { dir }).collect()
    }

    /// A new one.
    pub(crate) fn create(name: &str) -> Golden {
        let dir = Path::new(GOLDEN).join(name);
        assert!(
            !dir.exists(),
            "{} is there: rows are never written again",
            dir.display()
        );
        std::fs::create_dir_all(&dir).unwrap();
        Golden { dir }
    }

    pub(crate) fn name(&self) -> String {
        self.dir.display().to_string()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(crate) fn rows(&self, part: &str) -> Vec<Row> {
        let text = std::fs::read_to_string(self.path(&format!("{part}.rows"))).unwrap();
        let row = |line: &str| match line.split_once('\t') {
            Some((key, value)) => (key.to_owned(), Some(bytes_of(value))),
            None => (line.to_owned(), None),
        };
        text.lines().map(row).collect()
    }

    pub(crate) fn next(&self, part: &str) -> Vec<Next> {
        let text = std::fs::read_to_string(self.path(&format!("{part}.next"))).unwrap();
        let next = |line| {
            let line: Line = serde_json::from_str(line).unwrap();
            Next {
                topic: Topic::by_name(&line.topic).unwrap(),
                offset: line.offset,
                timestamp: EventTime::from_millis(line.timestamp),
                value: line.value,
            }
        };
        text.lines().map(next).collect()
    }

    pub(crate) fn told(&self, part: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path(&format!("{part}.told"))).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    pub(crate) fn write_rows(&self, part: &str, rows: &[Row]) {
        let mut text = String::new();
        for (key, value) in rows {
            assert!(!key.contains(['\t', '\n']), "{key}");
            text.push_str(key);
            if let Some(value) = value {
                text.push('\t');
                text.push_str(&text_of(value));
            }
            text.push('\n');
        }
        assert_eq!(text.lines().count(), rows.len(), "a value has lines");
        std::fs::write(self.path(&format!("{part}.rows")), text).unwrap();
    }

    pub(crate) fn write_next(&self, part: &str, next: &[Next]) {
        let line = |next: &Next| {
            let line = Line {
                topic: next.topic.name().to_owned(),
                offset: next.offset,
                timestamp: next.timestamp.millis(),
                value: next.value.clone(),
            };
            serde_json::to_string(&line).unwrap() + "\n"
        };
        let text: String = next.iter().map(line).collect();
        std::fs::write(self.path(&format!("{part}.next")), text).unwrap();
    }

    pub(crate) fn write_told(&self, part: &str, told: &[Value]) {
        let text: String = told.iter().map(|told| format!("{told}\n")).collect();
        std::fs::write(self.path(&format!("{part}.told")), text).unwrap();
    }
}
