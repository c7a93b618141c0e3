//! The vital signs of many cells: takes facts, and tells each minute of the cells in which something happened or stands.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context;
use city_model::{EventTime, MINUTE_MS, Name, UtcTime, fingerprint};
use city_rules::{Calendar, Rules};
use serde::{Deserialize, Serialize};

use crate::cell::{CellState, Minute, minute_of};
use crate::fact::{Cell, Fact, Path, What};
use crate::hours::{Comparison, HourOf, Hours, Slot};
use crate::record::{Notice, OpenByBand, VitalsRecord};
use crate::usual::{LEAST, Sample, Usual};

/// A minute is told so long after its end: what happened in it has mostly been published by then. Clocks come in steps of
/// it, so that none is told a whole minute late.
pub(crate) const GRACE_MS: i64 = 15_000;
/// After a gap of more than a day the minutes in it are not told one by one; nothing of them is lost.
const GAP_MINUTES: i64 = 24 * 60;
/// So many recurrences within the kind's `recur` are a notice: the third time.
const RECURRENCES: i64 = 2;

/// Layer and code.
type CellKey = (Name, Name);

/// All cells of a part of the city that sums up by itself.
pub struct VitalSigns {
    rules: Arc<Rules>,
    calendar: Calendar,
    clocks: Clocks,
    cells: BTreeMap<CellKey, CellState>,
    hours: BTreeMap<(CellKey, Slot), Hours>,
    /// Cells that a minute may change; it follows from the cells.
    busy: BTreeSet<CellKey>,
    changed: BTreeSet<RowKey>,
    /// Kept from minute to minute, for it takes long to make.
    comparison: Option<Comparison>,
}

/// How far time has come.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Clocks {
    /// How many partitions have a clock.
    of: u32,
    heard: BTreeMap<u32, EventTime>,
    /// Since when everything is counted.
    since: Option<EventTime>,
    /// The minute that was told last.
    told: Option<i64>,
}

impl Clocks {
    fn now(&self) -> Option<EventTime> {
        let all = self.of > 0 && self.heard.len() >= self.of as usize;
        self.heard.values().min().copied().filter(|_| all)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum RowKey {
    Clocks,
    Cell(CellKey),
    Hours(CellKey, Slot),
}

/// A state row says itself what it is of.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Row {
    Clocks(Clocks),
    Cell {
        layer: Name,
        code: Name,
        state: Box<CellState>,
    },
    Hours {
        layer: Name,
        code: Name,
        slot: Slot,
        hours: Hours,
    },
}

impl VitalSigns {
    /// No cells yet. The rules say what kinds are called and how long they recur, the calendar which hours are alike.
    pub fn new(rules: Arc<Rules>, calendar: Calendar) -> VitalSigns {
        VitalSigns {
            rules,
            calendar,
            clocks: Clocks::default(),
            cells: BTreeMap::new(),
            hours: BTreeMap::new(),
            busy: BTreeSet::new(),
            changed: BTreeSet::new(),
            comparison: None,
        }
    }

    /// Other rules hold from now on.
    pub fn set_rules(&mut self, rules: Arc<Rules>, calendar: Calendar) {
        (self.rules, self.calendar, self.comparison) = (rules, calendar, None);
    }

    /// Takes a fact.
    pub fn take(&mut self, fact: &Fact) {
        match fact {
            Fact::Clock { partition, of, at } => {
                self.clocks.of = *of;
                // The enriched log never gets fewer partitions; if its description did, the rest would hold the clock.
                self.clocks.heard.retain(|partition, _| partition < of);
                let heard = self.clocks.heard.entry(*partition).or_insert(*at);
                *heard = (*heard).max(*at);
                self.changed.insert(RowKey::Clocks);
            }
            Fact::Incident {
                path,
                kind,
                counts,
                at,
            } => self.take_incident(path, kind, counts, *at),
            Fact::Events { path, counts } => {
                let first_untold = self.first_untold();
                for cell in &path.cells {
                    let state = self.touch(&path.layer, cell);
                    for (minute, source, by) in counts {
                        state.count_events(*minute, source, *by, first_untold);
                    }
                }
            }
        }
    }

    fn take_incident(&mut self, path: &Path, kind: &Name, counts: &[(What, i64)], at: Option<EventTime>) {
        let (now, first_untold) = (self.clocks.now(), self.first_untold());
        let now = now.map_or(first_untold.saturating_mul(MINUTE_MS), EventTime::millis);
        for cell in &path.cells {
            let state = self.touch(&path.layer, cell);
            for (what, by) in counts {
                state.count(kind, *what, *by, (at, now), first_untold);
            }
        }
        for (what, by) in counts {
            let What::Opened(at) = what else { continue };
            let hour = HourOf::of(&self.calendar, *at);
            for cell in &path.cells {
                let key = (path.layer.clone(), cell.code.clone());
                let hours = self.hours.entry((key.clone(), hour.slot)).or_default();
                hours.add(&Name::default(), hour.day, *by);
                if cell.watched {
                    hours.add(kind, hour.day, *by);
                }
                self.changed.insert(RowKey::Hours(key, hour.slot));
            }
        }
    }

    fn first_untold(&self) -> i64 {
        self.clocks.told.map_or(i64::MIN / MINUTE_MS, |told| told + 1)
    }

    fn touch(&mut self, layer: &Name, cell: &Cell) -> &mut CellState {
        let key = (layer.clone(), cell.code.clone());
        self.busy.insert(key.clone());
        self.changed.insert(RowKey::Cell(key.clone()));
        let state = self.cells.entry(key).or_default();
        if state.name != cell.name || state.level != cell.level {
            (state.name, state.level) = (cell.name.clone(), cell.level.clone());
        }
        (state.watched, state.finest) = (cell.watched, cell.finest);
        state
    }

    /// Tells every minute that has ended by the clock, cell by cell in order of layer and code.
    pub fn tell(&mut self) -> Vec<VitalsRecord> {
        let Some(now) = self.clocks.now() else {
            return Vec::new();
        };
        let last = minute_of(now - GRACE_MS) - 1;
        let since = *self.clocks.since.get_or_insert(now);
        let mut told = self.clocks.told.unwrap_or(last - 1).max(last - GAP_MINUTES);
        if self.clocks.told.is_some_and(|told| told >= last) {
            return Vec::new();
        }
        let mut records = Vec::new();
        while told < last {
            if self.busy.is_empty() {
                told = last;
                break;
            }
            told += 1;
            self.tell_minute(told, since, &mut records);
        }
        self.clocks.told = Some(told);
        self.changed.insert(RowKey::Clocks);
        records
    }

    fn tell_minute(&mut self, minute: i64, since: EventTime, records: &mut Vec<VitalsRecord>) {
        let end = EventTime::from_millis((minute + 1).saturating_mul(MINUTE_MS));
        let comparison = Comparison::next(self.comparison.take(), &self.calendar, end, since);
        let rules = self.rules.clone();
        for key in std::mem::take(&mut self.busy) {
            let Some(mut state) = self.cells.remove(&key) else {
                continue;
            };
            let before = state.clone();
            let happened = state.end_minute(minute);
            let lately = state.opened_lately(minute);
            let usual = |kind: &str| self.usual(&key, kind, &comparison);
            if state.watched {
                watch_rises(&mut state, &lately, end, usual);
            }
            let recurred = state.recurred_lately(end, |kind| recur_ms(&rules, kind));
            watch_repeats(&mut state, &recurred, end);
            let quiet = happened == Minute::default();
            let hash = standing(&state, quiet, &lately, &recurred);
            // A quiet minute like the one before it says nothing new.
            if !quiet || hash != state.told {
                records.push(self.record(&key, &state, minute, happened, &lately, &recurred, &comparison));
            }
            state.told = hash;
            if state != before {
                self.changed.insert(RowKey::Cell(key.clone()));
            }
            if !state.is_idle() {
                self.busy.insert(key.clone());
            }
            self.cells.insert(key, state);
        }
        self.comparison = Some(comparison);
    }

    fn usual(&self, key: &CellKey, kind: &str, comparison: &Comparison) -> Option<Usual> {
        let sample = |slot: Slot, days: &[i64]| {
            let hours = self.hours.get(&(key.clone(), slot));
            Sample::of(&hours.map_or_else(|| vec![0; days.len()], |hours| hours.counts(kind, days)))
        };
        let now = sample(comparison.now.slot, &comparison.now.days)?;
        let before = sample(comparison.before.slot, &comparison.before.days)?;
        Some(now.ending(before, comparison.minutes))
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "one minute's numbers, each computed once above"
    )]
    fn record(
        &self,
        (layer, code): &CellKey,
        state: &CellState,
        minute: i64,
        happened: Minute,
        lately: &BTreeMap<Name, i64>,
        recurred: &BTreeMap<Name, i64>,
        comparison: &Comparison,
    ) -> VitalsRecord {
        let key = (layer.clone(), code.clone());
        let usual = self.usual(&key, "", comparison);
        let mut notices = Vec::new();
        for (kind, since) in &state.rises {
            let count = count_of(lately, kind);
            notices.extend(
                self.usual(&key, kind, comparison)
                    .map(|usual| self.rise(kind, *since, count, usual)),
            );
        }
        for (kind, since) in &state.repeats {
            notices.push(self.repeat(kind, *since, recurred.get(kind).copied().unwrap_or(0)));
        }
        VitalsRecord {
            layer: layer.clone(),
            level: state.level.clone(),
            code: code.clone(),
            name: state.name.clone(),
            minute: UtcTime(EventTime::from_millis(minute.saturating_mul(MINUTE_MS))),
            events: happened.events.values().sum(),
            opened: happened.opened,
            closed: happened.closed,
            open: state.open,
            by_source: happened.events,
            by_kind: state.by_kind.clone(),
            escalated: happened.escalated,
            reopened: happened.reopened,
            merged: happened.merged,
            overdue: state.overdue,
            opened_60m: lately.values().sum(),
            usual_60m: usual.map(|usual| thousandths(usual.usual_milli)),
            limit_60m: usual.map(|usual| usual.limit()),
            usual_of: usual.map_or(0, |usual| usual.hours as i64),
            notices,
        }
    }

    /// What a kind is called in Chinese and English.
    fn names_of(&self, kind: &str) -> (String, String) {
        let rule = self.rules.kind_id(kind).map(|id| self.rules.kind(id));
        rule.map_or_else(
            || (kind.to_owned(), kind.to_owned()),
            |rule| (rule.name_zh.clone(), rule.name_en.clone()),
        )
    }

    fn rise(&self, kind: &Name, since: EventTime, count: i64, usual: Usual) -> Notice {
        let (told, limit) = (thousandths(usual.usual_milli), usual.limit());
        let (zh, en) = match &**kind {
            "" => ("事件".to_owned(), "incidents".to_owned()),
            kind => self.names_of(kind),
        };
        // It ends at half of the way back: below the limit it says that it runs out.
        let (standing_zh, standing_en) = if count < limit {
            ("，正在回落", ", running out")
        } else {
            ("", "")
        };
        Notice {
            what: "rise".to_owned(),
            kind: Some(kind.clone()).filter(|kind| !kind.is_empty()),
            since: UtcTime(since),
            count,
            usual: Some(told),
            limit,
            text_zh: format!(
                "{zh}近一小时新增{count}件，同时段常态{told:.1}件，达到{limit}件即为异常{standing_zh}"
            ),
            text_en: format!(
                "{en}: {count} in the last hour; usual {told:.1}, unusual from {limit}{standing_en}"
            ),
        }
    }

    fn repeat(&self, kind: &Name, since: EventTime, count: i64) -> Notice {
        let hours = recur_ms(&self.rules, kind) / 3_600_000;
        let (zh, en) = self.names_of(kind);
        let (span_zh, span_en) = match hours {
            hours if hours > 48 => (format!("{}天", hours / 24), format!("{} days", hours / 24)),
            hours => (format!("{hours}小时"), format!("{hours} hours")),
        };
        Notice {
            what: "recurrence".to_owned(),
            kind: Some(kind.clone()),
            since: UtcTime(since),
            count,
            usual: None,
            limit: RECURRENCES,
            text_zh: format!("{zh}{span_zh}内在本格复发{count}次，宜未诉先办"),
            text_en: format!("{en}: came back {count} times within {span_en}; act before the next call"),
        }
    }

    /// Lets go of what [`VitalSigns::rows`] would tell, where nothing is restored.
    pub fn forget_changes(&mut self) {
        self.changed.clear();
    }

    /// The rows that changed since the last call.
    pub fn rows(&mut self) -> Vec<(String, Vec<u8>)> {
        let mut rows = Vec::new();
        for key in std::mem::take(&mut self.changed) {
            let (name, row) = match key {
                RowKey::Clocks => ("clocks".to_owned(), Row::Clocks(self.clocks.clone())),
                RowKey::Cell(key) => {
                    let Some(state) = self.cells.get(&key).cloned() else {
                        continue;
                    };
                    let (layer, code) = key;
                    (
                        format!("cell/{}/{layer}/{code}", layer.len()),
                        Row::Cell {
                            layer,
                            code,
                            state: Box::new(state),
                        },
                    )
                }
                RowKey::Hours(key, slot) => {
                    let Some(hours) = self.hours.get(&(key.clone(), slot)).cloned() else {
                        continue;
                    };
                    let (layer, code) = key;
                    (
                        format!("hours/{slot}/{}/{layer}/{code}", layer.len()),
                        Row::Hours {
                            layer,
                            code,
                            slot,
                            hours,
                        },
                    )
                }
            };
            // Serialising to memory cannot fail: the keys of maps are texts and whole numbers.
            rows.push((name, serde_json::to_vec(&row).unwrap_or_default()));
        }
        rows
    }

    /// Enters a row.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn restore(&mut self, key: &str, value: &[u8]) -> anyhow::Result<()> {
        match serde_json::from_slice(value).with_context(|| format!("restore row {key}"))? {
            Row::Clocks(clocks) => self.clocks = clocks,
            Row::Cell { layer, code, state } => {
                let key = (layer, code);
                match state.is_idle() {
                    true => self.busy.remove(&key),
                    false => self.busy.insert(key.clone()),
                };
                self.cells.insert(key, *state);
            }
            Row::Hours {
                layer,
                code,
                slot,
                hours,
            } => {
                self.hours.insert(((layer, code), slot), hours);
            }
        }
        Ok(())
    }
}

fn recur_ms(rules: &Rules, kind: &str) -> i64 {
    rules
        .kind_id(kind)
        .and_then(|id| rules.kind(id).recur_ms)
        .unwrap_or(0)
}

/// Of a kind, or of all kinds where it has no name.
fn count_of(lately: &BTreeMap<Name, i64>, kind: &str) -> i64 {
    match kind {
        "" => lately.values().sum(),
        kind => lately.get(kind).copied().unwrap_or(0),
    }
}

fn watch_rises(
    state: &mut CellState,
    lately: &BTreeMap<Name, i64>,
    end: EventTime,
    usual: impl Fn(&str) -> Option<Usual>,
) {
    let kinds: BTreeSet<Name> = lately
        .keys()
        .chain(state.rises.keys())
        .cloned()
        .chain([Name::default()])
        .collect();
    for kind in kinds {
        let count = count_of(lately, &kind);
        let known = state.rises.contains_key(&kind);
        if !known && count < LEAST {
            continue;
        }
        match usual(&kind) {
            Some(usual) if !known && usual.is_above(count) => {
                state.rises.insert(kind, end);
            }
            Some(usual) if known && usual.is_over(count) => {}
            _ => {
                state.rises.remove(&kind);
            }
        }
    }
}

fn watch_repeats(state: &mut CellState, recurred: &BTreeMap<Name, i64>, end: EventTime) {
    let enough = |kind: &Name| recurred.get(kind).is_some_and(|count| *count >= RECURRENCES);
    state.repeats.retain(|kind, _| enough(kind));
    for kind in recurred.keys().filter(|kind| enough(kind)) {
        state.repeats.entry(kind.clone()).or_insert(end);
    }
}

/// A hash of what stands at the end of a minute, without what changes by the hour alone; 0 where nothing stands.
fn standing(
    state: &CellState,
    quiet: bool,
    lately: &BTreeMap<Name, i64>,
    recurred: &BTreeMap<Name, i64>,
) -> u64 {
    let opened: i64 = lately.values().sum();
    let rises: Vec<_> = state
        .rises
        .keys()
        .map(|kind| (kind, count_of(lately, kind)))
        .collect();
    let repeats: Vec<_> = state
        .repeats
        .keys()
        .map(|kind| (kind, recurred.get(kind)))
        .collect();
    let counts = (state.open, &state.by_kind, state.overdue, opened);
    if quiet
        && counts == (OpenByBand::default(), &BTreeMap::new(), 0, 0)
        && rises.is_empty()
        && repeats.is_empty()
    {
        return 0;
    }
    // Serialising to memory cannot fail. A minute in which something happened differs from a quiet one, which is told once.
    let hash = fingerprint(&serde_json::to_vec(&(counts, quiet, rises, repeats)).unwrap_or_default());
    u64::from_be_bytes(hash.first_chunk().copied().unwrap_or_default()).max(1)
}

fn thousandths(milli: i64) -> f64 {
    milli as f64 / 1_000.0
}
