//! Tickets: what correlates at all, what it is about, and the way of a ticket that cites an earlier one.

use city_model::{
    Channel, DeadLetterReason, EventKey, EventTime, Grade, Hint, Outcome, Quality, Signal, Source,
};
use city_rules::KindId;
use wire_format::{HotlineTicket, Refusal, WireLocation};

use crate::address;
use crate::draft::Draft;
use crate::intake::{Intake, key, name};
use crate::kinds::{self, Category, Reading};
use crate::place::{self, Place};
use crate::privacy::half_width;
use crate::said_place::PlaceTexts;
use crate::state::RememberedTicket;
use crate::when::when;
use crate::{IntakeRow, IntakeState, Verdict};

/// Credibility of a caller with an exact address (DOMAIN 4.1 C), and of one without (proposal: as the app's).
const EXACT: u8 = 5;
const VAGUE: u8 = 3;

impl Intake {
    pub(crate) fn hotline(
        &self,
        state: &IntakeState,
        ticket: &HotlineTicket<'_>,
        ingested_at: EventTime,
    ) -> Result<Verdict, Refusal> {
        let source = self.source(&ticket.source_system)?;
        let key = key(&ticket.source_system, &ticket.event_id);
        let mut rows: Vec<IntakeRow> = state.forget(ingested_at).collect();
        if state.is_settled(&ticket.source_system, &ticket.event_id, ingested_at) {
            return Ok(Verdict {
                rows,
                ..Verdict::settled(Outcome::DuplicateId, key)
            });
        }
        let settled = |outcome, key: EventKey, mut rows: Vec<IntakeRow>| {
            let (system, id) = (key.source_system.clone(), key.event_id.clone());
            rows.push(IntakeRow::Settled {
                system,
                id,
                at: Some(ingested_at),
            });
            Ok(Verdict {
                rows,
                ..Verdict::settled(outcome, key)
            })
        };
        let words = self.rules().read_text(
            ticket.title.as_deref().unwrap_or_default(),
            ticket.content.as_deref().unwrap_or_default(),
        );
        // "咨询" is what somebody chose from a list; that people are in danger is what the caller said. Praise speaks of what is
        // over.
        let is_vital = |appeal: &str| {
            let leader = words.kinds.first();
            let is_praise = ["表扬", "感谢"].iter().any(|word| appeal.contains(word));
            !is_praise && leader.is_some_and(|leader| self.rules().kind(leader.kind).endangers_life())
        };
        let appeal = ticket.appeal_type.as_deref();
        if appeal.is_some_and(|appeal| asks_for_nothing(appeal) && !is_vital(appeal)) {
            return settled(Outcome::NotActionable, key, rows);
        }
        let max_late_ms = self.config().max_late_ms;
        let when = when(
            Source::Hotline,
            "called_at",
            &ticket.called_at,
            self.timezone(),
            ingested_at,
            max_late_ms,
        )?;
        let text = text_of(ticket.title.as_deref(), ticket.content.as_deref());
        let category = Category {
            standard: ticket.standard_ref.as_deref().or(source.code_system.as_deref()),
            code: ticket.category_code.as_deref(),
            names: ticket.category.as_deref(),
        };
        let own = kinds::read(self.rules(), category, &words);
        let cites = name(ticket.parent_ticket_id.as_deref()).filter(|parent| **parent != *ticket.ticket_id);
        let cited = cites
            .as_deref()
            .and_then(|parent| state.ticket(&ticket.source_system, parent, ingested_at));
        // A danger of its own is not hidden in the trouble that the ticket cites: "催办，路灯现在漏电" is no dark lamp any more.
        let is_another = own.as_ref().zip(cited).is_some_and(|(own, cited)| {
            let rules = self.rules();
            is_dangerous(rules.kind(own.kind).grade) && *rules.group(own.kind) != cited.group
        });
        let (cites, cited) = if is_another { (None, None) } else { (cites, cited) };
        let place = match &ticket.location {
            Some(location) => self.ticket_place(location, source.crs, ticket.address.as_deref()),
            None => Place::NOWHERE,
        };
        let texts = PlaceTexts {
            address: ticket.address.as_deref(),
            title: ticket.title.as_deref(),
            content: ticket.content.as_deref(),
            town_code: ticket.town_code.as_deref(),
        };
        if own.is_none() && cited.is_none() && !category.is_given() {
            // No code that a mapping lacks: the words are about nothing in the street, or ask when something will be done
            // that nobody remembers.
            let verdict = settled(Outcome::NotActionable, key, rows)?;
            let is_unread = !words.is_other_matter
                && cites.is_none()
                && has_words(&text)
                && self.said_place(texts, &place, when.event_time).is_any;
            return Ok(Verdict { is_unread, ..verdict });
        }
        let reading = self.ticket_reading(own, cited, cites.is_some())?;
        if !self.rules().kind(reading.kind).correlates {
            return settled(Outcome::DeviceFault, key, rows);
        }

        let grade = self.rules().kind(reading.kind).grade;
        let said = self.said_place(texts, &place, when.event_time);
        let hints = self.rules().map_hints(&text);
        let is_dangerous = is_dangerous(grade) || hints.contains(&Hint::Trapped);
        if !said.is_any && cites.is_none() && !is_dangerous {
            return settled(Outcome::NotActionable, key, rows);
        }
        let is_exact = matches!(place.quality, Quality::Component | Quality::Gnss | Quality::Door);
        let root = cites.clone().unwrap_or_else(|| ticket.ticket_id.as_str().into());
        let system = key.source_system.clone();
        let draft = Draft {
            key,
            source: Source::Hotline,
            channel: Channel::Hotline,
            signal: Signal::Report,
            reading,
            when,
            reported_at: ticket.reported_at.as_ref(),
            ingested_at,
            place,
            town_code: said.town.as_deref().or(ticket.town_code.as_deref()),
            address: said.address.as_deref(),
            device: None,
            component: None,
            ticket: name(Some(&ticket.ticket_id)),
            cites,
            reporter_name: ticket.reporter_name.as_deref(),
            reporter_phone: ticket.reporter_phone.as_deref(),
            measurement: None,
            algorithm: None,
            credibility: if is_exact { EXACT } else { VAGUE },
            hints,
            flags: Vec::new(),
        };
        let (event, placed) = draft.finish(self);
        // The root keeps its kind: what later tickets say of it goes where the first one went. A graver danger of its group is
        // not decided with it, so what cites this ticket is about this one.
        let rules = self.rules();
        let is_graver = cited
            .and_then(|cited| rules.kind_id(cited.kind.as_str()))
            .zip(rules.kind_id(event.kind.as_str()))
            .is_some_and(|(cited, own)| rules.is_graver(own, cited));
        let own = is_graver.then(|| (ticket.ticket_id.as_str().into(), event.kind.clone()));
        let kind = cited.map_or_else(|| event.kind.clone(), |cited| cited.kind.clone());
        for (ticket, kind) in std::iter::once((root, kind)).chain(own) {
            // A row of the same key must not be forgotten in the same breath.
            rows.retain(|row| !matches!(row, IntakeRow::Ticket { system: s, ticket: t, .. } if *s == system && *t == ticket));
            rows.push(IntakeRow::Ticket {
                system: system.clone(),
                ticket,
                about: Some(RememberedTicket {
                    group: event.group.clone(),
                    kind,
                    at: ingested_at,
                }),
            });
        }
        Ok(Verdict {
            rows,
            ..Verdict::event((event, placed))
        })
    }

    /// What a ticket is about. One that cites a remembered ticket goes to that one's group, with its own kind only if
    /// that is of the group; a danger of another group was taken for a trouble of its own before. One that cites a ticket that nobody remembers stands by itself; if its category says nothing
    /// that a mapping has, it goes to the dead letters, where it is kept and can be fed again.
    fn ticket_reading(
        &self,
        own: Option<Reading>,
        cited: Option<&RememberedTicket>,
        cites: bool,
    ) -> Result<Reading, Refusal> {
        let rules = self.rules();
        let cited_kind: Option<KindId> = cited.and_then(|cited| rules.kind_id(cited.kind.as_str()));
        match (own, cited, cited_kind) {
            (Some(own), Some(cited), Some(_)) if *rules.group(own.kind) == cited.group => Ok(own),
            (_, Some(_), Some(kind)) => Ok(Reading::plain(kind)),
            (Some(own), _, _) => Ok(own),
            (None, _, _) => {
                let detail = if cites {
                    "category, title, content: no kind, and the cited ticket is not remembered"
                } else {
                    "category, title, content: no kind"
                };
                Err(Refusal::new(DeadLetterReason::CodeUnknown, detail))
            }
        }
    }

    /// A ticket is never refused for its location; what cannot be used is flagged.
    fn ticket_place(&self, location: &WireLocation<'_>, crs: city_grid::Crs, address: Option<&str>) -> Place {
        let assumed = address::quality(address);
        let known = |quality: &str| place::quality_of(quality.trim()).is_some();
        let odd = location
            .quality
            .as_ref()
            .is_some_and(|quality| !quality.trim().is_empty() && !known(quality));
        let read = if odd {
            let location = WireLocation {
                quality: None,
                ..location.clone()
            };
            place::read("location", &location, crs, self.frame(), Quality::Poi)
        } else {
            place::read("location", location, crs, self.frame(), assumed)
        };
        read.unwrap_or(Place::UNUSABLE)
    }
}

/// Inquiries, proposals and compliments have no place in the street (DOMAIN 2.5). A mixed or unknown type correlates:
/// no ticket is lost.
fn asks_for_nothing(appeal_type: &str) -> bool {
    let appeal = half_width(appeal_type);
    let appeal = appeal.trim();
    if matches!(appeal, "3" | "4" | "5" | "6") {
        return true;
    }
    let says = |words: &[&str]| words.iter().any(|word| appeal.contains(word));
    !says(&["求助", "求决", "投诉", "举报", "催办"])
        && says(&["咨询", "建议", "表扬", "感谢", "其他", "其它"])
}

/// Whether a text says more than its punctuation.
fn has_words(text: &str) -> bool {
    text.chars().any(char::is_alphabetic)
}

/// Whether somebody must call back and ask where it is: such a ticket opens an incident even about nowhere.
const fn is_dangerous(grade: Grade) -> bool {
    matches!(grade, Grade::A | Grade::B)
}

/// Title and content as one text.
pub(crate) fn text_of(title: Option<&str>, content: Option<&str>) -> String {
    [title.unwrap_or_default(), content.unwrap_or_default()].join("。")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_asks_for_nothing() {
        for nothing in ["咨询", "建议", "表扬（感谢）", "其他", "３", "4", " 5 ", "6"] {
            assert!(asks_for_nothing(nothing), "{nothing}");
        }
        for something in [
            "求助",
            "投诉",
            "举报",
            "求决",
            "1",
            "2",
            "",
            "咨询投诉",
            "催办",
            "whatever",
        ] {
            assert!(!asks_for_nothing(something), "{something}");
        }
    }
}
