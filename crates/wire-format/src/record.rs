//! A decoded record of any stream, and who it says that it is.

use city_model::{DeadLetterReason, EventKey, Source};
use serde::de::{Deserialize, DeserializeSeed, Deserializer};

use crate::{
    HotlineTicket, IncidentCommand, Refusal, Report, SensorReading, Silence, Text, VideoAlert,
    WeatherWarning, identity,
};

/// A decoded input record, whose texts its bytes lend.
#[derive(Debug, Clone, PartialEq)]
pub enum Record<'a> {
    /// A reading.
    Sensor(Box<SensorReading<'a>>),
    /// A hotline ticket.
    Hotline(Box<HotlineTicket<'a>>),
    /// A video alert.
    Video(Box<VideoAlert<'a>>),
    /// A report of another channel.
    Report(Box<Report<'a>>),
    /// A weather warning.
    Weather(Box<WeatherWarning<'a>>),
    /// A silence.
    Silence(Box<Silence<'a>>),
    /// A command.
    Command(Box<IncidentCommand<'a>>),
}

/// Reads the record of a stream from whatever holds it.
#[derive(Clone, Copy)]
pub(crate) struct RecordOf(pub(crate) Source);

impl<'de> DeserializeSeed<'de> for RecordOf {
    type Value = Record<'de>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Record<'de>, D::Error> {
        Ok(match self.0 {
            Source::Sensor => Record::Sensor(Box::new(Deserialize::deserialize(from)?)),
            Source::Hotline => Record::Hotline(Box::new(Deserialize::deserialize(from)?)),
            Source::Video => Record::Video(Box::new(Deserialize::deserialize(from)?)),
            Source::Report => Record::Report(Box::new(Deserialize::deserialize(from)?)),
            Source::Weather => Record::Weather(Box::new(Deserialize::deserialize(from)?)),
            Source::Silence => Record::Silence(Box::new(Deserialize::deserialize(from)?)),
            Source::Command => Record::Command(Box::new(Deserialize::deserialize(from)?)),
        })
    }
}

impl Record<'_> {
    /// Refuses empty, endless and unprintable identifiers.
    pub(crate) fn check_ids(&self) -> Result<(), Refusal> {
        let wrong = match self {
            Record::Sensor(r) => flaw(
                [
                    ("event_id", &r.event_id),
                    ("source_system", &r.source_system),
                    ("device_id", &r.device_id),
                    ("metric", &r.metric),
                ],
                [("component_id", &r.component_id)],
            ),
            Record::Hotline(r) => flaw(
                [
                    ("event_id", &r.event_id),
                    ("source_system", &r.source_system),
                    ("ticket_id", &r.ticket_id),
                ],
                [
                    ("parent_ticket_id", &r.parent_ticket_id),
                    ("town_code", &r.town_code),
                ],
            ),
            Record::Video(r) => flaw(
                [
                    ("event_id", &r.event_id),
                    ("source_system", &r.source_system),
                    ("camera_id", &r.camera_id),
                    ("alert_code", &r.alert_code),
                ],
                [("component_id", &r.component_id)],
            ),
            Record::Report(r) => flaw(
                [
                    ("event_id", &r.event_id),
                    ("source_system", &r.source_system),
                    ("report_id", &r.report_id),
                    ("channel", &r.channel),
                ],
                [("component_id", &r.component_id), ("town_code", &r.town_code)],
            ),
            Record::Weather(r) => flaw([("warning_id", &r.warning_id), ("signal", &r.signal)], []),
            Record::Silence(r) => flaw([("silence_id", &r.silence_id)], []),
            Record::Command(r) => flaw(
                [
                    ("command_id", &r.command_id),
                    ("incident_id", &r.incident_id),
                    ("operator", &r.operator),
                ],
                [("other_incident_id", &r.other_incident_id)],
            ),
        };
        match wrong {
            None => Ok(()),
            Some(refusal) => Err(refusal.of(self.key())),
        }
    }

    /// The stream that it came by.
    pub const fn source(&self) -> Source {
        match self {
            Record::Sensor(_) => Source::Sensor,
            Record::Hotline(_) => Source::Hotline,
            Record::Video(_) => Source::Video,
            Record::Report(_) => Source::Report,
            Record::Weather(_) => Source::Weather,
            Record::Silence(_) => Source::Silence,
            Record::Command(_) => Source::Command,
        }
    }

    /// The system that sent an event; `None` for warnings, silences and commands, which no source system sends.
    pub fn source_system(&self) -> Option<&str> {
        match self {
            Record::Sensor(r) => Some(&*r.source_system),
            Record::Hotline(r) => Some(&*r.source_system),
            Record::Video(r) => Some(&*r.source_system),
            Record::Report(r) => Some(&*r.source_system),
            Record::Weather(_) | Record::Silence(_) | Record::Command(_) => None,
        }
    }

    /// The record's identity; `None` when its names are unusable. Warnings and silences are named by their stream and
    /// id, commands by operator and id.
    pub fn key(&self) -> Option<EventKey> {
        let (system, id) = match self {
            Record::Sensor(r) => (&*r.source_system, &r.event_id),
            Record::Hotline(r) => (&*r.source_system, &r.event_id),
            Record::Video(r) => (&*r.source_system, &r.event_id),
            Record::Report(r) => (&*r.source_system, &r.event_id),
            Record::Weather(r) => (Source::Weather.as_str(), &r.warning_id),
            Record::Silence(r) => (Source::Silence.as_str(), &r.silence_id),
            Record::Command(r) => (&*r.operator, &r.command_id),
        };
        let usable = |text: &str| !text.trim().is_empty() && identity::flaw(text).is_none();
        (usable(system) && usable(id)).then(|| EventKey::new(system, id))
    }
}

fn flaw<const M: usize, const O: usize>(
    mandatory: [(&str, &Text<'_>); M],
    optional: [(&str, &Option<Text<'_>>); O],
) -> Option<Refusal> {
    // Plain loops: this is looked at for every record.
    for (field, id) in mandatory {
        let begins_blank = id.as_bytes().first().is_none_or(|byte| !byte.is_ascii_graphic());
        if begins_blank && id.trim().is_empty() {
            return Some(Refusal::new(DeadLetterReason::MissingField, field));
        }
    }
    let bad = |field: &str, id: &str| {
        let flaw = identity::flaw(id)?;
        Some(Refusal::new(
            DeadLetterReason::BadValue,
            format!("{field}: {flaw}"),
        ))
    };
    for (field, id) in mandatory {
        if let Some(refusal) = bad(field, id) {
            return Some(refusal);
        }
    }
    for (field, id) in optional {
        if let Some(refusal) = id.as_ref().and_then(|id| bad(field, id)) {
            return Some(refusal);
        }
    }
    None
}
