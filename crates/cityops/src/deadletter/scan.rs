//! Reads the topic of dead letters to its end: the letters that are meant, and which of them carry a mark.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use city_model::Source;
use kafka_log::Properties;
use kafka_log::read::{Record, read_all};
use wire_format::{Decoder, Topic, headers};

use super::{Filter, Letter};
use crate::assemble;
use crate::config::Loaded;

/// How often it is looked whether a schema has come.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Reads which system a record is of, as far as it can be read.
pub struct Systems {
    decoder: Decoder,
    /// How much longer the registry may take, all in all: it may be away.
    patience: Duration,
}

impl Systems {
    /// With the schemas of a configuration, the registry's among them.
    ///
    /// # Errors
    /// A configuration error of the schemas' keys.
    pub fn of(loaded: &Loaded) -> anyhow::Result<Systems> {
        Ok(Systems {
            decoder: assemble::decoder(loaded)?,
            patience: Duration::from_millis(u64::try_from(loaded.config.schemas.timeout.0).unwrap_or(0)),
        })
    }

    /// The source system of a record of this stream. Only events have one: a warning's or silence's name is its own, a
    /// command's is a person's.
    fn of_record(&mut self, topic: Topic, record: &Record<'_>) -> Option<String> {
        let source = topic.source()?;
        let events = [Source::Sensor, Source::Hotline, Source::Video, Source::Report];
        let value = record.value().filter(|_| events.contains(&source))?;
        let begun = Instant::now();
        while !self.decoder.is_ready(value) && begun.elapsed() < self.patience {
            std::thread::park_timeout(LOOK_AGAIN);
        }
        self.patience = self.patience.saturating_sub(begun.elapsed());
        let key = match self.decoder.decode_with(source, value, &record.headers()) {
            Ok(record) => record.key(),
            Err(refusal) => refusal.identity,
        };
        key.map(|key| key.source_system.to_string())
    }
}

/// The letters that a filter means, by partition and offset, and which of them were fed again.
///
/// # Errors
/// [`crate::exit::Exit::Unreachable`] when no broker answers; a failure when the topic is missing or cannot be read.
pub fn scan(
    loaded: &Loaded,
    properties: &Properties,
    filter: &Filter,
    systems: &mut Systems,
) -> anyhow::Result<Vec<Letter>> {
    kafka_log::admin::reachable(properties, Duration::from_secs(15))
        .map_err(|error| loaded.no_broker(&error))?;
    let topic = kafka_log::topic_name(&loaded.config.kafka.topic_prefix, Topic::DeadLetters);
    let mut letters = Vec::new();
    let mut marks = BTreeSet::new();
    read_all(properties, &topic, |record| {
        match Letter::of(record) {
            None => marks.extend(mark(record)),
            Some(mut letter) => {
                letter.system = letter.topic().and_then(|topic| systems.of_record(topic, record));
                if filter.holds(&letter) {
                    letters.push(letter);
                }
            }
        }
        ControlFlow::Continue(())
    })?;
    for letter in &mut letters {
        letter.replayed = marks.contains(&letter.place());
    }
    letters.sort_by_key(Letter::place);
    Ok(letters)
}

/// The place of the letter that a mark stands for.
fn mark(record: &Record<'_>) -> Option<(i32, i64)> {
    let told = record.headers();
    let (_, offset) = told.iter().find(|(name, _)| *name == headers::REPLAYED)?;
    let offset = std::str::from_utf8(offset).ok()?.parse().ok()?;
    Some((record.partition(), offset))
}
