//! What is said of each sample and of all of them, for people and as JSON lines.

use std::collections::BTreeMap;

use city_model::{Event, Name, Source};
use serde::Serialize;
use wire_format::Refusal;

use super::guess::Guess;
use crate::commands::print;

/// What is said of one record.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    /// From 1, blank lines counted.
    pub(super) line: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) topic: Option<Source>,
    /// The record's id, covered if it names a person.
    #[serde(rename = "event_id", skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Name>,
    #[serde(flatten)]
    pub(super) what: What,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) guesses: Vec<Guess>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub(super) enum What {
    Accepted(Accepted),
    Refused {
        reason: &'static str,
        /// What of it is wrong: the field first.
        detail: String,
        hint: &'static str,
    },
}

impl What {
    pub(super) fn refused(refusal: &Refusal, hint: &'static str) -> What {
        What::Refused {
            reason: refusal.reason.as_str(),
            detail: refusal.detail.clone(),
            hint,
        }
    }
}

/// What an accepted record comes to.
#[derive(Debug, Default, Serialize)]
pub(super) struct Accepted {
    /// Where intake settles it by itself; otherwise it is an event, and the correlator decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// The rule that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cell: Option<Cell>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<&'static str>,
    /// One sigma of its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    accuracy_m: Option<i64>,
    /// The address that takes part in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    placed_by: Option<Name>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    flags: Vec<&'static str>,
    /// Told to maintenance.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Cell {
    layer: Name,
    level: Name,
    code: Name,
    name: Name,
}

impl Accepted {
    pub(super) fn of(
        outcome: Option<&'static str>,
        event: Option<&Event>,
        fault: Option<&'static str>,
        by: impl FnOnce() -> Option<String>,
    ) -> Accepted {
        let told = Accepted {
            outcome,
            fault,
            ..Accepted::default()
        };
        let Some(event) = event.filter(|_| outcome != Some("not_actionable")) else {
            return told;
        };
        // The finest cell of the layer that owns incidents.
        let owner = event.cells.first().map(|cell| &cell.layer);
        let cell = event.cells.iter().rev().find(|cell| Some(&cell.layer) == owner);
        Accepted {
            kind: Some(event.kind.to_string()),
            by: by(),
            cell: cell.map(|cell| Cell {
                layer: cell.layer.clone(),
                level: cell.level.clone(),
                code: cell.code.clone(),
                name: cell.name.clone(),
            }),
            quality: Some(event.quality.as_str()),
            accuracy_m: event.located.as_ref().map(|located| located.u_mm / 1_000),
            placed_by: event.placed_by.as_ref().map(|by| by.address.clone()),
            flags: event.flags.iter().map(|flag| flag.as_str()).collect(),
            ..told
        }
    }

    fn sentence(&self) -> String {
        let mut parts = vec![match self.outcome {
            Some(outcome) => format!("accepted as {outcome}"),
            None => "accepted".to_owned(),
        }];
        if let (Some(kind), Some(by)) = (&self.kind, &self.by) {
            parts.push(format!("{kind} by {by}"));
        }
        match &self.cell {
            Some(cell) => parts.push(format!("{} {} {}", cell.level, cell.code, cell.name)),
            None if self.kind.is_some() => parts.push("in no cell".to_owned()),
            None => {}
        }
        if let Some(quality) = self.quality {
            let accuracy = self.accuracy_m.map(|metres| format!(" ±{metres} m"));
            parts.push(format!("{quality}{}", accuracy.unwrap_or_default()));
        }
        parts.extend(
            self.placed_by
                .as_ref()
                .map(|address| format!("placed by {address}")),
        );
        if !self.flags.is_empty() {
            parts.push(format!("flagged {}", self.flags.join(" ")));
        }
        parts.extend(self.fault.map(|fault| format!("device fault {fault}")));
        parts.join("; ")
    }
}

impl Told {
    pub(super) fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            print(serde_json::to_string(self)?);
            return Ok(());
        }
        let topic = self.topic.map_or("?", Source::as_str);
        let id = self.id.as_deref().unwrap_or("(no readable id)");
        match &self.what {
            What::Accepted(accepted) => {
                print(format!("{:>5}  {topic} {id}: {}", self.line, accepted.sentence()))
            }
            What::Refused { reason, detail, hint } => {
                print(format!(
                    "{:>5}  {topic} {id}: REFUSED {reason}: {detail}",
                    self.line
                ));
                print(format!("       {hint}"));
            }
        }
        for guess in &self.guesses {
            print(format!("       guess: {}. {}", guess.guess, guess.advice));
        }
        Ok(())
    }
}

/// All records together.
#[derive(Debug, Default, Serialize)]
pub(super) struct Summary {
    records: u64,
    accepted: u64,
    refused: BTreeMap<&'static str, u64>,
    kinds: BTreeMap<String, u64>,
    outcomes: BTreeMap<&'static str, u64>,
    flags: BTreeMap<&'static str, u64>,
    guesses: BTreeMap<String, Guessed>,
}

#[derive(Debug, Default, Serialize)]
struct Guessed {
    records: u64,
    advice: String,
}

impl Summary {
    pub(super) fn add(&mut self, told: &Told) {
        self.records += 1;
        match &told.what {
            What::Accepted(accepted) => {
                self.accepted += 1;
                if let Some(kind) = &accepted.kind {
                    *self.kinds.entry(kind.clone()).or_default() += 1;
                }
                *self
                    .outcomes
                    .entry(accepted.outcome.unwrap_or("event"))
                    .or_default() += 1;
                for flag in &accepted.flags {
                    *self.flags.entry(flag).or_default() += 1;
                }
            }
            What::Refused { reason, .. } => *self.refused.entry(reason).or_default() += 1,
        }
        for guess in &told.guesses {
            let guessed = self.guesses.entry(guess.guess.clone()).or_default();
            guessed.records += 1;
            guessed.advice.clone_from(&guess.advice);
        }
    }

    pub(super) fn refused(&self) -> u64 {
        self.refused.values().sum()
    }

    pub(super) fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            print(serde_json::to_string(&serde_json::json!({ "summary": self }))?);
            return Ok(());
        }
        print(format!(
            "\n{} records: {} accepted, {} refused",
            self.records,
            self.accepted,
            self.refused()
        ));
        for (reason, count) in &self.refused {
            print(format!("  refused  {reason:<20}{count:>8}"));
        }
        for (outcome, count) in &self.outcomes {
            print(format!("  as       {outcome:<20}{count:>8}"));
        }
        for (kind, count) in &self.kinds {
            print(format!("  kind     {kind:<20}{count:>8}"));
        }
        for (flag, count) in &self.flags {
            print(format!("  flag     {flag:<20}{count:>8}"));
        }
        for (guess, guessed) in &self.guesses {
            print(format!(
                "  guess    {guess}: {} records. {}",
                guessed.records, guessed.advice
            ));
        }
        Ok(())
    }
}
