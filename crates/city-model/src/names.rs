//! Names that travel a lot: cheap to clone, ordered, and plain strings on the wire.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A short text that many records share.
pub type Name = Arc<str>;

/// What went wrong, in the city's taxonomy: `road_ponding`, `manhole_missing` … The rules define the set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Kind(#[serde(deserialize_with = "crate::shared::name")] Name);

impl Kind {
    /// A kind by its name.
    pub fn new(name: &str) -> Kind {
        Kind(name.into())
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The kinds that can meet in one incident form a group; its name is that of its first kind in alphabetical order.
/// One engine decides a group; commands find their way by the group in the incident's id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Group(#[serde(deserialize_with = "crate::shared::name")] Name);

impl Group {
    /// A group by its name.
    pub fn new(name: &str) -> Group {
        Group(name.into())
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `<city>-<group>-<hash of the founding event>`: the same in every replay.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(Name);

impl IncidentId {
    /// The id of the incident that `founding` opens.
    pub fn found(city: &str, group: &Group, founding: &crate::EventKey) -> IncidentId {
        let mut whole = crate::Fingerprinting::default();
        for part in [&founding.source_system, "/", &founding.event_id] {
            whole.update(part.as_bytes());
        }
        let hash = crate::hex(&whole.finish()[..8]);
        IncidentId([city, "-", group.as_str(), "-", &hash].concat().into())
    }

    /// An id as it was read from the wire.
    pub fn new(text: &str) -> IncidentId {
        IncidentId(text.into())
    }

    /// The group that the id names; `None` when the text is no incident id.
    pub fn group(&self) -> Option<Group> {
        let (rest, hash) = self.0.rsplit_once('-')?;
        let (_, group) = rest.split_once('-')?;
        (hash.len() == 16 && !group.is_empty()).then(|| Group::new(group))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EventKey;

    #[test]
    fn an_id_names_its_group_and_follows_from_the_event() {
        let key = EventKey::new("iot", "r-1");
        let id = IncidentId::found("310117", &Group::new("bin_overflow"), &key);
        assert_eq!(id, IncidentId::found("310117", &Group::new("bin_overflow"), &key));
        assert_ne!(
            id,
            IncidentId::found(
                "310117",
                &Group::new("bin_overflow"),
                &EventKey::new("iot", "r-2")
            )
        );
        assert_eq!(id.group(), Some(Group::new("bin_overflow")));
        assert_eq!(IncidentId::new("nonsense").group(), None);
    }
}
