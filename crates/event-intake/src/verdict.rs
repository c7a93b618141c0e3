//! What becomes of a record at intake, and the device trouble that it showed.

use std::fmt;

use city_grid::Status;
use city_model::{Command, Event, EventKey, EventTime, Flag, Name, Outcome, Silence, Warning};
use serde::{Deserialize, Serialize};
use wire_format::Refusal;

use crate::IntakeRow;

/// The answer about one record.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What becomes of it.
    pub result: Decision,
    /// The memory that changed; to be applied and written with everything else.
    pub rows: Vec<IntakeRow>,
    /// Trouble of devices and their clocks, for maintenance.
    pub faults: Vec<DeviceFault>,
    /// Records that were `pending` and are no longer, in the order of their coming; all before this one.
    pub released: Vec<Released>,
    /// What the record said about its source's clock.
    pub clock: Option<ClockSeen>,
    /// Where each layer of the grid has an event, in the order of the layers; empty for everything else.
    pub placed: Vec<Placed>,
    /// It says where and has words, of which no rule makes anything: [`Intake::sample`](crate::Intake::sample) tells them.
    pub is_unread: bool,
}

/// How an event relates to a layer of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Placed {
    /// In a cell or on its border.
    Inside,
    /// Outside all cells, by so little that it counts for the nearest.
    Snapped,
    /// Outside.
    Outside,
    /// It has no position.
    Unlocated,
}

impl Placed {
    /// Every answer.
    pub const ALL: [Placed; 4] = [
        Placed::Inside,
        Placed::Snapped,
        Placed::Outside,
        Placed::Unlocated,
    ];

    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Placed::Inside => "inside",
            Placed::Snapped => "snapped",
            Placed::Outside => "outside",
            Placed::Unlocated => "unlocated",
        }
    }
}

impl From<Status> for Placed {
    fn from(status: Status) -> Placed {
        match status {
            Status::Inside => Placed::Inside,
            Status::Snapped => Placed::Snapped,
            Status::Outside => Placed::Outside,
        }
    }
}

impl Verdict {
    pub(crate) fn of(result: Decision) -> Verdict {
        Verdict {
            result,
            rows: Vec::new(),
            faults: Vec::new(),
            released: Vec::new(),
            clock: None,
            placed: Vec::new(),
            is_unread: false,
        }
    }

    pub(crate) fn event((event, placed): (Event, Vec<Placed>)) -> Verdict {
        Verdict {
            placed,
            ..Verdict::of(Decision::Event(Box::new(event)))
        }
    }

    pub(crate) fn settled(outcome: Outcome, key: EventKey) -> Verdict {
        Verdict::of(Decision::Settled { outcome, key })
    }
}

impl From<Refusal> for Verdict {
    fn from(refusal: Refusal) -> Verdict {
        Verdict::of(Decision::Refused(refusal))
    }
}

/// What became of a record that waited for confirmation.
#[derive(Debug, Clone, PartialEq)]
pub enum Released {
    /// It was confirmed: the correlator decides about it.
    Event(Box<Event>),
    /// It was not.
    Settled {
        /// `below_threshold`.
        outcome: Outcome,
        /// Which record.
        key: EventKey,
    },
}

/// What a record said about the clock of its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockSeen {
    /// How far the source's time lies ahead of the append time, in milliseconds; negative is behind. Absent where the
    /// append time had to stand for it.
    pub skew_ms: Option<i64>,
    /// `clock_future`, `clock_unset`, `zone_suspected`, `backfill`: two at most.
    pub flags: [Option<Flag>; 2],
}

impl ClockSeen {
    pub(crate) fn new(skew_ms: Option<i64>, flags: &[Flag]) -> ClockSeen {
        let mut clock = flags.iter().copied().filter(|flag| {
            matches!(
                flag,
                Flag::ClockFuture | Flag::ClockUnset | Flag::ZoneSuspected | Flag::Backfill
            )
        });
        ClockSeen {
            skew_ms,
            flags: [clock.next(), clock.next()],
        }
    }

    /// What an event still shows of it.
    pub(crate) fn of(event: &Event) -> ClockSeen {
        let is_known = !event.flags.contains(&Flag::ClockFuture);
        let skew_ms = event.event_time - event.ingested_at;
        ClockSeen::new(is_known.then_some(skew_ms), &event.flags)
    }
}

/// What becomes of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// The correlator decides about it.
    Event(Box<Event>),
    /// It belongs to an episode that is over, and that nobody can add to any more; its outcome is `late`.
    Late(Box<Event>),
    /// It has its outcome already.
    Settled {
        /// `below_threshold`, `pending`, `silenced`, `duplicate_id`, `not_actionable` or `device_fault`.
        outcome: Outcome,
        /// Which record.
        key: EventKey,
    },
    /// A weather warning, for every partition.
    Warning(Warning),
    /// A silence, for every partition.
    Silence(Silence),
    /// A command, for its incident's group.
    Command(Command),
    /// To the dead letters.
    Refused(Refusal),
}

/// What is wrong with a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It sent something that is no number.
    NotANumber,
    /// It sent a value that means "no value" (-999, 65535 …).
    Sentinel,
    /// It sent a value that cannot be.
    OutOfRange,
    /// Its clock is ahead by more than 5 minutes.
    ClockFuture,
    /// Its clock was never set.
    ClockUnset,
    /// Its clock is off by eight hours: a zone error is suspected.
    ZoneSuspected,
    /// It was reported as faulty.
    Reported,
    /// It sent a value that only another unit makes possible.
    UnitSuspected,
    /// Its value must move and stands still.
    FlatLine,
    /// It begins to alarm too often.
    Flapping,
    /// It sent one frame under two ids.
    DuplicateFrame,
    /// It is silent for too long, or its platform misses it.
    Offline,
    /// It was offline and is heard again.
    BackOnline,
    /// Its battery is low.
    LowBattery,
    /// It is tested or repaired.
    Maintenance,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Fault; 15] = [
        Fault::NotANumber,
        Fault::Sentinel,
        Fault::OutOfRange,
        Fault::ClockFuture,
        Fault::ClockUnset,
        Fault::ZoneSuspected,
        Fault::Reported,
        Fault::UnitSuspected,
        Fault::FlatLine,
        Fault::Flapping,
        Fault::DuplicateFrame,
        Fault::Offline,
        Fault::BackOnline,
        Fault::LowBattery,
        Fault::Maintenance,
    ];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Fault::NotANumber => "not_a_number",
            Fault::Sentinel => "sentinel",
            Fault::OutOfRange => "out_of_range",
            Fault::ClockFuture => "clock_future",
            Fault::ClockUnset => "clock_unset",
            Fault::ZoneSuspected => "zone_suspected",
            Fault::Reported => "reported",
            Fault::UnitSuspected => "unit_suspected",
            Fault::FlatLine => "flat_line",
            Fault::Flapping => "flapping",
            Fault::DuplicateFrame => "duplicate_frame",
            Fault::Offline => "offline",
            Fault::BackOnline => "back_online",
            Fault::LowBattery => "low_battery",
            Fault::Maintenance => "maintenance",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A record of `city.device.faults.v1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceFault {
    /// The device.
    pub device_id: Name,
    /// What is wrong.
    pub fault: Fault,
    /// The system that sends its records.
    pub source_system: Name,
    /// The record that showed it; none shows a silence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<Name>,
    /// The metric concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Name>,
    /// When it was seen, by the log's clock.
    pub observed_at: EventTime,
    /// How far the device's clock is ahead, in milliseconds; negative is behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skew_ms: Option<i64>,
    /// The component that the device watches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component_id: Option<Name>,
}
