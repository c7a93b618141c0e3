//! A city that is fed whole and decided on a real broker, and the broker's own tools.

use std::process::Command;

use city_simulator::Scenario;
use kafka_log::Properties;
use serde_json::Value;

use super::feed::{Feed, is_decided_alike};
use super::{City, Running, broker, expect, succeed, web};

/// Runs the program until all is accounted for, ends it, and gives its ledger; the audit finds nothing.
pub fn decided(city: &City, fed: usize, log: &str) -> Value {
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
pub fn feed(seed: u64, prefix: &str, records: usize) -> usize {
    let properties = Properties::from([("bootstrap.servers".to_owned(), broker())]);
    let feed = Feed::new(&properties, prefix);
    let records = city_simulator::simulate(Scenario::Typhoon, seed, records);
    let fed = records
        .filter(is_decided_alike)
        .map(|record| feed.send(&record))
        .count();
    feed.flush();
    fed
}

/// Runs one of Kafka's tools on the broker.
pub fn tool(args: &[&str]) {
    succeed(
        Command::new("deploy/kafka-local/tool")
            .args(args)
            .env("CITYOPS_KAFKA", broker()),
    );
}
