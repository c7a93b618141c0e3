//! What the engine told of events and incidents, the last word of each; from a replay's files or from the log decided again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::Context;
use city_model::{EventKey, IncidentId, Name, Outcome};
use incident_engine::{Engine, Evidence, IncidentRecord, Output};
use serde::{Deserialize, Serialize};

/// How often what an incident became part of may have become part of another.
const CHAIN_MAX: usize = 64;

/// The last word on an event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Told {
    /// What became of it.
    pub outcome: Outcome,
    /// The incident that it belongs to, or that it cleared.
    pub incident: Option<IncidentId>,
    /// Why, where that needs saying.
    pub reason: Option<Name>,
    /// What was compared; `None` where nothing was, or where it was not kept.
    pub evidence: Option<Evidence>,
    /// It was decided more than once: what came out of its turn, or the centre, moved it.
    pub again: bool,
}

/// What was told of every event and incident.
#[derive(Debug, Default)]
pub struct Story {
    events: BTreeMap<EventKey, Told>,
    incidents: BTreeMap<IncidentId, IncidentRecord>,
    merged: BTreeMap<IncidentId, IncidentId>,
}

#[derive(Deserialize)]
struct Line {
    source_system: Name,
    event_id: Name,
    outcome: Outcome,
    incident_id: Option<IncidentId>,
    reason: Option<Name>,
    #[serde(flatten)]
    evidence: Option<Evidence>,
}

impl Story {
    /// Reads a replay's output.
    ///
    /// # Errors
    /// When a file is missing or no file of a replay; without `--evidence` the replay did not keep what was compared.
    pub fn read(dir: &Path) -> anyhow::Result<Story> {
        let mut story = Story::default();
        each_line(&dir.join("incidents.ndjson"), |line| {
            let record: IncidentRecord = serde_json::from_str(line)?;
            story.incidents.insert(record.incident_id.clone(), record);
            Ok(())
        })?;
        each_line(&dir.join("outcomes.ndjson"), |line| {
            let line: Line = serde_json::from_str(line)?;
            story.tell(line.key(), line.outcome, line.incident_id, line.reason, None);
            Ok(())
        })?;
        let evidence = dir.join("evidence.ndjson");
        anyhow::ensure!(
            evidence.exists(),
            "{} is missing: replay with --evidence to keep what was compared",
            evidence.display()
        );
        each_line(&evidence, |line| {
            let line: Line = serde_json::from_str(line)?;
            if let Some(told) = story.events.get_mut(&line.key()) {
                told.evidence = line.evidence;
            }
            Ok(())
        })?;
        Ok(story)
    }

    /// Adds what another partition told.
    pub fn add(&mut self, other: Story) {
        self.events.extend(other.events);
        self.incidents.extend(other.incidents);
    }

    /// Takes what the engine says.
    pub fn take(&mut self, output: Output) {
        match output {
            Output::Revision { record, .. } => {
                self.incidents.insert(record.incident_id.clone(), *record);
            }
            Output::Outcome {
                row,
                reason,
                evidence,
            } => self.tell(
                row.key,
                row.outcome,
                row.incident,
                reason,
                evidence.map(|evidence| *evidence),
            ),
            // What can be forgotten is still explained.
            Output::Removed(_) | Output::Late(_) | Output::Withheld(_) => {}
        }
    }

    fn tell(
        &mut self,
        key: EventKey,
        outcome: Outcome,
        incident: Option<IncidentId>,
        reason: Option<Name>,
        evidence: Option<Evidence>,
    ) {
        let again = self
            .events
            .get(&key)
            .is_some_and(|before| before.incident.is_some());
        let told = Told {
            outcome,
            incident,
            reason,
            evidence,
            again,
        };
        self.events.insert(key, told);
    }

    /// The last word on an event that is named as `source_system/event_id`, or by its id alone where one source has it.
    pub fn event(&self, name: &str) -> Option<(&EventKey, &Told)> {
        if let Some((system, id)) = name.split_once('/')
            && let Some(found) = self.events.get_key_value(&EventKey::new(system, id))
        {
            return Some(found);
        }
        let mut found = self.events.iter().filter(|(key, _)| &*key.event_id == name);
        found.next().filter(|_| found.next().is_none())
    }

    /// The last word on an event.
    pub fn told(&self, key: &EventKey) -> Option<&Told> {
        self.events.get(key)
    }

    /// The incident that an event is in, by the last word of the engine.
    pub(super) fn root(&self, key: &EventKey) -> Option<&IncidentId> {
        let told = self.events.get(key).filter(|told| told.outcome.belongs())?;
        let mut root = told.incident.as_ref()?;
        for _ in 0..CHAIN_MAX {
            match self.merged.get(root) {
                Some(next) => root = next,
                None => return Some(root),
            }
        }
        None
    }

    /// Which incidents became part of others: a revision that waits for the next tick has not told it yet.
    pub fn settle(&mut self, engine: &Engine) {
        let ids: BTreeSet<&IncidentId> = self
            .events
            .values()
            .filter_map(|told| told.incident.as_ref())
            .collect();
        let merged = ids.into_iter().filter_map(|id| {
            let survivor = engine.incident(id)?.merged_into.clone()?;
            Some((id.clone(), survivor))
        });
        self.merged = merged.collect();
    }

    /// The event that opened an incident; where that one left it since, another that is in it by itself.
    pub fn founder(&self, id: &IncidentId) -> Option<&EventKey> {
        let own = self
            .events
            .iter()
            .filter(|(_, told)| told.outcome.belongs() && told.incident.as_ref() == Some(id));
        own.min_by_key(|(_, told)| told.outcome != Outcome::Opened)
            .map(|(key, _)| key)
    }

    /// The last revision of an incident.
    pub fn incident(&self, id: &str) -> Option<&IncidentRecord> {
        self.incidents.get(&IncidentId::new(id))
    }

    /// The incident that an event is in now: the survivor, where the one that it went to was merged.
    pub fn survivor(&self, id: &IncidentId) -> Option<&IncidentRecord> {
        self.became(id).last().filter(|last| last.merged_into.is_none())
    }

    /// An incident, what it was merged into, what that one was, and so on.
    fn became<'a>(&'a self, id: &IncidentId) -> impl Iterator<Item = &'a IncidentRecord> {
        let next = |record: &&IncidentRecord| self.incidents.get(record.merged_into.as_ref()?);
        std::iter::successors(self.incidents.get(id), next).take(CHAIN_MAX)
    }

    /// All events that an incident took in, by identity; those of incidents that were merged into it too. Of one that was merged
    /// itself those that it had until then.
    pub fn members(&self, id: &IncidentId) -> Vec<(&EventKey, &Told)> {
        let is_in = |told: &Told| {
            let own = told.incident.as_ref().filter(|_| told.outcome.belongs());
            own.is_some_and(|own| self.became(own).any(|record| record.incident_id == *id))
        };
        self.events.iter().filter(|(_, told)| is_in(told)).collect()
    }
}

impl Line {
    fn key(&self) -> EventKey {
        EventKey::new(&self.source_system, &self.event_id)
    }
}

fn each_line(path: &Path, mut take: impl FnMut(&str) -> serde_json::Result<()>) -> anyhow::Result<()> {
    let file = File::open(path).with_context(|| format!("read {}", path.display()))?;
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.with_context(|| format!("read {}", path.display()))?;
        take(&line).with_context(|| format!("{}, line {}", path.display(), number + 1))?;
    }
    Ok(())
}
