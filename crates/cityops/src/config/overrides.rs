//! Overrides from the environment: `CITYOPS__SECTION__KEY=value`.

use std::collections::BTreeMap;

use city_rules::{ConfigError, strict};
use toml::{Table, Value};

use super::Config;

const PREFIX: &str = "CITYOPS__";

/// A variable and the path of the key that it sets.
pub(super) struct Override {
    variable: String,
    path: Vec<String>,
    value: String,
}

/// The overrides among the variables of an environment, in the order of their names.
pub(super) fn from_environment(variables: impl Iterator<Item = (String, String)>) -> Vec<Override> {
    let mut found: Vec<Override> = variables
        .filter_map(|(variable, value)| {
            let mut path: Vec<String> = variable
                .strip_prefix(PREFIX)?
                .split("__")
                .map(str::to_lowercase)
                .collect();
            if let [kafka, properties, property] = path.as_mut_slice()
                && (kafka.as_str(), properties.as_str()) == ("kafka", "properties")
            {
                *property = property_name(property);
            }
            Some(Override {
                variable,
                path,
                value,
            })
        })
        .collect();
    found.sort_by(|a, b| a.variable.cmp(&b.variable));
    found
}

/// A property of the client by the name that a shell takes: it takes no dots, and no property has an underscore.
fn property_name(name: &str) -> String {
    match name.strip_suffix("_file") {
        Some(property) => format!("{}_file", property.replace('_', ".")),
        None => name.replace('_', "."),
    }
}

/// The variable that sets each key.
pub(super) fn names(overrides: &[Override]) -> BTreeMap<String, String> {
    overrides
        .iter()
        .map(|one| (one.path.join("."), one.variable.clone()))
        .collect()
}

/// How a variable is named in messages.
pub(super) fn place(variable: &str) -> String {
    format!("environment variable {variable}")
}

/// The configuration of a file's text with overrides on top.
pub(super) fn apply(text: &str, overrides: Vec<Override>) -> Result<Config, ConfigError> {
    // The text was read strictly before, so it is valid TOML.
    let mut table: Table = strict::parse("configuration", text)?;
    let mut config = Config::default();
    for Override {
        variable,
        path,
        value,
    } in overrides
    {
        let wrong = |message: String| ConfigError::new(&place(&variable), &path.join("."), message);
        let read = value_of(&value);
        // What looks like a number may be a text all the same: a city's code, a time in the name of a topic.
        let as_text = Value::String(value);
        let mut candidate = table.clone();
        set(&mut candidate, &path, read.clone()).map_err(wrong)?;
        config = match parse(&candidate) {
            Ok(config) => config,
            Err(error) => {
                set(&mut candidate, &path, as_text).map_err(wrong)?;
                parse(&candidate).map_err(|_| wrong(error))?
            }
        };
        table = candidate;
    }
    Ok(config)
}

fn parse(table: &Table) -> Result<Config, String> {
    let whole = toml::to_string(table).map_err(|error| error.to_string())?;
    strict::parse("", &whole).map_err(|error| error.message)
}

fn set(table: &mut Table, path: &[String], value: Value) -> Result<(), String> {
    let mut at = table;
    let Some((last, parents)) = path.split_last() else {
        return Ok(());
    };
    for parent in parents {
        let next = at
            .entry(parent.clone())
            .or_insert_with(|| Value::Table(Table::new()));
        at = next
            .as_table_mut()
            .ok_or_else(|| format!("\"{parent}\" is not a section"))?;
    }
    at.insert(last.clone(), value);
    Ok(())
}

/// A number, boolean or array as TOML reads it, else the text as it stands.
fn value_of(text: &str) -> Value {
    let parsed = toml::from_str::<Table>(&format!("v = {text}"))
        .ok()
        .and_then(|mut table| table.remove("v"));
    match parsed {
        Some(
            value @ (Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Array(_)
            | Value::String(_)),
        ) => value,
        _ => Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        apply(text, from_environment(variables)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_variable_overrides_a_key() {
        let config = check(
            "[kafka]\nbootstrap_servers = \"a:1\"\n",
            &[
                ("CITYOPS__KAFKA__BOOTSTRAP_SERVERS", "b:2"),
                ("CITYOPS__TOPICS__SOURCE_PARTITIONS", "12"),
                ("PATH", "x"),
            ],
        )
        .unwrap();
        assert_eq!(
            (
                config.kafka.bootstrap_servers.as_str(),
                config.topics.source_partitions
            ),
            ("b:2", 12)
        );
    }

    #[test]
    fn a_text_of_digits_is_a_text_where_one_is_due() {
        let config = check(
            "",
            &[("CITYOPS__CITY__CODE", "310115"), ("CITYOPS__KAFKA__LOOPS", "2")],
        )
        .unwrap();
        assert_eq!((config.city.code.as_str(), config.kafka.loops), ("310115", 2));
    }

    #[test]
    fn a_property_of_the_client_is_set_without_dots() {
        let variables = [
            ("CITYOPS__KAFKA__PROPERTIES__LINGER_MS", "5"),
            ("CITYOPS__KAFKA__PROPERTIES__SASL_PASSWORD_FILE", "p"),
        ];
        let properties: Vec<_> = check("", &variables)
            .unwrap()
            .kafka
            .properties
            .into_iter()
            .collect();
        let expected = [("linger.ms", "5"), ("sasl.password_file", "p")];
        assert_eq!(
            properties,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn a_wrong_variable_is_named_with_the_nearest_key() {
        let error = check("", &[("CITYOPS__KAFKA__BOOTSTRAP_SERVER", "b:2")]).unwrap_err();
        assert!(
            error.contains("CITYOPS__KAFKA__BOOTSTRAP_SERVER") && error.contains("bootstrap_servers"),
            "{error}"
        );
        let error = check("", &[("CITYOPS__TIME__REORDER", "soon")]).unwrap_err();
        assert!(error.contains("CITYOPS__TIME__REORDER"), "{error}");
    }
}
