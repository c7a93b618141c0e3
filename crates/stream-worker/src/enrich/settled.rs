//! What intake settles without the correlator.

use city_model::{EventKey, Outcome};

/// An outcome that intake decides by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The event, if its identity could be read.
    pub key: Option<EventKey>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why, where that needs saying.
    pub reason: Option<String>,
}

impl Settled {
    /// Whether the outcome is told one by one; the others are counted in the ledger only.
    pub fn is_told(&self) -> bool {
        !matches!(self.outcome, Outcome::DuplicateId | Outcome::BelowThreshold)
    }
}
