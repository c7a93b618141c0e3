//! The job as a processor of the worker's loop: each event into its incident, and an update for each.

use std::collections::VecDeque;
use std::sync::Arc;

use anyhow::Context;
use rustc_hash::FxHashMap;
use stream_worker::{InputRecord, OutRecord, Outbox, Processor};
use wire_format::Topic;

use super::cells::Cells;
use super::event::Events;
use super::open::Open;
use super::update;

/// What updates are written to.
pub const UPDATES: Topic = Topic::Incidents;

/// One partition.
pub struct Dedup {
    cells: Arc<Cells>,
    events: Events,
    open: Open,
    /// The rows in the changelog by number, with the latest time in each: what is told by a row is over when that is.
    rows: VecDeque<(u64, i64)>,
    /// Where incidents lie, while rows are read back.
    by_number: FxHashMap<u32, u32>,
}

impl Dedup {
    /// A partition without state.
    pub fn new(cells: Arc<Cells>) -> Dedup {
        Dedup {
            cells,
            events: Events::default(),
            open: Open::default(),
            rows: VecDeque::new(),
            by_number: FxHashMap::default(),
        }
    }
}

/// State rows are written once and deleted when all that they say is over: each holds what a transaction has changed, so a
/// later one says better what an earlier one says as well.
fn row_key(number: u64) -> String {
    format!("open/{number:012}")
}

impl Processor for Dedup {
    fn restore(&mut self, key: &str, value: Option<&[u8]>) -> anyhow::Result<()> {
        let number: Option<u64> = key.strip_prefix("open/").and_then(|number| number.parse().ok());
        let number = number.context("a row of another kind")?;
        match value {
            None => self.rows.retain(|(known, _)| *known != number),
            Some(row) => {
                let latest = self.open.restore(row, &mut self.by_number);
                self.rows
                    .push_back((number, latest.context("a row that is cut")?));
            }
        }
        Ok(())
    }

    fn begin(&mut self, _out: &mut Outbox) {
        self.by_number = FxHashMap::default();
    }

    fn process(&mut self, record: &InputRecord<'_>, out: &mut Outbox) {
        // What is no event is dropped: the job says so.
        let Some(event) = record.value.and_then(|value| self.events.read(value)) else {
            return;
        };
        let Some(incident) = self.open.take(&event) else {
            return;
        };
        let mut text = [0; 8];
        let cell = self.cells.code(event.place, &mut text);
        let mut value = Vec::with_capacity(208);
        update::write(&mut value, &incident, &event, cell);
        let mut key = Vec::with_capacity(8);
        update::id(&mut key, b'i', incident.number);
        out.records.push(OutRecord {
            topic: UPDATES,
            partition: None,
            key: Some(key),
            value: Some(value),
            headers: Vec::new(),
            own_headers: Vec::new(),
        });
    }

    fn checkpoint(&mut self, out: &mut Outbox) {
        let Some((latest, row)) = self.open.row() else {
            return;
        };
        let number = self.rows.back().map_or(0, |(number, _)| number + 1);
        out.rows.insert(row_key(number), Some(row));
        self.rows.push_back((number, latest));
        while let Some((number, latest)) = self.rows.front().copied()
            && self.open.is_over(latest)
        {
            self.rows.pop_front();
            out.rows.insert(row_key(number), None);
        }
    }
}
