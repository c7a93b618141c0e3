//! The clock: ticks arrive in every partition, and quiet partitions move with them, unless idleness holds.
#![allow(clippy::unwrap_used)]

mod broker;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use broker::{City, Running, until};
use city_model::{Batch, EventTime, Input, Name};
use kafka_log::read::{Start, read_topic};
use wire_format::topics::Topic;

/// The ticks of a partition of the enriched log, with their append times.
fn ticks(city: &City, partition: i32) -> Vec<(EventTime, BTreeMap<Name, EventTime>)> {
    let mut ticks = Vec::new();
    let topic = city.topic(Topic::Enriched);
    read_topic(
        &broker::properties(),
        &topic,
        partition,
        Start::Beginning,
        |record| {
            let batch: Batch = serde_json::from_slice(record.value().unwrap()).unwrap();
            for input in batch.inputs {
                let Input::Tick(tick) = input else { continue };
                ticks.push((record.timestamp(), tick.clocks.into_iter().collect()));
            }
            ControlFlow::Continue(())
        },
    )
    .unwrap();
    ticks
}

#[test]
fn quiet_partitions_move_with_the_ticks_themselves() {
    let city = City::new("ticks", 2);
    let running = Running::start(city.ticking(&[Topic::Sensor], 50, false));
    until("some ticks", || ticks(&city, 0).len() >= 4);
    city.write(Topic::Sensor, ["a".to_owned()]);
    running.wait_for_records(1);
    let before = ticks(&city, 1).len();
    until("ticks after the record", || ticks(&city, 1).len() >= before + 3);
    running.stop();
    for partition in 0..2 {
        let ticks = ticks(&city, partition);
        assert!(ticks[0].1.is_empty(), "the first tick knows no time yet");
        for pair in ticks.windows(2) {
            let (appended, _) = &pair[0];
            for (name, time) in &pair[1].1 {
                assert!(name.starts_with("city.sensor.readings.v1-"), "{name}");
                let ahead = time.millis() - appended.millis();
                // What the tick before was given, or the record's own time; ticks go to two partitions within moments.
                assert!(
                    (-200..=200).contains(&ahead),
                    "{name} is {ahead} ms ahead of the tick before"
                );
            }
        }
        let last = ticks.last().unwrap();
        assert_eq!(last.1.len(), 2, "both partitions are at their ends");
        let times: Vec<_> = last.1.values().collect();
        assert_eq!(times[0], times[1], "and stand where the last tick was appended");
    }
}

#[test]
fn held_idleness_names_only_what_was_processed() {
    let city = City::new("hold", 2);
    let running = Running::start(city.ticking(&[Topic::Sensor], 50, true));
    city.write(Topic::Sensor, ["a".to_owned()]);
    running.wait_for_records(1);
    until("three ticks", || ticks(&city, 0).len() >= 3);
    running.stop();
    let ticks = ticks(&city, 0);
    let first = ticks[0].1.clone();
    assert_eq!(first.len(), 1, "the partition without a record is left out");
    for (_, clocks) in &ticks {
        assert_eq!(*clocks, first, "the clock stands at the record");
    }
}

#[test]
fn a_partition_with_an_open_transaction_is_not_at_its_end() {
    use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
    let city = City::new("open", 2);
    let wait = std::time::Duration::from_secs(20);
    let producer: BaseProducer = rdkafka::ClientConfig::new()
        .set("bootstrap.servers", broker::bootstrap())
        .set("transactional.id", &city.prefix)
        .create()
        .unwrap();
    producer.init_transactions(wait).unwrap();
    producer.begin_transaction().unwrap();
    let topic = city.topic(Topic::Sensor);
    producer
        .send(
            BaseRecord::<str, str>::to(&topic)
                .key("a")
                .payload("x")
                .partition(0),
        )
        .map_err(|it| it.0)
        .unwrap();
    producer.flush(wait).unwrap();
    let running = Running::start(city.ticking(&[Topic::Sensor], 50, false));
    let quiet: Name = "city.sensor.readings.v1-1".into();
    let open: Name = "city.sensor.readings.v1-0".into();
    until("the quiet partition moves", || {
        ticks(&city, 0)
            .iter()
            .filter(|(_, clocks)| clocks.contains_key(&quiet))
            .count()
            >= 3
    });
    assert!(
        ticks(&city, 0)
            .iter()
            .all(|(_, clocks)| !clocks.contains_key(&open)),
        "more is coming there"
    );
    producer.commit_transaction(wait).unwrap();
    running.wait_for_records(1);
    until("then it moves as well", || {
        ticks(&city, 0).last().unwrap().1.contains_key(&open)
    });
    running.stop();
}
