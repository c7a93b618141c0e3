//! CSV with named columns, row by row in one buffer: what a cell says, and where it is when it is wrong.

use std::collections::HashMap;
use std::fmt;
use std::io::BufRead;

use city_grid::{Crs, Frame};
use city_model::Position;

/// What is wrong with a registry's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// The line, from 1; none where the whole file is meant.
    pub line: Option<u64>,
    /// The column, where it is one cell's fault.
    pub column: Option<String>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for RowError {}

/// A file being read.
pub(crate) struct Table<R> {
    reader: csv::Reader<R>,
    columns: HashMap<String, usize>,
    record: csv::ByteRecord,
}

/// Where a column is, looked up once; a column that the file does not have is empty everywhere.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    name: &'static str,
    at: Option<usize>,
}

/// The columns that say where something is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlaceColumns {
    lon: Column,
    lat: Column,
    crs: Column,
}

impl<R: BufRead> Table<R> {
    /// Reads the header, which must have these columns.
    pub(crate) fn open(reader: R, mandatory: &[&str]) -> Result<Table<R>, RowError> {
        let mut reader = csv::Reader::from_reader(reader);
        let header = reader.byte_headers().map_err(error_of)?;
        let names = header.iter().map(|name| {
            let name = String::from_utf8_lossy(name);
            name.trim_start_matches('\u{feff}').trim().to_owned()
        });
        let columns: HashMap<String, usize> = names.zip(0..).collect();
        for name in mandatory {
            if !columns.contains_key(*name) {
                return Err(RowError {
                    line: None,
                    column: None,
                    message: format!("the file has no column \"{name}\""),
                });
            }
        }
        Ok(Table {
            reader,
            columns,
            record: csv::ByteRecord::new(),
        })
    }

    pub(crate) fn column(&self, name: &'static str) -> Column {
        Column {
            name,
            at: self.columns.get(name).copied(),
        }
    }

    pub(crate) fn place_columns(&self) -> PlaceColumns {
        PlaceColumns {
            lon: self.column("lon"),
            lat: self.column("lat"),
            crs: self.column("crs"),
        }
    }

    /// The next row; it lies in the same buffer as the one before.
    pub(crate) fn next(&mut self) -> Result<Option<Row<'_>>, RowError> {
        let found = self.reader.read_byte_record(&mut self.record).map_err(error_of)?;
        Ok(found.then_some(Row(&self.record)))
    }
}

/// Where a row's thing is, by the box that places should lie in.
pub(crate) enum Spot {
    Inside(Position),
    Outside(Position),
    Nowhere,
}

/// A row.
pub(crate) struct Row<'a>(&'a csv::ByteRecord);

impl Row<'_> {
    pub(crate) fn line(&self) -> u64 {
        self.0.position().map_or(0, csv::Position::line)
    }

    /// The text of a cell, without the blanks around it.
    pub(crate) fn text(&self, column: Column) -> Result<&str, RowError> {
        let bytes = column.at.and_then(|at| self.0.get(at)).unwrap_or_default();
        std::str::from_utf8(bytes)
            .map(str::trim)
            .map_err(|_| self.error(column, format!("\"{}\" is not UTF-8", column.name)))
    }

    /// A text that must not be empty.
    pub(crate) fn mandatory(&self, column: Column) -> Result<&str, RowError> {
        match self.text(column)? {
            "" => Err(self.error(column, format!("\"{}\" is empty", column.name))),
            text => Ok(text),
        }
    }

    fn number(&self, column: Column) -> Result<f64, RowError> {
        let text = self.text(column)?;
        text.parse().map_err(|_| {
            self.error(
                column,
                format!("\"{}\" is \"{text}\", which is no number", column.name),
            )
        })
    }

    /// Where the row says that its thing is; (0, 0) is no place, in whatever system.
    pub(crate) fn spot(&self, columns: PlaceColumns, frame: Frame<'_>) -> Result<Spot, RowError> {
        let system: Crs = match self.text(columns.crs)? {
            "" => Crs::Wgs84,
            name => name
                .parse()
                .map_err(|_| self.error(columns.crs, format!("unknown coordinate system \"{name}\"")))?,
        };
        let (x, y) = (self.number(columns.lon)?, self.number(columns.lat)?);
        if x == 0.0 && y == 0.0 {
            return Ok(Spot::Nowhere);
        }
        frame
            .systems
            .to_wgs84(system, x, y)
            .and_then(|(lon, lat)| {
                let position = Position::from_degrees(lon, lat)?;
                Some(if frame.holds(lon, lat) {
                    Spot::Inside(position)
                } else {
                    Spot::Outside(position)
                })
            })
            .ok_or_else(|| self.error(columns.lon, "the coordinates are not on earth".to_owned()))
    }

    /// One sigma in millimetres, where the cell says one.
    pub(crate) fn accuracy_mm(&self, column: Column) -> Result<Option<i64>, RowError> {
        if self.text(column)?.is_empty() {
            return Ok(None);
        }
        let metres = self.number(column)?;
        if !(metres > 0.0 && metres <= 10_000.0) {
            let message = format!("\"{}\" must lie above 0 and at most at 10000", column.name);
            return Err(self.error(column, message));
        }
        Ok(Some((metres * 1_000.0) as i64))
    }

    pub(crate) fn error(&self, column: Column, message: String) -> RowError {
        RowError {
            line: Some(self.line()),
            column: Some(column.name.to_owned()),
            message,
        }
    }
}

fn error_of(error: csv::Error) -> RowError {
    RowError {
        line: error.position().map(csv::Position::line),
        column: None,
        message: error.to_string(),
    }
}
