//! The deduplication job that other stream processors are measured by, on our own loop, index and cells: each event joins the
//! nearest open incident of its kind or opens one, and the incident as it is then is written, exactly once.
//!
//! `peers --in TOPIC --out TOPIC --bootstrap HOST:PORT --cells lattice|FILE --id NAME`, and as options `--loops N` (1),
//! `--batch RECORDS`, `--budget MIB`, `--transaction-timeout-ms MS`, and any property of the client library that has a point in its
//! name. It runs until it is killed; started again under its name it goes on where it stood.
#![allow(missing_docs, unreachable_pub, reason = "a bench")]

mod cells;
mod dedup;
mod event;
mod open;
mod plane;
mod update;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use cells::Cells;
use dedup::{Dedup, UPDATES};
use kafka_log::admin::{TopicSpec, create_topics, topic_partitions};
use kafka_log::{NoObserver, Properties, WorkerConfig, worker};
use wire_format::Topic;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EVENTS: Topic = Topic::Report;
const CHANGELOG: Topic = Topic::CorrelateChangelog;
const ASK: Duration = Duration::from_secs(10);

/// `--name value`, as often as it comes.
fn arguments() -> anyhow::Result<BTreeMap<String, String>> {
    let mut arguments = BTreeMap::new();
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let key = name
            .strip_prefix("--")
            .with_context(|| format!("{name} is no option"))?;
        let value = given.next().with_context(|| format!("{name} needs a value"))?;
        arguments.insert(key.to_owned(), value);
    }
    Ok(arguments)
}

fn main() -> anyhow::Result<()> {
    let arguments = arguments()?;
    let text = |key: &str| arguments.get(key).map(String::as_str);
    let needed = |key: &str| text(key).with_context(|| format!("--{key} is missing"));
    let number = |key: &str, default: usize| match text(key) {
        Some(number) => number.parse().with_context(|| format!("--{key} {number}")),
        None => Ok(default),
    };
    let (input, id) = (needed("in")?, needed("id")?);
    let cells = Arc::new(Cells::named(text("cells").unwrap_or("lattice"))?);
    let mut properties: Properties = arguments.clone();
    properties.retain(|key, _| key.contains('.'));
    properties.insert("bootstrap.servers".to_owned(), needed("bootstrap")?.to_owned());
    let changelog = format!("{id}-changelog");
    create_changelog(&properties, input, &changelog)?;
    let base = WorkerConfig::new("peers", properties, vec![EVENTS], CHANGELOG);
    let timeout = number("transaction-timeout-ms", base.transaction_timeout_ms as usize)?;
    let config = WorkerConfig {
        transaction_timeout_ms: u32::try_from(timeout)?,
        group_id: id.to_owned(),
        transactional_id_prefix: format!("{id}-"),
        renamed: BTreeMap::from([
            (EVENTS, input.to_owned()),
            (UPDATES, needed("out")?.to_owned()),
            (CHANGELOG, changelog),
        ]),
        max_batch_records: number("batch", base.max_batch_records)?,
        budget_bytes: number("budget", base.budget_bytes >> 20)? << 20,
        ..base
    };
    let loops = number("loops", 1)?;
    let stop = AtomicBool::new(false);
    let factory =
        move |_: Topic, _: i32| -> Box<dyn stream_worker::Processor> { Box::new(Dedup::new(cells.clone())) };
    std::thread::scope(|scope| {
        let run = || worker::run(config.clone(), &factory, &NoObserver, &stop);
        let others: Vec<_> = (1..loops).map(|_| scope.spawn(run)).collect();
        let mut result = run();
        stop.store(true, Ordering::Relaxed);
        for other in others {
            result = result.and(
                other
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            );
        }
        result
    })?;
    Ok(())
}

/// The changelog, with as many partitions as the input.
fn create_changelog(properties: &Properties, input: &str, name: &str) -> anyhow::Result<()> {
    let partitions = topic_partitions(properties, ASK)?;
    let partitions = *partitions
        .get(input)
        .with_context(|| format!("there is no topic {input}"))?;
    let config = [
        ("cleanup.policy", CHANGELOG.cleanup().as_str()),
        ("segment.bytes", "16777216"),
    ];
    let spec = TopicSpec {
        name: name.to_owned(),
        partitions,
        replication: None,
        config: config
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
    };
    create_topics(properties, &[spec])?;
    Ok(())
}
