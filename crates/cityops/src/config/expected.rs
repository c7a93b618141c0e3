//! `expected_every` of a source system: what an alert about its silence goes by.

use std::time::Duration;

use city_rules::ConfigError;

use super::{IngestedFrom, Loaded, lines};

/// A shorter silence than this cannot be told from the pace at which metrics are looked at.
const EXPECTED_EVERY_MIN_MS: i64 = 60_000;

impl Loaded {
    /// The source systems that are listed, each with the longest silence that is no trouble, if one is expected. Where producers
    /// say when a record was appended, as in a backfill, that says nothing about silence now, and nothing is expected.
    pub(crate) fn listed_sources(&self) -> impl Iterator<Item = (&str, Option<Duration>)> {
        let is_now = self.config.time.ingested_from == IngestedFrom::Broker;
        let listed = self.config.sources.iter();
        let listed = listed.filter(|(system, _)| *system != "default");
        listed.map(move |(system, source)| {
            let every = source.expected_every.filter(|_| is_now);
            let every = every.map(|every| Duration::from_millis(every.0.max(0) as u64));
            (&**system, every)
        })
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_expected_where_producers_say_when() {
        let listed = |time: &str| {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("cityops.toml");
            let sources = "[sources.default]\n[sources.a]\nexpected_every = \"10m\"\n[sources.b]\n";
            std::fs::write(&path, format!("{time}{sources}")).unwrap();
            let loaded = Loaded::read_with(&path, std::iter::empty()).unwrap();
            let listed = loaded.listed_sources();
            listed
                .map(|(system, every)| (system.to_owned(), every.map(|every| every.as_secs())))
                .collect::<Vec<_>>()
        };
        let (a, b) = ("a".to_owned(), "b".to_owned());
        assert_eq!(listed(""), [(a.clone(), Some(600)), (b.clone(), None)]);
        let backfill = "[time]\ningested_from = \"producer\"\n";
        assert_eq!(listed(backfill), [(a, None), (b, None)]);
    }
}
