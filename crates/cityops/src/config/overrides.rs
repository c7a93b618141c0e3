//! Overrides from the environment: `CITYOPS__SECTION__KEY=value`.

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
            let path = variable
                .strip_prefix(PREFIX)?
                .split("__")
                .map(str::to_lowercase)
                .collect();
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
        let wrong = |message: String| {
            ConfigError::new(
                &format!("environment variable {variable}"),
                &path.join("."),
                message,
            )
        };
        let mut at = &mut table;
        let Some((last, parents)) = path.split_last() else {
            continue;
        };
        for parent in parents {
            let next = at
                .entry(parent.clone())
                .or_insert_with(|| Value::Table(Table::new()));
            at = next
                .as_table_mut()
                .ok_or_else(|| wrong(format!("\"{parent}\" is not a section")))?;
        }
        at.insert(last.clone(), value_of(&value));
        let whole = toml::to_string(&table).map_err(|error| wrong(error.to_string()))?;
        config = strict::parse("", &whole).map_err(|error| wrong(error.message))?;
    }
    Ok(config)
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
