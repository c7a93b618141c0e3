//! `cityops replay` and `simulate` as an outsider sees them: everything accounted for, the same bytes again, no person in
//! what is written.
#![allow(clippy::unwrap_used)]

mod city;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use city::output::{INPUTS, OUTPUTS, Replayed, sha256};
use city::{City, expect, run};
use city_simulator::Scenario;
use serde_json::Value;

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Replays `input` with the city's configuration.
fn replay_of(city: &City, input: &Path, output: &str, more: &[&str]) -> Replayed {
    let (config, input, output) = (city.config(), text(input), text(&city.path(output)));
    let mut args = vec![
        "replay", "--config", &config, "--input", &input, "--output", &output,
    ];
    args.extend(more);
    expect(0, &args);
    Replayed { dir: output.into() }
}

/// A folder beside the city's input whose files are made from the city's.
fn input_from(
    city: &City,
    name: &str,
    make: impl Fn(&str, Vec<u8>) -> Option<Vec<u8>>,
) -> std::path::PathBuf {
    let dir = city.path(name);
    fs::create_dir(&dir).unwrap();
    for file in INPUTS {
        if let Some(bytes) = make(file, fs::read(city.path(file)).unwrap()) {
            fs::write(dir.join(file), bytes).unwrap();
        }
    }
    dir
}

fn check_same(one: &Replayed, other: &Replayed, names: &[&str]) {
    for name in names {
        assert!(one.bytes(name) == other.bytes(name), "{name} differs");
    }
}

#[test]
fn everything_is_accounted_for() {
    for scenario in [Scenario::Normal, Scenario::Typhoon] {
        let city = City::new(scenario, 11, 5_000);
        let output = city.replayed("out");
        output.check(city.dir.path());
        assert_eq!(output.ledger()["consumed"], 5_000, "{scenario:?}");
        // A simulated city sends nothing that cannot be read, and its storm groups something.
        assert_eq!(output.count("deadletter"), 0, "{scenario:?}");
        assert!(
            output.count("joined") > 100 && output.count("opened") > 100,
            "{scenario:?}: {}",
            output.ledger()
        );
        assert!(!output.dir.join("evidence.ndjson").exists());
    }
}

#[test]
fn a_second_run_is_the_same_and_verify_finds_a_changed_byte() {
    let city = City::new(Scenario::Typhoon, 12, 5_000);
    let first = city.replayed("first");
    let old = text(&first.dir);
    let second = replay_of(&city, city.dir.path(), "second", &["--verify", &old]);
    check_same(&first, &second, &OUTPUTS);

    let changed = "revisions.ndjson";
    let mut bytes = first.bytes(changed);
    let line_three = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .nth(1)
        .unwrap()
        .0
        + 20;
    bytes[line_three] ^= 1;
    fs::write(first.dir.join(changed), bytes).unwrap();
    let (config, input, output) = (city.config(), city.input(), text(&city.path("third")));
    let args = [
        "replay", "--config", &config, "--input", &input, "--output", &output, "--verify", &old,
    ];
    let told = expect(3, &args);
    assert!(told.contains("revisions.ndjson:3"), "{told}");
    assert!(
        !told.contains("incidents.ndjson"),
        "the others are the same: {told}"
    );

    fs::remove_file(first.dir.join("late.ndjson")).unwrap();
    assert!(expect(3, &args).contains("late.ndjson"));
    // To compare an output with itself would prove nothing.
    let itself = [
        "replay", "--config", &config, "--input", &input, "--output", &output, "--verify", &output,
    ];
    assert_eq!(run(&itself).status.code(), Some(2));
    assert_eq!(
        Replayed { dir: output.into() }.count("deadletter"),
        0,
        "and nothing was touched"
    );
}

#[test]
fn a_seed_is_a_city() {
    let root = tempfile::tempdir().unwrap();
    let make = |name: &str, seed: &str| {
        let dir = root.path().join(name);
        expect(
            0,
            &[
                "simulate",
                "--scenario",
                "typhoon",
                "--seed",
                seed,
                "--events",
                "2000",
                "--output",
                &text(&dir),
            ],
        );
        dir
    };
    let (one, same, other) = (make("one", "5"), make("same", "5"), make("other", "6"));
    let beside = [
        "cityops.toml",
        "devices.csv",
        "truth.csv",
        "grid/district.geojson",
        "grid/duty_cell.geojson",
    ];
    for file in INPUTS.iter().chain(&beside) {
        assert!(
            fs::read(one.join(file)).unwrap() == fs::read(same.join(file)).unwrap(),
            "{file} differs"
        );
    }
    assert!(fs::read(one.join("sensor.ndjson")).unwrap() != fs::read(other.join("sensor.ndjson")).unwrap());
    assert!(
        fs::read_to_string(one.join("truth.csv"))
            .unwrap()
            .starts_with("event_id,incident,kind\n")
    );
    // It just works.
    let out = text(&root.path().join("out"));
    expect(
        0,
        &[
            "replay",
            "--config",
            &text(&one.join("cityops.toml")),
            "--input",
            &text(&one),
            "--output",
            &out,
        ],
    );
    Replayed { dir: out.into() }.check(&one);
}

#[test]
fn evidence_says_what_was_compared() {
    let city = City::new(Scenario::Typhoon, 13, 3_000);
    let plain = city.replayed("plain");
    let told = replay_of(&city, city.dir.path(), "told", &["--evidence"]);
    check_same(&plain, &told, &OUTPUTS);
    let evidence = told.lines("evidence.ndjson");
    let of: BTreeMap<String, &Value> = evidence
        .iter()
        .map(|line| {
            (
                format!(
                    "{}/{}",
                    line["source_system"].as_str().unwrap(),
                    line["event_id"].as_str().unwrap()
                ),
                line,
            )
        })
        .collect();
    let mut in_space = 0;
    for (event, (incident, outcome)) in told.members() {
        let line = of
            .get(&event)
            .unwrap_or_else(|| panic!("no evidence for {event}"));
        assert!(line["why"].is_string(), "{line}");
        if outcome == "joined" && line["why"] == "near" {
            in_space += 1;
            assert!(
                line["distance_mm"].is_i64() || line["distance_m"].is_number(),
                "{line}"
            );
            assert!(
                line["radius_mm"].is_i64() || line["radius_m"].is_number(),
                "{line}"
            );
            assert!(line["gap_ms"].is_i64() || line["gap_s"].is_number(), "{line}");
        }
        assert_eq!(line["incident_id"], incident, "{event}");
    }
    assert!(in_space > 50, "{in_space} joined by space and time");
    // Asked for once, gone when not asked for.
    assert!(
        !replay_of(&city, city.dir.path(), "told", &[])
            .dir
            .join("evidence.ndjson")
            .exists()
    );
}

#[test]
fn files_may_be_missing_empty_or_untidy() {
    let city = City::new(Scenario::Normal, 14, 1_500);
    let whole = city.replayed("whole");

    let untidy = input_from(&city, "untidy", |_, bytes| {
        let text = String::from_utf8(bytes).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        // Blank lines everywhere, other line ends, and no line feed at the end.
        Some(format!("\n  \n{}", lines.join("\r\n\t\r\n\n")).into_bytes())
    });
    let output = replay_of(&city, &untidy, "from_untidy", &[]);
    output.check(&untidy);
    check_same(&whole, &output, &OUTPUTS);

    let some = input_from(&city, "some", |file, bytes| match file {
        "hotline.ndjson" => Some(bytes),
        "video.ndjson" => Some(Vec::new()),
        "report.ndjson" => Some(b"\n\n \n".to_vec()),
        _ => None,
    });
    let output = replay_of(&city, &some, "from_some", &[]);
    output.check(&some);
    assert_eq!(
        output.ledger()["consumed"],
        output.ledger()["by_source"]["hotline"]["consumed"]
    );

    let empty = input_from(&city, "empty", |_, _| Some(Vec::new()));
    let output = replay_of(&city, &empty, "from_empty", &[]);
    output.check(&empty);
    assert_eq!(output.ledger()["consumed"], 0);
    assert_eq!(output.ledger()["digest"], sha256(b""));

    // Made in another order, with something else beside them.
    let turned = city.path("turned");
    fs::create_dir(&turned).unwrap();
    fs::write(turned.join("notes.ndjson"), "{}\n").unwrap();
    for file in INPUTS.iter().rev() {
        fs::copy(city.path(file), turned.join(file)).unwrap();
    }
    check_same(&whole, &replay_of(&city, &turned, "from_turned", &[]), &OUTPUTS);
}

#[test]
fn a_line_given_twice_has_no_second_effect() {
    for scenario in [Scenario::Normal, Scenario::Typhoon] {
        let city = City::new(scenario, 15, 3_000);
        let once = city.replayed("once");
        let doubled = input_from(&city, "doubled", |_, bytes| {
            let text = String::from_utf8(bytes).unwrap();
            Some(
                text.lines()
                    .map(|line| format!("{line}\n{line}\n"))
                    .collect::<String>()
                    .into_bytes(),
            )
        });
        let twice = replay_of(&city, &doubled, "twice", &[]);
        twice.check(&doubled);
        assert_eq!(twice.grouping_digest(), once.grouping_digest(), "{scenario:?}");
        assert_eq!(twice.members(), once.members(), "{scenario:?}");
        assert!(
            twice.bytes("incidents.ndjson") == once.bytes("incidents.ndjson"),
            "{scenario:?}: incidents differ"
        );
        // Of what correlates the second is a duplicate; the same warning again is refused; what is below its threshold or
        // asks for nothing is so again, unless its device is known by a reading above it.
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
        ] {
            let (before, after) = counts(outcome);
            assert_eq!(after, before, "{scenario:?}: {outcome}");
            duplicates += if outcome == "applied" { 0 } else { before };
        }
        assert_eq!(
            twice.count("refused"),
            2 * once.count("refused") + once.count("applied"),
            "{scenario:?}"
        );
        for outcome in ["below_threshold", "not_actionable", "device_fault"] {
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
