//! The simulation as a stream: scenes are played when the clock reaches their start, so that a million records need no
//! more memory than the scenes that are under way.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::city::City;
use crate::gauges;
use crate::plan::Plan;
use crate::record::{Draft, SimulatedRecord};
use crate::scene::stage;

/// Records by arrival.
pub(crate) struct Stream {
    plan: Plan,
    next_scene: usize,
    next_quiet: usize,
    next_warning: usize,
    waiting: BinaryHeap<Reverse<Waiting>>,
}

/// A record that has been made and has not arrived. Equal arrivals: warnings, scenes in their order, quiet readings.
struct Waiting {
    arrival_ms: i64,
    rank: u64,
    draft: Draft,
}

impl Waiting {
    fn key(&self) -> (i64, u64) {
        (self.arrival_ms, self.rank)
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl Stream {
    pub(crate) fn new(plan: Plan) -> Stream {
        Stream {
            plan,
            next_scene: 0,
            next_quiet: 0,
            next_warning: 0,
            waiting: BinaryHeap::new(),
        }
    }

    pub(crate) fn next(&mut self, city: &City) -> Option<SimulatedRecord> {
        // Nothing of a scene arrives before its start, so the first that waits is the next as soon as every scene,
        // quiet reading and warning up to its arrival has been made.
        loop {
            let until = self
                .waiting
                .peek()
                .map_or(i64::MAX, |Reverse(first)| first.arrival_ms);
            if !self.make_next(city, until) {
                break;
            }
        }
        let Reverse(first) = self.waiting.pop()?;
        Some(first.draft.record())
    }

    /// Makes the records of the next scene, warning or quiet reading that begins no later than `until`.
    fn make_next(&mut self, city: &City, until: i64) -> bool {
        if let Some(warning) = self.plan.warnings.get(self.next_warning)
            && warning.arrival_ms <= until
        {
            let draft = warning.clone();
            self.push(draft, self.next_warning as u64);
            self.next_warning += 1;
            return true;
        }
        if let Some(scene) = self.plan.scenes.get(self.next_scene).copied()
            && scene.start <= until
        {
            self.next_scene += 1;
            for (at, draft) in stage(city, &scene).into_iter().take(scene.take).enumerate() {
                self.push(draft, ((u64::from(scene.index) + 1) << 20) | at as u64);
            }
            return true;
        }
        let at = self.quiet_moment(self.next_quiet);
        if self.next_quiet < self.plan.quiet && at <= until {
            let number = self.next_quiet;
            let before = self.quiet_moment(number.saturating_sub(1));
            let draft = gauges::quiet(city, &self.plan.occupation, number, at, before);
            self.push(draft, (1 << 60) | number as u64);
            self.next_quiet += 1;
            return true;
        }
        false
    }

    /// Quiet readings come evenly over the span.
    fn quiet_moment(&self, number: usize) -> i64 {
        self.plan
            .tempo
            .moment(number as f64 / self.plan.quiet.max(1) as f64)
    }

    fn push(&mut self, draft: Draft, rank: u64) {
        self.waiting.push(Reverse(Waiting {
            arrival_ms: draft.arrival_ms,
            rank,
            draft,
        }));
    }
}
