//! How the records of the outside topics are written: JSON, or Avro in a registry's frame; and as CloudEvents, if so told.

use std::collections::BTreeMap;

use city_model::{Event, EventTime};
use serde::Serialize;
use wire_format::{Encoder, Envelope, SchemaError, Topic, event_type};

/// The format of the outside topics. State, dead letters and the enriched log have their own.
#[derive(Debug, Default)]
pub struct Outputs {
    /// One for each topic that is written in Avro; none is JSON.
    encoders: BTreeMap<Topic, Encoder>,
    /// Who publishes, where records are CloudEvents.
    source: Option<String>,
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
            source: None,
        })
    }

    /// The same as CloudEvents of a city: attributes in headers (binary mode), values as they are.
    pub fn as_events(self, city: &str) -> Outputs {
        Outputs {
            source: Some(format!("/cityops/{city}")),
            ..self
        }
    }

    /// The headers that make a record an event, where records are: of its id, what it is about, when, and what caused it.
    pub(crate) fn headers(
        &self,
        topic: Topic,
        value: &[u8],
        about: impl FnOnce() -> (String, String, EventTime, Option<String>),
    ) -> Vec<(&'static str, String)> {
        let Some(source) = self.source.as_deref().filter(|_| event_type(topic).is_some()) else {
            return Vec::new();
        };
        let (id, subject, time, cause) = about();
        Envelope {
            topic,
            id: &id,
            source,
            subject: &subject,
            time,
            cause: cause.as_deref(),
        }
        .headers(value)
    }

    /// The same for an event that came too late, of which `at` is when that was found.
    pub(crate) fn late(&self, event: &Event, at: EventTime, value: &[u8]) -> Vec<(&'static str, String)> {
        self.headers(Topic::Late, value, || {
            (event.key.to_string(), event.key.to_string(), at, None)
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

    /// The value of a record for `topic`, when `written` is its value for another topic of the same schema: the bytes that
    /// [`Outputs::value`] gives, mostly without serialising it again.
    pub fn again<T: Serialize>(&self, topic: Topic, record: &T, written: &[u8]) -> Vec<u8> {
        let copy = match (self.encoders.get(&topic), written.first()) {
            (Some(encoder), _) => encoder.reframed(written),
            (None, Some(b'{')) => Some(written.to_vec()),
            (None, _) => None,
        };
        // One of the topics is Avro and the other JSON, or the record fits no schema.
        copy.unwrap_or_else(|| self.value(topic, record))
    }
}

#[cfg(test)]
mod tests {
    use incident_engine::{IncidentRecord, OutcomeRecord};

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

    #[test]
    fn what_is_written_again_has_the_bytes_that_it_would_have_anyway() {
        let record: IncidentRecord =
            serde_json::from_str(include_str!("../tests/written/golden/city.incidents.v1.1.json")).unwrap();
        let (all, bands) = (&Topic::OUTPUTS[..5], &Topic::OUTPUTS[1..5]);
        assert!(bands.iter().all(|band| band.schema() == all[0].schema()));
        for in_avro in [&[], all, bands, &all[..1], &all[1..3]] {
            let ids = in_avro.iter().zip(0x0001_0203..);
            let outputs = Outputs::avro(&ids.map(|(topic, id)| (*topic, id)).collect()).unwrap();
            let written = outputs.value(Topic::Incidents, &record);
            let misfit = outputs.value(Topic::Incidents, &[7]);
            for band in bands.iter().copied() {
                let fresh = outputs.value(band, &record);
                assert_eq!(fresh[0] == 0, in_avro.contains(&band));
                assert_eq!(
                    outputs.again(band, &record, &written),
                    fresh,
                    "{band} of {in_avro:?}"
                );
                assert_eq!(outputs.again(band, &[7], &misfit), b"[7]");
            }
        }
    }
}
