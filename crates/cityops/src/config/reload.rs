//! The `[reload]` section, and what a running process may take from a changed configuration.

use city_rules::ConfigError;
use city_rules::strict::{DurationMs, duration};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use super::{Config, Loaded, lines};

/// Looking more often than this only costs; two looks make a change.
const WATCH_MIN_MS: i64 = 100;
/// The default: a new grid is in force within three looks.
const WATCH_MS: i64 = 5_000;

/// `[reload]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reload {
    /// How often the files of grid, registries and rules are looked at; SIGHUP asks at any time.
    pub watch: Watch,
}

/// How often files are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// Never.
    Off,
    /// Every so many milliseconds.
    Every(DurationMs),
}

impl Default for Watch {
    fn default() -> Self {
        Watch::Every(DurationMs(WATCH_MS))
    }
}

impl Serialize for Watch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Watch::Off => serializer.serialize_str("off"),
            Watch::Every(time) => time.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Watch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Watch, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "off" {
            return Ok(Watch::Off);
        }
        let ms = duration(&text).map_err(|error| de::Error::custom(format!("{error}, or \"off\"")))?;
        if ms < WATCH_MIN_MS {
            return Err(de::Error::custom(format!(
                "\"{text}\" is too short; write at least \"{WATCH_MIN_MS}ms\", or \"off\""
            )));
        }
        Ok(Watch::Every(DurationMs(ms)))
    }
}

impl Loaded {
    /// Whether a process that runs with this configuration may go on with `new`: only where grid, registries and rules
    /// come from may differ.
    ///
    /// # Errors
    /// A [`ConfigError`] in the new file that names the first key that takes a restart.
    pub fn may_become(&self, new: &Loaded) -> Result<(), ConfigError> {
        match difference(&fixed(&self.config), &fixed(&new.config), "") {
            None => Ok(()),
            Some(key) => Err(new.takes_a_restart(&key, "it has changed")),
        }
    }

    /// A key whose change a running process cannot take; `what` has changed, in a sentence.
    pub fn takes_a_restart(&self, key: &str, what: &str) -> ConfigError {
        // Names of properties and source systems may hold dots: the first split that finds a line is the right one.
        let line = key.rmatch_indices('.').find_map(|(at, _)| {
            let (section, name) = (&key[..at], &key[at + 1..]);
            lines::of_key(&self.text, section, name).first().copied()
        });
        let message = format!(
            "\"{key}\": {what}, which takes a restart; grid, registry and rules alone may change meanwhile"
        );
        ConfigError {
            line,
            ..ConfigError::new(&self.file, key, message)
        }
    }
}

/// The part of a configuration that holds as long as the process runs. A section that this code does not know is in it.
fn fixed(config: &Config) -> Value {
    // Only text, numbers and maps with text keys: that always serialises.
    let mut whole = serde_json::to_value(config).unwrap_or_default();
    if let Value::Object(sections) = &mut whole {
        for free in ["rules", "registry", "reload", "grid"] {
            sections.remove(free);
        }
        // A layer or level is part of every cell: other names are another city.
        let layers = config.grid.layers.iter().map(|layer| {
            let levels = layer.levels.iter();
            let levels: Vec<Value> = levels
                .map(|level| serde_json::json!({ "level": level.level }))
                .collect();
            serde_json::json!({ "name": layer.name, "levels": levels })
        });
        let layers: Vec<Value> = layers.collect();
        sections.insert("grid".to_owned(), serde_json::json!({ "layers": layers }));
    }
    whole
}

/// The first key at which two values differ.
fn difference(old: &Value, new: &Value, at: &str) -> Option<String> {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let keys: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
            keys.into_iter().find_map(|key| {
                let path = if at.is_empty() {
                    key.clone()
                } else {
                    format!("{at}.{key}")
                };
                difference(
                    old.get(key).unwrap_or(&Value::Null),
                    new.get(key).unwrap_or(&Value::Null),
                    &path,
                )
            })
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => old
            .iter()
            .zip(new)
            .find_map(|(old, new)| difference(old, new, at)),
        _ => (old != new).then(|| at.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYER: &str =
        "[[grid.layers]]\nname = \"duty\"\n[[grid.layers.levels]]\nlevel = \"town\"\nfile = \"a\"\n";

    fn loaded(text: &str) -> Loaded {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cityops.toml");
        std::fs::write(&path, text).unwrap();
        Loaded::read_with(&path, std::iter::empty()).unwrap()
    }

    fn check(old: &str, new: &str, refused: Option<(&str, Option<usize>)>) {
        let found = loaded(old).may_become(&loaded(new)).err();
        let found = found.map(|error| (error.key.unwrap(), error.line));
        let refused = refused.map(|(key, line)| (key.to_owned(), line));
        assert_eq!(found, refused, "{old} -> {new}");
    }

    #[test]
    fn grid_registry_and_rules_may_change_and_nothing_else() {
        check("", "", None);
        check("", "[rules]\nfiles = [\"a\"]\n", None);
        check(
            "[registry]\ndevices = \"a\"\n",
            "[registry]\ncomponents = \"b\"\n",
            None,
        );
        check("", "[reload]\nwatch = \"off\"\n", None);
        let other = LAYER.replace("\"a\"", "\"b\"\ncrs = \"GCJ02\"\nunit = \"u\"");
        check(LAYER, &other, None);
        let name = LAYER.replace("duty", "police");
        check(LAYER, &name, Some(("grid.layers.name", Some(2))));
        let level = LAYER.replace("town", "village");
        check(LAYER, &level, Some(("grid.layers.levels.level", Some(4))));
        check(LAYER, "", Some(("grid.layers", None)));
        for (new, key, line) in [
            (
                "\n[kafka]\nbootstrap_servers = \"b:1\"\n",
                "kafka.bootstrap_servers",
                3,
            ),
            ("[kafka]\nloops = 2\n", "kafka.loops", 2),
            (
                "[kafka.properties]\n\"linger.ms\" = 7\n",
                "kafka.properties.linger.ms",
                2,
            ),
            ("[sources.\"a.b\"]\ncrs = \"BD09\"\n", "sources.a.b", 0),
            ("[time]\nmax_late = \"1h\"\n", "time.max_late", 2),
            (
                "[topics]\nenriched_partitions = 9\n",
                "topics.enriched_partitions",
                2,
            ),
            ("[city]\ncode = \"1\"\n", "city.code", 2),
            ("[http]\nlisten = \"127.0.0.1:1\"\n", "http.listen", 2),
            (
                "[privacy]\nreporter_key_file = \"k\"\n",
                "privacy.reporter_key_file",
                2,
            ),
        ] {
            check("", new, Some((key, Some(line).filter(|line| *line > 0))));
        }
    }

    #[test]
    fn the_watch_is_a_time_or_off() {
        let read = |watch: &str| {
            loaded(&format!("[reload]\nwatch = {watch}\n"))
                .config
                .reload
                .watch
        };
        assert_eq!(read("\"off\""), Watch::Off);
        assert_eq!(read("\"2s\""), Watch::Every(DurationMs(2_000)));
        assert_eq!(loaded("").config.reload.watch, Watch::Every(DurationMs(5_000)));
    }
}
