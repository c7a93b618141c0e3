//! Topics are created, written, read to their ends, and followed.
#![allow(clippy::unwrap_used)]

mod broker;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use broker::{City, properties, record};
use city_model::EventTime;
use kafka_log::admin::{Created, TopicSpec, create_topics, describe, reachable, topic_partitions};
use kafka_log::produce::{NewRecord, Sender};
use kafka_log::read::{Start, read_topic};
use kafka_log::tail::{Tail, follow};
use wire_format::topics::Topic;

#[test]
fn creating_topics_twice_changes_nothing() {
    let city = City::new("create", 1);
    let spec = TopicSpec {
        name: format!("{}extra", city.prefix),
        partitions: 3,
        replication: None,
        config: BTreeMap::from([("cleanup.policy".to_owned(), "compact".to_owned())]),
    };
    let specs = std::slice::from_ref(&spec);
    assert_eq!(
        create_topics(&properties(), specs).unwrap()[&spec.name],
        Created::New
    );
    assert_eq!(
        create_topics(&properties(), specs).unwrap()[&spec.name],
        Created::Existed
    );
    assert_eq!(
        topic_partitions(&properties(), Duration::from_secs(10)).unwrap()[&spec.name],
        3
    );
    assert_eq!(
        describe(&properties(), &[&spec.name]).unwrap()[&spec.name]["cleanup.policy"],
        "compact"
    );
    assert!(describe(&properties(), &["no-such-topic"]).is_err());
    let wrong = TopicSpec {
        config: BTreeMap::from([("no.such.setting".to_owned(), "1".to_owned())]),
        name: format!("{}wrong", city.prefix),
        ..spec
    };
    let error = create_topics(&properties(), &[wrong]).unwrap_err();
    assert!(error.to_string().contains("could not be created"), "{error}");
    reachable(&properties(), Duration::from_secs(10)).unwrap();
}

#[test]
fn what_was_written_is_read_with_its_time_key_and_headers() {
    let city = City::new("read", 2);
    let name = format!("{}plain", city.prefix);
    let spec = TopicSpec {
        name: name.clone(),
        partitions: 2,
        replication: Some(1),
        config: BTreeMap::new(),
    };
    create_topics(&properties(), &[spec]).unwrap();
    let sender = Sender::new(&properties()).unwrap();
    let time = EventTime::from_millis(1_700_000_000_123);
    let headers: &[(&str, &[u8])] = &[("cityops.reason", b"bad_json")];
    let full = NewRecord {
        timestamp: Some(time),
        headers,
        ..record(&name, Some(1), "k", b"v")
    };
    sender.send(&full).unwrap();
    sender.send(&NewRecord { value: None, ..full }).unwrap();
    sender.flush().unwrap();
    let mut seen = Vec::new();
    let end = read_topic(&properties(), &name, 1, Start::Beginning, |record| {
        assert_eq!(
            (record.timestamp(), record.key(), record.partition()),
            (time, Some(&b"k"[..]), 1)
        );
        assert_eq!(record.headers(), headers);
        seen.push((record.offset(), record.value().map(<[u8]>::to_vec)));
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!((end, seen), (2, vec![(0, Some(b"v".to_vec())), (1, None)]));
    let mut later = 0;
    read_topic(&properties(), &name, 1, Start::Offset(1), |_| {
        later += 1;
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(later, 1);
    assert_eq!(
        read_topic(&properties(), &name, 0, Start::Beginning, |_| ControlFlow::Break(
            ()
        ))
        .unwrap(),
        0
    );
}

#[test]
fn a_record_for_no_topic_is_an_error_not_a_silence() {
    let mut properties = properties();
    // A topic might just have been created: by default the client believes in it for 30 s.
    properties.insert("topic.metadata.propagation.max.ms".to_owned(), "100".to_owned());
    let sender = Sender::new(&properties).unwrap();
    let sent = sender.send(&record("no-such-topic", None, "k", b"v"));
    assert!(sent.is_err() || sender.flush().is_err());
}

#[test]
fn a_record_of_twenty_megabytes_passes() {
    let city = City::new("large", 1);
    let name = format!("{}large", city.prefix);
    let config = BTreeMap::from([("max.message.bytes".to_owned(), "25000000".to_owned())]);
    create_topics(
        &properties(),
        &[TopicSpec {
            name: name.clone(),
            partitions: 1,
            replication: Some(1),
            config,
        }],
    )
    .unwrap();
    let sender = Sender::new(&properties()).unwrap();
    // Not compressible, or it would be a small record on the wire.
    let mut state = 1_u32;
    let large: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    })
    .take(20_000_000)
    .collect();
    sender.send(&record(&name, Some(0), "k", &large)).unwrap();
    sender.flush().unwrap();
    let mut same = false;
    read_topic(&properties(), &name, 0, Start::Beginning, |record| {
        same = record.value() == Some(&large[..]);
        ControlFlow::Continue(())
    })
    .unwrap();
    assert!(same);
}

#[test]
fn a_follower_is_told_when_it_has_caught_up_and_goes_on() {
    let city = City::new("tail", 2);
    city.write(Topic::Incidents, (0..50).map(|key| format!("incident-{key}")));
    let stop = AtomicBool::new(false);
    let (mut before, mut after, mut caught_up) = (0, 0, 0);
    let mut begun = Vec::new();
    follow(
        &properties(),
        &city.prefix,
        &[Topic::Incidents, Topic::Vitals],
        |told| match told {
            Tail::Begins(topic, partition, end) => begun.push((topic, partition, end)),
            Tail::CaughtUp => {
                caught_up += 1;
                city.write(Topic::Vitals, ["cell".to_owned()]);
            }
            Tail::Record(topic, record) if caught_up > 0 => {
                assert_eq!((topic, record.key()), (Topic::Vitals, Some(&b"cell"[..])));
                after += 1;
                stop.store(true, Ordering::Relaxed);
            }
            Tail::Record(topic, _) => {
                assert_eq!(topic, Topic::Incidents);
                before += 1;
            }
        },
        &stop,
    )
    .unwrap();
    assert_eq!((before, caught_up, after), (50, 1, 1));
    // Two partitions each; the marks of transactions count as records.
    assert_eq!(begun.len(), 4);
    let told: i64 = begun.iter().map(|(_, _, end)| end).sum();
    assert!((50..60).contains(&told), "{begun:?}");
}
