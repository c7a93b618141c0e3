//! Why an event belongs where it does, and what an incident took in: gathered from what the engine says, told in sentences.

mod change;
mod chinese;
mod sentences;
mod story;
mod what_if;
mod wording;

pub use change::Change;
pub use sentences::{EventAnswer, IncidentAnswer};
pub use story::{Story, Told};
pub use what_if::{Tried, WhatIf};
