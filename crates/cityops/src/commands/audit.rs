//! `cityops audit`: decides the committed enriched log again and compares with the incidents that were published.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use anyhow::Context;
use city_model::{IncidentId, Ledger, Outcome, Status};
use incident_engine::Output;
use kafka_log::Properties;
use serde_json::Value;
use stream_worker::Correlate;
use wire_format::Topic;

use crate::CommandResult;
use crate::cli::ConfigArgs;
use crate::commands::again::decide_again;
use crate::commands::print;
use crate::committed::Grouping;
use crate::config::Loaded;
use crate::exit::Exit;
use crate::outputs::ReadBack;
use crate::topics;

/// How many differences are shown.
const SHOWN_MAX: usize = 20;

pub(super) fn run(args: &ConfigArgs, json: bool) -> CommandResult {
    let loaded = Loaded::read(&args.config)?;
    let properties = topics::properties(&loaded)?;
    let partitions = topics::partitions(&loaded, &properties)?;
    let count = partitions.get(&Topic::Enriched).copied().unwrap_or(0);
    let read = ReadBack::of(&loaded)?;
    let audit = audit(&properties, &loaded.config.kafka.topic_prefix, count, &read)?;
    if json {
        print(serde_json::json!({
            "inputs": audit.inputs, "incidents": audit.incidents, "merged": audit.merged, "differences": audit.differences,
            "grouping_digest": audit.grouping_digest, "cut": audit.cut,
        }));
    } else {
        for cut in &audit.cut {
            print(format!(
                "retention has cut {cut}: what it decided cannot be judged"
            ));
        }
        for difference in audit.differences.iter().take(SHOWN_MAX) {
            print(format!("differs: {difference}"));
        }
        print(format!(
            "{} inputs decided again, {} incidents compared, {} differences",
            audit.inputs,
            audit.incidents,
            audit.differences.len()
        ));
        print(format!("grouping_digest   {}", audit.grouping_digest));
    }
    Ok(if audit.differences.is_empty() && audit.cut.is_empty() {
        Exit::Clean
    } else {
        Exit::Differences
    })
}

/// What an audit found.
#[derive(Debug, Default)]
pub struct Audit {
    /// Inputs decided again.
    pub inputs: u64,
    /// Incidents compared.
    pub incidents: usize,
    /// Of those, how many became part of another.
    pub merged: usize,
    /// What differs.
    pub differences: Vec<String>,
    /// The grouping of all events that belong to an incident.
    pub grouping_digest: String,
    /// What was counted again.
    pub ledger: Ledger,
    /// Partitions of the enriched log whose beginning retention has cut, and from which offset they go on.
    pub cut: Vec<String>,
}

/// Decides every partition of the enriched log again, from what is committed, and compares the last revision of each
/// incident with `city.incidents.v1`, byte for byte; one in Avro by the JSON that says the same.
///
/// # Errors
/// When a topic cannot be read, or the schema of what lies in it.
pub fn audit(
    properties: &Properties,
    prefix: &str,
    partitions: i32,
    read: &ReadBack,
) -> anyhow::Result<Audit> {
    let mut audit = Audit::default();
    let mut decided = Decided::default();
    let enriched = kafka_log::topic_name(prefix, Topic::Enriched);
    for partition in 0..partitions {
        // Not the first record's offset: what was aborted before it stands there, too.
        let begin = kafka_log::read::beginning(properties, &enriched, partition)?;
        if begin > 0 {
            audit
                .cut
                .push(format!("partition {partition} before offset {begin}"));
        }
        let correlate = decide_again(properties, &enriched, partition, |inputs, outputs| {
            audit.inputs += inputs as u64;
            outputs.into_iter().for_each(|output| decided.take(output));
        })?;
        audit.ledger.merge(correlate.ledger());
        decided.settle(&correlate);
    }
    audit.merged = decided.merged();
    let incidents = kafka_log::topic_name(prefix, Topic::Incidents);
    let mut published: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    let mut wrong = None;
    kafka_log::read::read_all(properties, &incidents, |record| {
        let key = record.key().unwrap_or_default().to_vec();
        match record.value().map(|value| read.incident_json(value)) {
            Some(Ok(json)) => published.insert(key, json.into_owned()),
            None => published.remove(&key),
            Some(Err(error)) => {
                wrong = Some((error, record.offset()));
                return ControlFlow::Break(());
            }
        };
        ControlFlow::Continue(())
    })?;
    if let Some((error, offset)) = wrong {
        return Err(error).with_context(|| format!("read {incidents} at offset {offset}"));
    }
    audit.incidents = decided.incidents.len().max(published.len());
    let keys: BTreeSet<_> = decided.incidents.keys().chain(published.keys()).collect();
    for key in keys {
        let name = String::from_utf8_lossy(key);
        match (decided.incidents.get(key), published.get(key)) {
            (Some(a), Some(b)) if a.json == *b => {}
            (Some(a), Some(b)) => audit.differences.push(format!(
                "{name}: the last revision is another: {}",
                told_otherwise(&a.json, b)
            )),
            (Some(_), None) => audit
                .differences
                .push(format!("{name}: decided but not published")),
            _ => audit
                .differences
                .push(format!("{name}: published but not decided")),
        }
    }
    audit.grouping_digest = decided.grouping.digest();
    Ok(audit)
}

/// The fields that two revisions tell differently, each as decided and as published.
fn told_otherwise(decided: &[u8], published: &[u8]) -> String {
    let fields = |json: &[u8]| serde_json::from_slice::<BTreeMap<String, Value>>(json).unwrap_or_default();
    let (decided, published) = (fields(decided), fields(published));
    let keys: BTreeSet<&String> = decided.keys().chain(published.keys()).collect();
    let told = |value: Option<&Value>| value.map_or_else(|| "absent".to_owned(), Value::to_string);
    let differing: Vec<String> = keys
        .into_iter()
        .filter(|key| decided.get(*key) != published.get(*key))
        .map(|key| {
            format!(
                "{key} {} was {}",
                told(decided.get(key)),
                told(published.get(key))
            )
        })
        .collect();
    if differing.is_empty() {
        "the same fields, written otherwise".to_owned()
    } else {
        differing.join("; ")
    }
}

/// The last word on every incident and event, decided again.
#[derive(Default)]
struct Decided {
    /// By their key in `city.incidents.v1`.
    incidents: BTreeMap<Vec<u8>, LastRevision>,
    grouping: Grouping,
}

struct LastRevision {
    json: Vec<u8>,
    is_merged: bool,
}

impl Decided {
    fn take(&mut self, output: Output) {
        match output {
            Output::Revision { record, .. } => {
                self.grouping
                    .put_merged(record.incident_id.clone(), record.merged_into.clone());
                let last = LastRevision {
                    json: serde_json::to_vec(&record).unwrap_or_default(),
                    is_merged: record.merged_into.is_some(),
                };
                self.incidents
                    .insert(record.incident_id.as_str().as_bytes().to_vec(), last);
            }
            Output::Removed(id) => {
                self.incidents.remove(id.as_str().as_bytes());
            }
            Output::Outcome { row, .. } => {
                // What is decided again is told again.
                let incident = row.incident.filter(|_| Outcome::belongs(row.outcome));
                self.grouping.put(&row.key.to_string(), incident);
            }
            Output::Late(_) | Output::Withheld(_) => {}
        }
    }

    /// The last word of the engine: a revision that waits for the next tick is not published yet.
    fn settle(&mut self, correlate: &Correlate) {
        for (key, last) in &mut self.incidents {
            let id = IncidentId::new(&String::from_utf8_lossy(key));
            if let Some(incident) = correlate.engine().incident(&id) {
                last.is_merged = incident.status == Status::Merged;
                self.grouping.put_merged(id, incident.merged_into.clone());
            }
        }
    }

    fn merged(&self) -> usize {
        self.incidents.values().filter(|last| last.is_merged).count()
    }
}

#[cfg(test)]
mod tests {
    use incident_engine::IncidentRecord;

    use super::*;

    #[test]
    fn a_difference_names_the_fields() {
        let decided = br#"{"incident_id":"a","revision":3,"kind":"fire_smoke"}"#;
        let published = br#"{"incident_id":"a","revision":2,"kind":"fire_smoke","town":"x"}"#;
        let told = told_otherwise(decided, published);
        assert_eq!(told, r#"revision 3 was 2; town absent was "x""#);
    }

    #[test]
    fn an_incident_that_is_removed_is_not_counted_as_merged() {
        let merged: IncidentRecord = serde_json::from_str(include_str!(
            "../../../stream-worker/tests/written/golden/city.incidents.v1.1.json"
        ))
        .unwrap();
        assert!(merged.merged_into.is_some());
        let id = merged.incident_id.clone();
        let open = IncidentRecord {
            merged_into: None,
            ..merged.clone()
        };
        let revision = |record: &IncidentRecord| Output::Revision {
            record: Box::new(record.clone()),
            leaves: None,
            shown_in: None,
        };
        let mut decided = Decided::default();
        let mut after = |output: Output| {
            decided.take(output);
            (decided.incidents.len(), decided.merged())
        };
        assert_eq!(after(revision(&open)), (1, 0));
        assert_eq!(after(revision(&merged)), (1, 1));
        assert_eq!(after(revision(&open)), (1, 0), "taken apart again");
        assert_eq!(after(revision(&merged)), (1, 1));
        assert_eq!(after(Output::Removed(id)), (0, 0));
    }
}
