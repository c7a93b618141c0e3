//! The open incidents that a change of the grid touches: whose cell is another, or whose cell has another name, unit or parent.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Context;
use city_grid::diff::{Change, What};
use city_grid::{Layer, Located};
use city_model::Position;
use serde::{Deserialize, Serialize};
use wire_format::Topic;

use crate::config::Loaded;
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
    code: String,
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
    let mut last: BTreeMap<Vec<u8>, Incident> = BTreeMap::new();
    let mut wrong = None;
    kafka_log::read::read_all(&properties, &topic, |record| {
        let key = record.key().unwrap_or_default().to_vec();
        match record.value().map(serde_json::from_slice) {
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

/// Which of the incidents the changes touch, in their order.
pub(super) fn touched(open: &[Incident], old: &Layer, new: &Layer, changes: &[Change]) -> Vec<Touched> {
    // what a location alone does not show
    let mut words: BTreeMap<(&str, &str), Vec<&'static str>> = BTreeMap::new();
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
        .filter_map(|incident| one(incident, old, new, &words))
        .collect()
}

fn one(
    incident: &Incident,
    old: &Layer,
    new: &Layer,
    words: &BTreeMap<(&str, &str), Vec<&'static str>>,
) -> Option<Touched> {
    let position = incident
        .location
        .and_then(|place| Position::from_degrees(place.lon, place.lat));
    let path = |layer: &Layer, located: &Located| -> Vec<(String, String)> {
        let cells = located.path(layer).into_iter().map(|cell| layer.cell(cell));
        cells
            .map(|cell| (cell.level.to_string(), cell.code.to_string()))
            .collect()
    };
    let published = incident
        .cells
        .iter()
        .rev()
        .find(|cell| *cell.layer == **old.name());
    let published = published.map(|cell| cell.code.clone());
    let (before, now, status) = match position {
        Some(position) => {
            let now = new.locate(position);
            (
                path(old, &old.locate(position)),
                path(new, &now),
                now.status.name(),
            )
        }
        // without a location its cell is all that is known of its place
        None => {
            let by_code = |layer: &Layer| {
                let cell = published.as_deref().and_then(|code| layer.find(code));
                let cell = cell.map(|cell| layer.cell(cell));
                cell.map(|cell| (cell.level.to_string(), cell.code.to_string()))
                    .into_iter()
                    .collect()
            };
            (by_code(old), by_code(new), "no_location")
        }
    };
    let told: BTreeSet<&'static str> = now
        .iter()
        .filter_map(|(level, code)| words.get(&(level.as_str(), code.as_str())))
        .flatten()
        .copied()
        .collect();
    if before == now && told.is_empty() {
        return None;
    }
    Some(Touched {
        incident: incident.incident_id.clone(),
        kind: incident.kind.clone(),
        band: incident.priority.band.clone(),
        old_code: published.or_else(|| before.last().map(|(_, code)| code.clone())),
        new_code: now.last().map(|(_, code)| code.clone()),
        status,
        changes: told.into_iter().collect(),
    })
}
