//! `cityops grid …`: makes, checks, compares and uses grids.

mod check;
mod diff;
mod features;
mod locate;
mod touched;

use std::path::Path;

use anyhow::Context;
use city_grid::Timeline;
use city_grid::generate::{GridSpec, generate};

use crate::CommandResult;
use crate::cli::GridCommand;
use crate::commands::print;
use crate::exit::{Exit, usage};

pub(super) fn run(command: GridCommand, json: bool) -> CommandResult {
    match command {
        GridCommand::Generate { seed, output } => make(seed, &output, json),
        GridCommand::Check(args) => check::run(&args, json),
        GridCommand::Diff(args) => diff::run(&args, json),
        GridCommand::Locate {
            config,
            layer,
            at,
            input,
            output,
        } => locate::run(
            config.as_deref(),
            layer.as_deref(),
            at.as_deref(),
            &input,
            &output,
        ),
    }
}

fn make(seed: u64, output: &Path, json: bool) -> CommandResult {
    std::fs::create_dir_all(output).with_context(|| format!("create {}", output.display()))?;
    let grid = generate(&GridSpec::default(), seed);
    let mut files = Vec::new();
    for (level, text) in grid.geojson() {
        let path = output.join(format!("{level}.geojson"));
        std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        files.push(path);
    }
    if json {
        print(serde_json::json!({ "files": files }));
    } else {
        files.iter().for_each(|path| print(path.display()));
    }
    Ok(Exit::Clean)
}

/// The layer of a name; without one the first, or all.
fn chosen(layers: Vec<Timeline>, name: Option<&str>, all: bool) -> anyhow::Result<Vec<Timeline>> {
    let Some(name) = name else {
        return Ok(if all {
            layers
        } else {
            layers.into_iter().take(1).collect()
        });
    };
    let known: Vec<String> = layers.iter().map(|layer| layer.name().to_string()).collect();
    let found: Vec<Timeline> = layers
        .into_iter()
        .filter(|layer| **layer.name() == *name)
        .collect();
    if found.is_empty() {
        return Err(usage(format!(
            "--layer {name}: no such layer; there are {}",
            known.join(", ")
        )));
    }
    Ok(found)
}

/// A count with its noun.
fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
