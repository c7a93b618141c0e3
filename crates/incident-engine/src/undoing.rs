//! What an incident would be without the centre's commands, and taking them back, the newest first.

use std::sync::Arc;

use city_model::{
    Action, Band, Command, EventKey, EventTime, Incident, IncidentId, LastCommand, SmallMap, SmallSet,
    Status, Why,
};

use crate::centre::{become_part, freeze};
use crate::combining::combine;
use crate::draft::Draft;
use crate::engine::Engine;
use crate::joining::enter;
use crate::life::{self, Step};
use crate::limits;
use crate::parting::MOVED;
use crate::rebuilt::{continues, live_as, told_as};
use crate::{EventRow, Evidence, Held, Setting};

/// So many commands of an incident can be taken back one after the other: what it would be without each is kept in its row.
const DEEPEST: usize = 8;
/// Of a crowd's events so many, the latest, can still be parted after a command is taken back.
const LATEST: usize = 200;

/// What an incident was before a command about its handling.
pub(crate) fn handled(incident: &Incident, command: &Command) -> LastCommand {
    let hollow = Incident {
        members: Vec::new(),
        cells: Arc::default(),
        responsible: None,
        also_affects: SmallSet::default(),
        also_at: SmallSet::default(),
        devices: SmallMap::default(),
        components: SmallSet::default(),
        inferred_components: SmallSet::default(),
        reporters: SmallSet::default(),
        reporters_before: SmallSet::default(),
        callers: SmallSet::default(),
        unnamed: SmallSet::default(),
        witnesses: SmallMap::default(),
        peaks: SmallMap::default(),
        facilities: SmallSet::default(),
        hints: SmallSet::default(),
        algorithms: SmallSet::default(),
        related: SmallSet::default(),
        ..incident.as_base()
    };
    LastCommand {
        of_handling: true,
        ..said(incident, command, hollow)
    }
}

fn said(incident: &Incident, command: &Command, without: Incident) -> LastCommand {
    LastCommand {
        command_id: command.command_id.clone(),
        operator: Some(command.operator.clone()),
        action: command.action,
        other: command.other_incident_id.clone(),
        events: Vec::new(),
        homes: Vec::new(),
        without: Incident {
            last_command: shallow(incident.last_command.as_ref(), DEEPEST - 1),
            ..without
        },
        of_handling: false,
    }
}

/// A chain of commands without those that lie deeper.
fn shallow(last: Option<&Arc<LastCommand>>, deepest: usize) -> Option<Arc<LastCommand>> {
    let last = last.filter(|_| deepest > 0)?;
    let before = last.without.last_command.as_ref();
    let kept = shallow(before, deepest - 1);
    if before.map(Arc::as_ptr) == kept.as_ref().map(Arc::as_ptr) {
        return Some(last.clone());
    }
    let mut cut = (**last).clone();
    cut.without.last_command = kept;
    Some(Arc::new(cut))
}

/// Enters an event into what an incident would be without its commands.
pub(crate) fn hear(setting: &Setting, last: &mut Arc<LastCommand>, held: &Held, settled_before: EventTime) {
    let mut chain = std::iter::successors(Some(&**last), |last| last.without.last_command.as_deref());
    if chain.all(|last| last.of_handling) {
        return; // nothing of what was told is kept there
    }
    let last = Arc::make_mut(last);
    let without = &mut last.without;
    if last.of_handling {
        if let Some(before) = &mut without.last_command {
            hear(setting, before, held, settled_before);
        }
        return;
    }
    if without.tail.len() >= 2 * LATEST {
        without.tail.clear();
        without.base = None;
    }
    let counts = !continues(without, held);
    enter(setting, without, held, counts, settled_before);
}

impl Engine {
    /// What an incident was before a command about what belongs to it.
    pub(crate) fn to_take_back(
        &self,
        setting: &Setting,
        incident: &Incident,
        command: &Command,
    ) -> LastCommand {
        let first = incident
            .tail
            .len()
            .checked_sub(LATEST)
            .and_then(|at| incident.tail.get(at));
        let shorter = first.and_then(|first| self.settled_alone(setting, incident, first.order));
        said(incident, command, shorter.unwrap_or_else(|| incident.clone()))
    }

    /// Takes the last command back. What was heard since stays, but for what was heard at the place of what was merged.
    pub(crate) fn undo(&self, draft: &mut Draft<'_>, incident: &Arc<Incident>) -> Result<(), String> {
        let Some(last) = incident.last_command.clone() else {
            return Err("there is no command to take back".to_owned());
        };
        let other = match &last.other {
            None => None,
            Some(id) => Some(self.with_same(id, &last).ok_or_else(|| {
                let because = match self.incidents.get(id) {
                    Some(_) => "the other incident had a command since: take that one back first",
                    None => "the other incident is over for so long that it is forgotten",
                };
                because.to_owned()
            })?),
        };
        if let (Action::Split | Action::Move, true, Some(from)) = (last.action, last.events.is_empty(), other)
        {
            return self.undo(draft, from); // said of the incident that the events came to
        }
        if incident.status == Status::Merged {
            return Err("the incident was merged into another: take the merge back there".to_owned());
        }
        match (last.action, other) {
            (Action::Split, Some(own)) => self.put_back(draft, incident, own, &last),
            (_, other) => {
                self.take_back(draft, incident, &last);
                if let Some(other) = other
                    && let Some(theirs) = &other.last_command
                {
                    self.take_back(draft, other, theirs);
                    if last.action == Action::Merge {
                        self.go_along(draft, &incident.id, &other.id);
                    }
                }
            }
        }
        for home in self.homes_of(incident, &last) {
            if let Some(theirs) = &home.last_command {
                self.take_back(draft, home, theirs);
            }
        }
        self.send_home(draft, incident, &last);
        if let (Action::Split, Some(own)) = (last.action, other) {
            self.tell_home(draft, self.home_of(incident, &last), own, &last);
        }
        Ok(())
    }

    /// An incident whose last command is the same one: an id is one operator's own.
    fn with_same(&self, id: &IncidentId, last: &LastCommand) -> Option<&Arc<Incident>> {
        self.incidents.get(id).filter(|other| {
            let theirs = other.last_command.as_ref();
            theirs.is_some_and(|theirs| {
                (&theirs.command_id, &theirs.operator) == (&last.command_id, &last.operator)
            })
        })
    }

    /// What had been merged into an incident, and had events parted from it by a command.
    fn homes_of(&self, incident: &Incident, last: &LastCommand) -> Vec<&Arc<Incident>> {
        let mut homes: Vec<&IncidentId> = last.homes.iter().filter(|home| **home != incident.id).collect();
        homes.sort_unstable();
        homes.dedup();
        homes
            .into_iter()
            .filter_map(|home| self.with_same(home, last))
            .collect()
    }

    /// Where all that was split off came from: the incident, or the one that was merged into it.
    fn home_of<'a>(&self, incident: &'a Incident, last: &'a LastCommand) -> &'a IncidentId {
        match last.homes.split_first() {
            Some((home, others)) if others.iter().all(|other| other == home) => home,
            _ => &incident.id,
        }
    }

    /// What the part heard belongs where it came from, also without the commands before.
    fn tell_home(&self, draft: &mut Draft<'_>, home: &IncidentId, own: &Incident, last: &LastCommand) {
        let settled_before = self.settled_before();
        let is_parted = |key: &EventKey| last.events.contains(key);
        let heard = own.tail.iter().filter(|turn| !is_parted(&turn.key));
        let heard: Vec<&Arc<Held>> = heard.filter_map(|turn| self.held(&turn.key)).collect();
        draft.edit(home, |setting, edited| {
            if let Some(before) = &mut edited.last_command {
                heard
                    .iter()
                    .for_each(|held| hear(setting, before, held, settled_before));
            }
        });
    }

    /// What was split off goes back, with all that it heard.
    fn put_back(&self, draft: &mut Draft<'_>, incident: &Incident, own: &Arc<Incident>, last: &LastCommand) {
        let before = last.without.last_command.clone();
        let (now, survivor) = (draft.now, self.home_of(incident, last).clone());
        draft.edit(&incident.id, |_, edited| {
            freeze(edited);
            combine(edited, own);
            if own.status == Status::Open && edited.status == Status::Closed {
                // What somebody should care about goes back into what was thought to be over.
                reopen(edited, now);
            }
            edited.last_command = before;
        });
        draft.edit(&own.id, |_, edited| {
            become_part(edited, survivor, now);
            edited.last_command = None;
        });
    }

    fn take_back(&self, draft: &mut Draft<'_>, incident: &Arc<Incident>, last: &LastCommand) {
        let without = &last.without;
        let is_kept = without.tail.iter().all(|turn| self.is_held(&turn.key));
        let now = draft.now;
        let stays_open = stays_open(incident, last);
        if !stays_open {
            let (said, says) = (incident.care().was_false, without.care().was_false);
            self.learn(draft, incident, said, says);
        }
        if last.of_handling && incident.status == Status::Closed && without.status == Status::Open {
            draft.resumed.push(incident.id.clone());
        }
        draft.edit(&incident.id, |setting, edited| {
            let pinned = edited.pinned;
            if stays_open {
                edited.last_command = without.last_command.clone();
            } else if last.of_handling {
                handle_as(setting, edited, last);
                limit_as(setting, edited, last, now);
            } else {
                let mut back = without.clone();
                told_as(&mut back, edited);
                // Whether a cause stands is the city's, and no command's.
                back.inhibited_by = edited.inhibited_by.clone();
                if back.status == Status::Closed && edited.status == Status::Open {
                    stay_open(&mut back, edited); // it was heard of since
                } else if back.status == Status::Open && edited.status == Status::Open {
                    rank_as(setting, &mut back, without.band);
                }
                if !is_kept {
                    back.tail.clear();
                    back.base = None;
                }
                *edited = back;
            }
            limits::keep(setting, edited, now);
            if !last.of_handling || edited.pinned != pinned {
                edited.lower_since = edited.pinned.is_none().then_some(crate::priority::UNPINNED);
            }
            // What the centre had in hand could not go quiet: it has its time to be heard of, too.
            let is_let_go = incident.handling.has_begun() && !edited.handling.has_begun();
            if edited.status == Status::Open && incident.status != Status::Open {
                open_again(edited, now);
            } else if edited.status == Status::Open && is_let_go {
                look_again(edited, now);
            }
            edited.commanded = true;
            edited.silences = None;
        });
    }

    /// The events of a command belong where they belonged before it.
    fn send_home(&self, draft: &mut Draft<'_>, incident: &Incident, last: &LastCommand) {
        for (number, key) in last.events.iter().enumerate() {
            let home = last.homes.get(number).unwrap_or(&incident.id);
            let bare = Evidence::bare(Why::Operator, 0);
            if let Some(held) = self.held(key) {
                self.tell_parted(draft, &[Arc::new(held.decided_by(&bare))], home, false);
            } else if let Some(seen) = self.seen(key) {
                // What it said is settled; where it belongs is not.
                let incident = Some(home.clone());
                let row = EventRow {
                    incident,
                    ..seen.to_row()
                };
                self.retell(draft, row, MOVED, &bare);
            }
        }
    }
}

/// Gives an incident the handling that it had before a command. What its devices said since stays, and so does what followed from
/// the clock and from its band: that is no command's.
fn handle_as(setting: &Setting, incident: &mut Incident, last: &LastCommand) {
    let was = &last.without;
    let (status, since, time_points) = (incident.status, incident.care(), incident.time_points);
    live_as(incident, was);
    incident.take_care(|care| care.clear_told = care.clear_told.max(since.clear_told));
    let sets_limits = matches!(
        last.action,
        Action::Extend | Action::PinPriority | Action::UnpinPriority
    );
    let was_open_all_the_while = status == Status::Open && incident.status == Status::Open;
    if was_open_all_the_while && !sets_limits {
        incident.take_care(|care| {
            care.limits_from = since.limits_from;
            care.begun_at = since.begun_at;
        });
        if limits::run(setting, incident) {
            incident.time_points = time_points;
            incident.take_care(|care| care.overdue = since.overdue);
        }
    }
    incident.pinned = was.pinned;
    incident.last_command = was.last_command.clone();
}

/// Whether an incident stays open when its last command is taken back: what the centre opened again would be closed over the head
/// of somebody who told of it since.
pub(crate) fn stays_open(incident: &Incident, last: &LastCommand) -> bool {
    let without = &last.without;
    let is_opened = last.of_handling && incident.status == Status::Open && without.status == Status::Closed;
    let since = without
        .last_event_at
        .max(without.closed_at.unwrap_or(EventTime::MIN));
    is_opened && incident.last_event_at > since
}

/// What came to another band since a command has the limits of that one from its moment on, also without the command.
fn rank_as(setting: &Setting, incident: &mut Incident, was: Band) {
    let changed_at = incident.previous.as_ref().map(|previous| previous.changed_at);
    if let Some(at) = changed_at.filter(|_| incident.band != was) {
        limits::set(setting, incident, Some((Status::Open, was)), at);
    }
}

/// Gives an incident the limits back that a command had set.
fn limit_as(setting: &Setting, incident: &mut Incident, last: &LastCommand, now: EventTime) {
    let was = &last.without;
    match last.action {
        Action::Extend => incident.control_by = was.control_by,
        Action::Return => incident.dispatch_by = was.dispatch_by,
        Action::PinPriority | Action::UnpinPriority | Action::Reopen => {
            (incident.dispatch_by, incident.control_by) = (was.dispatch_by, was.control_by);
            return;
        }
        _ => return,
    }
    if incident.status == Status::Open && incident.band != was.band {
        // It rose or fell meanwhile.
        limits::set(setting, incident, Some((Status::Open, was.band)), now);
    }
}

/// Leaves an incident as open as it is.
fn stay_open(incident: &mut Incident, now: &Incident) {
    live_as(incident, now);
    incident.last_heard_at = incident.last_heard_at.max(now.last_heard_at);
    (incident.dispatch_by, incident.control_by) = (now.dispatch_by, now.control_by);
}

fn reopen(incident: &mut Incident, now: EventTime) {
    let _ = life::take(incident, Step::Reopen, now); // what is open needs it not
    open_again(incident, now);
}

/// The centre says that an incident is open, and knows whether its devices were clear: it does not end by that.
pub(crate) fn open_again(incident: &mut Incident, now: EventTime) {
    incident.cleared_at = None;
    look_again(incident, now);
}

/// It has its kind's whole time to be heard of again.
fn look_again(incident: &mut Incident, now: EventTime) {
    incident.last_heard_at = incident.last_heard_at.max(now);
    incident.take_care(|care| care.reopened_at = Some(now));
}
