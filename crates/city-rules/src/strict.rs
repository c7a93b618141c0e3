//! Strict TOML: every mistake is told with its file, its line and the nearest valid name. It reads texts, not files.

mod duration;
mod error;

use serde::de::DeserializeOwned;

pub use duration::{DurationError, DurationMs, duration, duration_text};
pub use error::{ConfigError, nearest};

/// Parses `text`, which came from `file`, into any type whose structs deny unknown fields.
///
/// # Errors
/// A syntax error, a value of the wrong type, an unknown or a missing key; each with its line.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|error| error::explain(file, text, error.message(), error.span()))
}
