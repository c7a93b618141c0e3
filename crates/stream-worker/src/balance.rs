//! Law 1 as a worker keeps it, batch by batch: what was read is what was counted here or sent on to be counted.

use city_model::LedgerCell;

/// Records read since the last look, less those that are accounted for: always 0 when a batch is done.
#[derive(Debug, Default)]
pub(crate) struct Balance(i64);

impl Balance {
    /// A cell of the ledger grew by so many.
    pub(crate) fn counted(&mut self, cell: LedgerCell, by: i64) {
        self.0 += match cell {
            LedgerCell::Consumed(_) => by,
            LedgerCell::Outcome(..) => -by,
        };
    }

    /// So many records are to be counted here.
    pub(crate) fn came(&mut self, records: u64) {
        self.0 += i64::try_from(records).unwrap_or(i64::MAX);
    }

    /// So many will be counted by whoever reads what was sent.
    pub(crate) fn sent(&mut self, records: u64) {
        self.0 -= i64::try_from(records).unwrap_or(i64::MAX);
    }

    /// By how many records the two sides differ, in either direction; then they are even again.
    pub(crate) fn take(&mut self) -> Option<u64> {
        Some(std::mem::take(&mut self.0).unsigned_abs()).filter(|records| *records > 0)
    }
}

#[cfg(test)]
mod tests {
    use city_model::{Outcome, Source};

    use super::*;

    #[test]
    fn both_sides_must_be_even() {
        let outcome = LedgerCell::Outcome(Source::Sensor, Outcome::Late);
        let mut balance = Balance::default();
        balance.counted(LedgerCell::Consumed(Source::Sensor), 3);
        balance.counted(outcome, 1);
        balance.sent(2);
        assert_eq!(balance.take(), None);
        balance.came(1);
        assert_eq!(balance.take(), Some(1), "an input without an outcome");
        balance.counted(outcome, 2);
        assert_eq!(balance.take(), Some(2), "outcomes of nothing");
        assert_eq!(balance.take(), None);
    }
}
