//! Whether the enriched log lies as this process would lay it. A version or rules with other kinds lay the groups of kinds on other
//! partitions; then one trouble would be decided in two places, by what each of them remembers.

use std::ops::ControlFlow;

use city_model::{Batch, Event, Input};
use kafka_log::Properties;
use kafka_log::read::read_newest;
use stream_worker::Setup;
use wire_format::Topic;

use crate::config::Loaded;
use crate::exit::bad_configuration;

/// How far back the log is looked at: a quiet city writes ticks for the most part, one a second.
const OFFSETS: i64 = 1_000;
/// How many events say enough; a busy city writes hundreds a batch.
const EVENTS_MAX: usize = 2_000;

/// Looks at the newest events of the log before anything is added to it.
///
/// # Errors
/// The kind that would go to another partition, as a bad configuration, unless `topics.accept_moved_groups` says that it may.
pub(crate) fn check(loaded: &Loaded, setup: &Setup, properties: &Properties) -> anyhow::Result<()> {
    let topic = kafka_log::topic_name(&loaded.config.kafka.topic_prefix, Topic::Enriched);
    let (mut events, mut found) = (0, None);
    let read = read_newest(properties, &topic, setup.partitions(), OFFSETS, |record| {
        // What is no batch is the correlator's to refuse.
        let batch: Batch = match record.value().map(serde_json::from_slice) {
            Some(Ok(batch)) => batch,
            _ => return ControlFlow::Continue(()),
        };
        for input in &batch.inputs {
            if let Input::Event(event) = input {
                events += 1;
                found = found.take().or_else(|| moved(setup, event, record.partition()));
            }
        }
        if found.is_some() || events >= EVENTS_MAX {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    if let Err(error) = read {
        // As with rights: a start must not fail for a broker that is just failing over.
        let error = format!("{error:#}");
        tracing::warn!(error, "it could not be seen where the groups of kinds lie");
    }
    match found {
        None => Ok(()),
        Some(moved) if loaded.config.topics.accept_moved_groups => {
            tracing::warn!("{moved}; accepted: open incidents of such kinds take nothing new");
            Ok(())
        }
        Some(moved) => Err(bad_configuration(format!(
            "{moved}: incidents that are open would be told a second time. Go back to the version and rules that ran, or stop \
             every process and rebuild (deploy/UPGRADE.md); topics.accept_moved_groups = true starts all the same  \
             类别组所在分区改变：请退回原版本与规则，或全部停机后重建"
        ))),
    }
}

/// Where the event would go, if that is not where it lies.
fn moved(setup: &Setup, event: &Event, lies: i32) -> Option<String> {
    // Of a kind that is gone nothing is added anywhere.
    let kind = setup.rules.kind_id(event.kind.as_str())?;
    // A group is named after the first of its kinds, so another kind may have given it another name.
    let known = setup.layout().contains_key(&event.group);
    let group = if known {
        &event.group
    } else {
        setup.rules.group(kind)
    };
    let goes = setup.partition_of(group);
    (goes != lies).then(|| {
        format!(
            "the kind {} lies in partition {lies} of the enriched log, and would go to {goes}",
            event.kind
        )
    })
}
