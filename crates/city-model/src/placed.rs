//! Which address took part in where an event is, and what its source said itself.

use serde::{Deserialize, Serialize};

use crate::{Event, Located, Name};

/// What the city's address library made of an event's address, where it took part in the event's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedBy {
    /// The door, crossing or estate as the library has it.
    pub address: Name,
    /// One sigma of its place by that alone, in millimetres.
    pub u_mm: i64,
    /// Where its source said; none where it said nothing to compare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<Located>,
}

impl Event {
    /// Where its source said that it is, if that can be compared in space; without what its address says.
    pub fn reported(&self) -> Option<&Located> {
        match &self.placed_by {
            Some(placed) => placed.reported.as_ref(),
            None => self.located.as_ref(),
        }
    }

    /// Whether its source said no place to compare, so that its address is all that says where it is.
    pub fn is_told_only(&self) -> bool {
        self.reported().is_none()
    }
}
