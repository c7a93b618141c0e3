//! The dead letters of a city: which there are, which of them were fed again, and how one is fed.
//!
//! A letter that was fed again stays where it is. What says so is a mark behind it in its own partition, committed by the
//! transaction that fed it; the topic forgets its oldest first, so no letter outlives its mark.

mod feed;
mod filter;
mod letter;
mod masked;
mod scan;

pub use feed::{Fed, feed, transactional_id};
pub use filter::{Filter, place};
pub use letter::{Letter, Obstacle};
pub use masked::{known_fields, masked};
pub use scan::{Systems, scan};
