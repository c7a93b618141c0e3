//! `cityops replay` and `simulate` as an outsider sees them: everything accounted for, the same bytes again, no person in
//! what is written.
#![allow(clippy::unwrap_used)]

mod city;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use city::output::{INPUTS, OUTPUTS, Replayed, sha256};
use city::{City, expect, run};
use city_simulator::Scenario;
use serde_json::Value;

fn text(path: &Path) -> String {
    path.display().to_string()
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
    let second = city.replay_of(city.dir.path(), "second", &["--verify", &old]);
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
    let told = city.replay_of(city.dir.path(), "told", &["--evidence"]);
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
        !city
            .replay_of(city.dir.path(), "told", &[])
            .dir
            .join("evidence.ndjson")
            .exists()
    );
}

#[test]
fn files_may_be_missing_empty_or_untidy() {
    let city = City::new(Scenario::Normal, 14, 1_500);
    let whole = city.replayed("whole");

    let untidy = city.input_from("untidy", |_, bytes| {
        let text = String::from_utf8(bytes).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        // Blank lines everywhere, other line ends, and no line feed at the end.
        Some(format!("\n  \n{}", lines.join("\r\n\t\r\n\n")).into_bytes())
    });
    let output = city.replay_of(&untidy, "from_untidy", &[]);
    output.check(&untidy);
    check_same(&whole, &output, &OUTPUTS);

    let some = city.input_from("some", |file, bytes| match file {
        "hotline.ndjson" => Some(bytes),
        "video.ndjson" => Some(Vec::new()),
        "report.ndjson" => Some(b"\n\n \n".to_vec()),
        _ => None,
    });
    let output = city.replay_of(&some, "from_some", &[]);
    output.check(&some);
    assert_eq!(
        output.ledger()["consumed"],
        output.ledger()["by_source"]["hotline"]["consumed"]
    );

    let empty = city.input_from("empty", |_, _| Some(Vec::new()));
    let output = city.replay_of(&empty, "from_empty", &[]);
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
    check_same(&whole, &city.replay_of(&turned, "from_turned", &[]), &OUTPUTS);
}

#[test]
fn what_these_tests_hold_an_output_to_can_fail() {
    let city = City::new(Scenario::Typhoon, 17, 1_000);
    let output = city.replayed("out");
    output.check(city.dir.path());
    let first = |name: &str, from: &str, to: &str| -> Vec<u8> {
        let text = String::from_utf8(output.bytes(name)).unwrap();
        assert!(text.contains(from), "{from} is not in {name}");
        text.replacen(from, to, 1).into_bytes()
    };
    let without_last_line = |name: &str| -> Vec<u8> {
        let bytes = output.bytes(name);
        let end = bytes[..bytes.len() - 1]
            .iter()
            .rposition(|byte| *byte == b'\n')
            .unwrap();
        bytes[..=end].to_vec()
    };
    let tampered = [
        (
            "ledger.json",
            first("ledger.json", "\"opened\": ", "\"opened\": 1"),
        ),
        ("ledger.json", first("ledger.json", "\"opened\"", "\"begun\"")),
        (
            "ledger.json",
            first("ledger.json", "\"unaccounted\": 0", "\"unaccounted\": 1"),
        ),
        ("members.csv", first("members.csv", "310117-", "310118-")),
        ("members.csv", without_last_line("members.csv")),
        ("incidents.ndjson", without_last_line("incidents.ndjson")),
        (
            "incidents.ndjson",
            first("incidents.ndjson", "\"score\":", "\"score\":1"),
        ),
        (
            "revisions.ndjson",
            first("revisions.ndjson", "\"revision\":1,", "\"revision\":0,"),
        ),
        ("outcomes.ndjson", without_last_line("outcomes.ndjson")),
    ];
    for (at, (name, bytes)) in tampered.into_iter().enumerate() {
        let dir = city.path(&format!("tampered-{at}"));
        fs::create_dir(&dir).unwrap();
        for file in OUTPUTS {
            fs::copy(output.dir.join(file), dir.join(file)).unwrap();
        }
        fs::write(dir.join(name), bytes).unwrap();
        let tampered = Replayed { dir };
        let input = city.dir.path();
        let checked = std::panic::catch_unwind(|| tampered.check(input));
        assert!(checked.is_err(), "number {at}, in {name}, went unnoticed");
    }
}
