//! From a source's record to an event, or to a rejection with its reason; privacy; sensor alarms.
//!
//! Everything is told: the record, when it was appended, the partition's memory. Nothing here reads a clock, a file or a
//! network, and no personal data goes further than this crate.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod config;
mod intake;
mod state;
mod unmapped;
mod verdict;

mod hotline;
mod orders;
mod report;
mod sensor;
mod video;

mod address;
mod cells;
mod draft;
mod facilities;
mod kinds;
mod place;
pub mod privacy;
mod when;

pub use config::{Component, Device, FacilityPlace, IntakeConfig, Registry, SourceConfig};
pub use intake::Intake;
pub use state::{Alarm, IntakeRow, IntakeState, RememberedTicket, RowError};
pub use verdict::{Decision, DeviceFault, Fault, Verdict};
