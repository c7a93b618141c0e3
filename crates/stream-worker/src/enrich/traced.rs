//! A record that came with a trace: everything that comes of it carries the trace on. Nothing is decided by it.

use city_model::{Input, Outcome};
use event_intake::privacy::scrub;
use wire_format::{BadTrace, Topic, TraceContext, is_event};

use super::Enrich;
use crate::steps::log_span;
use crate::{InputRecord, Outbox, Step, TraceObserver};

/// A record with a trace, or of which one begins, on its way through intake.
pub(super) struct TracedRecord {
    /// The span that it came with; none where it is an event of CloudEvents without a trace.
    came: Option<TraceContext>,
    /// What was there before it: inputs by partition, and records.
    inputs: Vec<(i32, usize)>,
    records: usize,
}

impl Enrich {
    /// The trace that a record came with. An event of CloudEvents without one begins one: its sender looks for it.
    pub(super) fn trace_of(&self, record: &InputRecord<'_>, out: &Outbox) -> Option<TracedRecord> {
        let (came, mut bad) = TraceContext::of(record.headers);
        // Vendors write what they like: where that could be somebody's number or name, it stops here as all free text does.
        let came = came.map(|came| match came.tracestate() {
            Some(state) if scrub(state) != state => {
                bad = Some(BadTrace::State);
                came.without_state()
            }
            _ => came,
        });
        if let (Some(bad), Some(observer)) = (bad, &self.trace_observer) {
            observer.bad_header(self.source, bad);
        }
        let is_followed = came.is_some() || is_event(record.headers);
        is_followed.then(|| TracedRecord {
            came,
            inputs: out
                .inputs
                .iter()
                .map(|(partition, inputs)| (*partition, inputs.len()))
                .collect(),
            records: out.records.len(),
        })
    }
}

impl TracedRecord {
    /// What is logged until the answer is dropped bears the trace's id.
    pub(super) fn log_span(&self) -> Option<tracing::span::EnteredSpan> {
        Some(log_span(self.came.as_ref()?).entered())
    }

    /// Gives the trace to everything that came of the record since. An event that had waited for confirmation goes on in the
    /// trace of the record that confirmed it.
    pub(super) fn pass_on(
        self,
        record: &InputRecord<'_>,
        outcome: Option<Outcome>,
        observer: Option<&dyn TraceObserver>,
        out: &mut Outbox,
    ) {
        // By the record's place: the same event sent twice is two spans, and the same record read twice is one.
        let place = [record.partition.to_string(), record.offset.to_string()];
        let done = ["enrich", record.topic.name(), &place[0], &place[1]];
        let own = self.came.as_ref().map(|came| came.step(&done));
        // By the event's public name: what its sender calls it may be somebody's number.
        let of = |event: &str| own.clone().unwrap_or_else(|| TraceContext::begin(event));
        let mut by = None;
        for (partition, inputs) in &out.inputs {
            let before = self.inputs.iter().find(|(known, _)| known == partition);
            let before = before.map_or(0, |(_, count)| *count);
            for (number, input) in inputs.iter().enumerate().skip(before) {
                // Warnings and silences change many incidents, and none of them by itself.
                let key = match input {
                    Input::Event(event) => event.key.to_string(),
                    Input::Command(command) => format!("{}/{}", command.operator, command.command_id),
                    _ => continue,
                };
                let traces = out.traces.entry(*partition).or_default();
                traces.push((number, of(&key)));
                by = Some(key);
            }
        }
        // A dead letter has its record's own headers, untouched.
        let told = out.records.iter_mut().skip(self.records);
        for told in told.filter(|told| told.topic != Topic::DeadLetters) {
            match (&own, told.topic, &told.key) {
                (Some(own), ..) => told.headers.extend(own.headers()),
                (None, Topic::Outcomes, Some(event)) => {
                    told.headers.extend(of(&String::from_utf8_lossy(event)).headers());
                }
                _ => {}
            }
        }
        let sampled = self.came.zip(own).filter(|(_, own)| own.is_sampled());
        let observer = observer.filter(|observer| observer.exports());
        if let (Some(observer), Some((came, own))) = (observer, sampled) {
            let mut about = Step::place(record);
            about.extend(by.map(|by| ("cityops.by", by)));
            about.extend(outcome.map(|outcome| ("cityops.outcome", outcome.to_string())));
            observer.step(Step {
                name: "enrich",
                parent: came.span(),
                context: own,
                since: record.timestamp,
                links: Vec::new(),
                about,
            });
        }
    }
}
