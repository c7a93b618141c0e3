//! One incident on the board: its JSON as it was committed, beside the few fields that questions are asked about.

use std::borrow::Cow;

use anyhow::{Context, anyhow};
use city_model::{Band, EventTime, Name, Status};
use serde::Deserialize;

use super::Names;
use super::kept::Kept;
use crate::feed::Place;

/// A committed revision of an incident.
#[derive(Debug)]
pub struct Entry {
    /// Where its record lies.
    pub lies_at: Place,
    /// Its id.
    pub id: Name,
    /// The revision.
    pub revision: u64,
    /// Its band.
    pub band: Band,
    /// Open, closed or merged.
    pub status: Status,
    /// Its kind.
    pub kind: Name,
    /// When it was opened.
    pub opened_at: EventTime,
    /// When it last came to another band, on the log's clock: by an event, when that was appended.
    pub band_changed_at: Option<EventTime>,
    /// How many events count as members.
    pub member_count: u64,
    /// How many steps of handling were told, returns included.
    pub handling_steps: u32,
    /// The ids of the overrides that hold.
    pub overrides: Box<[Name]>,
    /// Layer and code of every cell, of every level.
    pub cells: Box<[(Name, Name)]>,
    /// Longitude and latitude in degrees (WGS-84).
    pub place: Option<(f64, f64)>,
    json: Kept,
    /// The number of the change that put it on the board.
    pub(super) change: u64,
}

impl Entry {
    /// The record as it was committed: valid JSON.
    pub fn json(&self) -> Cow<'_, str> {
        self.json.text()
    }

    pub(super) fn read(lies_at: Place, value: &[u8], names: &Names) -> anyhow::Result<Entry> {
        // The text is checked whole: the JSON reader looks only at the strings of the fields that it is asked for.
        let json = std::str::from_utf8(value).context("it is not UTF-8")?;
        let record: Record<'_> = serde_json::from_str(json).context("it is not the JSON of an incident")?;
        let opened_at = moment("opened_at", &record.opened_at)?;
        let changed_at = record.priority.previous.map(|previous| previous.changed_at);
        let changed_at = changed_at.map(|at| moment("previous.changed_at", &at));
        Ok(Entry {
            lies_at,
            id: Name::from(record.incident_id),
            revision: record.revision,
            band: record.priority.band,
            status: record.status,
            kind: names.shared(&record.kind),
            opened_at,
            band_changed_at: changed_at.transpose()?,
            member_count: record.member_count,
            handling_steps: record.handling.steps(),
            overrides: record
                .priority
                .overrides
                .iter()
                .map(|id| names.shared(id))
                .collect(),
            cells: record
                .cells
                .iter()
                .map(|cell| (names.shared(&cell.layer), names.shared(&cell.code)))
                .collect(),
            place: record.location.map(|place| (place.lon, place.lat)),
            json: if record.status == Status::Open {
                Kept::plain(json)
            } else {
                Kept::deflated(json)
            },
            change: 0,
        })
    }
}

fn moment(what: &str, text: &str) -> anyhow::Result<EventTime> {
    let moment: jiff::Timestamp = text
        .parse()
        .map_err(|error| anyhow!("{what} {text:?}: {error}"))?;
    Ok(EventTime::from_millis(moment.as_millisecond()))
}

/// What is read of a record; every other field stays in the JSON alone.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    incident_id: Cow<'a, str>,
    revision: u64,
    status: Status,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    priority: Priority<'a>,
    #[serde(borrow)]
    opened_at: Cow<'a, str>,
    #[serde(default)]
    location: Option<Location>,
    #[serde(borrow)]
    cells: Vec<Cell<'a>>,
    handling: Handling<'a>,
    member_count: u64,
}

#[derive(Deserialize)]
struct Priority<'a> {
    band: Band,
    #[serde(borrow)]
    overrides: Vec<Cow<'a, str>>,
    #[serde(borrow, default)]
    previous: Option<Previous<'a>>,
}

#[derive(Deserialize)]
struct Previous<'a> {
    #[serde(borrow)]
    changed_at: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Location {
    lon: f64,
    lat: f64,
}

#[derive(Deserialize)]
struct Cell<'a> {
    #[serde(borrow)]
    layer: Cow<'a, str>,
    #[serde(borrow)]
    code: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Handling<'a> {
    #[serde(borrow, default)]
    acknowledged_at: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    dispatched_at: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    arrived_at: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    resolved_at: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    verified_at: Option<Cow<'a, str>>,
    returned_count: u32,
}

impl Handling<'_> {
    fn steps(&self) -> u32 {
        let stamps = [
            &self.acknowledged_at,
            &self.dispatched_at,
            &self.arrived_at,
            &self.resolved_at,
            &self.verified_at,
        ];
        self.returned_count
            .saturating_add(stamps.iter().filter(|stamp| stamp.is_some()).count() as u32)
    }
}
