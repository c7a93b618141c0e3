//! What a batch of records came to, held against what was read.

use super::Enrich;

impl Enrich {
    /// Says so where the records since the last checkpoint are not those that were settled here or sent on.
    pub(super) fn tell_balance(&mut self) {
        let Some(records) = self.balance.take() else {
            return;
        };
        tracing::error!(source = %self.source, records, "records and outcomes of a batch do not balance");
        if let Some(observer) = &self.observer {
            observer.unbalanced(self.source, records);
        }
    }
}
