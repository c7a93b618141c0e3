//! Judges an integrator's sample records as intake would: what is accepted, what is refused and why, and what looks like
//! a common mistake. Nothing is sent anywhere, and nothing personal is printed.

mod coded;
mod guess;
mod hints;
mod rule;
mod told;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::Context;
use city_model::{DeadLetterReason, EventTime, Outcome, Source};
use event_intake::{Decision, IntakeState, Verdict};
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;
use stream_worker::Setup;
use wire_format::{Record, Refusal, WireTime};

use crate::CommandResult;
use crate::config::Loaded;
use crate::exit::{Exit, usage};
use told::{Accepted, Summary, Told, What};

/// Earlier times come from a clock that was never set: 2020-01-01.
const FIRST_PLAUSIBLE: EventTime = EventTime::from_millis(1_577_836_800_000);

/// What is to be judged, and as what.
#[derive(Debug, Clone, Copy)]
pub struct Samples<'a> {
    /// One record a line: JSON, or Avro in hex or base64.
    pub file: &'a Path,
    /// The source system that they are of.
    pub source_system: &'a str,
    /// The stream that they are of; otherwise each record's fields tell.
    pub topic: Option<Source>,
}

/// Judges every line of a file and prints what is said of it, then a summary.
///
/// # Errors
/// When the file cannot be read, or the configuration knows no such source system.
pub fn judge(loaded: &Loaded, setup: &Setup, samples: Samples<'_>, json: bool) -> CommandResult {
    let sources = &loaded.config.sources;
    let name = samples.source_system;
    if !sources.is_empty() && !sources.contains_key(name) && !sources.contains_key("default") {
        let known: Vec<&str> = sources.keys().map(String::as_str).collect();
        return Err(usage(format!(
            "--source {name}: not configured, and there is no [sources.default]; there are {}",
            known.join(", ")
        )));
    }
    let file = File::open(samples.file)
        .map_err(|error| usage(format!("--samples {}: {error}", samples.file.display())))?;
    let mut desk = Desk {
        loaded,
        setup,
        zone: TimeZone::get(&setup.timezone).context("read city.timezone")?,
        now: now(),
        source_system: name,
        state: IntakeState::default(),
    };
    let mut reader = BufReader::new(file);
    let mut summary = Summary::default();
    for number in 1.. {
        let mut line = Vec::new();
        let read = reader.read_until(b'\n', &mut line);
        if read.with_context(|| format!("read {}", samples.file.display()))? == 0 {
            break;
        }
        while line.last().is_some_and(|end| matches!(end, b'\n' | b'\r')) {
            line.pop();
        }
        if !line.iter().all(u8::is_ascii_whitespace) {
            let told = desk.judge(number, &coded::record(&line), samples.topic);
            told.print(json)?;
            summary.add(&told);
        }
    }
    summary.print(json)?;
    Ok(if summary.refused() == 0 {
        Exit::Clean
    } else {
        Exit::Differences
    })
}

fn now() -> EventTime {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    EventTime::from_millis(since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}

/// Where samples are judged, one after the other, so that a repetition shows.
struct Desk<'a> {
    loaded: &'a Loaded,
    setup: &'a Setup,
    zone: TimeZone,
    now: EventTime,
    source_system: &'a str,
    state: IntakeState,
}

impl Desk<'_> {
    fn judge(&mut self, line: usize, bytes: &[u8], topic: Option<Source>) -> Told {
        let Some(source) = topic.or_else(|| self.setup.decoder.stream_of(bytes)) else {
            let what = match self.unreadable(bytes) {
                Some(refusal) => What::refused(&refusal, hints::of(&refusal)),
                None => What::refused(
                    &Refusal::new(DeadLetterReason::MissingField, "no field tells the stream"),
                    "Say which it is with --topic, or give the record the fields of its stream.",
                ),
            };
            return Told {
                line,
                topic: None,
                id: None,
                what,
                guesses: Vec::new(),
            };
        };
        let decoded = self.setup.decoder.decode(source, bytes);
        let value = plain(bytes, decoded.as_ref().ok());
        let at = value
            .as_ref()
            .map_or(self.now, |value| self.arrival(source, value));
        let guesses = value
            .as_ref()
            .map(|value| guess::guesses(self, source, value, at))
            .unwrap_or_default();
        let record = match decoded {
            Ok(record) => record,
            Err(refusal) => return self.refused(line, source, &refusal, guesses),
        };
        let verdict = self.setup.intake.judge(&self.state, &record, at);
        for row in &verdict.rows {
            self.state.apply(row);
        }
        let id = self.setup.intake.published_key(&record).map(|key| key.event_id);
        let fault = verdict.faults.first().map(|fault| fault.fault.as_str());
        let outcome = match verdict.result {
            Decision::Refused(refusal) => return self.refused(line, source, &refusal, guesses),
            Decision::Settled { outcome, .. } => Some(outcome),
            Decision::Late(_) => Some(Outcome::Late),
            _ => None,
        };
        // A reading below its threshold becomes no event; what it would be shows when its device says "alarm".
        let event = value.and_then(|value| self.event(source, &value, at));
        let accepted = Accepted::of(outcome.map(Outcome::as_str), event.as_deref(), fault, || {
            let kind = event.as_ref().map(|event| event.kind.as_str())?;
            Some(rule::of(self, &record, kind))
        });
        Told {
            line,
            topic: Some(source),
            id,
            what: What::Accepted(accepted),
            guesses,
        }
    }

    /// Why no stream could read it, if so: for what is no JSON object the stream does not matter, nor for a broken envelope.
    fn unreadable(&self, bytes: &[u8]) -> Option<Refusal> {
        let refusal = self.setup.decoder.decode(Source::Report, bytes).err()?;
        let value: Option<Value> = serde_json::from_slice(bytes).ok();
        let is_a_record = value.is_some_and(|value| value.is_object());
        (!is_a_record || refusal.detail.starts_with("cloudevents:")).then_some(refusal)
    }

    fn refused(&self, line: usize, source: Source, refusal: &Refusal, guesses: Vec<guess::Guess>) -> Told {
        let key = refusal.identity.clone();
        Told {
            line,
            topic: Some(source),
            id: key.map(|key| self.setup.intake.public_identity(source, key).event_id),
            what: What::refused(refusal, hints::of(refusal)),
            guesses,
        }
    }

    /// What a record that nothing came before would be.
    fn probe(&self, source: Source, value: &Value, at: EventTime) -> Result<Verdict, Refusal> {
        let text = value.to_string();
        let record = self.setup.decoder.decode(source, text.as_bytes())?;
        Ok(self.setup.intake.judge(&IntakeState::default(), &record, at))
    }

    /// The event that it would be, if it is one at all.
    fn event(&self, source: Source, value: &Value, at: EventTime) -> Option<Box<city_model::Event>> {
        let mut value = value.clone();
        if source == Source::Sensor {
            value["alarm"] = Value::Bool(true);
        }
        match self.probe(source, &value, at).ok()?.result {
            Decision::Event(event) => Some(event),
            _ => None,
        }
    }

    /// When a sample would have come: as it says itself, if that can be, else now.
    fn arrival(&self, source: Source, value: &Value) -> EventTime {
        let plausible = |field: &str| {
            self.time(&value[field])
                .filter(|time| (FIRST_PLAUSIBLE..=self.now).contains(time))
        };
        plausible("reported_at")
            .or_else(|| plausible(time_field(source)))
            .unwrap_or(self.now)
    }

    fn time(&self, value: &Value) -> Option<EventTime> {
        let time = WireTime::deserialize(value).ok()?;
        time.resolve(&self.zone)
    }

    /// What is configured for the record's source system.
    fn configured(&self, record_system: Option<&str>) -> Option<&crate::config::Source> {
        let sources = &self.loaded.config.sources;
        sources
            .get(record_system.unwrap_or(self.source_system))
            .or_else(|| sources.get("default"))
    }
}

/// The field that says when.
fn time_field(source: Source) -> &'static str {
    match source {
        Source::Hotline => "called_at",
        Source::Video => "captured_at",
        _ => "observed_at",
    }
}

/// The record as plain JSON, however it came. What cannot be read is taken as it stands, that of an event without its envelope.
fn plain(bytes: &[u8], record: Option<&Record<'_>>) -> Option<Value> {
    match serde_json::from_slice::<Value>(bytes) {
        Ok(value) if value.get("specversion").is_none() => Some(value),
        other => match record {
            Some(record) => record.to_json().ok(),
            None => other.ok()?.get("data").cloned(),
        },
    }
}

/// The stream's name in a record of one, for the two that carry categories.
fn category_of<'a>(record: &'a Record<'a>) -> Option<rule::Filed<'a>> {
    match record {
        Record::Hotline(r) => Some(rule::Filed {
            standard: r.standard_ref.as_deref(),
            code: r.category_code.as_deref(),
            names: r.category.as_deref().unwrap_or_default(),
            texts: [r.title.as_deref(), r.content.as_deref()],
            cites: r.parent_ticket_id.is_some(),
        }),
        Record::Report(r) => Some(rule::Filed {
            standard: r.standard_ref.as_deref(),
            code: r.category_code.as_deref(),
            names: r.category.as_deref().unwrap_or_default(),
            texts: [r.title.as_deref(), r.content.as_deref()],
            cites: false,
        }),
        _ => None,
    }
}
