//! Cause and symptom: while an incident stands whose kind explains another one away, that one is quiet, linked, and never lost.
//!
//! Near is within the radii of both kinds together, in time is not before the cause by more than the cause's gap. It is asked
//! when either begins or ceases to stand, so more evidence of a symptom never quiets it, and when members leave one of them, for
//! then it may be elsewhere. A P1 is never quieted.

use city_model::{Incident, IncidentId, Point, Status};
use city_rules::{KindId, Text};

use crate::draft::{Draft, Regrouping};
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
        if let Some(how) = self.regrouping {
            self.inhibit_regrouped(how);
        }
    }

    /// Decides again what explains what, where members left a cause or a symptom that goes on standing: what it was near to then it
    /// may be far from now. Who parts or brings together by the centre's word also links anew, or what is taken back would not be.
    fn inhibit_regrouped(&mut self, how: Regrouping) {
        let touched = self.touched.iter();
        let regrouped: Vec<IncidentId> = touched
            .filter(|(id, incident)| {
                let before = self.engine().incidents.get(id);
                before.is_some_and(|before| {
                    stands(before) && stands(incident) && is_regrouped(how, before, incident)
                })
            })
            .map(|(id, _)| id.clone())
            .collect();
        for id in regrouped {
            self.part_symptoms(&id);
            self.part_cause(&id, how);
            let known = self.touched.get(&id);
            let kind = known.and_then(|known| self.setting().kind_of(known));
            if let (Some(known), Some((kind, _)), Regrouping::Centre) = (known, kind, how) {
                for symptom in self.symptoms_of(kind, known) {
                    self.explain_by(&symptom, Some(id.clone()));
                }
            }
        }
    }

    /// What a cause explains no longer is explained by another one, or by nothing.
    fn part_symptoms(&mut self, cause: &IncidentId) {
        for symptom in self.engine().inhibited_by(cause) {
            let (Some(known), Some(was)) = (self.present(&symptom), self.present(cause)) else {
                continue;
            };
            let is_its = known.inhibited_by.as_ref() == Some(cause);
            if !is_its || !stands(known) || self.explains(was, known) {
                continue;
            }
            let other = self
                .setting()
                .kind_of(known)
                .and_then(|(kind, _)| self.standing_cause(kind, known));
            self.explain_by(&symptom, other);
        }
    }

    /// The same of the symptom's side.
    fn part_cause(&mut self, symptom: &IncidentId, how: Regrouping) {
        let Some(known) = self.present(symptom) else {
            return;
        };
        let Some((kind, rule)) = self.setting().kind_of(known) else {
            return;
        };
        let cause = known.inhibited_by.as_ref();
        let is_asked = match cause.map(|cause| self.present(cause)) {
            Some(cause) => !cause.is_some_and(|cause| self.explains(cause, known)),
            None => how == Regrouping::Centre,
        };
        if is_asked && !rule.inhibited_by.is_empty() {
            let other = self.standing_cause(kind, known);
            self.explain_by(symptom, other);
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

/// Whether members left an incident, or the centre changed what belongs to it.
fn is_regrouped(how: Regrouping, before: &Incident, now: &Incident) -> bool {
    match how {
        Regrouping::Centre => before.member_count != now.member_count || before.tail != now.tail,
        Regrouping::Again => !before
            .tail
            .iter()
            .all(|turn| now.tail.binary_search(turn).is_ok()),
    }
}

/// Open, and not held back by a silence as far as its row says.
fn stands(incident: &Incident) -> bool {
    incident.status == Status::Open && !incident.is_held_back()
}
