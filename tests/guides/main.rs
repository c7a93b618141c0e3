//! The guides' programs against a running city on a real Kafka: what a department copies works as it stands, and goes on where it was
//! stopped or killed.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "tests")]

#[path = "../city/mod.rs"]
mod city;
mod programs;
mod texts;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use city::registry::LocalRegistry;
use city::town::{SOUTH_WEST, Town};
use city::web;
use kafka_log::produce::NewRecord;
use kafka_log::read::read_all;
use programs::{Language, Toolbox};
use serde_json::{Value, json};
use wire_format::Topic;

const SOURCES: &str = "[sources.\"inspector-app\"]\ncrs = \"WGS84\"\n[sources.\"12345\"]\ncrs = \"WGS84\"\n\
    [sources.\"iot-water\"]\ncrs = \"WGS84\"\n";

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_millis() as u64
}

fn place() -> Value {
    json!({"x": SOUTH_WEST.0, "y": SOUTH_WEST.1, "accuracy_m": 5.0, "quality": "GNSS"})
}

/// Two tickets that are well, and one of a system that nobody declared.
fn tickets() -> [Value; 3] {
    [
        ticket("T-1", "12345", "积水没过轮胎"),
        ticket("T-2", "12345", "路上积水很深，有人被困在车里出不来"),
        ticket("T-3", "12346", "积水没过轮胎"),
    ]
}

fn ticket(id: &str, system: &str, content: &str) -> Value {
    json!({"event_id": id, "source_system": system, "ticket_id": id, "category": ["道路积水"], "title": "道路积水",
        "content": content, "called_at": now(), "location": place()})
}

fn reading(id: &str, metric: &str) -> Value {
    json!({"event_id": id, "source_system": "iot-water", "device_id": "W-17", "metric": metric, "value": 40.0,
        "unit": "cm", "observed_at": now(), "location": place()})
}

/// Runs a producer to its end, while citizens go on reporting; what it printed, by event.
fn produced(
    town: &mut Town,
    tools: &Toolbox,
    language: Language,
    records: &[Value],
) -> BTreeMap<String, Vec<Value>> {
    let mut producer = tools.produce(town, language, records);
    town.sent += records.len();
    town.wait("the producer has heard of all", |_| producer.has_ended());
    // Some were refused, and all were delivered.
    assert_eq!(producer.code(), Some(3), "{}", producer.complaints());
    let mut told: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in producer.lines() {
        let event = line["event"].as_str().unwrap().to_owned();
        told.entry(event).or_default().push(line);
    }
    told
}

/// The refusal that a dead letter told its sender.
fn refusal(told: &[Value]) -> Option<&Value> {
    told.iter().find_map(|line| line.get("refused"))
}

#[test]
fn what_a_department_copies_sends_is_refused_follows_and_goes_on() {
    let tools = Toolbox::new(None);
    let mut town = Town::prepare("guides", SOURCES);
    town.process = Some(Town::run(&town.folder));
    let mut consumers = Language::ALL.map(|language| tools.follow(&town, language));

    // Each producer sends what is well and what is not, and hears of both: of its own alone, though citizens report meanwhile.
    let tickets = tickets();
    let told = produced(&mut town, &tools, Language::Python, &tickets);
    assert_eq!(
        refusal(&told["12346/T-3"]),
        Some(&json!("unknown_source")),
        "{told:?}"
    );
    let readings = [
        reading("R-1", "ponding_depth"),
        reading("R-2", "depth_of_thought"),
    ];
    let heard = produced(&mut town, &tools, Language::Java, &readings);
    assert_eq!(
        refusal(&heard["iot-water/R-2"]),
        Some(&json!("code_unknown")),
        "{heard:?}"
    );
    assert_eq!(told.len() + heard.len(), 5, "{told:?} {heard:?}");
    let incident = told["12345/T-1"][0]["incident_id"].as_str().unwrap();
    assert_eq!(heard["iot-water/R-1"][0]["outcome"], "joined", "{heard:?}");
    assert_eq!(heard["iot-water/R-1"][0]["incident_id"], incident);

    // Both consumers see the incident with both reports, and tell the other one as P1, once.
    let danger = told["12345/T-2"][0]["incident_id"].as_str().unwrap();
    for consumer in &consumers {
        town.wait("the incident of ticket and reading is seen", |_| {
            consumer.has(|line| line["incident_id"] == incident && line["members"] == 2)
        });
        town.wait("the P1 is told", |_| {
            consumer.has(|line| line["what"] == "new_p1")
        });
    }

    // Stopped and killed in turn, they go on.
    for (round, sent) in ["T-4", "T-5", "T-6"].into_iter().enumerate() {
        for consumer in &mut consumers {
            if round == 1 {
                consumer.kill()
            } else {
                consumer.terminate()
            }
        }
        let more = [ticket(sent, "12345", "积水没过轮胎"), ticket(sent, "12346", "")];
        produced(&mut town, &tools, Language::Python, &more);
        consumers = Language::ALL.map(|language| tools.follow(&town, language));
        let members = 3 + round;
        for consumer in &consumers {
            town.wait("the next ticket is seen", |_| {
                consumer.has(|line| line["incident_id"] == incident && line["members"] == members)
            });
        }
    }

    // The centre closes one; of another the topic lets go.
    close(&town, incident);
    for consumer in &consumers {
        town.wait("its end is told", |_| {
            consumer.has(|line| line["incident_id"] == incident && line["what"] == "ended")
        });
    }
    town.stop();
    send(&town, Topic::Incidents, danger, None);
    for consumer in &consumers {
        web::wait("its removal is told", &consumer.log(), || {
            consumer.has(|line| line["incident_id"] == danger && line["what"] == "gone")
        });
    }
    for consumer in &mut consumers {
        consumer.terminate();
    }
    check_handled(&town, &tools, danger);
}

fn close(town: &Town, incident: &str) {
    let command = json!({"command_id": "C-1", "incident_id": incident, "action": "close", "reason": "已处置",
        "operator": "desk-7", "issued_at": now()});
    send(town, Topic::Command, incident, Some(command.to_string()));
}

fn send(town: &Town, topic: Topic, key: &str, value: Option<String>) {
    let topic = kafka_log::topic_name(&town.prefix, topic);
    let record = NewRecord {
        topic: &topic,
        partition: None,
        key: Some(key.as_bytes()),
        value: value.as_deref().map(str::as_bytes),
        timestamp: None,
        headers: &[],
    };
    town.sender.send(&record).unwrap();
    town.sender.flush().unwrap();
}

/// Over all runs of a consumer each revision was told once, upward; a line may come again only where it was killed. What both know
/// at their end is what the topic says.
fn check_handled(town: &Town, tools: &Toolbox, danger: &str) {
    let mut published: BTreeMap<String, (u64, bool)> = BTreeMap::new();
    let topic = kafka_log::topic_name(&town.prefix, Topic::Incidents);
    read_all(&town.properties, &topic, |record| {
        let id = String::from_utf8(record.key().unwrap().to_vec()).unwrap();
        match record.value() {
            None => published.remove(&id),
            Some(value) => {
                let told: Value = serde_json::from_slice(value).unwrap();
                published.insert(id, (told["revision"].as_u64().unwrap(), told["status"] == "OPEN"))
            }
        };
        ControlFlow::Continue(())
    })
    .unwrap();
    for language in Language::ALL {
        let runs: Vec<Vec<Value>> = tools.runs(town, language);
        let mut last: BTreeMap<String, u64> = BTreeMap::new();
        let mut again = BTreeSet::new();
        for (run, line) in runs
            .iter()
            .enumerate()
            .flat_map(|(run, lines)| lines.iter().map(move |line| (run, line)))
        {
            let id = line["incident_id"].as_str().unwrap().to_owned();
            let revision = line["revision"].as_u64().unwrap();
            if line["what"] == "gone" {
                assert_eq!(id, danger);
                continue;
            }
            let before = last.insert(id.clone(), revision).unwrap_or(0);
            assert!(revision >= before, "{language:?} {line}");
            if revision == before {
                assert!(again.insert((run, id)), "{language:?} {line}");
            }
        }
        // The second run is the one that was killed.
        assert!(again.iter().all(|(run, _)| *run == 2), "{language:?} {again:?}");
        let urgent = runs.iter().flatten().filter(|line| line["what"] == "new_p1");
        assert!(urgent.clone().all(|line| line["band"] == "P1"));
        assert_eq!(urgent.filter(|line| line["incident_id"] == danger).count(), 1);
        assert_eq!(tools.known(town, language), published, "{language:?}");
    }
}

/// Where a registry is configured incidents and outcomes are Avro.
#[test]
fn avro_is_read_as_json_is() {
    let registry = LocalRegistry::start("guides");
    registry.open_gate();
    let schemas = format!("{SOURCES}[schemas]\nregistry = \"{}\"\n", registry.address());
    let mut town = Town::prepare("guides-avro", &schemas);
    town.process = Some(Town::run(&town.folder));
    let tools = Toolbox::new(Some(registry.address()));
    let mut consumers = Language::ALL.map(|language| tools.follow(&town, language));
    let tickets = tickets();
    let told = produced(&mut town, &tools, Language::Python, &tickets);
    let readings = [
        reading("R-1", "ponding_depth"),
        reading("R-2", "depth_of_thought"),
    ];
    let heard = produced(&mut town, &tools, Language::Java, &readings);
    let incident = &told["12345/T-1"][0]["incident_id"];
    assert_eq!(&heard["iot-water/R-1"][0]["incident_id"], incident, "{heard:?}");
    for consumer in &consumers {
        town.wait("the incident of ticket and reading is seen", |_| {
            consumer.has(|line| line["incident_id"] == *incident && line["members"] == 2)
        });
        town.wait("the P1 is told", |_| {
            consumer.has(|line| line["what"] == "new_p1")
        });
    }
    let topic = kafka_log::topic_name(&town.prefix, Topic::Incidents);
    town.stop();
    read_all(&town.properties, &topic, |record| {
        assert_eq!(record.value().unwrap()[0], 0, "Avro in its frame");
        ControlFlow::Continue(())
    })
    .unwrap();
    web::wait("both have read all", &consumers[0].log(), || {
        let [python, java] = Language::ALL.map(|language| tools.known(&town, language));
        !python.is_empty() && python == java
    });
    for consumer in &mut consumers {
        consumer.terminate();
    }
    registry.stop();
}
