//! How the records of the outside topics are written: JSON, or Avro in a registry's frame.

use std::collections::BTreeMap;

use serde::Serialize;
use wire_format::{Encoder, SchemaError, Topic};

/// The format of the outside topics. State, dead letters and the enriched log have their own.
#[derive(Debug, Default)]
pub struct Outputs {
    /// One for each topic that is written in Avro; none is JSON.
    encoders: BTreeMap<Topic, Encoder>,
}

impl Outputs {
    /// JSON everywhere.
    pub fn json() -> Outputs {
        Outputs::default()
    }

    /// Avro in the topics that are named, under the registry's id of each one's schema; JSON elsewhere.
    ///
    /// # Errors
    /// When a topic has no schema.
    pub fn avro(ids: &BTreeMap<Topic, u32>) -> Result<Outputs, SchemaError> {
        let encoders = ids
            .iter()
            .map(|(topic, id)| Ok((*topic, Encoder::new(*topic, *id)?)));
        Ok(Outputs {
            encoders: encoders.collect::<Result<_, SchemaError>>()?,
        })
    }

    /// The value of a record for a topic.
    pub fn value<T: Serialize>(&self, topic: Topic, record: &T) -> Vec<u8> {
        if let Some(encoder) = self.encoders.get(&topic) {
            match encoder.framed(record) {
                Ok(value) => return value,
                // Tests hold every record against its schema. What they missed must not be lost, and readers of ours take
                // both formats.
                Err(error) => {
                    tracing::error!(%topic, %error, "a record does not fit its schema: it is written as JSON")
                }
            }
        }
        // Our own records always serialise: text keys, no failing implementations.
        serde_json::to_vec(record).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use incident_engine::OutcomeRecord;

    use super::*;

    #[test]
    fn only_named_topics_are_avro_and_what_does_not_fit_is_not_lost() {
        let outputs = Outputs::avro(&BTreeMap::from([(Topic::Outcomes, 258)])).unwrap();
        let record = OutcomeRecord {
            outcome: city_model::Outcome::Late,
            incident_id: None,
            reason: None,
        };
        let avro = b"\0\0\0\x01\x02\x08late\0\0".to_vec();
        assert_eq!(outputs.value(Topic::Outcomes, &record), avro);
        let json = br#"{"outcome":"late"}"#.to_vec();
        assert_eq!(outputs.value(Topic::Incidents, &record), json);
        assert_eq!(Outputs::json().value(Topic::Outcomes, &record), json);
        assert_eq!(outputs.value(Topic::Outcomes, &7), b"7");
        assert!(Outputs::avro(&BTreeMap::from([(Topic::DeadLetters, 1)])).is_err());
    }
}
