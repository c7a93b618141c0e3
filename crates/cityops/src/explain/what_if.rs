//! What would have turned a decision: the change that what was compared suggests is made, and the log is decided again with it.

use city_model::{EventKey, IncidentId};
use city_rules::{KindRule, Rules};
use serde::Serialize;

use super::Story;
use super::change::Change;
use super::wording::Both;

type Decide<'a> = dyn FnMut(&Rules) -> anyhow::Result<Story> + 'a;

/// Decides the same log again.
pub struct WhatIf<'a> {
    rules: Rules,
    decide: Box<Decide<'a>>,
}

/// A change that is enough by itself may let rivals in, too: then so many greater ones are tried in all.
const TRIES_MAX: usize = 3;

/// A change of the rules that was tried.
#[derive(Debug, Serialize)]
pub struct Tried {
    /// The change.
    #[serde(flatten)]
    pub change: Change,
    /// An event of the incident that is meant: the one that the event missed, or the one that it joined.
    pub of: String,
    /// Whether the event is in that incident with the rules so changed.
    pub together: bool,
    /// Whether the change turns the decision.
    pub turns: bool,
}

impl<'a> WhatIf<'a> {
    /// By the rules that were in force, and a way to decide the log again with others.
    pub fn new(rules: Rules, decide: impl FnMut(&Rules) -> anyhow::Result<Story> + 'a) -> WhatIf<'a> {
        WhatIf {
            rules,
            decide: Box::new(decide),
        }
    }

    /// Whether a change would have let an event join the incident that it missed, and which.
    pub(super) fn joins(&mut self, story: &Story, key: &EventKey) -> anyhow::Result<Option<Tried>> {
        let compared = story.told(key).and_then(|told| {
            let evidence = told.evidence.as_ref()?;
            Some((evidence, evidence.nearest_miss.as_ref()?))
        });
        let Some((evidence, miss)) = compared else {
            return Ok(None);
        };
        self.try_out(story, key, &miss.incident, true, |rule| {
            Change::to_join(evidence, rule)
        })
    }

    /// Whether a change would have kept an event out of the incident that it joined by its place, and which.
    pub(super) fn keeps_out(&mut self, story: &Story, key: &EventKey) -> anyhow::Result<Option<Tried>> {
        let Some(told) = story.told(key) else {
            return Ok(None);
        };
        let (Some(evidence), Some(own)) = (&told.evidence, &told.incident) else {
            return Ok(None);
        };
        self.try_out(story, key, own, false, |rule| Change::to_keep_out(evidence, rule))
    }

    fn try_out(
        &mut self,
        story: &Story,
        key: &EventKey,
        incident: &IncidentId,
        to_join: bool,
        suggest: impl FnOnce(&KindRule) -> Option<Change>,
    ) -> anyhow::Result<Option<Tried>> {
        let kind = story
            .incident(incident.as_str())
            .map(|record| record.kind.as_str());
        let rule = kind.and_then(|kind| Some(self.rules.kind(self.rules.kind_id(kind)?)));
        let founder = story.founder(incident).filter(|founder| *founder != key);
        let (Some(mut change), Some(founder)) = (rule.and_then(suggest), founder) else {
            return Ok(None);
        };
        let mut tries = 1;
        loop {
            let again = (self.decide)(&change.apply(&self.rules)?)?;
            let together = again.root(key).is_some() && again.root(key) == again.root(founder);
            let turns = together == to_join;
            if turns || !to_join || tries == TRIES_MAX {
                return Ok(Some(Tried {
                    change,
                    of: founder.to_string(),
                    together,
                    turns,
                }));
            }
            change = change.more();
            tries += 1;
        }
    }
}

impl Tried {
    /// What came of it.
    pub(super) fn told(&self) -> Both {
        let Both(zh, en) = self.change.told();
        let short = self.change.short();
        match (self.together, self.turns) {
            (true, true) => Both(
                format!("若{zh}，它就会归入那一事件（已按此重新判定核实）。"),
                format!(
                    "If {en}, it would be in that one: it would have joined at {short} (decided again to make sure)."
                ),
            ),
            (false, false) => Both(
                format!("即使{zh}，它仍不会归入那一事件（已按此重新判定核实）。"),
                format!("Even if {en}, it would not be in that one (decided again to make sure)."),
            ),
            (false, true) => Both(
                format!("若{zh}，它就不会归入这里（已按此重新判定核实）。"),
                format!("If {en}, it would not have joined (decided again to make sure)."),
            ),
            (true, false) => Both(
                format!("即使{zh}，它仍会归入这里（已按此重新判定核实）。"),
                format!("Even if {en}, it would have joined (decided again to make sure)."),
            ),
        }
    }
}
