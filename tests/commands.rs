//! The commands beside replay and grids, as an outsider runs them: the simulator, the backtest, the topics.
#![allow(clippy::unwrap_used)]

mod city;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use city::{City, expect, run};
use city_simulator::Scenario;
use serde_json::{Value, json};

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn a_demo_is_shown_to_others_only_where_that_is_said() {
    for listen in ["0.0.0.0:0", "[::]:0", "city.invalid:8080"] {
        let output = run(&["demo", "--listen", listen, "--minutes", "0.01"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.contains(listen) && said.contains("--allow-anonymous"),
            "{said}"
        );
    }
}

#[test]
fn simulate_counts_what_it_wrote() {
    let dir = tempfile::tempdir().unwrap();
    let output = text(dir.path());
    let args = [
        "--json",
        "simulate",
        "--scenario",
        "typhoon",
        "--seed",
        "4",
        "--events",
        "1234",
        "--output",
        &output,
    ];
    let told: Value = serde_json::from_str(&expect(0, &args)).unwrap();
    let mut sum = 0;
    for (source, count) in told["records"].as_object().unwrap() {
        let lines = city::output::records_in(&dir.path().join(format!("{source}.ndjson")));
        assert_eq!(count.as_u64(), Some(lines as u64), "{source}");
        sum += lines;
    }
    assert_eq!(sum, 1234);
    assert_eq!(told["output"], json!(output));
}

/// A labelled history from a simulated city and its truth.
fn history(city: &City) -> String {
    let mut truth: BTreeMap<String, (String, String)> = BTreeMap::new();
    for row in csv::Reader::from_path(city.path("truth.csv")).unwrap().records() {
        let row = row.unwrap();
        truth.insert(row[0].to_owned(), (row[1].to_owned(), row[2].to_owned()));
    }
    let mut csv = String::from("event_id,event_time,source,kind,lon,lat,extra,truth\n");
    let mut seen = BTreeSet::new();
    for (file, time) in [
        ("hotline.ndjson", "called_at"),
        ("report.ndjson", "observed_at"),
        ("video.ndjson", "captured_at"),
    ] {
        for line in fs::read_to_string(city.path(file)).unwrap().lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            let id = record["event_id"].as_str().unwrap();
            let Some((incident, kind)) = truth.get(id) else {
                continue;
            };
            if !seen.insert(id.to_owned()) {
                continue;
            }
            let time = record[time]
                .as_i64()
                .map_or_else(|| record[time].as_str().unwrap().to_owned(), |ms| ms.to_string());
            let place = record["location"]
                .as_object()
                .filter(|place| place["x"].as_f64().is_some_and(|x| x > 1.0 && x < 180.0));
            let (lon, lat) = place.map_or_else(Default::default, |place| {
                (place["x"].to_string(), place["y"].to_string())
            });
            let source = file.trim_end_matches(".ndjson");
            csv += &format!("{id},{time},{source},{kind},{lon},{lat},x,{incident}\n");
        }
    }
    csv
}

#[test]
fn backtest_scores_a_labelled_history() {
    use std::io::Write;
    let city = City::new(Scenario::Typhoon, 41, 3_000);
    let csv = history(&city);
    let rows = csv.lines().count() - 1;
    let (plain, packed) = (city.path("history.csv"), city.path("history.csv.gz"));
    fs::write(&plain, &csv).unwrap();
    let mut gzip =
        flate2::write::GzEncoder::new(fs::File::create(&packed).unwrap(), flate2::Compression::fast());
    gzip.write_all(csv.as_bytes()).unwrap();
    gzip.finish().unwrap();

    let config = city.config();
    let score = |args: &[&str]| -> Value {
        let told = expect(0, &[&["--json", "backtest"], args].concat());
        let mut told: Value = serde_json::from_str(&told).unwrap();
        assert!(told["seconds"].is_number());
        told.as_object_mut().unwrap().remove("seconds");
        told
    };
    let told = score(&["--config", &config, "--events", &text(&plain)]);
    for name in ["events", "located", "incidents", "merged", "links"] {
        assert!(told[name].is_u64(), "{name}: {told}");
    }
    for name in [
        "merge_share",
        "link_recall",
        "duplicate_recall",
        "duplicate_precision_lower_bound",
        "per_kind",
    ] {
        assert!(told.get(name).is_some(), "{name}: {told}");
    }
    assert_eq!(told["events"], rows);
    assert!(told["located"].as_u64().unwrap() as usize > rows / 2, "{told}");
    for scores in ["pairwise", "b_cubed"] {
        for name in ["precision", "recall", "f1"] {
            let value = told[scores][name]
                .as_f64()
                .unwrap_or_else(|| panic!("{scores}.{name}: {told}"));
            assert!((0.0..=1.0).contains(&value), "{scores}.{name} is {value}");
        }
    }
    let of_kinds: u64 = told["per_kind"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kind| kind["events"].as_u64().unwrap())
        .sum();
    assert_eq!(of_kinds, told["events"]);
    assert!(
        told["b_cubed"]["f1"].as_f64().unwrap() > 0.6,
        "{}",
        told["b_cubed"]
    );
    assert_eq!(
        score(&["--config", &config, "--events", &text(&packed)]),
        told,
        "packed or not"
    );

    // Without the truth there is nothing to score by, and labels are never decided by.
    let blind: String = csv
        .lines()
        .map(|line| format!("{}\n", line.rsplit_once(',').unwrap().0))
        .collect();
    fs::write(&plain, blind).unwrap();
    let unlabelled = score(&["--config", &config, "--events", &text(&plain)]);
    assert_eq!(unlabelled["incidents"], told["incidents"]);
    assert!(unlabelled.get("pairwise").is_none() && unlabelled.get("b_cubed").is_none());
    let text_form = expect(0, &["backtest", "--events", &text(&plain)]);
    assert!(text_form.contains("incidents"), "{text_form}");
    fs::write(&plain, "event_id,lon,lat\na,1,2\n").unwrap();
    assert_eq!(
        run(&["backtest", "--events", &text(&plain)]).status.code(),
        Some(1)
    );
}

#[test]
fn topics_plan_names_every_topic_with_its_settings() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cityops.toml");
    let config = text(&path);
    let plan = |extra: &str| -> BTreeMap<String, Value> {
        fs::write(&path, extra).unwrap();
        let told: Value =
            serde_json::from_str(&expect(0, &["--json", "topics", "plan", "--config", &config])).unwrap();
        assert!(
            told["groups"]
                .as_object()
                .is_some_and(|groups| !groups.is_empty())
                || told["groups"].is_array(),
            "{told}"
        );
        let topics = told["topics"].as_array().unwrap().iter();
        topics
            .map(|topic| (topic["name"].as_str().unwrap().to_owned(), topic.clone()))
            .collect()
    };
    let expected = [
        ("city.sensor.readings.v1", "delete"),
        ("city.hotline.tickets.v1", "delete"),
        ("city.video.alerts.v1", "delete"),
        ("city.reports.v1", "delete"),
        ("city.weather.warnings.v1", "compact"),
        ("city.silences.v1", "compact"),
        ("city.incidents.commands.v1", "delete"),
        ("city.events.enriched.v1", "delete"),
        ("city.incidents.v1", "compact"),
        ("city.incidents.p1.v1", "compact"),
        ("city.incidents.p2.v1", "compact"),
        ("city.incidents.p3.v1", "compact"),
        ("city.incidents.p4.v1", "compact"),
        ("city.events.outcomes.v1", "compact,delete"),
        ("city.events.late.v1", "delete"),
        ("city.deadletter.v1", "delete"),
        ("city.device.faults.v1", "compact"),
        ("city.vitals.v1", "compact"),
        ("city.enrich.changelog.v1", "compact"),
        ("city.correlate.changelog.v1", "compact"),
        ("city.vitals.facts.v1", "delete"),
        ("city.vitals.changelog.v1", "compact"),
    ];
    let topics = plan("");
    assert_eq!(
        topics.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        expected.iter().map(|(name, _)| *name).collect()
    );
    for (name, cleanup) in expected {
        let topic = &topics[name];
        assert_eq!(topic["config"]["cleanup.policy"], cleanup, "{name}");
        assert_eq!(
            topic["config"]["message.timestamp.type"], "LogAppendTime",
            "{name}"
        );
        assert!(topic["partitions"].as_i64().unwrap() >= 1, "{name}");
        assert!(topic["replication"].is_null(), "{name}: the broker's default");
    }
    let fortnight = 14 * 24 * 3_600_000;
    assert_eq!(
        topics["city.deadletter.v1"]["config"]["retention.ms"],
        fortnight.to_string()
    );

    let days = |name: &str| {
        let ms = topics[name]["config"]["retention.ms"].as_str().unwrap();
        ms.parse::<i64>().unwrap() / (24 * 3_600_000)
    };
    assert_eq!(
        (days("city.hotline.tickets.v1"), days("city.events.enriched.v1")),
        (7, 7)
    );
    assert!(topics["city.sensor.readings.v1"]["config"]["min.insync.replicas"].is_null());
    assert!(topics["city.weather.warnings.v1"]["config"]["retention.ms"].is_null());
    for (replicas, in_sync) in [(1, "1"), (2, "1"), (3, "2")] {
        let topics = plan(&format!(
            "[topics]\nreplication = {replicas}\nsource_retention = \"30d\"\n"
        ));
        for (name, _) in expected {
            assert_eq!(topics[name]["config"]["min.insync.replicas"], in_sync, "{name}");
            assert!(topics[name]["why"]["min.insync.replicas"].is_string(), "{name}");
        }
        let month = (30_i64 * 24 * 3_600_000).to_string();
        assert_eq!(topics["city.reports.v1"]["config"]["retention.ms"], month);
        assert_eq!(
            topics["city.deadletter.v1"]["config"]["retention.ms"],
            fortnight.to_string()
        );
    }

    // A backfill brings its own times, and only to the source topics.
    let topics =
        plan("[time]\ningested_from = \"producer\"\n[topics]\nreplication = 3\nsource_partitions = 7\n");
    for (at, (name, _)) in expected.iter().enumerate() {
        let clock = if at < 7 { "CreateTime" } else { "LogAppendTime" };
        assert_eq!(topics[*name]["config"]["message.timestamp.type"], clock, "{name}");
        assert_eq!(topics[*name]["replication"], 3, "{name}");
    }
    assert_eq!(topics["city.sensor.readings.v1"]["partitions"], 7);
    assert_eq!(topics["city.reports.v1"]["config"]["retention.ms"], "-1");
    let told = expect(0, &["topics", "plan", "--config", &config]);
    assert!(
        told.lines()
            .any(|line| line.starts_with("min.insync.replicas=2 ") && line.contains("三副本")),
        "{told}"
    );
    for (name, cleanup) in expected {
        let line = told
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_else(|| panic!("{name} is not in {told}"));
        assert!(line.contains(&format!("cleanup.policy={cleanup}")), "{line}");
    }
}
