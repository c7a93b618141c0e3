//! `expected_every` of a source system: what an alert about its silence goes by.

use city_rules::ConfigError;

use super::{Loaded, lines};

/// A shorter silence than this cannot be told from the pace at which metrics are looked at.
const EXPECTED_EVERY_MIN_MS: i64 = 60_000;

impl Loaded {
    /// Whether what is expected of source systems makes sense.
    ///
    /// # Errors
    /// The key with its line, and what is wrong with it.
    pub(super) fn validate_sources(&self) -> Result<(), ConfigError> {
        for (system, source) in &self.config.sources {
            let Some(every) = source.expected_every else {
                continue;
            };
            let why = match system.as_str() {
                "default" => "it stands for many systems; list the one that is expected under its own name",
                _ if every.0 < EXPECTED_EVERY_MIN_MS => {
                    "at least 1m: what is measured is looked at every 15 seconds"
                }
                _ => continue,
            };
            let quoted = format!("sources.\"{system}\"");
            let plain = format!("sources.{system}");
            let lines = |section: &str| lines::of_key(&self.text, section, "expected_every");
            let line = lines(&quoted).into_iter().chain(lines(&plain)).next();
            let key = format!("{plain}.expected_every");
            return Err(ConfigError {
                line,
                ..ConfigError::new(&self.file, &key, format!("\"{key}\": {why}"))
            });
        }
        Ok(())
    }
}
