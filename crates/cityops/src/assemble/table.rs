//! A small CSV file with named columns.

use std::collections::HashMap;
use std::path::Path;

use city_rules::ConfigError;

use crate::config::Loaded;

/// A CSV file with named columns.
pub(super) struct Table {
    file: String,
    columns: HashMap<String, usize>,
    reader: csv::Reader<std::io::Cursor<Vec<u8>>>,
}

impl Table {
    pub(super) fn open(
        loaded: &Loaded,
        key: &str,
        path: &Path,
        mandatory: &[&str],
    ) -> Result<Table, ConfigError> {
        let bytes = loaded.bytes_of(key, path)?;
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(std::io::Cursor::new(bytes));
        let header = reader
            .headers()
            .map_err(|error| loaded.error(key, path, error.to_string()))?;
        let columns: HashMap<String, usize> = header
            .iter()
            .enumerate()
            .map(|(at, name)| (name.trim_start_matches('\u{feff}').to_owned(), at))
            .collect();
        for name in mandatory {
            if !columns.contains_key(*name) {
                return Err(loaded.error(key, path, format!("the file has no column \"{name}\"")));
            }
        }
        Ok(Table {
            file: loaded.path(path).display().to_string(),
            columns,
            reader,
        })
    }

    pub(super) fn rows(&mut self) -> impl Iterator<Item = Result<Row<'_>, ConfigError>> {
        let (file, columns) = (self.file.as_str(), &self.columns);
        self.reader.records().map(move |record| match record {
            Ok(record) => Ok(Row {
                file,
                columns,
                line: record.position().map_or(0, csv::Position::line),
                record,
            }),
            Err(error) => {
                let line = error.position().map(|position| position.line() as usize);
                Err(ConfigError {
                    line,
                    ..ConfigError::new(file, "", error.to_string())
                })
            }
        })
    }
}

pub(super) struct Row<'a> {
    file: &'a str,
    columns: &'a HashMap<String, usize>,
    line: u64,
    record: csv::StringRecord,
}

impl Row<'_> {
    pub(super) fn text(&self, column: &str) -> &str {
        self.columns
            .get(column)
            .and_then(|at| self.record.get(*at))
            .unwrap_or_default()
    }

    pub(super) fn number(&self, column: &str) -> Result<f64, ConfigError> {
        let text = self.text(column);
        text.parse()
            .map_err(|_| self.error(format!("\"{column}\" is \"{text}\", which is no number")))
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }

    pub(super) fn error(&self, message: String) -> ConfigError {
        ConfigError {
            line: Some(self.line as usize),
            ..ConfigError::new(self.file, "", message)
        }
    }
}
