//! `cityops tune`: learns rules from a labelled history and writes them; nothing is written unless they read back.

use anyhow::Context;

use crate::CommandResult;
use crate::cli::TuneArgs;
use crate::commands::print;
use crate::config::Loaded;
use crate::exit::Exit;
use crate::{assemble, backtest, tune};

pub(super) fn run(args: &TuneArgs, json: bool) -> CommandResult {
    let loaded = args
        .config
        .as_deref()
        .map_or_else(|| Ok(Loaded::builtin()), Loaded::read)?;
    let rules = assemble::rules(&loaded)?;
    let events = backtest::open(&args.events).with_context(|| format!("read {}", args.events.display()))?;
    let tuned = tune::tune(&loaded.config.city.timezone, rules, events, args.merge_budget)?;
    let name = args.out.display().to_string();
    assemble::rules_and(&loaded, vec![(name.clone(), tuned.rules.clone())])
        .context("read back the rules that were learned")?;
    std::fs::write(&args.out, &tuned.rules).with_context(|| format!("write {name}"))?;
    if json {
        print(serde_json::to_string(&tuned.report)?);
    } else {
        print(tuned.report.to_text().trim_end());
        print(format!(
            "\nwritten to {name}; try: cityops backtest --rules {name} --events …"
        ));
    }
    Ok(Exit::Clean)
}
