//! What is written to the outside topics: golden files of each format, and both formats saying the same.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests read their golden files"
)]

mod generated;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use apache_avro::Schema;
use apache_avro::schema_compatibility::SchemaCompatibility;
use apache_avro::types::Value as Avro;
use city_model::{Event, EventTime};
use city_vitals::VitalsRecord;
use event_intake::DeviceFault;
use generated::{Dice, Maker};
use incident_engine::{IncidentRecord, OutcomeRecord};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use stream_worker::Outputs;
use wire_format::{Format, Reader, SchemaStore, Topic, Unread};

/// The records of the outside topics; the bands' are incidents.
const WRITTEN: [Topic; 5] = [
    Topic::Incidents,
    Topic::Outcomes,
    Topic::Late,
    Topic::DeviceFaults,
    Topic::Vitals,
];

fn golden(topic: Topic, version: u32, extension: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/written/golden");
    folder.join(format!("{topic}.{version}.{extension}"))
}

/// All versions of a topic's schema so far, each with its number.
fn versions(topic: Topic) -> Vec<u32> {
    (1..)
        .take_while(|version| golden(topic, *version, "avsc").exists())
        .collect()
}

static AVRO: LazyLock<Outputs> = LazyLock::new(|| {
    let ids = Topic::OUTPUTS.map(|topic| (topic, SchemaStore::builtin_id(topic).unwrap()));
    Outputs::avro(&BTreeMap::from(ids)).unwrap()
});

/// Of a record's JSON: its JSON and its Avro as they are written, and its JSON as it is read back from each.
struct Ways {
    json: Vec<u8>,
    avro: Vec<u8>,
    back: [Result<Value, Unread>; 2],
}

fn ways(topic: Topic, reader: &Reader, json: &[u8]) -> Ways {
    match topic {
        Topic::Outcomes => ways_of::<OutcomeRecord>(topic, reader, json),
        Topic::Late => ways_of::<Event>(topic, reader, json),
        Topic::DeviceFaults => ways_of::<DeviceFault>(topic, reader, json),
        Topic::Vitals => ways_of::<VitalsRecord>(topic, reader, json),
        _ => ways_of::<IncidentRecord>(topic, reader, json),
    }
}

fn ways_of<T: Serialize + DeserializeOwned>(topic: Topic, reader: &Reader, json: &[u8]) -> Ways {
    let record: T = serde_json::from_slice(json).unwrap_or_else(|error| {
        panic!("{topic}: {error}: {}", String::from_utf8_lossy(json));
    });
    let (json, avro) = (Outputs::json().value(topic, &record), AVRO.value(topic, &record));
    let back = |bytes: &[u8]| {
        reader
            .read::<T>(bytes)
            .map(|record| serde_json::to_value(record).unwrap())
    };
    Ways {
        back: [back(&json), back(&avro)],
        json,
        avro,
    }
}

fn reader(topic: Topic) -> Reader {
    Reader::new(topic, None).unwrap()
}

/// Whether the reference library's reading of the Avro says what the JSON says.
fn say_the_same(avro: &Avro, json: Option<&Value>) -> bool {
    let Some(json) = json else {
        // What JSON leaves out.
        return match avro {
            Avro::Union(_, value) => say_the_same(value, None),
            Avro::Null | Avro::Boolean(false) => true,
            Avro::Array(items) => items.is_empty(),
            _ => false,
        };
    };
    match avro {
        Avro::Union(_, value) => say_the_same(value, Some(json)),
        Avro::Record(fields) => {
            let known = |name: &String| fields.iter().any(|(field, _)| field == name);
            json.as_object().is_some_and(|object| object.keys().all(known))
                && fields
                    .iter()
                    .all(|(name, value)| say_the_same(value, json.get(name)))
        }
        Avro::Array(items) => {
            let others = json.as_array().unwrap();
            items.len() == others.len() && items.iter().zip(others).all(|(a, b)| say_the_same(a, Some(b)))
        }
        Avro::Map(items) => {
            let others = json.as_object().unwrap();
            items.len() == others.len()
                && items
                    .iter()
                    .all(|(key, value)| say_the_same(value, others.get(key)))
        }
        Avro::TimestampMillis(ms) => {
            let text = EventTime::from_millis(*ms).to_string();
            json.as_i64() == Some(*ms) || json.as_str() == Some(&text)
        }
        Avro::Long(number) => json.as_i64() == Some(*number) || json.as_u64() == Some(number.cast_unsigned()),
        Avro::Int(number) => json.as_i64() == Some(i64::from(*number)),
        Avro::Double(number) => json.as_f64() == Some(*number),
        Avro::Boolean(yes) => json.as_bool() == Some(*yes),
        Avro::String(text) | Avro::Enum(_, text) => json.as_str() == Some(text),
        _ => false,
    }
}

fn by_the_reference(schema: &str, avro: &[u8]) -> Avro {
    let schema = Schema::parse_str(schema).unwrap();
    let reader = apache_avro::reader::datum::GenericDatumReader::builder(&schema)
        .build()
        .unwrap();
    let mut rest = &avro[Format::FRAME_BYTES..];
    let value = reader.read_value(&mut rest).unwrap();
    assert!(rest.is_empty() && value.validate(&schema));
    value
}

fn made(topic: Topic, schema: &Value, seed: u64) -> Value {
    let mut maker = Maker {
        dice: Dice(seed),
        text_times: [Topic::Incidents, Topic::Vitals].contains(&topic),
        named: Vec::new(),
    };
    maker.record(schema)
}

/// `CITYOPS_WRITE_GOLDEN=1` writes the files of a new version beside its JSON; existing ones are never overwritten.
#[test]
fn golden_files_are_written_and_read_as_they_always_were() {
    for topic in WRITTEN {
        let text = topic.schema().unwrap();
        let next = versions(topic).last().map_or(1, |last| last + 1);
        if std::env::var_os("CITYOPS_WRITE_GOLDEN").is_some() && golden(topic, next, "json").exists() {
            let sample = fs::read(golden(topic, next, "json")).unwrap();
            let ways = ways(topic, &reader(topic), &sample);
            fs::write(golden(topic, next, "avro"), &ways.avro).unwrap();
            fs::write(golden(topic, next, "avsc"), text).unwrap();
        }
        let versions = versions(topic);
        let last = *versions.last().unwrap();
        for version in versions {
            let file = |extension: &str| fs::read(golden(topic, version, extension)).unwrap();
            let (json, avro) = (file("json"), file("avro"));
            let schema = String::from_utf8(file("avsc")).unwrap();
            let frame: [u8; 4] = *avro[1..].first_chunk().unwrap();
            let reader = reader(topic).knowing(u32::from_be_bytes(frame), &schema).unwrap();
            let ways = ways(topic, &reader, &json);
            let told: Value = serde_json::from_slice(&json).unwrap();
            assert_eq!(ways.back, [Ok(told.clone()), Ok(told)], "{topic} {version}");
            let from_file: Value = match topic {
                Topic::Outcomes => serde_json::to_value(reader.read::<OutcomeRecord>(&avro).unwrap()),
                Topic::Late => serde_json::to_value(reader.read::<Event>(&avro).unwrap()),
                Topic::DeviceFaults => serde_json::to_value(reader.read::<DeviceFault>(&avro).unwrap()),
                Topic::Vitals => serde_json::to_value(reader.read::<VitalsRecord>(&avro).unwrap()),
                _ => serde_json::to_value(reader.read::<IncidentRecord>(&avro).unwrap()),
            }
            .unwrap();
            assert_eq!(Ok(from_file), ways.back[1], "{topic} {version}");
            if version == last {
                assert_eq!(ways.json, json, "{topic}: the JSON is another");
                assert_eq!(ways.avro, avro, "{topic}: the Avro is another");
            }
            let (old, new) = (
                Schema::parse_str(&schema).unwrap(),
                Schema::parse_str(text).unwrap(),
            );
            assert!(
                SchemaCompatibility::can_read(&old, &new).is_ok(),
                "{topic}: {version} cannot be read any more"
            );
            assert!(
                SchemaCompatibility::can_read(&new, &old).is_ok(),
                "{topic}: readers of {version} cannot go on"
            );
        }
        let latest: Value = serde_json::from_slice(&fs::read(golden(topic, last, "avsc")).unwrap()).unwrap();
        assert_eq!(
            latest,
            text.parse::<Value>().unwrap(),
            "{topic}: a version that has no golden files"
        );
    }
}

#[test]
fn a_golden_sample_has_every_field() {
    for topic in WRITTEN {
        let version = *versions(topic).last().unwrap();
        let avro = fs::read(golden(topic, version, "avro")).unwrap();
        let Avro::Record(fields) = by_the_reference(topic.schema().unwrap(), &avro) else {
            panic!("{topic} is no record")
        };
        for (name, value) in fields {
            let nothing = matches!(&value, Avro::Union(0, _))
                || matches!(&value, Avro::Array(items) if items.is_empty())
                || value == Avro::Boolean(false);
            assert!(!nothing, "{topic}: {name}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever a schema allows is a record, both formats say the same of it, and both are read as what was written.
    #[test]
    fn json_and_avro_say_the_same(seed in any::<u64>()) {
        for topic in WRITTEN {
            let text = topic.schema().unwrap();
            let schema: Value = text.parse().unwrap();
            let told = made(topic, &schema, seed);
            let ways = ways(topic, &reader(topic), told.to_string().as_bytes());
            prop_assert_eq!(&serde_json::from_slice::<Value>(&ways.json).unwrap(), &told, "{}", topic);
            prop_assert_eq!(Format::detect(&ways.avro), Format::Framed { schema_id: SchemaStore::builtin_id(topic) });
            prop_assert_eq!(&ways.back, &[Ok(told.clone()), Ok(told.clone())], "{}", topic);
            let reference = by_the_reference(text, &ways.avro);
            prop_assert!(say_the_same(&reference, Some(&told)), "{}: {:?} is not {}", topic, reference, told);
        }
    }

    /// Bytes that are not what they say end in an error, never in a panic or another record.
    #[test]
    fn damaged_avro_is_told(seed in any::<u64>(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        for topic in WRITTEN {
            let schema: Value = topic.schema().unwrap().parse().unwrap();
            let told = made(topic, &schema, seed).to_string();
            let reader = reader(topic);
            let mut bytes = ways(topic, &reader, told.as_bytes()).avro;
            let cut = Format::FRAME_BYTES + at.index(bytes.len() - Format::FRAME_BYTES);
            let read = |bytes: &[u8]| match topic {
                Topic::Outcomes => reader.read::<OutcomeRecord>(bytes).map(drop),
                Topic::Late => reader.read::<Event>(bytes).map(drop),
                Topic::DeviceFaults => reader.read::<DeviceFault>(bytes).map(drop),
                Topic::Vitals => reader.read::<VitalsRecord>(bytes).map(drop),
                _ => reader.read::<IncidentRecord>(bytes).map(drop),
            };
            prop_assert!(matches!(read(&bytes[..cut]), Err(Unread::Never(_))), "{} cut at {}", topic, cut);
            bytes[cut] ^= byte;
            let _ = read(&bytes);
        }
    }
}

#[test]
fn who_does_not_know_a_schema_says_so() {
    let reader = reader(Topic::Outcomes);
    let unread = |bytes: &[u8]| match reader.read::<OutcomeRecord>(bytes) {
        Err(Unread::Never(why)) => why,
        other => panic!("{other:?}"),
    };
    assert!(unread(b"\0\0\0\0\xFFx").contains("schema 255"));
    assert!(unread(b"\0\0").contains("cut off"));
    assert!(unread(b"\xC3\x01").contains("single-object"));
    assert!(unread(b"{}").contains("JSON"));
}
