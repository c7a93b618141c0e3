//! What is fed: a simulated typhoon's reports, and quiet readings between them up to the mix.

use std::collections::BTreeSet;

use city_simulator::{Scenario, SimulatedRecord, Source, simulate_from};

/// How much of a stream is more than a quiet reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mix {
    /// Sensors on a dry day: one record in a hundred.
    Sensors,
    /// A typhoon's readings: one in ten.
    Typhoon,
    /// Every record is a report.
    Reports,
}

/// The seed of the city.
pub(crate) const SEED: u64 = 5;
/// How many quiet readings the city is asked for: each becomes many.
const TEMPLATES: usize = 20_000;

impl Mix {
    pub(crate) const ALL: [Mix; 3] = [Mix::Sensors, Mix::Typhoon, Mix::Reports];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Mix::Sensors => "sensor mix, 1 % reports",
            Mix::Typhoon => "typhoon mix, 10 % reports",
            Mix::Reports => "reports alone",
        }
    }

    /// How it is asked for.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Mix::Sensors => "sensors",
            Mix::Typhoon => "typhoon",
            Mix::Reports => "reports",
        }
    }

    /// A record of this mix costs so much more that a run has this part of the records.
    pub(crate) fn part(self) -> usize {
        match self {
            Mix::Sensors => 1,
            Mix::Typhoon => 2,
            Mix::Reports => 8,
        }
    }

    /// Quiet readings to a report.
    fn quiet(self) -> usize {
        match self {
            Mix::Sensors => 99,
            Mix::Typhoon => 9,
            Mix::Reports => 0,
        }
    }

    /// About `events` records in the order of their arrival, which ended a moment ago.
    pub(crate) fn records(self, events: usize) -> Vec<SimulatedRecord> {
        let wanted = events / (self.quiet() + 1);
        // Three of four records of the simulation are more than a quiet reading.
        let asked = (wanted * 7 / 5).max(TEMPLATES);
        let hours = asked as f64 / Scenario::Typhoon.events_per_hour();
        let start = now_ms() - (hours * 3_600_000.0) as i64 - 6 * 3_600_000;
        let all: Vec<SimulatedRecord> = simulate_from(Scenario::Typhoon, SEED, asked, start).collect();
        let is_quiet =
            |record: &SimulatedRecord| record.source == Source::Sensor && record.event_id.starts_with('Q');
        let busy: BTreeSet<&str> = all
            .iter()
            .filter(|record| record.source == Source::Sensor && !is_quiet(record))
            .map(|record| record.key.as_str())
            .collect();
        let quiet: Vec<(serde_json::Value, &SimulatedRecord)> = all
            .iter()
            .filter(|record| is_quiet(record) && !busy.contains(record.key.as_str()))
            .map(|record| (serde_json::from_str(&record.line).unwrap(), record))
            .collect();
        let mut records = Vec::with_capacity(events);
        for report in all.iter().filter(|record| !is_quiet(record)).take(wanted) {
            records.push(report.clone());
            for _ in 0..self.quiet() {
                let number = records.len();
                let (line, template) = &quiet[number % quiet.len()];
                records.push(reading(line.clone(), template, number, report.arrival_ms));
            }
        }
        records
    }
}

/// The same device's next quiet reading: another id, now, a value that has moved a little.
fn reading(
    mut line: serde_json::Value,
    template: &SimulatedRecord,
    number: usize,
    arrival_ms: i64,
) -> SimulatedRecord {
    let event_id = format!("N{number:09}");
    line["event_id"] = event_id.clone().into();
    line["observed_at"] = (arrival_ms - 500).into();
    if line.get("reported_at").is_some() {
        line["reported_at"] = arrival_ms.into();
    }
    if let Some(value) = line["value"].as_f64().filter(|value| value.fract() != 0.0) {
        line["value"] = (value * (1.0 + (number % 7) as f64 * 0.001)).into();
    }
    SimulatedRecord {
        arrival_ms,
        line: line.to_string(),
        event_id,
        truth: None,
        ..template.clone()
    }
}

pub(crate) fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.unwrap().as_millis()).unwrap()
}
