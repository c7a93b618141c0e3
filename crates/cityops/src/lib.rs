//! The program: commands, configuration, HTTP, metrics, supervision.
//!
//! Results go to standard output, logs to standard error.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod acls;
pub mod assemble;
pub mod backtest;
pub mod board;
pub mod cli;
pub mod commands;
pub mod committed;
pub mod config;
pub mod deadletter;
pub mod evaluation;
pub mod exit;
pub mod explain;
pub mod feed;
mod follower;
pub mod http;
pub mod metrics;
mod moved_groups;
pub mod outputs;
pub mod reload;
pub mod samples;
pub mod service;
pub mod sources;
pub mod table;
pub mod topics;
pub mod tune;
pub mod vitals;
pub mod workers;

use std::process::ExitCode;

use crate::cli::Cli;
use crate::exit::Exit;

/// Runs one command to its end.
pub fn run(cli: Cli) -> ExitCode {
    start_logging(&cli);
    // A panic's message may quote the text that it fell over, and that may be somebody's.
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        eprintln!("cityops: panicked at {place}");
    }));
    let exit = match commands::dispatch(cli) {
        Ok(exit) => exit,
        Err(error) => {
            let exit = exit::of_error(&error);
            // The chain of contexts in one line: what failed, then why.
            eprintln!("cityops: {error:#}");
            exit
        }
    };
    ExitCode::from(exit as u8)
}

fn start_logging(cli: &Cli) {
    use std::io::IsTerminal;

    use tracing_subscriber::EnvFilter;
    // Lines of a log would tear the live table.
    let live_table = matches!(cli.command, cli::Command::Demo(_)) && std::io::stdout().is_terminal();
    let default = if live_table && std::io::stderr().is_terminal() {
        "warn"
    } else {
        "info"
    };
    let wanted = cli.log.as_deref().unwrap_or(default);
    let filter = EnvFilter::try_from_env("CITYOPS_LOG").unwrap_or_else(|_| EnvFilter::new(wanted));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    let builder = builder.with_ansi(std::io::stderr().is_terminal());
    // A second start in one process (tests) keeps the first subscriber.
    let _ = if cli.log_json {
        builder.json().try_init()
    } else {
        builder.try_init()
    };
}

/// Marks the exits that are results rather than failures.
pub type CommandResult = anyhow::Result<Exit>;
