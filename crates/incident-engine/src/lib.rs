//! Which events are one incident, and how urgent: decide and apply, nothing else.
//!
//! # The rule
//!
//! The meaning is a batch program over events sorted by (place in time, source rank, identity); see
//! [`city_model::Event::order_time`]. Each event in turn
//!
//! 1. is `duplicate_id` when its identity was seen, `late` when it came later than its source may;
//! 2. if it is a clear signal, clears its device's incident;
//! 3. joins the incident that its ticket cites; else the one with its component or device, of the same kind or a pair in
//!    `merges_with`, within the window; else the one with the least `distance / radius`, if at most 1; else, without a
//!    place, the one of the same kind, town and address;
//! 4. otherwise opens one.
//!
//! The radius is `min(cap, r_kind + k·√(u² + σ²))` from the event's uncertainty u and the fused position's σ. The window is
//! the kind's session gap around the incident's span in event time, both ways, within the kind's longest life; a join in
//! space also keeps the extent within the kind's cap. Ties go to the nearer, then to the incident that was founded first. Incidents
//! that were also in reach become `related`; nothing bridges two into one by itself. Where components decide, two different
//! components never meet; one that intake inferred from the place joins what is of the same component, and keeps nobody apart.
//!
//! # The shape
//!
//! [`Engine::decide`] looks and answers with a [`Decision`]: keyed rows that change the state, and what readers are told.
//! [`Engine::apply`] moves. Running and restoring share `apply`. The engine reads no clock: ticks in the log move it.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod change;
mod command;
mod decide;
mod draft;
mod engine;
mod joining;
mod learned;
mod matching;
mod neighbours;
mod passage;
mod priority;
mod record;
mod setting;
mod silence;
mod weather;

pub use change::{Change, Decision, EventRow, Evidence, Miss, Output, RowError};
pub use engine::Engine;
pub use priority::{Assessment, Parts};
pub use record::{IncidentRecord, OutcomeRecord};
pub use setting::{Setting, SettingError};
