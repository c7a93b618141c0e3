//! The open incidents that a change of the grid touches: whose cell, or whose cell's name, unit or parent, is another in the
//! new grid than the incident has.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Context;
use city_grid::Layer;
use city_grid::diff::{Change, What};
use city_grid::layer::CellIndex;
use city_model::Position;
use serde::{Deserialize, Serialize};
use wire_format::Topic;

use crate::config::Loaded;
use crate::outputs::ReadBack;
use crate::topics;

/// What of an incident's record this needs.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Incident {
    incident_id: String,
    status: String,
    kind: String,
    priority: Priority,
    location: Option<Place>,
    #[serde(default)]
    cells: Vec<Cell>,
    responsible: Option<InCharge>,
}

#[derive(Debug, Clone, Deserialize)]
struct Priority {
    band: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Place {
    lon: f64,
    lat: f64,
}

#[derive(Debug, Clone, Deserialize)]
struct Cell {
    layer: String,
    level: String,
    code: String,
    name: String,
    /// Of the layer that named it.
    version: String,
}

#[derive(Debug, Clone, Deserialize)]
struct InCharge {
    layer: String,
    code: String,
    unit: Option<String>,
}

/// An open incident that a change touches.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Touched {
    incident: String,
    kind: String,
    band: String,
    /// Its cell as it was published; otherwise where its location falls in the old grid.
    old_code: Option<String>,
    /// Where its location falls in the new grid.
    new_code: Option<String>,
    /// How that relates to the new grid: `inside`, `snapped`, `outside`, or `no_location`.
    status: &'static str,
    /// What else changed of its cell: renamed, reassigned, reparented.
    changes: Vec<&'static str>,
}

impl fmt::Display for Touched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let none = |code: &Option<String>| code.clone().unwrap_or_else(|| "none".to_owned());
        let (old, new) = (none(&self.old_code), none(&self.new_code));
        write!(f, "incident {} ({}, {}): ", self.incident, self.kind, self.band)?;
        if old == new {
            write!(f, "stays in {old}")?;
        } else {
            write!(f, "from {old} to {new}")?;
        }
        if self.status != "inside" {
            write!(f, ", {}", self.status)?;
        }
        if self.changes.is_empty() {
            return Ok(());
        }
        write!(f, ", which is {}", self.changes.join(" and "))
    }
}

/// The open incidents of a replay's `incidents.ndjson`, or of its directory.
///
/// # Errors
/// When the file cannot be read, or a line is no incident.
pub(super) fn of_file(path: &Path) -> anyhow::Result<Vec<Incident>> {
    let file = if path.is_dir() {
        path.join("incidents.ndjson")
    } else {
        path.to_owned()
    };
    let text = std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    let mut open = Vec::new();
    for (number, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let incident: Incident = serde_json::from_str(line)
            .with_context(|| format!("{}:{}: not an incident", file.display(), number + 1))?;
        if incident.status == "OPEN" {
            open.push(incident);
        }
    }
    Ok(open)
}

/// The open incidents that are committed on Kafka.
///
/// # Errors
/// When the topic cannot be read, or a record is no incident.
pub(super) fn committed(loaded: &Loaded) -> anyhow::Result<Vec<Incident>> {
    let properties = topics::properties(loaded)?;
    topics::partitions(loaded, &properties)?;
    let topic = kafka_log::topic_name(&loaded.config.kafka.topic_prefix, Topic::Incidents);
    let read = ReadBack::of(loaded)?;
    let one = |value: &[u8]| -> anyhow::Result<Incident> {
        Ok(serde_json::from_slice(&read.incident_json(value)?)?)
    };
    let mut last: BTreeMap<Vec<u8>, Incident> = BTreeMap::new();
    let mut wrong = None;
    kafka_log::read::read_all(&properties, &topic, |record| {
        let key = record.key().unwrap_or_default().to_vec();
        match record.value().map(one) {
            Some(Ok(incident)) => {
                last.insert(key, incident);
            }
            Some(Err(error)) => {
                wrong = Some(error);
                return ControlFlow::Break(());
            }
            None => {
                last.remove(&key);
            }
        }
        ControlFlow::Continue(())
    })?;
    if let Some(error) = wrong {
        return Err(error).with_context(|| format!("read {topic}"));
    }
    let mut open: Vec<Incident> = last.into_values().collect();
    open.retain(|incident| incident.status == "OPEN");
    Ok(open)
}

/// What changed of cells, by level and code, that no location shows.
type Words<'a> = BTreeMap<(&'a str, &'a str), Vec<&'static str>>;

/// Which of the incidents the changes from the `old` to the `new` grid touch, in their order.
pub(super) fn touched(open: &[Incident], grids: [&Layer; 2], changes: &[Change]) -> Vec<Touched> {
    let mut words = Words::new();
    for change in changes {
        if matches!(
            change.what,
            What::Renamed { .. } | What::Reassigned { .. } | What::Reparented { .. }
        ) {
            let cell = (&*change.level, &*change.code);
            words.entry(cell).or_default().push(change.what.name());
        }
    }
    open.iter()
        .filter_map(|incident| one(incident, grids, &words))
        .collect()
}

fn one(incident: &Incident, [old, new]: [&Layer; 2], words: &Words<'_>) -> Option<Touched> {
    let of_layer = |layer: &Layer| -> Vec<&Cell> {
        let cells = incident.cells.iter();
        cells.filter(|cell| *cell.layer == **layer.name()).collect()
    };
    let mut published = of_layer(new);
    if published.is_empty() {
        published = of_layer(old); // the layer may have another name now
    }
    if published
        .last()
        .is_some_and(|cell| *cell.version == **new.version())
    {
        return None; // the new grid itself named its cells
    }
    let position = incident
        .location
        .and_then(|place| Position::from_degrees(place.lon, place.lat));
    let by_code = |layer: &Layer| published.last().and_then(|cell| layer.find(&cell.code));
    let (before, now, status) = match position {
        Some(position) => {
            let (before, now) = (old.locate(position), new.locate(position));
            (before.cell(), now.cell(), now.status.name())
        }
        // without a location its cell is all that is known of its place
        None => (by_code(old), by_code(new), "no_location"),
    };
    let code = |layer: &Layer, cell: Option<CellIndex>| cell.map(|cell| layer.cell(cell).code.to_string());
    let located = code(old, before);
    let had = published.last().map(|cell| cell.code.clone()).or(located.clone());
    // A location is that of all reports, a cell that of the best one: near a border they may differ. Where the grid is as it
    // was there, the cell to look at is the incident's own.
    let now = if located == code(new, now) && had != located {
        by_code(new).or(now)
    } else {
        now
    };
    let mut told: BTreeSet<&'static str> = BTreeSet::new();
    for cell in now.map_or_else(Vec::new, |now| new.path(now)) {
        told.extend(changed(incident, &published, new, cell, words));
    }
    let has = code(new, now);
    if had == has && told.is_empty() {
        return None;
    }
    Some(Touched {
        incident: incident.incident_id.clone(),
        kind: incident.kind.clone(),
        band: incident.priority.band.clone(),
        old_code: had,
        new_code: has,
        status,
        changes: told.into_iter().collect(),
    })
}

/// What a cell of the new grid has otherwise than the incident; where the incident does not say, than the old grid.
fn changed(
    incident: &Incident,
    published: &[&Cell],
    new: &Layer,
    cell: CellIndex,
    words: &Words<'_>,
) -> Vec<&'static str> {
    let now = new.cell(cell);
    let of_grids = words
        .get(&(&*now.level, &*now.code))
        .map_or(&[][..], Vec::as_slice);
    let same = |cell: &&Cell| *cell.level == *now.level && *cell.code == *now.code;
    let Some(at) = published.iter().position(same) else {
        return of_grids.to_vec();
    };
    let mut told = Vec::new();
    if *published[at].name != *now.name {
        told.push("renamed");
    }
    let wider = at.checked_sub(1).map(|wider| &*published[wider].code);
    let parent = now.parent.map(|parent| &*new.cell(parent).code);
    if wider != parent {
        told.push("reparented");
    }
    let in_charge = incident.responsible.as_ref();
    match in_charge.filter(|own| own.layer == published[at].layer && *own.code == *now.code) {
        Some(own) if own.unit.as_deref() != now.unit.as_deref() => told.push("reassigned"),
        None if of_grids.contains(&"reassigned") => told.push("reassigned"),
        Some(_) | None => {}
    }
    told
}
