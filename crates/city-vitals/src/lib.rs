//! The city's vital signs (城市运行数字体征): what happens per cell and minute, what is usual for that hour, and what is not.
//!
//! It is told incidents revision by revision, events and clocks; each incident counts once, however often it is told. All
//! state is sums and sets, so the order within a minute does not show. It decides nothing about incidents.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod cell;
mod clocks;
mod events;
mod fact;
mod hours;
mod incidents;
mod record;
mod signs;
mod usual;

pub use clocks::{Clocks, Listed};
pub use events::EventCounts;
pub use fact::{Cell, Fact, Path, What};
pub use incidents::Incidents;
pub use record::{Notice, OpenByBand, VitalsRecord};
pub use signs::VitalSigns;
