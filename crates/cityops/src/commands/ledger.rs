//! `cityops ledger`: the committed ledger, summed over all partitions.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use anyhow::Context;
use city_model::Ledger;
use file_log::ReplayLedger;
use incident_engine::Change;
use kafka_log::Properties;
use wire_format::Topic;

use crate::CommandResult;
use crate::cli::ConfigArgs;
use crate::commands::replay::print_ledger;
use crate::config::Loaded;
use crate::exit::Exit;
use crate::topics;

pub(super) fn run(args: &ConfigArgs, json: bool) -> CommandResult {
    let loaded = Loaded::read(&args.config)?;
    let properties = topics::properties(&loaded)?;
    topics::partitions(&loaded, &properties)?;
    let ledger = committed(&properties, &loaded.config.kafka.topic_prefix)?;
    print_ledger(&ReplayLedger::of(&ledger), json)?;
    Ok(Exit::Clean)
}

/// Sums the ledger rows of both changelogs. What enrich has handed over but correlate has not decided is unaccounted.
///
/// # Errors
/// When a changelog cannot be read.
pub fn committed(properties: &Properties, prefix: &str) -> anyhow::Result<Ledger> {
    let mut ledger = Ledger::default();
    for topic in [Topic::EnrichChangelog, Topic::CorrelateChangelog] {
        let name = kafka_log::topic_name(prefix, topic);
        // The last row of a key counts; a key is unique to its partition.
        let mut rows: BTreeMap<(i32, Vec<u8>), Change> = BTreeMap::new();
        let mut wrong = None;
        kafka_log::read::read_all(properties, &name, |record| {
            let Some(key) = record.key().filter(|key| is_ledger_row(key)) else { return ControlFlow::Continue(()) };
            match record.value().map(Change::from_row).transpose() {
                Ok(Some(change)) => {
                    rows.insert((record.partition(), key.to_vec()), change);
                    ControlFlow::Continue(())
                }
                Ok(None) => ControlFlow::Continue(()),
                Err(error) => {
                    wrong = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        if let Some(error) = wrong {
            return Err(error).with_context(|| format!("read {name}"));
        }
        for change in rows.into_values() {
            if let Change::Count(cell, count) = change {
                ledger.add(cell, count);
            }
        }
    }
    Ok(ledger)
}

/// A changelog key is `<input topic>/<row key>`.
fn is_ledger_row(key: &[u8]) -> bool {
    let row = key.iter().position(|byte| *byte == b'/').map_or(&[][..], |at| &key[at + 1..]);
    row.starts_with(b"ledger/")
}
