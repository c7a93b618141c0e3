//! The table of `deploy/SCALING.md` is what its constants say, and the constants that can be simulated here are what is simulated.
//!
//! `CITYOPS_SCALING=write` writes the table anew from `deploy/scaling.toml`.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

#[path = "../city/mod.rs"]
mod city;
mod plan;

use std::collections::BTreeMap;
use std::sync::Arc;

use city::City;
use city_model::Input;
use city_rules::Rules;
use city_simulator::Scenario;

use plan::{Constants, table};

const PAGE: &str = "deploy/SCALING.md";
const BEGIN: &str = "<!-- reckoned from scaling.toml -->\n";
const END: &str = "<!-- end -->\n";

fn constants() -> Constants {
    toml::from_str(&std::fs::read_to_string("deploy/scaling.toml").unwrap()).unwrap()
}

#[test]
fn the_page_says_what_its_constants_say() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (told, after) = rest.split_once(END).unwrap();
    let reckoned = table(&constants());
    if std::env::var("CITYOPS_SCALING").is_ok_and(|asked| asked == "write") {
        std::fs::write(PAGE, format!("{before}{BEGIN}{reckoned}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(told, reckoned, "CITYOPS_SCALING=write writes it anew");
}

/// A constant that is wrong is not hidden by the table: each of them moves it.
#[test]
fn every_measured_constant_shows_in_the_table() {
    let text = std::fs::read_to_string("deploy/scaling.toml").unwrap();
    let whole = table(&constants());
    let measured = text.split("# What is asked").next().unwrap();
    for line in measured.lines().filter(|line| line.contains(" = ")) {
        let (name, rest) = line.split_once(" = ").unwrap();
        let value = rest.split_whitespace().next().unwrap();
        let tenfold = format!("{name} = {:.6}", value.parse::<f64>().unwrap() * 10.0);
        let changed: Constants = toml::from_str(&text.replacen(line, &tenfold, 1)).unwrap();
        assert_ne!(table(&changed), whole, "{name} does not show");
    }
}

/// How many of the correlating events of a simulated city fall to the heaviest group of kinds.
fn heaviest(scenario: Scenario) -> (f64, String) {
    let city = City::new(scenario, 8, 6_000);
    let loaded = cityops::config::Loaded::read(&city.path("cityops.toml")).unwrap();
    let setup = Arc::new(cityops::assemble::setup(&loaded, 1).unwrap());
    let rules = Rules::builtin();
    let mut groups: BTreeMap<String, u64> = BTreeMap::new();
    for input in file_log::enriched_inputs(setup, city.dir.path()).unwrap() {
        if let Input::Event(event) = input {
            let kind = rules.kind_id(event.kind.as_str()).unwrap();
            *groups.entry(rules.group(kind).to_string()).or_default() += 1;
        }
    }
    let all: u64 = groups.values().sum();
    let (group, most) = groups.into_iter().max_by_key(|(_, count)| *count).unwrap();
    (most as f64 / all as f64, group)
}

#[test]
fn the_heaviest_group_has_the_share_that_the_page_reckons_with() {
    let constants = constants();
    for (scenario, reckoned) in [
        (Scenario::Typhoon, constants.share.storm),
        (Scenario::Normal, constants.share.calm),
    ] {
        let (share, group) = heaviest(scenario);
        println!("{}: {group} has {share:.3}", scenario.name());
        assert!(
            (share - reckoned).abs() < 0.04,
            "{}: {group} has {share:.3} of the events, the page reckons with {reckoned}",
            scenario.name()
        );
    }
}
