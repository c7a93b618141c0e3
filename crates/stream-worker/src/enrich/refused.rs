//! A record that is refused: a dead letter, counted by its reason.

use city_model::Outcome;
use wire_format::Refusal;

use super::{Enrich, Settled};
use crate::{InputRecord, Outbox, dead_letter};

impl Enrich {
    /// Sends it to the dead letters; what is settled by that.
    pub(super) fn refuse(
        &mut self,
        record: &InputRecord<'_>,
        refusal: &Refusal,
        out: &mut Outbox,
    ) -> Settled {
        out.records.push(dead_letter(record, refusal));
        self.seen.refused(refusal);
        Settled {
            // A broken record may hold a phone number where its identity should be.
            key: refusal
                .identity
                .clone()
                .map(|key| self.setup.intake.public_identity(self.source, key)),
            outcome: Outcome::DeadLetter,
            reason: Some(refusal.reason.as_str().to_owned()),
        }
    }
}
