//! The sections of the configuration, with their defaults.

use std::collections::BTreeMap;
use std::path::PathBuf;

use city_grid::Crs;
use city_rules::strict::DurationMs;
use incident_engine::RowForm;
use serde::{Deserialize, Serialize};

/// `[city]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct City {
    /// The city's code (GB/T 2260).
    pub code: String,
    /// Its time zone, by its IANA name.
    pub timezone: String,
}

impl Default for City {
    fn default() -> Self {
        City {
            code: "310117".to_owned(),
            timezone: "Asia/Shanghai".to_owned(),
        }
    }
}

/// `[grid]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grid {
    /// Refuse bad rings instead of reading them by the even-odd rule.
    pub strict: bool,
    /// The layers; the first owns incidents. None: the built-in synthetic grid.
    pub layers: Vec<GridLayer>,
    /// What of a grid's flaws is told, and what refuses it.
    pub limits: city_grid::Limits,
}

/// `[[grid.layers]]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GridLayer {
    /// Its name.
    pub name: String,
    /// How far outside all cells a point may be and still belong to the nearest, in metres.
    #[serde(default = "snap_m")]
    pub snap_m: f64,
    /// Its levels, widest first.
    #[serde(default)]
    pub levels: Vec<GridLevel>,
}

/// `[[grid.layers.levels]]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GridLevel {
    /// `district`, `town`, `village`, `duty_cell`, `unit_cell`, or a name of yours.
    pub level: String,
    /// GeoJSON or FlatGeobuf, plain or gzipped, or the `.shp` of a shapefile with its `.dbf` beside it.
    pub file: PathBuf,
    /// Its coordinate system.
    #[serde(default = "wgs84")]
    pub crs: Crs,
    /// The property with the code.
    #[serde(default = "code")]
    pub code: String,
    /// The property with the name.
    #[serde(default = "name")]
    pub label: String,
    /// The property with the code of the enclosing cell.
    #[serde(default)]
    pub parent: Option<String>,
    /// The property with the unit or grid head in charge.
    #[serde(default)]
    pub unit: Option<String>,
    /// The property with the time from which the cell is valid.
    #[serde(default)]
    pub valid_from: Option<String>,
    /// The property with the time until which it is.
    #[serde(default)]
    pub valid_to: Option<String>,
    /// The encoding of a shapefile's table, where its `.cpg` and its header say nothing or a wrong one.
    #[serde(default)]
    pub encoding: Option<String>,
}

/// As a layer has it by itself.
fn snap_m() -> f64 {
    city_grid::layer::SNAP_MM as f64 / 1_000.0
}

fn wgs84() -> Crs {
    Crs::Wgs84
}

fn code() -> String {
    "code".to_owned()
}

fn name() -> String {
    "name".to_owned()
}

/// `[rules]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RulesFiles {
    /// On top of the built-in rules, in this order.
    pub files: Vec<PathBuf>,
}

/// `[registry]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Registry {
    /// `device_id,lon,lat[,crs,accuracy_m,component_id]`
    pub devices: Option<PathBuf>,
    /// `component_id,class,lon,lat[,crs,accuracy_m]`
    pub components: Option<PathBuf>,
    /// `facility_id,class,name,lon,lat[,crs]`
    pub facilities: Option<PathBuf>,
    /// `address,lon,lat[,crs,accuracy_m,spread_m]`
    pub addresses: Option<PathBuf>,
}

/// `[sources.NAME]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The coordinate system of its locations.
    #[serde(default = "wgs84")]
    pub crs: Crs,
    /// The standard of its codes where a record does not name one.
    #[serde(default)]
    pub code_system: Option<String>,
    /// A sensor's time that is off by the zone's eight hours is mended; otherwise it is flagged alone.
    #[serde(default)]
    pub fix_zone: bool,
    /// The longest time that this system is silent for when all is well: an alert goes by it. Not of `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_every: Option<DurationMs>,
}

/// Whose time an event is ingested by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IngestedFrom {
    /// The broker's append time.
    #[default]
    Broker,
    /// The record's own timestamp: for backfills and tests.
    Producer,
}

/// What a partition at its end does to the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Idle {
    /// It moves on with the loop's ticks.
    #[default]
    Advance,
    /// It holds.
    Hold,
}

/// `[time]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Time {
    /// How long an event keeps its own place in time.
    pub reorder: DurationMs,
    /// How late tickets and reports may come.
    pub max_late: DurationMs,
    /// How late readings and alerts may come.
    pub sensors_max_late: DurationMs,
    /// Whose time an event is ingested by.
    pub ingested_from: IngestedFrom,
    /// What a partition at its end does to the clock: `advance` with the broker's time, `hold` with the producer's,
    /// unless told otherwise, for the wall clock says nothing about records of another day.
    pub idle: Option<Idle>,
}

impl Time {
    /// Whether a partition at its end holds the clock.
    pub fn holds_idle(&self) -> bool {
        let default = match self.ingested_from {
            IngestedFrom::Broker => Idle::Advance,
            IngestedFrom::Producer => Idle::Hold,
        };
        self.idle.unwrap_or(default) == Idle::Hold
    }
}

impl Default for Time {
    fn default() -> Self {
        const MINUTE: i64 = 60_000;
        Time {
            reorder: DurationMs(15 * MINUTE),
            max_late: DurationMs(24 * 60 * MINUTE),
            sensors_max_late: DurationMs(72 * 60 * MINUTE),
            ingested_from: IngestedFrom::Broker,
            idle: None,
        }
    }
}

/// `[kafka]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Kafka {
    /// Where the broker is.
    pub bootstrap_servers: String,
    /// The beginning of group and transaction names.
    pub group_prefix: String,
    /// Set before every topic's name: several cities on one broker.
    pub topic_prefix: String,
    /// Loops per worker in this process.
    pub loops: usize,
    /// What a loop may have under way at once, in MiB: read ahead, decided, sent and not yet acknowledged; at least 64.
    pub in_flight_mib: usize,
    /// After how long the group gives a silent process's partitions away; at most 10 s.
    pub session_timeout: DurationMs,
    /// How long a stop may take.
    pub shutdown_timeout: DurationMs,
    /// Any librdkafka property; with `_file` behind its name, the file that holds the value.
    #[serde(deserialize_with = "super::client::as_texts")]
    pub properties: BTreeMap<String, String>,
}

impl Default for Kafka {
    fn default() -> Self {
        Kafka {
            bootstrap_servers: "127.0.0.1:9092".to_owned(),
            group_prefix: "cityops".to_owned(),
            topic_prefix: String::new(),
            loops: 1,
            in_flight_mib: 128,
            session_timeout: DurationMs(10_000),
            shutdown_timeout: DurationMs(30_000),
            properties: BTreeMap::new(),
        }
    }
}

/// `[topics]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Topics {
    /// Partitions of each source topic.
    pub source_partitions: u32,
    /// Partitions of the enriched log.
    pub enriched_partitions: u32,
    /// Replicas; the broker's default unless set.
    pub replication: Option<i32>,
    /// How long source topics and the enriched log keep records, at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_retention: Option<DurationMs>,
    /// Whether a start may move groups of kinds to other partitions than their incidents lie in.
    pub accept_moved_groups: bool,
}

impl Default for Topics {
    fn default() -> Self {
        Topics {
            source_partitions: 4,
            enriched_partitions: 4,
            replication: None,
            source_retention: None,
            accept_moved_groups: false,
        }
    }
}

/// `[schemas]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Schemas {
    /// Where a registry speaks the Confluent interface: `http(s)://host:port` and a path. Its ids count instead of ours.
    pub registry: Option<String>,
    /// A file with `name:password` for it.
    pub registry_auth_file: Option<PathBuf>,
    /// A file with a token for it.
    pub registry_token_file: Option<PathBuf>,
    /// A PEM file with the certificates of those who may have signed the registry's; needed for `https`.
    pub registry_ca_file: Option<PathBuf>,
    /// Whether a start registers the schemas of what it writes; else they must be there.
    pub register: bool,
    /// How long one request to it may take.
    pub timeout: DurationMs,
    /// Writers' schemas by their id in the registry's frame, besides the built-in ones.
    pub files: BTreeMap<String, PathBuf>,
}

impl Default for Schemas {
    fn default() -> Self {
        Schemas {
            registry: None,
            registry_auth_file: None,
            registry_token_file: None,
            registry_ca_file: None,
            register: true,
            timeout: DurationMs(5_000),
            files: BTreeMap::new(),
        }
    }
}

/// How the outside topics are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputFormat {
    /// Avro in the registry's frame.
    Avro,
    /// JSON.
    Json,
}

/// `[output]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Output {
    /// The format of the outside topics: `avro` with a registry, `json` without, unless told otherwise.
    pub format: Option<OutputFormat>,
    /// Whether incidents, device faults and late events are CloudEvents: attributes in headers beside the value.
    pub cloudevents: bool,
}

impl Default for Output {
    fn default() -> Self {
        Output {
            format: None,
            cloudevents: true,
        }
    }
}

/// `[state]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct State {
    /// How the correlator writes its state rows: `json` as long as processes run that read nothing else.
    pub rows: RowForm,
}

/// `[privacy]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Privacy {
    /// The key by which reporters are counted without being known. Without one a key is used that everybody knows, where the
    /// brokers are this machine's or `allow_known_key` says so.
    pub reporter_key_file: Option<PathBuf>,
    /// The key before it, while the key is being changed: whoever reported under it is not counted a second time.
    pub previous_reporter_key_file: Option<PathBuf>,
    /// Whether reporters may be hashed with a key that everybody knows, on a real city's brokers: their numbers can then be guessed.
    pub allow_known_key: bool,
}
