//! What time alone decides about devices: an alarm that nobody confirmed, a device that is not heard, one to be forgotten.
//!
//! Intake has no clock. The append time of each reading of the partition stands for it, and each looks at a few of what is
//! due, so that the cost is bounded and a replay decides the same.

use city_model::{EventTime, Name, Outcome};

use crate::device::{Heard, Held};
use crate::intake::Intake;
use crate::{DeviceFault, Fault, IntakeRow, IntakeState, Released, Verdict};

/// Most devices and alarms that one reading settles; an outage ends with a few of each at a time.
const AT_ONCE: usize = 4;

impl Intake {
    /// Adds to a reading's verdict what is due by its append time. Its own device is left to the reading itself.
    pub(crate) fn settle_silent(
        &self,
        state: &IntakeState,
        own: (&str, &str),
        now: EventTime,
        verdict: &mut Verdict,
    ) {
        let waiting = state
            .waiting(now)
            .filter(|(system, device, ..)| (&***system, &***device) != own);
        for (system, device, metric, held) in waiting.take(AT_ONCE) {
            verdict.released.extend(unconfirmed(held));
            verdict.rows.push(IntakeRow::Held {
                system: Name::clone(system),
                device: Name::clone(device),
                metric: Name::clone(metric),
                held: None,
            });
        }
        let silent = state
            .silent(now)
            .filter(|(system, device, _)| (&***system, &***device) != own);
        for (system, device, heard) in silent.take(AT_ONCE) {
            if heard.forget_at() <= now {
                if let Some(known) = state.device(system, device) {
                    verdict.rows.extend(known.forgotten(system, device));
                }
                continue;
            }
            let registered = self.device(device);
            verdict.faults.extend(registered.map(|registered| DeviceFault {
                device_id: Name::clone(device),
                fault: Fault::Offline,
                source_system: Name::clone(system),
                event_id: None,
                metric: heard.metric.clone(),
                observed_at: now,
                skew_ms: None,
                component_id: registered.component_id.clone(),
            }));
            verdict.rows.push(IntakeRow::Heard {
                system: Name::clone(system),
                device: Name::clone(device),
                heard: Some(Heard {
                    offline: true,
                    ..heard.clone()
                }),
            });
        }
    }
}

/// What becomes of alarms that nobody confirmed.
pub(crate) fn unconfirmed(held: &Held) -> impl Iterator<Item = Released> + '_ {
    held.events.iter().map(|event| Released::Settled {
        outcome: Outcome::BelowThreshold,
        key: event.key.clone(),
    })
}
