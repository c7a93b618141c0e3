//! Readings: units mended, broken values sorted out, thresholds with hysteresis, and the device's own word above both.

use city_model::{
    Channel, DeadLetterReason, Event, EventKey, EventTime, Flag, HOUR_MS, Measurement, Name, Outcome,
    Quality, Signal, Source,
};
use city_registry::Device;
use city_rules::{MetricRule, UnitError, to_milli};
use wire_format::{Refusal, SensorReading};

use crate::draft::Draft;
use crate::intake::{Intake, key, name};
use crate::kinds::Reading;
use crate::place::{self, Place};
use crate::state::{Alarm, DeviceState};
use crate::when::{When, when};
use crate::{DeviceFault, Fault, IntakeRow, IntakeState, Placed, Verdict};

/// The same clock fault of a device is told again after so long.
const TELL_AGAIN_MS: i64 = HOUR_MS;
/// Credibility of a sound and of a suspect sensor (DOMAIN 4.1 C).
const SOUND: u8 = 6;
const SUSPECT: u8 = 1;

/// A reading with what is known about it.
struct Told<'a> {
    reading: &'a SensorReading,
    rule: &'a MetricRule,
    registered: Option<&'a Device>,
    when: When,
    ingested_at: EventTime,
}

impl Told<'_> {
    fn component(&self) -> Option<Name> {
        name(self.reading.component_id.as_deref())
            .or_else(|| self.registered.and_then(|device| device.component_id.clone()))
    }

    fn fault(&self, fault: Fault) -> DeviceFault {
        DeviceFault {
            device_id: self.reading.device_id.as_str().into(),
            fault,
            key: self.key(),
            metric: Some(self.rule.name.as_str().into()),
            observed_at: self.ingested_at,
            skew_ms: Some(self.when.skew_ms).filter(|_| self.when.fault == Some(fault)),
            component_id: self.component(),
        }
    }

    fn key(&self) -> EventKey {
        key(&self.reading.source_system, &self.reading.event_id)
    }
}

impl Intake {
    /// Most readings end below their threshold, so nothing is made before that is known that only an event needs.
    pub(crate) fn sensor(
        &self,
        state: &IntakeState,
        reading: &SensorReading,
        ingested_at: EventTime,
    ) -> Result<Verdict, Refusal> {
        let source = self.source(&reading.source_system)?;
        let unknown = || Refusal::new(DeadLetterReason::CodeUnknown, "metric: no rule for it");
        let rule = self.rules().metric(&reading.metric).ok_or_else(unknown)?;
        let late_ms = self.config().sensors_max_late_ms;
        let when = when(
            Source::Sensor,
            "observed_at",
            &reading.observed_at,
            self.timezone(),
            ingested_at,
            late_ms,
        )?;
        let given = match &reading.location {
            Some(location) => {
                place::read("location", location, source.crs, self.frame(), Quality::Component)?
            }
            None => Place::NOWHERE,
        };
        let (milli, broken) = match value_of(rule, reading)? {
            Ok(milli) => (Some(milli), None),
            Err(broken) => (None, Some(broken)),
        };
        let registered = self.device(&reading.device_id);
        let told = Told {
            reading,
            rule,
            registered,
            when,
            ingested_at,
        };
        let known = state.device(&reading.source_system, &reading.device_id);
        if known.is_some_and(|device| device.has_seen_any() && device.has_seen(id_hash(&told.key()))) {
            return Ok(Verdict::settled(Outcome::DuplicateId, told.key()));
        }
        // A broken value says nothing; but a device that says "alarm" is heard even if its value is broken.
        if let (Some(broken), None | Some(false)) = (broken, reading.alarm) {
            let fault = Some(told.fault(broken));
            return Ok(Verdict {
                fault,
                ..Verdict::settled(Outcome::DeviceFault, told.key())
            });
        }
        let mut rows = Vec::new();
        let mut fault = broken.map(|broken| told.fault(broken));
        if let (None, Some(clock)) = (&fault, told.when.fault)
            && is_news(known, clock, ingested_at)
        {
            rows.push(row_told(reading, clock, ingested_at));
            fault = Some(told.fault(clock));
        }
        let alarm = known.and_then(|device| device.alarm(&rule.name));
        let Some(signal) = signal(rule, reading.alarm, milli, alarm, told.when.event_time) else {
            return Ok(Verdict {
                rows,
                fault,
                ..Verdict::settled(Outcome::BelowThreshold, told.key())
            });
        };
        rows.extend(memory(&told, signal, alarm, known));
        let event = self.reading_event(told, signal, given, milli, broken);
        Ok(Verdict {
            rows,
            fault,
            ..Verdict::event(event)
        })
    }

    fn reading_event(
        &self,
        told: Told<'_>,
        signal: Signal,
        given: Place,
        milli: Option<i64>,
        broken: Option<Fault>,
    ) -> (Event, Vec<Placed>) {
        let component = told.component();
        let is_suspect = broken.is_some() || clock_is_wrong(&told.when);
        let draft = Draft {
            key: told.key(),
            source: Source::Sensor,
            channel: Channel::Sensor,
            signal,
            reading: Reading::plain(told.rule.kind),
            place: self.sensor_place(given, told.registered, component.as_deref()),
            when: told.when,
            reported_at: told.reading.reported_at.as_ref(),
            ingested_at: told.ingested_at,
            town_code: None,
            address: None,
            device: Some(told.reading.device_id.as_str().into()),
            component,
            ticket: None,
            cites: None,
            reporter_phone: None,
            measurement: milli.map(|milli| Measurement {
                metric: told.rule.name.as_str().into(),
                milli,
            }),
            credibility: if is_suspect { SUSPECT } else { SOUND },
            hints: Vec::new(),
            flags: if is_suspect {
                vec![Flag::Suspect]
            } else {
                Vec::new()
            },
        };
        draft.finish(self)
    }

    /// The reading's own location, else the registry's for the device, else that of its component.
    fn sensor_place(&self, given: Place, registered: Option<&Device>, component: Option<&str>) -> Place {
        if given.position.is_some() {
            return given;
        }
        let registered = registered.and_then(Place::of_device);
        registered
            .or_else(|| self.component_place(component))
            .unwrap_or(given)
    }
}

/// What is to be remembered of a reading that became an event.
fn memory(
    told: &Told<'_>,
    signal: Signal,
    alarm: Option<Alarm>,
    known: Option<&DeviceState>,
) -> [IntakeRow; 2] {
    let system: Name = told.reading.source_system.as_str().into();
    let device: Name = told.reading.device_id.as_str().into();
    let at = alarm.map_or(told.when.event_time, |alarm| alarm.at.max(told.when.event_time));
    [
        IntakeRow::Alarm {
            system: Name::clone(&system),
            device: Name::clone(&device),
            metric: told.rule.name.as_str().into(),
            alarm: (signal == Signal::Report).then_some(Alarm { at }),
        },
        IntakeRow::Seen {
            system,
            device,
            number: known.map_or(0, DeviceState::next_number),
            hash: id_hash(&told.key()),
        },
    ]
}

fn row_told(reading: &SensorReading, fault: Fault, now: EventTime) -> IntakeRow {
    IntakeRow::Told {
        system: reading.source_system.as_str().into(),
        device: reading.device_id.as_str().into(),
        told: Some((fault, now)),
    }
}

/// The value in thousandths of the metric's unit, or what is wrong with it. A unit that nobody knows is the source's
/// mistake, not the device's.
fn value_of(rule: &MetricRule, reading: &SensorReading) -> Result<Result<i64, Fault>, Refusal> {
    let value = reading.value.number;
    if reading.value.is_flag && !rule.boolean {
        return Err(Refusal::new(
            DeadLetterReason::BadValue,
            "value: a boolean, where this metric is a number",
        ));
    }
    if !value.is_finite() {
        return Ok(Err(Fault::NotANumber));
    }
    if rule.is_sentinel(value) {
        return Ok(Err(Fault::Sentinel));
    }
    match to_milli(rule, value, reading.unit.as_deref()) {
        Ok(milli) if rule.is_possible(milli) => Ok(Ok(milli)),
        Ok(_) => Ok(Err(Fault::OutOfRange)),
        Err(UnitError::NotANumber) => Ok(Err(Fault::NotANumber)),
        Err(UnitError::Unknown(_) | UnitError::Mismatch { .. }) => Err(Refusal::new(
            DeadLetterReason::BadValue,
            "unit: none that measures this metric",
        )),
    }
}

/// What a reading says, given whether the device alarms already; `None` is below threshold. An older reading than the
/// alarm's latest, sent again or late, does not end it.
fn signal(
    rule: &MetricRule,
    said: Option<bool>,
    milli: Option<i64>,
    alarm: Option<Alarm>,
    event_time: EventTime,
) -> Option<Signal> {
    let is_alarm = said.unwrap_or_else(|| milli.is_some_and(|milli| rule.is_alarm(milli)));
    let is_clear = match said {
        Some(said) => !said,
        None => milli.is_some_and(|milli| rule.is_clear(milli)),
    };
    match alarm {
        _ if is_alarm => Some(Signal::Report),
        Some(alarm) if is_clear => (event_time >= alarm.at).then_some(Signal::Clear),
        Some(_) => Some(Signal::Report),
        None => None,
    }
}

fn clock_is_wrong(when: &When) -> bool {
    when.flags
        .iter()
        .any(|flag| matches!(flag, Flag::ClockFuture | Flag::ClockUnset))
}

/// Whether a clock fault is worth telling: another one than last time, or an hour later.
fn is_news(known: Option<&DeviceState>, fault: Fault, now: EventTime) -> bool {
    known
        .and_then(|device| device.told)
        .is_none_or(|(last, at)| last != fault || now - at >= TELL_AGAIN_MS)
}

/// 64 bits of the event's identity.
fn id_hash(key: &EventKey) -> u64 {
    let print = city_model::fingerprint(format!("{}\0{}", key.source_system, key.event_id).as_bytes());
    print.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
