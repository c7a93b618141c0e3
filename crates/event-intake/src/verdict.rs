//! What becomes of a record at intake, and the device trouble that it showed.

use std::fmt;

use city_grid::Status;
use city_model::{Command, Event, EventKey, EventTime, Name, Outcome, Silence, Warning};
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
    /// Trouble of the device or its clock, for maintenance.
    pub fault: Option<DeviceFault>,
    /// Where each layer of the grid has an event, in the order of the layers; empty for everything else.
    pub placed: Vec<Placed>,
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
            fault: None,
            placed: Vec::new(),
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

/// What becomes of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// The correlator decides about it.
    Event(Box<Event>),
    /// It has its outcome already.
    Settled {
        /// `below_threshold`, `duplicate_id`, `not_actionable` or `device_fault`.
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
}

impl Fault {
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
    /// The record that showed it.
    #[serde(flatten)]
    pub key: EventKey,
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
