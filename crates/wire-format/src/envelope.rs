//! What we publish as a CloudEvent in binary mode: the attributes that stand in headers beside a record's value.

use city_model::EventTime;

use crate::Topic;

/// The attributes of an event that is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The topic that it is published in; it says which type of event this is.
    pub topic: Topic,
    /// Its id, unique for this source.
    pub id: &'a str,
    /// Who publishes it, a reference by URI.
    pub source: &'a str,
    /// What it is about.
    pub subject: &'a str,
    /// When it happened, by the log's clock.
    pub time: EventTime,
    /// The event that caused it, by its own id (the extension for correlation).
    pub cause: Option<&'a str>,
}

/// The type of the events of a topic; `None` where records are no events of their own: what became of a record, and the vital
/// signs, are kept as state by key.
pub const fn event_type(topic: Topic) -> Option<&'static str> {
    match topic {
        Topic::Incidents
        | Topic::IncidentsP1
        | Topic::IncidentsP2
        | Topic::IncidentsP3
        | Topic::IncidentsP4 => Some("city.incident.v1"),
        Topic::DeviceFaults => Some("city.device.fault.v1"),
        Topic::Late => Some("city.event.late.v1"),
        _ => None,
    }
}

impl Envelope<'_> {
    /// The headers; none where the topic's records are no events.
    pub fn headers(&self, value: &[u8]) -> Vec<(&'static str, String)> {
        let Some(kind) = event_type(self.topic) else {
            return Vec::new();
        };
        // The registry's frame begins with a zero, JSON never does.
        let content = match value.first() {
            Some(0) => "application/avro",
            _ => "application/json",
        };
        let mut headers = vec![
            ("ce_specversion", "1.0".to_owned()),
            ("ce_id", self.id.to_owned()),
            ("ce_source", self.source.to_owned()),
            ("ce_type", kind.to_owned()),
            ("ce_subject", self.subject.to_owned()),
            ("ce_time", self.time.to_string()),
            ("content-type", content.to_owned()),
        ];
        headers.extend(self.cause.map(|cause| ("ce_causationid", cause.to_owned())));
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_publish_says_what_it_is() {
        let envelope = Envelope {
            topic: Topic::IncidentsP1,
            id: "i/7",
            source: "/cityops/310117",
            subject: "i",
            time: EventTime::from_millis(0),
            cause: Some("gauges/e"),
        };
        let told: Vec<String> = envelope
            .headers(b"\0\0\0\0\x01")
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let expected = [
            "ce_specversion=1.0",
            "ce_id=i/7",
            "ce_source=/cityops/310117",
            "ce_type=city.incident.v1",
            "ce_subject=i",
            "ce_time=1970-01-01T00:00:00.000Z",
            "content-type=application/avro",
            "ce_causationid=gauges/e",
        ];
        assert_eq!(told, expected);
        let topic = Topic::Outcomes;
        assert_eq!(Envelope { topic, ..envelope }.headers(b"{}"), []);
        let json = envelope.headers(b"{}");
        assert!(json.contains(&("content-type", "application/json".to_owned())));
    }
}
