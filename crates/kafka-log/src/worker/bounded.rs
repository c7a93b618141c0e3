//! Calls of the client library that may not come back: each on a thread of its own, awaited for so long and no longer.
//!
//! `send_offsets_to_transaction` ignores its timeout while the broker is away, and closing a client may wait for an
//! answer. A call that is given up keeps what it needs until it comes back; what it was about is fenced by the next start
//! of the same transactional id.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How often the waiting loop shows that it lives.
pub(super) const LOOK: Duration = Duration::from_millis(500);

/// A call did not come back in time, or could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hangs {
    /// How long it was waited for.
    pub(crate) waited: Duration,
}

/// Makes the call and waits for its answer. `alive` is called while it waits.
pub(crate) fn bounded<T: Send + 'static>(
    limit: Duration,
    alive: &dyn Fn(),
    call: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Hangs> {
    bounded_beside(limit, LOOK, alive, call)
}

/// The same for a call that comes back only when something is done beside it: `beside` is called every so often.
pub(crate) fn bounded_beside<T: Send + 'static>(
    limit: Duration,
    every: Duration,
    beside: &dyn Fn(),
    call: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Hangs> {
    let begun = Instant::now();
    let (sender, answer) = channel();
    let thread = std::thread::Builder::new()
        .name("kafka-call".to_owned())
        .spawn(move || {
            // Nobody waits any more when it was given up.
            let _ = sender.send(call());
        });
    if let Err(error) = thread {
        tracing::error!(%error, "no thread for a call to the broker");
        return Err(Hangs {
            waited: Duration::ZERO,
        });
    }
    loop {
        let left = limit.saturating_sub(begun.elapsed());
        match answer.recv_timeout(left.min(every)) {
            Ok(answer) => return Ok(answer),
            Err(RecvTimeoutError::Timeout) if !left.is_zero() => beside(),
            // Disconnected: the call panicked, which is as good as no answer.
            Err(_) => {
                return Err(Hangs {
                    waited: begun.elapsed(),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn an_answer_comes_through() {
        assert_eq!(bounded(Duration::from_secs(20), &|| {}, || 7), Ok(7));
    }

    #[test]
    fn a_call_that_hangs_is_given_up_and_the_loop_lives_meanwhile() {
        let (release, never) = channel::<()>();
        let beats = Cell::new(0);
        let limit = LOOK * 2 + LOOK / 2;
        let hangs = bounded(limit, &|| beats.set(beats.get() + 1), move || {
            never.recv().is_err()
        })
        .unwrap_err();
        assert!(hangs.waited >= limit);
        assert!(beats.get() >= 2, "{} signs of life", beats.get());
        drop(release);
    }

    #[test]
    fn a_call_that_panics_is_no_answer() {
        let limit = Duration::from_secs(20);
        let hangs = bounded(limit, &|| {}, || panic!("on purpose")).map(|(): ()| ());
        assert!(hangs.unwrap_err().waited < limit);
    }
}
