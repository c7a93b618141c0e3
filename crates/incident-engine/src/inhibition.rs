//! Cause and symptom: while an incident stands whose kind explains another one away, that one is quiet, linked, and never lost.
//!
//! Near is within the radii of both kinds together, in time is not before the cause by more than the cause's gap. It is asked
//! when either begins or ceases to stand, so more evidence of a symptom never quiets it. A P1 is never quieted.

use city_model::{Incident, IncidentId, Point, Status};
use city_rules::{KindId, Text};

use crate::draft::Draft;
use crate::engine::Engine;
use crate::numbers::Numbers;

/// The published id of the ceiling.
pub(crate) const INHIBITED: &str = "I1.inhibited_by";

/// What changed the band of a symptom whose cause is over.
pub(crate) const UNINHIBITED: &str = "cause_over";

/// What explains an incident away, as its reasons name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) id: IncidentId,
    /// What its kind is called; its id where it is not known yet.
    pub(crate) name: Text,
}

impl Engine {
    /// The incidents that one explains away, in the order of their ids.
    fn inhibited_by(&self, cause: &IncidentId) -> Vec<IncidentId> {
        let numbers = self.inhibited.get(cause.as_str());
        let symptoms = self.numbered(numbers.map_or(&[][..], Numbers::as_slice));
        let mut ids: Vec<IncidentId> = symptoms.map(|symptom| symptom.id.clone()).collect();
        ids.sort_unstable();
        ids
    }

    /// What explains an incident away.
    pub(crate) fn cause_of(&self, incident: &Incident) -> Option<Cause> {
        let id = incident.inhibited_by.clone()?;
        let cause = self.incidents.get(&id);
        let rule = cause.and_then(|cause| Some(self.setting.as_ref()?.kind_of(cause)?.1));
        let name = match rule {
            Some(rule) => Text {
                zh: rule.name_zh.clone(),
                en: rule.name_en.clone(),
            },
            None => Text {
                zh: id.to_string(),
                en: id.to_string(),
            },
        };
        Some(Cause { id, name })
    }
}

impl Draft<'_> {
    /// Links the symptoms of what begins or ceases to stand among the touched incidents, before they are judged.
    pub(crate) fn inhibit(&mut self) {
        let touched = self.touched.iter();
        let turned: Vec<IncidentId> = touched
            .filter(|(id, incident)| {
                let before = self.engine().incidents.get(id);
                let stood = before.is_some_and(|before| stands(before));
                stood != stands(incident) || incident.is_held_back()
            })
            .map(|(id, _)| id.clone())
            .collect();
        for id in turned {
            let before = self.engine().incidents.get(&id);
            let stood = before.is_some_and(|before| stands(before));
            self.hold_back(&id);
            let Some(incident) = self.touched.get(&id) else {
                continue;
            };
            let is_open = incident.status == Status::Open && self.held_back(&id).is_none();
            let Some((kind, rule)) = self.setting().kind_of(incident) else {
                continue;
            };
            if is_open && !stood {
                let symptoms = self.symptoms_of(kind, incident);
                if !rule.inhibited_by.is_empty() {
                    let cause = self.standing_cause(kind, incident);
                    self.explain_by(&id, cause);
                }
                for symptom in symptoms {
                    self.explain_by(&symptom, Some(id.clone()));
                }
            } else if stood && !is_open && !rule.inhibits.is_empty() {
                for symptom in &self.engine().inhibited_by(&id) {
                    let Some(known) = self.present(symptom).filter(|known| stands(known)) else {
                        continue;
                    };
                    let other = self
                        .setting()
                        .kind_of(known)
                        .and_then(|(kind, _)| self.standing_cause(kind, known));
                    self.explain_by(symptom, other);
                }
            }
        }
    }

    fn explain_by(&mut self, symptom: &IncidentId, cause: Option<IncidentId>) {
        self.edit(symptom, |_, incident| {
            incident.related.extend(cause.clone());
            incident.inhibited_by = cause;
        });
    }

    /// An incident as this decision has it.
    fn present(&self, id: &IncidentId) -> Option<&Incident> {
        let known = || self.engine().incidents.get(id);
        self.touched.get(id).or_else(known).map(std::sync::Arc::as_ref)
    }

    /// The first founded of the incidents that stand and explain a symptom away.
    fn standing_cause(&self, kind: KindId, symptom: &Incident) -> Option<IncidentId> {
        let point = symptom.fused.point()?;
        let causes = &self.setting().rules.kind(kind).inhibited_by;
        let mut found: Vec<&Incident> = Vec::new();
        for cause in causes {
            for id in self.lying_near(*cause, kind, point) {
                let cause = self.present(&id).filter(|cause| self.is_public(cause));
                found.extend(cause.filter(|cause| self.explains(cause, symptom)));
            }
        }
        let first = found.into_iter().min_by(|a, b| a.founding.cmp(&b.founding))?;
        Some(first.id.clone())
    }

    /// The standing incidents that one explains away, and that nothing else does yet.
    fn symptoms_of(&self, kind: KindId, cause: &Incident) -> Vec<IncidentId> {
        let Some(point) = cause.fused.point() else {
            return Vec::new();
        };
        let kinds = self.setting().rules.kind(kind).inhibits.iter();
        let near = kinds.flat_map(|symptom| self.lying_near(*symptom, kind, point));
        near.filter(|id| {
            self.present(id).is_some_and(|symptom| {
                stands(symptom) && symptom.inhibited_by.is_none() && self.explains(cause, symptom)
            })
        })
        .collect()
    }

    /// The incidents of a kind that may lie within its and another kind's radii of a point, in the order of their ids.
    fn lying_near(&self, kind: KindId, other: KindId, point: Point) -> Vec<IncidentId> {
        let rules = &self.setting().rules;
        let reach = rules.kind(kind).radius_mm + rules.kind(other).radius_mm;
        let side = rules.kind(kind).cap_mm;
        let mut found: Vec<IncidentId> = Vec::new();
        let neighbours = &self.engine().neighbours;
        neighbours.within(kind, side, point, (reach, reach), |number| {
            found.extend(
                self.engine()
                    .incidents
                    .at(number)
                    .map(|incident| incident.id.clone()),
            );
        });
        let name = &rules.kind(kind).name;
        let touched = self.touched.values().filter(|incident| incident.kind == *name);
        found.extend(touched.map(|incident| incident.id.clone()));
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether one incident explains another away by where and when they are.
    fn explains(&self, cause: &Incident, symptom: &Incident) -> bool {
        let rule = |incident| self.setting().kind_of(incident).map(|(_, rule)| rule);
        let (Some(own), Some(other)) = (rule(cause), rule(symptom)) else {
            return false;
        };
        let (Some(at), Some(there)) = (cause.fused.point(), symptom.fused.point()) else {
            return false;
        };
        cause.id != symptom.id
            && at.distance_mm(there) <= own.radius_mm + other.radius_mm
            && symptom.first_event_at >= cause.first_event_at - own.gap_ms
    }

    /// Whether an incident stands and readers know it: what a silence holds back explains nothing.
    fn is_public(&self, incident: &Incident) -> bool {
        stands(incident) || (incident.status == Status::Open && self.veils.get(&incident.id) == Some(&None))
    }
}

/// Open, and not held back by a silence as far as its row says.
fn stands(incident: &Incident) -> bool {
    incident.status == Status::Open && !incident.is_held_back()
}
