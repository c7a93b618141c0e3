//! The properties of the Kafka client: whatever librdkafka knows, but for what exactly-once rests on. Secrets may stand in
//! files of their own.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use city_rules::ConfigError;
use kafka_log::admin::Unreachable;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Loaded, lines};
use crate::exit::{bad_configuration, unreachable};

const SECTION: &str = "kafka.properties";
/// Behind a property's name: the value is in a file.
const IN_FILE: &str = "_file";

/// What the workers set themselves: exactly-once rests on it.
const OWNED: [&str; 8] = [
    "group.id",
    "transactional.id",
    "isolation.level",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "auto.offset.reset",
    "enable.idempotence",
    "enable.partition.eof",
];

/// Properties whose values may be shown. All others may be secrets, also such as nobody knows: a misspelt `sasl.pasword` is one.
const SHOWN: [&str; 14] = [
    "acks",
    "broker.address.family",
    "client.dns.lookup",
    "client.id",
    "client.rack",
    "compression.codec",
    "debug",
    "group.protocol",
    "partition.assignment.strategy",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.username",
    "security.protocol",
    "ssl.endpoint.identification.algorithm",
];

/// Ends of names whose values are sizes, times, switches or paths.
const SHOWN_ENDS: [&str; 9] = [
    ".bytes",
    ".enable",
    ".kbytes",
    ".level",
    ".location",
    ".messages",
    ".ms",
    ".size",
    ".type",
];

impl Loaded {
    /// The client's properties, those in files read.
    ///
    /// # Errors
    /// When a property is the worker's own, or its file cannot be read.
    pub fn kafka_properties(&self) -> Result<BTreeMap<String, String>, ConfigError> {
        let kafka = &self.config.kafka;
        let mut properties =
            BTreeMap::from([("bootstrap.servers".to_owned(), kafka.bootstrap_servers.clone())]);
        for (name, value) in &kafka.properties {
            let wrong = |message: String| {
                let line = lines::of_key(&self.text, SECTION, name).first().copied();
                ConfigError {
                    line,
                    ..ConfigError::new(&self.file, &format!("{SECTION}.{name}"), message)
                }
            };
            let property = property_of(name);
            if OWNED.contains(&property) {
                return Err(wrong(format!(
                    "\"{name}\" in [{SECTION}] is the worker's own: exactly-once rests on it"
                )));
            }
            if property == "bootstrap.servers" {
                return Err(wrong(format!(
                    "\"{name}\" in [{SECTION}]: write \"bootstrap_servers\" in [kafka]"
                )));
            }
            let value = if property == name {
                value.clone()
            } else {
                let path = self.path(Path::new(value));
                let text = std::fs::read_to_string(&path);
                let text = text
                    .map_err(|error| wrong(format!("\"{name}\": cannot read {}: {error}", path.display())))?;
                text.trim_end_matches(['\n', '\r']).to_owned()
            };
            if properties.insert(property.to_owned(), value).is_some() {
                return Err(wrong(format!(
                    "\"{property}\" in [{SECTION}] is given twice, as a value and by a file"
                )));
            }
        }
        Ok(properties)
    }

    /// What to say where the client met no broker. A property that it does not take is the configuration's mistake; the
    /// client's own words for that hold the value, which may be a secret under a misspelt name: only the name is told.
    pub fn no_broker(&self, error: &Unreachable) -> anyhow::Error {
        let reason = &error.reason;
        if reason.starts_with("Client creation error") {
            return bad_configuration(format!("{}: [{SECTION}]: {reason}", self.file));
        }
        if !reason.starts_with("Client config error") {
            return unreachable(error.to_string());
        }
        let mut names = self.config.kafka.properties.keys();
        let is_named = |name: &&String| reason.contains(&format!("\"{}\"", property_of(name)));
        let Some(name) = names.find(is_named) else {
            return bad_configuration(format!(
                "{}: [{SECTION}]: the client refuses a property",
                self.file
            ));
        };
        let what = if reason.contains("No such configuration property") {
            "is no property of librdkafka"
        } else {
            "has a value that librdkafka refuses"
        };
        let line = lines::of_key(&self.text, SECTION, name).first().copied();
        let message = format!("\"{name}\" in [{SECTION}] {what}");
        ConfigError {
            line,
            ..ConfigError::new(&self.file, &format!("{SECTION}.{name}"), message)
        }
        .into()
    }
}

/// The property's own name, where its value is in a file.
fn property_of(name: &str) -> &str {
    name.strip_suffix(IN_FILE).unwrap_or(name)
}

/// Whether a property's value must not be shown; the name of a file may be.
pub(super) fn is_secret(name: &str) -> bool {
    let is_shown = SHOWN.contains(&name) || SHOWN_ENDS.iter().any(|end| name.ends_with(end));
    !name.ends_with(IN_FILE) && !is_shown
}

/// Properties as text, whichever way they are written: `"linger.ms" = 5` is as good as `"5"`.
pub(super) fn as_texts<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    struct Written(String);
    impl<'de> Deserialize<'de> for Written {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Written, D::Error> {
            deserializer.deserialize_any(Value).map(Written)
        }
    }
    let written = BTreeMap::<String, Written>::deserialize(deserializer)?;
    Ok(written
        .into_iter()
        .map(|(name, Written(value))| (name, value))
        .collect())
}

struct Value;

impl Visitor<'_> for Value {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number or a boolean")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<String, E> {
        Ok(flag.to_string())
    }
}
