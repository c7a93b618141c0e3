//! The committed changes of incidents as they come: how far each partition is read, who listens, and what is gone.
//!
//! Where a listener stands is told by offsets of `city.incidents.v1`, so it means the same at every process. It keeps no
//! history: what has changed since an offset is on the board, but for what was removed, of which the newest are kept here.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use city_model::{EventTime, Name};
use tokio::sync::broadcast;

use crate::board::Entry;

/// How many removed incidents are remembered; who was told less than all before them begins anew.
const GONE_MAX: usize = 10_000;
/// A tombstone lies in its topic for a day (`topics plan`), and then perhaps no longer: nobody can tell from a log that is
/// read today what was removed earlier. An hour is for clocks that differ.
const GONE_KNOWN_MS: i64 = 23 * 3_600_000;
/// Partitions in a position that somebody sends; far more than any topic of a city has.
const PARTITIONS_MAX: usize = 1_024;

/// Where a record of `city.incidents.v1` lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
}

/// The last offset of each partition that is read, or was told. As a text: `0:123,1:45`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Position(BTreeMap<i32, i64>);

impl Position {
    /// The last offset of a partition; -1 where there is none.
    pub fn of(&self, partition: i32) -> i64 {
        self.0.get(&partition).copied().unwrap_or(-1)
    }

    /// Whether a record is not beyond it.
    pub fn holds(&self, place: Place) -> bool {
        place.offset <= self.of(place.partition)
    }

    /// Moves up to a record; never back.
    pub fn advance(&mut self, place: Place) {
        let offset = self.0.entry(place.partition).or_insert(place.offset);
        *offset = (*offset).max(place.offset);
    }

    /// Whether it is beyond another one in no partition.
    fn is_within(&self, other: &Position) -> bool {
        self.0
            .iter()
            .all(|(partition, offset)| *offset <= other.of(*partition))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (partition, offset)) in self.0.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            write!(f, "{comma}{partition}:{offset}")?;
        }
        Ok(())
    }
}

impl FromStr for Position {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Position, &'static str> {
        const WRONG: &str = "no position in city.incidents.v1, such as 0:123,1:45";
        let mut position = BTreeMap::new();
        for part in text.split(',').filter(|_| !text.is_empty()) {
            let (partition, offset) = part.split_once(':').ok_or(WRONG)?;
            let partition: i32 = partition.trim().parse().map_err(|_| WRONG)?;
            let offset: i64 = offset.trim().parse().map_err(|_| WRONG)?;
            if partition < 0 || offset < 0 || position.len() >= PARTITIONS_MAX {
                return Err(WRONG);
            }
            if position.insert(partition, offset).is_some() {
                return Err(WRONG);
            }
        }
        Ok(Position(position))
    }
}

/// A committed change of one incident.
#[derive(Debug)]
pub struct Change {
    /// Where its record lies.
    pub place: Place,
    /// The incident.
    pub id: Name,
    /// What was there.
    pub before: Option<Arc<Entry>>,
    /// What is there now; `None` when it was removed.
    pub after: Option<Arc<Entry>>,
}

/// Tells changes to whoever listens.
#[derive(Debug)]
pub struct Feed {
    state: Mutex<State>,
    /// One ring for all listeners: one that falls behind by more is cut off, and keeps nothing in memory.
    changes: broadcast::Sender<Arc<Change>>,
    gone_known_from: EventTime,
}

#[derive(Debug, Default)]
struct State {
    reached: Position,
    gone: VecDeque<(Place, Name)>,
    /// What was removed up to here is not known any more.
    forgotten: Position,
}

/// Where a new listener is taken from.
#[derive(Debug)]
pub struct Opening {
    /// Every change beyond `reached` comes here.
    pub changes: broadcast::Receiver<Arc<Change>>,
    /// The board holds all changes up to here.
    pub reached: Position,
    /// What it gets first.
    pub first: First,
}

/// What a listener gets before the changes to come.
#[derive(Debug, PartialEq, Eq)]
pub enum First {
    /// What changed since, from the board, and what was removed since.
    Since(Vec<(Place, Name)>),
    /// Everything: nobody knows any more what was removed since.
    TooOld,
    /// This process has not read so far yet.
    Ahead,
}

impl Feed {
    /// A feed whose listeners may fall so many changes behind; `now` is the wall clock's.
    pub fn new(behind: usize, now: EventTime) -> Feed {
        Feed {
            state: Mutex::default(),
            changes: broadcast::Sender::new(behind.max(1)),
            gone_known_from: EventTime::from_millis(now.millis().saturating_sub(GONE_KNOWN_MS)),
        }
    }

    /// A record was read, appended at this time, and what it changed is on the board already.
    pub fn read(&self, place: Place, appended: EventTime, change: Option<Change>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if appended < self.gone_known_from {
            state.forgotten.advance(place);
        }
        let again = state.reached.holds(place);
        state.reached.advance(place);
        let Some(change) = change else { return };
        if change.after.is_none() && !again {
            state.gone.push_back((place, change.id.clone()));
            if state.gone.len() > GONE_MAX
                && let Some((oldest, _)) = state.gone.pop_front()
            {
                state.forgotten.advance(oldest);
            }
        }
        // Under the lock, so that who opens gets exactly what comes behind `reached`. It fails when nobody listens.
        let _ = self.changes.send(Arc::new(change));
    }

    /// Begins to listen behind `since`, which an earlier listener was told; `None` begins anew.
    pub fn open(&self, since: &Position) -> Opening {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let first = if !since.is_within(&state.reached) {
            First::Ahead
        } else if !state.forgotten.is_within(since) {
            First::TooOld
        } else {
            let gone = state.gone.iter().filter(|(place, _)| !since.holds(*place));
            First::Since(gone.cloned().collect())
        };
        Opening {
            changes: self.changes.subscribe(),
            reached: state.reached.clone(),
            first,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: EventTime = EventTime::from_millis(1_800_000_000_000);

    fn at(partition: i32, offset: i64) -> Place {
        Place { partition, offset }
    }

    fn gone(feed: &Feed, place: Place, id: &str) {
        let change = Change {
            place,
            id: id.into(),
            before: None,
            after: None,
        };
        feed.read(place, NOW, Some(change));
    }

    fn since(text: &str) -> Position {
        text.parse().unwrap()
    }

    proptest! {
        #[test]
        fn a_position_is_read_as_it_was_written(
            offsets in proptest::collection::btree_map(0..2_000_i32, 0..i64::MAX, 0..20),
            noise in "[0-9:, -]{0,20}",
        ) {
            let position = Position(offsets);
            prop_assert_eq!(since(&position.to_string()), position);
            let _ = noise.parse::<Position>();
        }
    }

    #[test]
    fn what_is_no_position_is_refused() {
        for text in [
            "0", "0:", ":1", "0:1,", "a:1", "0:-1", "-1:0", "0:1,0:2", "0:1;1:2",
        ] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
        let many: Vec<String> = (0..2_000).map(|partition| format!("{partition}:1")).collect();
        assert!(many.join(",").parse::<Position>().is_err());
    }

    #[test]
    fn tells_what_was_removed_since() {
        let feed = Feed::new(4, NOW);
        gone(&feed, at(0, 3), "a");
        gone(&feed, at(1, 7), "b");
        feed.read(at(0, 9), NOW, None);
        let opening = feed.open(&since("0:3,1:6"));
        assert_eq!(opening.reached, since("0:9,1:7"));
        assert_eq!(opening.first, First::Since(vec![(at(1, 7), "b".into())]));
        assert_eq!(feed.open(&since("0:10,1:7")).first, First::Ahead);
        assert_eq!(feed.open(&since("2:0")).first, First::Ahead);
    }

    #[test]
    fn what_is_older_than_all_known_removals_begins_anew() {
        let feed = Feed::new(4, NOW);
        let long_ago = EventTime::from_millis(NOW.millis() - 24 * 3_600_000);
        feed.read(at(0, 5), long_ago, None);
        feed.read(at(0, 6), NOW, None);
        assert_eq!(feed.open(&since("0:4")).first, First::TooOld);
        assert_eq!(feed.open(&since("")).first, First::TooOld);
        assert_eq!(feed.open(&since("0:5")).first, First::Since(Vec::new()));
        for nth in 0..=GONE_MAX as i64 {
            gone(&feed, at(1, nth), "x");
        }
        assert_eq!(feed.open(&since("0:6")).first, First::TooOld);
        let First::Since(told) = feed.open(&since("0:6,1:0")).first else {
            panic!("the oldest is forgotten, the others are known");
        };
        assert_eq!(told.len(), GONE_MAX);
    }

    #[test]
    fn who_falls_too_far_behind_is_told_so() {
        let feed = Feed::new(4, NOW);
        let mut opening = feed.open(&Position::default());
        for nth in 0..9 {
            gone(&feed, at(0, nth), "x");
        }
        let lagged = opening.changes.try_recv().unwrap_err();
        assert!(
            matches!(lagged, broadcast::error::TryRecvError::Lagged(_)),
            "{lagged}"
        );
    }
}
