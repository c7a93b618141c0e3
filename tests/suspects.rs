//! A source that declares the wrong coordinate system is named, and no other; the rightly declared city names none; and
//! to look changes nothing.
#![allow(clippy::unwrap_used)]

mod city;

use city::output::OUTPUTS;
use city::{City, run};
use city_simulator::Scenario;
use serde_json::Value;

/// The city with one source declared otherwise than it is.
fn declare(city: &City, source: &str, crs: &str) -> String {
    let text = std::fs::read_to_string(city.path("cityops.toml")).unwrap();
    let header = format!("[sources.\"{source}\"]\ncrs = \"");
    let at = text.find(&header).unwrap() + header.len();
    let end = at + text[at..].find('"').unwrap();
    let path = city.path(&format!("{source}-{crs}.toml"));
    std::fs::write(&path, format!("{}{crs}{}", &text[..at], &text[end..])).unwrap();
    path.display().to_string()
}

/// The suspects of a replay's result, and what it said on the log.
fn suspects(city: &City, config: &str, output: &str) -> (Vec<Value>, String) {
    let output = city.path(output).display().to_string();
    let args = [
        "--json",
        "replay",
        "--config",
        config,
        "--input",
        &city.input(),
        "--output",
        &output,
    ];
    let told = run(&args);
    let err = String::from_utf8(told.stderr).unwrap();
    assert_eq!(told.status.code(), Some(0), "{err}");
    let result: Value = serde_json::from_slice(&told.stdout).unwrap();
    let mut ledger: Value =
        serde_json::from_slice(&std::fs::read(city.path(&output).join("ledger.json")).unwrap()).unwrap();
    assert_eq!(ledger.get("crs_suspects"), None, "the ledger is as it was");
    let suspects = result.get("crs_suspects").cloned();
    if let Some(suspects) = &suspects {
        ledger["crs_suspects"] = suspects.clone();
    }
    assert_eq!(result, ledger);
    let suspects = suspects.map_or_else(Vec::new, |suspects| suspects.as_array().unwrap().clone());
    (suspects, err)
}

#[test]
fn a_rightly_declared_city_names_nobody() {
    for scenario in [Scenario::Normal, Scenario::Typhoon] {
        let city = City::new(scenario, 11, 6_000);
        let (suspects, err) = suspects(&city, &city.config(), "out");
        assert_eq!(suspects, [] as [Value; 0], "{scenario:?}");
        assert!(!err.contains("coordinate system"), "{err}");
    }
}

#[test]
fn the_one_that_declares_the_wrong_system_is_named() {
    let city = City::new(Scenario::Normal, 11, 6_000);
    // Callers' map picks taken for GPS: found by what others report. Gauges taken for map picks: found by the registry.
    for (source, declared, looks_like, by) in [
        ("12345", "WGS84", "GCJ02", "suishenban"),
        ("suishenban", "BD09", "GCJ02", "12345"),
        ("iot-water", "GCJ02", "WGS84", "registry"),
    ] {
        let config = declare(&city, source, declared);
        let (suspects, err) = suspects(&city, &config, &format!("out-{source}"));
        let [suspect] = &suspects[..] else {
            panic!("{source}: {suspects:?}\n{err}");
        };
        assert_eq!(suspect["source_system"], source);
        assert_eq!(suspect["declared"], declared);
        assert_eq!(suspect["looks_like"], looks_like);
        let witnesses = suspect["witnesses"].as_array().unwrap();
        assert!(witnesses.iter().any(|witness| witness == by), "{suspect}");
        // What is seen is what the offset predicts at those places, within the sources' own error.
        let metres = |field: &str, at: usize| suspect[field][at].as_f64().unwrap();
        for at in 0..2 {
            let off = metres("observed_m", at) - metres("predicted_m", at);
            assert!(off.abs() < 15.0, "{suspect}");
        }
        assert!(
            metres("predicted_m", 0).hypot(metres("predicted_m", 1)) > 450.0,
            "{suspect}"
        );
        assert!(suspect["pairs"].as_i64().unwrap() >= 20 && suspect["share"].as_f64().unwrap() >= 0.5);
        // Once when it rises, once at the end.
        let lines: Vec<&str> = err
            .lines()
            .filter(|line| line.contains("coordinate system"))
            .collect();
        assert_eq!(lines.len(), 2, "{err}");
        assert!(
            lines
                .iter()
                .all(|line| line.contains("WARN") && line.contains(source) && line.contains("residual_m")),
            "{err}"
        );
    }
}

#[test]
fn to_look_changes_nothing() {
    let city = City::new(Scenario::Typhoon, 12, 3_000);
    let config = declare(&city, "12345", "WGS84");
    let loaded = cityops::config::Loaded::read(std::path::Path::new(&config)).unwrap();
    let setup = std::sync::Arc::new(cityops::assemble::setup(&loaded, 1).unwrap());
    let unwatched = city.path("unwatched");
    let options = file_log::ReplayOptions {
        evidence: true,
        vitals: false,
    };
    file_log::replay(setup, city.dir.path(), &unwatched, options).unwrap();
    let watched = city.path("watched").display().to_string();
    let input = city.input();
    let args = [
        "replay",
        "--config",
        &config,
        "--input",
        &input,
        "--output",
        &watched,
        "--evidence",
    ];
    assert_eq!(run(&args).status.code(), Some(0));
    for name in OUTPUTS.iter().chain(&["evidence.ndjson"]) {
        let bytes = |dir: &std::path::Path| std::fs::read(dir.join(name)).unwrap();
        assert!(
            bytes(&unwatched) == bytes(std::path::Path::new(&watched)),
            "{name} differs"
        );
    }
}
