//! `cityops ledger`: the committed ledger, summed over all partitions, with the digest of the grouping.

use std::ops::ControlFlow;

use file_log::ReplayLedger;
use kafka_log::Properties;
use kafka_log::read::read_all;
use wire_format::Topic;

use crate::CommandResult;
use crate::cli::ConfigArgs;
use crate::commands::replay::print_ledger;
use crate::committed::{Grouping, LedgerRows};
use crate::config::Loaded;
use crate::exit::Exit;
use crate::topics;

pub(super) fn run(args: &ConfigArgs, json: bool) -> CommandResult {
    let loaded = Loaded::read(&args.config)?;
    let properties = topics::properties(&loaded)?;
    topics::partitions(&loaded, &properties)?;
    print_ledger(&committed(&properties, &loaded.config.kafka.topic_prefix)?, json)?;
    Ok(Exit::Clean)
}

/// The ledger rows of both changelogs, and the grouping that the outcomes tell. What enrich has handed over but
/// correlate has not decided is unaccounted.
///
/// # Errors
/// When a topic cannot be read.
pub fn committed(properties: &Properties, prefix: &str) -> anyhow::Result<ReplayLedger> {
    let mut rows = LedgerRows::default();
    for topic in [Topic::EnrichChangelog, Topic::CorrelateChangelog] {
        read_all(properties, &kafka_log::topic_name(prefix, topic), |record| {
            rows.take(topic, record.partition(), record.key(), record.value());
            ControlFlow::Continue(())
        })?;
    }
    let mut grouping = Grouping::default();
    read_all(
        properties,
        &kafka_log::topic_name(prefix, Topic::Outcomes),
        |record| {
            grouping.take(record.key(), record.value());
            ControlFlow::Continue(())
        },
    )?;
    Ok(ReplayLedger {
        grouping_digest: Some(grouping.digest()),
        ..ReplayLedger::of(&rows.sum())
    })
}
