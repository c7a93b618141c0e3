//! A new grid comes into force on a real Kafka while the program runs: whole or not at all, and nobody stops for it.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod city;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::PathBuf;

use city::folder::Folder;
use city::{Running, broker, expect, web};
use city_model::{Batch, Input};
use kafka_log::Properties;
use kafka_log::produce::{NewRecord, Sender};
use serde_json::{Value, json};
use wire_format::Topic;

/// Two places in the west of the city, 3 km apart, and one in the east; the feed's is in the east, too.
const SOUTH_WEST: (f64, f64) = (121.21, 31.02);
const NORTH_WEST: (f64, f64) = (121.21, 31.05);
const EAST: (f64, f64) = (121.25, 31.03);
const FEED: (f64, f64) = (121.245, 31.01);

/// A grid of boxes: code, west, south, east, north.
fn grid(cells: &[(&str, [f64; 4])]) -> String {
    let features = cells.iter().map(|(code, [w, s, e, n])| {
        json!({"type": "Feature", "properties": {"code": code, "name": code},
            "geometry": {"type": "Polygon", "coordinates": [[[w, s], [e, s], [e, n], [w, n], [w, s]]]}})
    });
    json!({"type": "FeatureCollection", "features": features.collect::<Vec<_>>()}).to_string()
}

fn two_cells() -> String {
    grid(&[
        ("W", [121.20, 31.00, 121.23, 31.06]),
        ("E", [121.23, 31.00, 121.26, 31.06]),
    ])
}

/// The west is split, the east has another code.
fn three_cells() -> String {
    grid(&[
        ("WS", [121.20, 31.00, 121.23, 31.03]),
        ("WN", [121.20, 31.03, 121.23, 31.06]),
        ("E9", [121.23, 31.00, 121.26, 31.06]),
    ])
}

/// A running city in a folder, and everything that was told to it.
struct Town {
    folder: Folder,
    process: Option<Running>,
    properties: Properties,
    sender: Sender,
    prefix: String,
    sent: usize,
    fed: usize,
}

impl Town {
    fn start(name: &str) -> Town {
        let bootstrap = broker();
        let name = format!("{name}-{}", std::process::id());
        let folder = Folder::new(&format!(
            "[[grid.layers]]\nname = \"duty\"\n[[grid.layers.levels]]\nlevel = \"duty_cell\"\nfile = \"grid.geojson\"\n\
             [kafka]\nbootstrap_servers = \"{bootstrap}\"\ntopic_prefix = \"{name}.\"\ngroup_prefix = \"{name}\"\n\
             loops = 2\nsession_timeout = \"6s\"\n[topics]\nsource_partitions = 2\nenriched_partitions = 2\n\
             [http]\nlisten = \"127.0.0.1:0\"\n[reload]\nwatch = \"off\"\n"
        ));
        folder.write("grid.geojson", two_cells());
        let config = folder.dir.path().join("cityops.toml").display().to_string();
        expect(0, &["topics", "apply", "--config", &config]);
        let properties = Properties::from([("bootstrap.servers".to_owned(), bootstrap)]);
        Town {
            process: Some(Town::run(&folder)),
            sender: Sender::new(&properties).unwrap(),
            folder,
            properties,
            prefix: format!("{name}."),
            sent: 0,
            fed: 0,
        }
    }

    fn run(folder: &Folder) -> Running {
        let path = |name: &str| folder.dir.path().join(name);
        let config = path("cityops.toml").display().to_string();
        let process = Running::start(&["run", "--config", &config], &path("cityops.log"));
        web::wait("it is ready", &path("cityops.log"), || {
            web::address(&path("cityops.log"))
                .and_then(|address| web::get(&address, "/readyz"))
                .is_some_and(|body| body.contains("\"ready\":true"))
        });
        process
    }

    fn log(&self) -> PathBuf {
        self.folder.dir.path().join("cityops.log")
    }

    fn address(&self) -> String {
        web::address(&self.log()).unwrap()
    }

    fn metric(&self, series: &str) -> f64 {
        web::metric(&self.address(), series)
    }

    fn tell(&mut self, id: &str, category: &str, (x, y): (f64, f64)) {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let report = json!({"event_id": id, "source_system": "inspector-app", "channel": "inspector", "report_id": id,
            "category": [category], "observed_at": now.as_millis() as u64,
            "location": {"x": x, "y": y, "accuracy_m": 5.0, "quality": "GNSS"}});
        let topic = kafka_log::topic_name(&self.prefix, Topic::Report);
        let value = report.to_string();
        self.sender
            .send(&NewRecord {
                topic: &topic,
                partition: None,
                key: Some(id.as_bytes()),
                value: Some(value.as_bytes()),
                timestamp: None,
                headers: &[],
            })
            .unwrap();
        self.sender.flush().unwrap();
        self.sent += 1;
    }

    /// Waits, while citizens go on reporting.
    fn wait(&mut self, what: &str, is_so: impl Fn(&Town) -> bool) {
        let log = self.log();
        web::wait(what, &log, || {
            let id = format!("feed-{}", self.fed);
            self.fed += 1;
            self.tell(&id, "积水", FEED);
            is_so(self)
        });
    }

    /// The incident that has this event among its newest members, once it has so many.
    fn incident(&mut self, event: &str, members: u64) -> Value {
        let find = |town: &Town| {
            let has = |incident: &Value| {
                let shown = incident["members"].as_array().unwrap();
                shown.iter().any(|member| member["event_id"] == event)
            };
            let incidents = web::incidents(&town.address());
            incidents
                .into_iter()
                .find(|incident| has(incident) && incident["member_count"].as_u64() >= Some(members))
        };
        self.wait(&format!("{event} is in an incident of {members}"), |town| {
            find(town).is_some()
        });
        find(self).unwrap()
    }

    /// SIGHUP, and waits for what it comes to.
    fn hang_up(&mut self, result: &str) {
        let series = format!("cityops_reloads_total{{result=\"{result}\"}}");
        let before = self.metric(&series);
        self.process.as_ref().unwrap().signal("-HUP");
        self.wait(&format!("a reload is {result}"), |town| {
            town.metric(&series) > before
        });
    }

    fn config(&self) -> String {
        self.folder.dir.path().join("cityops.toml").display().to_string()
    }

    /// Drains and ends the program.
    fn stop(&mut self) {
        assert_eq!(self.process.take().unwrap().terminate(), Some(0));
    }

    fn all_accounted(&self) -> bool {
        self.metric("cityops_events_consumed_total{source=\"report\"}") == self.sent as f64
            && self.metric("cityops_unaccounted_events") == 0.0
    }

    /// The versions of the grid that the metrics name.
    fn grid_versions(&self) -> Vec<String> {
        let text = web::get(&self.address(), "/metrics").unwrap();
        let lines = text
            .lines()
            .filter(|line| line.starts_with("cityops_grid_version_info"));
        let version = |line: &str| {
            line.split("version=\"")
                .nth(1)
                .unwrap()
                .split('"')
                .next()
                .unwrap()
                .to_owned()
        };
        lines.map(version).collect()
    }

    /// Reads the enriched log: in every partition, events carry versions that an activation announced before them. The
    /// versions in the order in which they were first announced, and how many events each placed.
    fn check_log(&self, partitions: i32) -> Vec<(String, usize)> {
        let mut versions: Vec<(String, usize)> = Vec::new();
        let topic = kafka_log::topic_name(&self.prefix, Topic::Enriched);
        for partition in 0..partitions {
            let mut announced: BTreeSet<String> = BTreeSet::new();
            let start = kafka_log::read::Start::Beginning;
            kafka_log::read::read_topic(&self.properties, &topic, partition, start, |record| {
                let batch: Batch = serde_json::from_slice(record.value().unwrap()).unwrap();
                for input in batch.inputs {
                    match input {
                        Input::Activation(activation) => {
                            for (_, version) in &activation.grid {
                                announced.insert(version.to_string());
                                if !versions.iter().any(|(known, _)| **known == **version) {
                                    versions.push((version.to_string(), 0));
                                }
                            }
                        }
                        Input::Event(event) => {
                            let version = event.cells[0].version.to_string();
                            assert!(announced.contains(&version), "{} came before its grid", event.key);
                            let known = versions.iter_mut().find(|(known, _)| *known == version);
                            known.unwrap().1 += 1;
                        }
                        _ => {}
                    }
                }
                ControlFlow::Continue(())
            })
            .unwrap();
        }
        versions
    }
}

/// Code and version of an incident's cell.
fn cell(incident: &Value) -> (&str, &str) {
    let cell = &incident["cells"][0];
    assert_eq!(cell["code"], incident["responsible"]["code"]);
    (cell["code"].as_str().unwrap(), cell["version"].as_str().unwrap())
}

#[test]
fn a_new_grid_comes_into_force_without_a_pause_and_a_broken_one_never() {
    let mut town = Town::start("reload");
    town.tell("old-1", "暴露垃圾", SOUTH_WEST);
    let opened = town.incident("old-1", 1);
    let first = town.grid_versions();
    assert_eq!(cell(&opened), ("W", first[0].as_str()));
    let rebalances = town.metric("cityops_rebalances_total");

    // A cell split in two, another code: what follows has the new ones, what is open keeps its own.
    town.folder.write("grid.geojson", three_cells());
    town.hang_up("applied");
    let second = town.grid_versions();
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_ne!(first, second);
    // Both loops switch within a turn, but only the log says when: a place of its own for each look.
    let mut looks = 0;
    let fresh = loop {
        let place = (NORTH_WEST.0, NORTH_WEST.1 - 0.003 * f64::from(looks));
        let id = format!("new-{looks}");
        town.tell(&id, "暴露垃圾", place);
        let incident = town.incident(&id, 1);
        looks += 1;
        if cell(&incident).1 == second[0] {
            break incident;
        }
        assert!(looks < 6, "the loops never switch");
    };
    assert_eq!(cell(&fresh), ("WN", second[0].as_str()));
    town.tell("east-1", "暴露垃圾", EAST);
    assert_eq!(cell(&town.incident("east-1", 1)), ("E9", second[0].as_str()));
    town.tell("old-2", "暴露垃圾", SOUTH_WEST);
    let kept = town.incident("old-2", 2);
    assert_eq!(kept["incident_id"], opened["incident_id"]);
    assert_eq!(
        (&kept["cells"], &kept["responsible"]),
        (&opened["cells"], &opened["responsible"])
    );
    assert_eq!(kept["also_affects"], opened["also_affects"]);
    assert_ne!(kept["config_version"], opened["config_version"]);
    let config = format!("cityops_config_info{{version={}}}", kept["config_version"]);
    assert_eq!(
        (town.metric(&config), town.metric("cityops_config_info")),
        (1.0, 1.0)
    );

    // Cut off half-way, a key that takes a restart, and the same bytes again.
    let whole = three_cells();
    town.folder.write("grid.geojson", &whole[..whole.len() / 2]);
    let since = town.metric("cityops_reload_last_success_timestamp_seconds");
    town.hang_up("refused");
    town.folder.write("grid.geojson", &whole);
    let config = std::fs::read_to_string(town.folder.dir.path().join("cityops.toml")).unwrap();
    town.folder
        .write("cityops.toml", config.replace("loops = 2", "loops = 3"));
    town.hang_up("refused");
    assert_eq!(
        since,
        town.metric("cityops_reload_last_success_timestamp_seconds")
    );
    town.folder.write("cityops.toml", &config);
    town.hang_up("unchanged");
    assert!(since < town.metric("cityops_reload_last_success_timestamp_seconds"));
    assert_eq!(town.grid_versions(), second);
    let log = std::fs::read_to_string(town.log()).unwrap();
    let line = config.lines().position(|line| line.starts_with("loops")).unwrap() + 1;
    for words in ["grid.geojson", &format!("cityops.toml:{line}: \"kafka.loops\"")] {
        let told = |line: &str| line.contains("the reload is refused") && line.contains(words);
        assert!(log.lines().any(told), "{words}\n{log}");
    }

    // The watch is switched on by a reload, and sees a file that is put in another's place.
    let watching = config.replace("watch = \"off\"", "watch = \"100ms\"");
    town.folder.write("cityops.toml", watching);
    town.hang_up("applied");
    let next = town.folder.write("grid.next", two_cells());
    std::fs::rename(next, town.folder.dir.path().join("grid.geojson")).unwrap();
    town.wait("the watch has seen it", |town| town.grid_versions() == first);

    // Nobody stopped for all that, and nothing was lost.
    web::wait("all is accounted for", &town.log(), || town.all_accounted());
    assert_eq!(town.metric("cityops_rebalances_total"), rebalances);
    assert_eq!(town.metric("cityops_transactions_aborted_total"), 0.0);
    town.stop();
    let placed = town.check_log(2);
    println!("events by the version of the grid that placed them: {placed:?}");
    assert_eq!(
        placed.iter().map(|(version, _)| version).collect::<Vec<_>>(),
        [&first[0], &second[0]]
    );
    assert!(placed.iter().all(|(_, events)| *events > 0), "{placed:?}");

    // Started again on the first grid: what was opened under the second one keeps it.
    town.process = Some(Town::run(&town.folder));
    town.tell(
        "new-again",
        "暴露垃圾",
        (NORTH_WEST.0, NORTH_WEST.1 - 0.003 * f64::from(looks - 1)),
    );
    let kept = town.incident("new-again", 2);
    assert_eq!(kept["incident_id"], fresh["incident_id"]);
    assert_eq!(cell(&kept), ("WN", second[0].as_str()));
    web::wait("all is accounted for", &town.log(), || town.all_accounted());
    town.stop();
    let config = town.config();
    let ledger: Value = serde_json::from_str(&expect(0, &["--json", "ledger", "--config", &config])).unwrap();
    assert_eq!(ledger["consumed"].as_u64(), Some(town.sent as u64), "{ledger}");
    let audit: Value = serde_json::from_str(&expect(0, &["--json", "audit", "--config", &config])).unwrap();
    println!("{audit}");
    assert_eq!(audit["differences"], json!([]));
}
