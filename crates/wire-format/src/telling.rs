//! Which stream a value is of, where no topic tells: by the fields that it has, and in Avro by those of its writer's schema.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use city_model::Source;
use serde_json::Value;

use crate::avro::Step;
use crate::{Decoder, Format, Record};

/// The fields that tell a stream; one is enough.
const TELLING: [(Source, [&str; 2]); 4] = [
    (Source::Sensor, ["device_id", "metric"]),
    (Source::Hotline, ["ticket_id", "called_at"]),
    (Source::Video, ["camera_id", "alert_code"]),
    (Source::Report, ["report_id", "channel"]),
];

impl Decoder {
    /// The stream whose fields a value has: itself, or within a structured event. `None` where none does, and in Avro whose
    /// schema is not held.
    pub fn stream_of(&self, bytes: &[u8]) -> Option<Source> {
        if Format::detect(bytes) != Format::Json {
            return self.stream_of_avro(bytes);
        }
        let value: Value = serde_json::from_slice(bytes).ok()?;
        let own = by_fields(|field| value.get(field).is_some());
        if own.is_some() || value.get("specversion").is_none() {
            return own;
        }
        if let Some(data) = value.get("data").filter(|data| data.is_object()) {
            return by_fields(|field| data.get(field).is_some());
        }
        let data = STANDARD.decode(value.get("data_base64")?.as_str()?).ok()?;
        match Format::detect(&data) {
            Format::Json => {
                let data: Value = serde_json::from_slice(&data).ok()?;
                by_fields(|field| data.get(field).is_some())
            }
            _ => self.stream_of_avro(&data),
        }
    }

    fn stream_of_avro(&self, bytes: &[u8]) -> Option<Source> {
        let schema = match Format::detect(bytes) {
            Format::Framed { schema_id } => self.schemas().by_id(schema_id?),
            Format::SingleObject { fingerprint } => self.schemas().by_fingerprint(fingerprint?),
            Format::Json => None,
        }?;
        let Some(Step::Record(record)) = schema.steps().first() else {
            return None;
        };
        by_fields(|name| {
            let is_called = |field: &crate::avro::Field| {
                field.name == name || field.aliases.iter().any(|alias| alias == name)
            };
            record.fields.iter().any(is_called)
        })
    }
}

fn by_fields(has: impl Fn(&str) -> bool) -> Option<Source> {
    let mut streams = TELLING.into_iter();
    streams.find_map(|(source, fields)| fields.iter().any(|field| has(field)).then_some(source))
}

impl Record<'_> {
    /// The record as its JSON would be, however it came; a contact's `true` is 1.
    ///
    /// # Errors
    /// Where a record holds what JSON has no word for.
    pub fn to_json(&self) -> serde_json::Result<Value> {
        match self {
            Record::Sensor(record) => serde_json::to_value(record),
            Record::Hotline(record) => serde_json::to_value(record),
            Record::Video(record) => serde_json::to_value(record),
            Record::Report(record) => serde_json::to_value(record),
            Record::Weather(record) => serde_json::to_value(record),
            Record::Silence(record) => serde_json::to_value(record),
            Record::Command(record) => serde_json::to_value(record),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Encoder, SchemaStore, Topic};

    fn readings() -> [(Source, Value); 4] {
        [
            (
                Source::Sensor,
                json!({"event_id": "r-1", "source_system": "iot", "device_id": "gauge", "metric": "ponding_depth", "value": 18.5,
                    "unit": "cm", "alarm": true, "observed_at": 1_788_710_399_000_i64, "location": {"x": 121.23, "y": 31.03}}),
            ),
            (
                Source::Hotline,
                json!({"event_id": "t-1", "source_system": "12345", "ticket_id": "T1", "called_at": 1_788_710_399_000_i64}),
            ),
            (
                Source::Video,
                json!({"event_id": "v-1", "source_system": "video", "camera_id": "pole", "alert_code": "696",
                    "confidence": 0.9, "captured_at": 1_788_710_399_000_i64}),
            ),
            (
                Source::Report,
                json!({"event_id": "p-1", "source_system": "app", "channel": "app", "report_id": "P1",
                    "observed_at": 1_788_710_399_000_i64}),
            ),
        ]
    }

    #[test]
    fn however_a_record_comes_its_stream_is_told_and_its_json_is_the_same() {
        let decoder = Decoder::new(SchemaStore::builtin().unwrap());
        for (source, value) in readings() {
            let mut values = vec![value.to_string().into_bytes()];
            let plain = decoder.decode(source, &values[0]).unwrap().to_json().unwrap();
            assert_eq!(plain, value, "{source}");
            let topic = Topic::of(source);
            let encoder = Encoder::builtin(topic).unwrap();
            let record = decoder.decode(source, &values[0]).unwrap().into_owned();
            let coded = match &record {
                Record::Sensor(record) => [encoder.framed(record), encoder.single_object(record)],
                Record::Hotline(record) => [encoder.framed(record), encoder.single_object(record)],
                Record::Video(record) => [encoder.framed(record), encoder.single_object(record)],
                Record::Report(record) => [encoder.framed(record), encoder.single_object(record)],
                _ => unreachable!(),
            };
            let event = json!({"specversion": "1.0", "id": "e", "source": "s", "type": "t"});
            let with = |name: &str, data: Value| {
                let mut event = event.clone();
                event[name] = data;
                event.to_string().into_bytes()
            };
            values.push(with("data", value.clone()));
            values.push(with("data_base64", json!(STANDARD.encode(value.to_string()))));
            values.extend(coded.map(Result::unwrap));
            for bytes in &values {
                assert_eq!(decoder.stream_of(bytes), Some(source));
                let record = decoder.decode(source, bytes).unwrap();
                assert_eq!(record.to_json().unwrap(), value, "{source}");
            }
        }
        for nothing in [
            &b"{}"[..],
            b"[1]",
            b"{",
            b"\0\0\0\xff\xff1",
            b"\xc3\x01",
            b"\0",
            b"",
        ] {
            assert_eq!(decoder.stream_of(nothing), None);
        }
    }
}
