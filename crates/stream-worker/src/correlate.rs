//! The correlate processor: decodes batches of the enriched log, lets the engine decide, and turns its answers into records.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use anyhow::Context;
use city_model::{Batch, DeadLetterReason, Input, Ledger, Outcome};
use incident_engine::{Change, Decision, Engine, OutcomeRecord, Output, Withheld};
use rustc_hash::FxHashMap;
use wire_format::{Refusal, Topic};

use crate::deadletter::undecided;
use crate::partners::Partners;
use crate::{InForce, InputRecord, OutRecord, Outbox, Outputs, PlaceObserver, Processor, Setup, dead_letter};

/// Is told, batch by batch, what the engine decided otherwise than readers might think.
pub trait DecisionObserver: Send + Sync {
    /// So many times something was not decided again, although another order of reading would have decided it otherwise.
    fn withheld(&self, because: Withheld, times: u64);
}

/// One partition of the enriched log and its engine.
pub struct Correlate {
    engine: Engine,
    /// Rows since the last checkpoint: only the last one of a key is written.
    rows: FxHashMap<String, Change>,
    keeps_rows: bool,
    partners: Option<(Partners, Arc<dyn PlaceObserver>)>,
    outputs: Arc<Outputs>,
    /// What was not decided again since the last checkpoint, and who is told of it.
    withheld: BTreeMap<Withheld, u64>,
    observer: Option<Arc<dyn DecisionObserver>>,
}

impl Correlate {
    /// A partition without state.
    pub fn new() -> Correlate {
        Correlate {
            keeps_rows: true,
            ..Correlate::without_changelog(Engine::default())
        }
    }

    /// A partition that is never restored: it gathers no rows for a changelog.
    pub fn without_changelog(engine: Engine) -> Correlate {
        Correlate {
            engine,
            rows: FxHashMap::default(),
            keeps_rows: false,
            partners: None,
            outputs: Arc::default(),
            withheld: BTreeMap::new(),
            observer: None,
        }
    }

    /// The same with somebody who is told how the positions of different sources agree. What that finds decides nothing.
    pub fn comparing(self, setup: Arc<Setup>, observer: Arc<dyn PlaceObserver>) -> Correlate {
        Correlate {
            partners: Some((Partners::new(setup), observer)),
            ..self
        }
    }

    /// The same in a process whose configuration may be replaced.
    pub fn comparing_in(self, in_force: Arc<InForce>, observer: Arc<dyn PlaceObserver>) -> Correlate {
        Correlate {
            partners: Some((Partners::following(in_force), observer)),
            ..self
        }
    }

    /// The same with another format of what it publishes than JSON.
    pub fn writing(self, outputs: Arc<Outputs>) -> Correlate {
        Correlate { outputs, ..self }
    }

    /// The same with somebody who is told what is not decided again.
    pub fn observed_by(self, observer: Arc<dyn DecisionObserver>) -> Correlate {
        Correlate {
            observer: Some(observer),
            ..self
        }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The counted outcomes of this partition.
    pub fn ledger(&self) -> &Ledger {
        self.engine.ledger()
    }

    /// Decides one input. A panic inside the decision changes nothing: that one input becomes `processing_failed`.
    pub fn take(&mut self, input: &Input) -> Vec<Output> {
        if let (Some((partners, observer)), Input::Event(event)) = (&mut self.partners, input) {
            let comparisons = partners.meet(event);
            if !comparisons.is_empty() {
                observer.compared(comparisons);
            }
        }
        let decision = catch_unwind(AssertUnwindSafe(|| self.engine.decide(input))).unwrap_or_else(|_| {
            tracing::error!("deciding an input failed; it is counted as processing_failed");
            self.engine.decide_failed(input)
        });
        self.enter(decision)
    }

    fn enter(&mut self, decision: Decision) -> Vec<Output> {
        for change in decision.changes {
            if let Err(error) = self.engine.apply(&change) {
                // An activation that this version cannot read: the rules before it go on, loudly.
                tracing::error!(%error, "an activation was not applied");
                continue;
            }
            if self.keeps_rows {
                self.rows.insert(change.key(), change);
            }
        }
        decision.outputs
    }
}

impl Default for Correlate {
    fn default() -> Self {
        Correlate::new()
    }
}

impl Processor for Correlate {
    fn restore(&mut self, key: &str, value: Option<&[u8]>) -> anyhow::Result<()> {
        match value {
            Some(value) => {
                let change = Change::from_row(value).with_context(|| format!("restore row {key}"))?;
                self.engine
                    .apply(&change)
                    .with_context(|| format!("restore row {key}"))
            }
            None => match self.engine.removal_of(key) {
                Some(change) => self
                    .engine
                    .apply(&change)
                    .with_context(|| format!("restore row {key}")),
                None => Ok(()),
            },
        }
    }

    fn begin(&mut self, _out: &mut Outbox) {}

    fn process(&mut self, record: &InputRecord<'_>, out: &mut Outbox) {
        let batch: Batch = match serde_json::from_slice(record.value.unwrap_or_default()) {
            Ok(batch) => batch,
            Err(error) => {
                // Only this program writes the enriched log; what it cannot read back is kept, counted by its readers.
                tracing::error!(offset = record.offset, %error, "unreadable batch in the enriched log");
                let refusal = Refusal::new(
                    DeadLetterReason::ProcessingFailed,
                    "unreadable batch of the enriched log",
                );
                out.records.push(dead_letter(record, &refusal));
                return;
            }
        };
        for input in &batch.inputs {
            let outputs = self.take(input);
            for output in &outputs {
                if let Output::Withheld(because) = output {
                    *self.withheld.entry(*because).or_default() += 1;
                }
            }
            publish(record, input, outputs, &self.outputs, &mut out.records);
        }
    }

    fn checkpoint(&mut self, out: &mut Outbox) {
        for (key, change) in self.rows.drain() {
            out.rows.insert(key, change.value());
        }
        for (because, times) in std::mem::take(&mut self.withheld) {
            if let Some(observer) = &self.observer {
                observer.withheld(because, times);
            }
        }
    }
}

/// Turns what the engine says into records of the outside topics.
fn publish(
    batch: &InputRecord<'_>,
    input: &Input,
    outputs: Vec<Output>,
    format: &Outputs,
    records: &mut Vec<OutRecord>,
) {
    for output in outputs {
        match output {
            Output::Revision {
                record,
                leaves,
                shown_in,
                ..
            } => {
                let id = record.incident_id.as_str().to_owned();
                let value = format.value(Topic::Incidents, &*record);
                if let Some(band) = shown_in {
                    let topic = Topic::of_band(band);
                    let shown = format.again(topic, &*record, &value);
                    records.push(OutRecord::keyed(topic, &id, Some(shown)));
                }
                if let Some(band) = leaves {
                    let (topic, last) = (Topic::of_band(band), record.superseded());
                    records.push(OutRecord::keyed(topic, &id, Some(format.value(topic, &last))));
                    records.push(OutRecord::keyed(topic, &id, None));
                }
                records.push(OutRecord::keyed(Topic::Incidents, &id, Some(value)));
            }
            Output::Removed(id) => records.push(OutRecord::keyed(Topic::Incidents, id.as_str(), None)),
            Output::Outcome { row, reason, .. } => {
                if row.outcome == Outcome::DeadLetter {
                    records.push(undecided(batch, input));
                }
                let key = row.key.to_string();
                let record = OutcomeRecord {
                    outcome: row.outcome,
                    incident_id: row.incident,
                    reason,
                };
                let value = format.value(Topic::Outcomes, &record);
                records.push(OutRecord::keyed(Topic::Outcomes, &key, Some(value)));
            }
            Output::Withheld(because) => {
                tracing::warn!(
                    ?because,
                    "not decided again although the order of reading shows; the incidents are related"
                );
            }
            // Without a key, as in the enriched log.
            Output::Late(event) => records.push(OutRecord {
                key: None,
                ..OutRecord::keyed(Topic::Late, "", Some(format.value(Topic::Late, &event)))
            }),
        }
    }
}
