//! The pipeline over files: every input file is a partition, one engine decides all groups.

use std::path::Path;
use std::sync::Arc;

use city_model::{EventTime, Input, Ledger, Name, SECOND_MS, Source, Tick};
use city_rules::Rules;
use incident_engine::{Engine, Output, Setting};
use jiff::tz::TimeZone;
use stream_worker::{Correlate, Enrich, InputRecord, Outbox, PlaceObserver, Settled, Setup};
use wire_format::Topic;

use crate::merge::Merge;
use crate::vitals::FileVitals;
use crate::{INPUT_FILES, Outputs, ReplayLedger};

/// The one partition whose clock a replay moves.
const CLOCK: &str = "replay";

/// What a replay is asked for besides its input.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReplayOptions {
    /// Write `evidence.ndjson`.
    pub evidence: bool,
    /// Write `vitals.ndjson`.
    pub vitals: bool,
}

/// Replays a directory into another.
///
/// # Errors
/// When a file cannot be read or written; never for what a record holds.
pub fn replay(
    setup: Arc<Setup>,
    input: &Path,
    output: &Path,
    options: ReplayOptions,
) -> anyhow::Result<ReplayLedger> {
    let pipeline = Pipeline::new(&setup)?.counting(&setup, options.vitals)?;
    run(pipeline, &setup, input, output, options)
}

/// The same with somebody who is told how the sources' positions agree. The output is the same.
///
/// # Errors
/// As [`replay`].
pub fn replay_watched(
    setup: Arc<Setup>,
    input: &Path,
    output: &Path,
    options: ReplayOptions,
    observer: Arc<dyn PlaceObserver>,
) -> anyhow::Result<ReplayLedger> {
    let pipeline = Pipeline::new(&setup)?
        .counting(&setup, options.vitals)?
        .comparing(&setup, &observer);
    run(pipeline, &setup, input, output, options)
}

fn run(
    mut pipeline: Pipeline,
    setup: &Setup,
    input: &Path,
    output: &Path,
    options: ReplayOptions,
) -> anyhow::Result<ReplayLedger> {
    let timezone = TimeZone::get(&setup.timezone)?;
    let mut merge = Merge::open(input, &setup.decoder, &timezone)?;
    let mut outputs = Outputs::create(output, options)?;
    while let Some((source, line)) = merge.next()? {
        pipeline.tick_to(line.arrival, &mut outputs)?;
        let record = record_of(source, &line.bytes, line.number, line.arrival);
        pipeline.take(source, &record, line.record, &mut outputs)?;
    }
    outputs.unmapped(
        &pipeline
            .enrich
            .iter()
            .map(|(source, enrich)| (*source, enrich.unmapped()))
            .collect::<Vec<_>>(),
    )?;
    outputs.finish(&pipeline.ledger())
}

/// What the enriched log would hold for a directory of input: the events with a tick at each second of arrival.
///
/// # Errors
/// When a file cannot be read.
pub fn enriched_inputs(setup: Arc<Setup>, input: &Path) -> anyhow::Result<Vec<Input>> {
    let timezone = TimeZone::get(&setup.timezone)?;
    let mut merge = Merge::open(input, &setup.decoder, &timezone)?;
    let mut pipeline = Pipeline::new(&setup)?;
    let mut inputs = Vec::new();
    while let Some((source, line)) = merge.next()? {
        let second = line.arrival.floor_second();
        if pipeline.ticked.is_none_or(|ticked| ticked < second) {
            pipeline.ticked = Some(second);
            inputs.push(Input::Tick(Tick {
                clocks: vec![(pipeline.clock.clone(), second)],
            }));
        }
        if let Some((_, enrich)) = pipeline.enrich.iter_mut().find(|(own, _)| *own == source) {
            enrich.judge(
                &record_of(source, &line.bytes, line.number, line.arrival),
                line.record,
                &mut pipeline.out,
            );
            enrich.take_released();
        }
        pipeline.foresee(line.arrival);
        inputs.extend(std::mem::take(&mut pipeline.out.inputs).into_values().flatten());
        pipeline.out.records.clear();
    }
    Ok(inputs)
}

/// The rules by which a replay decides, with other rules in their place.
///
/// # Errors
/// When the city's calendar cannot be made of them.
pub fn setting_with(setup: &Setup, rules: Arc<Rules>) -> anyhow::Result<Setting> {
    let mut activation = setup.activation(&[Name::from(CLOCK)]);
    activation.rules = rules.to_text().into();
    Ok(Setting::with_rules(Arc::new(activation), rules)?)
}

/// Decides what the enriched log would hold as a replay does, with all the ticks between its inputs; tells `each` what is decided.
pub fn decide_inputs(setting: Setting, inputs: &[Input], mut each: impl FnMut(Output)) -> Correlate {
    let mut correlate = Correlate::without_changelog(Engine::with_setting(setting));
    let mut ticked: Option<EventTime> = None;
    for input in inputs {
        let own = match input {
            Input::Tick(tick) => tick.clocks.first(),
            _ => None,
        };
        if let (Some((clock, target)), Some(mut at)) = (own, ticked) {
            loop {
                at = next_tick(correlate.engine(), at, *target);
                if at >= *target {
                    break;
                }
                let clocks = vec![(clock.clone(), at)];
                let between = Input::Tick(Tick { clocks });
                correlate.take(&between).into_iter().for_each(&mut each);
            }
        }
        ticked = own.map(|(_, at)| *at).or(ticked);
        correlate.take(input).into_iter().for_each(&mut each);
    }
    correlate
}

/// The next second after `at`, up to `target`, at which a tick does more than move the clock: an incident is due, or one waits to
/// be published.
fn next_tick(engine: &Engine, at: EventTime, target: EventTime) -> EventTime {
    let next = at + SECOND_MS;
    if engine.has_unpublished() {
        return next;
    }
    let due = engine
        .next_due()
        .map(|due| (due + (SECOND_MS - 1)).floor_second());
    due.map_or(target, |due| due.clamp(next.min(target), target))
}

fn record_of(source: Source, bytes: &[u8], line: i64, arrival: EventTime) -> InputRecord<'_> {
    InputRecord {
        topic: Topic::of(source),
        partition: 0,
        offset: line,
        timestamp: arrival,
        key: None,
        value: Some(bytes),
        headers: &[],
    }
}

/// The two processors with nothing between them.
struct Pipeline {
    enrich: Vec<(Source, Enrich)>,
    correlate: Correlate,
    vitals: Option<FileVitals>,
    out: Outbox,
    clock: Name,
    ticked: Option<EventTime>,
}

impl Pipeline {
    fn new(setup: &Arc<Setup>) -> anyhow::Result<Pipeline> {
        let clock = Name::from(CLOCK);
        let activation = Arc::new(setup.activation(std::slice::from_ref(&clock)));
        let setting = Setting::with_rules(activation.clone(), setup.rules.clone())?;
        let enrich = INPUT_FILES
            .map(|(source, _)| {
                (
                    source,
                    Enrich::new(setup.clone(), source, activation.clone()).without_changelog(),
                )
            })
            .into();
        Ok(Pipeline {
            enrich,
            correlate: Correlate::without_changelog(Engine::with_setting(setting)),
            vitals: None,
            out: Outbox::default(),
            clock,
            ticked: None,
        })
    }

    fn counting(self, setup: &Arc<Setup>, wanted: bool) -> anyhow::Result<Pipeline> {
        Ok(Pipeline {
            vitals: wanted.then(|| FileVitals::new(setup)).transpose()?,
            ..self
        })
    }

    /// Lets the engine decide, and writes what it says.
    fn decide(&mut self, input: &Input, outputs: &mut Outputs) -> anyhow::Result<()> {
        let told = self.correlate.take(input);
        if let Some(vitals) = &mut self.vitals {
            outputs.vitals(vitals.take(input, &told))?;
        }
        outputs.engine(told)
    }

    fn comparing(self, setup: &Arc<Setup>, observer: &Arc<dyn PlaceObserver>) -> Pipeline {
        let enrich = self.enrich.into_iter();
        Pipeline {
            enrich: enrich
                .map(|(source, enrich)| (source, enrich.comparing(observer.clone())))
                .collect(),
            correlate: self.correlate.comparing(setup.clone(), observer.clone()),
            ..self
        }
    }

    /// Ticks at every second up to `arrival`. Seconds in which nothing can happen are passed over.
    fn tick_to(&mut self, arrival: EventTime, outputs: &mut Outputs) -> anyhow::Result<()> {
        let target = arrival.floor_second();
        let Some(mut at) = self.ticked else {
            return self.tick(target, outputs);
        };
        while at < target {
            at = next_tick(self.correlate.engine(), at, target);
            self.tick(at, outputs)?;
        }
        Ok(())
    }

    fn tick(&mut self, at: EventTime, outputs: &mut Outputs) -> anyhow::Result<()> {
        self.ticked = Some(at);
        let tick = Tick {
            clocks: vec![(self.clock.clone(), at)],
        };
        self.decide(&Input::Tick(tick), outputs)
    }

    fn take(
        &mut self,
        source: Source,
        record: &InputRecord<'_>,
        decoded: Result<wire_format::Record, wire_format::Refusal>,
        outputs: &mut Outputs,
    ) -> anyhow::Result<()> {
        let Some((_, enrich)) = self.enrich.iter_mut().find(|(own, _)| *own == source) else {
            return Ok(());
        };
        let settled = enrich.judge(record, decoded, &mut self.out);
        let released = enrich.take_released();
        self.foresee(record.timestamp);
        outputs.intake(std::mem::take(&mut self.out.records))?;
        for settled in released.into_iter().chain(settled.filter(Settled::is_told)) {
            let Settled {
                key: Some(key),
                outcome,
                reason,
            } = settled
            else {
                continue;
            };
            outputs.settled(&key, outcome, reason.as_deref())?;
        }
        for input in std::mem::take(&mut self.out.inputs).into_values().flatten() {
            self.decide(&input, outputs)?;
        }
        Ok(())
    }

    /// Tells every stream of the warning that was just read.
    fn foresee(&mut self, arrival: EventTime) {
        let read = self.out.inputs.values().flatten();
        let warning = read.into_iter().find_map(|input| match input {
            Input::Warning { warning, .. } => Some(warning),
            _ => None,
        });
        for (_, enrich) in &mut self.enrich {
            if let Some(warning) = warning {
                enrich.hear_warning(warning, arrival);
            }
        }
    }

    fn ledger(&self) -> Ledger {
        let mut ledger = self.correlate.ledger().clone();
        for (_, enrich) in &self.enrich {
            ledger.merge(enrich.ledger());
        }
        ledger
    }
}
