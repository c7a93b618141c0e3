//! The board: the last committed revision of every incident of the city, which HTTP, metrics and the table look at.
//!
//! One follower of `city.incidents.v1` writes, many read. It decides nothing, and what did not commit never gets here.
//! No guard of the map is kept beyond one call, so none is ever held across an await.

mod entry;
mod kept;
mod page;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, ensure};
use city_model::{Name, Status};
use dashmap::DashMap;
use dashmap::mapref::entry::Entry as Slot;

use crate::feed::{Place, Position};

pub use entry::Entry;
pub use page::{BoundingBox, Cursor, Filter, LIMIT_DEFAULT, LIMIT_MAX, Page};

/// The last committed revision of every incident.
#[derive(Debug, Default)]
pub struct Board {
    incidents: DashMap<Name, Arc<Entry>>,
    names: Names,
    changes: AtomicU64,
    caught_up: AtomicBool,
}

/// What one record did to the board.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The revision that stood there.
    pub before: Option<Arc<Entry>>,
    /// The one that stands there now; `None` after a tombstone.
    pub after: Option<Arc<Entry>>,
    /// It was published after this process had caught up: news, not history read again.
    pub live: bool,
}

/// The most urgent open incidents, and how many there are.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Open incidents by band, P1 first.
    pub open: [u64; 4],
    /// The most urgent of them.
    pub top: Vec<Arc<Entry>>,
}

impl Board {
    /// Takes a record of `city.incidents.v1`. A tombstone removes; a revision that is not newer changes nothing (`None`).
    ///
    /// # Errors
    /// When the record cannot be read. The board stays as it is.
    pub fn take(&self, place: Place, key: &[u8], value: Option<&[u8]>) -> anyhow::Result<Option<Taken>> {
        let id = std::str::from_utf8(key).context("read an incident's key")?;
        let live = self.is_caught_up();
        let Some(value) = value else {
            let removed = self.incidents.remove(id).map(|(_, before)| before);
            return Ok(removed.map(|before| Taken {
                before: Some(before),
                after: None,
                live,
            }));
        };
        let mut entry =
            Entry::read(place, value, &self.names).with_context(|| format!("read incident {id}"))?;
        ensure!(
            &*entry.id == id,
            "the record under the key {id} is of incident {}",
            entry.id
        );
        match self.incidents.entry(entry.id.clone()) {
            Slot::Occupied(slot) if slot.get().revision >= entry.revision => Ok(None),
            Slot::Occupied(mut slot) => {
                entry.change = self.next_change();
                let entry = Arc::new(entry);
                let before = slot.insert(entry.clone());
                Ok(Some(Taken {
                    before: Some(before),
                    after: Some(entry),
                    live,
                }))
            }
            Slot::Vacant(slot) => {
                entry.change = self.next_change();
                let entry = Arc::new(entry);
                slot.insert(entry.clone());
                Ok(Some(Taken {
                    before: None,
                    after: Some(entry),
                    live,
                }))
            }
        }
    }

    /// Everything that was committed when the process started is on the board.
    pub fn set_caught_up(&self) {
        self.caught_up.store(true, Ordering::Release);
    }

    /// Whether it is.
    pub fn is_caught_up(&self) -> bool {
        self.caught_up.load(Ordering::Acquire)
    }

    /// An incident by its id.
    pub fn get(&self, id: &str) -> Option<Arc<Entry>> {
        self.incidents.get(id).map(|entry| entry.value().clone())
    }

    /// How many incidents there are, closed ones included.
    pub fn len(&self) -> usize {
        self.incidents.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.incidents.is_empty()
    }

    /// The incidents that a filter lets through, by (band, newest first, id), at most `limit` of them after `cursor`.
    /// It looks at every incident: callers on an async thread hand it to a blocking one.
    pub fn page(&self, filter: &Filter, limit: usize, after: Option<&Cursor>) -> Page {
        let mut first = page::First::new(limit, after);
        for incident in &self.incidents {
            if filter.lets_through(incident.value()) {
                first.offer(incident.value());
            }
        }
        first.into_page()
    }

    /// The `n` most urgent open incidents, with the counts of all.
    pub fn snapshot_for_table(&self, n: usize) -> Snapshot {
        let mut open = [0; 4];
        let mut first = page::First::new(n, None);
        for incident in &self.incidents {
            if incident.status == Status::Open {
                open[incident.band as usize] += 1;
                first.offer(incident.value());
            }
        }
        Snapshot {
            open,
            top: first.into_page().incidents,
        }
    }

    /// Where the last record lies of every incident that changed behind `since` and up to `upto`, by place. Of what was
    /// removed nothing is told. It looks at every incident, as [`Board::page`] does.
    pub fn places(&self, since: &Position, upto: &Position) -> Vec<(Place, Name)> {
        let mut places: Vec<(Place, Name)> = self
            .incidents
            .iter()
            .filter(|incident| !since.holds(incident.lies_at) && upto.holds(incident.lies_at))
            .map(|incident| (incident.lies_at, incident.id.clone()))
            .collect();
        places.sort_unstable();
        places
    }

    /// Where the records lie, up to `upto`, of the incidents that are wanted, the most urgent first. It looks at every one.
    pub fn places_now(&self, upto: &Position, wanted: impl Fn(&Entry) -> bool) -> Vec<(Place, Name)> {
        let mut found: Vec<Arc<Entry>> = self
            .incidents
            .iter()
            .filter(|incident| upto.holds(incident.lies_at) && wanted(incident))
            .map(|incident| incident.value().clone())
            .collect();
        found.sort_unstable_by(|a, b| page::key(a).cmp(&page::key(b)));
        found
            .iter()
            .map(|entry| (entry.lies_at, entry.id.clone()))
            .collect()
    }

    /// What changed since an earlier call (0 at first), in the order of change, and the number to ask with next time.
    /// Removed incidents are not told.
    pub fn changed_since(&self, seen: u64) -> (Vec<Arc<Entry>>, u64) {
        // A writer numbers its entry while it holds the shard, so whatever is numbered up to here will be seen.
        let upto = self.changes.load(Ordering::Acquire);
        let mut changed: Vec<Arc<Entry>> = self
            .incidents
            .iter()
            .filter(|incident| (seen + 1..=upto).contains(&incident.change))
            .map(|incident| incident.value().clone())
            .collect();
        changed.sort_by_key(|entry| entry.change);
        (changed, upto)
    }

    fn next_change(&self) -> u64 {
        self.changes.fetch_add(1, Ordering::AcqRel) + 1
    }
}

/// Names that many incidents share (kinds, layers, cells, overrides), kept once each. The rules and the grid bound them.
#[derive(Debug, Default)]
struct Names(Mutex<HashSet<Name>>);

impl Names {
    fn shared(&self, text: &str) -> Name {
        // A set stays a set whatever happened to a thread that held it.
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(name) = names.get(text) {
            return name.clone();
        }
        let name = Name::from(text);
        names.insert(name.clone());
        name
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use city_model::Band;

    use super::*;

    /// The JSON of an incident, as the correlator publishes it.
    pub(crate) fn record(id: &str, revision: u64, band: &str, status: &str, opened_at: &str) -> String {
        serde_json::json!({
            "incident_id": id, "revision": revision, "status": status, "kind": "road_ponding", "name_zh": "道路积水",
            "codes": {},
            "priority": {
                "band": band, "score": 73, "parts": {"S": 40, "E": 11, "C": 13, "R": 2, "W": 7, "T": 0},
                "overrides": ["O7.base_P2"], "reasons_zh": ["下穿通道积水27厘米"], "reasons_en": ["27 cm of water"],
                "deadline": {"dispatch_by": opened_at, "control_by": opened_at, "clock": "calendar"},
                "rules_version": "1"
            },
            "opened_at": opened_at, "first_event_at": opened_at, "last_event_at": opened_at,
            "location": {"lon": 121.2236, "lat": 31.0322, "accuracy_m": 4.5},
            "cells": [
                {"layer": "duty", "level": "town", "code": "310117001", "name": "岳阳街道", "version": "1", "confidence": 1.0},
                {"layer": "duty", "level": "duty_cell", "code": "31011700100112", "name": "岳阳12", "version": "1", "confidence": 0.9}
            ],
            "responsible": {"layer": "duty", "code": "31011700100112", "name": "岳阳12", "border_distance_m": 31.0},
            "also_affects": [], "handling": {"returned_count": 0}, "member_count": 3, "reporter_count": 2,
            "source_types": ["sensor", "hotline"], "members": [], "related": [],
            "explanation": "", "config_version": "c1", "decision_digest": "d"
        })
        .to_string()
    }

    pub(crate) fn put(board: &Board, json: &str) -> Option<Taken> {
        let id = serde_json::from_str::<serde_json::Value>(json).unwrap()["incident_id"]
            .as_str()
            .unwrap()
            .to_owned();
        board
            .take(Place::default(), id.as_bytes(), Some(json.as_bytes()))
            .unwrap()
    }

    #[test]
    fn holds_the_newest_revision_until_the_tombstone() {
        let board = Board::default();
        let at = "2026-07-25T08:00:00.000Z";
        assert!(
            put(&board, &record("a", 2, "P2", "OPEN", at))
                .unwrap()
                .before
                .is_none()
        );
        assert!(put(&board, &record("a", 1, "P1", "OPEN", at)).is_none());
        assert!(put(&board, &record("a", 2, "P1", "OPEN", at)).is_none());
        assert_eq!(board.get("a").unwrap().band, Band::P2);
        board.set_caught_up();
        let taken = put(&board, &record("a", 3, "P1", "OPEN", at)).unwrap();
        assert_eq!(
            (
                taken.before.unwrap().revision,
                taken.after.unwrap().revision,
                taken.live
            ),
            (2, 3, true)
        );
        assert!(
            board
                .take(Place::default(), b"a", None)
                .unwrap()
                .unwrap()
                .after
                .is_none()
        );
        assert!(board.take(Place::default(), b"a", None).unwrap().is_none());
        assert!(board.is_empty());
    }

    #[test]
    fn refuses_what_it_cannot_read_and_stays_as_it_is() {
        let board = Board::default();
        let good = record("a", 1, "P2", "OPEN", "2026-07-25T08:00:00Z");
        put(&board, &good);
        let check = |key: &[u8], value: &str| {
            assert!(
                board.take(Place::default(), key, Some(value.as_bytes())).is_err(),
                "{value}"
            )
        };
        check(b"a", "{");
        check(b"a", &good.replace("P2", "P9"));
        check(b"a", &good.replace("OPEN", "GONE"));
        check(b"a", &good.replace("2026-07-25T08", "2026-07-25X08"));
        check(b"b", &good);
        check(b"\xff", &good);
        assert!(
            board
                .take(Place::default(), b"a", Some(&[good.as_bytes(), b"\xff"].concat()))
                .is_err()
        );
        assert_eq!((board.len(), board.get("a").unwrap().revision), (1, 1));
    }

    #[test]
    fn tells_each_change_once_and_in_order() {
        let board = Board::default();
        let at = "2026-07-25T08:00:00Z";
        for id in ["b", "a"] {
            put(&board, &record(id, 1, "P2", "OPEN", at));
        }
        let ids = |entries: Vec<Arc<Entry>>| {
            entries
                .iter()
                .map(|entry| entry.id.to_string())
                .collect::<Vec<_>>()
        };
        let (changed, seen) = board.changed_since(0);
        assert_eq!(ids(changed), ["b", "a"]);
        put(&board, &record("b", 2, "P1", "OPEN", at));
        let (changed, seen) = board.changed_since(seen);
        assert_eq!(ids(changed), ["b"]);
        assert!(board.changed_since(seen).0.is_empty());
    }

    #[test]
    fn counts_what_is_open_and_shows_the_most_urgent() {
        let board = Board::default();
        put(&board, &record("a", 1, "P3", "OPEN", "2026-07-25T08:00:00Z"));
        put(&board, &record("b", 1, "P1", "OPEN", "2026-07-25T07:00:00Z"));
        put(&board, &record("c", 1, "P3", "OPEN", "2026-07-25T09:00:00Z"));
        put(&board, &record("d", 1, "P1", "CLOSED", "2026-07-25T09:00:00Z"));
        let snapshot = board.snapshot_for_table(2);
        assert_eq!(snapshot.open, [1, 0, 2, 0]);
        assert_eq!(
            snapshot.top.iter().map(|entry| &*entry.id).collect::<Vec<_>>(),
            ["b", "c"]
        );
    }
}
