//! Dead letters on a real Kafka: listed, shown without what they hold, and fed again, each once, wherever the feeding is killed.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod city;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use city::town::{SOUTH_WEST, Town};
use city::{Running, expect, run, seed};
use city_model::{DeadLetterReason, EventTime};
use kafka_log::Properties;
use kafka_log::produce::{NewRecord, Sender};
use kafka_log::read::{Record, read_all};
use kafka_log::tail::{Tail, follow};
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use wire_format::headers::{self, Origin};
use wire_format::{Refusal, Topic};

const PHONE: &str = "13912345678";
const PATIENCE: Duration = Duration::from_secs(120);

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_millis() as u64
}

/// A record as it lies in a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Lying {
    partition: i32,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: BTreeMap<String, Vec<u8>>,
}

impl Lying {
    fn of(record: &Record<'_>) -> Lying {
        let told = record.headers().into_iter();
        Lying {
            partition: record.partition(),
            key: record.key().map(<[u8]>::to_vec),
            value: record.value().map(<[u8]>::to_vec),
            headers: told
                .map(|(name, value)| (name.to_owned(), value.to_vec()))
                .collect(),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        Some(std::str::from_utf8(self.headers.get(name)?).unwrap())
    }
}

fn lying(properties: &Properties, prefix: &str, topic: Topic) -> Vec<Lying> {
    let mut all = Vec::new();
    read_all(properties, &kafka_log::topic_name(prefix, topic), |record| {
        all.push(Lying::of(record));
        ControlFlow::Continue(())
    })
    .unwrap();
    all
}

fn send(town: &mut Town, topic: Topic, key: &str, value: &[u8]) {
    let name = kafka_log::topic_name(&town.prefix, topic);
    town.sender
        .send(&NewRecord {
            topic: &name,
            partition: None,
            key: Some(key.as_bytes()),
            value: Some(value),
            timestamp: None,
            headers: &[("trace", b"t-13912345678"), ("cityops.reason", b"forged")],
        })
        .unwrap();
    town.sender.flush().unwrap();
    town.sent += 1;
}

fn report(id: &str, system: &str) -> Vec<u8> {
    json!({"event_id": id, "source_system": system, "channel": "app", "report_id": id, "category": ["暴露垃圾"],
        "content": format!("垃圾 {PHONE}"), "observed_at": now(), "reporter_phone": PHONE,
        "location": {"x": SOUTH_WEST.0, "y": SOUTH_WEST.1, "accuracy_m": 5.0, "quality": "GNSS"}})
    .to_string()
    .into_bytes()
}

/// Runs `deadletter` with this configuration and gives its JSON.
fn told(code: i32, config: &str, args: &[&str]) -> Value {
    let all = [&["--json", "deadletter"], args, &["--config", config]].concat();
    let out = expect(code, &all);
    serde_json::from_str(&out).unwrap()
}

fn count(listed: &Value, reason: &str) -> u64 {
    let counts = listed["counts"].as_array().unwrap().iter();
    counts
        .filter(|count| count["reason"] == reason)
        .map(|count| count["letters"].as_u64().unwrap())
        .sum()
}

#[test]
fn what_was_refused_is_seen_masked_and_fed_again_once() {
    let mut town = Town::prepare("letters", "[sources.\"inspector-app\"]\ncrs = \"WGS84\"\n");
    let config = town.config();
    town.process = Some(Town::run(&town.folder));
    for nth in 0..3 {
        let id = format!("new-{nth}");
        send(&mut town, Topic::Report, &id, &report(&id, "new-app"));
    }
    send(&mut town, Topic::Report, "broken", b"{\"event_id\": \"b\"");
    let mut endless = report("endless", "inspector-app");
    endless.resize((1 << 20) + 1, b' ');
    send(&mut town, Topic::Report, "endless", &endless);
    let originals = lying(&town.properties, &town.prefix, Topic::Report);
    town.wait("all are refused", |town| {
        town.metric("cityops_deadletters_total{") == 5.0
    });

    // Listed with counts, by what is asked for; never a word of the person.
    let listed = told(0, &config, &["list"]);
    assert_eq!(listed["letters"], 5, "{listed}");
    for (reason, letters) in [("unknown_source", 3), ("bad_json", 1), ("too_large", 1)] {
        assert_eq!(count(&listed, reason), letters, "{listed}");
    }
    let asked = |args: &[&str]| told(0, &config, &[&["list"], args].concat())["letters"].clone();
    assert_eq!(asked(&["--source", "new-app"]), 3);
    assert_eq!(asked(&["--reason", "bad_json,too_large", "--topic", "report"]), 2);
    assert_eq!(asked(&["--topic", "sensor"]), 0);
    assert_eq!(asked(&["--to", "2020-01-01"]), 0);
    let table = expect(0, &["deadletter", "list", "--config", &config]);
    assert!(
        table.contains("unknown_source") && table.contains("new-app"),
        "{table}"
    );
    let newest = listed["newest"].as_array().unwrap();
    let first = newest
        .iter()
        .find(|letter| letter["reason"] == "unknown_source")
        .unwrap();
    let at = first["at"].as_str().unwrap();
    let masked = told(0, &config, &["show", at]);
    assert_eq!(masked["value"]["masked"]["source_system"], "new-app", "{masked}");
    let plain = expect(0, &["deadletter", "show", at, "--config", &config]);
    for text in [listed.to_string(), table, masked.to_string(), plain] {
        assert!(!text.contains(PHONE), "{text}");
    }
    let whole = told(0, &config, &["show", at, "--value"]);
    assert!(whole["value"]["untouched"].as_str().unwrap().contains(PHONE));
    assert_eq!(whole["own_headers"]["trace"], "t-13912345678");

    // Nothing is fed by mistake.
    expect(2, &["deadletter", "replay", "--config", &config]);
    let dry = told(3, &config, &["replay", "--all", "--dry-run"]);
    assert_eq!(
        (&dry["would_feed"], &dry["fed"], &dry["not_replayable"]),
        (&json!(4), &json!(0), &json!({"truncated": 1}))
    );
    assert_eq!(asked(&[]), 5);

    // The source becomes known; what it sent is fed again, once.
    town.stop();
    let text = std::fs::read_to_string(&config).unwrap();
    town.folder.write(
        "cityops.toml",
        format!("{text}[sources.\"new-app\"]\ncrs = \"WGS84\"\n"),
    );
    let by_source = ["replay", "--source", "new-app"];
    assert_eq!(told(0, &config, &by_source)["fed"], 3);
    let second = told(0, &config, &by_source);
    assert_eq!((&second["fed"], &second["already_fed"]), (&json!(0), &json!(3)));
    town.sent += 3;
    town.process = Some(Town::run(&town.folder));
    let incident = town.incident("new-2", 3);
    assert_eq!(incident["member_count"], 3, "{incident}");

    // Key, value and own headers are the record's; partition, too.
    let lying = lying(&town.properties, &town.prefix, Topic::Report);
    let mut again = 0;
    for record in lying
        .iter()
        .filter(|record| record.header("cityops.replayed_from").is_some())
    {
        again += 1;
        let original = originals.iter().find(|it| it.key == record.key).unwrap();
        assert_eq!(
            (record.partition, &record.value),
            (original.partition, &original.value)
        );
        assert_eq!(record.header("trace"), Some("t-13912345678"));
        assert_eq!(record.header("cityops.attempts"), Some("1"));
        assert_eq!(record.headers.len(), 3, "{record:?}");
    }
    assert_eq!(again, 3);

    // One that is refused again says so, and needs a word to be fed once more.
    let rest = told(3, &config, &["replay", "--all"]);
    assert_eq!((&rest["fed"], &rest["already_fed"]), (&json!(1), &json!(3)));
    town.sent += 1;
    town.wait("it is refused again", |town| {
        town.metric("cityops_deadletters_total{") == 1.0
    });
    let broken = ["replay", "--reason", "bad_json"];
    let left = told(3, &config, &broken);
    assert_eq!(
        (&left["fed"], &left["not_replayable"]),
        (&json!(0), &json!({"refused_again": 1}))
    );
    let listed = told(0, &config, &["list", "--reason", "bad_json"]);
    let attempts: Vec<&Value> = listed["newest"]
        .as_array()
        .unwrap()
        .iter()
        .map(|letter| &letter["attempts"])
        .collect();
    assert_eq!(attempts, [0, 1]);
    assert_eq!(told(0, &config, &[&broken[..], &["--again"]].concat())["fed"], 1);
    town.sent += 1;
    town.wait("it is refused a third time", |town| {
        town.metric("cityops_deadletters_total{") == 2.0
    });
    // Nobody reports any more.
    town.settle();
}

const LETTERS: usize = 20_000;
const KILLS: usize = 5;

/// Counts marks as they are committed.
struct Watch {
    marks: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Watch {
    fn start(properties: &Properties, prefix: &str) -> Watch {
        let (marks, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (properties, prefix) = (properties.clone(), prefix.to_owned());
        let (counted, ended) = (marks.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            let each = |tail: Tail<'_>| {
                if let Tail::Record(_, record) = tail
                    && record.value().is_none()
                {
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            };
            follow(&properties, &prefix, &[Topic::DeadLetters], each, &ended).unwrap();
        });
        Watch {
            marks,
            stop,
            thread: Some(thread),
        }
    }

    fn wait_for(&self, marks: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.marks.load(Ordering::Relaxed) < marks {
            assert!(Instant::now() < deadline, "{marks} marks never come");
            std::thread::yield_now();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().unwrap().join();
    }
}

/// Writes letters as intake does.
fn write_letters(properties: &Properties, prefix: &str) {
    let sender = Sender::new(properties).unwrap();
    let topic = kafka_log::topic_name(prefix, Topic::DeadLetters);
    for nth in 0..LETTERS {
        let origin = Origin {
            topic: if nth % 3 == 0 {
                Topic::Sensor
            } else {
                Topic::Report
            }
            .name(),
            partition: (nth % 2) as i32,
            offset: nth as i64,
            ingested_at: EventTime::from_millis(1_788_739_199_123),
        };
        let told = headers::dead_letter(&Refusal::new(DeadLetterReason::UnknownSource, "x"), origin);
        let told: Vec<(&str, &[u8])> = told
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()))
            .collect();
        sender
            .send(&NewRecord {
                topic: &topic,
                partition: None,
                key: Some(format!("key-{nth}").as_bytes()),
                value: Some(format!("value-{nth}").as_bytes()),
                timestamp: None,
                headers: &told,
            })
            .unwrap();
    }
    sender.flush().unwrap();
}

#[test]
fn killed_in_the_middle_or_run_twice_at_once_none_is_fed_twice() {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed());
    let town = Town::prepare("feeding", "");
    let (config, log) = (town.config(), town.log());
    write_letters(&town.properties, &town.prefix);
    let watch = Watch::start(&town.properties, &town.prefix);
    let replay = ["deadletter", "replay", "--all", "--config", &config];
    let chunk = LETTERS / (KILLS + 2);
    for kill in 0..KILLS {
        let process = Running::start(&replay, &log);
        watch.wait_for(kill * chunk + random.random_range(1..chunk));
        process.kill();
    }
    assert!(
        watch.marks.load(Ordering::Relaxed) < LETTERS,
        "killed in the middle"
    );
    // The second takes over; the first ends by itself, and says why.
    let first = Running::start(&replay, &log);
    watch.wait_for(watch.marks.load(Ordering::Relaxed) + 1);
    let second = run(&replay);
    assert_eq!(
        second.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&second.stderr)
    );
    let mut first = first;
    let code = first.0.wait().unwrap().code();
    let said = std::fs::read_to_string(&log).unwrap();
    assert!(
        code == Some(0) || code == Some(1) && said.contains("another run has taken over"),
        "{code:?} {said}"
    );
    let last = told(0, &config, &["replay", "--all"]);
    assert_eq!((&last["fed"], &last["already_fed"]), (&json!(0), &json!(LETTERS)));

    let mut fed: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    for (nth, topic) in [(0, Topic::Sensor), (1, Topic::Report)] {
        for record in lying(&town.properties, &town.prefix, topic) {
            let key = String::from_utf8(record.key.clone().unwrap()).unwrap();
            let number: usize = key.strip_prefix("key-").unwrap().parse().unwrap();
            assert_eq!(number.is_multiple_of(3), nth == 0, "{key} is in its topic");
            assert_eq!(record.partition, (number % 2) as i32, "{key} is in its partition");
            assert_eq!(
                record.value.as_deref(),
                Some(format!("value-{number}").as_bytes())
            );
            *fed.entry(record.key.unwrap()).or_default() += 1;
        }
    }
    assert_eq!(fed.len(), LETTERS, "each is fed");
    assert!(fed.values().all(|times| *times == 1), "none twice");
}
