//! What the engine is told: events, ticks, warnings, silences, commands and activations, in the order of one log.

use serde::{Deserialize, Serialize};

use crate::outcome::{UnknownName, closed_set};
use crate::{Band, CellRef, Event, EventTime, IncidentId, Kind, Name, Position};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// One input of the engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// Rules that hold from here on.
    Activation(Box<Activation>),
    /// Something that was reported.
    Event(Arc<Event>),
    /// Time went on.
    Tick(Tick),
    /// A weather warning or its revision. Every partition is told; one of them counts it.
    Warning {
        /// The warning.
        warning: Warning,
        /// Whether this partition is the one that counts it.
        counts: bool,
        /// What whoever sent it should know of it, though it is applied.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Name>,
    },
    /// A silence or its revision. Every partition is told; one of them counts it.
    Silence {
        /// The silence.
        silence: Silence,
        /// Whether this partition is the one that counts it.
        counts: bool,
        /// What whoever sent it should know of it, though it is applied.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Name>,
    },
    /// The centre's word.
    Command(Command),
}

impl Input {
    /// Whether it stands for a record that was read, whose outcome the engine has to count: exactly one for each.
    pub fn counts(&self) -> bool {
        match self {
            Input::Event(_) | Input::Command(_) => true,
            Input::Warning { counts, .. } | Input::Silence { counts, .. } => *counts,
            Input::Activation(_) | Input::Tick(_) => false,
        }
    }
}

/// All inputs that one loop has for one partition since the last batch, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Batch {
    /// The inputs.
    pub inputs: Vec<Input>,
}

/// A configuration becomes effective. It carries all that the engine needs, so that the log alone decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activation {
    /// The configuration's version: a short hash of what follows.
    pub version: Name,
    /// The city's code (GB/T 2260).
    pub city: Name,
    /// The rules, whole, as TOML.
    pub rules: Name,
    /// The city's time zone, by its IANA name.
    pub timezone: Name,
    /// Where the local plane touches the earth.
    pub origin: Position,
    /// How long an event keeps its own place in time.
    pub reorder_ms: i64,
    /// How late a ticket or report may come.
    pub max_late_ms: i64,
    /// How late a reading may come.
    pub sensors_max_late_ms: i64,
    /// The input partitions whose least clock is the engine's.
    pub partitions: Vec<Name>,
    /// Whether an input partition that never had a record is left out of the clock.
    pub hold_idle: bool,
    /// The layers of the grid with their versions, so that the log says which one placed the events that follow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grid: Vec<(Name, Name)>,
}

/// The input partitions of the loop that sends it, each with the highest append time processed there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// Partition and time.
    pub clocks: Vec<(Name, EventTime)>,
}

closed_set! {
    /// How severe a weather warning is; blue is the least.
    Severity {
        /// Blue (蓝色).
        Blue = "BLUE",
        /// Yellow (黄色).
        Yellow = "YELLOW",
        /// Orange (橙色).
        Orange = "ORANGE",
        /// Red (红色).
        Red = "RED",
    }
}

closed_set! {
    /// Whether a warning stands.
    WarningStatus {
        /// It stands.
        Issued = "ISSUED",
        /// It was taken back.
        Cancelled = "CANCELLED",
    }
}

/// A weather warning for some regions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Its id.
    pub warning_id: Name,
    /// The revision of it; an older one is refused.
    pub revision: i64,
    /// What is warned of: `RAINSTORM`, `TYPHOON` …
    pub signal: Name,
    /// How severe.
    pub severity: Severity,
    /// Codes of the regions; a cell belongs to a region whose code begins its own.
    pub region_codes: Vec<Name>,
    /// Whether it stands.
    pub status: WarningStatus,
    /// When it was issued.
    pub issued_at: EventTime,
    /// From when it holds.
    pub effective_at: EventTime,
    /// Until when it holds, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<EventTime>,
}

impl Warning {
    /// Whether it stands at a moment, or did until `tail_ms` before.
    pub fn stands(&self, at: EventTime, tail_ms: i64) -> bool {
        self.status == WarningStatus::Issued
            && self.effective_at <= at
            && self.expires_at.is_none_or(|expires| at < expires + tail_ms)
    }

    /// Whether a place lies in one of its regions: by its cells, and where none is known by its town, or else the city.
    pub fn is_about(&self, cells: &[CellRef], town: &Name) -> bool {
        let touches = |region: &Name| match cells {
            [] => town.starts_with(&**region),
            cells => cells.iter().any(|cell| cell.code.starts_with(&**region)),
        };
        self.region_codes.iter().any(touches)
    }

    /// When `next`, a later revision of it, takes its place: a new one from when it holds, a cancellation from when it was said.
    pub fn ends_with(next: &Warning) -> EventTime {
        match next.status {
            WarningStatus::Issued => next.issued_at.max(next.effective_at),
            WarningStatus::Cancelled => next.issued_at,
        }
    }
}

/// Where a silence holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SilenceArea {
    /// In these cells, of any layer and level.
    Cells(Vec<Name>),
    /// Inside these polygons, by the even-odd rule over all rings.
    Rings(Vec<Vec<Position>>),
}

/// Planned works and the like: these kinds, there and then, are expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Its id.
    pub silence_id: Name,
    /// The kinds that it holds back; empty means all.
    pub kinds: Vec<Kind>,
    /// Where.
    pub area: SilenceArea,
    /// From when.
    pub starts_at: EventTime,
    /// Until when.
    pub ends_at: EventTime,
    /// Why, in the words of who created it.
    pub reason: Name,
}

closed_set! {
    /// What the centre can say about an incident.
    Action {
        /// Somebody looked at it.
        Acknowledge = "acknowledge",
        /// It was sent to the responsible unit.
        Dispatch = "dispatch",
        /// The unit returned it (退单).
        Return = "return",
        /// Somebody is on site.
        Arrive = "arrive",
        /// It was mended.
        Resolve = "resolve",
        /// The mending was verified on site.
        Verify = "verify",
        /// The deadline was extended.
        Extend = "extend",
        /// It is over.
        Close = "close",
        /// It was none.
        FalseAlarm = "false_alarm",
        /// It was closed too early.
        Reopen = "reopen",
        /// Two incidents are one.
        Merge = "merge",
        /// Some events are another incident.
        Split = "split",
        /// Some events belong to another incident.
        Move = "move",
        /// The last word is taken back.
        Undo = "undo",
        /// The band is fixed by hand.
        PinPriority = "pin_priority",
        /// The band follows the rules again.
        UnpinPriority = "unpin_priority",
    }
}

/// The centre's word about an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Its id, unique per operator.
    pub command_id: Name,
    /// Which incident.
    pub incident_id: IncidentId,
    /// What.
    pub action: Action,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Name>,
    /// The other incident of a merge or move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_incident_id: Option<IncidentId>,
    /// The events of a split or move.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub event_ids: Vec<Name>,
    /// The band of a pin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<Band>,
    /// The new deadline of an extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<EventTime>,
    /// Who, as an account name.
    pub operator: Name,
    /// When.
    pub issued_at: EventTime,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_activation_of_before_the_grid_was_named_still_reads() {
        let old = r#"{"version":"v","city":"310117","rules":"","timezone":"Asia/Shanghai",
            "origin":{"lon_e9":121,"lat_e9":31},"reorder_ms":1,"max_late_ms":2,"sensors_max_late_ms":3,
            "partitions":["a"],"hold_idle":false}"#;
        let activation: Activation = serde_json::from_str(old).unwrap();
        assert_eq!(activation.grid, []);
        let named = Activation {
            grid: vec![("duty".into(), "7".into())],
            ..activation.clone()
        };
        for one in [activation, named] {
            let text = serde_json::to_string(&one).unwrap();
            assert_eq!(serde_json::from_str::<Activation>(&text).unwrap(), one);
        }
    }
}
