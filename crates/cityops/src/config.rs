//! The configuration file: what an operator may write, read strictly, with overrides from the environment.

mod client;
mod coordinates;
mod expected;
mod http;
mod lines;
mod overrides;
mod privacy;
mod reads;
mod refused;
mod reload;
mod sections;
mod sized;
mod telemetry;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use city_rules::{ConfigError, strict};
use serde::{Deserialize, Serialize};

pub use coordinates::{Coordinates, Sh2000};
pub use http::{AccessLog, Http, HttpLimits, is_loopback};
pub use reads::{FileRead, Reads, Stamp};
pub use reload::{Reload, Watch};
pub use sections::{
    City, Grid, GridLayer, GridLevel, Idle, IngestedFrom, Kafka, Output, OutputFormat, Privacy, Registry,
    RulesFiles, Schemas, Source, State, Time, Topics,
};
pub use telemetry::{Log, LogFormat, OtlpProtocol, Telemetry};

/// So many loops a worker may have in a process: more than any machine has use for is a slip of the pen, and thousands of threads.
const LOOPS_MAX: usize = 64;
/// A terabyte is no budget.
const IN_FLIGHT_MIB_MAX: usize = 65_536;
/// Farther off, a point is in the wrong cell rather than in a seam between two.
const SNAP_M_MAX: f64 = 1_000.0;

/// The whole configuration. Every key has a default but those of what is listed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The city.
    pub city: City,
    /// The grid.
    pub grid: Grid,
    /// Rules on top of the built-in ones.
    pub rules: RulesFiles,
    /// Devices, components, facilities, addresses.
    pub registry: Registry,
    /// Coordinate systems whose parameters are the city's own.
    pub crs: Coordinates,
    /// What the source systems send; `default` stands for every one that is not listed.
    pub sources: BTreeMap<String, Source>,
    /// Time.
    pub time: Time,
    /// The broker.
    pub kafka: Kafka,
    /// Sizes of the topics that `topics apply` creates.
    pub topics: Topics,
    /// Schemas beyond the built-in ones.
    pub schemas: Schemas,
    /// The outside topics.
    pub output: Output,
    /// What a partition keeps in its changelog.
    pub state: State,
    /// Personal data.
    pub privacy: Privacy,
    /// HTTP.
    pub http: Http,
    /// Spans.
    pub telemetry: Telemetry,
    /// Lines.
    pub log: Log,
    /// Changes while it runs.
    pub reload: Reload,
}

/// A configuration with the folder that its relative paths start from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What it says.
    pub config: Config,
    /// The file's name as given.
    pub file: String,
    /// The file's text.
    pub text: String,
    /// The folder of relative paths.
    pub base: PathBuf,
    /// What was read for it so far, this file first.
    pub reads: Reads,
}

impl Loaded {
    /// Reads a configuration file and the overrides of the environment.
    ///
    /// # Errors
    /// A [`ConfigError`] with line, key and nearest valid key, or that the file cannot be read.
    pub fn read(path: &Path) -> anyhow::Result<Loaded> {
        Loaded::read_into(path, Reads::default())
    }

    /// The same, with what is read noted in `reads` even when it is not good.
    ///
    /// # Errors
    /// As [`Loaded::read`].
    pub fn read_into(path: &Path, reads: Reads) -> anyhow::Result<Loaded> {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Loaded::read_all(path, environment, reads)
    }

    /// The same with a given environment.
    ///
    /// # Errors
    /// As [`Loaded::read`].
    pub fn read_with(
        path: &Path,
        environment: impl Iterator<Item = (String, String)>,
    ) -> anyhow::Result<Loaded> {
        Loaded::read_all(path, environment, Reads::default())
    }

    fn read_all(
        path: &Path,
        environment: impl Iterator<Item = (String, String)>,
        reads: Reads,
    ) -> anyhow::Result<Loaded> {
        let file = path.display().to_string();
        let bytes = reads.read("", path).map_err(|error| {
            crate::exit::bad_configuration(format!("cannot read the configuration {file}: {error}"))
        })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            ConfigError::new(
                &file,
                "",
                format!(
                    "the file is not UTF-8 (byte {})",
                    error.utf8_error().valid_up_to()
                ),
            )
        })?;
        // The file is read strictly by itself first, so that its mistakes are told with their lines.
        let mut config: Config = strict::parse(&file, &text)?;
        let overrides = overrides::from_environment(environment);
        let names = overrides::names(&overrides);
        if !overrides.is_empty() {
            config = overrides::apply(&text, overrides).context("read the environment's overrides")?;
        }
        let base = path.parent().map(Path::to_owned).unwrap_or_default();
        let loaded = Loaded {
            config,
            file,
            text,
            base,
            reads,
        };
        loaded
            .validate()
            .map_err(|error| match error.key.as_ref().and_then(|key| names.get(key)) {
                // The file says something else about this key.
                Some(variable) => ConfigError {
                    file: overrides::place(variable),
                    line: None,
                    ..error
                },
                None => error,
            })?;
        Ok(loaded)
    }

    /// A configuration that says nothing: everything is as shipped.
    pub fn builtin() -> Loaded {
        Loaded {
            config: Config::default(),
            file: "built-in".to_owned(),
            text: String::new(),
            base: PathBuf::new(),
            reads: Reads::default(),
        }
    }

    /// A path of the configuration, relative to its file.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.base.join(path)
    }

    /// The file that a key names.
    ///
    /// # Errors
    /// A [`ConfigError`] that names the key when it cannot be read.
    pub fn bytes_of(&self, key: &str, path: &Path) -> Result<Vec<u8>, ConfigError> {
        let full = self.path(path);
        self.reads
            .read(key, &full)
            .map_err(|error| self.error(key, path, format!("cannot read {}: {error}", full.display())))
    }

    /// What a text file named by a key holds.
    ///
    /// # Errors
    /// When it cannot be read, or `parse` says what is wrong with it.
    pub(crate) fn of_file<T>(
        &self,
        key: &str,
        path: &Path,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        let text = String::from_utf8(self.bytes_of(key, path)?).unwrap_or_default();
        parse(&text).map_err(|why| self.error(key, path, why))
    }

    /// A mistake at a key whose value is `path`; the line is the first that holds the value.
    pub fn error(&self, key: &str, path: &Path, message: String) -> ConfigError {
        let value = path.display().to_string();
        let line = self
            .text
            .lines()
            .position(|line| line.contains(&value))
            .map(|at| at + 1);
        ConfigError {
            line,
            ..ConfigError::new(&self.file, key, format!("\"{key}\": {message}"))
        }
    }

    /// A mistake at a key of a section, with its line where the file sets it in a table of that name.
    pub(crate) fn wrong(&self, section: &str, key: &str, message: &str) -> ConfigError {
        let name = format!("{section}.{key}");
        let of_table = || lines::of_key(&self.text, &name, "refuse_m2").first().copied();
        let line = lines::of_key(&self.text, section, key).first().copied();
        ConfigError {
            line: line.or_else(of_table),
            ..ConfigError::new(&self.file, &name, message)
        }
    }

    fn validate(&self) -> Result<(), ConfigError> {
        // The one that is wrong is the `nth` of its name, where there may be several.
        let wrong_nth = |section: &str, key: &str, nth: usize, message: &str| {
            let line = lines::of_key(&self.text, section, key).get(nth).copied();
            let name = format!("{section}.{key}");
            Err(ConfigError {
                line,
                ..ConfigError::new(&self.file, &name, format!("\"{name}\": {message}"))
            })
        };
        let wrong = |section: &str, key: &str, message: &str| wrong_nth(section, key, 0, message);
        let city = &self.config.city;
        if city.code.is_empty() || !city.code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return wrong(
                "city",
                "code",
                "a city's code is letters and digits, such as 310117",
            );
        }
        if jiff::tz::TimeZone::get(&city.timezone).is_err() {
            return wrong(
                "city",
                "timezone",
                "not a time zone; write an IANA name such as Asia/Shanghai",
            );
        }
        if self.config.kafka.bootstrap_servers.trim().is_empty() {
            return wrong(
                "kafka",
                "bootstrap_servers",
                "write host:port, several separated by commas",
            );
        }
        if let Some((key, message)) = self.config.grid.limits.mistake() {
            return wrong("grid.limits", key, message);
        }
        let mut names = std::collections::BTreeSet::new();
        for (nth, layer) in self.config.grid.layers.iter().enumerate() {
            if !names.insert(&layer.name) {
                return wrong_nth(
                    "grid.layers",
                    "name",
                    nth,
                    &format!("a second layer \"{}\"", layer.name),
                );
            }
            if !(0.0..=SNAP_M_MAX).contains(&layer.snap_m) {
                let lines = lines::of_key(&self.text, "grid.layers", "snap_m");
                let says = |line: &usize| {
                    let line = self.text.lines().nth(line - 1).unwrap_or_default();
                    let value = line.split(['=', '#']).nth(1).unwrap_or_default().trim();
                    let value: Result<f64, _> = value.replace('_', "").parse();
                    // `nan` is not equal to itself
                    value.is_ok_and(|value| value.total_cmp(&layer.snap_m).is_eq())
                };
                return wrong_nth(
                    "grid.layers",
                    "snap_m",
                    lines.iter().position(says).unwrap_or(usize::MAX),
                    &format!("{} is not within 0 and {SNAP_M_MAX} metres", layer.snap_m),
                );
            }
            if layer.levels.is_empty() {
                return wrong_nth(
                    "grid.layers",
                    "name",
                    nth,
                    "a layer needs at least one [[grid.layers.levels]]",
                );
            }
        }
        let (kafka, topics) = (&self.config.kafka, &self.config.topics);
        if !(1..=10_000).contains(&kafka.session_timeout.0) {
            return wrong(
                "kafka",
                "session_timeout",
                "at most 10s: a dead process's partitions must not wait longer",
            );
        }
        if !(1..=LOOPS_MAX).contains(&kafka.loops) {
            return wrong(
                "kafka",
                "loops",
                &format!(
                    "1 to {LOOPS_MAX}: each has clients and threads of its own, about one a core is enough"
                ),
            );
        }
        if !(64..=IN_FLIGHT_MIB_MAX).contains(&kafka.in_flight_mib) {
            return wrong(
                "kafka",
                "in_flight_mib",
                &format!("the largest record must fit twice: 64 to {IN_FLIGHT_MIB_MAX}"),
            );
        }
        for (key, partitions) in [
            ("source_partitions", topics.source_partitions),
            ("enriched_partitions", topics.enriched_partitions),
        ] {
            if partitions == 0 {
                return wrong("topics", key, "a topic needs at least one partition");
            }
        }
        if self.config.output.format == Some(OutputFormat::Avro) && self.config.schemas.registry.is_none() {
            return wrong(
                "output",
                "format",
                "avro carries the ids of a registry, and none is configured; set schemas.registry, or write \"json\"",
            );
        }
        if topics.replication.is_some_and(|replicas| replicas < 1) {
            return wrong("topics", "replication", "a topic needs at least one replica");
        }
        let needed = crate::topics::retention::needed_ms(&self.config.time);
        if topics.source_retention.is_some_and(|kept| kept.0 < needed) {
            let hours = needed / 3_600_000;
            let message = format!(
                "at least {hours}h: identities are remembered for 72 h, and a record may be as late as [time] allows"
            );
            return wrong("topics", "source_retention", &message);
        }
        if let Err((key, message)) = self.config.crs.sh2000.check() {
            return wrong("crs.sh2000", key, &message);
        }
        self.validate_sources()?;
        self.validate_telemetry()?;
        self.validate_http()
    }

    /// The format of the outside topics.
    pub fn output_format(&self) -> OutputFormat {
        let default = match self.config.schemas.registry {
            Some(_) => OutputFormat::Avro,
            None => OutputFormat::Json,
        };
        self.config.output.format.unwrap_or(default)
    }

    /// The effective configuration as TOML, secrets masked.
    ///
    /// # Errors
    /// Never for a configuration that was read.
    pub fn masked(&self) -> anyhow::Result<String> {
        let mut config = self.config.clone();
        config.output.format = Some(self.output_format());
        for (key, value) in &mut config.kafka.properties {
            if client::is_secret(key) {
                *value = "***".to_owned();
            }
        }
        toml::to_string_pretty(&config).context("print the configuration")
    }
}
