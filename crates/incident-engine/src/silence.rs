//! Silences: planned works hold expected reports back. What is held back, `holding_back` says; what lies where, `ground`.

use city_model::{Event, EventKey, EventTime, Incident, Name, Outcome, Silence, Source, Turn};
use city_rules::KindId;

use crate::draft::Draft;
use crate::engine::Engine;
use crate::ground::{Announces, Spot};
use crate::{Change, Decision, EventRow, Held, Setting};

impl Engine {
    pub(crate) fn decide_silence(&self, silence: &Silence, counts: bool, note: Option<&Name>) -> Decision {
        let Some(setting) = &self.setting else {
            return Decision::default();
        };
        let mut draft = Draft::new(self, setting);
        draft.set_now(self.clock().unwrap_or(silence.starts_at));
        if self.silences.get(&silence.silence_id) == Some(silence) {
            if counts {
                self.count(
                    &mut draft.decision.changes,
                    Source::Silence,
                    Outcome::DuplicateId,
                    1,
                );
            }
            return draft.finish();
        }
        let refusal = if silence.ends_at <= silence.starts_at {
            Some("it ends before it starts")
        } else if silence
            .kinds
            .iter()
            .any(|kind| setting.rules.kind_id(kind.as_str()).is_none())
        {
            Some("it names a kind that the rules do not know")
        } else {
            None
        };
        let outcome = match refusal {
            Some(_) => Outcome::Refused,
            None => Outcome::Applied,
        };
        let key = EventKey::new("silence", &silence.silence_id);
        let row = EventRow::of_order(key, Source::Silence, outcome, None, draft.now);
        if counts {
            let refusal = refusal.map(Into::into);
            draft.told(row, refusal.or_else(|| note.cloned()), None);
        }
        if refusal.is_none() {
            draft.change(Change::PutSilence(silence.clone()));
            self.revise(&mut draft, setting, silence);
        }
        draft.finish()
    }

    /// Judges anew what an earlier word of a silence held back: shown is what this one no longer covers.
    fn revise(&self, draft: &mut Draft<'_>, setting: &Setting, silence: &Silence) {
        let Some(known) = self.silences.get(&silence.silence_id) else {
            return;
        };
        let is_same = (&known.area, &known.kinds) == (&silence.area, &silence.kinds);
        draft.revised = Some(silence.clone());
        for incident in self.all_held_back() {
            let is_announced = incident
                .silences
                .iter()
                .flatten()
                .any(|id| *id == silence.silence_id);
            let covers = |turn: &Turn| match self.held(&turn.key) {
                Some(held) if held.silence.as_ref() == Some(&silence.silence_id) => {
                    silence.covers(&held.event.kind, &held.event)
                }
                _ => true, // another silence announced it
            };
            // What is settled is known by the incident alone.
            let is_covered = || {
                (is_same
                    || (silence.is_about(&incident.kind)
                        && silence.lies_about(&Spot::of_incident(setting, incident))))
                    && incident.tail.iter().all(covers)
            };
            let is_shown = is_announced && !is_covered();
            // One that another silence announced may be held back by this one's ground and time alone.
            draft.edit(&incident.id, |_, edited| {
                if is_shown {
                    edited.silences = None;
                }
            });
        }
        draft.settle_touched();
    }

    /// Judges anew what is held back when a silence ends, and drops those that ended long ago.
    pub(crate) fn expire_silences(&self, draft: &mut Draft<'_>, before: Option<EventTime>, clock: EventTime) {
        let over = |silence: &&Silence| clock - silence.ends_at > crate::engine::SEEN_MS;
        for silence in self.silences.values().filter(over) {
            let id = &silence.silence_id;
            let names = |incident: &&Incident| incident.silences.iter().flatten().any(|own| own == id);
            if !self.all_held_back().iter().any(names) {
                draft.change(Change::RemoveSilence(id.clone()));
            }
        }
        if self.a_silence_ends(before, clock) {
            for incident in self.all_held_back() {
                draft.edit(&incident.id, |_, _| {});
            }
        }
    }

    /// Whether a silence ends in a tick.
    pub(crate) fn a_silence_ends(&self, before: Option<EventTime>, clock: EventTime) -> bool {
        let ends = |silence: &Silence| {
            silence.ends_at <= clock && before.is_none_or(|before| before < silence.ends_at)
        };
        self.silences.values().any(ends)
    }

    /// The silence that announced an event, by what was known when it was read.
    pub(crate) fn announced(&self, setting: &Setting, kind: KindId, event: &Event) -> Option<Name> {
        let kind = &setting.rules.kind(kind).name;
        let silence = self
            .silences
            .values()
            .find(|silence| silence.covers(kind, event))?;
        Some(silence.silence_id.clone())
    }
}

/// Enters into an incident by which silence one of its events was announced. One that was not ends the secrecy.
pub(crate) fn announce(incident: &mut Incident, held: &Held) {
    match (&held.silence, &mut incident.silences) {
        (Some(silence), Some(silences)) => {
            silences.insert(silence.clone());
        }
        _ => incident.silences = None,
    }
}
