//! Records that waited for confirmation and are settled now.

use city_model::{Input, LedgerCell, Outcome};
use event_intake::Released;
use std::sync::Arc;

use super::{Enrich, Settled};
use crate::Outbox;

impl Enrich {
    /// A record is no longer `pending`: the engine counts it from here on, or it is counted under its new outcome.
    pub(super) fn release(&mut self, released: Released, out: &mut Outbox) {
        self.count(LedgerCell::Outcome(self.source, Outcome::Pending), -1);
        match released {
            Released::Event(event) => {
                *self.seen.located.entry(event.quality).or_default() += 1;
                out.send(
                    self.setup.partition_of(&event.group),
                    Input::Event(Arc::from(event)),
                );
            }
            Released::Settled { outcome, key } => {
                self.count(LedgerCell::Outcome(self.source, outcome), 1);
                self.released.push(Settled {
                    key: Some(key),
                    outcome,
                    reason: None,
                });
            }
        }
    }

    /// Takes what became of earlier records since the last call: they were told as `pending`, so all of this is to be told.
    pub fn take_released(&mut self) -> Vec<Settled> {
        std::mem::take(&mut self.released)
    }
}
