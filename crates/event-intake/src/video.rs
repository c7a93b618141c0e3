//! Video alerts: the camera is the device, and the pole is not the place of what it sees.

use city_model::{Channel, DeadLetterReason, EventTime, Name, Outcome, Quality, Signal, Source};
use city_rules::AlgorithmRule;
use wire_format::{Algorithm, Refusal, Text, VideoAlert};

use crate::draft::Draft;
use crate::intake::{Intake, key, name};
use crate::kinds::Reading;
use crate::place::{self, Place};
use crate::privacy::scrub;
use crate::when::when;
use crate::{DeviceFault, Fault, IntakeState, Verdict};

/// What a camera sees is 10 to 150 m in front of its pole; smoke is seen from farther (DOMAIN 2.8).
const POLE_FIRE_U_MM: i64 = 100_000;
/// Credibility by confidence (DOMAIN 4.1 C).
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
        let readings = self.rules().read_video(system, &alert.alert_code);
        let Some((&kind, others)) = readings.split_first() else {
            return Err(Refusal::new(
                CodeUnknown,
                "alert_code: no kind in its code system",
            ));
        };
        let key = key(&alert.source_system, &alert.event_id);
        let camera: Name = alert.camera_id.as_str().into();
        let registered = self.device(&alert.camera_id);
        let component = name(alert.component_id.as_deref())
            .or_else(|| registered.and_then(|device| device.component_id.clone()));
        if !self.rules().kind(kind).correlates {
            let fault = DeviceFault {
                device_id: camera,
                fault: Fault::Reported,
                source_system: key.source_system.clone(),
                event_id: Some(key.event_id.clone()),
                metric: None,
                observed_at: ingested_at,
                skew_ms: None,
                component_id: component,
            };
            return Ok(Verdict {
                faults: vec![fault],
                clock: Some(when.seen()),
                ..Verdict::settled(Outcome::DeviceFault, key)
            });
        }
        let confidence = permille(alert.confidence);
        let algorithm = self.algorithm(alert);
        // The end of a scene is no claim to doubt.
        if signal == Signal::Report && confidence < algorithm.accept_permille {
            return Ok(Verdict {
                clock: Some(when.seen()),
                ..Verdict::settled(Outcome::BelowThreshold, key)
            });
        }
        let is_fire = self.rules().kind(kind).name.as_str() == "fire_smoke";
        let clock = when.seen();
        let draft = Draft {
            key,
            source: Source::Video,
            channel: Channel::Video,
            signal,
            reading: Reading {
                alternatives: others.to_vec(),
                ..Reading::plain(kind)
            },
            when,
            reported_at: alert.reported_at.as_ref(),
            ingested_at,
            place: self.video_place(alert, source.crs, algorithm.reach_mm, is_fire)?,
            town_code: None,
            address: None,
            device: Some(camera),
            component,
            ticket: None,
            cites: None,
            reporter_name: None,
            reporter_phone: None,
            measurement: None,
            algorithm: algorithm_name(alert),
            credibility: if confidence >= algorithm.sure_permille {
                SURE
            } else {
                UNSURE
            },
            hints: Vec::new(),
            flags: Vec::new(),
        };
        Ok(Verdict {
            clock: Some(clock),
            ..Verdict::event(draft.finish(self))
        })
    }

    fn algorithm(&self, alert: &VideoAlert) -> AlgorithmRule {
        let text = |field: for<'a> fn(&'a Algorithm<'a>) -> &'a Option<Text<'a>>| {
            alert.algorithm.as_ref().and_then(|named| field(named).as_deref())
        };
        let (vendor, name) = (text(|named| &named.vendor), text(|named| &named.name));
        self.rules().algorithm(
            vendor.unwrap_or(""),
            name.unwrap_or(""),
            text(|named| &named.version),
        )
    }

    /// The target's place, else the pole's with the uncertainty of what is in front of it.
    fn video_place(
        &self,
        alert: &VideoAlert,
        crs: city_grid::Crs,
        reach_mm: i64,
        is_fire: bool,
    ) -> Result<Place, Refusal> {
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
        let front_mm = if is_fire {
            reach_mm.max(POLE_FIRE_U_MM)
        } else {
            reach_mm
        };
        // However well the pole is surveyed, the thing stands elsewhere: between a crossing and a compound on the ladder.
        Ok(Place {
            quality: Quality::Poi,
            u_mm: root_of_squares(pole.u_mm, front_mm),
            ..pole
        })
    }
}

/// Longest part of an algorithm's name that is kept, in characters.
const MAX_NAME: usize = 64;

/// The algorithm as feedback knows it: vendor, name and version with a stroke between. Free text, so it is scrubbed.
fn algorithm_name(alert: &VideoAlert) -> Option<Name> {
    let named = alert.algorithm.as_ref()?;
    let part = |text: &Option<Text>| {
        let text = scrub(text.as_deref().unwrap_or("").trim());
        text.chars()
            .filter(|c| *c != '/')
            .take(MAX_NAME)
            .collect::<String>()
    };
    let parts = [part(&named.vendor), part(&named.name), part(&named.version)];
    let is_named = parts.iter().any(|part| !part.is_empty());
    is_named.then(|| parts.join("/").as_str().into())
}

/// Two independent errors of one sigma each, together.
fn root_of_squares(one_mm: i64, other_mm: i64) -> i64 {
    let square = |mm: i64| i128::from(mm) * i128::from(mm);
    let root = (square(one_mm) + square(other_mm)).isqrt();
    i64::try_from(root).unwrap_or(i64::MAX)
}

/// A confidence within 0 and 1 in thousandths; what is nearly 0.6 is 0.6, in whatever binary form it came.
fn permille(confidence: f64) -> i64 {
    (confidence * 1_000.0).round() as i64
}
