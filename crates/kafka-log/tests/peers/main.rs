//! The job by which other stream processors are measured (`benches/peers`), against a reading of its definition that shares
//! nothing with it: every event has its update once, also when the program is killed in the middle.
#![allow(clippy::unwrap_used, unreachable_pub)]

#[path = "../broker/mod.rs"]
mod broker;
mod events;
mod oracle;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::process::{Child, Command};

use broker::{City, bootstrap, properties, record, until};
use events::{Event, events};
use kafka_log::produce::Sender;
use wire_format::Topic;

/// The program, killed when the test ends.
struct Program(Child);

impl Program {
    fn start(city: &City, cells: &str, loops: usize) -> Program {
        // Cargo builds the examples beside the tests.
        let tests = std::env::current_exe().unwrap();
        let program = tests.parent().unwrap().parent().unwrap().join("examples/peers");
        let id = format!("{}job", city.prefix);
        let (input, output) = (city.topic(Topic::Sensor), city.topic(Topic::Outcomes));
        let child = Command::new(program)
            .args(["--in", &input, "--out", &output, "--bootstrap", &bootstrap()])
            .args(["--cells", cells, "--id", &id, "--loops", &loops.to_string()])
            // Many small transactions: more moments to be killed in.
            .args(["--batch", "150", "--transaction-timeout-ms", "1000"])
            // One that comes back takes its place again without waiting for its own old session.
            .args(if loops == 1 {
                &["--group.instance.id", "one"][..]
            } else {
                &[]
            })
            .spawn()
            .expect("the example peers: cargo builds it unless told to build one test alone");
        Program(child)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// All events of a kind go to one partition, in order. Among them is what is no event.
fn feed(city: &City, events: &[Event]) {
    let sender = Sender::new(&properties()).unwrap();
    let topic = city.topic(Topic::Sensor);
    for (number, event) in events.iter().enumerate() {
        let partition = Some(event.kind as i32 % city.partitions);
        let key = format!("g{:02}", event.kind);
        let value = event.json();
        sender
            .send(&record(&topic, partition, &key, value.as_bytes()))
            .unwrap();
        if number % 100 == 0 {
            let cut = &value.as_bytes()[..value.len() - 2];
            sender.send(&record(&topic, partition, &key, cut)).unwrap();
        }
    }
    sender.flush().unwrap();
}

/// The committed updates by their causes.
fn told(city: &City) -> BTreeMap<String, String> {
    let mut told = BTreeMap::new();
    kafka_log::read::read_all(&properties(), &city.topic(Topic::Outcomes), |record| {
        let update = String::from_utf8(record.value().unwrap().to_vec()).unwrap();
        let text = |name: &str| {
            let (_, after) = update.split_once(&format!("\"{name}\":\"")).unwrap();
            after.split('"').next().unwrap().to_owned()
        };
        let (id, cause) = (text("id"), text("cause"));
        assert_eq!(
            record.key(),
            Some(id.as_bytes()),
            "an update is keyed by its incident"
        );
        assert_eq!(told.insert(cause.clone(), update), None, "{cause} twice");
        ControlFlow::Continue(())
    })
    .unwrap();
    told
}

fn check(told: &BTreeMap<String, String>, expected: &BTreeMap<String, String>) {
    for (cause, update) in expected {
        assert_eq!(told.get(cause), Some(update));
    }
    assert_eq!(told.len(), expected.len(), "and no other");
}

#[test]
fn killed_in_the_middle_it_tells_every_update_once_and_right() {
    let city = City::new("peers", 3);
    let all = events(4_000);
    let expected = oracle::updates(&all, oracle::lattice);
    let joined = expected
        .values()
        .filter(|update| !update.contains("\"count\":1,"))
        .count();
    assert!((2_000..3_900).contains(&joined), "{joined} of the events join");
    let (before, after) = all.split_at(2_500);
    feed(&city, before);
    let mut program = Program::start(&city, "lattice", 1);
    until("some are told", || !told(&city).is_empty());
    program.0.kill().unwrap();
    program.0.wait().unwrap();
    feed(&city, after);
    let _again = Program::start(&city, "lattice", 1);
    until("all are told", || told(&city).len() >= all.len());
    check(&told(&city), &expected);
}

#[test]
fn two_loops_find_the_cells_of_polygons() {
    let city = City::new("peers-cells", 3);
    let all = events(1_500);
    // Two neighbours with a slanting border; north of them there is nothing.
    let (west, east, south, north) = (121_009_000, 121_026_000, 31_009_000, 31_021_003);
    let (below, above) = ((121_015_000, south), (121_019_001, north));
    let polygons: [oracle::Polygon; 2] = [
        ("p0000", vec![(west, south), below, above, (west, north)]),
        ("p0001", vec![below, (east, south), (east, north), above]),
    ];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cells.tsv");
    let degrees = |micro: i64| format!("{}.{:06}0", micro / 1_000_000, micro % 1_000_000);
    let lines = polygons.iter().map(|(name, ring)| {
        let corners = ring
            .iter()
            .map(|(lon, lat)| format!("{} {}", degrees(*lon), degrees(*lat)));
        format!("{name}\t{}\n", corners.collect::<Vec<_>>().join(","))
    });
    std::fs::write(&file, lines.collect::<String>()).unwrap();
    let expected = oracle::updates(&all, |place| oracle::polygon(&polygons, place));
    for cell in ["p0000", "p0001", "none"] {
        let count = expected.values().filter(|update| update.contains(cell)).count();
        assert!(count > 50, "{count} in {cell}");
    }
    feed(&city, &all);
    let _program = Program::start(&city, file.to_str().unwrap(), 2);
    until("all are told", || told(&city).len() >= all.len());
    check(&told(&city), &expected);
}
