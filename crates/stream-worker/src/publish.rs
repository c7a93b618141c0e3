//! What the engine says, as records of the outside topics, with what caused it in their headers.

use city_model::{Input, Outcome};
use incident_engine::{IncidentRecord, OutcomeRecord, Output};
use wire_format::{Topic, TraceContext, trace};

use crate::causes::{Cause, Causes};
use crate::deadletter::undecided;
use crate::{InputRecord, OutRecord, Outputs, Step, TraceObserver};

/// A traced input: whose word it is, and the span under which it was decided.
pub(crate) struct Traced {
    pub(crate) by: String,
    pub(crate) context: TraceContext,
}

impl Traced {
    /// The decision of an input that came with a trace; `None` where it is nobody's word, as a tick is not.
    pub(crate) fn of(input: &Input, came: &TraceContext) -> Option<Traced> {
        let by = match input {
            Input::Event(event) => event.key.to_string(),
            Input::Command(command) => format!("{}/{}", command.operator, command.command_id),
            _ => return None,
        };
        let context = came.step(&["correlate", &by]);
        Some(Traced { by, context })
    }

    /// What became of it, by the engine's answers, and the incidents that it changed or will: most revisions follow with the
    /// next tick.
    fn changed<'a>(
        &self,
        outputs: &'a [Output],
    ) -> (Option<Outcome>, Vec<&'a IncidentRecord>, Option<&'a Output>) {
        let own = outputs
            .iter()
            .find(|output| matches!(output, Output::Outcome { row, .. } if row.key.to_string() == self.by));
        let outcome = own.and_then(|output| match output {
            Output::Outcome { row, .. } => Some(row.outcome),
            _ => None,
        });
        let revised = outputs.iter().filter_map(|output| match output {
            Output::Revision { record, .. } => Some(&**record),
            _ => None,
        });
        (outcome, revised.collect(), own)
    }
}

/// Publishes what the inputs of one batch led to.
pub(crate) struct Publisher<'a> {
    pub(crate) batch: &'a InputRecord<'a>,
    pub(crate) format: &'a Outputs,
    pub(crate) causes: &'a mut Causes,
    pub(crate) observer: Option<&'a dyn TraceObserver>,
    pub(crate) records: &'a mut Vec<OutRecord>,
}

impl Publisher<'_> {
    /// Notes what a traced input changed, and tells of its decision; `parent` is the span that it came with.
    pub(crate) fn note(&mut self, traced: &Traced, parent: &TraceContext, outputs: &[Output]) {
        let (outcome, revised, own) = traced.changed(outputs);
        let mut incidents: Vec<_> = revised.into_iter().map(|record| &record.incident_id).collect();
        if let Some(Output::Outcome { row, .. }) = own {
            incidents.extend(row.incident.as_ref());
        }
        incidents.sort();
        incidents.dedup();
        for incident in &incidents {
            if !self.causes.note(incident, &traced.by, &traced.context)
                && let Some(observer) = self.observer
            {
                observer.forgotten();
            }
        }
        let about = || {
            let mut about = self.place();
            about.push(("cityops.by", traced.by.clone()));
            about.extend(outcome.map(|outcome| ("cityops.outcome", outcome.to_string())));
            about.extend(incidents.first().map(|id| ("cityops.incident", id.to_string())));
            about
        };
        self.tell("correlate", &traced.context, parent.span(), Vec::new(), about);
    }

    /// Where the batch lies.
    fn place(&self) -> Vec<(&'static str, String)> {
        Step::place(self.batch)
    }

    fn tell(
        &self,
        name: &'static str,
        context: &TraceContext,
        parent: [u8; 8],
        links: Vec<TraceContext>,
        about: impl FnOnce() -> Vec<(&'static str, String)>,
    ) {
        if let Some(observer) = self
            .observer
            .filter(|observer| context.is_sampled() && observer.exports())
        {
            observer.step(Step {
                name,
                context: context.clone(),
                parent,
                since: self.batch.timestamp,
                links,
                about: about(),
            });
        }
    }

    /// Turns the answers to one input into records.
    pub(crate) fn publish(&mut self, input: &Input, traced: Option<&Traced>, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Revision {
                    record,
                    leaves,
                    shown_in,
                    ..
                } => {
                    let (id, cause) = (record.incident_id.as_str(), self.causes.take(&record.incident_id));
                    let passed_on = cause
                        .as_ref()
                        .map_or_else(Vec::new, |cause| self.revise(&record, cause));
                    let value = self.format.value(Topic::Incidents, &*record);
                    let records = &mut *self.records;
                    let mut push = |topic: Topic, value: Option<Vec<u8>>, last: &str| {
                        let mut headers = Vec::new();
                        // A tombstone says nothing, so it is no event.
                        if let Some(value) = &value {
                            headers = self.format.headers(topic, value, || {
                                let by = cause.as_ref().map(|cause| cause.by.clone());
                                let own = format!("{id}/{}{last}", record.revision);
                                (own, id.to_owned(), self.batch.timestamp, by)
                            });
                            headers.extend_from_slice(&passed_on);
                        }
                        records.push(OutRecord {
                            headers,
                            ..OutRecord::keyed(topic, id, value)
                        });
                    };
                    if let Some(band) = shown_in {
                        let topic = Topic::of_band(band);
                        push(topic, Some(self.format.again(topic, &*record, &value)), "");
                    }
                    if let Some(band) = leaves {
                        let topic = Topic::of_band(band);
                        push(
                            topic,
                            Some(self.format.value(topic, &record.superseded())),
                            "/superseded",
                        );
                        push(topic, None, "");
                    }
                    push(Topic::Incidents, Some(value), "");
                }
                Output::Removed(id) => {
                    self.causes.take(&id);
                    self.records
                        .push(OutRecord::keyed(Topic::Incidents, id.as_str(), None));
                }
                Output::Outcome { row, reason, .. } => {
                    if row.outcome == Outcome::DeadLetter {
                        self.records.push(undecided(self.batch, input));
                    }
                    let key = row.key.to_string();
                    let traced = traced.filter(|traced| traced.by == key);
                    let record = OutcomeRecord {
                        outcome: row.outcome,
                        incident_id: row.incident,
                        reason,
                    };
                    let value = self.format.value(Topic::Outcomes, &record);
                    self.records.push(OutRecord {
                        headers: passed_on(traced),
                        ..OutRecord::keyed(Topic::Outcomes, &key, Some(value))
                    });
                }
                Output::Withheld(because) => {
                    tracing::warn!(
                        ?because,
                        "not decided again although the order of reading shows; the incidents are related"
                    );
                }
                // Without a key, as in the enriched log.
                Output::Late(event) => {
                    let value = self.format.value(Topic::Late, &event);
                    let mut headers = self.format.late(&event, self.batch.timestamp, &value);
                    headers.extend(passed_on(traced));
                    self.records.push(OutRecord {
                        key: None,
                        headers,
                        ..OutRecord::keyed(Topic::Late, "", Some(value))
                    });
                }
            }
        }
    }

    /// The headers by which a revision passes its cause on: the newest is its trace, earlier ones are links.
    fn revise(&self, record: &IncidentRecord, cause: &Cause) -> Vec<(&'static str, String)> {
        let (id, revision) = (record.incident_id.as_str(), record.revision.to_string());
        let own = cause.context.step(&["publish", id, &revision]);
        let about = || {
            let mut about = self.place();
            about.push(("cityops.by", cause.by.clone()));
            about.push(("cityops.incident", id.to_owned()));
            about.push(("cityops.revision", revision.clone()));
            about.push(("cityops.band", record.priority.band.to_string()));
            about
        };
        self.tell(
            "publish",
            &own,
            cause.context.span(),
            cause.earlier.clone(),
            about,
        );
        let mut headers: Vec<_> = own.headers().collect();
        if !cause.earlier.is_empty() {
            let links: Vec<String> = cause.earlier.iter().map(TraceContext::traceparent).collect();
            headers.push((trace::LINKS, links.join(",")));
        }
        headers
    }
}

fn passed_on(traced: Option<&Traced>) -> Vec<(&'static str, String)> {
    traced.map_or_else(Vec::new, |traced| traced.context.headers().collect())
}
