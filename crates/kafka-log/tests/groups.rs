//! Loops of one group share the partitions, hand them over, and refuse what cannot work.
#![allow(clippy::unwrap_used)]

mod broker;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use broker::{City, Running, counter, in_turn, keys, until};
use kafka_log::{NoObserver, WorkerConfig, WorkerError, worker};
use wire_format::topics::Topic;

#[test]
fn two_loops_share_the_partitions_and_hand_them_over() {
    let city = City::new("two", 4);
    let config = || WorkerConfig {
        max_batch_records: 200,
        ..city.config(&[Topic::Sensor])
    };
    let first = Running::start(config());
    until("all partitions are the first loop's", || {
        first.partitions().len() == 4
    });
    city.write(Topic::Sensor, in_turn(&keys(40, 100)));
    let second = Running::start(config());
    until("half of them are the second loop's", || {
        second.partitions().len() == 2 && first.partitions().len() == 2
    });
    city.write(Topic::Sensor, in_turn(&keys(40, 100)));
    first.wait_for_records(1);
    second.wait_for_records(1);
    let mut shared: Vec<_> = [first.partitions(), second.partitions()].concat();
    shared.sort_unstable();
    assert_eq!(
        shared,
        (0..4)
            .map(|partition| (Topic::Sensor, partition))
            .collect::<Vec<_>>()
    );
    let heard = first.stop();
    until("all partitions are the second loop's", || {
        second.partitions().len() == 4
    });
    city.write(Topic::Sensor, in_turn(&keys(40, 100)));
    city.check_counted(Topic::Sensor, &keys(40, 300));
    let total = heard.records.load(Ordering::Relaxed) + second.heard.records.load(Ordering::Relaxed);
    assert_eq!(total, 12_000, "no record was committed twice");
    second.stop();
}

#[test]
fn partitions_that_come_back_are_not_restored_again() {
    let city = City::new("park", 4);
    city.write(Topic::Sensor, in_turn(&keys(20, 5)));
    let first = Running::start(city.config(&[Topic::Sensor]));
    first.wait_for_records(100);
    let second = Running::start(city.config(&[Topic::Sensor]));
    until("shared", || {
        second.partitions().len() == 2 && first.partitions().len() == 2
    });
    until("ready", || first.heard.ready.load(Ordering::Relaxed) == 2);
    assert_eq!(
        first.heard.restored_tasks.load(Ordering::Relaxed),
        4,
        "only at the start"
    );
    until("claimed", || second.heard.commits.load(Ordering::Relaxed) > 0);
    second.stop();
    until("all again", || first.heard.ready.load(Ordering::Relaxed) == 3);
    assert_eq!(
        first.heard.restored_tasks.load(Ordering::Relaxed),
        6,
        "those that the other loop had"
    );
    city.write(Topic::Sensor, in_turn(&keys(20, 5)));
    city.check_counted(Topic::Sensor, &keys(20, 10));
    first.stop();
}

/// What tells whoever asks that the process is ready.
#[test]
fn a_loop_that_gets_no_partitions_hears_from_the_broker_all_the_same() {
    let city = City::new("spare", 1);
    let loops = [(); 2].map(|()| Running::start(city.config(&[Topic::Sensor])));
    until("one has the partition, and the other none", || {
        let mut counts = [&loops[0], &loops[1]].map(|it| it.partitions().len());
        counts.sort_unstable();
        counts == [0, 1]
    });
    let spare = loops.iter().find(|it| it.partitions().is_empty()).unwrap();
    let before = spare.heard.answers.load(Ordering::Relaxed);
    until("it hears three times more", || {
        spare.heard.answers.load(Ordering::Relaxed) >= before + 3
    });
    let _ = loops.map(Running::stop);
}

fn refusal(config: WorkerConfig) -> WorkerError {
    worker::run(config, &counter, &NoObserver, &AtomicBool::new(false)).unwrap_err()
}

#[test]
fn an_unreachable_broker_is_said_so_in_time() {
    let city = City::new("unreachable", 1);
    let mut config = city.config(&[Topic::Sensor]);
    // Port 1 is nobody's.
    config
        .properties
        .insert("bootstrap.servers".to_owned(), "127.0.0.1:1".to_owned());
    config.unreachable_after = Duration::from_secs(1);
    let error = refusal(config);
    let WorkerError::Unreachable(unreachable) = &error else {
        panic!("{error}")
    };
    assert_eq!(unreachable.bootstrap, "127.0.0.1:1");
    assert!(unreachable.reason.contains("refused"), "{}", unreachable.reason);
}

#[test]
fn missing_topics_and_wrong_properties_are_refused() {
    let city = City::new("refused", 1);
    let config = WorkerConfig {
        topic_prefix: "nowhere-".to_owned(),
        ..city.config(&[Topic::Sensor])
    };
    let error = refusal(config);
    let WorkerError::MissingTopics(names) = &error else {
        panic!("{error}")
    };
    assert_eq!(
        *names,
        [
            "nowhere-city.sensor.readings.v1",
            "nowhere-city.enrich.changelog.v1"
        ]
    );
    let mut config = city.config(&[Topic::Sensor]);
    config
        .properties
        .insert("no.such.property".to_owned(), "1".to_owned());
    let error = refusal(config);
    assert!(error.to_string().contains("no.such.property"), "{error}");
    let config = WorkerConfig {
        session_timeout_ms: 60_000,
        ..city.config(&[Topic::Sensor])
    };
    assert!(matches!(refusal(config), WorkerError::Configuration(_)));
}

/// The broker says so to each that would join; who only waits would wait for ever.
#[test]
fn a_session_that_the_broker_does_not_grant_is_refused() {
    let city = City::new("session", 1);
    let config = WorkerConfig {
        session_timeout_ms: 1_000,
        ..city.config(&[Topic::Sensor])
    };
    let error = refusal(config);
    assert!(matches!(error, WorkerError::Configuration(_)), "{error}");
    assert!(error.to_string().contains("kafka.session_timeout"), "{error}");
}

#[test]
fn a_loop_that_is_stopped_before_it_has_begun_ends_well() {
    let city = City::new("stopped", 1);
    let stop = AtomicBool::new(true);
    worker::run(city.config(&[Topic::Sensor]), &counter, &NoObserver, &stop).unwrap();
}
