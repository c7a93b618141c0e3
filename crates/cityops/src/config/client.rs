//! The properties of the Kafka client: whatever librdkafka knows, but for what exactly-once rests on. Secrets may stand in
//! files of their own.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use city_rules::ConfigError;
use kafka_log::{Properties, client};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Loaded, lines};

pub(super) const SECTION: &str = "kafka.properties";
/// Behind a property's name: the value is in a file.
const IN_FILE: &str = "_file";

/// What the workers set themselves: exactly-once rests on it.
pub(super) const OWNED: [&str; 8] = [
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

/// Properties that name files or folders; `probe` stands for the system's own authorities.
const PATHS: [&str; 10] = [
    "https.ca.location",
    "sasl.kerberos.keytab",
    "sasl.oauthbearer.assertion.file",
    "sasl.oauthbearer.assertion.jwt.template.file",
    "sasl.oauthbearer.assertion.private.key.file",
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.crl.location",
    "ssl.key.location",
    "ssl.keystore.location",
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
    /// The client's properties: those in files read, and paths relative to the configuration's file, as everywhere in it.
    ///
    /// # Errors
    /// When a property is the worker's own, its file cannot be read, this build has no TLS for it, or the client library does
    /// not take it.
    pub fn kafka_properties(&self) -> Result<Properties, ConfigError> {
        let properties = self.given_properties()?;
        self.fits_the_build(&properties, client::has_tls())?;
        match client::refusal(&properties) {
            Some(refusal) => Err(self.refused(&properties, refusal)),
            None => Ok(properties),
        }
    }

    /// A mistake at a property, by its name in the file.
    pub(super) fn wrong_property(&self, name: &str, message: String) -> ConfigError {
        let line = lines::of_key(&self.text, SECTION, name).first().copied();
        ConfigError {
            line,
            ..ConfigError::new(&self.file, &format!("{SECTION}.{name}"), message)
        }
    }

    fn given_properties(&self) -> Result<Properties, ConfigError> {
        let kafka = &self.config.kafka;
        let mut properties =
            Properties::from([("bootstrap.servers".to_owned(), kafka.bootstrap_servers.clone())]);
        for (name, value) in &kafka.properties {
            let wrong = |message: String| self.wrong_property(name, message);
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
            let value = if property != name {
                let path = self.path(Path::new(value));
                let text = std::fs::read_to_string(&path);
                let text = text
                    .map_err(|error| wrong(format!("\"{name}\": cannot read {}: {error}", path.display())))?;
                text.trim_end_matches(['\n', '\r']).to_owned()
            } else if PATHS.contains(&property) && value != "probe" {
                let path = self.path(Path::new(value));
                // The library's words for it name no file.
                std::fs::metadata(&path)
                    .map_err(|error| wrong(format!("\"{name}\": cannot read {}: {error}", path.display())))?;
                path.display().to_string()
            } else {
                value.clone()
            };
            if properties.insert(property.to_owned(), value).is_some() {
                return Err(wrong(format!(
                    "\"{property}\" in [{SECTION}] is given twice, as a value and by a file"
                )));
            }
        }
        Ok(properties)
    }

    /// Refuses what only a build with TLS can do.
    fn fits_the_build(&self, properties: &Properties, has_tls: bool) -> Result<(), ConfigError> {
        let Some(property) = client::wants_tls(properties).filter(|_| !has_tls) else {
            return Ok(());
        };
        let name = self.written(property);
        Err(self.wrong_property(
            &name,
            format!(
                "\"{name}\" in [{SECTION}] needs TLS, and this build of cityops has neither TLS nor SCRAM to Kafka; the container \
                 image has both, as has `cargo build --release --features kafka-tls`  此构建不含连接 Kafka 的 TLS 与 SCRAM，\
                 请使用容器镜像或以该特性重新构建"
            ),
        ))
    }

    /// A property's name as the file has it: by its value, or by a file.
    pub(super) fn written(&self, property: &str) -> String {
        let by_file = format!("{property}{IN_FILE}");
        match self.config.kafka.properties.contains_key(&by_file) {
            true => by_file,
            false => property.to_owned(),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(text: &str) -> Loaded {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cityops.toml");
        std::fs::write(&path, text).unwrap();
        Loaded::read_with(&path, std::iter::empty()).unwrap()
    }

    #[test]
    fn a_build_without_tls_says_so_and_one_with_it_goes_on() {
        for (properties, line, key) in [
            (
                "\"client.id\" = \"x\"\n\"security.protocol\" = \"SASL_SSL\"\n",
                3,
                "security.protocol",
            ),
            ("\"sasl.mechanism\" = \"SCRAM-SHA-512\"\n", 2, "sasl.mechanism"),
            ("\"ssl.key.password_file\" = \"p\"\n", 2, "ssl.key.password_file"),
        ] {
            let loaded = loaded(&format!("[kafka.properties]\n{properties}"));
            let given = &loaded.config.kafka.properties;
            let properties = given
                .iter()
                .map(|(name, value)| (property_of(name).to_owned(), value.clone()))
                .collect();
            let error = loaded.fits_the_build(&properties, false).unwrap_err();
            assert_eq!(error.line, Some(line), "{error}");
            let said = error.to_string();
            assert!(
                said.contains(&format!("\"{key}\""))
                    && said.contains("--features kafka-tls")
                    && said.contains("构建"),
                "{said}"
            );
            assert_eq!(said.lines().count(), 1, "{said}");
            assert_eq!(loaded.fits_the_build(&properties, true), Ok(()));
        }
        let plain = loaded(
            "[kafka.properties]\n\"security.protocol\" = \"SASL_PLAINTEXT\"\n\"sasl.mechanism\" = \"PLAIN\"\n",
        );
        let properties = plain.given_properties().unwrap();
        assert_eq!(plain.fits_the_build(&properties, false), Ok(()));
    }

    #[test]
    fn files_are_found_from_the_configurations_folder() {
        let dir = tempfile::tempdir().unwrap();
        let (ca, key) = (dir.path().join("tls/ca.pem"), dir.path().join("key.pem"));
        std::fs::create_dir(dir.path().join("tls")).unwrap();
        for file in [&ca, &key] {
            std::fs::write(file, "").unwrap();
        }
        let text = format!(
            "[kafka.properties]\n\"ssl.ca.location\" = \"tls/ca.pem\"\n\"ssl.key.location\" = \"{}\"\n\"client.id\" = \"tls/ca.pem\"\n\
             \"https.ca.location\" = \"probe\"\n",
            key.display()
        );
        let path = dir.path().join("cityops.toml");
        std::fs::write(&path, text).unwrap();
        let loaded = Loaded::read_with(&path, std::iter::empty()).unwrap();
        let properties = loaded.given_properties().unwrap();
        for (name, value) in [
            ("ssl.ca.location", ca.display().to_string()),
            ("ssl.key.location", key.display().to_string()),
            ("client.id", "tls/ca.pem".to_owned()),
            ("https.ca.location", "probe".to_owned()),
        ] {
            assert_eq!(properties[name], value, "{name}");
        }
        std::fs::remove_file(&ca).unwrap();
        let error = loaded.given_properties().unwrap_err().to_string();
        assert!(
            error.contains("cityops.toml:2:") && error.contains("tls/ca.pem"),
            "{error}"
        );
    }

    #[test]
    fn what_may_be_a_secret_is_not_printed_whether_the_library_knows_it_or_not() {
        let secrets = [
            "sasl.password",
            "ssl.key.password",
            "ssl.keystore.password",
            "ssl.key.pem",
            "sasl.oauthbearer.client.secret",
            "sasl.oauthbearer.config",
            "sasl.oauthbearer.assertion.private.key.passphrase",
            "sasl.pasword",
            "sasl.oauthbearer.extensions",
        ];
        let lines: String = secrets
            .iter()
            .map(|name| format!("\"{name}\" = \"opensesame\"\n"))
            .collect();
        let printed = loaded(&format!("[kafka.properties]\n\"client.id\" = \"seen\"\n{lines}"))
            .masked()
            .unwrap();
        assert!(
            printed.contains("seen") && !printed.contains("opensesame"),
            "{printed}"
        );
        assert_eq!(printed.matches("***").count(), secrets.len(), "{printed}");
    }
}
