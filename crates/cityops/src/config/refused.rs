//! What the client library does not take, told by the place in the file, the nearest valid name, and never by a secret value.

use std::collections::BTreeSet;

use city_rules::ConfigError;
use city_rules::strict::nearest;
use kafka_log::admin::Unreachable;
use kafka_log::client::{self, Refusal};
use kafka_log::{Properties, client::takes};

use super::Loaded;
use super::client::{OWNED, SECTION, is_secret};
use crate::exit::unreachable;

/// A piece of a secret as short as this in the library's words keeps them from being told.
const PIECE: usize = 4;

impl Loaded {
    /// The mistake that a refusal of the library is.
    pub(super) fn refused(&self, properties: &Properties, refusal: Refusal) -> ConfigError {
        match refusal {
            Refusal::NoSuchProperty(property) => {
                let name = self.written(&property);
                let ours =
                    client::names().filter(|name| !OWNED.contains(name) && *name != "bootstrap.servers");
                let nearest = nearest(&property, ours);
                let hint = nearest
                    .as_ref()
                    .map(|nearest| format!("; the nearest valid one is \"{nearest}\""))
                    .unwrap_or_default();
                ConfigError {
                    nearest,
                    ..self.wrong_property(
                        &name,
                        format!("\"{name}\" in [{SECTION}] is no property of librdkafka{hint}"),
                    )
                }
            }
            Refusal::BadValue(property) => self.bad_value(properties, &property),
            Refusal::NotBuilt(property) => {
                let name = self.written(&property);
                let message =
                    format!("\"{name}\" in [{SECTION}] needs what this build's librdkafka was built without");
                self.wrong_property(&name, message)
            }
            Refusal::Together(said) => self.not_together(properties, &said),
        }
    }

    fn bad_value(&self, properties: &Properties, property: &str) -> ConfigError {
        let name = self.written(property);
        let takes = takes(property);
        let mut message = format!("\"{name}\" in [{SECTION}] has a value that librdkafka refuses");
        if let Some(takes) = takes {
            message.push_str(&format!("; it takes {takes}"));
        }
        let value = properties.get(property).map_or("", String::as_str);
        // Of a value that may be a secret, what it is like would tell too much.
        let nearest = takes
            .filter(|takes| takes.contains(',') && !is_secret(property))
            .and_then(|takes| nearest(value, takes.split(", ")));
        if let Some(nearest) = &nearest {
            message.push_str(&format!("; the nearest valid one is \"{nearest}\""));
        }
        ConfigError {
            nearest,
            ..self.wrong_property(&name, message)
        }
    }

    /// The line is that of a property that the library names, the longest name first, or else of one whose value it quotes.
    fn not_together(&self, properties: &Properties, said: &str) -> ConfigError {
        let mut named: Vec<&str> = properties
            .iter()
            .filter(|(name, _)| said.contains(name.as_str()))
            .map(|(name, _)| name.as_str())
            .collect();
        named.sort_by_key(|name| std::cmp::Reverse(name.len()));
        let mut quoted = properties.iter().filter(|(name, value)| {
            !is_secret(name)
                && value.len() >= PIECE
                && said.split_whitespace().any(|word| word == value.as_str())
        });
        let property = named
            .first()
            .copied()
            .or_else(|| quoted.next().map(|(name, _)| name.as_str()));
        let mut what = match told_without_secrets(properties, said) {
            Some(said) => format!("librdkafka refuses it: {said}"),
            None => "librdkafka refuses it; its words are not shown, since they may hold a secret".to_owned(),
        };
        let Some(property) = property else {
            return self.wrong_property("", format!("[{SECTION}]: {what}"));
        };
        if named.is_empty() {
            what.push_str(&takes(property).map_or_else(String::new, |takes| format!("; it takes {takes}")));
        }
        let name = self.written(property);
        self.wrong_property(&name, format!("\"{name}\" in [{SECTION}]: {what}"))
    }

    /// What to say where the client met no broker.
    pub fn no_broker(&self, error: &Unreachable) -> anyhow::Error {
        unreachable(error.to_string())
    }
}

/// The library's words on one line, unless a piece of a secret is in them.
fn told_without_secrets(properties: &Properties, said: &str) -> Option<String> {
    let secrets = properties
        .iter()
        .filter(|(name, _)| is_secret(name) && name.as_str() != "bootstrap.servers");
    let pieces: BTreeSet<&[u8]> = secrets
        .flat_map(|(_, value)| value.as_bytes().windows(PIECE))
        .collect();
    let is_clean = !said
        .as_bytes()
        .windows(PIECE)
        .any(|window| pieces.contains(window));
    is_clean.then(|| said.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_librarys_words_are_told_only_without_any_piece_of_a_secret() {
        let check = |name: &str, value: &str, said: &str| {
            let properties = Properties::from([(name.to_owned(), value.to_owned())]);
            told_without_secrets(&properties, said)
        };
        let said = "Unrecognized beginning at: sesame";
        assert_eq!(check("sasl.oauthbearer.config", "open sesame", said), None);
        assert_eq!(check("client.id", "open sesame", said).as_deref(), Some(said));
        assert_eq!(check("sasl.password", "abc", "a\n b").as_deref(), Some("a b"));
    }
}
