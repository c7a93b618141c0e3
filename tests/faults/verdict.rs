//! What must hold after a run, whatever was done to it; each complaint is one line.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use city_model::{Batch, Input, Outcome};
use city_simulator::Scenario;
use cityops::outputs::ReadBack;
use kafka_log::Properties;
use serde_json::Value;
use wire_format::Topic;

/// Incidents of a band by key, as they were told last.
type Shown = BTreeSet<(Vec<u8>, Vec<u8>)>;

/// How many identities are named in a complaint.
const NAMED: usize = 5;

/// A run that is over.
pub struct Judged<'a> {
    pub properties: &'a Properties,
    pub prefix: &'a str,
    pub scenario: Scenario,
    pub seed: u64,
    pub records: usize,
    /// How many of them were sent.
    pub sent: i64,
    pub enriched_partitions: i32,
    /// The correlator's consumer group.
    pub correlate_group: &'a str,
    /// The grouping of a calm run over the same records, where that must be the same.
    pub calm: Option<&'a str>,
}

/// What is wrong; empty when nothing was lost and nothing doubled.
pub fn verdict(judged: &Judged<'_>) -> Vec<String> {
    let mut complaints = kept(judged);
    let mut expect = |holds: bool, complaint: String| {
        if !holds {
            complaints.push(complaint);
        }
    };
    let (properties, prefix) = (judged.properties, judged.prefix);
    let read = ReadBack::of(&cityops::config::Loaded::builtin()).unwrap();
    let ledger = cityops::commands::ledger::committed(properties, prefix, &read).unwrap();
    let opened = ledger.outcomes.get("opened").copied().unwrap_or(0);

    // Deciding the committed log again gives the committed incidents byte for byte.
    let partitions = judged.enriched_partitions;
    let audit =
        cityops::commands::audit::audit(properties, prefix, partitions, judged.correlate_group, &read)
            .unwrap();
    for difference in audit.differences.iter().take(NAMED) {
        expect(false, format!("audit: {difference}"));
    }
    expect(
        audit.cut.is_empty(),
        format!("the enriched log is cut: {:?}", audit.cut),
    );
    // A merge that was decided after the last tick is not published; who is in which incident is.
    let mut told = cityops::commands::ledger::grouping(properties, prefix, &read).unwrap();
    told.adopt_merges(&audit.grouping);
    for event in told.told_otherwise(&audit.grouping).into_iter().take(NAMED) {
        expect(false, format!("told and decided again otherwise: {event}"));
    }
    let grouping = told.digest();
    expect(
        audit.grouping_digest == grouping,
        format!(
            "the grouping is {grouping}, decided again {}",
            audit.grouping_digest
        ),
    );
    if let Some(calm) = judged.calm {
        expect(
            grouping == calm,
            format!("the grouping is {grouping}, that of a calm run {calm}"),
        );
    }
    // What was decided again may have become part of another incident, which one event opened.
    let standing = (audit.incidents - audit.merged) as i64;
    expect(
        standing == opened,
        format!("{opened} events opened an incident, {standing} stand"),
    );
    complaints
}

/// What of that holds whoever decided: each record has one outcome, none is in the log twice, and the bands are the truth told apart.
pub fn kept(judged: &Judged<'_>) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut expect = |holds: bool, complaint: String| {
        if !holds {
            complaints.push(complaint);
        }
    };
    let (properties, prefix) = (judged.properties, judged.prefix);
    let read = ReadBack::of(&cityops::config::Loaded::builtin()).unwrap();

    // Each record has one outcome, and those of single events agree with what was counted.
    let ledger = cityops::commands::ledger::committed(properties, prefix, &read).unwrap();
    let counted: i64 = ledger.outcomes.values().sum();
    let sent = judged.sent;
    expect(
        counted == sent,
        format!("{sent} records were sent, {counted} have an outcome"),
    );
    expect(
        ledger.unaccounted == 0,
        format!("{} are unaccounted", ledger.unaccounted),
    );
    let told = told(properties, prefix);
    let untold = [Outcome::DuplicateId, Outcome::BelowThreshold];
    for outcome in Outcome::ALL.iter().filter(|outcome| !untold.contains(outcome)) {
        let counted = ledger.outcomes.get(outcome.as_str()).copied().unwrap_or(0);
        let told = told.get(outcome.as_str()).copied().unwrap_or(0);
        expect(
            counted == told,
            format!("{outcome}: {counted} are counted, {told} are told"),
        );
    }
    let of = |outcome: &str| ledger.outcomes.get(outcome).copied().unwrap_or(0);
    expect(
        of("joined") > 0 && of("opened") > 0,
        "no incident at all".to_owned(),
    );

    let doubled = doubled_events(judged);
    expect(
        doubled.is_empty(),
        format!("in the enriched log more than once: {doubled:?}"),
    );
    complaints.extend(incidents_and_bands(properties, prefix));
    complaints
}

/// How many events have each outcome as their newest.
fn told(properties: &Properties, prefix: &str) -> BTreeMap<String, i64> {
    let mut newest: BTreeMap<Vec<u8>, String> = BTreeMap::new();
    each_record(properties, prefix, Topic::Outcomes, |key, value| {
        let told: Value = serde_json::from_slice(value.unwrap()).unwrap();
        newest.insert(key.to_vec(), told["outcome"].as_str().unwrap().to_owned());
    });
    let mut counts = BTreeMap::new();
    for outcome in newest.into_values() {
        *counts.entry(outcome).or_default() += 1;
    }
    counts
}

/// Events that are in the enriched log more often than they were sent.
fn doubled_events(judged: &Judged<'_>) -> Vec<String> {
    let mut sent: BTreeMap<String, i64> = BTreeMap::new();
    for record in city_simulator::simulate(judged.scenario, judged.seed, judged.records) {
        if let Ok(said) = serde_json::from_str::<Value>(&record.line) {
            let identity = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
            let key = format!("{}/{}", identity("source_system"), identity("event_id"));
            *sent.entry(key).or_default() += 1;
        }
    }
    each_record(judged.properties, judged.prefix, Topic::Enriched, |_, value| {
        let batch: Batch = serde_json::from_slice(value.unwrap()).unwrap();
        for input in batch.inputs {
            if let Input::Event(event) = input {
                *sent.entry(event.key.to_string()).or_default() -= 1;
            }
        }
    });
    let doubled = sent.into_iter().filter(|(_, left)| *left < 0);
    doubled.map(|(key, _)| key).take(NAMED).collect()
}

/// Revisions only rise, and each band shows exactly the open incidents that are in it, as `city.incidents.v1` tells them.
fn incidents_and_bands(properties: &Properties, prefix: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut last: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
    let mut incidents: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    each_record(properties, prefix, Topic::Incidents, |key, value| {
        let Some(value) = value else {
            incidents.remove(key);
            return;
        };
        let told: Value = serde_json::from_slice(value).unwrap();
        let revision = told["revision"].as_i64().unwrap();
        if last
            .insert(key.to_vec(), revision)
            .is_some_and(|before| revision <= before)
        {
            complaints.push(format!(
                "{}: revision {revision} came again",
                String::from_utf8_lossy(key)
            ));
        }
        incidents.insert(key.to_vec(), value.to_vec());
    });
    let mut open: BTreeMap<String, Shown> = BTreeMap::new();
    for (key, value) in incidents {
        let told: Value = serde_json::from_slice(&value).unwrap();
        if told["status"] == "OPEN" {
            let band = told["priority"]["band"].as_str().unwrap().to_owned();
            open.entry(band).or_default().insert((key, value));
        }
    }
    for (name, topic) in [
        ("P1", Topic::IncidentsP1),
        ("P2", Topic::IncidentsP2),
        ("P3", Topic::IncidentsP3),
        ("P4", Topic::IncidentsP4),
    ] {
        let mut shown: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        each_record(properties, prefix, topic, |key, value| match value {
            Some(value) => {
                shown.insert(key.to_vec(), value.to_vec());
            }
            None => {
                shown.remove(key);
            }
        });
        let shown: Shown = shown.into_iter().collect();
        let open = open.remove(name).unwrap_or_default();
        for (key, _) in open.symmetric_difference(&shown).take(NAMED) {
            let id = String::from_utf8_lossy(key);
            complaints.push(format!("{name} and city.incidents.v1 do not agree on {id}"));
        }
    }
    complaints.extend(
        open.keys()
            .map(|band| format!("incidents of an unknown band {band}")),
    );
    complaints
}

fn each_record(
    properties: &Properties,
    prefix: &str,
    topic: Topic,
    mut each: impl FnMut(&[u8], Option<&[u8]>),
) {
    let name = kafka_log::topic_name(prefix, topic);
    kafka_log::read::read_all(properties, &name, |record| {
        each(record.key().unwrap_or_default(), record.value());
        ControlFlow::Continue(())
    })
    .unwrap();
}
