//! Reports of all other channels: inspectors, the app, the web, petitions, media, other centres, the police.

use std::str::FromStr;

use city_model::{Channel, DeadLetterReason, EventTime, Outcome, Quality, Signal, Source};
use wire_format::{Refusal, Report};

use crate::draft::Draft;
use crate::hotline::text_of;
use crate::intake::{Intake, key, name};
use crate::kinds::{self, Category};
use crate::place::{self, Place};
use crate::said_place::PlaceTexts;
use crate::when::when;
use crate::{Verdict, address};

impl Intake {
    pub(crate) fn report(&self, report: &Report, ingested_at: EventTime) -> Result<Verdict, Refusal> {
        let source = self.source(&report.source_system)?;
        let max_late_ms = self.config().max_late_ms;
        let when = when(
            Source::Report,
            "observed_at",
            &report.observed_at,
            self.timezone(),
            ingested_at,
            max_late_ms,
        )?;
        let text = text_of(report.title.as_deref(), report.content.as_deref());
        let category = Category {
            standard: report.standard_ref.as_deref().or(source.code_system.as_deref()),
            code: report.category_code.as_deref(),
            names: report.category.as_deref(),
        };
        let words = self.rules().read_text(
            report.title.as_deref().unwrap_or_default(),
            report.content.as_deref().unwrap_or_default(),
        );
        let reading = kinds::read(self.rules(), category, &words).ok_or_else(|| {
            Refusal::new(DeadLetterReason::CodeUnknown, "category, title, content: no kind")
        })?;
        let key = key(&report.source_system, &report.event_id);
        if !self.rules().kind(reading.kind).correlates {
            return Ok(Verdict::settled(Outcome::DeviceFault, key));
        }
        let channel = channel_of(&report.channel);
        let component = name(report.component_id.as_deref());
        let given = match &report.location {
            Some(location) => {
                let assumed = match channel {
                    Channel::Inspector | Channel::App | Channel::Police => Quality::Gnss,
                    _ => address::quality(report.address.as_deref()),
                };
                place::read("location", location, source.crs, self.frame(), assumed)?
            }
            None => Place::NOWHERE,
        };
        let place = match given.position {
            Some(_) => given,
            None => self.component_place(component.as_deref()).unwrap_or(given),
        };
        let texts = PlaceTexts {
            address: report.address.as_deref(),
            title: report.title.as_deref(),
            content: report.content.as_deref(),
            town_code: report.town_code.as_deref(),
        };
        let said = self.said_place(texts, &place, when.event_time);
        let draft = Draft {
            key,
            source: Source::Report,
            channel,
            signal: Signal::Report,
            reading,
            when,
            reported_at: report.reported_at.as_ref(),
            ingested_at,
            place,
            town_code: said.town.as_deref().or(report.town_code.as_deref()),
            address: said.address.as_deref(),
            device: None,
            component,
            ticket: None,
            cites: None,
            reporter_name: report.reporter_name.as_deref(),
            reporter_phone: report.reporter_phone.as_deref(),
            measurement: None,
            algorithm: None,
            credibility: credibility(channel),
            hints: self.rules().map_hints(&text),
            flags: Vec::new(),
        };
        Ok(Verdict::event(draft.finish(self)))
    }
}

/// The channel that a report names. Those with a stream of their own are no channels of reports: a report that calls
/// itself "sensor" must not pass for one.
fn channel_of(text: &str) -> Channel {
    match Channel::from_str(&text.trim().to_ascii_lowercase()) {
        Ok(Channel::Sensor | Channel::Hotline | Channel::Video) | Err(_) => Channel::Other,
        Ok(channel) => channel,
    }
}

/// DOMAIN 4.1 C for inspectors; the others as proposals beside it: who is trained and named counts more.
const fn credibility(channel: Channel) -> u8 {
    match channel {
        Channel::Inspector => 8,
        Channel::Police | Channel::Upstream => 5,
        Channel::App | Channel::Web | Channel::Petition => 3,
        _ => 2,
    }
}
