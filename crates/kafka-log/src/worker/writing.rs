//! Sends what the processors handed over: records, packed inputs, state rows.

use wire_format::topics::Topic;
use wire_format::trace::TRACES;

use super::WorkerConfig;
use super::failure::Failure;
use super::handing::Plain;
use super::packing::{PACKED_MAX_BYTES, pack};
use super::tasks::Task;
use super::transactor::{Outgoing, Transactor};
use city_model::{Band, Input};
use stream_worker::Outbox;

/// So many records without headers go to the client library in one call.
const RUN: usize = 512;

/// Sends everything in the open transaction.
pub(super) fn write(
    config: &WorkerConfig,
    outbox: &Outbox,
    tasks: &[Task],
    transactor: &mut Transactor,
    alive: &dyn Fn(),
) -> Result<(), Failure> {
    write_records(config, outbox, transactor, alive)?;
    let enriched = config
        .ticks
        .as_ref()
        .map_or(Topic::Enriched, |ticks| ticks.enriched);
    let enriched = config.name_of(enriched);
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
    let changelog = config.name_of(config.changelog);
    let mut keys = String::new();
    for task in tasks {
        keys.clear();
        for row in task.rows.keys() {
            keys.extend([task.topic.name(), "/", row]);
        }
        let mut rest = keys.as_bytes();
        let rows = task.rows.iter().map(|(row, value)| {
            let (key, after) = rest.split_at(task.topic.name().len() + 1 + row.len());
            rest = after;
            Plain {
                partition: Some(task.partition),
                key: Some(key),
                value: value.as_deref(),
            }
        });
        let rows: Vec<Plain<'_>> = rows.collect();
        for rows in rows.chunks(RUN) {
            transactor.send_plain(&changelog, rows, alive)?;
        }
    }
    Ok(())
}

/// Sends the records for other topics in the open transaction.
pub(super) fn write_records(
    config: &WorkerConfig,
    outbox: &Outbox,
    transactor: &mut Transactor,
    alive: &dyn Fn(),
) -> Result<(), Failure> {
    let mut runs = Runs::default();
    for record in outbox.by_urgency() {
        if record.topic != Topic::of_band(Band::P1) {
            // Those come first, and do not wait for company.
            runs.end(Topic::of_band(Band::P1), transactor, alive)?;
        }
        if record.headers.is_empty() && record.own_headers.is_empty() {
            let plain = Plain {
                partition: record.partition,
                key: record.key.as_deref(),
                value: record.value.as_deref(),
            };
            runs.add(config, record.topic, plain, transactor, alive)?;
            continue;
        }
        runs.end(record.topic, transactor, alive)?;
        transactor.send(
            &Outgoing {
                topic: &runs.of(config, record.topic).1,
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
    runs.end_all(transactor, alive)
}

/// Records without headers that wait until there are enough for one call, by their topics; each topic's own order stays.
#[derive(Default)]
struct Runs<'a>(Vec<Waiting<'a>>);

/// A topic, its name on the broker, and what waits of it.
type Waiting<'a> = (Topic, String, Vec<Plain<'a>>);

impl<'a> Runs<'a> {
    fn of(&mut self, config: &WorkerConfig, topic: Topic) -> &mut Waiting<'a> {
        let known = self.0.iter().position(|(known, ..)| *known == topic);
        let at = known.unwrap_or_else(|| {
            self.0.push((topic, config.name_of(topic), Vec::new()));
            self.0.len() - 1
        });
        &mut self.0[at]
    }

    fn add(
        &mut self,
        config: &WorkerConfig,
        topic: Topic,
        record: Plain<'a>,
        transactor: &mut Transactor,
        alive: &dyn Fn(),
    ) -> Result<(), Failure> {
        let (_, _, run) = self.of(config, topic);
        run.push(record);
        if run.len() < RUN {
            return Ok(());
        }
        self.end(topic, transactor, alive)
    }

    /// Sends what waits of a topic.
    fn end(&mut self, topic: Topic, transactor: &mut Transactor, alive: &dyn Fn()) -> Result<(), Failure> {
        let Some((_, name, run)) = self.0.iter_mut().find(|(known, ..)| *known == topic) else {
            return Ok(());
        };
        if run.is_empty() {
            return Ok(());
        }
        transactor.send_plain(name, run, alive)?;
        run.clear();
        Ok(())
    }

    fn end_all(&mut self, transactor: &mut Transactor, alive: &dyn Fn()) -> Result<(), Failure> {
        let topics: Vec<Topic> = self.0.iter().map(|(topic, ..)| *topic).collect();
        topics
            .into_iter()
            .try_for_each(|topic| self.end(topic, transactor, alive))
    }
}
