//! Video alerts: the camera is the device, and the pole is not the place of what it sees.

use city_model::{Channel, DeadLetterReason, EventTime, Name, Outcome, Quality, Signal, Source};
use wire_format::{Refusal, VideoAlert};

use crate::draft::Draft;
use crate::intake::{Intake, key, name};
use crate::kinds::Reading;
use crate::place::{self, Place};
use crate::when::when;
use crate::{DeviceFault, Fault, IntakeState, Verdict};

/// What a camera sees is 10 to 150 m in front of its pole; smoke is seen from farther (DOMAIN 2.8).
const POLE_U_MM: i64 = 60_000;
const POLE_FIRE_U_MM: i64 = 100_000;
/// Credibility by confidence (DOMAIN 4.1 C).
const SURE_FROM: f64 = 0.9;
const SURE: u8 = 4;
const UNSURE: u8 = 2;

impl Intake {
    pub(crate) fn video(
        &self,
        _state: &IntakeState,
        alert: &VideoAlert,
        ingested_at: EventTime,
    ) -> Result<Verdict, Refusal> {
        use DeadLetterReason::{BadValue, CodeUnknown};
        let source = self.source(&alert.source_system)?;
        if !(0.0..=1.0).contains(&alert.confidence) {
            return Err(Refusal::new(BadValue, "confidence: not within 0 and 1"));
        }
        let signal = match alert
            .phase
            .as_deref()
            .map(|phase| phase.trim().to_ascii_uppercase())
            .as_deref()
        {
            None | Some("" | "START" | "ONGOING") => Signal::Report,
            Some("END") => Signal::Clear,
            Some(_) => return Err(Refusal::new(BadValue, "phase: not START, ONGOING or END")),
        };
        let max_late_ms = self.config().sensors_max_late_ms;
        let when = when(
            Source::Video,
            "captured_at",
            &alert.captured_at,
            self.timezone(),
            ingested_at,
            max_late_ms,
        )?;
        let system = alert
            .code_system
            .as_deref()
            .or(source.code_system.as_deref())
            .unwrap_or("");
        let kind = self
            .rules()
            .map_video(system, &alert.alert_code)
            .ok_or_else(|| Refusal::new(CodeUnknown, "alert_code: no kind in its code system"))?;
        let key = key(&alert.source_system, &alert.event_id);
        let camera: Name = alert.camera_id.as_str().into();
        let registered = self.device(&alert.camera_id);
        let component = name(alert.component_id.as_deref())
            .or_else(|| registered.and_then(|device| device.component_id.clone()));
        if !self.rules().kind(kind).correlates {
            let fault = DeviceFault {
                device_id: camera,
                fault: Fault::Reported,
                key: key.clone(),
                metric: None,
                observed_at: ingested_at,
                skew_ms: None,
                component_id: component,
            };
            return Ok(Verdict {
                fault: Some(fault),
                ..Verdict::settled(Outcome::DeviceFault, key)
            });
        }
        let is_fire = self.rules().kind(kind).name.as_str() == "fire_smoke";
        let draft = Draft {
            key,
            source: Source::Video,
            channel: Channel::Video,
            signal,
            reading: Reading::plain(kind),
            when,
            reported_at: alert.reported_at.as_ref(),
            ingested_at,
            place: self.video_place(alert, source.crs, is_fire)?,
            town_code: None,
            address: None,
            device: Some(camera),
            component,
            ticket: None,
            cites: None,
            reporter_phone: None,
            measurement: None,
            credibility: if alert.confidence >= SURE_FROM {
                SURE
            } else {
                UNSURE
            },
            hints: Vec::new(),
            flags: Vec::new(),
        };
        Ok(Verdict::event(draft.finish(self)))
    }

    /// The target's place, else the pole's with the uncertainty of what is in front of it.
    fn video_place(&self, alert: &VideoAlert, crs: city_grid::Crs, is_fire: bool) -> Result<Place, Refusal> {
        if let Some(target) = &alert.target_location {
            let target = place::read("target_location", target, crs, self.frame(), Quality::Gnss)?;
            if target.position.is_some() {
                return Ok(target);
            }
        }
        let pole = match &alert.location {
            Some(pole) => place::read("location", pole, crs, self.frame(), Quality::Component)?,
            None => Place::NOWHERE,
        };
        let registered = self.device(&alert.camera_id).and_then(Place::of_device);
        let pole = if pole.is_located() {
            pole
        } else {
            registered.unwrap_or(pole)
        };
        if !pole.is_located() {
            return Ok(pole);
        }
        let front_mm = if is_fire { POLE_FIRE_U_MM } else { POLE_U_MM };
        // However well the pole is surveyed, the thing stands elsewhere: between a crossing and a compound on the ladder.
        Ok(Place {
            quality: Quality::Poi,
            u_mm: pole.u_mm.max(front_mm),
            ..pole
        })
    }
}
