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
use crate::outputs::{ReadBack, outcome_of};
use crate::topics;

pub(super) fn run(args: &ConfigArgs, json: bool) -> CommandResult {
    let loaded = Loaded::read(&args.config)?;
    let properties = topics::properties(&loaded)?;
    topics::partitions(&loaded, &properties)?;
    let (prefix, read) = (&loaded.config.kafka.topic_prefix, ReadBack::of(&loaded)?);
    print_ledger(&committed(&properties, prefix, &read)?, json)?;
    Ok(Exit::Clean)
}

/// The ledger rows of both changelogs, and the grouping that the outcomes and the centre's merges tell. What enrich has handed over but
/// correlate has not decided is unaccounted.
///
/// # Errors
/// When a topic cannot be read, or an outcome in it.
pub fn committed(properties: &Properties, prefix: &str, read: &ReadBack) -> anyhow::Result<ReplayLedger> {
    let mut rows = LedgerRows::default();
    for topic in [Topic::EnrichChangelog, Topic::CorrelateChangelog] {
        read_all(properties, &kafka_log::topic_name(prefix, topic), |record| {
            rows.take(topic, record.partition(), record.key(), record.value());
            ControlFlow::Continue(())
        })?;
    }
    let grouping = grouping(properties, prefix, read)?;
    Ok(ReplayLedger {
        grouping_digest: Some(grouping.digest()),
        ..ReplayLedger::of(&rows.sum())
    })
}

/// The grouping that the committed outcomes and the centre's merges tell.
///
/// # Errors
/// When a topic cannot be read, or an outcome in it.
pub fn grouping(properties: &Properties, prefix: &str, read: &ReadBack) -> anyhow::Result<Grouping> {
    let mut grouping = Grouping::default();
    let mut wrong = None;
    let topic = kafka_log::topic_name(prefix, Topic::Outcomes);
    read_all(properties, &topic, |record| {
        match outcome_of(read, record.value()) {
            Ok(told) => {
                grouping.take(record.key(), told);
                ControlFlow::Continue(())
            }
            Err(error) => {
                wrong = Some(error.context(format!("{topic} at offset {}", record.offset())));
                ControlFlow::Break(())
            }
        }
    })?;
    let topic = kafka_log::topic_name(prefix, Topic::Incidents);
    if wrong.is_none() {
        read_all(properties, &topic, |record| {
            let taken = record.value().map_or(Ok(()), |value| {
                let json = read.incident_json(value)?;
                Ok(grouping.take_incident(&json)?)
            });
            match taken {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    let error: anyhow::Error = error;
                    wrong = Some(error.context(format!("{topic} at offset {}", record.offset())));
                    ControlFlow::Break(())
                }
            }
        })?;
    }
    wrong.map_or(Ok(grouping), Err)
}
