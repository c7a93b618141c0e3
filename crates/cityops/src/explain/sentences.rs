//! The answers, sentence by sentence, Chinese first.

use city_model::{IncidentId, Outcome, Why};
use incident_engine::IncidentRecord;
use serde::Serialize;

use super::wording::{Both, became, compared, missed, outcome, placed, rival, second};
use super::{Story, Told, Tried, WhatIf};

/// Why an event is where it is.
#[derive(Debug, Serialize)]
pub struct EventAnswer<'a> {
    /// The event, as `source_system/event_id`.
    pub event: String,
    /// The last word on it.
    #[serde(flatten)]
    pub told: &'a Told,
    /// The incident that it is in now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now_in: Option<&'a IncidentRecord>,
    /// Changes of the rules that were tried: which of them would have turned it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<Tried>,
    /// The answer in Chinese.
    pub sentences_zh: Vec<String>,
    /// The answer in English.
    pub sentences_en: Vec<String>,
}

/// What an incident is, and all that it took in.
#[derive(Debug, Serialize)]
pub struct IncidentAnswer<'a> {
    /// Its last revision.
    pub incident: &'a IncidentRecord,
    /// The answer in Chinese.
    pub sentences_zh: Vec<String>,
    /// The answer in English.
    pub sentences_en: Vec<String>,
    /// Every event that it took in, so that every caller can be answered.
    pub members: Vec<MemberAnswer>,
}

/// One event of an incident.
#[derive(Debug, Serialize)]
pub struct MemberAnswer {
    /// The event, as `source_system/event_id`.
    pub event: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it is here, in Chinese.
    pub why_zh: String,
    /// Why it is here, in English.
    pub why_en: String,
}

#[derive(Default)]
struct Sentences {
    zh: Vec<String>,
    en: Vec<String>,
}

fn repeats(earlier: &IncidentId) -> Both {
    Both(
        format!("同一地点同类问题复发，前一次是 {earlier}。"),
        format!("The same trouble at the same place came back; the last time it was {earlier}."),
    )
}

impl Sentences {
    fn say_all(&mut self, both: impl IntoIterator<Item = Both>) {
        both.into_iter().for_each(|both| self.say(both));
    }

    fn say(&mut self, Both(zh, en): Both) {
        self.zh.push(zh);
        self.en.push(en);
    }
}

impl Story {
    /// Explains an event. What would have turned it is told where the log can be decided again with another rule.
    ///
    /// # Errors
    /// When deciding again fails.
    pub fn explain_event(
        &self,
        name: &str,
        mut what_if: Option<WhatIf<'_>>,
    ) -> anyhow::Result<Option<EventAnswer<'_>>> {
        let Some((key, told)) = self.event(name) else {
            return Ok(None);
        };
        let now_in = told.incident.as_ref().and_then(|id| self.survivor(id));
        let mut said = Sentences::default();
        let mut tried: Vec<Tried> = Vec::new();
        said.say(outcome(key, told, now_in));
        if let Some(evidence) = &told.evidence {
            said.say_all(evidence.placed_by.as_deref().map(placed));
            said.say(compared(evidence));
            let is_joined = evidence.why != Why::Founded;
            let runner_up = evidence.runner_up.as_ref();
            said.say_all(runner_up.filter(|_| is_joined).map(|other| second(other, self)));
            match &evidence.nearest_miss {
                Some(miss) => {
                    said.say(missed(miss, self));
                    said.say_all(runner_up.filter(|_| !is_joined).map(|other| rival(other, self)));
                    let is_in_it = now_in.is_some_and(|now| {
                        self.survivor(&miss.incident)
                            .is_some_and(|other| other.incident_id == now.incident_id)
                    });
                    if is_in_it {
                        said.say(Both(
                            "此后两者已成为同一事件。".to_owned(),
                            "Since then the two have become one.".to_owned(),
                        ));
                    } else if let Some(what_if) = &mut what_if {
                        tried.extend(what_if.joins(self, key)?);
                        said.say_all(tried.last().map(Tried::told));
                    }
                }
                None if evidence.why == Why::Founded => said.say(Both(
                    "附近没有同类的其他事件可以比较。".to_owned(),
                    "No other incident that it could have joined was near enough to be compared.".to_owned(),
                )),
                None => {}
            }
            if let Some(what_if) = what_if.as_mut().filter(|_| evidence.why == Why::Near) {
                let out = what_if.keeps_out(self, key)?;
                said.say_all(out.as_ref().map(Tried::told));
                tried.extend(out);
            }
        }
        if told.again {
            said.say(Both(
                "该结论后来因补到的上报或中心指令重新判定过。".to_owned(),
                "It was decided again later: a report came out of its turn, or the centre moved it."
                    .to_owned(),
            ));
        }
        if let Some(record) = now_in {
            said.say(became(record));
            let is_first = told.outcome == Outcome::Opened;
            said.say_all(record.recurrence_of.as_ref().filter(|_| is_first).map(repeats));
            if told.incident.as_ref() != Some(&record.incident_id) {
                said.say(Both(
                    format!("它当初归入的事件已并入 {}。", record.incident_id),
                    format!(
                        "The incident that it went to was merged into {}.",
                        record.incident_id
                    ),
                ));
            }
        }
        Ok(Some(EventAnswer {
            event: key.to_string(),
            told,
            now_in,
            tried,
            sentences_zh: said.zh,
            sentences_en: said.en,
        }))
    }

    /// Explains an incident.
    pub fn explain_incident(&self, id: &str) -> Option<IncidentAnswer<'_>> {
        let incident = self.incident(id)?;
        let mut said = Sentences::default();
        let priority = &incident.priority;
        said.say(became(incident));
        said.say(Both(
            format!(
                "{} 分（{}）：{}。",
                priority.score,
                priority.parts_text(),
                priority.reasons_zh.join("；")
            ),
            format!(
                "{} points ({}): {}.",
                priority.score,
                priority.parts_text(),
                priority.reasons_en.join("; ")
            ),
        ));
        if let Some(survivor) = &incident.merged_into {
            said.say(Both(
                format!("已并入 {survivor}，上报现计入后者；以下是它并入前收到的。"),
                format!("It was merged into {survivor}, where its reports count now; these are the ones that it had."),
            ));
        }
        said.say_all(incident.recurrence_of.as_ref().map(repeats));
        if !incident.related.is_empty() {
            let others: Vec<&str> = incident.related.iter().map(|id| id.as_str()).collect();
            said.say(Both(
                format!("相关但未合并的事件：{}。", others.join("、")),
                format!("Related, but kept apart: {}.", others.join(", ")),
            ));
        }
        let members = self.members(&incident.incident_id);
        let members = members.into_iter().map(|(key, told)| {
            let Both(why_zh, why_en) = match &told.evidence {
                Some(evidence) => compared(evidence),
                None => Both(
                    "未保留比对依据。".to_owned(),
                    "What was compared was not kept.".to_owned(),
                ),
            };
            MemberAnswer {
                event: key.to_string(),
                outcome: told.outcome,
                why_zh,
                why_en,
            }
        });
        Some(IncidentAnswer {
            incident,
            sentences_zh: said.zh,
            sentences_en: said.en,
            members: members.collect(),
        })
    }
}
