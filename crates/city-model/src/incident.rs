//! An incident as the engine keeps it: what was told about it, as sums, maxima and sets, so that order does not show.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::outcome::{UnknownName, closed_set};
use crate::{
    Action, CellRef, Channel, EventKey, EventTime, Facility, Flag, Group, Hint, IncidentId, Kind, Name,
    Point, Quality, Responsible, SmallMap, SmallSet, Source,
};

closed_set! {
    /// The state of an incident.
    Status {
        /// Somebody should care.
        Open = "OPEN",
        /// Over.
        Closed = "CLOSED",
        /// Part of another incident.
        Merged = "MERGED",
    }
}

closed_set! {
    /// Why an incident was closed.
    CloseReason {
        /// Nothing more was heard within the kind's gap.
        Quiet = "quiet",
        /// Every device that alarmed has cleared.
        Cleared = "cleared",
        /// The centre says that it is mended and verified.
        Resolved = "resolved",
        /// The centre closed it.
        Closed = "closed",
        /// The centre says that it was none.
        FalseAlarm = "false_alarm",
        /// It was older than its kind's longest life when it was first heard of.
        Stale = "stale",
    }
}

closed_set! {
    /// How urgent: P1 特急, P2 紧急, P3 一般, P4 低.
    Band {
        /// Act now.
        P1 = "P1",
        /// Same day.
        P2 = "P2",
        /// Normal order.
        P3 = "P3",
        /// Batch.
        P4 = "P4",
    }
}

closed_set! {
    /// How dangerous: A immediate danger to life … D appearance and order.
    Grade {
        /// Immediate danger to life.
        A = "A",
        /// Probable injury or large damage.
        B = "B",
        /// Loss of service, obstruction.
        C = "C",
        /// Appearance and order.
        D = "D",
    }
}

closed_set! {
    /// The evidence by which an event belongs to its incident, strongest first.
    Why {
        /// It opened the incident.
        Founded = "founded",
        /// Its ticket cites one of the incident's.
        CitedTicket = "cited_ticket",
        /// It names the same component.
        SameComponent = "same_component",
        /// It comes from the same device or camera.
        SameDevice = "same_device",
        /// Same kind, near in space and time.
        Near = "near",
        /// Without a place: same kind, town and address.
        SameAddress = "same_address",
        /// Without a place: the same lane or estate, of which one of the two names no house, or each another one.
        SameLane = "same_lane",
        /// Without a place: one road is all that both name.
        SameRoad = "same_road",
        /// The centre put it there.
        Operator = "operator",
    }
}

/// An event's turn in the order of decisions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Turn {
    /// Its place in time.
    pub order: EventTime,
    /// The rank of its stream.
    pub rank: Source,
    /// Its identity.
    pub key: EventKey,
}

/// The fused position: the mean of the located members weighted by 1/u², in integer sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fused {
    /// The sum of weights; a member of one-sigma uncertainty u counts 10^12 / u² (u in mm, at least 2 m).
    pub w: i64,
    /// The weighted sum of x, in mm on the local plane.
    pub wx: i64,
    /// The weighted sum of y.
    pub wy: i64,
}

impl Fused {
    const UNIT: i64 = 1_000_000_000_000;
    /// No witness counts for more than one that is right to 2 m: the sums of a city's longest incident stay far
    /// inside 64 bits, and no single survey point outvotes a street of callers.
    const LEAST_U_MM: i64 = 2_000;
    const MOST_U_MM: i64 = 1_000_000;

    /// Adds a point that is sure to one sigma `u_mm`.
    pub fn add(&mut self, point: Point, u_mm: i64) {
        let u = u_mm.clamp(Self::LEAST_U_MM, Self::MOST_U_MM);
        let w = Self::UNIT / (u * u);
        self.w = self.w.saturating_add(w);
        self.wx = self.wx.saturating_add(w.saturating_mul(point.x));
        self.wy = self.wy.saturating_add(w.saturating_mul(point.y));
    }

    /// The mean, if there is one.
    pub fn point(&self) -> Option<Point> {
        (self.w > 0).then(|| Point {
            x: self.wx.div_euclid(self.w),
            y: self.wy.div_euclid(self.w),
        })
    }

    /// The variance of the mean, in mm².
    pub fn variance_mm2(&self) -> i64 {
        if self.w > 0 { Self::UNIT / self.w } else { 0 }
    }
}

/// The box around the located members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// South-west corner.
    pub min: Point,
    /// North-east corner.
    pub max: Point,
}

impl Extent {
    /// The box around one point.
    pub fn of(point: Point) -> Extent {
        Extent {
            min: point,
            max: point,
        }
    }

    /// The box that goes so far from a point both ways.
    pub fn about(Point { x, y }: Point, reach_mm: i64) -> Extent {
        let corner = |by: i64| Point {
            x: x.saturating_add(by),
            y: y.saturating_add(by),
        };
        Extent {
            min: corner(-reach_mm),
            max: corner(reach_mm),
        }
    }

    /// The box with another point in it.
    pub fn with(self, point: Point) -> Extent {
        Extent {
            min: Point {
                x: self.min.x.min(point.x),
                y: self.min.y.min(point.y),
            },
            max: Point {
                x: self.max.x.max(point.x),
                y: self.max.y.max(point.y),
            },
        }
    }

    /// Whether a point lies so near to the box that something in it may be that near, along each axis.
    pub fn is_within(&self, point: Point, reach_mm: i64) -> bool {
        let near = |at: i64, min: i64, max: i64| at >= min - reach_mm && at <= max + reach_mm;
        near(point.x, self.min.x, self.max.x) && near(point.y, self.min.y, self.max.y)
    }

    /// How far from a point its sides lie along an axis, at most.
    pub fn farthest_mm(&self, point: Point) -> i64 {
        let along = |at: i64, min: i64, max: i64| at.abs_diff(min).max(at.abs_diff(max));
        let most = along(point.x, self.min.x, self.max.x).max(along(point.y, self.min.y, self.max.y));
        i64::try_from(most).unwrap_or(i64::MAX)
    }

    /// The box around both.
    pub fn around(self, other: Extent) -> Extent {
        self.with(other.min).with(other.max)
    }

    /// Its diagonal in millimetres.
    pub fn diagonal_mm(&self) -> i64 {
        self.min.distance_mm(self.max)
    }
}

/// A member as the incident shows it, with what was compared when it joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "crate::told::ToldMember")]
pub struct Member {
    /// Its identity.
    #[serde(flatten)]
    pub key: EventKey,
    /// The kind of witness.
    pub channel: Channel,
    /// When it happened.
    pub event_time: EventTime,
    /// The distance to the fused position at that moment, if both had a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_mm: Option<i64>,
    /// The effective radius that the distance was held against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub radius_mm: Option<i64>,
    /// The gap in event time to the incident's span; zero inside it.
    pub gap_ms: i64,
    /// The evidence.
    pub why: Why,
}

/// A device or camera that watches an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watcher {
    /// It measures, so its word outweighs a camera's.
    pub measures: bool,
    /// It has not cleared since it last alarmed.
    pub alarming: bool,
}

/// What was done about an incident, as far as the centre told us.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Handling {
    /// Somebody looked at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<EventTime>,
    /// It was sent out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispatched_at: Option<EventTime>,
    /// Somebody is on site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrived_at: Option<EventTime>,
    /// It was mended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<EventTime>,
    /// The mending was verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<EventTime>,
    /// How often the unit returned it.
    pub returned_count: u32,
    /// How often it was sent back or out once more although it was said to be mended (返工). Rows of before say none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reworked_count: u32,
    /// How often the unit returned it before it was said to be mended (退单); the rest of those that it returned was rework.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rejected_count: u32,
}

const fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Handling {
    /// Whether the centre has begun to handle it: then its feedback is there to be timed.
    pub fn has_begun(&self) -> bool {
        self.acknowledged_at.is_some() || self.dispatched_at.is_some()
    }
}

closed_set! {
    /// The limit of an incident that is over.
    Overdue {
        /// Acknowledged, and not sent out in time.
        Dispatch = "dispatch",
        /// Not under control in time.
        Control = "control",
    }
}

/// What only an incident has whose limits were moved, passed, or about which the centre said what it was.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Care {
    /// Since when the limits run, where that is not since it was opened: since it became more urgent, or was opened again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits_from: Option<EventTime>,
    /// Since when it is open, where it was closed between: the limits of a band to which it falls run from then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub begun_at: Option<EventTime>,
    /// When the centre opened it again: what comes is held against it as if something had been told then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reopened_at: Option<EventTime>,
    /// The time to control that the centre set: no change of the band moves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_to: Option<EventTime>,
    /// The limit that is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overdue: Option<Overdue>,
    /// The latest time for which one of its devices told that it is over; when that was heard, `cleared_at` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clear_told: Option<EventTime>,
    /// What the centre's word made of those who told of it, as it was counted: whether it was a false alarm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was_false: Option<bool>,
}

/// A band that held until it changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BandFact {
    /// The band before.
    pub band: Band,
    /// When it changed, on the engine's clock.
    pub changed_at: EventTime,
    /// What changed it: an override's id or a part's letter.
    pub because: Name,
}

/// So many callers of a channel are told apart. There are as many channels, so one of them is always nobody else's.
const CALLERS_KEPT: usize = 12;

/// Gives a channel a caller of its own, whom another may have to give up for one of its others.
fn give<I: Iterator<Item = u64>>(
    channel: Channel,
    callers_of: &impl Fn(Channel) -> I,
    given: &mut BTreeMap<u64, Channel>,
    asked: &mut BTreeSet<u64>,
) -> bool {
    for caller in callers_of(channel) {
        if !asked.insert(caller) {
            continue;
        }
        let holder = given.get(&caller).copied();
        if holder.is_none_or(|holder| give(holder, callers_of, given, asked)) {
            given.insert(caller, channel);
            return true;
        }
    }
    false
}

impl Incident {
    /// Enters who told by a channel.
    pub fn hear_by(&mut self, channel: Channel, caller: Option<u64>) {
        match caller {
            Some(caller) => self.callers.insert((channel, caller)),
            None => self.unnamed.insert(channel),
        };
        self.forget_callers(channel);
    }

    /// Enters who told of another incident that becomes part of this one.
    pub fn hear_all_of(&mut self, other: &Incident) {
        self.unnamed.extend(other.unnamed.iter().copied());
        self.callers.extend(other.callers.iter().copied());
        for channel in Channel::ALL {
            self.forget_callers(*channel);
        }
    }

    /// The least stay, so that order does not show.
    fn forget_callers(&mut self, channel: Channel) {
        let of_channel = self.callers.iter().filter(|(by, _)| *by == channel);
        if let Some(surplus) = of_channel.skip(CALLERS_KEPT).min().copied() {
            self.callers
                .retain(|caller| caller.0 != channel || *caller < surplus);
        }
    }

    /// How many kinds of witness there are that no one person can be: those by which somebody unnamed told, and of the others
    /// as many as can each be given a caller of its own. An unknown channel confirms nothing: it may be a known one misspelt.
    pub fn independent_witnesses(&self) -> usize {
        let known = self.witnesses.keys().copied();
        let known: Vec<Channel> = known.filter(|channel| *channel != Channel::Other).collect();
        let callers_of = |channel: Channel| {
            let callers = self.callers.iter().filter(move |(by, _)| *by == channel);
            callers.map(|(_, caller)| *caller)
        };
        // What older rows do not say is taken as unnamed.
        let is_called =
            |channel: Channel| !self.unnamed.contains(&channel) && callers_of(channel).next().is_some();
        let called: Vec<Channel> = known
            .iter()
            .copied()
            .filter(|channel| is_called(*channel))
            .collect();
        let mut given: BTreeMap<u64, Channel> = BTreeMap::new();
        let matched = called
            .iter()
            .filter(|channel| give(**channel, &callers_of, &mut given, &mut BTreeSet::new()))
            .count();
        known.len() - called.len() + matched
    }

    /// Whether readers are told nothing of it: silences announced all that it consists of.
    pub fn is_held_back(&self) -> bool {
        self.silences.is_some()
    }

    /// Whether a sensor said that it is there, and not yet that it is over.
    pub fn is_alarming(&self) -> bool {
        self.devices
            .values()
            .any(|watcher| watcher.measures && watcher.alarming)
    }

    /// Whether those who watch it say that it is over: every sensor, or every camera where no sensor watches.
    pub fn is_cleared(&self) -> bool {
        let measured = self.devices.values().any(|watcher| watcher.measures);
        let mut heeded = self
            .devices
            .values()
            .filter(|watcher| watcher.measures || !measured)
            .peekable();
        heeded.peek().is_some() && heeded.all(|watcher| !watcher.alarming)
    }
}

/// An incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Its id.
    pub id: IncidentId,
    /// The kinds that can meet in it.
    pub group: Group,
    /// What it is.
    pub kind: Kind,
    /// The turn of its first event.
    pub founding: Turn,
    /// The event that its id is made of, where that is no longer the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named_after: Option<EventKey>,
    /// Open, closed or merged.
    pub status: Status,
    /// Why it was closed.
    pub close_reason: Option<CloseReason>,
    /// The survivor, when merged.
    pub merged_into: Option<IncidentId>,
    /// The last revision that readers were given.
    pub revision: u64,
    /// Changed since that revision.
    pub dirty: bool,
    /// When that revision was made, on the log's clock.
    pub revised_at: EventTime,
    /// The tick that had been flushed last when it was made: an incident has one revision until the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revised_in: Option<EventTime>,
    /// The band topic that shows it now.
    pub shown_in: Option<Band>,
    /// When it was opened, on the log's clock.
    pub opened_at: EventTime,
    /// The earliest event time.
    pub first_event_at: EventTime,
    /// The latest event time.
    pub last_event_at: EventTime,
    /// When something about it was last heard, on the log's clock.
    pub last_heard_at: EventTime,
    /// When it was closed.
    pub closed_at: Option<EventTime>,
    /// When the last alarming sensor cleared, or the last camera where there is no sensor.
    pub cleared_at: Option<EventTime>,
    /// Where.
    pub fused: Fused,
    /// The box around its members.
    pub extent: Option<Extent>,
    /// The best location quality among its members, and the place of the event that had it.
    pub best: Option<(Quality, EventTime)>,
    /// The cells of that best location.
    #[serde(deserialize_with = "crate::shared::path")]
    pub cells: Arc<[CellRef]>,
    /// Who is responsible, from that best location.
    pub responsible: Option<Responsible>,
    /// Other cells that members lie in or may lie in.
    pub also_affects: SmallSet<Name>,
    /// The town, for incidents without a place.
    pub town: Option<Name>,
    /// The address key, for incidents without a place.
    pub address_key: Option<Name>,
    /// Town and address key of members with a place, by which tickets without one find it, and of further ones without; at
    /// most 8, the first in alphabetical order.
    #[serde(default, skip_serializing_if = "SmallSet::is_empty")]
    pub also_at: SmallSet<(Name, Name)>,
    /// The newest members; `member_count` is exact.
    pub members: Vec<Arc<Member>>,
    /// How many events count as members.
    pub member_count: u64,
    /// Devices and cameras that reported.
    pub devices: SmallMap<Name, Watcher>,
    /// Components named.
    pub components: SmallSet<Name>,
    /// Components inferred from where members lie: they join, but they keep nobody apart.
    #[serde(default, skip_serializing_if = "SmallSet::is_empty")]
    pub inferred_components: SmallSet<Name>,
    /// Distinct reporters, as keyed hashes.
    pub reporters: SmallSet<u64>,
    /// What reporters that are counted already were called under an earlier key: each is counted under one name only.
    #[serde(default, skip_serializing_if = "SmallSet::is_empty")]
    pub reporters_before: SmallSet<u64>,
    /// Who told by which channel, of each at most a dozen: one person on two channels confirms nothing.
    #[serde(default, skip_serializing_if = "SmallSet::is_empty")]
    pub callers: SmallSet<(Channel, u64)>,
    /// Channels by which somebody told who has no name here: a device, an inspector, a caller who gave none.
    #[serde(default, skip_serializing_if = "SmallSet::is_empty")]
    pub unnamed: SmallSet<Channel>,
    /// The best credibility per kind of witness.
    pub witnesses: SmallMap<Channel, u8>,
    /// The highest value per metric, in thousandths of its unit.
    pub peaks: SmallMap<Name, i64>,
    /// Facilities nearby.
    pub facilities: SmallSet<Facility>,
    /// Hints given.
    pub hints: SmallSet<Hint>,
    /// What intake noticed about its members.
    pub flags: SmallSet<Flag>,
    /// A member happened in a rush hour.
    pub rush: bool,
    /// A member happened at night.
    pub night: bool,
    /// A member is neither suspect nor video, and has a place.
    pub sound: bool,
    /// Every member comes from a suspect device.
    pub all_suspect: bool,
    /// Code by the 2013 standard.
    pub code_gb2013: Option<Name>,
    /// Code by the 2026 standard.
    pub code_gb2026: Option<Name>,
    /// The weather warning under which it happened, if its kind minds the weather.
    pub storm_id: Option<Name>,
    /// The band that readers were last given.
    pub band: Band,
    /// The band before it.
    pub previous: Option<BandFact>,
    /// Since when the score asks for a lower band.
    pub lower_since: Option<EventTime>,
    /// A band fixed by an operator.
    pub pinned: Option<Band>,
    /// T points so far: how much of the time to control has passed since the centre began to handle it.
    pub time_points: u8,
    /// When it must be dispatched.
    pub dispatch_by: EventTime,
    /// When it must be under control.
    pub control_by: EventTime,
    /// What was done.
    pub handling: Handling,
    /// What few incidents have; absent where nothing of it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub care: Option<Box<Care>>,
    /// The video algorithms that told of it; the empty name stands for one that was not named.
    #[serde(default, skip_serializing_if = "SmallSet::is_empty")]
    pub algorithms: SmallSet<Name>,
    /// Incidents that may have to do with it.
    pub related: SmallSet<IncidentId>,
    /// The incident that it repeats (复发).
    pub recurrence_of: Option<IncidentId>,
    /// The silences that announced its members, as long as there was one for each and readers were told nothing of it;
    /// `None` once it was shown. So what an older version kept is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silences: Option<SmallSet<Name>>,
    /// The open incident that explains this one away by the rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inhibited_by: Option<IncidentId>,
    /// The configuration that last changed it.
    #[serde(deserialize_with = "crate::shared::name")]
    pub config_version: Name,
    /// Members whose turn may still be preceded by another event's, in the order of their turns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tail: Vec<Turn>,
    /// What it was before its tail; `None` when it has no tail, or nothing before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Arc<Incident>>,
    /// The centre gave a command about it: it is not decided again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub commanded: bool,
    /// What was merged into it and gave it its place, where it had none of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place_of: Option<IncidentId>,
    /// The centre's last command about it, as long as it can be taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_command: Option<Arc<LastCommand>>,
}

/// A command that can be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastCommand {
    /// Its id.
    pub command_id: Name,
    /// Who said it, for an id is one operator's own; rows of before do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<Name>,
    /// What it did.
    pub action: Action,
    /// The other incident of a merge, split or move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<IncidentId>,
    /// The events of a split or move.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventKey>,
    /// What each of those events said that it belongs to before: the incident, or what was merged into it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub homes: Vec<IncidentId>,
    /// What the incident would be without it, with all that it heard since; with the command before it, which can be taken
    /// back next.
    pub without: Incident,
    /// It was about the handling alone: `without` says how that stood, and nothing of what was told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_handling: bool,
}

impl Incident {
    /// The event that its id is made of.
    pub fn namer(&self) -> &EventKey {
        self.named_after.as_ref().unwrap_or(&self.founding.key)
    }

    /// What few incidents have.
    pub fn care(&self) -> Care {
        self.care.as_deref().cloned().unwrap_or_default()
    }

    /// Sets what few incidents have.
    pub fn take_care(&mut self, change: impl FnOnce(&mut Care)) {
        let mut care = self.care();
        change(&mut care);
        self.care = (care != Care::default()).then(|| Box::new(care));
    }

    /// Since when it is over by its devices' own times, where they said so: who sees it after that objects.
    pub fn over_at(&self) -> Option<EventTime> {
        let told = self.care.as_ref().and_then(|care| care.clear_told);
        self.cleared_at
            .map(|heard| told.map_or(heard, |told| told.min(heard)))
    }

    /// Whether somebody saw it after the centre was told that it is mended, or a sensor goes on alarming.
    pub fn is_objected_to(&self) -> bool {
        let newest = self.members.first().map(|member| member.event_time);
        let alarmed = self.is_alarming().then_some(self.last_event_at);
        let resolved_at = self.handling.resolved_at;
        resolved_at.is_some_and(|at| newest.max(alarmed).is_some_and(|newest| newest > at))
    }

    /// When the centre opened it again, if it did.
    pub fn reopened_at(&self) -> Option<EventTime> {
        self.care.as_ref().and_then(|care| care.reopened_at)
    }

    /// The limit that is over.
    pub fn overdue(&self) -> Option<Overdue> {
        self.care.as_ref().and_then(|care| care.overdue)
    }

    /// Since when its limits run.
    pub fn limits_from(&self) -> EventTime {
        let moved = self.care.as_ref().and_then(|care| care.limits_from);
        moved.unwrap_or(self.opened_at)
    }

    /// What it is as the ground that its tail stands on: without a tail, a ground or a command of its own.
    pub fn as_base(&self) -> Incident {
        let mut base = self.clone();
        base.tail = Vec::new();
        base.base = None;
        base.last_command = None;
        base
    }

    /// Whether it has members whose turns nothing can precede any more: they stay where they are.
    pub fn is_anchored(&self) -> bool {
        self.base.is_some() || self.tail.is_empty()
    }
}
