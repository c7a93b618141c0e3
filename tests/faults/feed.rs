//! What goes in: the simulated records, in order.

use city_simulator::{Scenario, SimulatedRecord, Simulation, Source};
use kafka_log::Properties;
use serde_json::json;

use crate::city::feed::{self, is_decided_alike};

/// After so many records works are announced once more; a simulated city has too few for a short run.
const WORKS_EVERY: i64 = 200;
const WORKS_LAST_MS: i64 = 20 * 60_000;

/// Works that hold back what a typhoon brings, in one half of the city or the other.
fn works(nth: i64, from_ms: i64) -> SimulatedRecord {
    let (west, east) = match nth / WORKS_EVERY % 2 {
        0 => (121.10, 121.23),
        _ => (121.23, 121.36),
    };
    let id = format!("works-{nth}");
    let line = json!({
        "silence_id": id, "kinds": ["tree_fallen", "road_ponding", "noise", "dust"],
        "area": {"type": "Polygon", "coordinates": [[
            [west, 30.98], [east, 30.98], [east, 31.16], [west, 31.16], [west, 30.98]
        ]]},
        "starts_at": from_ms, "ends_at": from_ms + WORKS_LAST_MS,
        "reason": "计划内道路施工", "created_by": "duty-desk", "created_at": from_ms,
    });
    SimulatedRecord {
        source: Source::Silence,
        key: id.clone(),
        arrival_ms: from_ms,
        line: line.to_string(),
        event_id: id,
        truth: None,
    }
}

/// The simulated records, sent to their topics in order.
pub struct Feed {
    records: Simulation,
    feed: feed::Feed,
    /// Sends weather warnings and announced works as well, and more of these than there are; a run with faults may rightly take
    /// them for other events than a calm one.
    pub warned: bool,
    /// How many were sent.
    pub sent: i64,
}

impl Feed {
    /// The records of a city of this seed, but for weather warnings and announced works.
    pub fn new(properties: &Properties, prefix: &str, scenario: Scenario, seed: u64, records: usize) -> Feed {
        Feed {
            records: city_simulator::simulate(scenario, seed, records),
            feed: feed::Feed::new(properties, prefix),
            warned: false,
            sent: 0,
        }
    }

    /// Sends the next ones, as far as there are any.
    pub fn send(&mut self, count: usize) {
        for record in self.records.by_ref().take(count) {
            if self.warned && self.sent % WORKS_EVERY == 0 {
                self.feed.send(&works(self.sent, record.arrival_ms));
                self.sent += 1;
            }
            if self.warned || is_decided_alike(&record) {
                self.feed.send(&record);
                self.sent += 1;
            }
        }
        self.feed.flush();
    }
}
