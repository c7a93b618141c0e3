//! The words of the city: time, place, kind, event, incident, and the keyed rows that state is made of.
//!
//! Nothing here reads a clock, a file or a network, and no key holds a floating-point number.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod crs;
mod digest;
mod event;
mod incident;
mod input;
mod ledger;
mod names;
mod outcome;
mod place;
mod placed;
mod shared;
mod small;
mod source;
mod time;
mod told;
mod utc;
mod width;

pub use crs::{Crs, UnknownCrs};
pub use digest::{Fingerprint, Fingerprinting, GroupingDigest, fingerprint, hex, sha256_hex};
pub use event::{
    CellRef, Event, EventKey, Facility, Flag, Hint, Located, Measurement, OtherCell, Quality, Responsible,
    Signal,
};
pub use incident::{
    Band, BandFact, Care, CloseReason, Extent, Fused, Grade, Handling, Incident, LastCommand, Member,
    Overdue, Status, Turn, Watcher, Why,
};
pub use input::{
    Action, Activation, Batch, Command, Input, Severity, Silence, SilenceArea, Tick, Warning, WarningStatus,
};
pub use ledger::{Ledger, LedgerCell};
pub use names::{Group, IncidentId, Kind, Name};
pub use outcome::{DeadLetterReason, Outcome, UnknownName};
pub use place::{Plane, Point, Position, isqrt};
pub use placed::PlacedBy;
pub use small::{SmallMap, SmallSet};
pub use source::{Channel, Source};
pub use time::{DAY_MS, EventTime, HOUR_MS, MINUTE_MS, SECOND_MS};
pub use utc::UtcTime;
pub use width::half_width;
