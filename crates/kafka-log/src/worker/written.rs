//! How far the changelog was seen to go. It only ever grows: one that ends before that was made anew or cut short, and state that is
//! restored from it would lack what nobody would miss.

use std::collections::BTreeMap;

use super::WorkerConfig;
use super::claim::is_reached;
use super::failure::{Failure, WorkerError};
use crate::probe::Place;

/// Of each partition of the changelog, its furthest end. It is written beside the offsets that are committed, so that it outlives the
/// process.
#[derive(Debug, Default)]
pub(super) struct Written(BTreeMap<Place, i64>);

impl Written {
    /// Takes in where partitions end now.
    pub(super) fn see(
        &mut self,
        config: &WorkerConfig,
        ends: impl IntoIterator<Item = (Place, i64)>,
        alive: &dyn Fn() -> bool,
    ) -> Result<(), Failure> {
        for (place, end) in ends {
            let Some(was) = self.is_shorter(&place, end) else {
                continue;
            };
            match is_reached(config, &place, was, alive) {
                Some(true) => continue,
                Some(false) => {}
                None => {
                    let text = format!("whether {}:{} goes up to {was} is not known", place.0, place.1);
                    return Err(Failure::Retry(text));
                }
            }
            if !config.leaves_rows {
                tracing::error!(
                    topic = place.0,
                    partition = place.1,
                    "it was made anew or cut short: what it held is counted anew"
                );
                self.0.insert(place, end);
                continue;
            }
            let (topic, partition) = place;
            return Err(Failure::Refused(WorkerError::Lost(format!(
                "{topic}:{partition} ends at {end}, and went up to {was}: it was made anew or cut short, so what was decided is lost. \
                 To go on without it would open everything again: rebuild (deploy/RUNBOOK.md)"
            ))));
        }
        Ok(())
    }

    /// A partition went as far as this once.
    pub(super) fn remember(&mut self, place: Place, end: i64) {
        let furthest = self.0.entry(place).or_insert(end);
        *furthest = (*furthest).max(end);
    }

    /// What stands beside an offset that a loop commits: its name, and how far the changelog's partition has come.
    pub(super) fn beside(&self, owner: &str, place: &Place) -> String {
        match self.0.get(place) {
            Some(end) => format!("{owner} {end}"),
            None => owner.to_owned(),
        }
    }

    /// How far a partition went, if it ends before that now.
    fn is_shorter(&mut self, place: &Place, end: i64) -> Option<i64> {
        let furthest = self.0.entry(place.clone()).or_insert(end);
        let was = *furthest;
        *furthest = was.max(end);
        (end < was).then_some(was)
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
        let place = ("changelog".to_owned(), 3);
        let mut written = Written::default();
        assert_eq!(read(&written.beside("loop-1", &place)), ("loop-1", None));
        written.remember(place.clone(), 40);
        written.remember(place.clone(), 7);
        assert_eq!(read(&written.beside("loop-1", &place)), ("loop-1", Some(40)));
        assert_eq!(written.is_shorter(&place, 39), Some(40));
        assert_eq!(read(""), ("", None));
        assert_eq!(read("a loop"), ("a loop", None));
    }

    #[test]
    fn what_ends_before_its_furthest_end_is_shorter() {
        let mut written = Written::default();
        let place = |partition| ("changelog".to_owned(), partition);
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
            assert_eq!(
                written.is_shorter(&place(partition), end),
                shorter,
                "{partition} {end}"
            );
        }
    }
}
