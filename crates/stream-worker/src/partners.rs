//! Who else reports the same thing: holds an event's position against what other source systems report near by, so that a
//! source with the wrong coordinate system is noticed. It observes, and changes no decision.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use city_grid::Crs;
use city_grid::suspicion::{Comparison, Witness};
use city_model::{Event, EventTime, Name, Plane, Point, Position, Signal};
use city_rules::KindId;
use rustc_hash::{FxHashMap, FxHasher};

use crate::{InForce, Setup, Standing};

/// Is told where sources put things that somebody else knows the place of.
pub trait PlaceObserver: Send + Sync {
    /// These were held against each other.
    fn compared(&self, comparisons: Vec<Comparison>);
}

/// Baidu's offset is 1,079 to 1,168 m in Shanghai; with 150 m around, its end lies in a neighbouring cell of this side.
const CELL_MM: i64 = 1_400_000;
/// Reports of one kind that a cell remembers.
const CELL_REPORTS: usize = 48;
/// Cells that are remembered; a storm over a district fills some hundreds a kind.
const CELLS: usize = 4_096;
/// Components, tickets and addresses that are remembered.
const THINGS: usize = 8_192;
/// Less exact positions say nothing about an offset.
const U_MM_MAX: i64 = 100_000;
/// Source systems that are numbered; beyond, all is forgotten and met anew.
const SYSTEMS: usize = 1 << 16;
/// Reports of one system this close together are one witness.
const SAME_MM: i64 = 50_000;
/// Within so much two positions may be of one thing, whatever the kind's radius is, in millimetres.
const TOLERANCE_MM: (i64, i64) = (60_000, 150_000);
/// A neighbourhood votes once: many calls about one thing are one coincidence.
const NEIGHBOURHOOD_MM: i64 = 500_000;

/// What was reported lately, by kind and place, and by component, ticket and address.
pub(crate) struct Partners {
    setup: Arc<Setup>,
    /// Where a newer setup is found, with the generation of this one.
    in_force: Option<(Arc<InForce>, u64)>,
    plane: Plane,
    cells: FxHashMap<(KindId, i64, i64), VecDeque<Seen>>,
    /// In the order in which they were first filled.
    cells_by_age: VecDeque<(KindId, i64, i64)>,
    things: FxHashMap<u64, Seen>,
    things_by_age: VecDeque<u64>,
    systems: Systems,
}

/// The source systems that were met, by number: reports are held against each other by the dozen, and numbers compare
/// faster than names.
#[derive(Debug, Default)]
struct Systems {
    names: Vec<Name>,
    numbers: FxHashMap<Name, u32>,
}

impl Systems {
    fn number(&mut self, name: &Name) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len() as u32;
        self.names.push(name.clone());
        self.numbers.insert(name.clone(), number);
        number
    }
}

/// A report that others are held against.
#[derive(Debug, Clone, Copy)]
struct Seen {
    system: u32,
    position: Position,
    point: Point,
    at: EventTime,
}

impl Partners {
    pub(crate) fn new(setup: Arc<Setup>) -> Partners {
        Partners {
            plane: Plane::at(setup.origin),
            setup,
            in_force: None,
            cells: FxHashMap::default(),
            cells_by_age: VecDeque::new(),
            things: FxHashMap::default(),
            things_by_age: VecDeque::new(),
            systems: Systems::default(),
        }
    }

    /// The same under whatever is put in force.
    pub(crate) fn following(in_force: Arc<InForce>) -> Partners {
        let (generation, Standing { setup, .. }) = in_force.standing();
        Partners {
            in_force: Some((in_force, generation)),
            ..Partners::new(setup)
        }
    }

    fn catch_up(&mut self) {
        if let Some((in_force, seen)) = &mut self.in_force
            && let Some((generation, standing)) = in_force.newer_than(*seen)
        {
            *seen = generation;
            self.setup = standing.setup;
        }
    }

    /// Holds an event against what others reported, and remembers it: where its source put it, without what its address says,
    /// which would hide a wrong system.
    pub(crate) fn meet(&mut self, event: &Event) -> Vec<Comparison> {
        self.catch_up();
        let Some(located) = event.reported().filter(|located| located.u_mm <= U_MM_MAX) else {
            return Vec::new();
        };
        let setup = self.setup.clone();
        let Some(kind) = setup.rules.kind_id(event.kind.as_str()) else {
            return Vec::new();
        };
        let rule = setup.rules.kind(kind);
        if event.signal != Signal::Report || rule.moving {
            return Vec::new();
        }
        if self.systems.names.len() >= SYSTEMS {
            *self = Partners {
                in_force: self.in_force.take(),
                ..Partners::new(setup.clone())
            };
        }
        let seen = Seen {
            system: self.systems.number(&event.key.source_system),
            position: located.position,
            point: self.plane.project(located.position),
            at: event.event_time,
        };
        let things = things(event);
        let mut comparisons = Vec::new();
        // A record's own word about its system is no evidence for or against what is configured. The registry's place is a
        // good reference, but not the source's word.
        if let Some(declared) = event
            .declared_crs
            .or_else(|| setup.intake.declared(&event.key.source_system))
            .filter(|_| !setup.intake.is_surveyed(event))
        {
            let tolerance_mm = (rule.radius_mm + located.u_mm).clamp(TOLERANCE_MM.0, TOLERANCE_MM.1);
            self.by_place(
                &seen,
                (kind, rule.gap_ms),
                (declared, tolerance_mm),
                &mut comparisons,
            );
            self.by_thing(&seen, &things, declared, &mut comparisons);
        }
        self.remember(kind, &seen);
        for thing in things {
            self.remember_thing(thing, seen);
        }
        comparisons
    }

    /// Reports of the same kind within its gap, by system.
    fn by_place(
        &self,
        own: &Seen,
        (kind, gap_ms): (KindId, i64),
        (declared, tolerance_mm): (Crs, i64),
        comparisons: &mut Vec<Comparison>,
    ) {
        let (x, y) = cell(own.point, CELL_MM);
        let mut found: Vec<(u32, Position)> = Vec::new();
        for (dx, dy) in (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (dx, dy))) {
            let reports = self.cells.get(&(kind, x + dx, y + dy)).into_iter().flatten();
            for other in reports.filter(|other| other.system != own.system) {
                if (other.at - own.at).abs() <= gap_ms {
                    found.push((other.system, other.position));
                }
            }
        }
        let place = hash(&(kind, cell(own.point, NEIGHBOURHOOD_MM)));
        // By the systems' names, for the order of comparisons shows; of one system in the order in which they were met.
        found.sort_by_key(|(system, _)| self.name(*system));
        for of_one in found.chunk_by(|(system, _), (next, _)| system == next) {
            let Some((system, _)) = of_one.first() else {
                continue;
            };
            let references = of_one.iter().map(|(_, position)| *position).collect();
            comparisons.push(self.held_against(own, *system, references, declared, tolerance_mm, place));
        }
    }

    /// What another system last said of the same component, ticket or address.
    fn by_thing(&self, own: &Seen, things: &[u64], declared: Crs, comparisons: &mut Vec<Comparison>) {
        for thing in things {
            if let Some(other) = self.things.get(thing).filter(|other| other.system != own.system) {
                let references = vec![other.position];
                comparisons.push(self.held_against(
                    own,
                    other.system,
                    references,
                    declared,
                    TOLERANCE_MM.1,
                    *thing,
                ));
            }
        }
    }

    /// The name of a system that was met.
    fn name(&self, system: u32) -> &Name {
        &self.systems.names[system as usize] // numbers are given by `number` alone
    }

    fn held_against(
        &self,
        own: &Seen,
        witness: u32,
        references: Vec<Position>,
        declared: Crs,
        tolerance_mm: i64,
        place: u64,
    ) -> Comparison {
        Comparison {
            system: self.name(own.system).clone(),
            declared,
            position: own.position,
            references,
            tolerance_mm,
            witness: Witness::System(self.name(witness).clone()),
            place,
        }
    }

    fn remember(&mut self, kind: KindId, seen: &Seen) {
        let (x, y) = cell(seen.point, CELL_MM);
        let key = (kind, x, y);
        if !self.cells.contains_key(&key) {
            if self.cells_by_age.len() >= CELLS
                && let Some(oldest) = self.cells_by_age.pop_front()
            {
                self.cells.remove(&oldest);
            }
            self.cells_by_age.push_back(key);
        }
        let reports = self.cells.entry(key).or_default();
        reports.retain(|other| other.system != seen.system || other.point.distance_mm(seen.point) > SAME_MM);
        if reports.len() >= CELL_REPORTS {
            reports.pop_front();
        }
        reports.push_back(*seen);
    }

    fn remember_thing(&mut self, thing: u64, seen: Seen) {
        if self.things.insert(thing, seen).is_none() {
            self.things_by_age.push_back(thing);
            if self.things_by_age.len() > THINGS
                && let Some(oldest) = self.things_by_age.pop_front()
            {
                self.things.remove(&oldest);
            }
        }
    }
}

/// What an event names beside its place, so that two of them speak of one thing wherever they are put.
fn things(event: &Event) -> Vec<u64> {
    let component = event.component.as_ref().map(|id| hash(&("component", id)));
    let ticket = event.cites.as_ref().or(event.ticket.as_ref());
    let ticket = ticket.map(|id| hash(&("ticket", id)));
    // Without the town: it was found by the position, which is what is in doubt.
    let address = event
        .address_key
        .as_ref()
        .map(|address| hash(&("address", event.kind.as_str(), address)));
    [component, ticket, address].into_iter().flatten().collect()
}

fn cell(point: Point, side_mm: i64) -> (i64, i64) {
    (point.x.div_euclid(side_mm), point.y.div_euclid(side_mm))
}

fn hash(what: &impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    what.hash(&mut hasher);
    hasher.finish()
}
