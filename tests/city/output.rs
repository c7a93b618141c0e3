//! What a replay wrote, read as an outsider reads it, and held to what CONTRACT 5 and 6 promise.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

/// The input files.
pub const INPUTS: [&str; 7] = [
    "sensor.ndjson",
    "hotline.ndjson",
    "video.ndjson",
    "report.ndjson",
    "weather.ndjson",
    "silence.ndjson",
    "command.ndjson",
];

/// The output files that are always there.
pub const OUTPUTS: [&str; 10] = [
    "incidents.ndjson",
    "revisions.ndjson",
    "outcomes.ndjson",
    "late.ndjson",
    "deadletter.ndjson",
    "device_faults.ndjson",
    "members.csv",
    "unmapped.json",
    "told_by.ndjson",
    "ledger.json",
];

const OUTCOMES: [&str; 14] = [
    "opened",
    "joined",
    "continued",
    "cleared",
    "pending",
    "below_threshold",
    "duplicate_id",
    "not_actionable",
    "silenced",
    "late",
    "device_fault",
    "deadletter",
    "applied",
    "refused",
];

/// A replay's output folder.
pub struct Replayed {
    pub dir: PathBuf,
}

/// The SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The lines of a file that are not blank.
pub fn records_in(path: &Path) -> usize {
    let bytes = std::fs::read(path).unwrap_or_default();
    bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.iter().all(u8::is_ascii_whitespace))
        .count()
}

impl Replayed {
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        let path = self.dir.join(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// A file's JSON lines.
    pub fn lines(&self, name: &str) -> Vec<Value> {
        let text = String::from_utf8(self.bytes(name)).unwrap();
        assert!(
            text.is_empty() || text.ends_with('\n'),
            "{name} ends in the middle of a line"
        );
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    pub fn ledger(&self) -> Value {
        serde_json::from_slice(&self.bytes("ledger.json")).unwrap()
    }

    /// How many records have this outcome.
    pub fn count(&self, outcome: &str) -> i64 {
        self.ledger()["outcomes"][outcome].as_i64().unwrap_or(0)
    }

    pub fn grouping_digest(&self) -> String {
        self.ledger()["grouping_digest"].as_str().unwrap().to_owned()
    }

    /// Event → (incident, outcome).
    pub fn members(&self) -> BTreeMap<String, (String, String)> {
        let mut reader = csv::Reader::from_path(self.dir.join("members.csv")).unwrap();
        assert_eq!(
            reader.headers().unwrap().iter().collect::<Vec<_>>(),
            ["source_system", "event_id", "incident_id", "outcome"]
        );
        let mut members = BTreeMap::new();
        for row in reader.records() {
            let row = row.unwrap();
            let event = format!("{}/{}", &row[0], &row[1]);
            let before = members.insert(event, (row[2].to_owned(), row[3].to_owned()));
            assert_eq!(before, None, "an event belongs to one incident");
        }
        members
    }

    /// The last outcome of every event that has one told.
    pub fn outcomes(&self) -> BTreeMap<String, String> {
        let told = self.lines("outcomes.ndjson");
        let name = |row: &Value, field: &str| row[field].as_str().unwrap().to_owned();
        told.iter()
            .map(|row| {
                (
                    format!("{}/{}", name(row, "source_system"), name(row, "event_id")),
                    name(row, "outcome"),
                )
            })
            .collect()
    }

    /// Holds everything that was written to what the contract promises of it.
    pub fn check(&self, input: &Path) {
        self.check_ledger(input);
        self.check_members();
        self.check_incidents();
    }

    fn check_ledger(&self, input: &Path) {
        let ledger = self.ledger();
        let consumed = ledger["consumed"].as_i64().unwrap();
        let lines: usize = INPUTS.iter().map(|name| records_in(&input.join(name))).sum();
        assert_eq!(consumed, lines as i64, "every line that is not blank is consumed");
        let sum = |outcomes: &Value| -> i64 {
            let outcomes = outcomes.as_object().unwrap();
            for name in outcomes.keys() {
                assert!(OUTCOMES.contains(&name.as_str()), "{name} is no outcome");
            }
            outcomes.values().map(|count| count.as_i64().unwrap()).sum()
        };
        assert_eq!(sum(&ledger["outcomes"]), consumed);
        assert_eq!(ledger["unaccounted"], 0);
        let mut by_source = 0;
        for (source, part) in ledger["by_source"].as_object().unwrap() {
            let part_consumed = part["consumed"].as_i64().unwrap();
            assert_eq!(sum(&part["outcomes"]), part_consumed, "{source}");
            let file = input.join(format!("{source}.ndjson"));
            assert_eq!(records_in(&file) as i64, part_consumed, "{source}");
            by_source += part_consumed;
        }
        assert_eq!(by_source, consumed);
        assert_eq!(
            ledger["digest"],
            sha256(&self.bytes("incidents.ndjson")),
            "digest"
        );
        assert_eq!(
            self.count("deadletter"),
            self.lines("deadletter.ndjson").len() as i64
        );
        assert_eq!(self.count("late"), self.lines("late.ndjson").len() as i64);
    }

    fn check_members(&self) {
        let members = self.members();
        let belongs: i64 = ["opened", "joined", "continued"]
            .map(|outcome| self.count(outcome))
            .iter()
            .sum();
        assert_eq!(
            members.len() as i64,
            belongs,
            "exactly opened, joined and continued belong to an incident"
        );
        let mut roots: BTreeMap<&str, &str> = BTreeMap::new();
        for (event, (incident, outcome)) in &members {
            assert!(
                ["opened", "joined", "continued"].contains(&outcome.as_str()),
                "{event}: {outcome}"
            );
            // The map is in the order of events, so the first of an incident is the least.
            roots.entry(incident).or_insert(event);
        }
        let lines: BTreeSet<String> = members
            .iter()
            .map(|(event, (incident, _))| format!("{}\t{event}", roots[incident.as_str()]))
            .collect();
        let joined = lines.into_iter().collect::<Vec<_>>().join("\n");
        let digest = self.grouping_digest();
        assert!(
            [
                sha256(joined.as_bytes()),
                sha256(format!("{joined}\n").as_bytes())
            ]
            .contains(&digest),
            "grouping_digest does not follow from members.csv"
        );
        let outcomes = self.outcomes();
        for (event, (_, outcome)) in &members {
            assert_eq!(outcomes.get(event), Some(outcome), "{event}");
        }
    }

    fn check_incidents(&self) {
        let mut last: BTreeMap<String, Value> = BTreeMap::new();
        for revision in self.lines("revisions.ndjson") {
            let id = revision["incident_id"].as_str().unwrap().to_owned();
            let number = revision["revision"].as_i64().unwrap();
            let before = last
                .get(&id)
                .map_or(0, |before| before["revision"].as_i64().unwrap());
            assert!(number > before, "{id}: revision {number} after {before}");
            last.insert(id, revision);
        }
        let incidents = self.lines("incidents.ndjson");
        let ids: Vec<&str> = incidents
            .iter()
            .map(|incident| incident["incident_id"].as_str().unwrap())
            .collect();
        assert!(ids.is_sorted(), "incidents.ndjson is in the order of incident_id");
        assert_eq!(
            incidents,
            last.into_values().collect::<Vec<_>>(),
            "each incident's last revision"
        );
        let by_id: BTreeMap<&str, &Value> = ids.iter().copied().zip(&incidents).collect();
        let mut counted: BTreeMap<String, i64> = BTreeMap::new();
        for (event, (incident, outcome)) in self.members() {
            let status = by_id.get(incident.as_str()).map(|incident| &incident["status"]);
            assert!(
                status.is_some_and(|status| status != "MERGED"),
                "{event} in {incident}: {status:?}"
            );
            *counted.entry(incident).or_default() += i64::from(outcome != "continued");
        }
        let mut behind = 0;
        for incident in &incidents {
            check_incident(incident);
            let id = incident["incident_id"].as_str().unwrap();
            let count = incident["member_count"].as_i64().unwrap();
            behind += i64::from(incident["status"] != "MERGED" && counted.get(id) != Some(&count));
        }
        // What the last second changed is not flushed.
        assert!(
            behind <= 3,
            "{behind} incidents count other members than members.csv"
        );
    }
}

fn check_incident(incident: &Value) {
    let id = incident["incident_id"].as_str().unwrap();
    let priority = &incident["priority"];
    let parts = priority["parts"].as_object().unwrap();
    assert_eq!(
        parts.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        BTreeSet::from(["S", "E", "C", "R", "W", "T"])
    );
    let sum: i64 = parts.values().map(|part| part.as_i64().unwrap()).sum();
    assert_eq!(
        priority["score"].as_i64(),
        Some(sum),
        "{id}: the parts sum to the score"
    );
    assert!(
        ["P1", "P2", "P3", "P4"]
            .iter()
            .any(|band| priority["band"] == **band),
        "{id}: {}",
        priority["band"]
    );
    let reasons = priority["reasons_zh"].as_array().unwrap();
    let is_chinese = |reason: &Value| {
        reason
            .as_str()
            .unwrap()
            .contains(|c: char| ('\u{4e00}'..='\u{9fff}').contains(&c))
    };
    assert!(
        !reasons.is_empty() && reasons.iter().all(is_chinese),
        "{id}: {reasons:?}"
    );
    assert!(
        !priority["reasons_en"].as_array().unwrap().is_empty(),
        "{id}: no reason in English"
    );
    for clock in ["dispatch_by", "control_by", "clock"] {
        assert!(priority["deadline"][clock].is_string(), "{id}: no {clock}");
    }
    let status = incident["status"].as_str().unwrap();
    assert!(["OPEN", "CLOSED", "MERGED"].contains(&status), "{id}: {status}");
    assert_eq!(
        incident.get("merged_into").is_some_and(Value::is_string),
        status == "MERGED",
        "{id}"
    );
    assert_eq!(
        incident.get("close_reason").is_some_and(Value::is_string),
        status == "CLOSED",
        "{id}"
    );
    let members = incident["members"].as_array().unwrap();
    assert!(members.len() <= 20, "{id}: {} members listed", members.len());
    let count = incident["member_count"].as_i64().unwrap();
    assert_eq!(
        members.len() as i64,
        count.min(20),
        "{id}: the newest 20 of {count}"
    );
    for member in members {
        for field in ["source_system", "event_id", "source", "event_time", "why"] {
            assert!(
                member[field].is_string(),
                "{id}: a member without {field}: {member}"
            );
        }
    }
    for field in [
        "kind",
        "name_zh",
        "opened_at",
        "first_event_at",
        "last_event_at",
        "explanation",
        "config_version",
    ] {
        assert!(incident[field].is_string(), "{id}: no {field}");
    }
    for field in ["codes", "handling"] {
        assert!(incident[field].is_object(), "{id}: no {field}");
    }
    for field in ["cells", "also_affects", "source_types", "related"] {
        assert!(incident[field].is_array(), "{id}: no {field}");
    }
    assert!(
        incident["decision_digest"].is_string(),
        "{id}: no decision_digest"
    );
}
