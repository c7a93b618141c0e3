//! Counts the events of a batch by cell, minute and stream, so that one fact tells of many.

use std::collections::BTreeMap;

use city_model::{Event, MINUTE_MS, Name};

use crate::fact::{Fact, Path, paths};

/// Where, in which minute, from which stream.
type ByMinute = BTreeMap<(i64, Name), i64>;

/// Events that wait to be told.
#[derive(Debug, Default)]
pub struct EventCounts {
    /// By layer and finest cell.
    waiting: BTreeMap<(Name, Name), (Path, ByMinute)>,
}

impl EventCounts {
    /// Counts an event in the minute in which it was taken in.
    pub fn add(&mut self, city: &Name, event: &Event) {
        let minute = event.ingested_at.millis().div_euclid(MINUTE_MS);
        let cells = event.cells.iter();
        for path in paths(
            city,
            cells.map(|cell| (&cell.layer, &cell.level, &cell.code, &cell.name)),
        ) {
            let Some(finest) = path.cells.last() else { continue };
            let key = (path.layer.clone(), finest.code.clone());
            let (_, counts) = self.waiting.entry(key).or_insert_with(|| (path, BTreeMap::new()));
            *counts.entry((minute, event.source.as_str().into())).or_default() += 1;
        }
    }

    /// The facts of all that was counted since the last call, each with its key.
    pub fn take(&mut self) -> Vec<(String, Fact)> {
        let counted = std::mem::take(&mut self.waiting).into_values();
        counted
            .map(|(path, counts)| {
                let counts = counts
                    .into_iter()
                    .map(|((minute, source), by)| (minute, source, by));
                let (key, counts) = (path.key(), counts.collect());
                (key, Fact::Events { path, counts })
            })
            .collect()
    }
}
