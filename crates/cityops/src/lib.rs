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
mod logging;
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
    let format = logging::start(&cli);
    // A panic's message may quote the text that it fell over, and that may be somebody's.
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        eprintln!("{}", logging::last_word(format, &format!("panicked at {place}")));
    }));
    let exit = match commands::dispatch(cli) {
        Ok(exit) => exit,
        Err(error) => {
            let exit = exit::of_error(&error);
            // The chain of contexts in one line: what failed, then why.
            eprintln!("{}", logging::last_word(format, &format!("{error:#}")));
            exit
        }
    };
    ExitCode::from(exit as u8)
}

/// Marks the exits that are results rather than failures.
pub type CommandResult = anyhow::Result<Exit>;
