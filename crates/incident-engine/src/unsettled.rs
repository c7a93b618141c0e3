//! Events that may still be decided again: where they lie, what they name, and until when.
//!
//! Another event's turn can come before an event's own as long as the clock allows one to arrive; after that the event is
//! settled, and nothing of it is kept but its identity.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use city_model::{Event, EventTime, Extent, Kind, MINUTE_MS, Name, Plane, Point, Turn};
use city_rules::{KindId, Rules};
use hashbrown::HashTable;
use rustc_hash::{FxHashMap, FxHasher};

use crate::events::Events;
use crate::{Setting, street};

/// Events are settled in steps of so many milliseconds, so that an incident is written once for many of its events.
const STEP_MS: i64 = 5 * MINUTE_MS;

/// The event bears a name by which an incident is found: then it may be decided by it.
#[derive(Clone, Copy, Hash)]
pub(crate) enum Said<'a> {
    /// Read as a kind in a town, a name that its address is found by, and whether it has a place besides.
    Street(&'a Kind, &'a Name, &'a str, bool),
    /// It is this ticket.
    Ticket(&'a Name),
    /// It cites this ticket.
    Cites(&'a Name),
    /// It names this component, stated or inferred.
    Component(&'a Name),
}

impl Said<'_> {
    /// What it is kept under. Two that differ may share it, once in many cities: then events are decided again that need not be,
    /// which changes nothing.
    fn bearer(self, number: u32) -> Bearer {
        let mut hasher = FxHasher::default();
        self.hash(&mut hasher);
        Bearer {
            mark: (hasher.finish() >> 32) as u32,
            number,
        }
    }
}

impl Bearer {
    fn hash(&self) -> u64 {
        hash_of_mark(self.mark)
    }
}

/// Spreads the bits of a mark over those that a table looks at.
const fn hash_of_mark(mark: u32) -> u64 {
    (mark as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn hash(bucket: Bucket) -> u64 {
    let mut hasher = FxHasher::default();
    bucket.hash(&mut hasher);
    hasher.finish()
}

/// Where an event would be held against the incidents of a kind.
type Bucket = (KindId, i64, i64);

/// An event where it would be held against the incidents of a kind.
#[derive(Debug, Clone, Copy)]
struct Spot {
    point: Point,
    number: u32,
    kind: KindId,
}

/// An event under a name that it bears. Two names share their number once in a thousand looks among a million events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bearer {
    mark: u32,
    number: u32,
}

/// The index. It follows from the rows of the events, and names them by their numbers: their turns are found by those.
#[derive(Debug, Default)]
pub(crate) struct Unsettled {
    /// By their buckets.
    spots: HashTable<Spot>,
    /// The latest place in the order that anything in a wide square had; what left it may still count.
    squares: FxHashMap<Bucket, EventTime>,
    said: HashTable<Bearer>,
    /// Where those lie that cite a ticket: they may be in an incident of any kind.
    citing: BTreeMap<(EventTime, u32), Point>,
    steps: BTreeMap<i64, Vec<u32>>,
    newest: Option<Turn>,
}

/// The time before which nothing can come any more: twice the time that an event may be waited for, behind the clock.
/// What is appended after the clock has its turn at most one such time before it; the second one is for partitions whose
/// records do not come in the order of their times.
pub(crate) fn settled_before(setting: &Setting, clock: EventTime) -> EventTime {
    let exact = clock - 2 * setting.activation.reorder_ms.max(0);
    EventTime::from_millis(exact.millis().div_euclid(STEP_MS) * STEP_MS)
}

impl Unsettled {
    /// Enters what an event said; its turn and its number lead to it.
    pub(crate) fn insert(&mut self, setting: &Setting, event: &Event, (turn, number): (&Turn, u32)) {
        let rules = &setting.rules;
        for (kind, point) in compared_as(setting, event) {
            let spot = Spot { point, number, kind };
            let hash_of = |spot: &Spot| hash(bucket(rules, spot.kind, spot.point));
            self.spots.insert_unique(hash_of(&spot), spot, hash_of);
            let square = square(rules, kind);
            let latest = self
                .squares
                .entry((kind, point.x.div_euclid(square), point.y.div_euclid(square)))
                .or_insert(turn.order);
            *latest = (*latest).max(turn.order);
        }
        if let (Some(_), Some(located)) = (&event.cites, &event.located) {
            let point = setting.plane.project(located.position);
            self.citing.insert((turn.order, number), point);
        }
        for said in says(event) {
            let bearer = said.bearer(number);
            if self.said.find(bearer.hash(), |other| *other == bearer).is_none() {
                self.said.insert_unique(bearer.hash(), bearer, Bearer::hash);
            }
        }
        self.steps
            .entry(turn.order.millis().div_euclid(STEP_MS))
            .or_default()
            .push(number);
        if self.newest.as_ref().is_none_or(|newest| newest < turn) {
            self.newest = Some(turn.clone());
        }
    }

    /// Takes it out; where it was in the order leads to it.
    pub(crate) fn remove(&mut self, setting: &Setting, event: &Event, (order, number): (EventTime, u32)) {
        for (kind, point) in compared_as(setting, event) {
            let hash = hash(bucket(&setting.rules, kind, point));
            let is_it = |spot: &Spot| spot.number == number && spot.kind == kind;
            if let Ok(entry) = self.spots.find_entry(hash, is_it) {
                entry.remove();
            }
        }
        if event.cites.is_some() {
            self.citing.remove(&(order, number));
        }
        for said in says(event) {
            let bearer = said.bearer(number);
            if let Ok(entry) = self.said.find_entry(bearer.hash(), |other| *other == bearer) {
                entry.remove();
            }
        }
        let step = order.millis().div_euclid(STEP_MS);
        if let Some(numbers) = self.steps.get_mut(&step) {
            if let Some(at) = numbers.iter().rposition(|other| *other == number) {
                numbers.swap_remove(at);
            }
            if numbers.is_empty() {
                self.steps.remove(&step);
            }
        }
    }

    /// How many events are held.
    pub(crate) fn count(&self) -> usize {
        self.steps.values().map(Vec::len).sum()
    }

    pub(crate) fn clear(&mut self) {
        *self = Unsettled::default();
    }

    /// Whether every event that is held has its turn before this one.
    pub(crate) fn is_last(&self, turn: &Turn) -> bool {
        self.newest.as_ref().is_none_or(|newest| newest < turn)
    }

    /// The events whose turn is before `before`.
    pub(crate) fn settled(&self, before: EventTime) -> impl Iterator<Item = u32> {
        let step = before.millis().div_euclid(STEP_MS);
        let numbers = self.steps.range(..step).flat_map(|(_, numbers)| numbers);
        numbers.copied()
    }

    /// Lets go of the squares in which everything is settled.
    pub(crate) fn forget_squares(&mut self, before: EventTime) {
        self.squares.retain(|_, latest| *latest >= before);
    }

    /// Whether nothing whose turn is after this one is in an incident of `kind` that may have lain within its cap of a point.
    pub(crate) fn is_last_about(
        &self,
        events: &Events,
        rules: &Rules,
        kind: KindId,
        point: Point,
        turn: &Turn,
    ) -> bool {
        let own = rules.kind(kind);
        let reach = own.cap_mm.saturating_add(own.extent_mm);
        let compared = std::iter::once(kind).chain(own.merges_with.iter().copied());
        let is_empty_since = |compared: KindId| {
            let side = square(rules, compared);
            let range = |at: i64| (at - reach).div_euclid(side)..=(at + reach).div_euclid(side);
            let is_earlier = |bx, by| {
                let latest = self.squares.get(&(compared, bx, by));
                latest.is_none_or(|latest| *latest < turn.order)
            };
            range(point.x).all(|bx| range(point.y).all(|by| is_earlier(bx, by)))
        };
        let region = Extent::about(point, reach);
        let mut citing = self.citing.range((turn.order, 0)..);
        if citing.any(|((_, number), at)| region.is_within(*at, 0) && events.is_after(*number, turn)) {
            return false;
        }
        compared.into_iter().all(is_empty_since)
            || self.is_last_around(events, rules, kind, Extent::about(point, own.extent_mm), turn)
    }

    /// Whether nothing whose turn is after this one is held against incidents of `kind` within its cap of a box.
    pub(crate) fn is_last_around(
        &self,
        events: &Events,
        rules: &Rules,
        kind: KindId,
        extent: Extent,
        turn: &Turn,
    ) -> bool {
        let mut is_last = true;
        self.around(rules, kind, extent, |number| {
            is_last = is_last && !events.is_after(number, turn);
        });
        is_last
    }

    /// Visits all events that are held against incidents of `kind` and lie within its cap of a box.
    pub(crate) fn around(&self, rules: &Rules, kind: KindId, extent: Extent, mut visit: impl FnMut(u32)) {
        let own = rules.kind(kind);
        let cap = own.cap_mm;
        for compared in std::iter::once(kind).chain(own.merges_with.iter().copied()) {
            let side = rules.kind(compared).cap_mm.max(1);
            let range = |min: i64, max: i64| (min - cap).div_euclid(side)..=(max + cap).div_euclid(side);
            for bx in range(extent.min.x, extent.max.x) {
                for by in range(extent.min.y, extent.max.y) {
                    let own = (compared, bx, by);
                    for spot in self.spots.iter_hash(hash(own)) {
                        let is_here = || bucket(rules, spot.kind, spot.point) == own;
                        if extent.is_within(spot.point, cap) && is_here() {
                            visit(spot.number);
                        }
                    }
                }
            }
        }
    }

    /// The events that bear a name, in no order that means anything, and in rare cases others; of a component also those that only
    /// continue.
    pub(crate) fn saying(&self, said: Said<'_>) -> impl Iterator<Item = u32> + use<'_> {
        let mark = said.bearer(0).mark;
        let bearers = self.said.iter_hash(hash_of_mark(mark));
        bearers
            .filter(move |bearer| bearer.mark == mark)
            .map(|bearer| bearer.number)
    }

    /// The events that may be held against incidents of a kind in a town whose address is found by a name: of those
    /// that have a place, or of those that have none.
    pub(crate) fn at_street<'a>(
        &'a self,
        rules: &'a Rules,
        kind: KindId,
        (town, name): (&'a Name, &'a str),
        is_placed: bool,
    ) -> impl Iterator<Item = u32> {
        let own = rules.kind(kind);
        let kinds = std::iter::once(kind).chain(own.merges_with.iter().copied());
        kinds.flat_map(move |kind| self.saying(Said::Street(&rules.kind(kind).name, town, name, is_placed)))
    }
}

/// The kinds as which an event is held against incidents, and where.
fn compared_as<'a>(setting: &'a Setting, event: &'a Event) -> impl Iterator<Item = (KindId, Point)> + 'a {
    let plane: &Plane = &setting.plane;
    event.located.iter().flat_map(move |located| {
        let point = plane.project(located.position);
        std::iter::once(&event.kind)
            .chain(&event.alternatives)
            .filter_map(move |kind| setting.rules.kind_id(kind.as_str()))
            .map(move |kind| (kind, point))
    })
}

/// The names that an event bears.
fn says(event: &Event) -> impl Iterator<Item = Said<'_>> {
    let address = event.town.as_ref().zip(event.address_key.as_deref());
    let streets = address.into_iter().flat_map(|(town, address)| {
        let kinds = || std::iter::once(&event.kind).chain(&event.alternatives);
        let is_placed = event.reported().is_some();
        street::names(address)
            .flat_map(move |name| kinds().map(move |kind| Said::Street(kind, town, name, is_placed)))
    });
    let others = [
        event.ticket.as_ref().map(Said::Ticket),
        event.cites.as_ref().map(Said::Cites),
        event.component.as_ref().map(Said::Component),
    ];
    streets.chain(others.into_iter().flatten())
}

/// The side of a wide square: as far as an incident reaches.
fn square(rules: &Rules, kind: KindId) -> i64 {
    let rule = rules.kind(kind);
    rule.cap_mm.saturating_add(rule.extent_mm).max(1)
}

fn bucket(rules: &Rules, kind: KindId, point: Point) -> Bucket {
    let side = rules.kind(kind).cap_mm.max(1);
    (kind, point.x.div_euclid(side), point.y.div_euclid(side))
}
