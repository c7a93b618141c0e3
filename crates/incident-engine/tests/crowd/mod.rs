//! A crowded corner of the city from a seed, read in any order by an engine whose groups are kept, and what the batch program says.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "each test file uses its part"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use city_model::{Event, EventTime, IncidentId, Input, Kind, Outcome, Plane, Tick};
use incident_engine::{Change, Engine, Output, Setting};

use crate::reference::{Book, Grouping, Storm};
use crate::teller::{self, call, camera, inspector, sensor};

pub const REORDER_MS: i64 = 15 * 60_000;

/// Numbers from a seed: the same on every machine.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, below: u64) -> u64 {
        // SplitMix64: short, and good enough to throw dice with.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    pub fn metres(&mut self, half: u64) -> f64 {
        self.roll(2 * half) as f64 - half as f64
    }

    pub fn one_in(&mut self, many: u64) -> bool {
        self.roll(many) == 0
    }
}

pub fn address(dice: &mut Dice) -> String {
    match dice.roll(5) {
        4 => format!("谷阳北路人民路路口{}号", 1 + dice.roll(2)),
        0 => format!("人民路×谷阳北路{}", ["", "口"][dice.roll(2) as usize]),
        1 => format!("金地苑{}", ["", "10幢", "11幢"][dice.roll(3) as usize]),
        _ => {
            let houses = ["弄", "弄", "弄3号", "弄3幢", "弄18幢", "号"];
            format!(
                "谷阳北路{}{}",
                1_500 + dice.roll(3),
                houses[dice.roll(6) as usize]
            )
        }
    }
}

/// The place of an address in a library of this corner, which has some of its houses far out.
fn placed(told: teller::Told, address: &str) -> teller::Told {
    let sum = address
        .bytes()
        .fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let mut dice = Dice(sum);
    let half = if dice.one_in(3) { 900 } else { 100 };
    told.put(dice.metres(half), dice.metres(half)).by_address(80)
}

/// A crowded corner of the city: everything that the rule compares occurs, and much of it meets.
pub fn stream(dice: &mut Dice) -> Vec<Event> {
    let kinds: &[&str] = match dice.roll(5) {
        3 => &["fire_smoke", "gas_leak", "elevator_trap"],
        0 => &["vendor", "shop_spill"],
        1 => &["parking_motor", "fire_lane_blocked"],
        2 => &["manhole_missing", "road_ponding", "underpass_flood"],
        _ => &[
            "tree_fallen",
            "road_ponding",
            "garbage_exposed",
            "noise",
            "illegal_taxi",
        ],
    };
    let half = 40 + dice.roll(200);
    let minutes = 5 + dice.roll(400);
    let count = 5 + dice.roll(60);
    let mut events = Vec::new();
    for number in 0..count {
        let kind = kinds[dice.roll(kinds.len() as u64) as usize];
        let (x, y) = (dice.metres(half), dice.metres(half));
        let minute = dice.roll(minutes) as i64;
        let delay = if dice.one_in(3) {
            dice.roll(40)
        } else {
            dice.roll(3)
        } as i64;
        let told = match dice.roll(5) {
            0 => sensor(&format!("s{}-{kind}", dice.roll(3)), kind, x, y),
            1 => camera(&format!("v{}", dice.roll(3)), kind, x, y).id(&format!("v{number}")),
            2 => inspector(&format!("i{number}"), kind, x, y).unsure(5 + dice.roll(40) as i64),
            _ => call(&format!("c{number}"), kind, x, y)
                .reporter(dice.roll(9))
                .ticket(&format!("t{}", dice.roll(count))),
        };
        let mut told = told.at(minute).came_after(delay);
        if dice.one_in(2) {
            told = told.cell("3101171070102003");
        }
        if told.0.source == city_model::Source::Hotline {
            if dice.one_in(2) {
                let address = address(dice);
                told = told.address("310117107", &address);
                told = match dice.roll(5) {
                    0 | 1 => told.nowhere(),
                    2 => placed(told, &address),
                    _ => told,
                };
            }
            if dice.one_in(6) {
                told = told.cites(&format!("t{}", dice.roll(count)));
            }
            if dice.one_in(4) {
                let other = kinds[dice.roll(kinds.len() as u64) as usize];
                told.0.alternatives = vec![Kind::new(other)];
            }
        }
        if dice.one_in(5) {
            let name = format!("m{}", dice.roll(4));
            told = if dice.one_in(2) {
                told.component(&name)
            } else {
                told.inferred(&name)
            };
        }
        // Less than an hour, as the crowd's times are short.
        if told.0.device.is_none() && (told.0.cites.is_some() || number % 3 == 0) {
            told.0.waits_ms = 20 * 60_000;
        }
        if dice.one_in(12) && told.0.device.is_some() {
            told = told.clears();
        }
        events.push(told.0);
    }
    events.sort_by_key(|event| (event.ingested_at, event.key.clone()));
    events.dedup_by_key(|event| event.key.clone());
    let mut seen = BTreeSet::new();
    events.retain(|event| seen.insert(event.key.clone()));
    events
}

/// The events in another order that keeps each device's own. Each comes up to `spread_ms` later than it would.
pub fn disturbed(events: &[Event], dice: &mut Dice, spread_ms: u64) -> Vec<Event> {
    let mut order: Vec<(EventTime, usize)> = events
        .iter()
        .enumerate()
        .map(|(at, event)| (event.ingested_at + dice.roll(spread_ms) as i64, at))
        .collect();
    order.sort();
    // The places that a device's events have go to them in their own order.
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, (_, at)) in order.iter().enumerate() {
        if let Some(device) = &events[*at].device {
            places.entry(device).or_default().push(place);
        }
    }
    let mut next: BTreeMap<&str, usize> = BTreeMap::new();
    let mut result: Vec<usize> = order.iter().map(|(_, at)| *at).collect();
    for (at, event) in events.iter().enumerate() {
        if let Some(device) = &event.device {
            let count = next.entry(device).or_default();
            result[places[&**device][*count]] = at;
            *count += 1;
        }
    }
    result.into_iter().map(|at| events[at].clone()).collect()
}

/// An engine and where each event is by its last word.
pub struct Reader {
    pub engine: Engine,
    pub rows: BTreeMap<String, Option<Vec<u8>>>,
    keeps_rows: bool,
    pub places: BTreeMap<String, (Outcome, Option<String>)>,
    /// The incidents that readers have heard of.
    pub told: BTreeSet<IncidentId>,
}

impl Reader {
    pub fn new(keeps_rows: bool) -> Reader {
        let setting = Setting::with_rules(Arc::new(teller::activation()), teller::rules()).unwrap();
        Reader {
            engine: Engine::with_setting(setting),
            rows: BTreeMap::new(),
            keeps_rows,
            places: BTreeMap::new(),
            told: BTreeSet::new(),
        }
    }

    pub fn input(&mut self, input: &Input) {
        let decision = self.engine.decide(input);
        for change in &decision.changes {
            self.engine.apply(change).unwrap();
            if self.keeps_rows {
                self.rows.insert(change.key(), change.value());
            }
        }
        for output in decision.outputs {
            match output {
                Output::Outcome { row, .. } => {
                    let incident = row.incident.map(|id| id.to_string());
                    self.places.insert(row.key.to_string(), (row.outcome, incident));
                }
                Output::Revision { record, .. } => {
                    self.told.insert(record.incident_id);
                }
                _ => {}
            }
        }
    }

    pub fn tick(&mut self, at: EventTime) {
        self.input(&Input::Tick(Tick {
            clocks: vec![("test".into(), at)],
        }));
    }

    /// Only the rows survive, in the order of their keys or the other way round.
    pub fn restart(&mut self, backwards: bool) {
        let setting = Setting::with_rules(Arc::new(teller::activation()), teller::rules()).unwrap();
        let mut engine = Engine::with_setting(setting);
        let rows = self.rows.values().flatten();
        let mut changes: Vec<Change> = rows.map(|value| Change::from_row(value).unwrap()).collect();
        if backwards {
            changes.reverse();
        }
        changes.iter().for_each(|change| engine.apply(change).unwrap());
        self.engine = engine;
    }

    pub fn grouping(&self) -> Grouping {
        let mut groups: BTreeMap<&String, BTreeSet<String>> = BTreeMap::new();
        for (key, (outcome, incident)) in &self.places {
            if matches!(outcome, Outcome::Opened | Outcome::Joined | Outcome::Continued) {
                groups
                    .entry(incident.as_ref().unwrap())
                    .or_default()
                    .insert(key.clone());
            }
        }
        groups.into_values().collect()
    }

    /// Counts agree with what was told, and no incident waits for a tick before readers hear of it at all.
    pub fn check(&self, seed: u64) {
        let open = self.engine.open_incidents();
        for open in open.filter(|incident| !incident.is_held_back()) {
            assert!(
                self.told.contains(&open.id),
                "seed {seed}: {} is not told",
                open.id
            );
        }
        for outcome in Outcome::ALL {
            let told = self.places.values().filter(|(other, _)| other == outcome).count() as i64;
            if *outcome != Outcome::DuplicateId {
                assert_eq!(
                    self.engine.ledger().outcome(*outcome),
                    told,
                    "seed {seed}: {outcome}"
                );
            }
        }
    }
}

pub fn seeds() -> std::ops::Range<u64> {
    match std::env::var("CITYOPS_TEST_SEEDS") {
        Ok(text) => {
            let (from, to) = text.split_once("..").unwrap();
            from.parse().unwrap()..to.parse().unwrap()
        }
        Err(_) => 0..2_000,
    }
}

pub fn expected(events: &[Event]) -> Grouping {
    expected_under(events, &[])
}

/// The same where warnings stood.
pub fn expected_under(events: &[Event], storms: &[Storm]) -> Grouping {
    let rules = teller::rules();
    let activation = teller::activation();
    Book {
        rules: &rules,
        plane: Plane::at(teller::origin()),
        reorder_ms: REORDER_MS,
        max_late_ms: activation.max_late_ms,
        sensors_max_late_ms: activation.sensors_max_late_ms,
        storms,
    }
    .group(events)
}
