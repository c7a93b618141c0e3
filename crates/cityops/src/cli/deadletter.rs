//! The command line of `cityops deadletter`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `cityops deadletter …`
#[derive(Debug, Subcommand)]
pub enum DeadletterCommand {
    /// Count the rejected records and list the newest, without what they hold.
    List(DeadletterListArgs),
    /// Show one with its headers; what it holds is masked unless asked for.
    Show(DeadletterShowArgs),
    /// Feed the original records to their topics again, each at most once however often this is run.
    Replay(DeadletterReplayArgs),
}

/// Which dead letters: all conditions hold at once; one that may be given several times holds by any of its values.
#[derive(Debug, Args)]
pub struct LetterFilter {
    /// The reason, such as `unknown_source`.
    #[arg(long, value_name = "REASON", value_delimiter = ',')]
    pub reason: Vec<String>,
    /// The topic that the record came by: its name, or `sensor hotline video report weather silence command`.
    #[arg(long, value_name = "TOPIC", value_delimiter = ',')]
    pub topic: Vec<String>,
    /// The source system, where the record can be read that far.
    #[arg(long, value_name = "NAME")]
    pub source: Vec<String>,
    /// Refused at this time or later: RFC 3339, or a date in the city's zone.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Refused before this time.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// One dead letter, by its partition and offset in the topic of dead letters.
    #[arg(long, value_name = "PARTITION/OFFSET", value_delimiter = ',')]
    pub at: Vec<String>,
}

/// `cityops deadletter list`
#[derive(Debug, Args)]
pub struct DeadletterListArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Which.
    #[command(flatten)]
    pub filter: LetterFilter,
    /// At most so many, the newest; the counts are of all.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
}

/// `cityops deadletter show`
#[derive(Debug, Args)]
pub struct DeadletterShowArgs {
    /// Which, by its partition and offset in the topic of dead letters.
    #[arg(value_name = "PARTITION/OFFSET")]
    pub at: String,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Print the untouched key, value and own headers, too. They may hold personal data.
    #[arg(long)]
    pub value: bool,
}

/// `cityops deadletter replay`
#[derive(Debug, Args)]
pub struct DeadletterReplayArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Which.
    #[command(flatten)]
    pub filter: LetterFilter,
    /// Every dead letter: wanted where no condition is given.
    #[arg(long)]
    pub all: bool,
    /// Also those that were refused again after they had been fed: otherwise running this twice would feed them twice.
    #[arg(long)]
    pub again: bool,
    /// Only say what would be fed.
    #[arg(long)]
    pub dry_run: bool,
}
