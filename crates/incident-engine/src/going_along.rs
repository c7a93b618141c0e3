//! What was heard at the place of what the centre merged goes along with it when the merge is taken back: by the rule it would have
//! joined that one. What is settled by then stays with the survivor, for nobody knows any more what it said.

use std::sync::Arc;

use city_model::{EventTime, Incident, IncidentId, LastCommand, Name, Outcome, Point, Status, Why};
use city_rules::KindId;

use crate::decide::is_history;
use crate::draft::Draft;
use crate::engine::{Engine, LONGEST_CHAIN};
use crate::joining::enter;
use crate::matching::Matcher;
use crate::parting::Parted;
use crate::passage::{is_stale, reopen};
use crate::rebuilt::continues;
use crate::scene::{Mark, Scene, bears};
use crate::{EventRow, Evidence, Held, Setting, limits};

/// What is said of an event that went along.
const WENT_ALONG: &str = "the merge was taken back";

impl Engine {
    /// Gives a part that stands by itself again what was heard at its place meanwhile. Both are as they are without the merge.
    pub(crate) fn go_along(&self, draft: &mut Draft<'_>, survivor: &IncidentId, part: &IncidentId) {
        let setting = draft.setting();
        let (Some(whole), Some(own)) = (
            draft.touched.get(survivor).cloned(),
            draft.touched.get(part).cloned(),
        ) else {
            return;
        };
        let merged_at = self.incidents.get(part).and_then(|part| part.closed_at);
        let mut heard = self.heard_since(&whole, merged_at);
        if heard.is_empty() {
            return;
        }
        let now = draft.now;
        let mut apart = Apart {
            engine: self,
            whole: Arc::new(self.without_all(setting, &whole, &heard, false)),
            part: own,
        };
        let mut told = Vec::new();
        heard.retain(|parted| match apart.find(setting, parted.held()) {
            Some(evidence) => {
                told.push(apart.give(setting, parted.held(), evidence, now));
                true
            }
            None => false,
        });
        if heard.is_empty() {
            return;
        }
        let left = self.without_all(setting, &whole, &heard, false);
        draft.touched.insert(survivor.clone(), Arc::new(left));
        draft.touched.insert(part.clone(), apart.part);
        for (held, outcome) in told {
            let row = EventRow::of_member(setting, &held, outcome, part);
            self.retell(draft, row, WENT_ALONG, &held.evidence());
        }
    }

    /// What an incident heard since a merge that may not be its own: at a place where it is not, by a ticket that is cited, or by what a
    /// device or component had told before.
    fn heard_since(&self, whole: &Incident, merged_at: Option<EventTime>) -> Vec<Parted> {
        let heard = whole.tail.iter().filter_map(|turn| {
            let seen = self.seen(&turn.key)?;
            let held = seen.held()?;
            let is_since = merged_at.is_none_or(|at| held.event.ingested_at >= at);
            let may_be_others = match held.why {
                Why::Operator => false,
                Why::CitedTicket | Why::SameDevice | Why::SameComponent => true,
                _ => held.elsewhere,
            };
            let is_asked = is_since && may_be_others && seen.incident_id() == Some(&whole.id);
            is_asked.then(|| Parted::of(held.clone(), turn.clone(), whole.id.clone()))
        });
        heard.collect()
    }

    /// An incident without some events, and so what it would be without its commands: they would come back with the next one that
    /// is taken back.
    fn without_all(
        &self,
        setting: &Setting,
        incident: &Incident,
        parting: &[Parted],
        is_hollow: bool,
    ) -> Incident {
        let left = (!is_hollow)
            .then(|| self.without(setting, incident, parting))
            .flatten();
        let mut left = left.unwrap_or_else(|| incident.clone());
        left.last_command = incident.last_command.as_deref().map(|last| {
            Arc::new(LastCommand {
                without: self.without_all(setting, &last.without, parting, last.of_handling),
                ..last.clone()
            })
        });
        left
    }
}

/// The incidents as they are once a merge is taken back.
struct Apart<'a> {
    engine: &'a Engine,
    whole: Arc<Incident>,
    part: Arc<Incident>,
}

impl Apart<'_> {
    /// What speaks for it that an event belongs to the part, if it does.
    fn find(&self, setting: &Setting, held: &Held) -> Option<Evidence> {
        let kind = setting.rules.kind_id(held.event.kind.as_str())?;
        let found = Matcher::find_in(self, self.engine, setting, kind, &held.event);
        let is_its = found.incident.is_some_and(|incident| incident.id == self.part.id);
        is_its.then_some(found.evidence)
    }

    /// Enters an event into the part; answers what it says there, and what it is.
    fn give(
        &mut self,
        setting: &Setting,
        held: &Held,
        evidence: Evidence,
        now: EventTime,
    ) -> (Arc<Held>, Outcome) {
        let held = Arc::new(held.decided_by(&evidence));
        let part = Arc::make_mut(&mut self.part);
        let counts = !continues(part, &held);
        enter(setting, part, &held, counts, self.engine.settled_before());
        if part.status == Status::Closed && !is_stale(setting, &held.event) && !is_history(part, &held.event)
        {
            reopen(part, now);
            if part.status == Status::Open {
                limits::begin_anew(part, now); // readers knew it as a part last: nobody else sees that it was over
            }
        }
        let outcome = if counts {
            Outcome::Joined
        } else {
            Outcome::Continued
        };
        (held, outcome)
    }

    /// One of the two as it is now.
    fn own(&self, id: &IncidentId) -> Option<&Arc<Incident>> {
        [&self.whole, &self.part].into_iter().find(|own| own.id == *id)
    }

    /// What an incident became part of, as far as that still holds.
    fn life(&self, id: &IncidentId) -> Option<Arc<Incident>> {
        let mut id = id;
        for _ in 0..LONGEST_CHAIN {
            let known = self.own(id).or_else(|| self.engine.incidents.get(id))?;
            if known.status != Status::Merged {
                return Some(known.clone());
            }
            id = known.merged_into.as_ref()?;
        }
        None
    }
}

impl Scene for Apart<'_> {
    fn near(&self, kind: KindId, side_mm: i64, point: Point, visit: &mut dyn FnMut(&Arc<Incident>, i64)) {
        self.engine
            .near(kind, side_mm, point, &mut |incident, distance_mm| {
                if self.own(&incident.id).is_none() {
                    visit(incident, distance_mm);
                }
            });
        let setting = self.engine.setting.as_ref();
        for own in [&self.whole, &self.part] {
            let own_kind = setting.and_then(|setting| setting.kind_of(own));
            let is_asked = own_kind.is_some_and(|(own_kind, _)| own_kind == kind);
            let distance = own.fused.point().map(|at| at.distance_mm(point));
            if let Some(distance_mm) = distance.filter(|distance| is_asked && *distance <= side_mm) {
                visit(own, distance_mm);
            }
        }
    }

    fn bearing(&self, mark: Mark<'_>) -> Vec<Arc<Incident>> {
        let mut found = self.engine.bearing(mark);
        found.retain(|incident| self.own(&incident.id).is_none());
        let own = [&self.whole, &self.part].into_iter();
        found.extend(own.filter(|own| bears(own, mark)).cloned());
        found
    }

    fn survivor(&self, merged: &Incident) -> Option<Arc<Incident>> {
        self.life(&merged.id)
    }

    fn known(&self, id: &IncidentId) -> Option<Arc<Incident>> {
        self.life(id)
    }

    fn of_ticket(&self, ticket: &Name) -> Option<Arc<Incident>> {
        self.life(self.engine.cited(ticket)?.incident_id()?)
    }
}
