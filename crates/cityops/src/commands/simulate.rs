//! `cityops simulate`: a simulated city's records as replay input, with the truth beside them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use city_model::Source;
use city_simulator::{Scenario, Simulation};
use file_log::INPUT_FILES;

use crate::CommandResult;
use crate::cli::SimulateArgs;
use crate::commands::print;
use crate::exit::{Exit, usage};

pub(super) fn run(args: &SimulateArgs, json: bool) -> CommandResult {
    let scenario: Scenario = args.scenario.parse().map_err(|_| {
        usage(format!(
            "--scenario {}: the scenarios are normal and typhoon",
            args.scenario
        ))
    })?;
    let rate = args.rate.map_or_else(|| scenario.events_per_hour(), f64::from);
    let simulation = city_simulator::simulate_at(scenario, args.seed, args.events, rate, scenario.start_ms());
    let counts = write_into(&args.output, simulation)?;
    if json {
        print(serde_json::json!({ "records": counts, "output": args.output }));
    } else {
        let told: Vec<String> = counts
            .iter()
            .map(|(source, count)| format!("{count} {source}"))
            .collect();
        print(format!("wrote {} to {}", told.join(", "), args.output.display()));
    }
    Ok(Exit::Clean)
}

/// Writes a simulated city's records, grid, registries, configuration and truth into a directory; answers how many
/// records of each source there are.
///
/// # Errors
/// When a file cannot be written.
pub fn simulate_into(
    dir: &Path,
    scenario: Scenario,
    seed: u64,
    events: usize,
) -> anyhow::Result<BTreeMap<Source, u64>> {
    write_into(dir, city_simulator::simulate(scenario, seed, events))
}

fn write_into(dir: &Path, simulation: Simulation) -> anyhow::Result<BTreeMap<Source, u64>> {
    simulate_files(dir, &simulation)?;
    let mut truth = csv::Writer::from_path(dir.join("truth.csv")).context("create truth.csv")?;
    truth.write_record(["event_id", "incident", "kind"])?;
    let mut writers: BTreeMap<Source, BufWriter<File>> = BTreeMap::new();
    for (source, name) in INPUT_FILES {
        let file = File::create(dir.join(name)).with_context(|| format!("create {name}"))?;
        writers.insert(source, BufWriter::with_capacity(1 << 18, file));
    }
    let mut counts: BTreeMap<Source, u64> = BTreeMap::new();
    for record in simulation {
        let writer = writers
            .get_mut(&record.source)
            .context("every source has a file")?;
        writer.write_all(record.line.as_bytes())?;
        writer.write_all(b"\n")?;
        *counts.entry(record.source).or_default() += 1;
        if let Some(of) = &record.truth {
            truth.write_record([&*record.event_id, &*of.incident, of.kind])?;
        }
    }
    truth.flush().context("write truth.csv")?;
    for (source, mut writer) in writers {
        writer
            .flush()
            .with_context(|| format!("write the records of {source}"))?;
    }
    Ok(counts)
}

/// Writes what belongs to a simulated city besides its records: configuration, registries and grid.
pub(crate) fn simulate_files(dir: &Path, simulation: &Simulation) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir.join("grid")).with_context(|| format!("create {}", dir.display()))?;
    write(dir, "cityops.toml", &simulation.config_toml())?;
    write(dir, "devices.csv", &simulation.devices_csv())?;
    write(dir, "components.csv", &simulation.components_csv())?;
    write(dir, "facilities.csv", &simulation.facilities_csv())?;
    write(dir, "addresses.csv", &simulation.addresses_csv())?;
    simulation
        .grid_files()
        .iter()
        .try_for_each(|(name, text)| write(dir, name, text))
}

fn write(dir: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    std::fs::write(dir.join(name), text).with_context(|| format!("write {}", dir.join(name).display()))
}
