//! Entry point: reads the command line, runs one command, and ends with its exit code.

use std::process::ExitCode;

use cityops::cli::Cli;
use clap::Parser;

fn main() -> ExitCode {
    cityops::run(Cli::parse())
}
