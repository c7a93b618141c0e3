//! JSON texts: read at once, and only when that fails once more, slowly, to say where it went wrong.

use city_model::{DeadLetterReason, EventKey, Source};
use serde::de::{DeserializeSeed, Deserializer};
use serde_path_to_error::Track;

use crate::cloudevents::InData;
use crate::fill::{Fill, Filled};
use crate::record::{Record, RecordOf};
use crate::{Refusal, huge, identity, refusal};

/// What a record lies in.
#[derive(Clone, Copy)]
pub(crate) enum Within<'a> {
    /// Nothing: the text is the record.
    Nothing,
    /// The text is the record, and this stands in for what it lacks.
    Filled(&'a Fill<'a>),
    /// The text is an event, whose `data` are the record.
    Envelope(&'a Fill<'a>),
}

/// The text of a value, without the mark that some systems put before it.
pub(crate) fn text(source: Source, bytes: &[u8]) -> Result<&str, Refusal> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            // Fields before the flaw are whole.
            let sound = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            let detail = format!("at byte {}", error.valid_up_to());
            let identity = identity_of(source, sound, Within::Nothing);
            return Err(Refusal::new(DeadLetterReason::BadUtf8, detail).of(identity));
        }
    };
    let text = text.trim_start_matches('\u{feff}');
    // Serde would take an array for a record, field by field in order.
    if !text.trim_start().starts_with('{') {
        return Err(Refusal::new(DeadLetterReason::BadJson, "not an object"));
    }
    Ok(text)
}

/// The record that a text is, or that it is none.
pub(crate) fn parse(source: Source, text: &str) -> Result<Record<'_>, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let record = RecordOf(source).deserialize(&mut json)?;
    json.end()?;
    Ok(record)
}

/// The record, or the exact reason why there is none. It keeps track of where it is, which costs; so what can be a plain
/// record is tried with [`parse`] first. All that is no plain record takes this one way, which keeps the code small.
pub(crate) fn read<'a>(source: Source, text: &'a str, within: Within<'_>) -> Result<Record<'a>, Refusal> {
    let refusal = match tracked(source, text, within) {
        Ok(record) => return Ok(record),
        Err((path, error)) => told(&path, &error).of(identity_of(source, text, within)),
    };
    if source == Source::Hotline && refusal.reason == DeadLetterReason::BadValue {
        // A ticket is never refused for its location, not even for one like 1e999.
        if let Ok(record) = tracked(source, &huge::without_huge_numbers(text), within) {
            return Ok(record.into_owned());
        }
    }
    Err(refusal)
}

fn tracked<'a>(
    source: Source,
    text: &'a str,
    within: Within<'_>,
) -> Result<Record<'a>, (String, serde_json::Error)> {
    let mut track = Track::new();
    let record = Tracked {
        track: &mut track,
        record: RecordOf(source),
    };
    seeded(text, within, record).map_err(|error| (track.path().to_string(), error))
}

fn seeded<'de, S: DeserializeSeed<'de>>(
    text: &'de str,
    within: Within<'_>,
    seed: S,
) -> Result<S::Value, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = match within {
        Within::Nothing => seed.deserialize(Filled::new(&mut json, &Fill::NOTHING))?,
        Within::Filled(fill) => seed.deserialize(Filled::new(&mut json, fill))?,
        Within::Envelope(fill) => (&mut json).deserialize_map(InData {
            seed: FilledSeed { fill, seed },
        })?,
    };
    json.end()?;
    Ok(value)
}

/// A seed that is given what stands in for missing fields, too.
struct FilledSeed<'a, S> {
    fill: &'a Fill<'a>,
    seed: S,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for FilledSeed<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.seed.deserialize(Filled::new(deserializer, self.fill))
    }
}

/// A record whose way to where it breaks is kept.
struct Tracked<'a> {
    track: &'a mut Track,
    record: RecordOf,
}

impl<'de> DeserializeSeed<'de> for Tracked<'_> {
    type Value = Record<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Record<'de>, D::Error> {
        self.record
            .deserialize(serde_path_to_error::Deserializer::new(deserializer, self.track))
    }
}

/// Says what is wrong at a place.
fn told(path: &str, error: &serde_json::Error) -> Refusal {
    let message = error.to_string();
    if error.is_data() {
        return refusal::of_message(path, &message);
    }
    // Syntax errors have fixed texts. A number beyond a double is good JSON all the same, so it is a bad value; its
    // path may hold an unknown field's name, so it is named by its position.
    let position = format!("at line {} column {}", error.line(), error.column());
    if message.starts_with("number out of range") {
        return Refusal::new(
            DeadLetterReason::BadValue,
            format!("a number out of range {position}"),
        );
    }
    Refusal::new(DeadLetterReason::BadJson, message)
}

fn identity_of(source: Source, text: &str, within: Within<'_>) -> Option<EventKey> {
    let mut look = identity::Look::new(source);
    // What breaks after its two fields does not matter.
    let _ = seeded(text, within, &mut look);
    look.found()
}
