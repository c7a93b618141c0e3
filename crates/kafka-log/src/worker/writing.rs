//! Sends what the processors handed over: records, packed inputs, state rows.

use wire_format::topics::Topic;
use wire_format::trace::TRACES;

use super::WorkerConfig;
use super::failure::Failure;
use super::packing::{PACKED_MAX_BYTES, pack};
use super::tasks::Task;
use super::transactor::{Outgoing, Transactor};
use crate::topic_name;
use city_model::Input;
use stream_worker::Outbox;

/// Sends everything in the open transaction.
pub(super) fn write(
    config: &WorkerConfig,
    outbox: &Outbox,
    tasks: &[Task],
    transactor: &mut Transactor,
    alive: &dyn Fn(),
) -> Result<(), Failure> {
    let mut last: Option<(Topic, String)> = None;
    for record in outbox.by_urgency() {
        // Records for one topic come in runs.
        let (_, topic) = match last.take() {
            Some(known) if known.0 == record.topic => last.insert(known),
            _ => last.insert((record.topic, topic_name(&config.topic_prefix, record.topic))),
        };
        transactor.send(
            &Outgoing {
                topic,
                partition: record.partition,
                key: record.key.as_deref(),
                value: record.value.as_deref(),
                headers: &record.headers,
                own_headers: &record.own_headers,
                timestamp: None,
                tick: false,
            },
            alive,
        )?;
    }
    let enriched = config
        .ticks
        .as_ref()
        .map_or(Topic::Enriched, |ticks| ticks.enriched);
    let enriched = topic_name(&config.topic_prefix, enriched);
    for (partition, inputs) in &outbox.inputs {
        // A tick is the last input of its partition, so the last record carries it.
        let tick = matches!(inputs.last(), Some(Input::Tick(_)));
        let traces = outbox.traces.get(partition).map_or(&[][..], Vec::as_slice);
        let records = pack(inputs, traces, PACKED_MAX_BYTES);
        let count = records.len();
        for (index, record) in records.into_iter().enumerate() {
            let traced = [(TRACES, record.traces)];
            let headers = if traced[0].1.is_empty() {
                &[][..]
            } else {
                &traced[..]
            };
            transactor.send(
                &Outgoing {
                    topic: &enriched,
                    partition: Some(*partition),
                    key: None,
                    value: Some(&record.value),
                    headers,
                    own_headers: &[],
                    timestamp: None,
                    tick: tick && index + 1 == count,
                },
                alive,
            )?;
        }
    }
    let changelog = topic_name(&config.topic_prefix, config.changelog);
    let mut key = String::new();
    for task in tasks {
        for (row, value) in &task.rows {
            key.clear();
            key.push_str(task.topic.name());
            key.push('/');
            key.push_str(row);
            transactor.send(
                &Outgoing {
                    topic: &changelog,
                    partition: Some(task.partition),
                    key: Some(key.as_bytes()),
                    value: value.as_deref(),
                    headers: &[],
                    own_headers: &[],
                    timestamp: None,
                    tick: false,
                },
                alive,
            )?;
        }
    }
    Ok(())
}
