//! A reading with what is known about it, and what is noted while it is judged.

use city_model::{DAY_MS, EventKey, EventTime, Flag, HOUR_MS, Name, Outcome};
use city_registry::Device;
use city_rules::MetricRule;
use wire_format::SensorReading;

use crate::device::{Alarm, DeviceState, Heard, Held, Watch};
use crate::intake::{key, name};
use crate::weather::Weather;
use crate::when::When;
use crate::{DeviceFault, Fault, IntakeRow, Released, Verdict};

/// The same fault of a device is told again after so long.
const TELL_AGAIN_MS: i64 = HOUR_MS;

/// A reading with what is known about it.
pub(super) struct Told<'a> {
    pub(super) reading: &'a SensorReading<'a>,
    pub(super) rule: &'a MetricRule,
    pub(super) registered: Option<&'a Device>,
    pub(super) known: Option<&'a DeviceState>,
    pub(super) weather: &'a Weather,
    pub(super) when: When,
    pub(super) ingested_at: EventTime,
}

/// What a reading leaves behind besides its outcome.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) rows: Vec<IntakeRow>,
    pub(super) faults: Vec<DeviceFault>,
    pub(super) released: Vec<Released>,
}

impl Told<'_> {
    pub(super) fn key(&self) -> EventKey {
        key(&self.reading.source_system, &self.reading.event_id)
    }

    pub(super) fn component(&self) -> Option<Name> {
        name(self.reading.component_id.as_deref())
            .or_else(|| self.registered.and_then(|device| device.component_id.clone()))
    }

    pub(super) fn settled(&self, outcome: Outcome) -> Verdict {
        Verdict::settled(outcome, self.key())
    }

    /// 64 bits of the reading's identity.
    pub(super) fn hash(&self) -> u64 {
        let mut print = city_model::Fingerprinting::default();
        print.update(self.reading.source_system.as_bytes());
        print.update(b"\0");
        print.update(self.reading.event_id.as_bytes());
        let print = print.finish();
        print.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }

    pub(super) fn clock_is_wrong(&self) -> bool {
        let is_wrong = |flag: &Flag| matches!(flag, Flag::ClockFuture | Flag::ClockUnset);
        self.when.flags.iter().any(is_wrong)
    }

    pub(super) fn alarm(&self) -> Option<Alarm> {
        self.known?.alarm(&self.rule.name)
    }

    pub(super) fn watch(&self) -> Option<&Watch> {
        self.known?.watch(&self.rule.name)
    }

    pub(super) fn held(&self) -> Option<&Held> {
        self.known?.held(&self.rule.name)
    }

    fn names(&self) -> (Name, Name) {
        let (system, device) = (&self.reading.source_system, &self.reading.device_id);
        (system.as_str().into(), device.as_str().into())
    }

    pub(super) fn alarm_row(&self, alarm: Option<Alarm>) -> IntakeRow {
        let (system, device) = self.names();
        IntakeRow::Alarm {
            system,
            device,
            metric: self.rule.name.as_str().into(),
            alarm,
        }
    }

    pub(super) fn watch_row(&self, watch: Watch) -> IntakeRow {
        let (system, device) = self.names();
        IntakeRow::Watch {
            system,
            device,
            metric: self.rule.name.as_str().into(),
            watch: (watch != Watch::default()).then_some(watch),
        }
    }

    pub(super) fn held_row(&self, held: Option<Held>) -> IntakeRow {
        let (system, device) = self.names();
        IntakeRow::Held {
            system,
            device,
            metric: self.rule.name.as_str().into(),
            held: held.map(Box::new),
        }
    }

    /// The id had an effect: the same one again is a duplicate.
    pub(super) fn seen_row(&self) -> IntakeRow {
        let (system, device) = self.names();
        IntakeRow::Seen {
            system,
            device,
            number: self.known.map_or(0, DeviceState::next_number),
            hash: Some(self.hash()),
        }
    }

    /// Tells a fault, unless the same one was told within the hour.
    pub(super) fn tell(&self, fault: Fault, notes: &mut Notes) {
        let told = self.known.and_then(|device| device.told(fault));
        if told.is_some_and(|at| self.ingested_at - at < TELL_AGAIN_MS) {
            return;
        }
        let (system, device) = self.names();
        notes.rows.push(IntakeRow::Told {
            system,
            device,
            fault,
            at: Some(self.ingested_at),
        });
        self.tell_change(fault, notes);
    }

    /// Tells a fault that is news by itself.
    fn tell_change(&self, fault: Fault, notes: &mut Notes) {
        let (system, device) = self.names();
        notes.faults.push(DeviceFault {
            device_id: device,
            fault,
            source_system: system,
            event_id: Some(self.reading.event_id.as_str().into()),
            metric: Some(self.rule.name.as_str().into()),
            observed_at: self.ingested_at,
            skew_ms: Some(self.when.skew_ms).filter(|_| self.when.fault == Some(fault)),
            component_id: self.component(),
        });
    }

    /// Notes that the device was heard, where somebody expects it or something is remembered of it.
    pub(super) fn hear(&self, notes: &mut Notes) {
        let now = self.ingested_at;
        let own = self.rule.offline_ms.filter(|_| self.registered.is_some());
        let own_metric = || own.map(|_| Name::from(self.rule.name.as_str()));
        let known = self.known.and_then(|device| device.heard.as_ref());
        let heard = match known {
            None if own.is_none() && self.known.is_none() && notes.rows.is_empty() => return,
            None => Heard {
                at: now,
                limit_ms: own,
                metric: own_metric(),
                offline: false,
            },
            Some(heard) => {
                let is_its_own = heard.metric.as_deref() == Some(&*self.rule.name);
                // The shortest limit of its metrics counts; the rules may have changed it.
                let takes_over =
                    own.is_some_and(|own| heard.limit_ms.is_none_or(|limit| own < limit)) || is_its_own;
                let (limit_ms, metric) = match takes_over {
                    true => (own, own_metric()),
                    false => (heard.limit_ms, heard.metric.clone()),
                };
                let grain_ms = heard.grain_ms().min(limit_ms.map_or(DAY_MS, |limit| limit / 2));
                let is_fresh = now - heard.at < grain_ms && limit_ms == heard.limit_ms;
                if is_fresh && !heard.offline {
                    return;
                }
                Heard {
                    at: now.max(heard.at),
                    limit_ms,
                    metric,
                    offline: false,
                }
            }
        };
        if known.is_some_and(|heard| heard.offline) {
            self.tell_change(Fault::BackOnline, notes);
        }
        let (system, device) = self.names();
        notes.rows.push(IntakeRow::Heard {
            system,
            device,
            heard: Some(heard),
        });
    }
}
