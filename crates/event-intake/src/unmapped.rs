//! Codes and names that the rules lack: what a city's mapping has to be told next. They are told, never decided about.

use wire_format::{Record, Text};

use crate::intake::Intake;
use crate::privacy::{Reporter, half_width, scrub};

/// Longest code that is kept, in characters: a system that writes its text there must not fill the list.
const MAX_CHARS: usize = 48;
/// How many characters of a ticket are sampled: it says in front what it is about.
const SAMPLE_CHARS: usize = 120;

impl Intake {
    /// The code or name of a record that the rules map to no kind, with its standard or system in front: `"GB/T 30428.2-2013
    /// 0507"`, `"EVENTSORT 620"`, `"其他诉求"`. It is free of personal data. `None` where all is mapped, or nothing was said.
    ///
    /// The words of the record may have told a kind all the same.
    pub fn unmapped(&self, record: &Record<'_>) -> Option<String> {
        let rules = self.rules();
        let by_system = |system: &str| self.source(system).ok()?.code_system.as_deref();
        let told = match record {
            Record::Hotline(ticket) => self.unmapped_category(
                ticket
                    .standard_ref
                    .as_deref()
                    .or_else(|| by_system(&ticket.source_system)),
                ticket.category_code.as_deref(),
                ticket.category.as_deref(),
            ),
            Record::Report(report) => self.unmapped_category(
                report
                    .standard_ref
                    .as_deref()
                    .or_else(|| by_system(&report.source_system)),
                report.category_code.as_deref(),
                report.category.as_deref(),
            ),
            Record::Video(alert) => {
                let system = alert
                    .code_system
                    .as_deref()
                    .or_else(|| by_system(&alert.source_system))
                    .unwrap_or_default();
                let is_known = !rules.read_video(system, &alert.alert_code).is_empty();
                (!is_known).then(|| format!("{system} {}", alert.alert_code))
            }
            Record::Sensor(reading) => rules
                .metric(&reading.metric)
                .is_none()
                .then(|| reading.metric.to_string()),
            Record::Weather(_) | Record::Silence(_) | Record::Command(_) => None,
        };
        let told = scrubbed(record, told?.trim());
        Some(told.chars().take(MAX_CHARS).collect())
    }

    /// The first words of a ticket of which no rule made anything, so that somebody can add them to the rules. Its reporter's
    /// name, all digits and whatever scrubbing finds are gone from it.
    pub fn sample(&self, record: &Record<'_>) -> Option<String> {
        let Record::Hotline(ticket) = record else {
            return None;
        };
        let said = |text: Option<&str>| {
            text.map(str::trim)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let texts = [said(ticket.title.as_deref()), said(ticket.content.as_deref())];
        let texts = texts.into_iter().flatten().collect::<Vec<_>>().join("。");
        // Cut after scrubbing: a cut name or number would not be found.
        let mut text = scrubbed(record, &texts);
        text.retain(|c| !c.is_numeric());
        let sample: String = text.chars().take(SAMPLE_CHARS).collect();
        Some(sample.trim().to_owned()).filter(|sample| !sample.is_empty())
    }

    /// The code where one is given, else the finest name; a code without its standard says so.
    fn unmapped_category(
        &self,
        standard: Option<&str>,
        code: Option<&str>,
        names: Option<&[Text<'_>]>,
    ) -> Option<String> {
        let rules = self.rules();
        if let Some(code) = code.map(str::trim).filter(|code| !code.is_empty()) {
            let standard = standard.unwrap_or_default();
            let unknown = rules.map_code(standard, code).is_none();
            let standard = if standard.is_empty() {
                "(no standard)"
            } else {
                standard
            };
            return unknown.then(|| format!("{standard} {code}"));
        }
        let names = names?;
        if names.iter().any(|name| rules.map_name(name).is_some()) {
            return None;
        }
        let finest = names.iter().rev().find(|name| !name.trim().is_empty());
        finest.map(Text::to_string)
    }
}

/// What a record says, without its reporter and without what scrubbing finds.
fn scrubbed(record: &Record<'_>, text: &str) -> String {
    match Reporter::of(record) {
        Some(reporter) => scrub(&reporter.taken_from(&half_width(text))),
        None => scrub(text),
    }
}
