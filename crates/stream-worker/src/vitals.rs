//! The vitals processor in its three places: over the enriched log it counts events and tells the clock, over the published
//! incidents it finds what changed, and over the facts of both, keyed by cell, it keeps the vital signs.

use std::sync::Arc;

use city_model::{DeadLetterReason, Event, Name, Tick};
use city_rules::Calendar;
use city_vitals::{Clocks, EventCounts, Fact, Incidents, Listed, VitalSigns};
use incident_engine::IncidentRecord;
use serde::Deserialize;
use wire_format::{Reader, Refusal, Topic};

use crate::{InForce, InputRecord, OutRecord, Outbox, Outputs, Processor, Setup, Standing, dead_letter};

/// Over one partition of the enriched log.
pub struct VitalsOfEvents {
    city: Name,
    partition: u32,
    /// How many partitions the enriched log has, and the facts.
    of: u32,
    facts: i32,
    clocks: Clocks,
    counts: EventCounts,
}

/// What of a batch counts here.
#[derive(Deserialize)]
struct Batch {
    inputs: Vec<Input>,
}

/// One input: which of them it is, and of an activation only what the clock needs, since the rules are long.
#[derive(Deserialize)]
struct Input {
    #[serde(default)]
    activation: Option<Listed>,
    #[serde(default)]
    event: Option<Box<Event>>,
    #[serde(default)]
    tick: Option<Tick>,
}

impl VitalsOfEvents {
    /// A partition of the enriched log, whose facts go to so many partitions.
    pub fn new(setup: &Setup, partition: i32, facts: i32) -> VitalsOfEvents {
        VitalsOfEvents {
            city: setup.city.clone(),
            partition: partition.unsigned_abs(),
            of: setup.partitions().unsigned_abs(),
            facts: facts.max(1),
            clocks: Clocks::default(),
            counts: EventCounts::default(),
        }
    }
}

impl Processor for VitalsOfEvents {
    fn restore(&mut self, key: &str, value: Option<&[u8]>) -> anyhow::Result<()> {
        value.map_or(Ok(()), |value| self.clocks.restore(key, value))
    }

    fn begin(&mut self, _out: &mut Outbox) {}

    fn process(&mut self, record: &InputRecord<'_>, out: &mut Outbox) {
        let batch: Batch = match serde_json::from_slice(record.value.unwrap_or_default()) {
            Ok(batch) => batch,
            // The correlator has told it, and made a dead letter of it.
            Err(error) => {
                tracing::error!(offset = record.offset, %error, "unreadable batch: its events are not counted");
                return;
            }
        };
        for input in batch.inputs {
            if let Some(event) = &input.event {
                self.counts.add(&self.city, event);
            }
            if let Some(listed) = input.activation {
                self.clocks.list(listed);
            }
            if let Some(tick) = &input.tick {
                self.clocks.take(tick);
                // Before the clock that ends their minute.
                send(self.counts.take(), out);
                if let Some(at) = self.clocks.moved() {
                    let (partition, of) = (self.partition, self.of);
                    for to in 0..self.facts {
                        let value = fact_value(&Fact::Clock { partition, of, at });
                        out.records.push(OutRecord {
                            partition: Some(to),
                            key: None,
                            ..OutRecord::keyed(Topic::VitalsFacts, "", Some(value))
                        });
                    }
                }
            }
        }
    }

    fn checkpoint(&mut self, out: &mut Outbox) {
        send(self.counts.take(), out);
        let (key, row) = self.clocks.row();
        out.rows.insert(key, Some(row));
    }
}

/// Over one partition of the published incidents.
pub struct VitalsOfIncidents {
    incidents: Incidents,
    reader: Arc<Reader>,
}

impl VitalsOfIncidents {
    /// A partition of `city.incidents.v1`.
    pub fn new(setup: &Setup, reader: Arc<Reader>) -> VitalsOfIncidents {
        VitalsOfIncidents {
            incidents: Incidents::of_city(setup.city.clone()),
            reader,
        }
    }
}

impl Processor for VitalsOfIncidents {
    fn restore(&mut self, key: &str, value: Option<&[u8]>) -> anyhow::Result<()> {
        self.incidents.restore(key, value)
    }

    fn begin(&mut self, _out: &mut Outbox) {}

    fn is_ready(&mut self, record: &InputRecord<'_>) -> bool {
        record.value.is_none_or(|value| self.reader.is_ready(value))
    }

    fn process(&mut self, record: &InputRecord<'_>, out: &mut Outbox) {
        let id = String::from_utf8_lossy(record.key.unwrap_or_default());
        match record
            .value
            .map(|value| self.reader.read::<IncidentRecord>(value))
            .transpose()
        {
            Ok(told) => send(self.incidents.take(&id, told.as_ref()), out),
            Err(error) => {
                tracing::error!(offset = record.offset, %error, "unreadable incident: it does not count");
                out.records.push(unreadable(record, "unreadable incident"));
            }
        }
    }

    fn checkpoint(&mut self, out: &mut Outbox) {
        out.rows.extend(self.incidents.rows());
    }
}

/// Over one partition of the facts.
pub struct VitalsOfCells {
    signs: VitalSigns,
    outputs: Arc<Outputs>,
    in_force: Arc<InForce>,
    seen: u64,
}

impl VitalsOfCells {
    /// A partition of the facts, by the rules that are in force. `calendar` stands in for theirs where it cannot be made.
    pub fn following(in_force: Arc<InForce>, outputs: Arc<Outputs>, calendar: Calendar) -> VitalsOfCells {
        let (seen, Standing { setup, .. }) = in_force.standing();
        let calendar = Calendar::new(&setup.rules, &setup.timezone).unwrap_or(calendar);
        VitalsOfCells {
            signs: VitalSigns::new(setup.rules.clone(), calendar),
            outputs,
            in_force,
            seen,
        }
    }
}

impl Processor for VitalsOfCells {
    fn restore(&mut self, key: &str, value: Option<&[u8]>) -> anyhow::Result<()> {
        value.map_or(Ok(()), |value| self.signs.restore(key, value))
    }

    fn begin(&mut self, _out: &mut Outbox) {}

    fn refresh(&mut self, _out: &mut Outbox) {
        let Some((seen, standing)) = self.in_force.newer_than(self.seen) else {
            return;
        };
        self.seen = seen;
        match Calendar::new(&standing.setup.rules, &standing.setup.timezone) {
            Ok(calendar) => self.signs.set_rules(standing.setup.rules.clone(), calendar),
            Err(error) => tracing::error!(%error, "the vital signs keep their calendar"),
        }
    }

    fn process(&mut self, record: &InputRecord<'_>, out: &mut Outbox) {
        match serde_json::from_slice(record.value.unwrap_or_default()) {
            Ok(fact) => self.signs.take(&fact),
            Err(error) => {
                // Only this program writes facts.
                tracing::error!(offset = record.offset, %error, "unreadable fact: it does not count");
                out.records.push(unreadable(record, "unreadable fact"));
                return;
            }
        }
        for told in self.signs.tell() {
            let value = self.outputs.value(Topic::Vitals, &told);
            out.records
                .push(OutRecord::keyed(Topic::Vitals, &told.key(), Some(value)));
        }
    }

    fn checkpoint(&mut self, out: &mut Outbox) {
        let rows = self.signs.rows().into_iter();
        out.rows.extend(rows.map(|(key, value)| (key, Some(value))));
    }
}

fn send(facts: Vec<(String, Fact)>, out: &mut Outbox) {
    for (key, fact) in facts {
        out.records.push(OutRecord::keyed(
            Topic::VitalsFacts,
            &key,
            Some(fact_value(&fact)),
        ));
    }
}

fn fact_value(fact: &Fact) -> Vec<u8> {
    // Serialising to memory cannot fail: text and numbers.
    serde_json::to_vec(fact).unwrap_or_default()
}

fn unreadable(record: &InputRecord<'_>, why: &'static str) -> OutRecord {
    dead_letter(record, &Refusal::new(DeadLetterReason::ProcessingFailed, why))
}
