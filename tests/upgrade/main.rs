//! A rolling upgrade under load on a real Kafka: two processes of the previous version are replaced, one after the other, by the present one.
//! Nothing is lost, nothing doubled, what the previous version knew is known, and the bands are the truth told apart.
//!
//! The grouping need not be that of a calm run, nor what `audit` decides again: versions may decide differently, and that is
//! what they are for.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests"
)]

#[path = "../city/mod.rs"]
mod city;
#[path = "../faults/feed.rs"]
mod feed;
mod moved;
#[path = "../faults/verdict.rs"]
#[allow(dead_code, reason = "what compares with a calm run has no place here")]
mod verdict;
mod versions;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use city::feed::LedgerWatch;
use city::{City, broker, seed, web};
use city_model::{Ledger, LedgerCell, Outcome, Source};
use city_simulator::Scenario;
use kafka_log::Properties;
use serde_json::Value;
use wire_format::Topic;

use feed::Feed;
use verdict::{Judged, kept};
use versions::{Process, Version, previous, run};

const RECORDS: usize = 4_000;
/// Records fed while a change is under way, and while none is.
const STEP: usize = RECORDS / 5;
const PARTITIONS: usize = 4;

struct Stage {
    city: City,
    properties: Properties,
    prefix: String,
    feed: Feed,
    watch: LedgerWatch,
}

impl Stage {
    fn wait(&self, what: &str, beside: &[&Process], mut is_so: impl FnMut(&Stage, &Ledger) -> bool) {
        let log = &beside[0].log;
        web::wait(what, log, || is_so(self, &self.watch.ledger()));
    }

    /// Until everything that was sent has its outcome.
    fn wait_for_all(&self, processes: &[&Process]) {
        self.wait("every record has its outcome", processes, |stage, ledger| {
            ledger.consumed() >= stage.feed.sent && ledger.unaccounted() <= 0
        });
    }

    /// Feeds while the partitions of the enriched log are shared anew, and on.
    fn feed_while_shared(&mut self, processes: &[&Process]) {
        self.feed.send(STEP / 2);
        self.wait("the partitions are shared", processes, |_, _| {
            let held: Vec<usize> = processes
                .iter()
                .filter_map(|process| process.holds(PARTITIONS))
                .collect();
            held.len() == processes.len()
                && held.iter().all(|count| *count > 0)
                && held.iter().sum::<usize>() == PARTITIONS
                && processes.iter().all(|process| process.is_ready())
        });
        self.feed.send(STEP - STEP / 2);
    }

    /// The last revision of each incident, and the one before which none is to come again.
    fn revisions(&self) -> BTreeMap<String, u64> {
        let mut last = BTreeMap::new();
        self.each(Topic::Incidents, |key, value| {
            last.insert(key, value["revision"].as_u64().unwrap());
        });
        last
    }

    /// The versions of the rules that decided what changed after these revisions.
    fn rules_since(&self, revisions: &BTreeMap<String, u64>) -> BTreeSet<String> {
        let mut rules = BTreeSet::new();
        self.each(Topic::Incidents, |key, value| {
            if value["revision"].as_u64() > revisions.get(&key).copied() {
                rules.insert(value["priority"]["rules_version"].as_str().unwrap().to_owned());
            }
        });
        rules
    }

    /// Tickets and reports that belong to an incident, as they were told last.
    fn belonging(&self) -> BTreeSet<String> {
        let mut told = BTreeMap::new();
        self.each(Topic::Outcomes, |key, value| {
            let outcome = value["outcome"].as_str().unwrap();
            told.insert(key, outcome == "opened" || outcome == "joined");
        });
        let belong = told.into_iter().filter(|(_, belongs)| *belongs);
        belong.map(|(key, _)| key).collect()
    }

    /// Sends tickets and reports of these again, as they were, and gives how many.
    fn send_again(&mut self, seed: u64, events: &BTreeSet<String>) -> i64 {
        let sender = city::feed::Feed::new(&self.properties, &self.prefix);
        let mut sent = 0;
        for record in city_simulator::simulate(Scenario::Typhoon, seed, RECORDS) {
            let said: Value = serde_json::from_str(&record.line).unwrap_or_default();
            let key = format!(
                "{}/{}",
                said["source_system"].as_str().unwrap_or_default(),
                record.event_id
            );
            if matches!(record.source, Source::Hotline | Source::Report) && events.contains(&key) {
                sender.send(&record);
                sent += 1;
            }
        }
        sender.flush();
        self.feed.sent += sent;
        sent
    }

    fn each(&self, topic: Topic, mut each: impl FnMut(String, Value)) {
        let name = kafka_log::topic_name(&self.prefix, topic);
        kafka_log::read::read_all(&self.properties, &name, |record| {
            let key = String::from_utf8(record.key().unwrap().to_vec()).unwrap();
            if let Some(value) = record.value() {
                each(key, serde_json::from_slice(value).unwrap());
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    }
}

/// How many records have an outcome, of tickets and reports alone.
fn count(ledger: &Ledger, outcome: Outcome) -> i64 {
    let sources = [Source::Hotline, Source::Report];
    let cells = sources.map(|source| ledger.get(LedgerCell::Outcome(source, outcome)));
    cells.iter().sum()
}

#[test]
fn the_previous_version_is_replaced_under_load_and_nothing_is_lost_or_doubled() {
    let seed = seed();
    let old = Version::Previous(previous());
    let city = City::new(Scenario::Typhoon, seed, RECORDS);
    // They are not fed either: what they change depends on which events were read before them.
    for file in ["weather.ndjson", "silence.ndjson"] {
        std::fs::remove_file(city.path(file)).unwrap();
    }
    // A key that the version before does not know stops its start: such keys wait until its last process is gone.
    let config = std::fs::read_to_string(city.config()).unwrap();
    let known = config.lines().filter(|line| !line.starts_with("addresses = "));
    let known: String = known.flat_map(|line| [line, "\n"]).collect();
    assert_ne!(known, config);
    std::fs::write(city.config(), known).unwrap();
    let name = format!("upgrade-{seed}-{}", std::process::id());
    city.on_kafka(&broker(), &name);
    run(&old, &["topics", "apply", "--config", &city.config()]);
    let properties = Properties::from([("bootstrap.servers".to_owned(), broker())]);
    let prefix = format!("{name}.");
    let mut stage = Stage {
        feed: Feed::new(&properties, &prefix, Scenario::Typhoon, seed, RECORDS),
        watch: LedgerWatch::start(&properties, &prefix),
        properties: properties.clone(),
        prefix: prefix.clone(),
        city,
    };

    // As it was.
    let first = Process::start(&old, &stage.city, "previous-1");
    let second = Process::start(&old, &stage.city, "previous-2");
    stage.feed_while_shared(&[&first, &second]);
    stage.wait_for_all(&[&first, &second]);
    let before = stage.revisions();
    assert!(before.len() > 10, "{before:?}");

    // Topics first, then one process; the rest of the records comes while both versions work.
    run(
        &Version::Present,
        &["topics", "apply", "--config", &stage.city.config()],
    );
    stage.feed.send(STEP / 2);
    first.stop();
    // What the previous version may have to take over is written so that it can read it.
    let rows = [("CITYOPS__STATE__ROWS", "json")];
    let third = Process::start_with(&Version::Present, &stage.city, "present-1", &rows);
    stage.feed_while_shared(&[&third, &second]);
    stage.wait_for_all(&[&third, &second]);
    println!(
        "side by side: {} and {} partitions",
        third.holds(PARTITIONS).unwrap(),
        second.holds(PARTITIONS).unwrap()
    );
    let between = stage.revisions();

    // Then the other.
    stage.feed.send(STEP / 2);
    second.stop();
    // From here on there is no other: its rows are compact, and the one beside it reads both.
    let fourth = Process::start(&Version::Present, &stage.city, "present-2");
    stage.feed_while_shared(&[&third, &fourth]);
    stage.wait_for_all(&[&third, &fourth]);
    let exchanged = stage.revisions();
    stage.feed.send(RECORDS);
    stage.wait_for_all(&[&third, &fourth]);

    // What changed since was decided by the present rules, also where the previous version could not read them and kept its own.
    let by_rules = stage.rules_since(&exchanged);
    let present = city_rules::Rules::builtin().version().to_owned();
    assert_eq!(by_rules, BTreeSet::from([present]));

    // State was restored: incidents that the previous version opened went on, and never began anew.
    let after = stage.revisions();
    let went_on = |from: &BTreeMap<String, u64>, to: &BTreeMap<String, u64>| {
        let known = from
            .iter()
            .filter(|(id, revision)| to.get(*id).is_some_and(|now| now > *revision));
        known.count()
    };
    assert!(went_on(&before, &between) > 0 && went_on(&between, &after) > 0);
    let complaints = kept(&Judged {
        properties: &properties,
        prefix: &prefix,
        scenario: Scenario::Typhoon,
        seed,
        records: RECORDS,
        sent: stage.feed.sent,
        enriched_partitions: PARTITIONS as i32,
        correlate_group: &format!("{name}-correlate"),
        calm: None,
    });
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));

    // What was sent to the previous version is known: sent again, it counts for nothing.
    let belonging = stage.belonging();
    let ledger = stage.watch.ledger();
    let again = stage.send_again(seed, &belonging);
    assert!(again > 20, "{again}");
    stage.wait_for_all(&[&third, &fourth]);
    let now = stage.watch.ledger();
    assert_eq!(
        count(&now, Outcome::DuplicateId) - count(&ledger, Outcome::DuplicateId),
        again
    );
    for outcome in [Outcome::Opened, Outcome::Joined] {
        assert_eq!(count(&now, outcome), count(&ledger, outcome), "{outcome}");
    }
    third.stop();
    fourth.stop();
    println!(
        "{} records, {again} of them twice; {} incidents of the previous version went on side by side, {} afterwards",
        stage.feed.sent,
        went_on(&before, &between),
        went_on(&between, &after)
    );
}
