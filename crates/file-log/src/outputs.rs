//! The files of a replay's output, and the ledger that sums them up.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use city_model::{
    EventKey, GroupingDigest, IncidentId, Ledger, LedgerCell, Outcome, Source, hex, sha256_hex,
};
use city_vitals::VitalsRecord;
use incident_engine::{EventRow, Evidence, Output, ToldBy};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use stream_worker::{OutRecord, Unmapped};
use wire_format::{Topic, headers};

use crate::{INPUT_FILES, ReplayOptions};

/// Written on request only.
pub(crate) const EVIDENCE: &str = "evidence.ndjson";

/// Written on request only.
const VITALS: &str = "vitals.ndjson";

/// Codes that no rule maps, the most frequent first; beside what the contract lists.
const UNMAPPED: &str = "unmapped.json";

/// What told of each incident, for its evaluation; beside what the contract lists.
pub const TOLD_BY: &str = "told_by.ndjson";

/// Every file of an output directory.
pub(crate) const FILES: [&str; 12] = [
    "incidents.ndjson",
    "revisions.ndjson",
    "outcomes.ndjson",
    "late.ndjson",
    "deadletter.ndjson",
    "device_faults.ndjson",
    "members.csv",
    EVIDENCE,
    VITALS,
    UNMAPPED,
    TOLD_BY,
    "ledger.json",
];

/// The ledger as `ledger.json` holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayLedger {
    /// Records read.
    pub consumed: i64,
    /// Records by their present outcome.
    pub outcomes: BTreeMap<String, i64>,
    /// The same by source.
    pub by_source: BTreeMap<String, SourceLedger>,
    /// Records without an outcome.
    pub unaccounted: i64,
    /// The SHA-256 of `incidents.ndjson`; absent where there is no such file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The SHA-256 that names the grouping alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grouping_digest: Option<String>,
}

/// One source's part of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SourceLedger {
    /// Records read.
    pub consumed: i64,
    /// Records by their present outcome.
    pub outcomes: BTreeMap<String, i64>,
}

impl ReplayLedger {
    /// The public form of a ledger.
    pub fn of(ledger: &Ledger) -> ReplayLedger {
        let mut by_source: BTreeMap<String, SourceLedger> = BTreeMap::new();
        for (cell, count) in ledger.cells().filter(|(_, count)| *count != 0) {
            match cell {
                LedgerCell::Consumed(source) => {
                    by_source.entry(source.to_string()).or_default().consumed += count
                }
                LedgerCell::Outcome(source, outcome) => {
                    let entry = by_source.entry(source.to_string()).or_default();
                    *entry.outcomes.entry(outcome.to_string()).or_default() += count;
                }
            }
        }
        let counted = Outcome::ALL
            .iter()
            .map(|outcome| (outcome.to_string(), ledger.outcome(*outcome)));
        ReplayLedger {
            consumed: ledger.consumed(),
            outcomes: counted.filter(|(_, count)| *count != 0).collect(),
            by_source,
            unaccounted: ledger.unaccounted(),
            digest: None,
            grouping_digest: None,
        }
    }
}

/// One source's codes that no rule maps, as `unmapped.json` holds them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmappedSource {
    /// Records with such a code.
    pub records: u64,
    /// The most frequent first, at most 200.
    pub codes: Vec<UnmappedCode>,
    /// What the words of at least ten tickets without a code have in common, four characters at a time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<String>,
}

/// A code that no rule maps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmappedCode {
    /// The code with its standard or system, or a category's name; free of personal data.
    pub code: String,
    /// It came so often at most.
    pub at_most: u64,
    /// And so often at least; less where more than 200 codes came.
    pub at_least: u64,
}

/// The output files while a replay runs.
pub struct Outputs {
    dir: PathBuf,
    writers: BTreeMap<&'static str, BufWriter<File>>,
    /// The line that is being written; kept for its memory.
    buffer: Vec<u8>,
    /// Where the last revision of each incident lies in `revisions.ndjson`.
    last_revision: FxHashMap<IncidentId, (u64, usize)>,
    revisions_len: u64,
    members: FxHashMap<EventKey, (IncidentId, Outcome)>,
    merged: FxHashMap<IncidentId, IncidentId>,
    told_by: BTreeMap<IncidentId, ToldBy>,
}

impl Outputs {
    /// Creates the directory and its files; files of an earlier replay there are replaced.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn create(dir: &Path, options: ReplayOptions) -> anyhow::Result<Outputs> {
        std::fs::create_dir_all(dir).with_context(|| format!("create {}", dir.display()))?;
        let mut writers = BTreeMap::new();
        for name in FILES {
            let path = dir.join(name);
            if (name == EVIDENCE && !options.evidence) || (name == VITALS && !options.vitals) {
                match std::fs::remove_file(&path) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(error).with_context(|| format!("remove {}", path.display()));
                    }
                    _ => continue,
                }
            }
            let file = File::create(&path).with_context(|| format!("create {}", path.display()))?;
            writers.insert(name, BufWriter::with_capacity(1 << 18, file));
        }
        Ok(Outputs {
            dir: dir.to_owned(),
            writers,
            buffer: Vec::new(),
            last_revision: FxHashMap::default(),
            revisions_len: 0,
            members: FxHashMap::default(),
            merged: FxHashMap::default(),
            told_by: BTreeMap::new(),
        })
    }

    /// Writes the codes that no rule maps, by source, the most frequent first.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn unmapped(&mut self, found: &[(Source, &Unmapped)]) -> anyhow::Result<()> {
        let mut sources = BTreeMap::new();
        for (source, unmapped) in found.iter().filter(|(_, unmapped)| unmapped.total() > 0) {
            let codes: Vec<UnmappedCode> = unmapped
                .top()
                .into_iter()
                .map(|(code, frequency)| UnmappedCode {
                    code: code.to_owned(),
                    at_most: frequency.count,
                    at_least: frequency.count - frequency.over,
                })
                .collect();
            sources.insert(
                source.as_str(),
                UnmappedSource {
                    records: unmapped.total(),
                    codes,
                    samples: unmapped.samples().map(str::to_owned).collect(),
                },
            );
        }
        let json = serde_json::to_vec_pretty(&sources)?;
        self.line(UNMAPPED, &json)
    }

    /// Writes what the engine says.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn engine(&mut self, outputs: Vec<Output>) -> anyhow::Result<()> {
        for output in outputs {
            match output {
                Output::Revision { record, told_by, .. } => {
                    if told_by != ToldBy::default() {
                        self.told_by.insert(record.incident_id.clone(), told_by);
                    }
                    if let Some(survivor) = &record.merged_into {
                        self.merged.insert(record.incident_id.clone(), survivor.clone());
                    } else {
                        self.merged.remove(&record.incident_id);
                    }
                    let length = self.json("revisions.ndjson", &record)?;
                    let place = (self.revisions_len, length);
                    match self.last_revision.get_mut(&record.incident_id) {
                        Some(last) => *last = place,
                        None => {
                            self.last_revision.insert(record.incident_id.clone(), place);
                        }
                    }
                    self.revisions_len += length as u64 + 1;
                }
                // The files keep every incident: they are the whole story, not a compacted topic.
                Output::Removed(_) => {}
                Output::Outcome {
                    row,
                    reason,
                    evidence,
                } => self.outcome(row, reason.as_deref(), evidence)?,
                Output::Late(event) => {
                    self.json("late.ndjson", &event)?;
                }
                // It shows as `related`.
                Output::Withheld(_) => {}
            }
        }
        Ok(())
    }

    /// Writes vital signs.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn vitals(&mut self, told: Vec<VitalsRecord>) -> anyhow::Result<()> {
        for record in told {
            self.json(VITALS, &record)?;
        }
        Ok(())
    }

    fn outcome(
        &mut self,
        row: EventRow,
        reason: Option<&str>,
        evidence: Option<Box<Evidence>>,
    ) -> anyhow::Result<()> {
        self.json(
            "outcomes.ndjson",
            &OutcomeLine {
                source_system: &row.key.source_system,
                event_id: &row.key.event_id,
                outcome: row.outcome,
                incident_id: row.incident.as_ref(),
                reason,
            },
        )?;
        if let Some(evidence) = evidence.filter(|_| self.writers.contains_key(EVIDENCE)) {
            let line = EvidenceLine {
                source_system: &row.key.source_system,
                event_id: &row.key.event_id,
                outcome: row.outcome,
                incident_id: row.incident.as_ref(),
                evidence: &evidence,
            };
            self.json(EVIDENCE, &line)?;
        }
        match row.incident.filter(|_| row.outcome.belongs()) {
            Some(incident) => self.members.insert(row.key, (incident, row.outcome)),
            None => self.members.remove(&row.key),
        };
        Ok(())
    }

    /// Writes what intake hands to the outside topics.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn intake(&mut self, records: Vec<OutRecord>) -> anyhow::Result<()> {
        for record in records {
            match record.topic {
                Topic::DeadLetters => self.dead_letter(&record)?,
                Topic::Late => self.line("late.ndjson", &record.value.unwrap_or_default())?,
                Topic::DeviceFaults => {
                    self.line("device_faults.ndjson", &record.value.unwrap_or_default())?
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes an outcome that intake decided by itself.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn settled(&mut self, key: &EventKey, outcome: Outcome, reason: Option<&str>) -> anyhow::Result<()> {
        self.json(
            "outcomes.ndjson",
            &OutcomeLine {
                source_system: &key.source_system,
                event_id: &key.event_id,
                outcome,
                incident_id: None,
                reason,
            },
        )?;
        Ok(())
    }

    fn dead_letter(&mut self, record: &OutRecord) -> anyhow::Result<()> {
        let header = |name: &str| {
            record
                .headers
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, value)| value.as_str())
        };
        let source = header(headers::TOPIC)
            .and_then(Topic::by_name)
            .and_then(Topic::source);
        let file = INPUT_FILES
            .iter()
            .find(|(s, _)| Some(*s) == source)
            .map_or("", |(_, name)| name);
        let hash = header(headers::SHA256).map_or_else(
            || sha256_hex(record.value.as_deref().unwrap_or_default()),
            str::to_owned,
        );
        self.json(
            "deadletter.ndjson",
            &DeadLetterLine {
                file,
                line: header(headers::OFFSET)
                    .and_then(|line| line.parse().ok())
                    .unwrap_or(0),
                reason: header(headers::REASON).unwrap_or_default(),
                detail: header(headers::DETAIL),
                hash: &hash,
            },
        )?;
        Ok(())
    }

    /// Writes a line, and answers how many bytes it has without its line feed.
    fn json(&mut self, file: &'static str, line: &impl Serialize) -> anyhow::Result<usize> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        serde_json::to_writer(&mut buffer, line)?;
        let length = buffer.len();
        self.line(file, &buffer)?;
        self.buffer = buffer;
        Ok(length)
    }

    fn line(&mut self, file: &'static str, line: &[u8]) -> anyhow::Result<()> {
        let writer = self
            .writers
            .get_mut(file)
            .with_context(|| format!("{file} is not open"))?;
        writer
            .write_all(line)
            .and_then(|()| writer.write_all(b"\n"))
            .with_context(|| format!("write {file}"))
    }

    /// Writes the files that need the whole: incidents, members and the ledger.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn finish(mut self, ledger: &Ledger) -> anyhow::Result<ReplayLedger> {
        for (incident_id, told_by) in std::mem::take(&mut self.told_by) {
            self.json(TOLD_BY, &ToldByLine { incident_id, told_by })?;
        }
        for (name, writer) in &mut self.writers {
            writer.flush().with_context(|| format!("write {name}"))?;
        }
        let mut told = ReplayLedger::of(ledger);
        told.digest = Some(self.write_incidents()?);
        told.grouping_digest = Some(self.write_members()?);
        let mut json = serde_json::to_vec_pretty(&told)?;
        json.push(b'\n');
        std::fs::write(self.dir.join("ledger.json"), json).context("write ledger.json")?;
        Ok(told)
    }

    fn write_incidents(&mut self) -> anyhow::Result<String> {
        let mut revisions = File::open(self.dir.join("revisions.ndjson")).context("read revisions.ndjson")?;
        let mut digest = Sha256::new();
        let mut line = Vec::new();
        let mut last: Vec<_> = std::mem::take(&mut self.last_revision).into_iter().collect();
        last.sort_unstable();
        for (_, (offset, length)) in last {
            revisions.seek(SeekFrom::Start(offset))?;
            line.resize(length + 1, 0);
            revisions.read_exact(&mut line).context("read revisions.ndjson")?;
            digest.update(&line);
            self.line("incidents.ndjson", &line[..length])?;
        }
        if let Some(writer) = self.writers.get_mut("incidents.ndjson") {
            writer.flush().context("write incidents.ndjson")?;
        }
        Ok(hex(&digest.finalize()))
    }

    fn write_members(&mut self) -> anyhow::Result<String> {
        let mut rows: Vec<_> = std::mem::take(&mut self.members).into_iter().collect();
        rows.sort_unstable();
        let mut digest = GroupingDigest::default();
        let mut csv = csv::Writer::from_path(self.dir.join("members.csv")).context("write members.csv")?;
        csv.write_record(["source_system", "event_id", "incident_id", "outcome"])?;
        for (key, (incident, outcome)) in &rows {
            let mut survivor = incident;
            while let Some(next) = self.merged.get(survivor) {
                survivor = next;
            }
            digest.add(survivor.as_str(), key);
            csv.write_record([
                &*key.source_system,
                &*key.event_id,
                survivor.as_str(),
                outcome.as_str(),
            ])?;
        }
        csv.flush().context("write members.csv")?;
        Ok(digest.finish())
    }
}

/// What told of an incident, as a line of `told_by.ndjson` has it. Incidents that people alone told of are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldByLine {
    /// The incident.
    pub incident_id: IncidentId,
    /// What told of it.
    #[serde(flatten)]
    pub told_by: ToldBy,
}

#[derive(Serialize)]
struct OutcomeLine<'a> {
    source_system: &'a str,
    event_id: &'a str,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident_id: Option<&'a IncidentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct EvidenceLine<'a> {
    source_system: &'a str,
    event_id: &'a str,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident_id: Option<&'a IncidentId>,
    #[serde(flatten)]
    evidence: &'a Evidence,
}

#[derive(Serialize)]
struct DeadLetterLine<'a> {
    file: &'a str,
    line: i64,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    hash: &'a str,
}
