//! What a start must not forget, and what it says where the file and the broker differ.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod city;

use std::ops::ControlFlow;

use city::town::{SOUTH_WEST, Town};
use city::web;
use wire_format::Topic;

const EXPECTED: &str = "[sources.default]\ncrs = \"WGS84\"\n[sources.inspector-app]\nexpected_every = \"1h\"\n\
                        [sources.never]\nexpected_every = \"1h\"\n";

/// When the newest report was appended, in seconds since 1970.
fn newest_append(town: &Town) -> f64 {
    let mut newest = i64::MIN;
    let name = kafka_log::topic_name(&town.prefix, Topic::Report);
    kafka_log::read::read_all(&town.properties, &name, |record| {
        newest = newest.max(record.timestamp().millis());
        ControlFlow::Continue(())
    })
    .unwrap();
    newest as f64 / 1_000.0
}

#[test]
fn when_a_system_was_last_heard_is_the_same_in_every_process_and_after_every_start() {
    let mut town = Town::prepare("heard", EXPECTED);
    town.process = Some(Town::run(&town.folder));
    let newest = |address: &str| {
        web::metric(
            address,
            "cityops_source_newest_record_seconds{source_system=\"inspector-app\"}",
        )
    };
    town.tell("first", "暴露垃圾", SOUTH_WEST);
    let appended = newest_append(&town);
    web::wait("it was heard", &town.log(), || {
        newest(&town.address()) == appended
    });

    // All of them start again; then another one comes, the first one goes, and partitions move.
    town.stop();
    town.process = Some(Town::run(&town.folder));
    assert_eq!(newest(&town.address()), appended, "a start is no record");
    let second = Town::run_beside(&town.folder, "second.log");
    let of_second = web::address(&town.folder.dir.path().join("second.log")).unwrap();
    assert_eq!(newest(&of_second), appended);
    town.stop();
    town.tell("second", "暴露垃圾", SOUTH_WEST);
    let later = newest_append(&town);
    assert!(later > appended);
    web::wait("it was heard again", &town.log(), || newest(&of_second) == later);

    // What was never heard is expected, and nothing is invented.
    let never = |name: &str| {
        let text = web::get(&of_second, "/metrics").unwrap();
        let series = format!("cityops_source_{name}_seconds{{source_system=\"never\"}}");
        text.lines().any(|line| line.starts_with(&series))
    };
    assert!(never("expected_every") && !never("newest_record"));
    let second_log = town.folder.dir.path().join("second.log");
    web::wait("all is decided", &second_log, || {
        web::metric(&of_second, "cityops_events_consumed_total{source=\"report\"}") == town.sent as f64
            && web::metric(&of_second, "cityops_unaccounted_events") == 0.0
    });
    assert_eq!(second.terminate(), Some(0));
    town.check_books();
}

#[test]
fn a_start_says_that_the_enriched_log_has_another_size_and_goes_by_the_log() {
    let mut town = Town::prepare("sized", "");
    let path = town.folder.dir.path().join("cityops.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (has, wanted) = ("enriched_partitions = 2", "enriched_partitions = 5");
    let line = text.lines().position(|line| line == has).unwrap() + 1;
    town.process = Some(Town::run(&town.folder));
    let said = |town: &Town| std::fs::read_to_string(town.log()).unwrap();
    assert!(!said(&town).contains("enriched_partitions"));
    town.tell("before", "暴露垃圾", SOUTH_WEST);
    town.incident("before", 1);
    town.stop();

    town.folder.write("cityops.toml", text.replace(has, wanted));
    town.process = Some(Town::run(&town.folder));
    let log = said(&town);
    for part in [
        &*format!("cityops.toml:{line}: "),
        "topics.enriched_partitions",
        " is 5, and ",
        "city.events.enriched.v1 has 2: 2 holds. Write 2; for 5, stop every process and rebuild",
        "请改为 2",
    ] {
        let is_it = |line: &&str| line.contains("enriched.v1 has 2") && line.contains(part);
        assert!(log.lines().any(|line| is_it(&line)), "{part}\n{log}");
    }
    town.tell("after", "暴露垃圾", SOUTH_WEST);
    let incident = town.incident("after", 2);
    assert!(
        incident["member_count"].as_u64() >= Some(2),
        "it joins what was opened before: {incident}"
    );
    town.settle();
}
