//! From a source's record to an event, or to a rejection with its reason; privacy; sensor alarms.
//!
//! Everything is told: the record, when it was appended, the partition's memory. Nothing here reads a clock, a file or a
//! network, and no personal data goes further than this crate.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod config;
mod device;
mod intake;
mod row;
mod state;
mod unmapped;
mod verdict;

mod health;
mod hotline;
mod orders;
mod report;
mod sensor;
mod silence;
mod video;

mod address;
mod address_place;
mod cells;
mod covered;
mod draft;
mod facilities;
mod inferred;
mod kinds;
mod named;
mod place;
pub mod privacy;
mod said_place;
mod surveyed;
mod waiting;
mod weather;
mod when;

pub use address::address_name;
pub use config::{IntakeConfig, SourceConfig};
pub use device::{Alarm, Cleared, Heard, Held, Level, Low, Watch};
pub use intake::Intake;
pub use row::{IntakeRow, RowError};
pub use state::{IntakeState, RememberedTicket};
pub use surveyed::Claim;
pub use verdict::{ClockSeen, Decision, DeviceFault, Fault, Placed, Released, Verdict};
