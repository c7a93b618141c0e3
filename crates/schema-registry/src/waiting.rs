//! How long to wait before asking again: longer each time, never longer than a limit.

use std::time::Duration;

/// A growing pause.
#[derive(Debug, Clone)]
pub(crate) struct Pause {
    next: Duration,
    first: Duration,
    longest: Duration,
}

impl Pause {
    pub(crate) fn new(first: Duration, longest: Duration) -> Pause {
        Pause {
            next: first,
            first,
            longest,
        }
    }

    /// The pause after one more failure: twice the last one.
    pub(crate) fn grow(&mut self) -> Duration {
        let pause = self.next;
        self.next = pause.saturating_mul(2).min(self.longest);
        pause
    }

    /// It went well: the next failure is a first one.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_limit_and_begin_anew() {
        let ms = Duration::from_millis;
        let mut pause = Pause::new(ms(100), ms(350));
        assert_eq!(
            [pause.grow(), pause.grow(), pause.grow(), pause.grow()],
            [ms(100), ms(200), ms(350), ms(350)]
        );
        pause.reset();
        assert_eq!(pause.grow(), ms(100));
    }
}
