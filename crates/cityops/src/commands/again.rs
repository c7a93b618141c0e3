//! Decides a partition of the committed enriched log again, for the log alone holds what the engine was told.

use std::ops::ControlFlow;

use anyhow::Context;
use city_model::{Batch, Input};
use incident_engine::{Engine, Output};
use kafka_log::Properties;
use kafka_log::read::{Start, read_topic};
use stream_worker::Correlate;

/// Every input can be edited first. Tells `each` of every batch that is still there the number of its inputs and what is decided of them, up to an offset or the end of
/// the log; the answer is the partition as it stands there.
///
/// # Errors
/// When the topic cannot be read, or a batch in it.
pub(super) fn decide_again(
    properties: &Properties,
    topic: &str,
    partition: i32,
    until: Option<i64>,
    edit: impl Fn(&mut Input),
    mut each: impl FnMut(usize, Vec<Output>),
) -> anyhow::Result<Correlate> {
    let mut correlate = Correlate::without_changelog(Engine::default());
    let mut wrong = None;
    read_topic(properties, topic, partition, Start::Beginning, |record| {
        if until.is_some_and(|until| record.offset() >= until) {
            return ControlFlow::Break(());
        }
        let mut batch: Batch = match serde_json::from_slice(record.value().unwrap_or_default()) {
            Ok(batch) => batch,
            Err(error) => {
                wrong = Some(error);
                return ControlFlow::Break(());
            }
        };
        batch.inputs.iter_mut().for_each(&edit);
        let outputs = batch.inputs.iter().flat_map(|input| correlate.take(input));
        each(batch.inputs.len(), outputs.collect());
        ControlFlow::Continue(())
    })?;
    if let Some(error) = wrong {
        return Err(error).with_context(|| format!("read {topic}, partition {partition}"));
    }
    Ok(correlate)
}
