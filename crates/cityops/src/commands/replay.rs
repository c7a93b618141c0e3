//! `cityops replay`: the pipeline over files.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use city_grid::suspicion::Evidence;
use file_log::{ReplayLedger, ReplayOptions, UnmappedSource};

use crate::CommandResult;
use crate::cli::ReplayArgs;
use crate::commands::print;
use crate::config::Loaded;
use crate::exit::{Exit, usage};
use crate::sources::{SourceWatch, warn};

pub(super) fn run(args: &ReplayArgs, json: bool) -> CommandResult {
    let loaded = Loaded::read(&args.config)?;
    if !args.input.is_dir() {
        return Err(usage(format!(
            "--input {}: no such directory",
            args.input.display()
        )));
    }
    let names = file_log::INPUT_FILES.map(|(_, name)| name);
    if !names.iter().any(|name| args.input.join(name).exists()) {
        return Err(usage(format!(
            "--input {}: there is none of {}",
            args.input.display(),
            names.join(" ")
        )));
    }
    if let Some(old) = &args.verify {
        check_verify(old, &args.output)?;
    }
    let setup = Arc::new(crate::assemble::setup(&loaded, 1)?);
    let options = ReplayOptions {
        evidence: args.evidence,
        vitals: args.vitals,
    };
    let started = std::time::Instant::now();
    let watch = Arc::new(SourceWatch::new(&setup, None));
    let ledger = file_log::replay_watched(setup, &args.input, &args.output, options, watch.clone())
        .context("replay")?;
    tracing::info!(
        seconds = started.elapsed().as_secs_f64(),
        records = ledger.consumed,
        "replayed"
    );
    let suspects = watch.suspects();
    for evidence in &suspects {
        warn(
            evidence,
            "at the end, this source seems to declare the wrong coordinate system",
        );
    }
    print_result(&ledger, &suspects, json)?;
    if !json {
        print_unmapped(&args.output)?;
    }
    let Some(old) = &args.verify else {
        return Ok(Exit::Clean);
    };
    let differences = file_log::verify(old, &args.output).context("compare with the earlier output")?;
    for difference in &differences {
        let line = difference.line.map(|line| format!(":{line}")).unwrap_or_default();
        print(format!(
            "differs: {}{line}: {}",
            difference.file, difference.detail
        ));
    }
    if differences.is_empty() {
        tracing::info!(old = %old.display(), "the output is the same, byte for byte");
        Ok(Exit::Clean)
    } else {
        Ok(Exit::Differences)
    }
}

/// The ledger; the sources that are suspect beside it, where there are any, but never in `ledger.json`.
fn print_result(ledger: &ReplayLedger, suspects: &[Evidence], json: bool) -> anyhow::Result<()> {
    if !json || suspects.is_empty() {
        return print_ledger(ledger, json);
    }
    let mut told = serde_json::to_value(ledger)?;
    if let Some(told) = told.as_object_mut() {
        told.insert("crs_suspects".to_owned(), serde_json::to_value(suspects)?);
    }
    print(told);
    Ok(())
}

/// Most codes that are shown; `unmapped.json` has more.
const UNMAPPED_SHOWN: usize = 10;

/// Prints the most frequent codes that no rule maps to a kind.
fn print_unmapped(output: &Path) -> anyhow::Result<()> {
    let path = output.join("unmapped.json");
    let text = std::fs::read(&path).with_context(|| format!("read {}", path.display()))?;
    let sources: BTreeMap<String, UnmappedSource> =
        serde_json::from_slice(&text).with_context(|| format!("read {}", path.display()))?;
    for (source, unmapped) in sources {
        print(format!(
            "{source}: {} records with a code that no rule maps",
            unmapped.records
        ));
        for code in unmapped.codes.iter().take(UNMAPPED_SHOWN) {
            print(format!("  {:>10}  {}", code.at_most, code.code));
        }
        if !unmapped.samples.is_empty() {
            let samples = unmapped.samples.len();
            print(format!(
                "              {samples} samples of words in unmapped.json"
            ));
        }
    }
    Ok(())
}

/// An earlier output must be there, and must not be what is about to be written: that would always be the same.
fn check_verify(old: &Path, output: &Path) -> anyhow::Result<()> {
    if !old.is_dir() {
        return Err(usage(format!("--verify {}: no such directory", old.display())));
    }
    let is_output =
        matches!((old.canonicalize(), output.canonicalize()), (Ok(old), Ok(output)) if old == output);
    if is_output {
        return Err(usage(format!(
            "--verify {}: that is the output itself",
            old.display()
        )));
    }
    Ok(())
}

/// Prints a ledger as a table or as JSON.
pub(crate) fn print_ledger(ledger: &ReplayLedger, json: bool) -> anyhow::Result<()> {
    if json {
        print(serde_json::to_string(ledger)?);
        return Ok(());
    }
    print(format!("{:<18}{:>12}", "consumed", ledger.consumed));
    for (outcome, count) in &ledger.outcomes {
        print(format!("  {outcome:<16}{count:>12}"));
    }
    print(format!("{:<18}{:>12}", "unaccounted", ledger.unaccounted));
    if let Some(digest) = &ledger.digest {
        print(format!("digest            {digest}"));
    }
    if let Some(digest) = &ledger.grouping_digest {
        print(format!("grouping_digest   {digest}"));
    }
    Ok(())
}
