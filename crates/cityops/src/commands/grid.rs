//! `cityops grid …`: makes, checks, compares and uses grids.

mod check;
mod diff;
mod features;
mod touched;

use std::path::{Path, PathBuf};

use anyhow::Context;
use city_grid::generate::{GridSpec, generate};
use city_grid::{Crs, Timeline, layer};
use city_model::Position;

use crate::CommandResult;
use crate::assemble;
use crate::cli::GridCommand;
use crate::commands::print;
use crate::config::Loaded;
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
        } => locate(
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

fn locate(
    config: Option<&Path>,
    name: Option<&str>,
    at: Option<&str>,
    input: &PathBuf,
    output: &PathBuf,
) -> CommandResult {
    let loaded = config.map_or_else(|| Ok(Loaded::builtin()), Loaded::read)?;
    let zone = assemble::timezone(&loaded)?;
    let moment = |text| {
        layer::moment_of(text, &zone)
            .ok_or_else(|| usage(format!("--at {text}: write a date or an RFC 3339 time")))
    };
    let at = at.map(moment).transpose()?;
    let systems = assemble::systems(&loaded)?;
    let layers = assemble::layers(&loaded)?
        .into_iter()
        .map(|(layer, _)| layer)
        .collect();
    let layer = chosen(layers, name, false)?
        .into_iter()
        .next()
        .context("a grid has at least one layer")?;
    let layer = at.map_or_else(|| layer.newest(), |at| layer.at(at));
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(input)
        .with_context(|| format!("read {}", input.display()))?;
    let header = reader
        .headers()
        .with_context(|| format!("read {}", input.display()))?
        .clone();
    let column = |name: &str| {
        header
            .iter()
            .position(|column| column.trim_start_matches('\u{feff}') == name)
    };
    let mandatory = |name: &str| {
        column(name).ok_or_else(|| usage(format!("{} has no column \"{name}\"", input.display())))
    };
    let (id, x, y, system) = (mandatory("id")?, mandatory("x")?, mandatory("y")?, column("crs"));
    // Everything is read before anything is written: a bad line leaves no half of an answer.
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.with_context(|| format!("read {}", input.display()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let wrong = |what: &str| usage(format!("{}:{line}: {what}", input.display()));
        let value = |at: usize| record.get(at).unwrap_or_default();
        let coordinate = |at: usize| {
            value(at)
                .parse::<f64>()
                .map_err(|_| wrong(&format!("\"{}\" is no number", value(at))))
        };
        let system: Crs = match system.map(value).unwrap_or_default() {
            "" => Crs::Wgs84,
            name => name
                .parse()
                .map_err(|_| wrong(&format!("unknown coordinate system \"{name}\"")))?,
        };
        let position = systems
            .to_wgs84(system, coordinate(x)?, coordinate(y)?)
            .and_then(|(lon, lat)| Position::from_degrees(lon, lat))
            .ok_or_else(|| wrong("the point is not on earth"))?;
        let located = layer.locate(position);
        let code = located.cell().map_or("", |cell| &layer.cell(cell).code);
        rows.push([
            value(id).to_owned(),
            code.to_owned(),
            located.status.name().to_owned(),
        ]);
    }
    let mut writer = csv::Writer::from_path(output).with_context(|| format!("write {}", output.display()))?;
    writer.write_record(["id", "code", "status"])?;
    for row in &rows {
        writer.write_record(row)?;
    }
    writer
        .flush()
        .with_context(|| format!("write {}", output.display()))?;
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
