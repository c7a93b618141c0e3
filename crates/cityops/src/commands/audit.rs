//! `cityops audit`: decides the committed enriched log again and compares with the incidents that were published, and those with
//! the topics of the bands.

mod bands;
mod published;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use city_model::{Band, IncidentId, Ledger, Outcome, Status};
use incident_engine::Output;
use kafka_log::Properties;
use serde_json::Value;
use stream_worker::Correlate;
use wire_format::Topic;

use bands::unlike;
use published::Published;

use crate::CommandResult;
use crate::cli::ConfigArgs;
use crate::commands::again::decide_again;
use crate::commands::print;
use crate::committed::Grouping;
use crate::config::Loaded;
use crate::exit::Exit;
use crate::outputs::ReadBack;
use crate::topics;
use crate::workers::Role;

/// How many differences are shown.
const SHOWN_MAX: usize = 20;
/// How long the broker may take to say which topics there are.
const PATIENCE: Duration = Duration::from_secs(15);

pub(super) fn run(args: &ConfigArgs, json: bool) -> CommandResult {
    let loaded = Loaded::read(&args.config)?;
    let properties = topics::properties(&loaded)?;
    let partitions = topics::partitions(&loaded, &properties)?;
    let count = partitions.get(&Topic::Enriched).copied().unwrap_or(0);
    let read = ReadBack::of(&loaded)?;
    let kafka = &loaded.config.kafka;
    let group = Role::Correlate.group(kafka);
    let audit = audit(&properties, &kafka.topic_prefix, count, &group, &read)?;
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
    /// The digest of the grouping of all events that belong to an incident.
    pub grouping_digest: String,
    /// That grouping.
    pub grouping: Grouping,
    /// What was counted again.
    pub ledger: Ledger,
    /// Partitions of the enriched log whose beginning retention has cut, and from which offset they go on.
    pub cut: Vec<String>,
}

/// Decides every partition of the enriched log again, up to where the correlator has committed, and compares the last revision of
/// each incident with `city.incidents.v1`, byte for byte; one in Avro by the JSON that says the same. Of that the topic of each band
/// must hold just the open incidents in it.
///
/// What is published is read before the correlator is asked where it stands, and what was added meanwhile after it, so a running
/// system may be audited: what was decided there is one of the revisions in between.
///
/// # Errors
/// When a topic cannot be read, or the schema of what lies in it.
pub fn audit(
    properties: &Properties,
    prefix: &str,
    partitions: i32,
    group: &str,
    read: &ReadBack,
) -> anyhow::Result<Audit> {
    let mut audit = Audit::default();
    let mut decided = Decided::default();
    let enriched = kafka_log::topic_name(prefix, Topic::Enriched);
    let known = kafka_log::admin::topic_partitions(properties, PATIENCE)?;
    let begin = |of| Published::begin(properties, &known, kafka_log::topic_name(prefix, of), read);
    let mut published = begin(Topic::Incidents)?;
    let mut bands = Vec::new();
    for band in Band::ALL {
        bands.push((*band, begin(Topic::of_band(*band))?));
    }
    let positions = kafka_log::read::positions(properties, group, &enriched, partitions)?;
    for (partition, position) in (0..partitions).zip(positions) {
        // Not the first record's offset: what was aborted before it stands there, too.
        let begin = kafka_log::read::beginning(properties, &enriched, partition)?;
        if begin > 0 {
            audit
                .cut
                .push(format!("partition {partition} before offset {begin}"));
        }
        let correlate = decide_again(
            properties,
            &enriched,
            partition,
            position,
            |_| {},
            |inputs, outputs| {
                audit.inputs += inputs as u64;
                outputs.into_iter().for_each(|output| decided.take(output));
            },
        )?;
        audit.ledger.merge(correlate.ledger());
        decided.settle(&correlate);
    }
    published.go_on(properties, read)?;
    for (_, shown) in &mut bands {
        shown.go_on(properties, read)?;
    }
    audit.merged = decided.merged();
    audit.incidents = decided.incidents.len().max(published.standing());
    let keys: BTreeSet<_> = decided
        .incidents
        .keys()
        .chain(published.incidents.keys())
        .collect();
    for key in keys {
        let name = String::from_utf8_lossy(key);
        let last = decided.incidents.get(key).map(|last| last.json.as_slice());
        let said = published.incidents.get(key).map_or(&[None][..], Vec::as_slice);
        if said.iter().any(|said| said.as_deref() == last) {
            continue;
        }
        audit
            .differences
            .push(match (last, said.last().and_then(Option::as_deref)) {
                (Some(decided), Some(published)) => format!(
                    "{name}: the last revision is another: {}",
                    told_otherwise(decided, published)
                ),
                (Some(_), None) => format!("{name}: decided but not published"),
                (None, _) => format!("{name}: published but not decided"),
            });
    }
    for (band, shown) in &bands {
        audit.differences.extend(unlike(*band, shown, &published));
    }
    audit.grouping_digest = decided.grouping.digest();
    audit.grouping = decided.grouping;
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
                let (id, into) = (record.incident_id.clone(), record.merged_into.clone());
                self.grouping.put_merged(id, into, record.member_count);
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
                let into = incident.merged_into.clone();
                self.grouping.put_merged(id, into, incident.member_count);
            }
        }
    }

    fn merged(&self) -> usize {
        self.incidents.values().filter(|last| last.is_merged).count()
    }
}

#[cfg(test)]
mod tests {
    use incident_engine::{IncidentRecord, ToldBy};

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
            told_by: ToldBy::default(),
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
