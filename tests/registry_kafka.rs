//! The whole program with a real Kafka and a real schema registry: Avro in, Avro out, and what happens while the registry
//! is away.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod city;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use apache_avro::types::Value as Avro;
use city::registry::LocalRegistry;
use city::town::{EAST, NORTH_WEST, SOUTH_WEST, Town};
use city::web;
use kafka_log::produce::NewRecord;
use kafka_log::read::read_all;
use serde_json::{Value, json};
use wire_format::{Encoder, Topic};

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_millis() as u64
}

fn place((x, y): (f64, f64)) -> Value {
    json!({"x": x, "y": y, "accuracy_m": 5.0, "quality": "GNSS"})
}

fn reading(id: &str) -> Value {
    json!({"event_id": id, "source_system": "iot-water", "device_id": "W-17", "metric": "ponding_depth", "value": 38.5,
        "unit": "cm", "observed_at": now(), "location": place(SOUTH_WEST)})
}

fn report(id: &str, at: (f64, f64)) -> Value {
    json!({"event_id": id, "source_system": "inspector-app", "channel": "inspector", "report_id": id,
        "category": ["暴露垃圾"], "observed_at": now(), "location": place(at)})
}

fn ticket(id: &str) -> Value {
    json!({"event_id": id, "source_system": "12345", "ticket_id": id, "category": ["暴露垃圾"], "called_at": now(),
        "location": place(EAST)})
}

/// Sends a record in the frame of a registry's schema.
fn send(town: &mut Town, topic: Topic, schema: u32, record: &Value) {
    let value = Encoder::new(topic, schema).unwrap().framed(record).unwrap();
    let name = kafka_log::topic_name(&town.prefix, topic);
    let record = NewRecord {
        topic: &name,
        partition: None,
        key: record["event_id"].as_str().map(str::as_bytes),
        value: Some(&value),
        timestamp: None,
        headers: &[],
    };
    town.sender.send(&record).unwrap();
    town.sender.flush().unwrap();
    town.sent += 1;
}

/// What lies in a topic, value by value; tombstones are left out.
fn values(town: &Town, topic: Topic) -> Vec<(String, Vec<u8>)> {
    let mut values = Vec::new();
    let topic = kafka_log::topic_name(&town.prefix, topic);
    read_all(&town.properties, &topic, |record| {
        let key = String::from_utf8(record.key().unwrap_or_default().to_vec()).unwrap();
        values.extend(record.value().map(|value| (key, value.to_vec())));
        ControlFlow::Continue(())
    })
    .unwrap();
    values
}

/// The newest Avro of each key, read as any consumer does: by the registry's schema and the reference library.
fn by_the_registry(town: &Town, registry: &LocalRegistry, topic: Topic) -> BTreeMap<String, Value> {
    let mut schemas = BTreeMap::new();
    let mut newest = BTreeMap::new();
    for (key, value) in values(town, topic) {
        let Some((0, rest)) = value.split_first() else {
            continue;
        };
        let id = u32::from_be_bytes(*rest.first_chunk().unwrap());
        let schema = schemas.entry(id).or_insert_with(|| registry.schema(id));
        let reader = apache_avro::reader::datum::GenericDatumReader::builder(schema)
            .build()
            .unwrap();
        let mut datum = &rest[4..];
        let read: Avro = reader.read_value(&mut datum).unwrap();
        assert!(datum.is_empty(), "{topic}: bytes are left over");
        newest.insert(key, Value::try_from(read).unwrap());
    }
    newest
}

#[test]
fn avro_goes_in_and_out_and_the_registry_may_nap() {
    let registry = LocalRegistry::start("town");
    let schemas = format!(
        "[schemas]\nregistry = \"{}\"\ntimeout = \"5s\"\n",
        registry.address()
    );
    let mut town = Town::prepare("avro", &schemas);
    let text = std::fs::read_to_string(town.config()).unwrap();
    let with = |more: &str| town.folder.write("cityops.toml", format!("{text}{more}"));

    // Without a registry nothing could be written: an error, no wait.
    let (code, _, err) = town.folder.run(&["run"], &[]);
    assert_eq!(code, Some(1), "{err}");
    let subject = format!("{}city.incidents.v1-value", town.prefix);
    assert!(err.contains(&subject) && err.contains(&registry.listen), "{err}");
    // Schemas that somebody else must register are named.
    registry.open_gate();
    with("register = false\n");
    let (code, _, err) = town.folder.run(&["run"], &[]);
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains(&subject) && err.contains("no such subject"), "{err}");

    // JSON first: the topics hold it when Avro begins.
    let inputs = [Topic::Report, Topic::Sensor].map(|topic| (topic, topic.subject().unwrap()));
    let [reports, readings] =
        [0, 1].map(|nth: usize| registry.register(&inputs[nth].1, inputs[nth].0.schema().unwrap()));
    with("[output]\nformat = \"json\"\n");
    town.process = Some(Town::run(&town.folder));
    send(&mut town, Topic::Report, reports, &report("first", NORTH_WEST));
    let before = town.incident("first", 1);
    assert!(
        values(&town, Topic::Incidents)
            .iter()
            .all(|(_, value)| value[0] == b'{')
    );
    town.stop();

    // From here on Avro, which goes on with what was told in JSON.
    town.folder.write("cityops.toml", &text);
    town.process = Some(Town::run(&town.folder));
    send(&mut town, Topic::Report, reports, &report("second", NORTH_WEST));
    send(&mut town, Topic::Sensor, readings, &reading("r-1"));
    let after = town.incident("second", 2);
    assert_eq!(after["incident_id"], before["incident_id"]);
    let pond = town.incident("r-1", 1);
    let told = by_the_registry(&town, &registry, Topic::Incidents);
    for incident in [&after, &pond] {
        let id = incident["incident_id"].as_str().unwrap();
        let read = &told[id];
        assert!(read["revision"].as_u64() >= incident["revision"].as_u64());
        for field in ["incident_id", "kind", "name_zh", "opened_at", "cells"] {
            let same = match field {
                // The reference library gives times as the milliseconds that they are.
                "opened_at" => {
                    let opened: jiff::Timestamp = incident[field].as_str().unwrap().parse().unwrap();
                    read[field].as_i64() == Some(opened.as_millisecond())
                }
                _ => read[field] == incident[field],
            };
            assert!(same, "{field}: {read} is not {incident}");
        }
        let band = read["priority"]["band"].as_str().unwrap();
        let shown = by_the_registry(&town, &registry, Topic::of_band(band.parse().unwrap()));
        assert!(shown.contains_key(id), "{band} shows {id}");
    }
    let outcomes = by_the_registry(&town, &registry, Topic::Outcomes);
    assert_eq!(outcomes["inspector-app/second"]["outcome"], "joined");
    assert_eq!(
        outcomes["inspector-app/second"]["incident_id"],
        after["incident_id"]
    );

    // Only the registry's own word makes a dead letter.
    let mut dead = town.metric("cityops_deadletters_total{");
    send(
        &mut town,
        Topic::Video,
        4_711,
        &json!({"event_id": "v", "source_system": "cctv", "camera_id": "c",
        "alert_code": "1", "confidence": 0.5, "captured_at": now()}),
    );
    town.wait("an id that the registry does not have is refused", |town| {
        town.metric("cityops_deadletters_total{reason=\"unknown_schema\",source=\"video\"}") == 1.0
    });
    dead += 1.0;

    // Away: known schemas go on, in and out; a new one waits.
    let outputs = |registry: &LocalRegistry, town: &Town| {
        let register = |topic: Topic| {
            registry.register(&format!("{}{topic}-value", town.prefix), topic.schema().unwrap())
        };
        Topic::OUTPUTS.map(register).into_iter().max().unwrap()
    };
    let next = 1 + outputs(&registry, &town);
    registry.stop();
    send(&mut town, Topic::Hotline, next, &ticket("t-1"));
    send(&mut town, Topic::Report, reports, &report("third", NORTH_WEST));
    town.incident("third", 3);
    town.wait("the registry is seen to be away", |town| {
        town.metric("cityops_schema_registry_up") == 0.0
            && town.metric("cityops_schema_registry_requests_total{result=\"failed\"}") >= 2.0
    });
    assert_eq!(
        town.metric("cityops_deadletters_total{"),
        dead,
        "nothing was refused meanwhile"
    );
    let shown = json!(web::incidents(&town.address())).to_string();
    assert!(
        shown.contains("\"third\"") && !shown.contains("\"t-1\""),
        "the ticket waits"
    );

    // Back, with the same ids, and one more.
    registry.start_again();
    for (topic, subject) in &inputs {
        registry.register(subject, topic.schema().unwrap());
    }
    assert_eq!(outputs(&registry, &town) + 1, next);
    let hotline = Topic::Hotline;
    assert_eq!(
        registry.register(&hotline.subject().unwrap(), hotline.schema().unwrap()),
        next
    );
    registry.open_gate();
    town.incident("t-1", 1);
    assert_eq!(town.metric("cityops_deadletters_total{"), dead);

    // What is there already needs no right to register.
    town.stop();
    town.folder
        .write("cityops.toml", format!("{text}register = false\n"));
    town.process = Some(Town::run(&town.folder));
    send(&mut town, Topic::Report, reports, &report("fourth", NORTH_WEST));
    town.incident("fourth", 4);
    town.settle();
    let begins = |byte: u8| {
        values(&town, Topic::Incidents)
            .iter()
            .any(|(_, value)| value[0] == byte)
    };
    assert!(begins(b'{') && begins(0), "the topic holds both formats");
}
