//! The command line.

mod deadletter;
mod schemas;
mod topics;

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};

pub use deadletter::{
    DeadletterCommand, DeadletterListArgs, DeadletterReplayArgs, DeadletterShowArgs, LetterFilter,
};
pub use schemas::{SchemasCommand, SchemasRegisterArgs};
pub use topics::{TopicsApplyArgs, TopicsCommand, TopicsPlanArgs};

/// One incident from many reports: a city-operations event-stream processor.
#[derive(Debug, Parser)]
#[command(name = "cityops", version, about, arg_required_else_help = true)]
pub struct Cli {
    /// What is logged to standard error, for example `debug` or `kafka_log=debug`; `info` unless told otherwise. The
    /// variable CITYOPS_LOG overrides it.
    #[arg(long, global = true, value_name = "FILTER")]
    pub log: Option<String>,
    /// Log as JSON lines; `[log] format = "json"` in the configuration says the same.
    #[arg(long, global = true)]
    pub log_json: bool,
    /// Print results as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// The configuration that the command reads: its `[log]` says how lines are written.
    pub fn config(&self) -> Option<&Path> {
        match &self.command {
            Command::Run(args) => Some(&args.config),
            Command::Replay(args) => Some(&args.config),
            Command::Audit(args) | Command::Ledger(args) => Some(&args.config),
            Command::Check(args) => Some(&args.config),
            Command::Explain(args) => args.config.as_deref(),
            Command::Report(args) => args.config.as_deref(),
            _ => None,
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Try it out: an embedded broker, a simulated city, every worker, and a live table of incidents.
    Demo(DemoArgs),
    /// Run the workers against a real Kafka.
    Run(RunArgs),
    /// Run the same pipeline over files, without Kafka; the same input gives the same bytes.
    Replay(ReplayArgs),
    /// Decide the committed enriched log again and compare with the incidents that were published.
    Audit(ConfigArgs),
    /// Sum the committed ledger.
    Ledger(ConfigArgs),
    /// Say why an event joined an incident or did not, what would have changed it, and what became of it.
    Explain(ExplainArgs),
    /// Evaluate how incidents were handled (考评): on time, returned, repeated, false, by kind, town, unit and source.
    Report(ReportArgs),
    /// Correlate a labelled history and score it.
    Backtest(BacktestArgs),
    /// Learn correlation rules from a labelled history.
    Tune(TuneArgs),
    /// Write replay input with its truth, from a simulated city.
    Simulate(SimulateArgs),
    /// Make, check, compare and use grids.
    #[command(subcommand)]
    Grid(GridCommand),
    /// Validate configuration, rules and grid.
    Check(CheckArgs),
    /// Plan or create the topics.
    #[command(subcommand)]
    Topics(TopicsCommand),
    /// Compare our schemas with a registry's, or register them.
    #[command(subcommand)]
    Schemas(SchemasCommand),
    /// Look at rejected records, and feed them again.
    #[command(subcommand)]
    Deadletter(DeadletterCommand),
}

/// A command that needs only the configuration.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// `cityops demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// `normal` or `typhoon`.
    #[arg(long, default_value = "typhoon")]
    pub scenario: String,
    /// The city's seed.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// End after so many minutes (fractions allowed), with the ledger. Without it the demo runs until it is interrupted.
    #[arg(long)]
    pub minutes: Option<f64>,
    /// Where HTTP listens.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub listen: String,
    /// Let anybody read who reaches an address beyond this machine.
    #[arg(long)]
    pub allow_anonymous: bool,
}

/// `cityops run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Which workers run in this process.
    #[arg(long, value_delimiter = ',', default_value = "enrich,correlate,vitals")]
    pub workers: Vec<String>,
}

/// `cityops replay`
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// The directory with the input files.
    #[arg(long, value_name = "DIR")]
    pub input: PathBuf,
    /// The directory for the output files.
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
    /// Compare with an earlier output; exit code 3 if a byte differs.
    #[arg(long, value_name = "OLD_DIR")]
    pub verify: Option<PathBuf>,
    /// Write `evidence.ndjson`: what was compared for every event.
    #[arg(long)]
    pub evidence: bool,
    /// Write `vitals.ndjson`: the vital signs of every cell (城市运行数字体征), minute by minute.
    #[arg(long)]
    pub vitals: bool,
}

/// `cityops report`
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The configuration file: the committed log is read from its Kafka, and days are the city's.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The output of a replay, instead of Kafka.
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Incidents opened from then on: a day such as 2026-06-01, or a time in RFC 3339.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Incidents opened before then.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// List the P1 incidents, too: when each became P1 and why, for how long, how it ended, and how many by the hour.
    #[arg(long)]
    pub p1: bool,
    /// Write a page to print, too.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// `cityops explain`
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// An event as `source_system/event_id`, or an incident's id.
    #[arg(value_name = "EVENT_OR_INCIDENT")]
    pub id: String,
    /// The output of a replay with `--evidence`.
    #[arg(long, value_name = "DIR", required_unless_present = "config")]
    pub output: Option<PathBuf>,
    /// The configuration file: explain from the committed log; with `--output` and `--input`, what that replay ran by.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The input of that replay: it is decided again to tell which change of the rules would have turned the decision.
    #[arg(long, value_name = "DIR", requires = "output", requires = "config")]
    pub input: Option<PathBuf>,
}

/// `cityops backtest`
#[derive(Debug, Args)]
pub struct BacktestArgs {
    /// The configuration file; without one the built-in rules.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The labelled history: CSV, plain or gzipped.
    #[arg(long, value_name = "FILE")]
    pub events: PathBuf,
    /// Rules on top of those of the configuration, such as `tune` writes.
    #[arg(long, value_name = "FILE")]
    pub rules: Vec<PathBuf>,
}

/// `cityops tune`
#[derive(Debug, Args)]
pub struct TuneArgs {
    /// The configuration file, whose rules are the present ones; without one the built-in rules.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The labelled history: CSV, plain or gzipped.
    #[arg(long, value_name = "FILE")]
    pub events: PathBuf,
    /// The rules file to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// The largest share of the located events of any month that may be merged.
    #[arg(long, value_name = "SHARE", default_value_t = 0.085, value_parser = share)]
    pub merge_budget: f64,
}

/// `cityops simulate`
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// `normal` or `typhoon`.
    #[arg(long, default_value = "normal")]
    pub scenario: String,
    /// The city's seed.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many records.
    #[arg(long, default_value_t = 10_000)]
    pub events: usize,
    /// Records per hour of simulated time: 1500 on normal days, 6000 in a typhoon, unless told otherwise.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: Option<u32>,
    /// The directory to write.
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
}

/// `cityops grid …`
#[derive(Debug, Subcommand)]
pub enum GridCommand {
    /// Make a synthetic grid like Songjiang's.
    Generate {
        /// The grid's seed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// The directory to write.
        #[arg(long, value_name = "DIR")]
        output: PathBuf,
    },
    /// Report gaps, overlaps, bad rings and codes, wrong parents, each with its place.
    Check(GridCheckArgs),
    /// Compare the layers of two configurations: `grid diff OLD NEW`.
    Diff(GridDiffArgs),
    /// Map points to cells.
    Locate {
        /// The configuration file; without one the built-in grid.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Which layer; the first by default.
        #[arg(long)]
        layer: Option<String>,
        /// The grid of this time (RFC 3339 or a date, in the city's zone), where cells have dates; the newest by default.
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// CSV with the columns `id,x,y` and perhaps `crs`.
        #[arg(long, value_name = "FILE")]
        input: PathBuf,
        /// CSV with the columns `id,code,status`, a row for each; exit code 3 if one is no place.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
}

/// `cityops grid check`
#[derive(Debug, Args)]
pub struct GridCheckArgs {
    /// The configuration file; `[grid.limits]` says what is told.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Only this layer.
    #[arg(long)]
    pub layer: Option<String>,
    /// Print every finding, not the worst 20 of each kind.
    #[arg(long)]
    pub all: bool,
    /// Write all findings with their ground as a GeoJSON file, to look at on a map.
    #[arg(long, value_name = "FILE")]
    pub geojson: Option<PathBuf>,
}

/// `cityops grid diff`
#[derive(Debug, Args)]
pub struct GridDiffArgs {
    /// The configurations with the old and the new grid.
    #[arg(value_name = "CONFIG", num_args = 2, conflicts_with_all = ["old", "new"])]
    pub configs: Vec<PathBuf>,
    /// The configuration with the old grid.
    #[arg(
        long,
        value_name = "FILE",
        requires = "new",
        required_unless_present = "configs"
    )]
    pub old: Option<PathBuf>,
    /// The configuration with the new grid.
    #[arg(
        long,
        value_name = "FILE",
        requires = "old",
        required_unless_present = "configs"
    )]
    pub new: Option<PathBuf>,
    /// Which layer; the first by default.
    #[arg(long)]
    pub layer: Option<String>,
    /// List the open incidents that the changes touch: an `incidents.ndjson` of a replay, or its directory.
    #[arg(long, value_name = "PATH")]
    pub incidents: Option<PathBuf>,
    /// List those of a running system: the incidents that are committed on its Kafka.
    #[arg(long, value_name = "FILE", conflicts_with = "incidents")]
    pub config: Option<PathBuf>,
    /// Write the changed ground as a GeoJSON file, to look at on a map.
    #[arg(long, value_name = "FILE")]
    pub geojson: Option<PathBuf>,
}

/// `cityops check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Show the effective configuration, secrets masked.
    #[arg(long)]
    pub print: bool,
    /// Judge an integrator's records, one a line: JSON, or Avro in hex or base64, for its bytes may end a line; exit code 3 if
    /// one would be refused.
    #[arg(long, value_name = "FILE", requires = "source", conflicts_with = "print")]
    pub samples: Option<PathBuf>,
    /// The source system that the samples are of.
    #[arg(long, value_name = "NAME", requires = "samples")]
    pub source: Option<String>,
    /// The stream that the samples are of; otherwise the fields of each record tell, or of its Avro schema.
    #[arg(long, value_parser = ["sensor", "hotline", "video", "report"], requires = "samples")]
    pub topic: Option<String>,
}

/// A share above 0 and up to 1.
fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text
        .parse()
        .map_err(|_| "write a share such as 0.085".to_owned())?;
    if share > 0.0 && share <= 1.0 {
        Ok(share)
    } else {
        Err("a share is above 0 and at most 1, such as 0.085".to_owned())
    }
}
