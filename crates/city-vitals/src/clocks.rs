//! The clock of one partition of the enriched log: the least over the input partitions that its activation names, as the
//! engine has it.

use std::collections::BTreeMap;

use anyhow::Context;
use city_model::{EventTime, Name, Tick};
use serde::{Deserialize, Serialize};

use crate::signs::GRACE_MS;

/// The input partitions that the clock is the least of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Listed {
    /// Their names.
    pub partitions: Vec<Name>,
    /// Whether one that never had a record is left out.
    pub hold_idle: bool,
}

/// What ticks have told. All of it is one row: some dozens of partitions.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Clocks {
    listed: Option<Listed>,
    heard: BTreeMap<Name, EventTime>,
    /// The step that was told last.
    told: Option<i64>,
}

/// The row's key.
const KEY: &str = "clock";

impl Clocks {
    /// A configuration holds from here on.
    pub fn list(&mut self, listed: Listed) {
        self.listed = Some(listed);
    }

    /// Takes a tick.
    pub fn take(&mut self, tick: &Tick) {
        for (name, at) in &tick.clocks {
            let known = self.heard.entry(name.clone()).or_insert(*at);
            *known = (*known).max(*at);
        }
    }

    /// The clock; `None` until every partition that counts was heard of.
    pub fn now(&self) -> Option<EventTime> {
        let listed = self.listed.as_ref()?;
        let mut least = None;
        for name in &listed.partitions {
            match self.heard.get(name) {
                Some(at) => least = Some(least.map_or(*at, |least: EventTime| least.min(*at))),
                None if listed.hold_idle => {}
                None => return None,
            }
        }
        least
    }

    /// The clock, when it has come into another step of 15 s since the last call that gave one.
    pub fn moved(&mut self) -> Option<EventTime> {
        let now = self.now()?;
        let step = now.millis().div_euclid(GRACE_MS);
        let is_new = self.told.is_none_or(|told| told < step);
        is_new.then(|| {
            self.told = Some(step);
            now
        })
    }

    /// The row.
    pub fn row(&self) -> (String, Vec<u8>) {
        // Serialising to memory cannot fail: the keys are text.
        (KEY.to_owned(), serde_json::to_vec(self).unwrap_or_default())
    }

    /// Enters the row.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn restore(&mut self, key: &str, value: &[u8]) -> anyhow::Result<()> {
        if key == KEY {
            *self = serde_json::from_slice(value).with_context(|| format!("restore row {key}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_partition_counts_and_each_step_is_told_once() {
        let mut clocks = Clocks::default();
        let mut tick = |name: &str, ms: i64| {
            let at = EventTime::from_millis(ms);
            clocks.take(&Tick {
                clocks: vec![(name.into(), at)],
            });
            clocks.list(Listed {
                partitions: vec!["a".into(), "b".into()],
                hold_idle: false,
            });
            clocks.moved().map(EventTime::millis)
        };
        assert_eq!(tick("a", 90_000), None, "nothing is known of the other");
        assert_eq!(tick("b", 61_000), Some(61_000));
        assert_eq!(tick("b", 74_999), None);
        assert_eq!(tick("b", 70_000), None, "it never goes back");
        assert_eq!(tick("b", 75_000), Some(75_000));
        assert_eq!(tick("c", 0), None, "one that is not listed");
        let (key, row) = clocks.row();
        let mut again = Clocks::default();
        again.restore(&key, &row).unwrap();
        assert_eq!((again.now(), again.moved()), (clocks.now(), None));
    }
}
