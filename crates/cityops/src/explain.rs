//! Why an event belongs where it does, and what an incident took in: gathered from what the engine says, told in sentences.

mod sentences;
mod story;
mod wording;

pub use sentences::{EventAnswer, IncidentAnswer};
pub use story::{Story, Told};
