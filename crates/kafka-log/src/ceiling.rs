//! The measuring stick for benches: what any program over this client pays that reads records and writes them on,
//! exactly once, and decides nothing.

use std::time::Duration;

use anyhow::Context;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};

use crate::{Properties, settings};

/// As many records as a batch of a worker's loop.
const BATCH: usize = 10_000;
const PATIENCE: Duration = Duration::from_secs(30);

/// Copies `records` records of `from` to `to`, keys, values and nothing else, in transactions with the offsets. `told` hears
/// after each commit how many there are so far.
///
/// # Errors
/// When the broker refuses something.
pub fn copy(
    properties: &Properties,
    from: &str,
    to: &str,
    group: &str,
    records: u64,
    mut told: impl FnMut(u64),
) -> anyhow::Result<()> {
    let consumer: BaseConsumer = settings::reader(properties, group, "read_committed")
        .create()
        .context("create the consumer")?;
    consumer.subscribe(&[from]).context("subscribe")?;
    let producer: BaseProducer = settings::client(
        properties,
        &[
            ("transactional.id", group),
            ("queue.buffering.max.messages", "1000000"),
            ("delivery.report.only.error", "true"),
            ("linger.ms", "5"),
            ("compression.type", "lz4"),
        ],
    )
    .create()
    .context("create the producer")?;
    producer
        .init_transactions(PATIENCE)
        .context("init transactions")?;
    let mut copied = 0;
    while copied < records {
        let mut offsets = TopicPartitionList::new();
        let mut wait = Duration::from_millis(100);
        let mut batch = Vec::new();
        while batch.len() < BATCH {
            match consumer.poll(wait) {
                Some(Ok(message)) => batch.push(message),
                Some(Err(error)) => tracing::debug!(%error, "reading goes on"),
                None => break,
            }
            wait = Duration::ZERO;
        }
        if batch.is_empty() {
            continue;
        }
        producer.begin_transaction().context("begin a transaction")?;
        for message in &batch {
            let mut record = BaseRecord::<[u8], [u8]>::to(to);
            (record.key, record.payload) = (message.key(), message.payload());
            while let Err((_, back)) = producer.send(record) {
                settings::take_reports(&producer);
                record = back;
            }
            let next = Offset::Offset(message.offset() + 1);
            match offsets.find_partition(from, message.partition()) {
                Some(mut element) => element.set_offset(next),
                None => offsets.add_partition_offset(from, message.partition(), next),
            }
            .context("note an offset")?;
        }
        let member = consumer.group_metadata().context("the group's member")?;
        producer
            .send_offsets_to_transaction(&offsets, &member, PATIENCE)
            .context("send the offsets")?;
        while producer.in_flight_count() > 0 {
            settings::take_reports(&producer);
        }
        producer.commit_transaction(PATIENCE).context("commit")?;
        copied += batch.len() as u64;
        told(copied);
    }
    Ok(())
}
