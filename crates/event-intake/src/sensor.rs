//! Readings: units mended, broken values sorted out, thresholds with hysteresis, and the device's own word above both.

mod alarm;
mod told;
mod value;

use city_model::{
    Channel, DeadLetterReason, Event, EventTime, Flag, Measurement, Outcome, Quality, Signal, Source,
};
use city_registry::Device;
use city_rules::OwnWord;
use wire_format::{Refusal, SensorReading};

use crate::draft::Draft;
use crate::health::{self, Look};
use crate::intake::Intake;
use crate::kinds::Reading;
use crate::place::{self, Place};
use crate::silence::unconfirmed;
use crate::when::when;
use crate::{Alarm, Fault, IntakeState, Placed, Verdict};

use alarm::signal;
use told::{Notes, Told};
use value::{Value, value_of};

/// Credibility of a sound and of a suspect sensor (DOMAIN 4.1 C).
const SOUND: u8 = 6;
const SUSPECT: u8 = 1;

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
        let mut when = when(
            Source::Sensor,
            "observed_at",
            &reading.observed_at,
            self.timezone(),
            ingested_at,
            late_ms,
        )?;
        if source.fix_zone {
            when = when.with_zone_fixed(ingested_at);
        }
        let given = match &reading.location {
            Some(location) => {
                place::read("location", location, source.crs, self.frame(), Quality::Component)?
            }
            None => Place::NOWHERE,
        };
        let value = value_of(rule, reading)?;
        let told = Told {
            reading,
            rule,
            registered: self.device(&reading.device_id),
            known: state.device(&reading.source_system, &reading.device_id),
            weather: state.weather(),
            when,
            ingested_at,
        };
        let is_again = told
            .known
            .is_some_and(|device| device.has_seen_any() && device.has_seen(told.hash()));
        let mut notes = Notes::default();
        let decided = match (is_again, rule.own_word) {
            (true, _) => told.settled(Outcome::DuplicateId),
            (false, Some(word)) => own_word(&told, word, value, &mut notes),
            (false, None) => self.measured(&told, given, value, &mut notes),
        };
        told.hear(&mut notes);
        let mut verdict = Verdict {
            rows: notes.rows,
            faults: notes.faults,
            released: notes.released,
            clock: Some(told.when.seen()),
            ..decided
        };
        let own = (reading.source_system.as_str(), reading.device_id.as_str());
        self.settle_silent(state, own, ingested_at, &mut verdict);
        Ok(verdict)
    }

    /// What a reading of the city says, as opposed to one of the device itself.
    fn measured(&self, told: &Told<'_>, given: Place, value: Value, notes: &mut Notes) -> Verdict {
        let said = told.reading.alarm;
        // A broken value says nothing; but a device that says "alarm" is heard even if its value is broken.
        if let (Value::Broken(fault), None | Some(false)) = (value, said) {
            told.tell(fault, notes);
            return told.settled(Outcome::DeviceFault);
        }
        if let Some(fault) = value.fault() {
            told.tell(fault, notes);
        }
        if let Some(clock) = told.when.fault {
            told.tell(clock, notes);
        }
        let milli = value.milli();
        if told.when.flags.contains(&Flag::Backfill) {
            return self.backfilled(told, &given, value);
        }
        let known = told.watch();
        let look = milli.map_or_else(Look::default, |milli| {
            health::look(told.rule, known, milli, told.when.event_time)
        });
        if look.is_flat {
            told.tell(Fault::FlatLine, notes);
        }
        let at = told.when.event_time;
        let signal = signal(told.rule, said, milli, told.alarm(), at, look.has_risen);
        match signal {
            Some(Signal::Report) => self.alarms(told, &given, value, look, notes),
            Some(Signal::Clear) => self.clears(told, &given, value, look, notes),
            None => {
                let is_over = milli.is_none_or(|milli| told.rule.is_clear(milli));
                if let Some(held) = told.held()
                    && (held.due < told.ingested_at || is_over)
                {
                    notes.released.extend(unconfirmed(held));
                    notes.rows.push(told.held_row(None));
                }
                let mut next = look.watch;
                let is_quiet = said == Some(false) || milli.is_some_and(|milli| told.rule.is_clear(milli));
                if is_quiet && health::is_quiet_news(known, at) {
                    // Not of a time to come: a clock that is fast now may be right soon.
                    health::changed(&mut next, known).quiet = Some(at.min(told.ingested_at));
                }
                notes.rows.extend(next.map(|watch| told.watch_row(watch)));
                told.settled(match look.is_flat {
                    true => Outcome::DeviceFault,
                    false => Outcome::BelowThreshold,
                })
            }
        }
    }

    /// A reading that is too old to be the device's present state: it is recorded, and moves nothing.
    fn backfilled(&self, told: &Told<'_>, given: &Place, value: Value) -> Verdict {
        let is_alarm = told
            .reading
            .alarm
            .unwrap_or_else(|| value.milli().is_some_and(|milli| told.rule.is_alarm(milli)));
        if !is_alarm {
            return told.settled(Outcome::BelowThreshold);
        }
        Verdict::event(self.reading_event(told, Signal::Report, given, value, false))
    }

    fn reading_event(
        &self,
        told: &Told<'_>,
        signal: Signal,
        given: &Place,
        value: Value,
        is_doubtful: bool,
    ) -> (Event, Vec<Placed>) {
        let component = told.component();
        let is_suspect = matches!(value, Value::Broken(_)) || told.clock_is_wrong() || is_doubtful;
        let draft = Draft {
            key: told.key(),
            source: Source::Sensor,
            channel: Channel::Sensor,
            signal,
            reading: Reading::plain(told.rule.kind),
            place: self.sensor_place(given.clone(), told.registered, component.as_deref()),
            when: told.when.clone(),
            reported_at: told.reading.reported_at.as_ref(),
            ingested_at: told.ingested_at,
            town_code: None,
            address: None,
            device: Some(told.reading.device_id.as_str().into()),
            component,
            ticket: None,
            cites: None,
            reporter_name: None,
            reporter_phone: None,
            algorithm: None,
            measurement: value.milli().map(|milli| Measurement {
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

/// What a device says of itself: a fault while it lasts, and never an incident.
fn own_word(told: &Told<'_>, word: OwnWord, value: Value, notes: &mut Notes) -> Verdict {
    let said = told.reading.alarm;
    if let (Value::Broken(fault), None | Some(false)) = (value, said) {
        told.tell(fault, notes);
        return told.settled(Outcome::DeviceFault);
    }
    let alarm = told.alarm();
    let at = told.when.event_time;
    match signal(told.rule, said, value.milli(), alarm, at, false) {
        Some(Signal::Report) => {
            if alarm.is_none() {
                let milli = None;
                notes.rows.push(told.alarm_row(Some(Alarm { at, milli })));
            }
            told.tell(
                match word {
                    OwnWord::Offline => Fault::Offline,
                    OwnWord::LowBattery => Fault::LowBattery,
                    OwnWord::Maintenance => Fault::Maintenance,
                    OwnWord::Reported => Fault::Reported,
                },
                notes,
            );
            told.settled(Outcome::DeviceFault)
        }
        Some(Signal::Clear) => {
            notes.rows.push(told.alarm_row(None));
            told.settled(Outcome::BelowThreshold)
        }
        None => told.settled(Outcome::BelowThreshold),
    }
}
