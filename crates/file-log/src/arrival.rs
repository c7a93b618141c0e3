//! When each line of a file arrived: told by the record, mended where a record cannot be believed.

use city_model::{DAY_MS, EventTime};

/// 2020-01-01T00:00:00Z: no record of this system is older.
const EARLIEST: EventTime = EventTime::from_millis(1_577_836_800_000);
/// A record further ahead of its predecessor than this tells a wrong time.
const FURTHEST_AHEAD_MS: i64 = 30 * DAY_MS;

/// The arrival times of one file's lines, in order. A time that is missing, goes backward, lies before 2020 or more than
/// 30 days ahead takes its predecessor's.
#[derive(Debug, Default)]
pub struct Arrivals {
    last: Option<EventTime>,
}

impl Arrivals {
    /// The arrival of the next line, given what its record tells. `None` while no line so far told a plausible time:
    /// those lines arrive with the first that does.
    pub fn next(&mut self, told: Option<EventTime>) -> Option<EventTime> {
        let plausible = told.filter(|at| *at >= EARLIEST).filter(|at| {
            self.last
                .is_none_or(|last| *at >= last && *at - last <= FURTHEST_AHEAD_MS)
        });
        self.last = plausible.or(self.last);
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unbelievable_times_take_their_predecessors() {
        let at = |day: i64| Some(EARLIEST + day * DAY_MS);
        let mut arrivals = Arrivals::default();
        let mut next = |told| arrivals.next(told);
        assert_eq!(next(None), None);
        assert_eq!(next(at(-1)), None, "before 2020");
        assert_eq!(next(at(100)), at(100));
        assert_eq!(next(at(99)), at(100), "backward");
        assert_eq!(next(at(131)), at(100), "more than 30 days ahead");
        assert_eq!(next(None), at(100));
        assert_eq!(next(at(130)), at(130), "30 days exactly");
    }
}
