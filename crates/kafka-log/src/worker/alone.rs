//! A loop that has no partitions: whether others of its group have them all, or the group has lost it.
//!
//! A client that was away while its broker stood still may never join again, and says nothing of it. Nothing else of such a loop
//! shows it: without partitions there is no position to ask for and no transaction to commit.

use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;

use super::REACH_TIMEOUT;
use super::failure::Failure;
use super::group::GroupConsumer;
use super::looked::Looked;
use super::session::{LAG_EVERY, Work};
use crate::admin;

/// How long a group that answers may be without any member before the loop takes a new client. Joining takes a few seconds, and a
/// member that is gone is waited for as long as its session lasts.
const ALONE_MAX: Duration = Duration::from_secs(60);

/// What a look at the group found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// It has members.
    Members,
    /// It has none.
    Nobody,
    /// Some broker does not say: any of them may be the one that knows.
    Unknown,
}

/// Since when the group has had no member while its broker was there.
#[derive(Debug, Default)]
pub(super) struct Alone {
    since: Option<Instant>,
    looked: Looked,
}

impl Alone {
    /// Whether a look is due.
    fn is_due(&mut self, now: Instant) -> bool {
        self.looked.is_due(now, LAG_EVERY)
    }

    /// Takes in what was found; for how long nobody was there, once that is too long.
    fn found(&mut self, found: Found, now: Instant) -> Option<Duration> {
        match found {
            Found::Members | Found::Unknown => self.since = None,
            Found::Nobody => {
                let since = *self.since.get_or_insert(now);
                let alone = now.saturating_duration_since(since);
                return (alone >= ALONE_MAX).then_some(alone);
            }
        }
        None
    }
}

impl Work<'_> {
    /// Looks at the group every few seconds while the loop has no partitions.
    pub(super) fn look_at_group(&mut self, consumer: &GroupConsumer) -> Result<(), Failure> {
        if !self.tasks.is_empty() || self.config.embedded {
            self.alone = Alone::default();
            return Ok(());
        }
        if !self.alone.is_due(Instant::now()) {
            return Ok(());
        }
        let group = consumer.fetch_group_list(Some(&self.config.group_id), REACH_TIMEOUT);
        let found = match &group {
            Ok(list) if list.groups().iter().any(|group| !group.members().is_empty()) => Found::Members,
            Ok(_) => Found::Nobody,
            Err(error) => {
                tracing::debug!(worker = self.config.name, %error, "the group was not seen");
                Found::Unknown
            }
        };
        let is_answered = match found {
            Found::Members => true,
            Found::Nobody => false,
            // One broker of several may be away for hours.
            Found::Unknown => admin::reachable(&self.config.properties, REACH_TIMEOUT).is_ok(),
        };
        if is_answered {
            self.observer.answered(self.config.name);
        }
        match self.alone.found(found, Instant::now()) {
            Some(alone) => Err(Failure::Hangs(format!(
                "nobody is in the group {} for {} s, and this loop does not get in",
                self.config.group_id,
                alone.as_secs()
            ))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_that_answers_and_has_nobody_is_not_waited_for_for_ever() {
        let (mut alone, now) = (Alone::default(), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        assert_eq!(alone.found(Found::Nobody, at(0)), None);
        assert_eq!(alone.found(Found::Nobody, at(59)), None);
        let minute = Duration::from_secs(60);
        assert_eq!(alone.found(Found::Nobody, at(60)), Some(minute));
        // Others have the partitions, or a broker is away: that is no fault of the client.
        for other in [Found::Members, Found::Unknown] {
            alone = Alone::default();
            assert_eq!(alone.found(Found::Nobody, at(0)), None);
            assert_eq!(alone.found(other, at(50)), None);
            assert_eq!(alone.found(Found::Nobody, at(70)), None);
            assert_eq!(alone.found(Found::Nobody, at(129)), None);
            assert_eq!(alone.found(Found::Nobody, at(130)), Some(minute));
        }
    }

    #[test]
    fn it_looks_every_few_seconds() {
        let (mut alone, now) = (Alone::default(), Instant::now());
        assert!(alone.is_due(now));
        assert!(!alone.is_due(now + LAG_EVERY / 2));
        assert!(alone.is_due(now + LAG_EVERY));
    }
}
