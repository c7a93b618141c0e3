//! `cityops backtest`: correlates a labelled history and scores it.

use anyhow::Context;

use crate::CommandResult;
use crate::cli::BacktestArgs;
use crate::commands::print;
use crate::config::Loaded;
use crate::exit::Exit;
use crate::{assemble, backtest};

pub(super) fn run(args: &BacktestArgs, json: bool) -> CommandResult {
    let loaded = args
        .config
        .as_deref()
        .map_or_else(|| Ok(Loaded::builtin()), Loaded::read)?;
    let mut more = Vec::new();
    for path in &args.rules {
        let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        more.push((path.display().to_string(), text));
    }
    let rules = assemble::rules_and(&loaded, more)?;
    let events = backtest::open(&args.events).with_context(|| format!("read {}", args.events.display()))?;
    let report = backtest::backtest_in(&loaded.config.city.timezone, rules, events)?;
    if json {
        print(serde_json::to_string(&report)?);
    } else {
        print(report.to_text().trim_end());
    }
    Ok(Exit::Clean)
}
