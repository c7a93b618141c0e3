//! The command line of `cityops topics`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `cityops topics …`
#[derive(Debug, Subcommand)]
pub enum TopicsCommand {
    /// Print what would be created, and how groups lie on partitions.
    Plan(TopicsPlanArgs),
    /// Create what is missing, and set what differs; twice changes nothing. What would lose records is left, with exit code 3.
    Apply(TopicsApplyArgs),
}

/// `cityops topics plan`
#[derive(Debug, Args)]
pub struct TopicsPlanArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Print the least rights of each party instead, as lines for Kafka's own `kafka-acls`.
    #[arg(long)]
    pub acls: bool,
    /// The principal of a party (`worker centre integrator sre`), or of one of its duties (`integrator.hotline`, `sre.topics` …);
    /// otherwise `User:cityops-worker`, `User:cityops-integrator-hotline` and so on.
    #[arg(long, value_name = "PARTY=PRINCIPAL", requires = "acls")]
    pub principal: Vec<String>,
    /// Add what so many events a second come to, in bytes a day.
    #[arg(long, value_name = "EVENTS_PER_SECOND", value_parser = load, conflicts_with = "acls")]
    pub load: Option<f64>,
}

/// `cityops topics apply`
#[derive(Debug, Args)]
pub struct TopicsApplyArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Only say what would be done.
    #[arg(long)]
    pub dry_run: bool,
    /// Also what loses records or moves keys: more partitions, a shorter retention, another cleanup policy.
    #[arg(long)]
    pub force: bool,
}

/// A number of events above 0.
fn load(text: &str) -> Result<f64, String> {
    let load: f64 = text
        .parse()
        .map_err(|_| "write a number such as 150".to_owned())?;
    match load > 0.0 && load <= 1e9 {
        true => Ok(load),
        false => Err("events a second are more than 0".to_owned()),
    }
}
