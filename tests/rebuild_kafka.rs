//! Everything but the source topics is lost, groups and state among it: the city is decided again from what the sources sent, and
//! is the same city. The steps are those of `deploy/RUNBOOK.md`.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod city;

use city::decided::{decided, feed, tool};
use city::{City, broker, expect, seed};
use city_simulator::Scenario;
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
    let fed = feed(seed, &format!("{name}."), RECORDS);
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
