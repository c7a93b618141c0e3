//! Everything but the source topics is lost, groups and state among it: the city is decided again from what the sources sent, and
//! is the same city. The steps are those of `deploy/RUNBOOK.md`.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod city;

use std::process::Command;

use city::feed::{Feed, is_decided_alike};
use city::{City, Running, broker, expect, seed, web};
use city_simulator::Scenario;
use kafka_log::Properties;
use serde_json::Value;
use wire_format::Topic;

const RECORDS: usize = 3_000;

#[test]
fn a_city_is_rebuilt_from_its_source_topics() {
    let seed = seed();
    let city = City::new(Scenario::Typhoon, seed, RECORDS);
    let name = format!("rebuild-{seed}-{}", std::process::id());
    city.on_kafka(&broker(), &name);
    let config = city.config();
    expect(0, &["topics", "apply", "--config", &config]);
    let fed = feed(seed, &format!("{name}."));
    let before = decided(&city, fed, "before.log");

    let lost: Vec<String> = Topic::ALL
        .iter()
        .filter(|topic| topic.source().is_none())
        .map(|topic| kafka_log::topic_name(&format!("{name}."), *topic))
        .collect();
    tool(&["topics", "--delete", "--topic", &lost.join(",")]);
    for worker in ["enrich", "correlate", "vitals"] {
        tool(&[
            "consumer-groups",
            "--delete",
            "--group",
            &format!("{name}-{worker}"),
        ]);
    }
    expect(0, &["topics", "apply", "--config", &config]);
    let after = decided(&city, fed, "after.log");

    assert_eq!(before["consumed"], fed, "{before}");
    assert_eq!(before["unaccounted"], 0, "{before}");
    assert!(before["outcomes"]["joined"].as_i64() > Some(0), "{before}");
    for told in ["consumed", "unaccounted", "outcomes", "grouping_digest"] {
        assert!(before[told].is_number() || !before[told].is_null(), "{told}");
        assert_eq!(before[told], after[told], "{told}");
    }
}

/// Runs the program until all is accounted for, ends it, and gives its ledger; the audit finds nothing.
fn decided(city: &City, fed: usize, log: &str) -> Value {
    let (config, log) = (city.config(), city.path(log));
    let process = Running::start(&["run", "--config", &config], &log);
    web::wait("every record has its outcome", &log, || {
        web::address(&log).is_some_and(|address| {
            let consumed = web::metric(&address, "cityops_events_consumed_total{");
            consumed == fed as f64 && web::metric(&address, "cityops_unaccounted_events ") == 0.0
        })
    });
    assert_eq!(process.terminate(), Some(0));
    let read = |command: &str| -> Value {
        serde_json::from_str(&expect(0, &["--json", command, "--config", &config])).unwrap()
    };
    assert_eq!(read("audit")["differences"], serde_json::json!([]));
    read("ledger")
}

/// Sends the city's records but for those that two readings may decide otherwise, and says how many.
fn feed(seed: u64, prefix: &str) -> usize {
    let properties = Properties::from([("bootstrap.servers".to_owned(), broker())]);
    let feed = Feed::new(&properties, prefix);
    let records = city_simulator::simulate(Scenario::Typhoon, seed, RECORDS);
    let fed = records
        .filter(is_decided_alike)
        .map(|record| feed.send(&record))
        .count();
    feed.flush();
    fed
}

fn tool(args: &[&str]) {
    city::succeed(
        Command::new("deploy/kafka-local/tool")
            .args(args)
            .env("CITYOPS_KAFKA", broker()),
    );
}
