//! The correlate processor: decodes batches of the enriched log, lets the engine decide, and turns its answers into records.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use anyhow::Context;
use city_model::{Batch, DeadLetterReason, Input, Ledger};
use incident_engine::{Change, Decision, Engine, Output, RowForm, Withheld};
use rustc_hash::FxHashMap;
use wire_format::{Refusal, trace};

use crate::balance::Balance;
use crate::causes::Causes;
use crate::partners::Partners;
use crate::publish::{Publisher, Traced};
use crate::steps::log_span;
use crate::{
    InForce, InputRecord, Outbox, Outputs, PlaceObserver, Processor, Setup, TraceObserver, dead_letter,
};

/// Is told, batch by batch, what the engine decided otherwise than readers might think.
pub trait DecisionObserver: Send + Sync {
    /// So many times something was not decided again, although another order of reading would have decided it otherwise.
    fn withheld(&self, because: Withheld, times: u64);

    /// What was counted is not what was read, by so many records: law 1 is broken.
    fn unbalanced(&self, _records: u64) {}
}

/// One partition of the enriched log and its engine.
pub struct Correlate {
    engine: Engine,
    /// Rows since the last checkpoint: only the last one of a key is written.
    rows: FxHashMap<String, Change>,
    keeps_rows: bool,
    row_form: RowForm,
    partners: Option<(Partners, Arc<dyn PlaceObserver>)>,
    outputs: Arc<Outputs>,
    /// What was not decided again since the last checkpoint, and who is told of it.
    withheld: BTreeMap<Withheld, u64>,
    balance: Balance,
    observer: Option<Arc<dyn DecisionObserver>>,
    /// The traces of what changed incidents whose revision is still to come.
    causes: Causes,
    trace_observer: Option<Arc<dyn TraceObserver>>,
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
            row_form: RowForm::default(),
            partners: None,
            outputs: Arc::default(),
            withheld: BTreeMap::new(),
            balance: Balance::default(),
            observer: None,
            causes: Causes::default(),
            trace_observer: None,
        }
    }

    /// The same with another form of its state rows than the compact one. It reads both.
    pub fn keeping_rows_as(self, row_form: RowForm) -> Correlate {
        Correlate { row_form, ..self }
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

    /// The same with somebody who is told what became of traced inputs.
    pub fn traced_by(self, observer: Arc<dyn TraceObserver>) -> Correlate {
        Correlate {
            trace_observer: Some(observer),
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
        self.enter(input, decision)
    }

    fn enter(&mut self, input: &Input, decision: Decision) -> Vec<Output> {
        self.balance.came(u64::from(input.counts()));
        for change in decision.changes {
            if let Change::Count(cell, count) = &change {
                let before = self.engine.ledger().get(*cell);
                self.balance.counted(*cell, count - before);
            }
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
        if let Some(incident) = Causes::incident_of(key) {
            let restored = self.causes.restore(incident, value);
            return restored.with_context(|| format!("restore row {key}"));
        }
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
                // One at least: nobody can say how many it held.
                self.balance.came(1);
                return;
            }
        };
        let mut traces = trace::traces(record.headers).into_iter().peekable();
        for (number, input) in batch.inputs.iter().enumerate() {
            while traces.next_if(|(of, _)| *of < number).is_some() {}
            let came = traces.next_if(|(of, _)| *of == number).map(|(_, came)| came);
            let _logged = came.as_ref().map(|came| log_span(came).entered());
            let outputs = self.take(input);
            for output in &outputs {
                if let Output::Withheld(because) = output {
                    *self.withheld.entry(*because).or_default() += 1;
                }
            }
            let mut publisher = Publisher {
                batch: record,
                format: &self.outputs,
                causes: &mut self.causes,
                observer: self.trace_observer.as_deref(),
                records: &mut out.records,
            };
            let traced = came.as_ref().and_then(|came| Traced::of(input, came));
            if let (Some(traced), Some(came)) = (&traced, &came) {
                publisher.note(traced, came, &outputs);
            }
            publisher.publish(input, traced.as_ref(), outputs);
        }
    }

    fn checkpoint(&mut self, out: &mut Outbox) {
        for (key, change) in self.rows.drain() {
            out.rows.insert(key, change.value_as(self.row_form));
        }
        if self.keeps_rows {
            out.rows.extend(self.causes.rows());
        }
        if let Some(records) = self.balance.take() {
            tracing::error!(records, "inputs and outcomes of a batch do not balance");
            if let Some(observer) = &self.observer {
                observer.unbalanced(records);
            }
        }
        for (because, times) in std::mem::take(&mut self.withheld) {
            if let Some(observer) = &self.observer {
                observer.withheld(because, times);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use city_model::{Outcome, Source};

    use super::*;

    #[derive(Default)]
    struct Told(Mutex<Vec<u64>>);

    impl DecisionObserver for Told {
        fn withheld(&self, _because: Withheld, _times: u64) {}

        fn unbalanced(&self, records: u64) {
            self.0.lock().unwrap().push(records);
        }
    }

    #[test]
    fn an_input_without_an_outcome_is_told_and_so_is_an_outcome_without_one() {
        let told = Arc::new(Told::default());
        let mut correlate = Correlate::new().observed_by(told.clone());
        let warning = |counts: bool| Input::Warning {
            warning: city_model::Warning {
                warning_id: "w".into(),
                revision: 1,
                signal: "RAINSTORM".into(),
                severity: city_model::Severity::Red,
                region_codes: Vec::new(),
                status: city_model::WarningStatus::Issued,
                issued_at: Default::default(),
                effective_at: Default::default(),
                expires_at: None,
            },
            counts,
            note: None,
        };
        let counted = |to: i64| Decision {
            changes: vec![Change::Count(
                city_model::LedgerCell::Outcome(Source::Weather, Outcome::Applied),
                to,
            )],
            ..Decision::default()
        };
        let mut check = |steps: Vec<(Input, Decision)>, expected: &[u64]| {
            for (input, decision) in steps {
                correlate.enter(&input, decision);
            }
            correlate.checkpoint(&mut Outbox::default());
            assert_eq!(std::mem::take(&mut *told.0.lock().unwrap()), expected);
        };
        check(
            vec![(warning(true), counted(1)), (warning(false), Decision::default())],
            &[],
        );
        check(vec![(warning(true), Decision::default())], &[1]);
        check(vec![(warning(false), counted(3))], &[2]);
        check(vec![(warning(true), counted(4))], &[]);
    }
}
