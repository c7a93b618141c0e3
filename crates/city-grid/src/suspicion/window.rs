//! The last votes about one source under one declared system, in whole sums per witness.

use std::collections::{BTreeMap, VecDeque};

use city_model::{Plane, Point, Position};
use rustc_hash::FxHashMap;

use super::{Comparison, LooksLike, Witness};
use crate::crs::Crs;

/// Votes kept; a place votes once, by what it said last, so this is about as many places.
const VOTES: usize = 512;
/// Ways to be wrong under each declared system.
pub(super) const WAYS: usize = 3;

/// What one comparison says.
#[derive(Debug, Clone)]
struct Vote {
    place: (Witness, u64),
    as_declared: bool,
    ways: [Way; WAYS],
}

/// What it says about one way to be wrong.
#[derive(Debug, Clone, Copy, Default)]
struct Way {
    supports: bool,
    /// The same vector turned by 90, 180 and 270 degrees meets somebody: what chance does.
    controls: [bool; 3],
    /// From the reference to where the source is put, in millimetres.
    observed: Point,
    /// The same as this way predicts it.
    predicted: Point,
    residual_mm: i64,
}

/// Sums of the votes of one witness.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) votes: i64,
    pub(super) as_declared: i64,
    pub(super) ways: [WayTally; WAYS],
}

/// Sums of one way; the vectors and residuals are those of the supporting votes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct WayTally {
    pub(super) supporting: i64,
    pub(super) controls: [i64; 3],
    pub(super) observed: Point,
    pub(super) predicted: Point,
    pub(super) residual_mm: i64,
}

impl WayTally {
    /// What chance does in its best direction.
    pub(super) fn by_chance(&self) -> i64 {
        self.controls.into_iter().max().unwrap_or(0)
    }

    pub(super) fn add(&mut self, other: &WayTally) {
        self.supporting += other.supporting;
        for (sum, more) in self.controls.iter_mut().zip(other.controls) {
            *sum += more;
        }
        for (sum, more) in [
            (&mut self.observed, other.observed),
            (&mut self.predicted, other.predicted),
        ] {
            sum.x += more.x;
            sum.y += more.y;
        }
        self.residual_mm += other.residual_mm;
    }

    fn count(&mut self, way: &Way, sign: i64) {
        for (sum, hit) in self.controls.iter_mut().zip(way.controls) {
            *sum += i64::from(hit) * sign;
        }
        if way.supports {
            self.supporting += sign;
            self.residual_mm += way.residual_mm * sign;
            for (sum, more) in [
                (&mut self.observed, way.observed),
                (&mut self.predicted, way.predicted),
            ] {
                sum.x += more.x * sign;
                sum.y += more.y * sign;
            }
        }
    }
}

/// The votes, oldest first, and their sums by witness.
#[derive(Debug, Clone, Default)]
pub(super) struct Window {
    /// `None` where a later vote of the same place took over.
    votes: VecDeque<Option<Vote>>,
    /// Votes that have left, so that the number of a vote never changes.
    gone: u64,
    /// Each place's vote, by its number.
    by_place: FxHashMap<(Witness, u64), u64>,
    pub(super) tallies: BTreeMap<Witness, Tally>,
}

impl Window {
    /// Takes a comparison in; `false` when it says nothing.
    pub(super) fn take(&mut self, plane: &Plane, declared: Crs, comparison: &Comparison) -> bool {
        let vote = vote(plane, declared, comparison);
        // A surveyed place that nothing explains is news as well: the source is merely inaccurate. A stranger's is not.
        let says_nothing = comparison.witness != Witness::Registry
            && !vote.as_declared
            && !vote
                .ways
                .iter()
                .any(|way| way.supports || way.controls.contains(&true));
        if says_nothing {
            return false;
        }
        if let Some(number) = self.by_place.remove(&vote.place) {
            let at = number.saturating_sub(self.gone) as usize;
            if let Some(old) = self.votes.get_mut(at).and_then(Option::take) {
                self.count(&old, -1);
            }
        }
        if self.votes.len() >= VOTES {
            self.gone += 1;
            if let Some(old) = self.votes.pop_front().flatten() {
                self.by_place.remove(&old.place);
                self.count(&old, -1);
            }
        }
        self.by_place
            .insert(vote.place.clone(), self.gone + self.votes.len() as u64);
        self.count(&vote, 1);
        self.votes.push_back(Some(vote));
        true
    }

    fn count(&mut self, vote: &Vote, sign: i64) {
        let tally = self.tallies.entry(vote.place.0.clone()).or_default();
        tally.votes += sign;
        tally.as_declared += i64::from(vote.as_declared) * sign;
        for (sum, way) in tally.ways.iter_mut().zip(&vote.ways) {
            sum.count(way, sign);
        }
        if tally.votes == 0 {
            self.tallies.remove(&vote.place.0);
        }
    }
}

/// Holds the references against where the source was put, and against where it would be under each way to be wrong.
fn vote(plane: &Plane, declared: Crs, comparison: &Comparison) -> Vote {
    let own = plane.project(comparison.position);
    let references: Vec<Point> = comparison.references.iter().map(|r| plane.project(*r)).collect();
    let tolerance_mm = comparison.tolerance_mm;
    let meets = |at: Point| {
        references
            .iter()
            .any(|reference| reference.distance_mm(at) <= tolerance_mm)
    };
    let as_declared = meets(own);
    let mut ways = [Way::default(); WAYS];
    if !as_declared {
        for (way, looks) in ways.iter_mut().zip(LooksLike::instead_of(declared)) {
            if let Some(meant) = looks.meant(declared, comparison.position) {
                *way = held_against(own, plane, meant, &references, tolerance_mm);
            }
        }
    }
    Vote {
        place: (comparison.witness.clone(), comparison.place),
        as_declared,
        ways,
    }
}

fn held_against(own: Point, plane: &Plane, meant: Position, references: &[Point], tolerance_mm: i64) -> Way {
    let meant = plane.project(meant);
    let (dx, dy) = (meant.x - own.x, meant.y - own.y);
    let meets = |(dx, dy): (i64, i64)| {
        let at = Point {
            x: own.x + dx,
            y: own.y + dy,
        };
        references
            .iter()
            .any(|reference| reference.distance_mm(at) <= tolerance_mm)
    };
    let nearest = references
        .iter()
        .min_by_key(|reference| reference.distance_mm(meant));
    let supporter = nearest.filter(|reference| reference.distance_mm(meant) <= tolerance_mm);
    Way {
        supports: supporter.is_some(),
        controls: [(-dy, dx), (-dx, -dy), (dy, -dx)].map(meets),
        observed: supporter.map_or(Point::default(), |reference| Point {
            x: own.x - reference.x,
            y: own.y - reference.y,
        }),
        predicted: Point { x: -dx, y: -dy },
        residual_mm: supporter.map_or(0, |reference| reference.distance_mm(meant)),
    }
}

#[cfg(test)]
impl Window {
    /// Whether sums, numbers and bounds are what the votes make them.
    pub(super) fn is_sound(&self) -> bool {
        let mut fresh = Window::default();
        for vote in self.votes.iter().flatten() {
            fresh.count(vote, 1);
        }
        let live = self.votes.iter().flatten().count();
        let numbered = self.by_place.iter().all(|(place, number)| {
            let at = (number - self.gone) as usize;
            self.votes[at].as_ref().is_some_and(|vote| vote.place == *place)
        });
        let (own, expected) = (format!("{:?}", self.tallies), format!("{:?}", fresh.tallies));
        own == expected && numbered && live == self.by_place.len() && self.votes.len() <= VOTES
    }
}
