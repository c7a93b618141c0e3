//! Evaluation (考评): how incidents were handled, from what the centre told of them: on time, returned, repeated, false.
//!
//! It reads committed incidents and decides nothing. A rate that nothing is known of is none, never zero.

mod page;
mod rate;
mod table;
mod tally;
mod urgent;
mod wording;

pub use page::page;
pub use rate::{Rate, SMALL};
pub use table::table;
pub use tally::{Algorithm, DeviceType, Evaluation, Group, Span, Tally, Witness};
pub use urgent::{Hour, Spell, Urgent, UrgentWatch};

#[cfg(test)]
mod tests;
