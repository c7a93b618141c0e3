//! Who an event is, in a few bytes: the number of its system, its id there, and the ticket that it is.

use std::hash::Hasher;

use city_model::EventTime;
use rustc_hash::FxHasher;
use state_rows::ints;

use crate::EventRow;
use crate::brief;

/// The bytes: system and id, then those of a ticket, then its place in the order where that is known.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Identity(Box<[u8]>);

/// The bytes of a system and an id, by which an event is looked for.
pub(crate) fn key_bytes(out: &mut Vec<u8>, system: u32, event_id: &str) {
    ints::put(out, u64::from(system));
    brief::put(out, event_id);
}

/// What a table keeps bytes under.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

impl Identity {
    /// Of an event that a row is about.
    pub(crate) fn of(system: u32, row: &EventRow) -> Identity {
        let mut out = Vec::with_capacity(64);
        key_bytes(&mut out, system, &row.key.event_id);
        if let Some(ticket) = &row.ticket {
            brief::put(&mut out, ticket);
            if let Some(order) = row.order {
                let away = order.millis().wrapping_sub(row.ingested_at.millis());
                ints::put(&mut out, ints::fold(away));
            }
        }
        Identity(Box::from(&out[..]))
    }

    /// The bytes of its system and its id.
    pub(crate) fn key(&self) -> &[u8] {
        let (system, _) = brief::number(&self.0);
        &self.0[..system + brief::len(&self.0[system..])]
    }

    /// The number of its system.
    pub(crate) fn system(&self) -> usize {
        usize::try_from(brief::number(&self.0).1).unwrap_or(usize::MAX)
    }

    /// Its id there.
    pub(crate) fn event_id(&self) -> String {
        brief::text(&self.0[brief::number(&self.0).0..])
    }

    /// The bytes of the ticket that it is.
    pub(crate) fn ticket_bytes(&self) -> Option<&[u8]> {
        let rest = self.rest()?;
        Some(&rest[..brief::len(rest)])
    }

    /// The ticket that it is.
    pub(crate) fn ticket(&self) -> Option<String> {
        self.rest().map(brief::text)
    }

    /// Its place in the order, where it is a ticket and that was told; the same time of append as in its row leads there.
    pub(crate) fn order(&self, ingested_at: EventTime) -> Option<EventTime> {
        let rest = self.rest()?;
        let away = &rest[brief::len(rest)..];
        let away = (!away.is_empty()).then(|| ints::unfold(brief::number(away).1))?;
        Some(EventTime::from_millis(ingested_at.millis().wrapping_add(away)))
    }

    fn rest(&self) -> Option<&[u8]> {
        let rest = &self.0[self.key().len()..];
        (!rest.is_empty()).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use city_model::{EventKey, Outcome, Source};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_put_in_is_there(
            system in any::<u32>(),
            id in "[A-Z0-9-]{0,20}|.{0,9}",
            ticket in prop::option::of(("[A-Z0-9-]{0,20}|.{0,9}", prop::option::of(any::<i64>()))),
            at in any::<i64>(),
        ) {
            let row = EventRow {
                key: EventKey::new("a system", &id),
                source: Source::Hotline,
                outcome: Outcome::Opened,
                incident: None,
                ingested_at: EventTime::from_millis(at),
                ticket: ticket.as_ref().map(|(ticket, _)| ticket.as_str().into()),
                order: ticket.as_ref().and_then(|(_, order)| order.map(EventTime::from_millis)),
                held: None,
            };
            let identity = Identity::of(system, &row);
            let mut key = Vec::new();
            key_bytes(&mut key, system, &id);
            prop_assert_eq!(identity.key(), &key[..]);
            prop_assert_eq!(identity.system(), system as usize);
            prop_assert_eq!(identity.event_id(), id);
            prop_assert_eq!(identity.ticket(), ticket.map(|(ticket, _)| ticket));
            prop_assert_eq!(identity.order(row.ingested_at), row.order);
        }
    }
}
