//! Entry point: reads the command line, runs one command, and ends with its exit code.

use std::process::ExitCode;

use cityops::cli::Cli;
use clap::Parser;
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    cityops::run(Cli::parse())
}
