//! The ledger: how many records came in by source, and what became of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Outcome, Source};

/// One counted cell of the ledger: a row of state, so that it commits with what it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LedgerCell {
    /// Records read from a source.
    Consumed(Source),
    /// Records of a source with this outcome now.
    Outcome(Source, Outcome),
}

/// Counts per cell. Sums of ledgers are ledgers, so partitions add up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    cells: BTreeMap<LedgerCell, i64>,
}

impl Ledger {
    /// The count of a cell.
    pub fn get(&self, cell: LedgerCell) -> i64 {
        self.cells.get(&cell).copied().unwrap_or(0)
    }

    /// Sets a cell to an absolute count.
    pub fn set(&mut self, cell: LedgerCell, count: i64) {
        self.cells.insert(cell, count);
    }

    /// Adds to a cell and answers its new count.
    pub fn add(&mut self, cell: LedgerCell, delta: i64) -> i64 {
        let count = self.cells.entry(cell).or_insert(0);
        *count += delta;
        *count
    }

    /// Adds every cell of another ledger.
    pub fn merge(&mut self, other: &Ledger) {
        for (cell, count) in &other.cells {
            self.add(*cell, *count);
        }
    }

    /// All cells in order.
    pub fn cells(&self) -> impl Iterator<Item = (LedgerCell, i64)> + '_ {
        self.cells.iter().map(|(cell, count)| (*cell, *count))
    }

    /// Records read in all.
    pub fn consumed(&self) -> i64 {
        self.sum(|cell| matches!(cell, LedgerCell::Consumed(_)))
    }

    /// Records with this outcome, over all sources.
    pub fn outcome(&self, outcome: Outcome) -> i64 {
        self.sum(|cell| matches!(cell, LedgerCell::Outcome(_, o) if o == outcome))
    }

    /// Records that were read but have no outcome. Zero whenever nothing is on its way.
    pub fn unaccounted(&self) -> i64 {
        self.consumed() - self.sum(|cell| matches!(cell, LedgerCell::Outcome(..)))
    }

    fn sum(&self, wanted: impl Fn(LedgerCell) -> bool) -> i64 {
        self.cells
            .iter()
            .filter(|(cell, _)| wanted(**cell))
            .map(|(_, count)| count)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_for_every_record() {
        let mut ledger = Ledger::default();
        ledger.add(LedgerCell::Consumed(Source::Sensor), 3);
        ledger.add(LedgerCell::Outcome(Source::Sensor, Outcome::Opened), 1);
        assert_eq!(ledger.unaccounted(), 2);
        let mut other = Ledger::default();
        other.add(LedgerCell::Outcome(Source::Sensor, Outcome::Joined), 2);
        ledger.merge(&other);
        assert_eq!(
            (
                ledger.consumed(),
                ledger.unaccounted(),
                ledger.outcome(Outcome::Joined)
            ),
            (3, 0, 2)
        );
    }
}
