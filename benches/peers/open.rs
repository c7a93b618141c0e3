//! The incidents of one partition that may still be joined: found by the engine's index of neighbours, forgotten by time.

use std::collections::VecDeque;

use city_rules::KindId;
use incident_engine::Neighbours;

use super::event::{Event, Micro};
use super::plane::{millimetres, squared};

/// How far from an incident's place an event joins it.
const REACH_M: f64 = 50.0;
/// The same for the index, whose places are rounded: what it finds is measured again.
const CAP_MM: i64 = 50_002;
/// How far apart in time they may be, either way.
pub const GAP_MS: i64 = 30 * 60_000;
/// By how much events may come out of order.
const BOUND_MS: i64 = 60_000;

/// An incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incident {
    /// That of its first event, of which it has its id.
    pub number: u32,
    /// The number of its kind.
    pub kind: u8,
    /// How many events are of it.
    pub count: u32,
    /// The earliest of their times, in milliseconds since 1970.
    pub first: i64,
    /// The latest.
    pub last: i64,
    /// Where the first event was; it stays.
    pub place: Micro,
}

/// An incident in its slot.
struct Slot {
    incident: Incident,
    /// It was changed since rows were taken last.
    is_new: bool,
}

/// The open incidents of a partition.
#[derive(Default)]
pub struct Open {
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    index: Neighbours,
    /// Slots with the last time of their incidents when they were put here; one that heard more is put here again.
    waiting: VecDeque<(i64, u32)>,
    /// Slots that were changed since the last row.
    changed: Vec<u32>,
    newest: i64,
}

fn kind_of(kind: u8) -> KindId {
    KindId(u16::from(kind))
}

impl Open {
    /// Takes an event into its incident, and says how that is now.
    pub fn take(&mut self, event: &Event) -> Option<Incident> {
        self.newest = self.newest.max(event.time);
        let slot = self.nearest(event).unwrap_or_else(|| {
            self.put(Incident {
                number: event.number,
                kind: event.kind,
                count: 0,
                first: event.time,
                last: event.time,
                place: event.place,
            })
        });
        // A slot that was found or filled just now holds one.
        let told = self.slots[slot as usize].as_mut().map(|found| {
            let incident = &mut found.incident;
            incident.count += 1;
            incident.first = incident.first.min(event.time);
            incident.last = incident.last.max(event.time);
            if !std::mem::replace(&mut found.is_new, true) {
                self.changed.push(slot);
            }
            *incident
        });
        self.forget();
        told
    }

    /// The nearest within reach and in time; of two as near, the older.
    fn nearest(&self, event: &Event) -> Option<u32> {
        let mut best: Option<(f64, u32, u32)> = None;
        let at = millimetres(event.place);
        self.index.near(kind_of(event.kind), CAP_MM, at, |slot, _| {
            let Some(Slot { incident, .. }) = &self.slots[slot as usize] else {
                return;
            };
            let distance = squared(event.place, incident.place);
            let is_in_time = event.time - incident.last <= GAP_MS && incident.first - event.time <= GAP_MS;
            if distance <= REACH_M * REACH_M
                && is_in_time
                && best.is_none_or(|(least, number, _)| (distance, incident.number) < (least, number))
            {
                best = Some((distance, incident.number, slot));
            }
        });
        best.map(|(.., slot)| slot)
    }

    fn put(&mut self, incident: Incident) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        let at = millimetres(incident.place);
        self.index.insert(kind_of(incident.kind), CAP_MM, (at, 0), slot);
        self.waiting.push_back((incident.last, slot));
        self.slots[slot as usize] = Some(Slot {
            incident,
            is_new: false,
        });
        slot
    }

    /// Whether an incident or row of that last time can no longer be joined.
    pub fn is_over(&self, last: i64) -> bool {
        last + GAP_MS < self.newest - BOUND_MS
    }

    /// Forgets what can no longer be joined, some of it a little later: that changes nothing.
    fn forget(&mut self) {
        while let Some((last, slot)) = self.waiting.front().copied()
            && self.is_over(last)
        {
            self.waiting.pop_front();
            let Some(Slot { incident, .. }) = &self.slots[slot as usize] else {
                continue;
            };
            if !self.is_over(incident.last) {
                self.waiting.push_back((incident.last, slot));
                continue;
            }
            let at = millimetres(incident.place);
            self.index.remove(kind_of(incident.kind), CAP_MM, at, slot);
            self.slots[slot as usize] = None;
            self.free.push(slot);
        }
    }

    /// What was changed since the last call, one after the other, and the latest of their times; `None` if nothing was.
    pub fn row(&mut self) -> Option<(i64, Vec<u8>)> {
        let mut latest = i64::MIN;
        let mut row = Vec::with_capacity(self.changed.len() * ROW_BYTES);
        for slot in self.changed.drain(..) {
            // The slot of one that was forgotten meanwhile may be another's now.
            if let Some(found) = self.slots[slot as usize].as_mut().filter(|found| found.is_new) {
                found.is_new = false;
                latest = latest.max(found.incident.last);
                write_row(&mut row, &found.incident);
            }
        }
        (!row.is_empty()).then_some((latest, row))
    }

    /// Enters what a row says; gives the latest of its times.
    pub fn restore(&mut self, row: &[u8], by_number: &mut rustc_hash::FxHashMap<u32, u32>) -> Option<i64> {
        let mut latest = i64::MIN;
        let mut chunks = row.chunks_exact(ROW_BYTES);
        for bytes in chunks.by_ref() {
            let incident = read_row(bytes)?;
            latest = latest.max(incident.last);
            match by_number.get(&incident.number) {
                Some(slot) => {
                    if let Some(known) = &mut self.slots[*slot as usize] {
                        known.incident = incident;
                    }
                }
                None => {
                    let slot = self.put(incident);
                    by_number.insert(incident.number, slot);
                }
            }
        }
        self.newest = self.newest.max(latest);
        chunks.remainder().is_empty().then_some(latest)
    }
}

/// Number, kind, count, first time, how long, east and north.
const ROW_BYTES: usize = 4 + 1 + 4 + 8 + 4 + 4 + 4;

fn write_row(row: &mut Vec<u8>, incident: &Incident) {
    // Events of an incident are within days of each other, or they would not have met.
    let lasts = u32::try_from(incident.last - incident.first).unwrap_or(u32::MAX);
    row.extend_from_slice(&incident.number.to_le_bytes());
    row.push(incident.kind);
    row.extend_from_slice(&incident.count.to_le_bytes());
    row.extend_from_slice(&incident.first.to_le_bytes());
    row.extend_from_slice(&lasts.to_le_bytes());
    row.extend_from_slice(&incident.place.lon.to_le_bytes());
    row.extend_from_slice(&incident.place.lat.to_le_bytes());
}

fn read_row(row: &[u8]) -> Option<Incident> {
    let (number, row) = row.split_first_chunk()?;
    let (kind, row) = row.split_first()?;
    let (count, row) = row.split_first_chunk()?;
    let (first, row) = row.split_first_chunk()?;
    let (lasts, row) = row.split_first_chunk()?;
    let (lon, row) = row.split_first_chunk()?;
    let (lat, _) = row.split_first_chunk()?;
    let first = i64::from_le_bytes(*first);
    Some(Incident {
        number: u32::from_le_bytes(*number),
        kind: *kind,
        count: u32::from_le_bytes(*count),
        first,
        last: first + i64::from(u32::from_le_bytes(*lasts)),
        place: Micro {
            lon: i32::from_le_bytes(*lon),
            lat: i32::from_le_bytes(*lat),
        },
    })
}
