//! Incidents that have to do with an event that they do not take: related kinds nearby, and what it repeats.

use std::sync::Arc;

use city_model::{Event, Incident, IncidentId, Status};
use city_rules::KindId;

use crate::Setting;
use crate::engine::Engine;
use crate::scene::{Mark, is_at};
use crate::street;
use crate::weighing::{differs, gap_ms, radius_mm};

impl Engine {
    /// Open incidents of the kinds that the rules call related, within the wider radius of the two.
    pub(crate) fn related_near(&self, setting: &Setting, kind: KindId, event: &Event) -> Vec<IncidentId> {
        let Some(located) = &event.located else {
            return Vec::new();
        };
        let point = setting.plane.project(located.position);
        let own = setting.rules.kind(kind);
        let mut found = Vec::new();
        for other in &own.related {
            let rule = setting.rules.kind(*other);
            let reach = rule.radius_mm.max(own.radius_mm).min(rule.cap_mm);
            self.neighbours.near(*other, rule.cap_mm, point, |number, at| {
                let Some(incident) = self.incidents.at(number) else {
                    return;
                };
                if incident.status == Status::Open
                    && !incident.is_held_back()
                    && at.distance_mm(point) <= reach
                    && gap_ms(incident, event) <= rule.gap_ms.max(own.gap_ms)
                {
                    found.push(incident.id.clone());
                }
            });
        }
        found.sort_unstable();
        found
    }

    /// The closed incident of the same kind and place that an event repeats (复发): the latest within `recur`.
    pub(crate) fn recurrence(&self, setting: &Setting, kind: KindId, event: &Event) -> Option<IncidentId> {
        let rule = setting.rules.kind(kind);
        let recur_ms = rule.recur_ms?;
        let mut found: Vec<&Arc<Incident>> = Vec::new();
        let mut look = |incident| {
            let incident: &Arc<Incident> = incident;
            // At the place of what was merged the survivor's end counts.
            let Some(incident) = self.survivor(&incident.id) else {
                return;
            };
            // It comes back from when it was over, not from when it was last told of.
            let over_at = incident.closed_at.unwrap_or(incident.last_event_at);
            if incident.status == Status::Closed
                && !incident.is_held_back()
                && incident.last_event_at <= event.event_time
                && event.event_time - over_at.max(incident.last_event_at) <= recur_ms
            {
                found.push(incident);
            }
        };
        if let Some(located) = &event.located {
            let point = setting.plane.project(located.position);
            self.neighbours.near(kind, rule.cap_mm, point, |number, at| {
                let Some(incident) = self.incidents.at(number) else {
                    return;
                };
                let different = rule.component_decides && differs(incident, event);
                if at.distance_mm(point) <= radius_mm(setting, rule, incident, located.u_mm) && !different {
                    look(incident);
                }
            });
        } else if let (Some(town), Some(address)) = (&event.town, &event.address_key) {
            for name in street::names(address) {
                for incident in self.all_bearing(Mark::Street(&rule.name, town, name)) {
                    if is_at(incident, town, address) {
                        look(incident);
                    }
                }
            }
        }
        found
            .into_iter()
            .max_by_key(|incident| (incident.last_event_at, incident.founding.clone()))
            .map(|i| i.id.clone())
    }
}
