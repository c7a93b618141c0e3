//! Entry point: reads the command line, runs one command, and ends with its exit code.

use std::process::ExitCode;

use clap::Parser;
use cityops::cli::Cli;

fn main() -> ExitCode {
    cityops::run(Cli::parse())
}
