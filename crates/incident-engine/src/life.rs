//! The life of an incident as a type: each state has as methods just the steps that may be taken from it, which use it up and
//! give the next. What commands, events and the clock do to an incident goes through here, so no other step exists.
//!
//! `crates/README.md` draws it, and a test compares the drawing with this.

use std::fmt;

use city_model::{Action, CloseReason, EventTime, Incident, Status};

/// How far the centre is with an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Desk {
    Untouched,
    Acknowledged,
    Dispatched,
    OnSite,
}

/// Somebody should care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Open {
    desk: Desk,
    is_resolved: bool,
}

/// It is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Over {
    reason: CloseReason,
    /// Where the centre was with it.
    desk: Desk,
}

/// It is part of another incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    desk: Desk,
}

/// Where an incident is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Somebody should care.
    Open(Open),
    /// It is over.
    Over(Over),
    /// It is part of another.
    Part(Part),
}

/// What happens to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "those up to Reopen are the commands of these names")]
pub enum Step {
    Acknowledge,
    Dispatch,
    Return,
    Arrive,
    Resolve,
    Verify,
    Close,
    FalseAlarm,
    Reopen,
    /// Nothing was heard within its kind's gap.
    Quiet,
    /// Its devices cleared, and nobody saw it since.
    Clear,
    /// It was over when it was first heard of.
    Stale,
    /// An event came that belongs to it.
    Hear,
    /// It becomes part of another.
    Merge,
    /// It is no part of another any more.
    Part,
    /// It takes in another one that nobody mended.
    TakeIn,
}

/// Why a step cannot be taken.
type Refusal = &'static str;

impl Open {
    fn at(desk: Desk) -> Open {
        Open {
            desk,
            is_resolved: false,
        }
    }

    fn acknowledge(self) -> Open {
        Open {
            desk: self.desk.max(Desk::Acknowledged),
            ..self
        }
    }

    /// Also once more, after it was resolved and not found so (返工).
    fn dispatch(self) -> Open {
        Open::at(Desk::Dispatched)
    }

    /// The unit gives it back (退单), or it is not found mended (返工): the centre has it again.
    fn give_back(self) -> Result<Open, Refusal> {
        match self.desk {
            Desk::Dispatched | Desk::OnSite => Ok(Open::at(Desk::Acknowledged)),
            Desk::Untouched | Desk::Acknowledged => Err("the incident was not dispatched"),
        }
    }

    fn arrive(self) -> Result<Open, Refusal> {
        match self.desk {
            _ if self.is_resolved => Err("the incident is resolved"),
            Desk::Dispatched | Desk::OnSite => Ok(Open {
                desk: Desk::OnSite,
                ..self
            }),
            Desk::Untouched | Desk::Acknowledged => Err("the incident was not dispatched"),
        }
    }

    fn resolve(self) -> Open {
        Open {
            is_resolved: true,
            ..self
        }
    }

    fn verify(self) -> Result<Over, Refusal> {
        if self.is_resolved {
            Ok(self.end(CloseReason::Resolved))
        } else {
            Err("the incident was not resolved")
        }
    }

    /// What the centre handles is closed by its word alone. Where it said that it is mended and nobody objects, that stands.
    fn end_by_itself(self, reason: CloseReason) -> Result<Over, Refusal> {
        match reason {
            _ if !self.is_left_alone() => Err("the centre handles the incident"),
            // A unit that was sent has left: should it come back, somebody has to be sent again.
            CloseReason::Quiet | CloseReason::Cleared if self.is_resolved => {
                Ok(self.end(CloseReason::Resolved))
            }
            reason => Ok(self.end(reason)),
        }
    }

    fn is_left_alone(self) -> bool {
        self.desk == Desk::Untouched || self.is_resolved
    }

    fn end(self, reason: CloseReason) -> Over {
        Over {
            reason,
            desk: self.desk,
        }
    }

    fn merge(self) -> Part {
        Part { desk: self.desk }
    }

    fn take_in(self) -> Open {
        Open::at(self.desk)
    }
}

impl Over {
    fn reopen(self) -> Open {
        Open::at(self.desk)
    }

    /// What belongs to it opens it again; the centre's word that it is over stands.
    fn hear(self) -> Result<Open, Refusal> {
        match self.reason {
            CloseReason::Quiet | CloseReason::Cleared | CloseReason::Stale => Ok(Open::at(self.desk)),
            CloseReason::Resolved | CloseReason::Closed | CloseReason::FalseAlarm => {
                Err("the centre closed the incident")
            }
        }
    }

    fn merge(self) -> Part {
        Part { desk: self.desk }
    }
}

impl Part {
    fn part(self) -> Open {
        Open::at(self.desk)
    }
}

impl Stage {
    /// Where an incident is.
    pub fn of(incident: &Incident) -> Stage {
        let handling = &incident.handling;
        let desk = match handling {
            handling if handling.dispatched_at.is_some() && handling.arrived_at.is_some() => Desk::OnSite,
            handling if handling.dispatched_at.is_some() => Desk::Dispatched,
            handling if handling.acknowledged_at.is_some() => Desk::Acknowledged,
            _ => Desk::Untouched,
        };
        match incident.status {
            Status::Open => Stage::Open(Open {
                desk,
                is_resolved: handling.resolved_at.is_some(),
            }),
            Status::Closed => Stage::Over(Over {
                // Rows that no engine wrote may lack it.
                reason: incident.close_reason.unwrap_or(CloseReason::Closed),
                desk,
            }),
            Status::Merged => Stage::Part(Part { desk }),
        }
    }

    /// Where it is after a step.
    ///
    /// # Errors
    /// Why the step cannot be taken from here.
    pub fn after(self, step: Step) -> Result<Stage, &'static str> {
        let next = match (self, step) {
            (Stage::Open(open), Step::Acknowledge) => Stage::Open(open.acknowledge()),
            (Stage::Open(open), Step::Dispatch) => Stage::Open(open.dispatch()),
            (Stage::Open(open), Step::Return) => Stage::Open(open.give_back()?),
            (Stage::Open(open), Step::Arrive) => Stage::Open(open.arrive()?),
            (Stage::Open(open), Step::Resolve) => Stage::Open(open.resolve()),
            (Stage::Open(open), Step::Verify) => Stage::Over(open.verify()?),
            (Stage::Open(open), Step::Close) => Stage::Over(open.end(CloseReason::Closed)),
            (Stage::Open(open), Step::FalseAlarm) => Stage::Over(open.end(CloseReason::FalseAlarm)),
            (Stage::Open(open), Step::Quiet) => Stage::Over(open.end_by_itself(CloseReason::Quiet)?),
            (Stage::Open(open), Step::Clear) => Stage::Over(open.end_by_itself(CloseReason::Cleared)?),
            (Stage::Open(open), Step::Stale) => Stage::Over(open.end_by_itself(CloseReason::Stale)?),
            (Stage::Open(open), Step::Hear) => Stage::Open(open),
            (Stage::Open(open), Step::Merge) => Stage::Part(open.merge()),
            (Stage::Open(open), Step::TakeIn) => Stage::Open(open.take_in()),
            (Stage::Open(_), Step::Reopen) => return Err("the incident is open"),
            (Stage::Open(_) | Stage::Over(_), Step::Part) => {
                return Err("the incident is no part of another");
            }
            (Stage::Over(over), Step::Reopen) => Stage::Open(over.reopen()),
            (Stage::Over(over), Step::Hear) => Stage::Open(over.hear()?),
            (Stage::Over(over), Step::Merge) => Stage::Part(over.merge()),
            (Stage::Over(_), _) => return Err("the incident is closed"),
            (Stage::Part(part), Step::Part) => Stage::Open(part.part()),
            (Stage::Part(_), _) => return Err("the incident was merged into another"),
        };
        Ok(next)
    }

    /// Every stage that there is.
    pub fn all() -> Vec<Stage> {
        let desks = [
            Desk::Untouched,
            Desk::Acknowledged,
            Desk::Dispatched,
            Desk::OnSite,
        ];
        let of = |desk: Desk| {
            let open = [false, true].map(|is_resolved| Stage::Open(Open { desk, is_resolved }));
            let over = CloseReason::ALL.iter();
            let over = over.map(move |reason| {
                Stage::Over(Over {
                    reason: *reason,
                    desk,
                })
            });
            open.into_iter().chain(over).chain([Stage::Part(Part { desk })])
        };
        desks.into_iter().flat_map(of).collect()
    }
}

/// The name in the drawing.
impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Open(Open {
                is_resolved: true, ..
            }) => "resolved",
            Stage::Open(open) => match open.desk {
                Desk::Untouched => "open",
                Desk::Acknowledged => "acknowledged",
                Desk::Dispatched => "dispatched",
                Desk::OnSite => "on_site",
            },
            Stage::Over(over) => match over.reason {
                CloseReason::Quiet | CloseReason::Cleared | CloseReason::Stale => "closed_by_itself",
                CloseReason::Resolved | CloseReason::Closed | CloseReason::FalseAlarm => {
                    "closed_by_the_centre"
                }
            },
            Stage::Part(_) => "merged",
        })
    }
}

impl Step {
    /// Every step.
    pub const ALL: [Step; 16] = [
        Step::Acknowledge,
        Step::Dispatch,
        Step::Return,
        Step::Arrive,
        Step::Resolve,
        Step::Verify,
        Step::Close,
        Step::FalseAlarm,
        Step::Reopen,
        Step::Quiet,
        Step::Clear,
        Step::Stale,
        Step::Hear,
        Step::Merge,
        Step::Part,
        Step::TakeIn,
    ];

    /// Its name in the drawing.
    pub const fn as_str(self) -> &'static str {
        match self {
            Step::Acknowledge => "acknowledge",
            Step::Dispatch => "dispatch",
            Step::Return => "return",
            Step::Arrive => "arrive",
            Step::Resolve => "resolve",
            Step::Verify => "verify",
            Step::Close => "close",
            Step::FalseAlarm => "false_alarm",
            Step::Reopen => "reopen",
            Step::Quiet => "quiet",
            Step::Clear => "clear",
            Step::Stale => "stale",
            Step::Hear => "hear",
            Step::Merge => "merge",
            Step::Part => "part",
            Step::TakeIn => "take_in",
        }
    }

    /// The step that a command is; `None` for those that handle nothing.
    pub(crate) fn of(action: Action) -> Option<Step> {
        Some(match action {
            Action::Acknowledge => Step::Acknowledge,
            Action::Dispatch => Step::Dispatch,
            Action::Return => Step::Return,
            Action::Arrive => Step::Arrive,
            Action::Resolve => Step::Resolve,
            Action::Verify => Step::Verify,
            Action::Close => Step::Close,
            Action::FalseAlarm => Step::FalseAlarm,
            Action::Reopen => Step::Reopen,
            _ => return None,
        })
    }
}

/// Takes an incident a step further, with the times that go with it.
pub(crate) fn take(incident: &mut Incident, step: Step, at: EventTime) -> Result<(), Refusal> {
    let before = Stage::of(incident);
    let next = before.after(step)?;
    match next {
        Stage::Open(_) if incident.status != Status::Open => {
            if incident.close_reason == Some(CloseReason::Stale) {
                // It never was open: its time to dispatch and control begins now.
                incident.opened_at = incident.opened_at.max(at);
            }
            incident.status = Status::Open;
            incident.close_reason = None;
            incident.closed_at = None;
            // It is not mended.
            incident.handling.resolved_at = None;
            incident.handling.verified_at = None;
        }
        Stage::Open(_) => {}
        Stage::Over(over) => {
            incident.status = Status::Closed;
            incident.close_reason = Some(over.reason);
            incident.closed_at = Some(at.max(incident.last_heard_at));
            incident.lower_since = None;
        }
        Stage::Part(_) => {
            incident.status = Status::Merged;
            incident.close_reason = None;
            incident.closed_at = Some(at.max(incident.last_heard_at));
            incident.lower_since = None;
        }
    }
    let handling = &mut incident.handling;
    match step {
        Step::Acknowledge => handling.acknowledged_at = handling.acknowledged_at.or(Some(at)),
        Step::Dispatch => {
            handling.reworked_count += u32::from(handling.resolved_at.is_some());
            handling.dispatched_at = Some(at);
            handling.arrived_at = None;
            handling.resolved_at = None;
        }
        Step::Return => {
            handling.returned_count += 1;
            match handling.resolved_at {
                Some(_) => handling.reworked_count += 1,
                None => handling.rejected_count += 1,
            }
            handling.acknowledged_at = handling.acknowledged_at.or(Some(at));
            handling.dispatched_at = None;
            handling.arrived_at = None;
            handling.resolved_at = None;
        }
        Step::Arrive => handling.arrived_at = Some(at),
        // Said again it is no later.
        Step::Resolve => handling.resolved_at = handling.resolved_at.or(Some(at)),
        Step::Verify => handling.verified_at = Some(at),
        Step::TakeIn => handling.resolved_at = None,
        _ => {}
    }
    debug_assert_eq!(
        Stage::of(incident),
        next,
        "what is written is what was stepped to"
    );
    Ok(())
}
