//! The committed ledger and grouping, from the rows and outcomes that the workers commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use city_model::{EventTime, GroupingDigest, IncidentId, Ledger};
use incident_engine::{Change, OutcomeRecord};
use serde::Deserialize;
use stream_worker::Heard;
use wire_format::Topic;

/// The ledger rows of both changelogs, the last of each key.
#[derive(Default)]
pub struct LedgerRows {
    rows: BTreeMap<(Topic, i32, Vec<u8>), Change>,
}

impl LedgerRows {
    /// Takes a changelog record; answers whether it was a row of the ledger. A changelog key is
    /// `<input topic>/<row key>`.
    pub fn take(&mut self, topic: Topic, partition: i32, key: Option<&[u8]>, value: Option<&[u8]>) -> bool {
        let slash = key.and_then(|key| Some((key, key.iter().position(|byte| *byte == b'/')?)));
        let Some((key, slash)) = slash.filter(|(key, slash)| key[slash + 1..].starts_with(b"ledger/")) else {
            return false;
        };
        debug_assert!(slash < key.len());
        let Some(change) = value.and_then(|value| Change::from_row(value).ok()) else {
            return false;
        };
        self.rows.insert((topic, partition, key.to_vec()), change);
        true
    }

    /// The ledger that they sum to.
    pub fn sum(&self) -> Ledger {
        let mut ledger = Ledger::default();
        for change in self.rows.values() {
            if let Change::Count(cell, count) = change {
                ledger.add(*cell, *count);
            }
        }
        ledger
    }
}

/// When each system was last heard, over all input partitions.
#[derive(Debug, Default)]
pub struct HeardOf(BTreeMap<String, EventTime>);

impl HeardOf {
    /// Takes a record of enrich's changelog; answers with the system and its time, if it was heard later than was known.
    pub fn take(&mut self, key: Option<&[u8]>, value: Option<&[u8]>) -> Option<Heard> {
        let heard = Heard::of_record(key?, value?)?;
        let known = self.0.entry(heard.system.clone()).or_insert(EventTime::MIN);
        if heard.at <= *known {
            return None;
        }
        *known = heard.at;
        Some(heard)
    }

    /// What is known.
    pub fn systems(&self) -> &BTreeMap<String, EventTime> {
        &self.0
    }
}

/// Which event belongs to which incident, from `city.events.outcomes.v1`, and which incidents the centre merged, from
/// `city.incidents.v1`: the events of a merged one keep its id and count as the survivor's.
#[derive(Debug, Default)]
pub struct Grouping {
    incidents: BTreeMap<String, IncidentId>,
    merged: BTreeMap<IncidentId, IncidentId>,
}

/// Of an incident's record, what the grouping needs.
#[derive(Deserialize)]
struct MergedRecord {
    incident_id: IncidentId,
    #[serde(default)]
    merged_into: Option<IncidentId>,
    member_count: u64,
}

impl Grouping {
    /// Takes what a record of outcomes says, `None` for a tombstone; the newest of a key counts.
    pub fn take(&mut self, key: Option<&[u8]>, told: Option<OutcomeRecord>) {
        let Some(event) = key.and_then(|key| std::str::from_utf8(key).ok()) else {
            return;
        };
        let belongs = told.filter(|told| told.outcome.belongs());
        self.put(event, belongs.and_then(|told| told.incident_id));
    }

    /// The incident of an event, as it was told last.
    pub fn put(&mut self, event: &str, incident: Option<IncidentId>) {
        match incident {
            Some(incident) => self.incidents.insert(event.to_owned(), incident),
            None => self.incidents.remove(event),
        };
    }

    /// Takes a record of incidents as JSON; the newest of an incident counts. Of one that was removed the last word stands.
    ///
    /// # Errors
    /// When the record is no incident.
    pub fn take_incident(&mut self, json: &[u8]) -> Result<(), serde_json::Error> {
        let told: MergedRecord = serde_json::from_slice(json)?;
        self.put_merged(told.incident_id, told.merged_into, told.member_count);
        Ok(())
    }

    /// What an incident was merged into, and how many members it had kept, as it was told last. One that kept none has nothing to
    /// pass on: what is told of it nevertheless came back since, and the revision that says so waits for the next tick.
    pub fn put_merged(&mut self, incident: IncidentId, into: Option<IncidentId>, members: u64) {
        match into.filter(|_| members > 0) {
            Some(into) => self.merged.insert(incident, into),
            None => self.merged.remove(&incident),
        };
    }

    /// The digest of the grouping alone; see [`GroupingDigest`].
    pub fn digest(&self) -> String {
        let mut digest = GroupingDigest::default();
        for (event, incident) in &self.incidents {
            digest.add_text(self.survivor(incident).as_str(), event);
        }
        digest.finish()
    }

    /// Takes another grouping's word on what became part of what: a merge that waits for the next tick is decided, and not told yet.
    pub fn adopt_merges(&mut self, other: &Grouping) {
        self.merged.clone_from(&other.merged);
    }

    /// The events that two groupings tell to be of differently named incidents, each with both names.
    pub fn told_otherwise(&self, other: &Grouping) -> Vec<String> {
        let events: BTreeSet<&String> = self.incidents.keys().chain(other.incidents.keys()).collect();
        let of = |grouping: &Grouping, event: &String| {
            let incident = grouping.incidents.get(event)?;
            Some(grouping.survivor(incident).to_string())
        };
        let told = |incident: Option<String>| incident.unwrap_or_else(|| "none".to_owned());
        let differing = events.into_iter().filter_map(|event| {
            let (one, another) = (of(self, event), of(other, event));
            (one != another).then(|| format!("{event}: {} and {}", told(one), told(another)))
        });
        differing.collect()
    }

    fn survivor<'a>(&'a self, incident: &'a IncidentId) -> &'a IncidentId {
        let mut survivor = incident;
        // Each merge leads to an older incident; the bound guards against records that no engine wrote.
        for _ in 0..=self.merged.len() {
            match self.merged.get(survivor) {
                Some(next) => survivor = next,
                None => break,
            }
        }
        survivor
    }
}

/// What has been committed so far, as the follower of a process has read it.
pub struct Committed {
    ledger: Mutex<Ledger>,
    grouping: Option<Mutex<Grouping>>,
}

impl Committed {
    /// Nothing yet; `keep_grouping` remembers the incident of every event.
    pub fn new(keep_grouping: bool) -> Committed {
        Committed {
            ledger: Mutex::default(),
            grouping: keep_grouping.then(Mutex::default),
        }
    }

    /// The ledger.
    pub fn ledger(&self) -> Ledger {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The grouping digest, if the grouping is kept.
    pub fn grouping_digest(&self) -> Option<String> {
        Some(
            self.grouping
                .as_ref()?
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .digest(),
        )
    }

    pub(crate) fn keeps_grouping(&self) -> bool {
        self.grouping.is_some()
    }

    pub(crate) fn set_ledger(&self, ledger: Ledger) {
        *self.ledger.lock().unwrap_or_else(PoisonError::into_inner) = ledger;
    }

    pub(crate) fn outcome(&self, key: Option<&[u8]>, told: Option<OutcomeRecord>) {
        if let Some(grouping) = &self.grouping {
            grouping
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(key, told);
        }
    }

    /// Takes a committed incident as JSON.
    pub(crate) fn incident(&self, json: &[u8]) -> Result<(), serde_json::Error> {
        self.grouping.as_ref().map_or(Ok(()), |grouping| {
            grouping
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take_incident(json)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_a_merged_incident_count_as_the_survivors_until_it_is_undone() {
        let grouping = |incidents: [(&str, &str); 3]| {
            let mut grouping = Grouping::default();
            for (event, incident) in incidents {
                grouping.put(event, Some(IncidentId::new(incident)));
            }
            grouping
        };
        let apart = grouping([("s/1", "a"), ("s/2", "b"), ("s/3", "c")]).digest();
        let together = grouping([("s/1", "a"), ("s/2", "a"), ("s/3", "a")]).digest();
        let mut merged = grouping([("s/1", "a"), ("s/2", "b"), ("s/3", "c")]);
        merged
            .take_incident(br#"{"incident_id":"c","merged_into":"b","member_count":1}"#)
            .unwrap();
        merged
            .take_incident(br#"{"incident_id":"b","merged_into":"a","member_count":1}"#)
            .unwrap();
        assert_eq!(merged.digest(), together, "a chain of merges has one survivor");
        merged
            .take_incident(br#"{"incident_id":"c","member_count":1}"#)
            .unwrap();
        merged
            .take_incident(br#"{"incident_id":"b","merged_into":null,"member_count":1}"#)
            .unwrap();
        assert_eq!(merged.digest(), apart, "taken apart again");
        merged
            .take_incident(br#"{"incident_id":"b","merged_into":"a","member_count":0}"#)
            .unwrap();
        assert_eq!(merged.digest(), apart, "what it is told to have came back");
        assert!(merged.take_incident(b"[]").is_err());
    }
}
