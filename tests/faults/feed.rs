//! What goes in: the simulated records, in order.

use city_simulator::{Scenario, Simulation};
use kafka_log::Properties;

use crate::city::feed::{self, is_decided_alike};

/// The simulated records, sent to their topics in order.
pub struct Feed {
    records: Simulation,
    feed: feed::Feed,
    /// How many were sent.
    pub sent: i64,
}

impl Feed {
    /// The records of a city of this seed.
    pub fn new(properties: &Properties, prefix: &str, scenario: Scenario, seed: u64, records: usize) -> Feed {
        Feed {
            records: city_simulator::simulate(scenario, seed, records),
            feed: feed::Feed::new(properties, prefix),
            sent: 0,
        }
    }

    /// Sends the next ones, as far as there are any, but for those that a run with faults may rightly decide otherwise than a
    /// calm one.
    pub fn send(&mut self, count: usize) {
        for record in self.records.by_ref().take(count).filter(is_decided_alike) {
            self.feed.send(&record);
            self.sent += 1;
        }
        self.feed.flush();
    }
}
