//! One cell: what counts in it now, what happened in minutes that were not told yet, and what is not usual.

use std::collections::BTreeMap;

use city_model::{EventTime, MINUTE_MS, Name};
use serde::{Deserialize, Serialize};

use crate::fact::What;
use crate::incidents::DUE_STEP_MS;
use crate::record::OpenByBand;

/// Minutes of the window that is compared with the usual.
const WINDOW: i64 = 60;
/// Recurrences of a kind that are remembered: more than a notice needs, so that its number means something.
const RECURRENCES_KEPT: usize = 20;

/// What happened in a minute.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Minute {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) events: BTreeMap<Name, i64>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) opened: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) closed: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) escalated: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) reopened: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) merged: i64,
}

fn is_zero(count: &i64) -> bool {
    *count == 0
}

impl Minute {
    fn add(&mut self, other: Minute) {
        for (source, count) in other.events {
            *self.events.entry(source).or_default() += count;
        }
        self.opened += other.opened;
        self.closed += other.closed;
        self.escalated += other.escalated;
        self.reopened += other.reopened;
        self.merged += other.merged;
    }
}

/// A cell's state; it is one row.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct CellState {
    pub(crate) level: Name,
    pub(crate) name: Name,
    pub(crate) watched: bool,
    pub(crate) finest: bool,
    pub(crate) open: OpenByBand,
    /// Open incidents by kind.
    pub(crate) by_kind: BTreeMap<Name, i64>,
    /// Of the open incidents, how many have something due at each step to come …
    due: BTreeMap<i64, i64>,
    /// … and how many at a step that has passed.
    pub(crate) overdue: i64,
    /// Steps up to this one have passed.
    due_passed: i64,
    /// Minutes that were not told yet.
    minutes: BTreeMap<i64, Minute>,
    /// What is to be entered into the stock at the end of such a minute: what stands is told as of then, not of the telling.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    stock: BTreeMap<i64, Vec<(Name, What, i64)>>,
    /// Incidents opened in the last hour by minute and kind; not by kind where nobody watches.
    lately: BTreeMap<i64, BTreeMap<Name, i64>>,
    /// When incidents were opened that repeat a closed one, by kind; the oldest first.
    recurred: BTreeMap<Name, Vec<EventTime>>,
    /// Since when a kind is above its usual; the empty name is all kinds.
    pub(crate) rises: BTreeMap<Name, EventTime>,
    /// Since when a kind came back too often.
    pub(crate) repeats: BTreeMap<Name, EventTime>,
    /// A hash of what was told last, but for what changes by the hour alone; 0 when that was that nothing is there.
    pub(crate) told: u64,
}

impl CellState {
    /// Enters what an incident counts as, since when or else since now. What belongs to a minute that was told goes to the first one that was not.
    pub(crate) fn count(
        &mut self,
        kind: &Name,
        what: What,
        by: i64,
        (at, now): (Option<EventTime>, i64),
        first_untold: i64,
    ) {
        let now = at.unwrap_or_else(|| {
            // A clock that lags behind what was told must not turn its order.
            let last = self.stock.last_key_value().map(|(minute, _)| *minute);
            let last = last.map_or(i64::MIN, |minute| minute.saturating_mul(MINUTE_MS));
            EventTime::from_millis(now.max(last))
        });
        match what {
            What::Began(when) => self.minute(when, first_untold).opened += by,
            What::Ended(when) => self.minute(when, first_untold).closed += by,
            What::Escalated(when) => self.minute(when, first_untold).escalated += by,
            What::Reopened => self.minute(now, first_untold).reopened += by,
            What::Merged => self.minute(now, first_untold).merged += by,
            What::Open(_) | What::Due(_) => {
                let stock = self.stock.entry(minute_of(now).max(first_untold)).or_default();
                // In order, so that the order of telling does not show in the row.
                let key = (kind, &what);
                match stock.binary_search_by(|(of, counts_as, _)| (of, counts_as).cmp(&key)) {
                    Ok(place) => stock[place].2 += by,
                    Err(place) => stock.insert(place, (kind.clone(), what, by)),
                }
            }
            What::Opened(when) => {
                let kind = if self.watched {
                    kind.clone()
                } else {
                    Name::default()
                };
                let minute = self.lately.entry(minute_of(when)).or_default();
                add(minute, &kind, by);
                if minute.is_empty() {
                    self.lately.remove(&minute_of(when));
                }
            }
            What::Recurred(when) if self.finest => {
                let times = self.recurred.entry(kind.clone()).or_default();
                match times.binary_search(&when) {
                    Ok(place) if by < 0 => drop(times.remove(place)),
                    Ok(place) | Err(place) if by > 0 => times.insert(place, when),
                    _ => {}
                }
                if times.len() > RECURRENCES_KEPT {
                    times.remove(0);
                }
                if times.is_empty() {
                    self.recurred.remove(kind);
                }
            }
            What::Recurred(_) => {}
        }
    }

    fn minute(&mut self, at: EventTime, first_untold: i64) -> &mut Minute {
        self.minutes.entry(minute_of(at).max(first_untold)).or_default()
    }

    /// Enters events of a minute.
    pub(crate) fn count_events(&mut self, minute: i64, source: &Name, by: i64, first_untold: i64) {
        let minute = self.minutes.entry(minute.max(first_untold)).or_default();
        *minute.events.entry(source.clone()).or_default() += by;
    }

    /// Enters into what stands.
    fn stand(&mut self, kind: &Name, what: What, by: i64) {
        match what {
            What::Open(band) => {
                self.open.add(band, by);
                add(&mut self.by_kind, kind, by);
            }
            What::Due(step) if step <= self.due_passed => self.overdue += by,
            What::Due(step) => add(&mut self.due, &step, by),
            _ => {}
        }
    }

    /// Ends a minute: what happened in it, and in earlier ones that were not told.
    pub(crate) fn end_minute(&mut self, minute: i64) -> Minute {
        let later = self.minutes.split_off(&(minute + 1));
        let mut ended = Minute::default();
        for part in std::mem::replace(&mut self.minutes, later).into_values() {
            ended.add(part);
        }
        let later = self.stock.split_off(&(minute + 1));
        for (kind, what, by) in std::mem::replace(&mut self.stock, later).into_values().flatten() {
            self.stand(&kind, what, by);
        }
        let step = (minute + 1).saturating_mul(MINUTE_MS).div_euclid(DUE_STEP_MS);
        if step > self.due_passed {
            self.due_passed = step;
            let later = self.due.split_off(&(step + 1));
            self.overdue += std::mem::replace(&mut self.due, later).into_values().sum::<i64>();
        }
        self.lately = self.lately.split_off(&(minute + 1 - WINDOW));
        ended
    }

    /// Incidents opened in the hour that ends with a minute, by kind.
    pub(crate) fn opened_lately(&self, minute: i64) -> BTreeMap<Name, i64> {
        let mut kinds = BTreeMap::new();
        for (kind, by) in self.lately.range(..=minute).flat_map(|(_, kinds)| kinds) {
            add(&mut kinds, kind, *by);
        }
        kinds
    }

    /// Recurrences by kind within its `recur`; what is older is forgotten.
    pub(crate) fn recurred_lately(
        &mut self,
        now: EventTime,
        recur_ms: impl Fn(&str) -> i64,
    ) -> BTreeMap<Name, i64> {
        let mut kinds = BTreeMap::new();
        self.recurred.retain(|kind, times| {
            times.retain(|at| now - *at <= recur_ms(kind));
            let count = times.iter().filter(|at| **at <= now).count() as i64;
            if count > 0 {
                kinds.insert(kind.clone(), count);
            }
            !times.is_empty()
        });
        kinds
    }

    /// Whether a minute could not change what is told of it.
    pub(crate) fn is_idle(&self) -> bool {
        self.minutes.is_empty()
            && self.stock.is_empty()
            && self.lately.is_empty()
            && self.recurred.is_empty()
            && self.due.is_empty()
            && self.rises.is_empty()
            && self.repeats.is_empty()
            && self.told == 0
    }
}

/// The minute of an instant since 1970.
pub(crate) fn minute_of(at: EventTime) -> i64 {
    at.millis().div_euclid(MINUTE_MS)
}

/// Adds to a count; what is zero is not kept.
fn add<K: Ord + Clone>(counts: &mut BTreeMap<K, i64>, key: &K, by: i64) {
    let count = counts.entry(key.clone()).or_default();
    *count += by;
    if *count == 0 {
        counts.remove(key);
    }
}
