//! What becomes of a record over which judging panics.

use std::panic::{AssertUnwindSafe, catch_unwind};

use city_model::DeadLetterReason;
use event_intake::Verdict;
use wire_format::Refusal;

/// A panic while a record is judged has changed nothing: that one record becomes `processing_failed`.
pub(super) fn unless_it_panics(judge: impl FnOnce() -> Verdict) -> Verdict {
    catch_unwind(AssertUnwindSafe(judge)).unwrap_or_else(|_| {
        tracing::error!("judging a record failed; it is refused as processing_failed");
        Refusal::new(DeadLetterReason::ProcessingFailed, "judging it failed").into()
    })
}

#[cfg(test)]
mod tests {
    use event_intake::Decision;

    use super::*;

    #[test]
    fn a_panic_is_a_refusal() {
        let Decision::Refused(refusal) = unless_it_panics(|| panic!("a broken invariant")).result else {
            panic!("it is not refused")
        };
        assert_eq!(refusal.reason, DeadLetterReason::ProcessingFailed);
    }
}
