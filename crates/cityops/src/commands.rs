//! The commands, one file each.

mod again;
pub mod audit;
mod backtest;
mod check;
mod deadletter;
mod demo;
mod explain;
mod grid;
pub mod ledger;
mod replay;
mod report;
mod run;
mod schemas;
mod simulate;
mod topics;
mod tune;

pub use demo::simulated;
pub use simulate::simulate_into;

use crate::CommandResult;
use crate::cli::{Cli, Command};

/// Runs a command.
pub(crate) fn dispatch(cli: Cli) -> CommandResult {
    let json = cli.json;
    match cli.command {
        Command::Replay(args) => replay::run(&args, json),
        Command::Simulate(args) => simulate::run(&args, json),
        Command::Grid(command) => grid::run(command, json),
        Command::Check(args) => check::run(&args, json),
        Command::Backtest(args) => backtest::run(&args, json),
        Command::Tune(args) => tune::run(&args, json),
        Command::Audit(args) => audit::run(&args, json),
        Command::Explain(args) => explain::run(&args, json),
        Command::Report(args) => report::run(&args, json),
        Command::Ledger(args) => ledger::run(&args, json),
        Command::Topics(command) => topics::run(&command, json),
        Command::Schemas(command) => schemas::run(&command, json),
        Command::Deadletter(command) => deadletter::run(&command, json),
        Command::Run(args) => run::run(&args),
        Command::Demo(args) => demo::run(&args, json),
    }
}

/// Prints a result line to standard output; a reader that went away is no failure.
pub(crate) fn print(text: impl std::fmt::Display) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{text}");
}
