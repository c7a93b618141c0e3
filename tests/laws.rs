//! Laws that a whole replay keeps: what comes twice has no second effect, and no person is in anything that is written.
#![allow(clippy::unwrap_used)]

mod city;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use city::output::OUTPUTS;
use city::{City, run};
use city_simulator::Scenario;
use serde_json::Value;

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn a_line_given_twice_has_no_second_effect() {
    for scenario in [Scenario::Normal, Scenario::Typhoon] {
        let city = City::new(scenario, 15, 3_000);
        let once = city.replayed("once");
        let doubled = city.input_from("doubled", |_, bytes| {
            let text = String::from_utf8(bytes).unwrap();
            Some(
                text.lines()
                    .map(|line| format!("{line}\n{line}\n"))
                    .collect::<String>()
                    .into_bytes(),
            )
        });
        let twice = city.replay_of(&doubled, "twice", &[]);
        twice.check(&doubled);
        assert_eq!(twice.grouping_digest(), once.grouping_digest(), "{scenario:?}");
        assert_eq!(twice.members(), once.members(), "{scenario:?}");
        assert!(
            twice.bytes("incidents.ndjson") == once.bytes("incidents.ndjson"),
            "{scenario:?}: incidents differ"
        );
        // The second is a duplicate, of warnings and inquiries too; what is below its threshold is so again, unless its
        // device is known by a reading above it.
        let counts = |outcome: &str| (once.count(outcome), twice.count(outcome));
        let mut duplicates = 2 * once.count("duplicate_id");
        for outcome in [
            "opened",
            "joined",
            "continued",
            "cleared",
            "pending",
            "silenced",
            "late",
            "applied",
            "not_actionable",
        ] {
            let (before, after) = counts(outcome);
            assert_eq!(after, before, "{scenario:?}: {outcome}");
            duplicates += before;
        }
        assert_eq!(twice.count("refused"), 2 * once.count("refused"), "{scenario:?}");
        for outcome in ["below_threshold", "device_fault"] {
            let (before, after) = counts(outcome);
            assert!(
                (before..=2 * before).contains(&after),
                "{scenario:?}: {outcome} {before} and {after}"
            );
            duplicates += 2 * before - after;
        }
        assert_eq!(twice.count("duplicate_id"), duplicates, "{scenario:?}");
    }
}

/// What of an input line belongs to a person: the reporter's fields, and phone numbers, plates and flats in any text.
fn personal(line: &str, found: &mut BTreeSet<String>) {
    let record: Value = serde_json::from_str(line).unwrap();
    for field in ["reporter_phone", "reporter_name"] {
        found.extend(record[field].as_str().map(str::to_owned));
    }
    for field in ["title", "content", "address"] {
        let Some(text) = record[field].as_str() else {
            continue;
        };
        let chars: Vec<char> = text.chars().collect();
        for (at, c) in chars.iter().enumerate() {
            let digits_before = chars[..at]
                .iter()
                .rev()
                .take_while(|c| c.is_ascii_digit())
                .count();
            if *c == '室' && digits_before > 0 {
                found.insert(chars[at - digits_before..=at].iter().collect());
            }
            if *c == '沪' && chars.get(at + 1).is_some_and(char::is_ascii_uppercase) {
                found.insert(chars[at..].iter().take(7).collect());
            }
        }
        let numbers = text.split(|c: char| !c.is_ascii_digit());
        found.extend(numbers.filter(|number| number.len() == 11).map(str::to_owned));
    }
}

/// The first of `needles` that stands anywhere in `text`. There are thousands of needles and megabytes of text, so it
/// looks each place up in their order: the greatest needle that is not beyond the text from there on is the only one
/// that can stand there, once no needle begins with another.
fn first_of<'a>(needles: &'a BTreeSet<String>, text: &'a str) -> Option<&'a str> {
    let mut least: BTreeSet<&str> = BTreeSet::new();
    for needle in needles {
        if !least.last().is_some_and(|last| needle.starts_with(last)) {
            least.insert(needle);
        }
    }
    let begins: BTreeSet<char> = least.iter().filter_map(|needle| needle.chars().next()).collect();
    let places = text.char_indices().filter(|(_, c)| begins.contains(c));
    places.map(|(at, _)| &text[at..]).find_map(|rest| {
        least
            .range(..=rest)
            .next_back()
            .copied()
            .filter(|needle| rest.starts_with(needle))
    })
}

#[test]
fn no_person_is_in_anything_that_is_written() {
    for scenario in [Scenario::Normal, Scenario::Typhoon] {
        let city = City::new(scenario, 16, 5_000);
        let mut persons = BTreeSet::new();
        for file in ["hotline.ndjson", "report.ndjson"] {
            let text = fs::read_to_string(city.path(file)).unwrap();
            text.lines().for_each(|line| personal(line, &mut persons));
        }
        let kinds = [
            (
                "phone",
                persons
                    .iter()
                    .filter(|found| found.len() == 11 && found.starts_with('1'))
                    .count(),
            ),
            (
                "name",
                persons
                    .iter()
                    .filter(|found| found.ends_with("女士") || found.ends_with("先生"))
                    .count(),
            ),
            (
                "plate",
                persons.iter().filter(|found| found.starts_with('沪')).count(),
            ),
            (
                "flat",
                persons.iter().filter(|found| found.ends_with('室')).count(),
            ),
        ];
        assert!(
            kinds.iter().all(|(_, count)| *count > 0),
            "the input holds persons: {kinds:?}"
        );
        let probe = format!("a text with {} in it", persons.last().unwrap());
        assert!(first_of(&persons, &probe).is_some());

        let output = text(&city.path("out"));
        let (config, input) = (city.config(), city.input());
        let args = [
            "--log",
            "debug",
            "replay",
            "--config",
            &config,
            "--input",
            &input,
            "--output",
            &output,
            "--evidence",
        ];
        let printed = run(&args);
        assert!(printed.status.success());
        let mut written: Vec<(String, String)> = OUTPUTS
            .iter()
            .chain(&["evidence.ndjson"])
            .map(|name| {
                (
                    (*name).to_owned(),
                    fs::read_to_string(city.path("out").join(name)).unwrap(),
                )
            })
            .collect();
        written.push(("stdout".to_owned(), String::from_utf8(printed.stdout).unwrap()));
        written.push(("stderr".to_owned(), String::from_utf8(printed.stderr).unwrap()));
        for (name, text) in &written {
            assert_eq!(first_of(&persons, text), None, "{scenario:?}: in {name}");
        }
    }
}
