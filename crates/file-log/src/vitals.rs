//! The vital signs over files: the same counting as on Kafka, with nothing between its parts.

use std::sync::Arc;

use city_model::{Input, Name, Tick};
use city_rules::Calendar;
use city_vitals::{EventCounts, Fact, Incidents, VitalSigns, VitalsRecord};
use incident_engine::Output;
use stream_worker::Setup;

/// One city's vital signs while a replay runs.
pub(crate) struct FileVitals {
    city: Name,
    events: EventCounts,
    incidents: Incidents,
    signs: VitalSigns,
}

impl FileVitals {
    pub(crate) fn new(setup: &Arc<Setup>) -> anyhow::Result<FileVitals> {
        let calendar = Calendar::new(&setup.rules, &setup.timezone)?;
        Ok(FileVitals {
            city: setup.city.clone(),
            events: EventCounts::default(),
            incidents: Incidents::of_city(setup.city.clone()),
            signs: VitalSigns::new(setup.rules.clone(), calendar),
        })
    }

    /// Takes an input of the engine and what came of it; tells the minutes that ended.
    pub(crate) fn take(&mut self, input: &Input, outputs: &[Output]) -> Vec<VitalsRecord> {
        if let Input::Event(event) = input {
            self.events.add(&self.city, event);
        }
        // Seconds in which nothing happens have no tick, so the minutes that ended since the last are told before what this one
        // brings.
        let told = match input {
            Input::Tick(tick) => self.tell(tick),
            _ => Vec::new(),
        };
        for output in outputs {
            // Files keep every incident, and so do its counts.
            if let Output::Revision { record, .. } = output {
                for (_, fact) in self.incidents.take(record.incident_id.as_str(), Some(record)) {
                    self.signs.take(&fact);
                }
            }
        }
        // Nothing is restored over files.
        self.incidents.forget_changes();
        self.signs.forget_changes();
        told
    }

    fn tell(&mut self, tick: &Tick) -> Vec<VitalsRecord> {
        for (_, fact) in self.events.take() {
            self.signs.take(&fact);
        }
        for (_, at) in &tick.clocks {
            self.signs.take(&Fact::Clock {
                partition: 0,
                of: 1,
                at: *at,
            });
        }
        self.signs.tell()
    }
}
