//! The enrich processor: one partition of one input topic, from a source's bytes to inputs of the enriched log.

mod balanced;
mod following;
mod foreseeing;
mod panics;
mod refused;
mod released;
mod seen;
mod settled;
mod surveyor;
mod traced;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context;
use city_model::{Activation, DeadLetterReason, Input, Ledger, LedgerCell, Name, Outcome, Source};
use event_intake::{Decision, IntakeRow, IntakeState, Verdict};
use incident_engine::{Change, OutcomeRecord, RowForm};
use wire_format::{Record, Refusal, Topic};

use panics::unless_it_panics;
pub use seen::{IntakeObserver, OTHER_SYSTEM, UNREADABLE_SYSTEM};
use seen::{Seen, sender};
pub use settled::Settled;
use surveyor::Surveyor;

use crate::balance::Balance;
use crate::heard::Hearing;
use crate::{
    InForce, InputRecord, OutRecord, Outbox, Outputs, PlaceObserver, Processor, Setup, Standing,
    TraceObserver, Unmapped,
};

/// One input partition.
pub struct Enrich {
    setup: Arc<Setup>,
    source: Source,
    state: IntakeState,
    ledger: Ledger,
    activation: Arc<Activation>,
    /// Where a newer configuration shows, and the generation that was taken last.
    in_force: Option<(Arc<InForce>, u64)>,
    rows: BTreeMap<String, Option<Vec<u8>>>,
    /// Cells that were counted since the last checkpoint; their rows are written once a batch, not once a record.
    counted: BTreeSet<LedgerCell>,
    keeps_rows: bool,
    observer: Option<Arc<dyn IntakeObserver>>,
    surveyor: Option<Surveyor>,
    seen: Seen,
    hearing: Hearing,
    balance: Balance,
    /// Records that waited for confirmation and were settled otherwise since `judge` was called.
    released: Vec<Settled>,
    outputs: Arc<Outputs>,
    trace_observer: Option<Arc<dyn TraceObserver>>,
}

impl Enrich {
    /// A partition of `source` without state. `activation` is announced to the enriched log before its first event.
    pub fn new(setup: Arc<Setup>, source: Source, activation: Arc<Activation>) -> Enrich {
        Enrich {
            setup,
            source,
            state: IntakeState::default(),
            ledger: Ledger::default(),
            activation,
            in_force: None,
            rows: BTreeMap::new(),
            counted: BTreeSet::new(),
            keeps_rows: true,
            observer: None,
            surveyor: None,
            seen: Seen::default(),
            hearing: Hearing::default(),
            balance: Balance::default(),
            released: Vec::new(),
            outputs: Arc::default(),
            trace_observer: None,
        }
    }

    /// A partition of `source` that takes whatever is put in force, between two batches.
    pub fn following(in_force: Arc<InForce>, source: Source) -> Enrich {
        let (generation, Standing { setup, activation }) = in_force.standing();
        Enrich {
            in_force: Some((in_force, generation)),
            ..Enrich::new(setup, source, activation)
        }
    }

    /// The same with somebody who is told what it sees.
    pub fn observed_by(self, observer: Arc<dyn IntakeObserver>) -> Enrich {
        Enrich {
            observer: Some(observer),
            ..self
        }
    }

    /// The same with somebody who is told how the sources' positions agree with the registry's. What that finds decides
    /// nothing.
    pub fn comparing(self, observer: Arc<dyn PlaceObserver>) -> Enrich {
        Enrich {
            surveyor: Some(Surveyor::new(observer)),
            ..self
        }
    }

    /// The same with somebody who is told what became of traced records.
    pub fn traced_by(self, observer: Arc<dyn TraceObserver>) -> Enrich {
        Enrich {
            trace_observer: Some(observer),
            ..self
        }
    }

    /// The same that writes when it heard these systems; see [`crate::Heard`].
    pub fn listening_for(self, systems: Arc<BTreeSet<String>>) -> Enrich {
        Enrich {
            hearing: Hearing::of(systems),
            ..self
        }
    }

    /// The same with another format of what it tells the outside than JSON.
    pub fn writing(self, outputs: Arc<Outputs>) -> Enrich {
        Enrich { outputs, ..self }
    }

    /// The same for a partition that is never restored: it gathers no rows for a changelog.
    pub fn without_changelog(self) -> Enrich {
        Enrich {
            keeps_rows: false,
            ..self
        }
    }

    /// What this partition has read and settled.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Codes that no rule maps, since the last checkpoint.
    pub fn unmapped(&self) -> &Unmapped {
        &self.seen.unmapped
    }

    /// Judges a record that was decoded already. Inputs for the enriched log, dead letters and device faults go to `out`;
    /// the answer is the outcome, if intake decides it.
    pub fn judge(
        &mut self,
        record: &InputRecord<'_>,
        decoded: Result<Record, Refusal>,
        out: &mut Outbox,
    ) -> Option<Settled> {
        let sent_before = out.counted;
        self.count(LedgerCell::Consumed(self.source), 1);
        if self.observer.is_some() {
            self.seen.came(&decoded);
        }
        let settled = match decoded {
            Err(refusal) => Some(self.refuse(record, &refusal, out)),
            Ok(decoded) => self.judge_decoded(record, decoded, out),
        };
        if let Some(settled) = &settled {
            self.count(LedgerCell::Outcome(self.source, settled.outcome), 1);
        }
        self.balance.sent(out.counted - sent_before);
        settled
    }

    fn judge_decoded(
        &mut self,
        record: &InputRecord<'_>,
        decoded: Record,
        out: &mut Outbox,
    ) -> Option<Settled> {
        let setup = self.setup.clone();
        if let Some(surveyor) = &mut self.surveyor {
            surveyor.look_at(&setup, &decoded);
        }
        if let Some(code) = setup.intake.unmapped(&decoded) {
            self.seen.unmapped.add(&code, 1);
        }
        let Verdict {
            result,
            rows,
            faults,
            released,
            clock,
            placed,
            is_unread,
        } = unless_it_panics(|| setup.intake.judge(&self.state, &decoded, record.timestamp));
        if is_unread {
            // Samples are for whoever reads `unmapped` at the end; an observer is told counts alone.
            let is_sampled = self.observer.is_none();
            let sample = is_sampled.then(|| setup.intake.sample(&decoded)).flatten();
            self.seen.unmapped.add_words(sample.as_deref());
        }
        if self.observer.is_some() {
            for (layer, status) in placed.into_iter().enumerate() {
                *self.seen.placed.entry((layer, status)).or_default() += 1;
            }
            if let Some(clock) = clock {
                self.seen.skews.extend(clock.skew_ms);
                for flag in clock.flags.into_iter().flatten() {
                    *self.seen.clock_flags.entry(flag).or_default() += 1;
                }
            }
        }
        for row in rows {
            self.state.apply(&row);
            if self.keeps_rows {
                self.rows.insert(
                    format!("intake/{}", row.key()),
                    row.value().map(String::into_bytes),
                );
            }
        }
        for fault in faults {
            *self.seen.faults.entry(fault.fault).or_default() += 1;
            let value = self.outputs.value(Topic::DeviceFaults, &fault);
            let headers = self.outputs.headers(Topic::DeviceFaults, &value, || {
                let (device, at) = (fault.device_id.to_string(), fault.observed_at);
                (format!("{device}/{}/{at}", fault.fault), device, at, None)
            });
            out.records.push(OutRecord {
                headers,
                ..OutRecord::keyed(Topic::DeviceFaults, &fault.device_id, Some(value))
            });
        }
        for released in released {
            self.release(released, out);
        }
        match result {
            Decision::Late(event) => {
                let key = event.key.clone();
                let value = self.outputs.value(Topic::Late, &event);
                out.records.push(OutRecord {
                    key: None,
                    headers: self.outputs.late(&event, record.timestamp, &value),
                    ..OutRecord::keyed(Topic::Late, "", Some(value))
                });
                Some(Settled {
                    key: Some(key),
                    outcome: Outcome::Late,
                    reason: None,
                })
            }
            Decision::Event(event) => {
                *self.seen.located.entry(event.quality).or_default() += 1;
                out.send(setup.partition_of(&event.group), Input::Event(Arc::from(event)));
                None
            }
            Decision::Warning(warning) => {
                let note = self.noted(setup.intake.note_of_warning(&warning), &warning.warning_id);
                for partition in 0..setup.partitions() {
                    out.send(
                        partition,
                        Input::Warning {
                            warning: warning.clone(),
                            counts: partition == 0,
                            note: note.clone().filter(|_| partition == 0),
                        },
                    );
                }
                None
            }
            Decision::Silence(silence) => {
                let note = self.noted(setup.intake.note_of_silence(&silence), &silence.silence_id);
                for partition in 0..setup.partitions() {
                    out.send(
                        partition,
                        Input::Silence {
                            silence: silence.clone(),
                            counts: partition == 0,
                            note: note.clone().filter(|_| partition == 0),
                        },
                    );
                }
                None
            }
            Decision::Command(command) => {
                let partition = command
                    .incident_id
                    .group()
                    .map_or(0, |group| setup.partition_of(&group));
                out.send(partition, Input::Command(command));
                None
            }
            Decision::Settled { outcome, key } => Some(Settled {
                key: Some(key),
                outcome,
                reason: None,
            }),
            Decision::Refused(refusal) => Some(self.refuse(record, &refusal, out)),
        }
    }

    /// Counts and logs what somebody should know of an order that is applied.
    fn noted(&mut self, note: Option<Name>, id: &Name) -> Option<Name> {
        if let Some(note) = &note {
            self.seen.nowhere += 1;
            tracing::warn!(source = %self.source, %id, "{note}");
        }
        note
    }

    fn count(&mut self, cell: LedgerCell, by: i64) {
        self.ledger.add(cell, by);
        self.balance.counted(cell, by);
        if self.keeps_rows {
            self.counted.insert(cell);
        }
    }
}

impl Processor for Enrich {
    fn restore(&mut self, key: &str, value: Option<&[u8]>) -> anyhow::Result<()> {
        if let Some(key) = key.strip_prefix("intake/") {
            let value = value
                .map(std::str::from_utf8)
                .transpose()
                .with_context(|| format!("restore row {key}"))?;
            let row = IntakeRow::restore(key, value).with_context(|| format!("restore row {key}"))?;
            self.state.apply(&row);
            return Ok(());
        }
        let Some(value) = value else { return Ok(()) };
        match Change::from_row(value).with_context(|| format!("restore row {key}"))? {
            Change::Count(cell, count) => self.ledger.set(cell, count),
            other => anyhow::bail!("unexpected row {} in the enrich changelog", other.key()),
        }
        Ok(())
    }

    fn begin(&mut self, out: &mut Outbox) {
        // Restoring took its time.
        self.catch_up();
        self.announce(out);
    }

    fn refresh(&mut self, out: &mut Outbox) {
        if self.catch_up() {
            self.announce(out);
        }
    }

    fn foresee(&mut self, record: &InputRecord<'_>, out: &mut Outbox) -> bool {
        self.foresee_weather(record, out)
    }

    /// A record whose schema is being fetched waits: it must not be a dead letter because a registry is away.
    fn is_ready(&mut self, record: &InputRecord<'_>) -> bool {
        record
            .value
            .is_none_or(|value| self.setup.decoder.is_ready(value))
    }

    fn process(&mut self, record: &InputRecord<'_>, out: &mut Outbox) {
        let trace = self.trace_of(record, out);
        let _logged = trace.as_ref().map(|trace| trace.log_span());
        let decoded = match record.value {
            Some(value) => self.setup.decoder.decode_with(self.source, value, record.headers),
            None => Err(Refusal::new(DeadLetterReason::BadJson, "the record has no value")),
        };
        if let Some(system) = sender(&decoded) {
            self.hearing.hear(system, record);
        }
        let settled = self.judge(record, decoded, out);
        let outcome = settled.as_ref().map(|settled| settled.outcome);
        let released = self.take_released();
        for settled in released.into_iter().chain(settled.filter(Settled::is_told)) {
            let Some(key) = settled.key else { continue };
            let told = OutcomeRecord {
                outcome: settled.outcome,
                incident_id: None,
                reason: settled.reason.map(Into::into),
            };
            let value = self.outputs.value(Topic::Outcomes, &told);
            out.records
                .push(OutRecord::keyed(Topic::Outcomes, &key.to_string(), Some(value)));
        }
        if let Some(trace) = trace {
            trace.pass_on(record, outcome, self.trace_observer.as_deref(), out);
        }
    }

    fn checkpoint(&mut self, out: &mut Outbox) {
        out.rows.append(&mut self.rows);
        for cell in std::mem::take(&mut self.counted) {
            let change = Change::Count(cell, self.ledger.get(cell));
            out.rows.insert(change.key(), change.value_as(RowForm::Json));
        }
        self.hearing.take(&mut out.records);
        self.tell_balance();
        let seen = std::mem::take(&mut self.seen);
        if let Some(observer) = &self.observer {
            seen.tell(&**observer, self.source, &self.setup.intake);
        }
    }
}
