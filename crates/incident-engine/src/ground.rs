//! Where, when and about what a silence announces trouble.

use city_model::{CellRef, Event, EventTime, Incident, Kind, Name, Position, Silence, SilenceArea};

use crate::Setting;
use crate::weather::quiet_after_ms;

/// Where something lies, as far as a silence asks.
pub(crate) struct Spot<'a> {
    cells: &'a [CellRef],
    town: Option<&'a Name>,
    position: Option<Position>,
}

impl Spot<'_> {
    /// Where an event lies.
    pub(crate) fn of(event: &Event) -> Spot<'_> {
        Spot {
            cells: &event.cells,
            town: event.town.as_ref(),
            position: event.located.as_ref().map(|located| located.position),
        }
    }

    /// Where an incident lies: its fused position, and the cells of its best one.
    pub(crate) fn of_incident<'a>(setting: &Setting, incident: &'a Incident) -> Spot<'a> {
        let point = incident.fused.point();
        Spot {
            cells: &incident.cells,
            town: incident.town.as_ref(),
            position: point.map(|point| setting.plane.unproject(point)),
        }
    }
}

/// What a silence says.
pub(crate) trait Announces {
    /// Whether it is about a kind.
    fn is_about(&self, kind: &Kind) -> bool;

    /// Whether its area holds a place.
    fn lies_about(&self, spot: &Spot<'_>) -> bool;

    /// Whether it announced an event: that kind, there and then.
    fn covers(&self, kind: &Kind, event: &Event) -> bool;

    /// Whether it still holds back at `now` an incident of which all was announced. Over, it does so only where the
    /// trouble did not outlast it: nobody told of it so shortly before the end that, without silences, it would still be
    /// open then, and no sensor `alarms_on`.
    fn holds(
        &self,
        setting: &Setting,
        incident: &Incident,
        now: EventTime,
        alarms_on: impl FnOnce() -> bool,
    ) -> bool;
}

impl Announces for Silence {
    fn is_about(&self, kind: &Kind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(kind)
    }

    fn lies_about(&self, spot: &Spot<'_>) -> bool {
        match &self.area {
            SilenceArea::Cells(codes) => {
                spot.cells.iter().any(|cell| codes.contains(&cell.code))
                    || spot.town.is_some_and(|town| codes.contains(town))
            }
            SilenceArea::Rings(rings) => spot.position.is_some_and(|position| inside(rings, position)),
        }
    }

    fn covers(&self, kind: &Kind, event: &Event) -> bool {
        self.starts_at <= event.event_time
            && event.event_time < self.ends_at
            && self.is_about(kind)
            && self.lies_about(&Spot::of(event))
    }

    fn holds(
        &self,
        setting: &Setting,
        incident: &Incident,
        now: EventTime,
        alarms_on: impl FnOnce() -> bool,
    ) -> bool {
        let mut ids = incident.silences.iter().flatten();
        let announced = ids.any(|id| *id == self.silence_id)
            || (self.is_about(&incident.kind) && self.lies_about(&Spot::of_incident(setting, incident)));
        let is_now = self.starts_at <= now && now < self.ends_at;
        let was_then = self.starts_at <= incident.last_event_at && incident.last_event_at < self.ends_at;
        let rule = setting.kind_of(incident).map(|(_, rule)| rule);
        let gap_ms = rule.map_or(0, |rule| quiet_after_ms(setting, rule, incident));
        let outlasts = || incident.last_event_at + gap_ms > self.ends_at || alarms_on();
        announced && (is_now || (was_then && (now < self.ends_at || !outlasts())))
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
