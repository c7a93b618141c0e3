//! Silences: planned works hold expected reports back, but never a P1.

use city_model::{Band, Event, EventKey, EventTime, Name, Outcome, Position, Silence, SilenceArea, Source};
use city_rules::KindId;

use crate::draft::Draft;
use crate::engine::Engine;
use crate::joining::{absorb, found};
use crate::priority::Assessment;
use crate::{Change, Decision, EventRow, Evidence, Setting};

impl Engine {
    pub(crate) fn decide_silence(&self, silence: &Silence, counts: bool) -> Decision {
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
        let row = EventRow {
            key: EventKey::new("silence", &silence.silence_id),
            source: Source::Silence,
            outcome: if refusal.is_some() {
                Outcome::Refused
            } else {
                Outcome::Applied
            },
            incident: None,
            ingested_at: draft.now,
            ticket: None,
            order: None,
            held: None,
        };
        if counts {
            draft.told(row, refusal.map(Into::into), None);
        }
        if refusal.is_none() {
            draft.change(Change::PutSilence(silence.clone()));
        }
        draft.finish()
    }

    pub(crate) fn expire_silences(&self, draft: &mut Draft<'_>, clock: EventTime) {
        for silence in self.silences.values() {
            if clock - silence.ends_at > crate::engine::SEEN_MS {
                draft.change(Change::RemoveSilence(silence.silence_id.clone()));
            }
        }
    }

    /// The silence that holds back an event which would open an incident, unless that incident would be a P1.
    pub(crate) fn silenced_by(&self, setting: &Setting, kind: KindId, event: &Event) -> Option<Name> {
        let silence = self
            .silences
            .values()
            .find(|silence| covers(setting, silence, kind, event))?;
        let evidence = Evidence::bare(city_model::Why::Founded, 0);
        let mut alone = found(setting, event);
        absorb(setting, &mut alone, event, &evidence, true);
        let assessment = Assessment::of(self, setting, &alone, self.clock().unwrap_or(event.ingested_at));
        (assessment.band != Band::P1).then(|| format!("silence {}", silence.silence_id).into())
    }
}

fn covers(setting: &Setting, silence: &Silence, kind: KindId, event: &Event) -> bool {
    let at: EventTime = event.event_time;
    let kind = &setting.rules.kind(kind).name;
    if at < silence.starts_at
        || at >= silence.ends_at
        || !(silence.kinds.is_empty() || silence.kinds.contains(kind))
    {
        return false;
    }
    match &silence.area {
        SilenceArea::Cells(codes) => {
            event.cells.iter().any(|cell| codes.contains(&cell.code))
                || event.town.as_ref().is_some_and(|town| codes.contains(town))
        }
        SilenceArea::Rings(rings) => event
            .located
            .as_ref()
            .is_some_and(|located| inside(rings, located.position)),
    }
}

/// Even-odd over all rings, in whole numbers; a ring's lower and left edges belong to it.
fn inside(rings: &[Vec<Position>], at: Position) -> bool {
    let mut odd = false;
    for ring in rings {
        for (a, b) in ring.iter().zip(ring.iter().cycle().skip(1)) {
            if (a.lat_e9 > at.lat_e9) == (b.lat_e9 > at.lat_e9) {
                continue;
            }
            let cross = i128::from(b.lon_e9 - a.lon_e9) * i128::from(at.lat_e9 - a.lat_e9)
                - i128::from(at.lon_e9 - a.lon_e9) * i128::from(b.lat_e9 - a.lat_e9);
            odd ^= (cross > 0) == (b.lat_e9 > a.lat_e9) && cross != 0;
        }
    }
    odd
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_with_a_hole() {
        let ring = |lo: f64, hi: f64| {
            [(lo, lo), (hi, lo), (hi, hi), (lo, hi)]
                .map(|(x, y)| Position::from_degrees(x, y).unwrap())
                .to_vec()
        };
        let rings = [ring(0.0, 4.0), ring(1.0, 2.0)];
        let is = |x: f64, y: f64| inside(&rings, Position::from_degrees(x, y).unwrap());
        assert!(is(3.0, 3.0) && is(0.5, 1.5));
        assert!(!is(1.5, 1.5) && !is(5.0, 1.0) && !is(-1.0, 1.0));
    }
}
