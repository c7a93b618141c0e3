//! Readings: units mended, broken values sorted out, thresholds with hysteresis, and the device's own word above both.

use city_model::{
    Channel, DeadLetterReason, EventKey, EventTime, Flag, HOUR_MS, Measurement, Name, Outcome, Quality,
    Signal, Source,
};
use city_rules::{MetricRule, UnitError, to_milli};
use wire_format::{Refusal, SensorReading};

use crate::draft::Draft;
use crate::intake::{Intake, key, name};
use crate::kinds::Reading;
use crate::place::{self, Place};
use crate::state::{Alarm, DeviceState};
use crate::when::{When, when};
use crate::{Decision, DeviceFault, Fault, IntakeRow, IntakeState, Verdict};

/// The same clock fault of a device is told again after so long.
const TELL_AGAIN_MS: i64 = HOUR_MS;
/// Credibility of a sound and of a suspect sensor (DOMAIN 4.1 C).
const SOUND: u8 = 6;
const SUSPECT: u8 = 1;

impl Intake {
    pub(crate) fn sensor(
        &self,
        state: &IntakeState,
        reading: &SensorReading,
        ingested_at: EventTime,
    ) -> Result<Verdict, Refusal> {
        let source = self.source(&reading.source_system)?;
        let rules = self.rules();
        let unknown = || Refusal::new(DeadLetterReason::CodeUnknown, "metric: no rule for it");
        let rule = rules.metric(&reading.metric).ok_or_else(unknown)?;
        let max_late_ms = self.config().sensors_max_late_ms;
        let zone = self.timezone();
        let when = when(
            Source::Sensor,
            "observed_at",
            &reading.observed_at,
            zone,
            ingested_at,
            max_late_ms,
        )?;
        let key = key(&reading.source_system, &reading.event_id);
        let known = state.device(&reading.source_system, &reading.device_id);
        let hash = id_hash(&key);
        if known.is_some_and(|device| device.has_seen(hash)) {
            return Ok(Verdict::settled(Outcome::DuplicateId, key));
        }

        let registered = self.device(&reading.device_id);
        let component = name(reading.component_id.as_deref())
            .or_else(|| registered.and_then(|device| device.component_id.clone()));
        let fault = |fault: Fault| DeviceFault {
            device_id: reading.device_id.as_str().into(),
            fault,
            key: key.clone(),
            metric: Some(rule.name.as_str().into()),
            observed_at: ingested_at,
            skew_ms: Some(when.skew_ms).filter(|_| when.fault == Some(fault)),
            component_id: component.clone(),
        };
        let (milli, value_fault) = match value_of(rule, reading)? {
            Ok(milli) => (Some(milli), None),
            Err(broken) => (None, Some(broken)),
        };
        // A broken value says nothing; but a device that says "alarm" is heard even if its value is broken.
        if let (Some(broken), None | Some(false)) = (value_fault, reading.alarm) {
            let told = fault(broken);
            return Ok(Verdict {
                fault: Some(told),
                ..Verdict::settled(Outcome::DeviceFault, key)
            });
        }

        let told = value_fault.map(fault).or_else(|| {
            let clock = when.fault?;
            is_news(known, clock, ingested_at).then(|| fault(clock))
        });
        let mut rows = Vec::new();
        if let (Some(told), None) = (&told, value_fault) {
            rows.push(self.row_told(reading, told.fault, ingested_at));
        }
        let alarm = known.and_then(|device| device.alarm(&rule.name));
        let Some(signal) = signal(rule, reading.alarm, milli, alarm, when.event_time) else {
            return Ok(Verdict {
                rows,
                fault: told,
                ..Verdict::settled(Outcome::BelowThreshold, key)
            });
        };

        let place = self.sensor_place(reading, source.crs, component.as_deref())?;
        let system: Name = reading.source_system.as_str().into();
        let device: Name = reading.device_id.as_str().into();
        rows.push(IntakeRow::Alarm {
            system: Name::clone(&system),
            device: Name::clone(&device),
            metric: rule.name.as_str().into(),
            alarm: (signal == Signal::Report).then(|| Alarm {
                at: alarm.map_or(when.event_time, |alarm| alarm.at.max(when.event_time)),
            }),
        });
        rows.push(IntakeRow::Seen {
            system,
            device: Name::clone(&device),
            number: known.map_or(0, DeviceState::next_number),
            hash,
        });
        let is_suspect = value_fault.is_some() || clock_is_wrong(&when);
        let draft = Draft {
            key,
            source: Source::Sensor,
            channel: Channel::Sensor,
            signal,
            reading: Reading::plain(rule.kind),
            when,
            reported_at: reading.reported_at.as_ref(),
            ingested_at,
            place,
            town_code: None,
            address: None,
            device: Some(device),
            component,
            ticket: None,
            cites: None,
            reporter_phone: None,
            measurement: milli.map(|milli| Measurement {
                metric: rule.name.as_str().into(),
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
        Ok(Verdict {
            result: Decision::Event(Box::new(draft.finish(self))),
            rows,
            fault: told,
        })
    }

    /// The reading's own location, else the registry's for the device, else that of its component.
    fn sensor_place(
        &self,
        reading: &SensorReading,
        crs: city_grid::Crs,
        component: Option<&str>,
    ) -> Result<Place, Refusal> {
        let given = match &reading.location {
            Some(location) => place::read("location", location, crs, self.bounds(), Quality::Component)?,
            None => Place::NOWHERE,
        };
        if given.position.is_some() {
            return Ok(given);
        }
        let registered = self
            .device(&reading.device_id)
            .map(|device| Place::surveyed(device.position, device.u_mm));
        Ok(registered
            .or_else(|| self.component_place(component))
            .unwrap_or(given))
    }

    fn row_told(&self, reading: &SensorReading, fault: Fault, now: EventTime) -> IntakeRow {
        IntakeRow::Told {
            system: reading.source_system.as_str().into(),
            device: reading.device_id.as_str().into(),
            told: Some((fault, now)),
        }
    }
}

/// The value in thousandths of the metric's unit, or what is wrong with it. A unit that nobody knows is the source's
/// mistake, not the device's.
fn value_of(rule: &MetricRule, reading: &SensorReading) -> Result<Result<i64, Fault>, Refusal> {
    if !reading.value.is_finite() {
        return Ok(Err(Fault::NotANumber));
    }
    if rule.is_sentinel(reading.value) {
        return Ok(Err(Fault::Sentinel));
    }
    match to_milli(rule, reading.value, reading.unit.as_deref()) {
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
