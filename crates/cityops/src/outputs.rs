//! The format of the outside topics: what a start registers for it, and how what was written is read back.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use city_vitals::VitalsRecord;
use incident_engine::{IncidentRecord, OutcomeRecord};
use schema_registry::Client;
use stream_worker::Outputs;
use wire_format::{Format, Reader, SchemaSource, Topic, Unread};

use crate::assemble;
use crate::config::{Loaded, OutputFormat};

/// How often a reader looks whether a schema has come.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How the workers of a process write, and the registry's ids that they write under.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// The format.
    pub outputs: Arc<Outputs>,
    /// The id of each topic that is written in Avro.
    pub ids: BTreeMap<Topic, u32>,
}

/// Asks the registry for the ids of the output schemas, if they are written in Avro: nothing may be written before each
/// has one. By `schemas.register` they are registered, or must be there.
///
/// # Errors
/// When the registry does not answer, refuses a schema or does not have it; the message names the subject.
pub fn prepare(loaded: &Loaded) -> anyhow::Result<Written> {
    let config = &loaded.config;
    let events = |outputs: Outputs| match config.output.cloudevents {
        true => outputs.as_events(&config.city.code),
        false => outputs,
    };
    if loaded.output_format() == OutputFormat::Json {
        return Ok(Written {
            outputs: Arc::new(events(Outputs::json())),
            ids: BTreeMap::new(),
        });
    }
    let told = assemble::registry_config(loaded)?.context("Avro needs a schema registry")?;
    let client = Client::new(&told);
    let mut ids = BTreeMap::new();
    for topic in Topic::OUTPUTS {
        let registered = topic.schema().zip(topic.subject());
        let (schema, subject) = registered.with_context(|| format!("{topic} has no schema"))?;
        // A subject begins with its topic's name on the broker, so the prefix stands before it, too.
        let subject = format!("{}{subject}", config.kafka.topic_prefix);
        let id = match config.schemas.register {
            true => client.register(&subject, schema),
            false => client.lookup(&subject, schema),
        };
        let id = id.map_err(|why| {
            let advice = match config.schemas.register {
                true => "",
                false => {
                    "; register the files of schemas/ (the bands share city.incidents.v1.avsc), or set schemas.register = true"
                }
            };
            anyhow::anyhow!(
                "the schema of {topic} (subject {subject}) at the registry {}: {why}{advice}",
                told.address
            )
        })?;
        tracing::info!(%topic, subject, schema = id, "an output is written in Avro");
        ids.insert(topic, id);
    }
    let outputs = Outputs::avro(&ids).context("read the built-in schemas")?;
    Ok(Written {
        outputs: Arc::new(events(outputs)),
        ids,
    })
}

/// Reads incidents and outcomes back. A topic may hold JSON and Avro, whatever is written now.
#[derive(Debug)]
pub struct ReadBack {
    incidents: Reader,
    outcomes: Reader,
    vitals: Reader,
    patience: Duration,
}

impl ReadBack {
    /// A reader that asks `source` for schemas other than those that this process writes by.
    ///
    /// # Errors
    /// Never with the schemas that are built in.
    pub fn new(
        source: Option<Arc<dyn SchemaSource>>,
        ids: &BTreeMap<Topic, u32>,
        patience: Duration,
    ) -> anyhow::Result<ReadBack> {
        let reader = |topic: Topic| -> anyhow::Result<Reader> {
            let reader = Reader::new(topic, source.clone())?;
            Ok(match (ids.get(&topic), topic.schema()) {
                (Some(id), Some(text)) => reader.knowing(*id, text)?,
                _ => reader,
            })
        };
        Ok(ReadBack {
            incidents: reader(Topic::Incidents)?,
            outcomes: reader(Topic::Outcomes)?,
            vitals: reader(Topic::Vitals)?,
            patience,
        })
    }

    /// For a command that reads what others have written.
    ///
    /// # Errors
    /// A configuration error of the registry's keys.
    pub fn of(loaded: &Loaded) -> anyhow::Result<ReadBack> {
        let source = assemble::schema_source(loaded)?;
        // One request that fails, a pause, and one more.
        let patience = Duration::from_millis(loaded.config.schemas.timeout.0.max(0) as u64) * 2;
        ReadBack::new(source, &BTreeMap::new(), patience)
    }

    /// The JSON of an incident: as it was written, or as it would have been written.
    ///
    /// # Errors
    /// When it cannot be read, or its schema does not come in time.
    pub fn incident_json<'a>(&self, value: &'a [u8]) -> Result<Cow<'a, [u8]>, Unread> {
        if Format::detect(value) == Format::Json {
            return Ok(Cow::Borrowed(value));
        }
        let record: IncidentRecord = self.patiently(|| self.incidents.read(value))?;
        serde_json::to_vec(&record)
            .map(Cow::Owned)
            .map_err(|error| Unread::Never(error.to_string()))
    }

    /// The vital signs of a cell.
    ///
    /// # Errors
    /// As [`ReadBack::incident_json`].
    pub fn vitals(&self, value: &[u8]) -> Result<VitalsRecord, Unread> {
        self.patiently(|| self.vitals.read(value))
    }

    /// An outcome.
    ///
    /// # Errors
    /// As [`ReadBack::incident_json`].
    pub fn outcome(&self, value: &[u8]) -> Result<OutcomeRecord, Unread> {
        self.patiently(|| self.outcomes.read(value))
    }

    fn patiently<T>(&self, read: impl Fn() -> Result<T, Unread>) -> Result<T, Unread> {
        let end = Instant::now() + self.patience;
        loop {
            match read() {
                Err(Unread::Later(_)) if Instant::now() < end => std::thread::park_timeout(LOOK_AGAIN),
                settled => return settled,
            }
        }
    }
}

/// Reads incidents that this process may have written: what the vitals worker reads.
///
/// # Errors
/// Never with the schemas that are built in.
pub fn incidents_reader(source: Option<Arc<dyn SchemaSource>>, written: &Written) -> anyhow::Result<Reader> {
    let reader = Reader::new(Topic::Incidents, source)?;
    Ok(
        match (written.ids.get(&Topic::Incidents), Topic::Incidents.schema()) {
            (Some(id), Some(text)) => reader.knowing(*id, text)?,
            _ => reader,
        },
    )
}

/// The grouping's reader: what a value of `city.events.outcomes.v1` says; a tombstone says nothing.
///
/// # Errors
/// When it cannot be read.
pub fn outcome_of(read: &ReadBack, value: Option<&[u8]>) -> anyhow::Result<Option<OutcomeRecord>> {
    match value {
        None => Ok(None),
        Some(value) => Ok(Some(read.outcome(value).context("read an outcome")?)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use wire_format::SchemaStore;

    use super::*;

    fn told(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cityops.toml");
        fs::write(&path, text).unwrap();
        let loaded = match Loaded::read_with(&path, std::iter::empty()) {
            Ok(loaded) => loaded,
            Err(error) => return format!("{error:#}").replace(&path.display().to_string(), "F"),
        };
        let format = format!("{:?}", loaded.output_format());
        assert!(
            loaded.masked().unwrap().contains("[output]\nformat"),
            "the effective one is shown"
        );
        match prepare(&loaded) {
            Ok(written) => format!("{format} {}", written.ids.len()),
            Err(error) => format!("{format} {error:#}"),
        }
    }

    #[test]
    fn avro_with_a_registry_json_without() {
        // A port that was free a moment ago: nobody answers there.
        let nobody = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let registry = format!("[schemas]\nregistry = \"http://{nobody}/apis\"\n");
        let check = |text: &str, expected: &[&str]| {
            let told = told(text);
            assert!(expected.iter().all(|part| told.contains(part)), "{text}: {told}");
        };
        check("", &["Json 0"]);
        check("[output]\nformat = \"json\"", &["Json 0"]);
        check(&format!("{registry}[output]\nformat = \"json\""), &["Json 0"]);
        // Nothing could be written: the start ends, and says with what.
        let away = [
            "Avro the schema of city.incidents.v1 (subject city.incidents.v1-value)",
            &nobody.to_string(),
        ];
        check(&registry, &away);
        check(
            &format!("{registry}[kafka]\ntopic_prefix = \"a.\""),
            &["(subject a.city.incidents.v1-value)"],
        );
        check(
            &format!("{registry}register = false"),
            &["schemas.register = true"],
        );
        check(
            "[output]\nformat = \"avro\"",
            &["F:2: ", "\"output.format\"", "schemas.registry"],
        );
        check("[output]\nformat = \"arvo\"", &["F:2: ", "arvo", "avro"]);
        check("[output]\nformt = \"avro\"", &["F:2: ", "formt", "format"]);
        check("[schemas]\nregistr = true", &["F:2: ", "registr"]);
    }

    #[test]
    fn a_topic_may_hold_both_formats_and_several_versions() {
        let outcome = |incident: &str| OutcomeRecord {
            outcome: city_model::Outcome::Joined,
            incident_id: Some(city_model::IncidentId::new(incident)),
            reason: None,
        };
        let id = SchemaStore::builtin_id(Topic::Outcomes).unwrap();
        let avro = Outputs::avro(&BTreeMap::from([(Topic::Outcomes, 700)])).unwrap();
        let ours = BTreeMap::from([(Topic::Outcomes, 700)]);
        let read = ReadBack::new(None, &ours, Duration::ZERO).unwrap();
        let json = Outputs::json().value(Topic::Outcomes, &outcome("a"));
        assert_eq!(read.outcome(&json), Ok(outcome("a")));
        assert_eq!(
            read.outcome(&avro.value(Topic::Outcomes, &outcome("b"))),
            Ok(outcome("b"))
        );
        let builtin = Outputs::avro(&BTreeMap::from([(Topic::Outcomes, id)])).unwrap();
        assert_eq!(
            read.outcome(&builtin.value(Topic::Outcomes, &outcome("c"))),
            Ok(outcome("c"))
        );
        assert!(matches!(outcome_of(&read, None), Ok(None)));
        assert!(outcome_of(&read, Some(b"\0\0\0\0\x01")).is_err());
        assert_eq!(read.incident_json(b"{}"), Ok(Cow::Borrowed(&b"{}"[..])));
    }
}
