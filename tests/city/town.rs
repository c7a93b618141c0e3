//! A small city on a real Kafka whose grid changes while the program runs.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::PathBuf;

use city_model::{Batch, Input};
use kafka_log::Properties;
use kafka_log::produce::{NewRecord, Sender};
use serde_json::{Value, json};
use wire_format::Topic;

use super::folder::Folder;
use super::{Running, broker, expect, web};

/// Two places in the west of the city, 3 km apart, and one in the east; the feed's is in the east, too.
pub const SOUTH_WEST: (f64, f64) = (121.21, 31.02);
pub const NORTH_WEST: (f64, f64) = (121.21, 31.05);
pub const EAST: (f64, f64) = (121.25, 31.03);
pub const FEED: (f64, f64) = (121.245, 31.01);

/// A grid of boxes: code, west, south, east, north.
pub fn grid(cells: &[(&str, [f64; 4])]) -> String {
    let features = cells.iter().map(|(code, [w, s, e, n])| {
        json!({"type": "Feature", "properties": {"code": code, "name": code},
            "geometry": {"type": "Polygon", "coordinates": [[[w, s], [e, s], [e, n], [w, n], [w, s]]]}})
    });
    json!({"type": "FeatureCollection", "features": features.collect::<Vec<_>>()}).to_string()
}

pub fn two_cells() -> String {
    grid(&[
        ("W", [121.20, 31.00, 121.23, 31.06]),
        ("E", [121.23, 31.00, 121.26, 31.06]),
    ])
}

/// The west is split, the east has another code.
pub fn three_cells() -> String {
    grid(&[
        ("WS", [121.20, 31.00, 121.23, 31.03]),
        ("WN", [121.20, 31.03, 121.23, 31.06]),
        ("E9", [121.23, 31.00, 121.26, 31.06]),
    ])
}

/// A running city in a folder, and everything that was told to it.
pub struct Town {
    pub folder: Folder,
    pub process: Option<Running>,
    pub properties: Properties,
    pub sender: Sender,
    pub prefix: String,
    pub sent: usize,
    pub fed: usize,
}

impl Town {
    pub fn start(name: &str) -> Town {
        let mut town = Town::prepare(name, "");
        town.process = Some(Town::run(&town.folder));
        town
    }

    /// The same with more in its configuration, and before its first start.
    pub fn prepare(name: &str, more: &str) -> Town {
        let bootstrap = broker();
        let name = format!("{name}-{}", std::process::id());
        let folder = Folder::new(&format!(
            "[[grid.layers]]\nname = \"duty\"\n[[grid.layers.levels]]\nlevel = \"duty_cell\"\nfile = \"grid.geojson\"\n\
             [kafka]\nbootstrap_servers = \"{bootstrap}\"\ntopic_prefix = \"{name}.\"\ngroup_prefix = \"{name}\"\n\
             loops = 2\nsession_timeout = \"6s\"\n[topics]\nsource_partitions = 2\nenriched_partitions = 2\n\
             [http]\nlisten = \"127.0.0.1:0\"\n[reload]\nwatch = \"off\"\n{more}"
        ));
        folder.write("grid.geojson", two_cells());
        let config = folder.dir.path().join("cityops.toml").display().to_string();
        expect(0, &["topics", "apply", "--config", &config]);
        let properties = Properties::from([("bootstrap.servers".to_owned(), bootstrap)]);
        Town {
            process: None,
            sender: Sender::new(&properties).unwrap(),
            folder,
            properties,
            prefix: format!("{name}."),
            sent: 0,
            fed: 0,
        }
    }

    pub fn run(folder: &Folder) -> Running {
        Town::run_beside(folder, "cityops.log")
    }

    /// Starts a process that logs to a file of that name, and waits until it is ready.
    pub fn run_beside(folder: &Folder, log: &str) -> Running {
        let path = |name: &str| folder.dir.path().join(name);
        let config = path("cityops.toml").display().to_string();
        let process = Running::start(&["run", "--config", &config], &path(log));
        web::wait("it is ready", &path(log), || {
            web::address(&path(log))
                .and_then(|address| web::get(&address, "/readyz"))
                .is_some_and(|body| body.contains("\"ready\":true"))
        });
        process
    }

    pub fn log(&self) -> PathBuf {
        self.folder.dir.path().join("cityops.log")
    }

    pub fn address(&self) -> String {
        web::address(&self.log()).unwrap()
    }

    pub fn metric(&self, series: &str) -> f64 {
        web::metric(&self.address(), series)
    }

    pub fn tell(&mut self, id: &str, category: &str, (x, y): (f64, f64)) {
        report(&self.sender, &self.prefix, id, category, (x, y));
        self.sent += 1;
    }

    /// Waits, while citizens go on reporting.
    pub fn wait(&mut self, what: &str, mut is_so: impl FnMut(&Town) -> bool) {
        let log = self.log();
        web::wait(what, &log, || {
            let id = format!("feed-{}", self.fed);
            self.fed += 1;
            self.tell(&id, "积水", FEED);
            is_so(self)
        });
    }

    /// The incident that has this event among its newest members, once it has so many.
    pub fn incident(&mut self, event: &str, members: u64) -> Value {
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
    pub fn hang_up(&mut self, result: &str) {
        let series = format!("cityops_reloads_total{{result=\"{result}\"}}");
        let before = self.metric(&series);
        self.process.as_ref().unwrap().signal("-HUP");
        self.wait(&format!("a reload is {result}"), |town| {
            town.metric(&series) > before
        });
    }

    pub fn config(&self) -> String {
        self.folder.dir.path().join("cityops.toml").display().to_string()
    }

    /// The ledger is complete, and deciding the log again gives what was published.
    pub fn check_books(&self) {
        let config = self.config();
        let read = |command: &str| -> Value {
            serde_json::from_str(&expect(0, &["--json", command, "--config", &config])).unwrap()
        };
        let ledger = read("ledger");
        assert_eq!(ledger["consumed"].as_u64(), Some(self.sent as u64), "{ledger}");
        assert_eq!(ledger["unaccounted"].as_i64(), Some(0), "{ledger}");
        let audit = read("audit");
        assert_eq!(audit["differences"], json!([]));
    }

    /// Waits until all that was told is decided, ends the program and checks its books. An ended program has drained its
    /// transactions and not what waits in the enriched log, so without the wait the ledger may rightly lack the newest.
    pub fn settle(&mut self) {
        web::wait("every record is accounted for", &self.log(), || {
            self.all_accounted()
        });
        self.stop();
        self.check_books();
    }

    /// Drains and ends the program.
    pub fn stop(&mut self) {
        assert_eq!(self.process.take().unwrap().terminate(), Some(0));
    }

    /// Loops switch within a turn, but only the log says when: reports from ever another place in the north-west until an
    /// incident is opened under this version; the incident and the place.
    pub fn switched(&mut self, version: &str) -> (Value, (f64, f64)) {
        for look in 0..6 {
            let place = (NORTH_WEST.0, NORTH_WEST.1 - 0.003 * f64::from(look));
            let id = format!("new-{look}");
            self.tell(&id, "暴露垃圾", place);
            let incident = self.incident(&id, 1);
            if cell(&incident).1 == version {
                return (incident, place);
            }
        }
        panic!("the loops never switch to {version}");
    }

    pub fn all_accounted(&self) -> bool {
        self.metric("cityops_events_consumed_total{") == self.sent as f64
            && self.metric("cityops_unaccounted_events") == 0.0
    }

    /// The versions of the grid that the metrics name.
    pub fn grid_versions(&self) -> Vec<String> {
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
    pub fn check_log(&self, partitions: i32) -> Vec<(String, usize)> {
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
pub fn cell(incident: &Value) -> (&str, &str) {
    let cell = &incident["cells"][0];
    assert_eq!(cell["code"], incident["responsible"]["code"]);
    (cell["code"].as_str().unwrap(), cell["version"].as_str().unwrap())
}

/// Sends an inspector's report of now, seen at a place.
pub fn report(sender: &Sender, prefix: &str, id: &str, category: &str, (x, y): (f64, f64)) {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let report = json!({"event_id": id, "source_system": "inspector-app", "channel": "inspector", "report_id": id,
        "category": [category], "observed_at": now.as_millis() as u64,
        "location": {"x": x, "y": y, "accuracy_m": 5.0, "quality": "GNSS"}});
    let topic = kafka_log::topic_name(prefix, Topic::Report);
    let value = report.to_string();
    sender
        .send(&NewRecord {
            topic: &topic,
            partition: None,
            key: Some(id.as_bytes()),
            value: Some(value.as_bytes()),
            timestamp: None,
            headers: &[],
        })
        .unwrap();
    sender.flush().unwrap();
}
