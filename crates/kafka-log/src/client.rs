//! What the client library takes: by how it was built, and by its own look at the properties. Nothing is connected to.

use rdkafka::ClientConfig;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::{KafkaError, KafkaResult};
use wire_format::topics::Topic;

use crate::settings::Reports;
use crate::worker::{WorkerConfig, group, transactor};
use crate::{Properties, settings};

/// The library's properties, a line each, and what those take that do not take everything; from the table that comes with it
/// (`CONFIGURATION.md` of librdkafka 2.12).
const PROPERTIES: &str = include_str!("client/properties.txt");

/// Where the brokers are: whoever only looks at the others leaves it out, and knows nobody to connect to.
const BOOTSTRAP: &str = "bootstrap.servers";

/// Whether the library was built with TLS, and so with SCRAM; it says so itself.
pub fn has_tls() -> bool {
    let features = ClientConfig::new()
        .create_native_config()
        .and_then(|config| config.get("builtin.features"));
    features.is_ok_and(|features| features.split(',').any(|feature| feature.trim() == "ssl"))
}

/// The property that only a library with TLS takes, if there is one.
pub fn wants_tls(properties: &Properties) -> Option<&str> {
    let wants = |name: &str, value: &str| match name {
        "security.protocol" => ["ssl", "sasl_ssl"].contains(&value.to_lowercase().as_str()),
        "sasl.mechanism" | "sasl.mechanisms" => value.to_uppercase().starts_with("SCRAM"),
        name => name.starts_with("ssl.") || name == "enable.ssl.certificate.verification",
    };
    // The two that say what is meant come before the files that belong to it.
    let first = ["security.protocol", "sasl.mechanism", "sasl.mechanisms"];
    let named = first.iter().filter_map(|name| properties.get_key_value(*name));
    let all = named.chain(properties);
    all.into_iter()
        .find_map(|(name, value)| wants(name, value).then_some(name.as_str()))
}

/// Why the library does not take some properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such property.
    NoSuchProperty(String),
    /// The property does not take its value.
    BadValue(String),
    /// The library was built without what the property needs.
    NotBuilt(String),
    /// Each by itself is good; they do not go together, or a file cannot be used. The library's words may hold values.
    Together(String),
}

/// The first reason why the library would not make the clients that a process needs of these properties. It makes them, but for
/// the address: so files of keys and certificates are read.
pub fn refusal(properties: &Properties) -> Option<Refusal> {
    let mut properties = properties.clone();
    properties.remove(BOOTSTRAP);
    let one_by_one = properties.iter().find_map(|(name, value)| {
        let alone = ClientConfig::new().set(name, value).create_native_config();
        alone.err().map(|error| named(name, &error))
    });
    one_by_one.or_else(|| {
        clients(properties)
            .err()
            .map(|error| Refusal::Together(words(&error)))
    })
}

/// What an error of making a client means.
fn named(name: &str, error: &KafkaError) -> Refusal {
    let said = words(error);
    let name = name.to_owned();
    if said.contains("No such configuration property") {
        Refusal::NoSuchProperty(name)
    } else if said.contains("not supported in this build") {
        Refusal::NotBuilt(name)
    } else {
        Refusal::BadValue(name)
    }
}

fn words(error: &KafkaError) -> String {
    match error {
        KafkaError::ClientCreation(said) | KafkaError::ClientConfig(_, said, _, _) => said.clone(),
        other => other.to_string(),
    }
}

/// A reader and a writer as the workers have them.
fn clients(properties: Properties) -> KafkaResult<()> {
    let config = WorkerConfig::new(
        "check",
        properties,
        vec![Topic::DeadLetters],
        Topic::EnrichChangelog,
    );
    let reader = group::consumer_config(&config, 1);
    let _reader: BaseConsumer<Reports> = reader.create_with_context(Reports::default())?;
    let writer = transactor::producer_config(&config, "check");
    let _writer: rdkafka::producer::BaseProducer = writer.create()?;
    let plain = settings::client(&config.properties, &[]);
    let _plain: BaseConsumer<Reports> = plain.create_with_context(Reports::default())?;
    Ok(())
}

/// The names of all properties.
pub fn names() -> impl Iterator<Item = &'static str> {
    lines().map(|(name, _)| name)
}

/// What a property takes, in the library's words: a range, or words separated by commas. `None` where it takes any text.
pub fn takes(name: &str) -> Option<&'static str> {
    lines().find(|(known, _)| *known == name)?.1
}

fn lines() -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    PROPERTIES.lines().map(|line| match line.split_once(": ") {
        Some((name, takes)) => (name, Some(takes)),
        None => (line, None),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(pairs: &[(&str, &str)]) -> Properties {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn tls_is_wanted_by_its_properties_alone() {
        for (pairs, wanted) in [
            (
                &[("security.protocol", "SASL_SSL")][..],
                Some("security.protocol"),
            ),
            (&[("security.protocol", "ssl")], Some("security.protocol")),
            (
                &[("sasl.mechanism", "SCRAM-SHA-512"), ("client.id", "x")],
                Some("sasl.mechanism"),
            ),
            (&[("sasl.mechanisms", "scram-sha-256")], Some("sasl.mechanisms")),
            (&[("ssl.ca.location", "ca.pem")], Some("ssl.ca.location")),
            (
                &[
                    ("enable.ssl.certificate.verification", "true"),
                    ("security.protocol", "Ssl"),
                ],
                Some("security.protocol"),
            ),
            (
                &[
                    ("security.protocol", "SASL_PLAINTEXT"),
                    ("sasl.mechanism", "PLAIN"),
                ],
                None,
            ),
            (
                &[("security.protocol", "plaintext"), ("client.id", "ssl.x")],
                None,
            ),
            (&[], None),
        ] {
            assert_eq!(wants_tls(&properties(pairs)), wanted, "{pairs:?}");
        }
    }

    /// The table is of this library: each name is one of its own, and what is said to be wanted for TLS is refused exactly
    /// without it.
    #[test]
    fn the_table_is_the_librarys() {
        assert_eq!(has_tls(), cfg!(feature = "tls"));
        for name in names() {
            let refused = refusal(&properties(&[(name, "?")]));
            assert_ne!(refused, Some(Refusal::NoSuchProperty(name.to_owned())));
        }
        assert!(names().count() > 150);
        assert!(takes("security.protocol").unwrap().contains("sasl_ssl"));
        assert_eq!(takes("client.id"), None);
        let ca = properties(&[("ssl.key.password", "x")]);
        let refused = (!has_tls()).then(|| Refusal::NotBuilt("ssl.key.password".to_owned()));
        assert_eq!(refusal(&ca), refused);
    }

    #[test]
    fn the_library_judges_without_a_broker() {
        let check = |pairs: &[(&str, &str)]| refusal(&properties(pairs));
        let of = |refusal: fn(String) -> Refusal, name: &str| Some(refusal(name.to_owned()));
        assert_eq!(
            check(&[("bootstrap.servers", "nowhere:1"), ("linger.ms", "5")]),
            None
        );
        assert_eq!(
            check(&[("sasl.pasword", "x")]),
            of(Refusal::NoSuchProperty, "sasl.pasword")
        );
        assert_eq!(
            check(&[("fetch.wait.max.ms", "soon")]),
            of(Refusal::BadValue, "fetch.wait.max.ms")
        );
        assert_eq!(
            check(&[("security.protocol", "sasl_sll")]),
            of(Refusal::BadValue, "security.protocol")
        );
        let Some(Refusal::Together(said)) =
            check(&[("fetch.min.bytes", "100000000"), ("fetch.max.bytes", "1000")])
        else {
            panic!("too little may be fetched for what is awaited");
        };
        assert!(said.contains("fetch."), "{said}");
    }
}
