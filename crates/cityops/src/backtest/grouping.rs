//! Feeds a history to the engine and keeps which incident each event went to.

use std::collections::BTreeMap;
use std::sync::Arc;

use city_model::{
    Activation, DAY_MS, Event, EventKey, EventTime, HOUR_MS, IncidentId, Input, Kind, Located, MINUTE_MS,
    Name, Outcome, Position, Quality, SECOND_MS, Signal, Source, Tick,
};
use city_rules::Rules;
use incident_engine::{Decision, Engine, Output, Setting};

use super::Row;

/// What takes the place of a source system, a city, a town and a partition.
const HISTORY: &str = "history";
/// The credibility of every witness: priorities use it, the grouping does not.
const CREDIBILITY: u8 = 3;

/// Where an event went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What became of it.
    pub outcome: Outcome,
    /// The incident that it belongs to.
    pub incident: Option<IncidentId>,
}

impl Place {
    /// Whether it went to an incident that was there before.
    pub fn joined(&self) -> bool {
        self.outcome.belongs() && self.outcome != Outcome::Opened
    }
}

/// Decides rows, which are in the order of a [`History`](super::History): one place for each. Labels take no part.
///
/// # Errors
/// When the calendar of the rules does not fit the time zone, or the engine refuses one of its own rows.
pub fn group(mut rules: Rules, timezone: &str, rows: &[Row]) -> anyhow::Result<Vec<Place>> {
    for row in rows {
        rules.with_plain_kind(&row.kind);
    }
    let rules = Arc::new(rules);
    let mut feed = Feed::new(&rules, timezone, middle(rows))?;
    // The last word on an event counts: one that was read later may have its turn before it.
    let mut places: BTreeMap<EventKey, Place> = BTreeMap::new();
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows {
        feed.tick_to(row.event_time.floor_second())?;
        let event = event(&rules, row);
        keys.push(event.key.clone());
        places.extend(feed.event(event)?);
    }
    // The engine tells what became of every event that it had not seen before, and ids are unique here.
    let place = |key| {
        places.get(&key).cloned().unwrap_or(Place {
            outcome: Outcome::DuplicateId,
            incident: None,
        })
    };
    Ok(keys.into_iter().map(place).collect())
}

/// The mean of all positions; off Africa if there is none.
pub(crate) fn middle(rows: &[Row]) -> Position {
    let (mut lon, mut lat, mut count) = (0_i128, 0_i128, 0_i128);
    for (position, _) in rows.iter().filter_map(|row| row.located) {
        lon += i128::from(position.lon_e9);
        lat += i128::from(position.lat_e9);
        count += 1;
    }
    let mean = |sum: i128| (sum / count.max(1)) as i64; // a mean of i64 is one
    Position {
        lon_e9: mean(lon),
        lat_e9: mean(lat),
    }
}

fn event(rules: &Rules, row: &Row) -> Event {
    // Every kind of the history was added to the rules; beyond 65,536 of them a name may have no id of its own.
    let group = rules.kind_id(&row.kind).map(|kind| rules.group(kind).clone());
    let quality = if row.located.is_some() {
        Quality::Poi
    } else {
        Quality::None
    };
    Event {
        key: EventKey::new(HISTORY, &row.event_id),
        source: Source::Report,
        channel: row.channel,
        kind: Kind::new(&row.kind),
        alternatives: Vec::new(),
        group: group.unwrap_or_else(|| city_model::Group::new(&row.kind)),
        signal: Signal::Report,
        event_time: row.event_time,
        reported_at: None,
        ingested_at: row.event_time,
        waits_ms: 0,
        located: row.located.map(|(position, u_mm)| Located {
            position,
            u_mm,
            quality,
        }),
        placed_by: None,
        declared_crs: None,
        algorithm: None,
        quality,
        town: Some(HISTORY.into()),
        address_key: row.address.clone(),
        cells: Arc::default(),
        responsible: None,
        other_cells: Vec::new(),
        also_affects: Vec::new(),
        device: None,
        component: None,
        ticket: None,
        cites: None,
        reporter: None,
        reporter_before: None,
        measurement: None,
        credibility: CREDIBILITY,
        facilities: Vec::new(),
        hints: Vec::new(),
        flags: Vec::new(),
        code_gb2013: None,
        code_gb2026: None,
    }
}

/// The engine with its clock.
struct Feed {
    engine: Engine,
    clock: Name,
    ticked: Option<EventTime>,
}

impl Feed {
    fn new(rules: &Arc<Rules>, timezone: &str, origin: Position) -> anyhow::Result<Feed> {
        let clock = Name::from(HISTORY);
        let activation = Activation {
            version: rules.version().into(),
            city: HISTORY.into(),
            rules: rules.to_text().into(),
            timezone: timezone.into(),
            origin,
            // The defaults of a city: in a history, where nothing comes late, they only say how long the engine
            // remembers what is closed.
            reorder_ms: 15 * MINUTE_MS,
            max_late_ms: DAY_MS,
            sensors_max_late_ms: 72 * HOUR_MS,
            partitions: vec![clock.clone()],
            hold_idle: false,
            grid: Vec::new(),
        };
        let setting = Setting::with_rules(Arc::new(activation), rules.clone())?;
        Ok(Feed {
            engine: Engine::with_setting(setting),
            clock,
            ticked: None,
        })
    }

    /// Ticks at every second up to `target` at which something is due or waits to be published, and there.
    fn tick_to(&mut self, target: EventTime) -> anyhow::Result<()> {
        let Some(mut at) = self.ticked else {
            return self.tick(target);
        };
        while at < target {
            let next = at + SECOND_MS;
            at = if self.engine.has_unpublished() {
                next
            } else {
                let due = self
                    .engine
                    .next_due()
                    .map(|due| (due + (SECOND_MS - 1)).floor_second());
                due.map_or(target, |due| due.clamp(next, target))
            };
            self.tick(at)?;
        }
        Ok(())
    }

    fn tick(&mut self, at: EventTime) -> anyhow::Result<()> {
        self.ticked = Some(at);
        let decision = self.engine.decide(&Input::Tick(Tick {
            clocks: vec![(self.clock.clone(), at)],
        }));
        self.apply(&decision)
    }

    /// What became of an event, and of those that were decided again for it.
    fn event(&mut self, event: Event) -> anyhow::Result<Vec<(EventKey, Place)>> {
        let decision = self.engine.decide(&Input::Event(Arc::new(event)));
        self.apply(&decision)?;
        let told = decision.outputs.into_iter().filter_map(|output| match output {
            Output::Outcome { row, .. } => {
                let place = Place {
                    outcome: row.outcome,
                    incident: row.incident,
                };
                Some((row.key, place))
            }
            _ => None,
        });
        Ok(told.collect())
    }

    fn apply(&mut self, decision: &Decision) -> anyhow::Result<()> {
        for change in &decision.changes {
            self.engine.apply(change)?;
        }
        Ok(())
    }
}
