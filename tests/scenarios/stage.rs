//! Records of a few sources around one spot, replayed by the program, and what came of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use city_model::{Plane, Point, Position};
use serde_json::{Value, json};

use crate::city::folder::Folder;
use crate::city::output::INPUTS;

/// 2026-09-08 12:00 in Shanghai, a Tuesday: neither rush hour nor night.
pub(crate) const NOON: i64 = 1_788_840_000_000;
/// A minute in milliseconds.
pub(crate) const MINUTE: i64 = 60_000;

/// A spot in 九亭, as longitude and latitude in WGS-84.
pub(crate) const SPOT: (f64, f64) = (121.32, 31.137);

/// So many metres east and north of a spot.
pub(crate) fn beside((lon, lat): (f64, f64), east_m: f64, north_m: f64) -> (f64, f64) {
    let plane = Plane::at(Position::from_degrees(lon, lat).unwrap());
    let point = Point {
        x: (east_m * 1_000.0) as i64,
        y: (north_m * 1_000.0) as i64,
    };
    let position = plane.unproject(point);
    (position.lon_e9 as f64 / 1e9, position.lat_e9 as f64 / 1e9)
}

/// A place as records have it.
pub(crate) fn at((x, y): (f64, f64)) -> Value {
    json!({"x": x, "y": y})
}

/// The same with what is known of how good it is.
pub(crate) fn of_quality(place: (f64, f64), quality: &str) -> Value {
    let mut location = at(place);
    location["quality"] = quality.into();
    location
}

/// A reading at so many minutes after noon.
pub(crate) fn reading(device: &str, minute: i64, metric: &str, value: f64, place: (f64, f64)) -> Value {
    let moment = NOON + minute * MINUTE;
    json!({"event_id": format!("{device}@{minute}"), "source_system": "iot", "device_id": device, "metric": metric,
        "value": value, "observed_at": moment, "reported_at": moment, "location": at(place)})
}

/// A ticket whose title says what it is about; its number is its ticket, too.
pub(crate) fn call(id: &str, minute: i64, title: &str, phone: &str) -> Value {
    let moment = NOON + minute * MINUTE;
    json!({"event_id": id, "source_system": "12345", "ticket_id": id, "appeal_type": "投诉", "title": title,
        "called_at": moment, "reported_at": moment, "reporter_phone": phone})
}

/// An alert of a camera by its EventSort number.
pub(crate) fn alert(camera: &str, minute: i64, code: &str, pole: (f64, f64)) -> Value {
    let moment = NOON + minute * MINUTE;
    json!({"event_id": format!("{camera}@{minute}"), "source_system": "video", "camera_id": camera, "alert_code": code,
        "code_system": "EVENTSORT", "confidence": 0.85, "phase": "ONGOING", "captured_at": moment, "reported_at": moment,
        "location": at(pole)})
}

/// An inspector's report under a category's name.
pub(crate) fn report(id: &str, minute: i64, category: &str, location: Value) -> Value {
    let moment = NOON + minute * MINUTE;
    json!({"event_id": id, "source_system": "inspector-app", "channel": "inspector", "report_id": id,
        "category": [category], "observed_at": moment, "reported_at": moment, "location": location})
}

/// The record with other fields.
pub(crate) fn with(mut record: Value, more: Value) -> Value {
    let fields = more.as_object().unwrap().clone();
    record.as_object_mut().unwrap().extend(fields);
    record
}

/// A city with its records, before it is played.
pub(crate) struct Stage {
    folder: Folder,
    records: BTreeMap<&'static str, Vec<Value>>,
}

impl Stage {
    /// A district with the built-in grid and rules, and more configuration.
    pub(crate) fn new(config: &str) -> Stage {
        Stage {
            folder: Folder::new(&format!("[city]\ncode = \"310117\"\n{config}")),
            records: BTreeMap::new(),
        }
    }

    /// A file beside the configuration.
    pub(crate) fn file(self, name: &str, text: &str) -> Stage {
        self.folder.write(name, text);
        self
    }

    /// More records for an input file, named without its ending.
    pub(crate) fn tell(mut self, file: &str, records: impl IntoIterator<Item = Value>) -> Stage {
        let name = format!("{file}.ndjson");
        let file = INPUTS.iter().find(|input| **input == name).unwrap();
        self.records.entry(file).or_default().extend(records);
        self
    }

    /// Time goes on until so many minutes after noon: an enquiry comes then, and the clock stops at the last record.
    pub(crate) fn until(self, minute: i64) -> Stage {
        let enquiry = call("last", minute, "咨询办事时间", "");
        self.tell("hotline", [with(enquiry, json!({"appeal_type": "咨询"}))])
    }

    /// Replays all of it, and holds what was written to the contract.
    pub(crate) fn play(&self) -> Played {
        for file in INPUTS {
            let records = self.records.get(file).map_or(&[][..], Vec::as_slice);
            let mut text = String::new();
            for record in records {
                writeln!(text, "{record}").unwrap();
            }
            self.folder.write(&format!("in/{file}"), text);
        }
        let replayed = self.folder.replayed();
        Played {
            incidents: replayed.lines("incidents.ndjson"),
            revisions: replayed.lines("revisions.ndjson"),
            outcomes: replayed.outcomes(),
            members: replayed.members(),
            dead_letters: replayed.lines("deadletter.ndjson"),
        }
    }
}

/// What was written.
pub(crate) struct Played {
    /// The last revision of each incident.
    pub(crate) incidents: Vec<Value>,
    /// Every revision.
    pub(crate) revisions: Vec<Value>,
    /// The last outcome of every event that has one told.
    pub(crate) outcomes: BTreeMap<String, String>,
    /// Event to incident and outcome.
    pub(crate) members: BTreeMap<String, (String, String)>,
    /// What was refused.
    pub(crate) dead_letters: Vec<Value>,
}

impl Played {
    /// The only incident.
    pub(crate) fn only(&self) -> &Value {
        assert_eq!(self.incidents.len(), 1, "{:#?}", self.incidents);
        &self.incidents[0]
    }

    /// The incidents of a kind, in the order in which they were opened.
    pub(crate) fn of_kind(&self, kind: &str) -> Vec<&Value> {
        let mut found: Vec<&Value> = self.incidents.iter().filter(|one| one["kind"] == kind).collect();
        found.sort_by_key(|one| one["opened_at"].as_str().unwrap().to_owned());
        found
    }

    /// The bands that an incident was published in, each once in a row.
    pub(crate) fn bands(&self, id: &Value) -> Vec<&str> {
        let own = self.revisions.iter().filter(|one| one["incident_id"] == *id);
        let mut bands: Vec<&str> = own.map(band).collect();
        bands.dedup();
        bands
    }
}

/// The band of a revision.
pub(crate) fn band(incident: &Value) -> &str {
    incident["priority"]["band"].as_str().unwrap()
}

/// A number of a record.
pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}
