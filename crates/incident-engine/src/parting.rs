//! Events that the centre takes out of an incident: which may part, what is left, and what is told of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use city_model::{Command, Incident, IncidentId, Name, Outcome, Turn, Why};

use crate::draft::Draft;
use crate::engine::Engine;
use crate::rebuilt::{from_base, stand_as, take};
use crate::weighing::radius_mm;
use crate::{EventRow, Evidence, Held, Setting};

/// What is said of an event that the centre put elsewhere.
pub(crate) const MOVED: &str = "moved by the centre";

/// An event that parts.
pub(crate) struct Parted {
    held: Arc<Held>,
    turn: Turn,
    /// What it says that it belongs to: the incident, or what was merged into it.
    home: IncidentId,
    /// It only goes on with what its device reported.
    continues: bool,
}

impl Parted {
    /// A report of its own.
    pub(crate) fn of(held: Arc<Held>, turn: Turn, home: IncidentId) -> Parted {
        Parted {
            held,
            turn,
            home,
            continues: false,
        }
    }

    /// What it said.
    pub(crate) fn held(&self) -> &Held {
        &self.held
    }

    /// What it is where it stands for its own place.
    pub(crate) fn as_own(&self) -> Held {
        self.held.decided_by(&Evidence::bare(Why::Operator, 0))
    }
}

impl Engine {
    /// The events that a command names, with what they said, in the order of their turns.
    pub(crate) fn parting(&self, incident: &Incident, command: &Command) -> Result<Vec<Parted>, String> {
        if command.event_ids.is_empty() {
            return Err(format!("a {} needs events", command.action));
        }
        let named: BTreeSet<&Name> = command.event_ids.iter().collect();
        let mut parting = Vec::new();
        for name in named {
            let key = name
                .split_once('/')
                .map(|(system, id)| city_model::EventKey::new(system, id));
            let Some(seen) = key.as_ref().and_then(|key| self.seen(key)) else {
                return Err(format!("no such event: {name}"));
            };
            let belongs = seen.incident().and_then(|of| self.survivor_of(of));
            let (Some(home), true) = (
                seen.incident_id(),
                belongs.is_some_and(|other| other.id == incident.id),
            ) else {
                return Err(format!("event {name} does not belong to the incident"));
            };
            let turn = incident.tail.iter().find(|turn| Some(&turn.key) == key.as_ref());
            let (Some(held), Some(turn)) = (seen.held(), turn) else {
                return Err(format!(
                    "event {name} is settled: what it said is no longer kept; report it anew"
                ));
            };
            parting.push(Parted {
                held: held.clone(),
                turn: turn.clone(),
                home: home.clone(),
                continues: seen.outcome() == Outcome::Continued,
            });
        }
        let along = self.continued(incident, &parting);
        parting.extend(along);
        parting.sort_by(|a, b| a.turn.cmp(&b.turn));
        self.refuse_continued(&parting)?;
        Ok(parting)
    }

    /// The readings by which devices only go on with reports that part: without them they would stand for the device in two incidents.
    fn continued(&self, incident: &Incident, parting: &[Parted]) -> Vec<Parted> {
        let parts = |turn: &Turn| parting.iter().any(|parted| parted.turn == *turn);
        // By device, whether the report parts that its next readings go on with.
        let mut goes: BTreeMap<&Name, bool> = BTreeMap::new();
        let mut along = Vec::new();
        for turn in incident.tail.iter() {
            let Some((seen, held)) = self.seen(&turn.key).and_then(|seen| Some((seen, seen.held()?))) else {
                continue;
            };
            let Some(device) = parting_device(parting, held) else {
                continue;
            };
            if seen.outcome() != Outcome::Continued {
                goes.insert(device, parts(turn));
            } else if goes.get(device) == Some(&true) && !parts(turn) {
                let home = seen.incident_id().unwrap_or(&incident.id).clone();
                along.push(Parted {
                    continues: true,
                    ..Parted::of(held.clone(), turn.clone(), home)
                });
            }
        }
        along
    }

    /// A reading by which a device only goes on is no report of its own: it parts with the one that it continues, or not at all.
    fn refuse_continued(&self, parting: &[Parted]) -> Result<(), String> {
        let counts = |device: &Option<Name>| {
            let mut others = parting.iter().filter(|other| !other.continues);
            others.any(|other| other.held.event.device == *device)
        };
        match parting
            .iter()
            .find(|parted| parted.continues && !counts(&parted.held.event.device))
        {
            None => Ok(()),
            Some(Parted { turn, .. }) => Err(format!(
                "event {} only goes on with what its device reported before: name the report that it continues, too",
                turn.key
            )),
        }
    }

    /// An incident without some of its events; `None` where nothing is left.
    pub(crate) fn without(
        &self,
        setting: &Setting,
        incident: &Incident,
        parting: &[Parted],
    ) -> Option<Incident> {
        let parts = |turn: &&Turn| parting.iter().any(|parted| parted.turn == **turn);
        let mut remaining = from_base(incident);
        for turn in incident.tail.iter().filter(|turn| !parts(turn)) {
            if let Some(held) = self.held_in(incident, &turn.key) {
                take(setting, &mut remaining, &held);
            }
        }
        let mut remaining = remaining?;
        if remaining.tail.is_empty() {
            remaining.base = None;
        }
        stand_as(&mut remaining, incident);
        let known = |device: &Name| incident.devices.get(device).copied();
        remaining
            .devices
            .rewrite(|device, watcher| known(device).unwrap_or(*watcher));
        remaining.cleared_at = incident.cleared_at.filter(|_| remaining.is_cleared());
        Some(remaining)
    }

    /// What the centre leaves of an incident.
    pub(crate) fn remaining(
        &self,
        setting: &Setting,
        incident: &Incident,
        parting: &[Parted],
    ) -> Result<Incident, String> {
        let remaining = self.without(setting, incident, parting);
        remaining.ok_or_else(|| "nothing would be left of the incident".to_owned())
    }

    /// Enters what is left of an incident, and of what was merged into it, after events parted to another.
    pub(crate) fn put_remaining(
        &self,
        draft: &mut Draft<'_>,
        incident: &Arc<Incident>,
        command: &Command,
        (remaining, parting, to): (Incident, &[Parted], &IncidentId),
    ) {
        let setting = draft.setting();
        let mut last = self.to_take_back(setting, incident, command);
        last.other = Some(to.clone());
        last.events = parting.iter().map(|parted| parted.turn.key.clone()).collect();
        last.homes = parting.iter().map(|parted| parted.home.clone()).collect();
        draft.edit(&incident.id, |_, edited| {
            *edited = remaining;
            edited.related.insert(to.clone());
            if edited.pinned.is_none() {
                edited.lower_since = Some(crate::priority::UNPINNED);
            }
            edited.last_command = Some(Arc::new(last));
            edited.commanded = true;
            edited.silences = None;
        });
        let homes: BTreeSet<&IncidentId> = parting.iter().map(|parted| &parted.home).collect();
        for home in homes.into_iter().filter_map(|home| self.incidents.get(home)) {
            if home.id == incident.id {
                continue;
            }
            // It stands for the place of those that stay; where none stays the place is theirs who left.
            let mut last = self.to_take_back(setting, home, command);
            last.other = Some(to.clone());
            let left = self.without(setting, home, parting);
            draft.edit(&home.id, |_, edited| {
                match left {
                    Some(left) => *edited = left,
                    None => edited.merged_into = Some(to.clone()),
                }
                edited.last_command = Some(Arc::new(last));
            });
        }
    }

    /// What an event says in the incident that the centre moves it to. From beyond that one's reach it says nothing about where
    /// the incident lies.
    pub(crate) fn as_moved(&self, setting: &Setting, to: &Incident, parted: &Parted) -> Held {
        let event = &parted.held.event;
        let apart = event.located.as_ref().zip(to.fused.point()).map(|(located, at)| {
            let (_, rule) = setting.kind_of(to)?;
            let distance = setting.plane.project(located.position).distance_mm(at);
            Some((distance, radius_mm(setting, rule, to, located.u_mm)))
        });
        let (distance_mm, radius_mm) = apart.flatten().unzip();
        parted.held.decided_by(&Evidence {
            distance_mm,
            radius_mm,
            elsewhere: distance_mm > radius_mm,
            ..Evidence::bare(Why::Operator, 0)
        })
    }

    /// Tells of events that the centre put elsewhere.
    pub(crate) fn tell_parted(
        &self,
        draft: &mut Draft<'_>,
        parted: &[Arc<Held>],
        id: &IncidentId,
        opens: bool,
    ) {
        for (number, held) in parted.iter().enumerate() {
            let event = &held.event;
            let outcome = match self.seen(&event.key) {
                Some(seen) if !opens && seen.outcome() == Outcome::Opened => Outcome::Joined,
                Some(seen) if !opens || number > 0 => seen.outcome(),
                _ if opens => Outcome::Opened,
                _ => Outcome::Joined,
            };
            let row = EventRow::of_member(draft.setting(), held, outcome, id);
            self.retell(draft, row, MOVED, &held.evidence());
        }
    }
}

/// The device of an event, if a report of that device parts.
fn parting_device<'a>(parting: &'a [Parted], held: &Held) -> Option<&'a Name> {
    let mut devices = parting
        .iter()
        .filter_map(|parted| parted.held.event.device.as_ref());
    devices.find(|device| held.event.device.as_ref() == Some(*device))
}
