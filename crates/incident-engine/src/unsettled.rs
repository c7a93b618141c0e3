//! Events that may still be decided again: where they lie, what they name, and until when.
//!
//! Another event's turn can come before an event's own as long as the clock allows one to arrive; after that the event is
//! settled, and nothing of it is kept but its identity.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::ops::Bound;
use std::sync::Arc;

use city_model::{Event, EventKey, EventTime, Extent, Kind, MINUTE_MS, Name, Plane, Point, Turn};
use city_rules::{KindId, Rules};
use rustc_hash::{FxHashMap, FxHasher};

use crate::few::Few;
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
    fn mark(self) -> u64 {
        let mut hasher = FxHasher::default();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

/// Where an event would be held against the incidents of a kind.
type Bucket = (KindId, i64, i64);

/// The index. It follows from the rows of the events. A turn is kept once, however many lists name it.
#[derive(Debug, Default)]
pub(crate) struct Unsettled {
    places: FxHashMap<Bucket, Few<(Point, Arc<Turn>)>>,
    /// The latest place in the order that anything in a wide square had; what left it may still count.
    squares: FxHashMap<Bucket, EventTime>,
    /// In the order of turns; mostly there is one.
    said: FxHashMap<u64, Few<Arc<Turn>>>,
    /// Where those lie that cite a ticket: they may be in an incident of any kind.
    citing: BTreeMap<Arc<Turn>, Point>,
    steps: BTreeMap<i64, Vec<Arc<Turn>>>,
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
    pub(crate) fn insert(&mut self, setting: &Setting, event: &Event, turn: &Turn) {
        let turn = &Arc::new(turn.clone());
        for (kind, point) in compared_as(setting, event) {
            let places = self
                .places
                .entry(bucket(&setting.rules, kind, point))
                .or_default();
            places.push((point, turn.clone()));
            let square = square(&setting.rules, kind);
            let latest = self
                .squares
                .entry((kind, point.x.div_euclid(square), point.y.div_euclid(square)))
                .or_insert(turn.order);
            *latest = (*latest).max(turn.order);
        }
        if let (Some(_), Some(located)) = (&event.cites, &event.located) {
            let point = setting.plane.project(located.position);
            self.citing.insert(turn.clone(), point);
        }
        for said in says(event) {
            let turns = self.said.entry(said.mark()).or_default();
            if let Err(at) = turns.as_slice().binary_search(turn) {
                turns.insert(at, turn.clone());
            }
        }
        self.steps
            .entry(turn.order.millis().div_euclid(STEP_MS))
            .or_default()
            .push(turn.clone());
        if self.newest.as_ref().is_none_or(|newest| *newest < **turn) {
            self.newest = Some(Turn::clone(turn));
        }
    }

    pub(crate) fn remove(&mut self, setting: &Setting, event: &Event, turn: &Turn) {
        for (kind, point) in compared_as(setting, event) {
            let key = bucket(&setting.rules, kind, point);
            if let Some(entries) = self.places.get_mut(&key) {
                let mut all = entries.as_slice().iter();
                if let Some(at) = all.position(|(_, entry)| **entry == *turn) {
                    entries.swap_remove(at);
                }
                if entries.as_slice().is_empty() {
                    self.places.remove(&key);
                }
            }
        }
        if event.cites.is_some() {
            self.citing.remove(turn);
        }
        for said in says(event) {
            if let Some(turns) = self.said.get_mut(&said.mark()) {
                if let Ok(at) = turns.as_slice().binary_search_by(|other| (**other).cmp(turn)) {
                    turns.remove(at);
                }
                if turns.as_slice().is_empty() {
                    self.said.remove(&said.mark());
                }
            }
        }
        let step = turn.order.millis().div_euclid(STEP_MS);
        if let Some(keys) = self.steps.get_mut(&step) {
            if let Some(at) = keys.iter().rposition(|other| other.key == turn.key) {
                keys.swap_remove(at);
            }
            if keys.is_empty() {
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
    pub(crate) fn settled(&self, before: EventTime) -> impl Iterator<Item = &EventKey> {
        let step = before.millis().div_euclid(STEP_MS);
        let turns = self.steps.range(..step).flat_map(|(_, turns)| turns);
        turns.map(|turn| &turn.key)
    }

    /// Lets go of the squares in which everything is settled.
    pub(crate) fn forget_squares(&mut self, before: EventTime) {
        self.squares.retain(|_, latest| *latest >= before);
    }

    /// Whether nothing whose turn is after this one is in an incident of `kind` that may have lain within its cap of a point.
    pub(crate) fn is_last_about(&self, rules: &Rules, kind: KindId, point: Point, turn: &Turn) -> bool {
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
        let later = (Bound::Excluded(turn), Bound::Unbounded);
        if self
            .citing
            .range::<Turn, _>(later)
            .any(|(_, at)| region.is_within(*at, 0))
        {
            return false;
        }
        compared.into_iter().all(is_empty_since)
            || self.is_last_around(rules, kind, Extent::about(point, own.extent_mm), turn)
    }

    /// Whether nothing whose turn is after this one is held against incidents of `kind` within its cap of a box.
    pub(crate) fn is_last_around(&self, rules: &Rules, kind: KindId, extent: Extent, turn: &Turn) -> bool {
        let mut is_last = true;
        self.around(rules, kind, extent, |other| is_last &= other <= turn);
        is_last
    }

    /// Visits the turns of all events that are held against incidents of `kind` and lie within its cap of a box.
    pub(crate) fn around<'a>(
        &'a self,
        rules: &Rules,
        kind: KindId,
        extent: Extent,
        mut visit: impl FnMut(&'a Turn),
    ) {
        let own = rules.kind(kind);
        let cap = own.cap_mm;
        for compared in std::iter::once(kind).chain(own.merges_with.iter().copied()) {
            let side = rules.kind(compared).cap_mm.max(1);
            let range = |min: i64, max: i64| (min - cap).div_euclid(side)..=(max + cap).div_euclid(side);
            for bx in range(extent.min.x, extent.max.x) {
                for by in range(extent.min.y, extent.max.y) {
                    let places = self.places.get(&(compared, bx, by));
                    for (point, turn) in places.map_or(&[][..], Few::as_slice) {
                        if extent.is_within(*point, cap) {
                            visit(turn);
                        }
                    }
                }
            }
        }
    }

    /// The turns of the events that bear a name, and in rare cases others; of a component also those that only continue.
    pub(crate) fn saying(&self, said: Said<'_>) -> impl Iterator<Item = &Turn> + use<'_> {
        let turns = self.said.get(&said.mark()).map_or(&[][..], Few::as_slice);
        turns.iter().map(|turn| &**turn)
    }

    /// The turns of the events that may be held against incidents of a kind in a town whose address is found by a name: of those
    /// that have a place, or of those that have none.
    pub(crate) fn at_street<'a>(
        &'a self,
        rules: &'a Rules,
        kind: KindId,
        (town, name): (&'a Name, &'a str),
        is_placed: bool,
    ) -> impl Iterator<Item = &'a Turn> {
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
