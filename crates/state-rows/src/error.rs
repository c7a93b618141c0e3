//! What is wrong with a row.

use std::fmt;

/// A row that cannot be read, or a value that cannot be written as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError(Box<str>);

impl RowError {
    pub(crate) fn new(what: &str) -> RowError {
        RowError(what.into())
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RowError {}

impl serde::ser::Error for RowError {
    fn custom<T: fmt::Display>(what: T) -> RowError {
        RowError(what.to_string().into())
    }
}

impl serde::de::Error for RowError {
    fn custom<T: fmt::Display>(what: T) -> RowError {
        RowError(what.to_string().into())
    }
}
