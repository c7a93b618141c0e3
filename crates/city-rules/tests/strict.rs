//! Mistakes in a configuration, and the sentence that each is told in.
#![allow(clippy::unwrap_used, dead_code)]

use std::collections::BTreeMap;

use city_rules::strict::{self, DurationMs};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    city: City,
    #[serde(default)]
    kafka: Kafka,
    #[serde(default)]
    layers: Vec<Layer>,
    #[serde(default)]
    sources: BTreeMap<String, Layer>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct City {
    code: String,
    timezone: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kafka {
    bootstrap_servers: Option<String>,
    session_timeout: Option<DurationMs>,
    retries: Option<u32>,
    format: Option<Format>,
    topics: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Format {
    Avro,
    Json,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Layer {
    name: String,
    file: Option<String>,
}

#[test]
fn every_mistake_says_where_and_what() {
    let cases = [
        (
            "[city]\ncode = \"310117\"\n\n[kafka]\nbootstrap_server = \"x\"\n",
            "c.toml:5: unknown key \"bootstrap_server\" in [kafka]; the nearest valid key is \"bootstrap_servers\"",
            Some("kafka.bootstrap_server"),
            Some("bootstrap_servers"),
        ),
        (
            "[city]\ncode = \"310117\"\n[kafak]\nretries = 1\n",
            "c.toml:3: unknown key \"kafak\"; the nearest valid key is \"kafka\"",
            Some("kafak"),
            Some("kafka"),
        ),
        (
            "[city]\ncode = \"1\"\n[kafka.retires]\na = 1\n",
            "c.toml:3: unknown key \"retires\" in [kafka]; the nearest valid key is \"retries\"",
            Some("kafka.retires"),
            Some("retries"),
        ),
        (
            "colour = 1\n",
            "c.toml:1: unknown key \"colour\"; the nearest valid key is \"city\"",
            Some("colour"),
            None,
        ),
        (
            "[city]\ncode = 310117\n",
            "c.toml:2: \"code\" in [city]: invalid type: integer `310117`, expected a string",
            Some("city.code"),
            None,
        ),
        (
            "[city]\ncode = \"1\"\n[kafka]\nretries = -1\n",
            "c.toml:4: \"retries\" in [kafka]: invalid value: integer `-1`, expected u32",
            Some("kafka.retries"),
            None,
        ),
        (
            "[city]\ncode = \"1\"\n[kafka]\nsession_timeout = \"10 seconds\"\n",
            "c.toml:4: \"session_timeout\" in [kafka]: \"10 seconds\" is no duration; write a whole number and one of \
             d h m s ms, as in \"15m\"",
            Some("kafka.session_timeout"),
            None,
        ),
        (
            "[city]\ncode = \"1\"\n[kafka]\nformat = \"arvo\"\n",
            "c.toml:4: unknown value \"arvo\" for \"format\" in [kafka]; the nearest valid value is \"avro\"",
            Some("kafka.format"),
            Some("avro"),
        ),
        (
            "[city]\ncode = \"1\"\n[kafka]\ntopics = [\n  \"a\",\n  7,\n]\n",
            "c.toml:6: \"topics\" in [kafka]: invalid type: integer `7`, expected a string",
            Some("kafka.topics"),
            None,
        ),
        (
            "[city]\ncode = \"1\"\n[[layers]]\nname = \"duty\"\nfiel = \"x\"\n",
            "c.toml:5: unknown key \"fiel\" in [layers]; the nearest valid key is \"file\"",
            Some("layers.fiel"),
            Some("file"),
        ),
        (
            "[city]\ncode = \"1\"\n[[layers]]\nfile = \"x\"\n",
            "c.toml:3: the key \"name\" is missing in [layers]",
            Some("layers.name"),
            None,
        ),
        (
            "[city]\ncode = \"1\"\n[sources]\na = { name = \"x\", file = 3 }\n",
            "c.toml:4: \"file\" in [sources]: invalid type: integer `3`, expected a string",
            Some("sources.file"),
            None,
        ),
        (
            "[city]\ntimezone = \"x\"\n",
            "c.toml:1: the key \"code\" is missing in [city]",
            Some("city.code"),
            None,
        ),
    ];
    for (text, sentence, key, nearest) in cases {
        let error = strict::parse::<Config>("c.toml", text).unwrap_err();
        assert_eq!(error.to_string(), sentence);
        assert_eq!(error.key.as_deref(), key, "{text}");
        if nearest.is_some() {
            assert_eq!(error.nearest.as_deref(), nearest, "{text}");
        }
    }
}

#[test]
fn syntax_errors_have_a_line() {
    for (text, line) in [
        ("[city]\ncode = \n", 2),
        ("[city\n", 1),
        ("[city]\ncode = \"1\"\ncode = \"2\"\n", 3),
    ] {
        let error = strict::parse::<Config>("c.toml", text).unwrap_err();
        assert_eq!(error.line, Some(line), "{error}");
        assert_eq!(error.file, "c.toml");
    }
}

#[test]
fn durations_travel_through_toml() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Times {
        a: DurationMs,
        b: DurationMs,
    }
    let times = Times {
        a: DurationMs(90_000),
        b: DurationMs(259_200_000),
    };
    let text = toml::to_string(&times).unwrap();
    assert_eq!(text, "a = \"90s\"\nb = \"3d\"\n");
    assert_eq!(strict::parse::<Times>("t", &text).unwrap(), times);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(\\[{1,2}[a-z.\"城]{0,6}\\]{0,2}|[a-z\"城= {},\\[\\]0-9#'-]{0,14}|\\n){0,12}") {
        if let Err(error) = strict::parse::<Config>("c.toml", &text) {
            prop_assert!(error.line.is_none_or(|line| line >= 1 && line <= text.matches('\n').count() + 1));
        }
    }
}
