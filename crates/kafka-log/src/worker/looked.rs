//! When something was looked at last that is looked at every so often.

use std::time::{Duration, Instant};

#[derive(Debug, Default)]
pub(super) struct Looked(Option<Instant>);

impl Looked {
    /// Whether a look is due, which is then taken for done.
    pub(super) fn is_due(&mut self, now: Instant, every: Duration) -> bool {
        let is_due = self.0.is_none_or(|at| now.saturating_duration_since(at) >= every);
        if is_due {
            self.0 = Some(now);
        }
        is_due
    }

    /// The next look is due at once.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }
}
