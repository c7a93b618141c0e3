//! How far the changelog was seen to go. It only ever grows: one that ends before that was made anew or cut short, and state that is
//! restored from it would lack what nobody would miss.

use std::collections::BTreeMap;

use super::WorkerConfig;
use super::claim::is_reached;
use super::failure::{Failure, WorkerError};

/// Of each partition of the changelog, its furthest end. It is written beside the offsets that are committed, so that it outlives the
/// process.
#[derive(Debug, Default)]
pub(super) struct Written(BTreeMap<i32, i64>);

impl Written {
    /// Takes in where partitions end now.
    pub(super) fn see(
        &mut self,
        config: &WorkerConfig,
        ends: impl IntoIterator<Item = (i32, i64)>,
        alive: &dyn Fn() -> bool,
    ) -> Result<(), Failure> {
        for (partition, end) in ends {
            let Some(was) = self.is_shorter(partition, end) else {
                continue;
            };
            let place = (config.name_of(config.changelog), partition);
            if is_reached(config, &place, was, alive)? {
                continue;
            }
            let (topic, _) = place;
            if config.leaves_rows {
                return Err(Failure::Refused(WorkerError::Lost(format!(
                    "{topic}:{partition} ends at {end}, and went up to {was}: it was made anew or cut short, so what was decided is \
                     lost. To go on without it would open everything again: rebuild (deploy/RUNBOOK.md)"
                ))));
            }
            tracing::error!(
                topic,
                partition,
                "it was made anew or cut short: what it held is counted anew"
            );
            self.0.insert(partition, end);
        }
        Ok(())
    }

    /// A partition went as far as this once.
    pub(super) fn remember(&mut self, partition: i32, end: i64) {
        let furthest = self.0.entry(partition).or_insert(end);
        *furthest = (*furthest).max(end);
    }

    /// What stands beside an offset that a loop commits: its name, and how far the changelog's partition has come.
    pub(super) fn beside(&self, owner: &str, partition: i32) -> String {
        match self.0.get(&partition) {
            Some(end) => format!("{owner} {end}"),
            None => owner.to_owned(),
        }
    }

    /// How far a partition went, if it ends before that now.
    fn is_shorter(&mut self, partition: i32, end: i64) -> Option<i64> {
        self.remember(partition, end);
        self.0.get(&partition).copied().filter(|furthest| end < *furthest)
    }
}

/// The name and the end that stand beside an offset; earlier versions wrote the name alone, and Kafka's own tools nothing.
pub(super) fn read(beside: &str) -> (&str, Option<i64>) {
    let parts = beside.rsplit_once(' ');
    let read = parts.and_then(|(owner, end)| Some((owner, Some(end.parse().ok()?))));
    read.unwrap_or((beside, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_beside_an_offset_is_read_again() {
        let mut written = Written::default();
        assert_eq!(read(&written.beside("loop-1", 3)), ("loop-1", None));
        written.remember(3, 40);
        written.remember(3, 7);
        assert_eq!(read(&written.beside("loop-1", 3)), ("loop-1", Some(40)));
        assert_eq!(written.is_shorter(3, 39), Some(40));
        assert_eq!(read(""), ("", None));
        assert_eq!(read("a loop"), ("a loop", None));
    }

    #[test]
    fn what_ends_before_its_furthest_end_is_shorter() {
        let mut written = Written::default();
        for (partition, end, shorter) in [
            (0, 0, None),
            (0, 40, None),
            (1, 7, None),
            (0, 40, None),
            (0, 39, Some(40)),
            (0, 12, Some(40)),
            (1, 7, None),
            (0, 41, None),
        ] {
            assert_eq!(written.is_shorter(partition, end), shorter, "{partition} {end}");
        }
    }
}
