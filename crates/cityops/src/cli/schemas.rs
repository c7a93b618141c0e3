//! The command line of `cityops schemas`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ConfigArgs;

/// `cityops schemas …`
#[derive(Debug, Subcommand)]
pub enum SchemasCommand {
    /// Compare our schemas with those of the registry, each by its subject's own mode; exit code 3 if one is incompatible.
    Check(ConfigArgs),
    /// Register those that are not there. Nothing is registered while one is incompatible.
    Register(SchemasRegisterArgs),
}

/// `cityops schemas register`
#[derive(Debug, Args)]
pub struct SchemasRegisterArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Only compare, as `check` does.
    #[arg(long)]
    pub dry_run: bool,
}
