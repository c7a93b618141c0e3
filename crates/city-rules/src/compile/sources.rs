//! Where a rule was written, so that a mistake can be told with its file and line.

use crate::strict::ConfigError;

/// The files that the rules come from, the last one having the last word.
pub(crate) struct Sources<'a>(pub(crate) Vec<(&'a str, &'a str)>);

impl Sources<'_> {
    /// The error that `name`, a `what`, is unknown; told where the latest file has it.
    pub(super) fn unknown<'c>(
        &self,
        what: &str,
        name: &str,
        candidates: impl IntoIterator<Item = &'c str>,
    ) -> ConfigError {
        let (file, text) = self.with(name);
        ConfigError::unknown_name(file, text, what, name, candidates)
    }

    /// An error about `name`.
    pub(super) fn wrong(&self, name: &str, message: String) -> ConfigError {
        let (file, text) = self.with(name);
        let at = ConfigError::unknown_name(file, text, "", name, []);
        ConfigError {
            line: at.line,
            ..ConfigError::new(file, name, message)
        }
    }

    fn with(&self, name: &str) -> (&str, &str) {
        let found = self.0.iter().rev().find(|(_, text)| text.contains(name));
        found.or(self.0.last()).copied().unwrap_or(("rules", ""))
    }
}
