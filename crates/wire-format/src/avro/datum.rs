//! Reads one datum along its writer's plan, straight into its record; hostile bytes end in an error.

use std::fmt;

use city_model::{DeadLetterReason, EventTime, Source};
use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_path_to_error::Track;

use super::direct::{self, Op};
use super::input::{AvroError, Input, deeper};
use super::items::{Fields, Items};
use super::plan::{Plan, Step};
use crate::fill::{Fill, Filled};
use crate::record::{Record, RecordOf};
use crate::{Refusal, identity, refusal};

/// Bytes with the plan to read them by, and what stands in for fields that they lack.
pub(crate) struct Datum<'a, 'de> {
    way: &'a Way,
    bytes: &'de [u8],
    fill: Option<&'a Fill<'a>>,
}

/// How the datums of a writer are read into the records of a stream.
#[derive(Debug)]
pub(crate) struct Way {
    plan: Plan,
    /// The short way, where there is one.
    direct: Option<Box<[Op]>>,
}

impl Way {
    pub(crate) fn new(source: Source, plan: Plan) -> Way {
        let direct = direct::compile(source, &plan);
        Way { plan, direct }
    }
}

impl<'a, 'de> Datum<'a, 'de> {
    pub(crate) fn new(way: &'a Way, bytes: &'de [u8], fill: Option<&'a Fill<'a>>) -> Datum<'a, 'de> {
        Datum { way, bytes, fill }
    }

    /// The record of `source`; bytes left over are refused.
    pub(crate) fn read(&self, source: Source) -> Result<Record<'de>, Refusal> {
        if self.fill.is_none() {
            let direct = self.way.direct.as_deref();
            if let Some(record) = direct.and_then(|ops| direct::read(source, ops, self.input())) {
                return Ok(record);
            }
            let mut input = self.input();
            if let Ok(record) = RecordOf(source).deserialize(input.value(0))
                && input.rest.is_empty()
            {
                return Ok(record);
            }
        }
        self.read_tracked(source)
            .map_err(|refusal| refusal.of(self.identity(source)))
    }

    fn input(&self) -> Input<'a, 'de> {
        Input::new(&self.way.plan, self.bytes)
    }

    fn identity(&self, source: Source) -> Option<city_model::EventKey> {
        let mut identity = identity::Look::new(source);
        let mut input = self.input();
        // What breaks after its two fields does not matter.
        let fill = self.fill.unwrap_or(&Fill::NOTHING);
        let _ = identity.deserialize(Filled::new(input.value(0), fill));
        identity.found()
    }

    /// Reads with what stands in, or again, keeping track of where it is.
    fn read_tracked(&self, source: Source) -> Result<Record<'de>, Refusal> {
        let mut input = self.input();
        let filled = Filled::new(input.value(0), self.fill.unwrap_or(&Fill::NOTHING));
        let mut track = Track::new();
        let read = RecordOf(source).deserialize(serde_path_to_error::Deserializer::new(filled, &mut track));
        let error = match read {
            Ok(record) if input.rest.is_empty() => return Ok(record),
            Ok(_) => {
                let detail = format!("{} bytes left over", input.rest.len());
                return Err(Refusal::new(DeadLetterReason::BadAvro, detail));
            }
            Err(error) => error,
        };
        let at = self.bytes.len() - input.rest.len();
        let path = track.path().to_string();
        Err(match error {
            AvroError::Record(message) => refusal::of_message(&path, &message),
            AvroError::BadUtf8 => Refusal::new(
                DeadLetterReason::BadUtf8,
                format!("text before byte {at} of the datum"),
            ),
            AvroError::Broken(what) => Refusal::new(
                DeadLetterReason::BadAvro,
                format!("{what} at byte {at} of the datum"),
            ),
        })
    }
}

/// Any value of a resolved plan, or what is wrong with it and where.
pub(super) fn read_plain<T: DeserializeOwned>(plan: &Plan, bytes: &[u8]) -> Result<T, String> {
    let mut input = Input::new(plan, bytes);
    match T::deserialize(input.value(0)) {
        Ok(value) if input.rest.is_empty() => Ok(value),
        Ok(_) => Err(format!("{} bytes left over", input.rest.len())),
        Err(error) => {
            let at = bytes.len() - input.rest.len();
            Err(match error {
                AvroError::Record(message) => message,
                AvroError::BadUtf8 => format!("text that is not UTF-8 before byte {at}"),
                AvroError::Broken(what) => format!("{what} at byte {at}"),
            })
        }
    }
}

const NO_SYMBOL: AvroError = AvroError::Broken("an enum symbol that does not exist");

pub(super) struct Value<'a, 'p, 'de> {
    pub(super) input: &'a mut Input<'p, 'de>,
    pub(super) step: usize,
}

impl<'a, 'p, 'de> Value<'a, 'p, 'de> {
    fn step(&self) -> &'p Step {
        &self.input.plan.steps[self.step] // a plan's numbers point into itself
    }

    fn branch(self, branches: &[usize]) -> Result<Value<'a, 'p, 'de>, AvroError> {
        let index = self.input.len()?;
        let step = *branches
            .get(index)
            .ok_or(AvroError::Broken("a union branch that does not exist"))?;
        Ok(Value {
            input: self.input,
            step,
        })
    }
}

impl<'de> Deserializer<'de> for Value<'_, '_, 'de> {
    type Error = AvroError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, AvroError> {
        let step = self.step();
        let input = self.input;
        match step {
            Step::Null => visitor.visit_unit(),
            Step::Boolean => match input.take(1)?[0] {
                0 => visitor.visit_bool(false),
                1 => visitor.visit_bool(true),
                _ => Err(AvroError::Broken("a boolean that is neither 0 nor 1")),
            },
            Step::Long => visitor.visit_i64(input.long()?),
            Step::Time(times, parts) => visitor.visit_i64(input.time(*times, *parts)?),
            Step::LocalTime(parts) => {
                let local = EventTime::from_millis(input.long()?.div_euclid(*parts)).to_string();
                visitor.visit_str(local.trim_end_matches('Z'))
            }
            Step::Float => visitor.visit_f64(input.float()?),
            Step::Double => visitor.visit_f64(input.double()?),
            Step::Bytes => visitor.visit_borrowed_bytes(input.bytes()?),
            Step::Fixed(len) => visitor.visit_borrowed_bytes(input.take(*len)?),
            Step::Text => visitor.visit_borrowed_str(input.text()?),
            Step::Promoted => visitor.visit_f64(input.long()? as f64),
            Step::Enum(symbols) => {
                let symbol = symbols.symbols.get(input.len()?).ok_or(NO_SYMBOL)?;
                visitor.visit_str(symbol)
            }
            Step::Symbols(symbols) => {
                let symbol = symbols.get(input.len()?).ok_or(NO_SYMBOL)?;
                let symbol = symbol
                    .as_deref()
                    .ok_or(AvroError::Broken("an enum symbol that is not known here"))?;
                visitor.visit_str(symbol)
            }
            Step::Union(branches) => deeper(input, |input| {
                Value {
                    input,
                    step: self.step,
                }
                .branch(branches)?
                .deserialize_any(visitor)
            }),
            Step::Array(items) => deeper(input, |input| {
                let mut items = Items::new(input, *items);
                let value = visitor.visit_seq(&mut items)?;
                items.finish()?;
                Ok(value)
            }),
            Step::Map(values) => deeper(input, |input| {
                let mut items = Items::new(input, *values);
                let value = visitor.visit_map(&mut items)?;
                items.finish()?;
                Ok(value)
            }),
            Step::Parts(parts) => deeper(input, |input| visitor.visit_map(Fields::new(input, parts))),
            // Resolution leaves none.
            Step::Record(_) => Err(AvroError::Broken("a record that was not resolved")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, AvroError> {
        let value = match self.step() {
            Step::Union(branches) => self.branch(branches)?,
            _ => self,
        };
        match value.step() {
            Step::Null => visitor.visit_none(),
            _ => visitor.visit_some(value),
        }
    }

    /// Symbols and texts are the names of an enum's members; none has data.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, AvroError> {
        let value = match self.step() {
            Step::Union(branches) => self.branch(branches)?,
            _ => self,
        };
        value.deserialize_any(Member(visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, AvroError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, AvroError> {
        self.input.skip(self.step)?;
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier
    }
}

/// Takes a text for the name of an enum's member.
struct Member<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Member<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<V::Value, E> {
        self.0.visit_enum(StrDeserializer::new(name))
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::{Format, SchemaStore, Topic};

    /// What the short way takes, the long way takes as the same; of what it does not take, the long way is asked anyhow.
    #[test]
    fn the_short_way_reads_what_the_long_way_reads() {
        let goldens: [(Source, &[u8]); 6] = [
            (Source::Sensor, include_bytes!("../../tests/golden/sensor.avro")),
            (Source::Hotline, include_bytes!("../../tests/golden/hotline.avro")),
            (Source::Video, include_bytes!("../../tests/golden/video.avro")),
            (Source::Report, include_bytes!("../../tests/golden/report.avro")),
            (Source::Weather, include_bytes!("../../tests/golden/weather.avro")),
            (Source::Command, include_bytes!("../../tests/golden/command.avro")),
        ];
        let store = SchemaStore::builtin().unwrap();
        let mut chance = ChaCha8Rng::seed_from_u64(7);
        let (mut taken, mut left) = (0, 0);
        for (source, golden) in goldens {
            let schema = store.by_id(SchemaStore::builtin_id(Topic::of(source)).unwrap());
            let way = schema.unwrap().way(source, store.readers());
            let ops = way.direct.as_deref().unwrap();
            let datum = &golden[Format::FRAME_BYTES..];
            for round in 0..3_000 {
                let mut bytes = datum.to_vec();
                for _ in 0..round % 3 {
                    let at = chance.random_range(0..bytes.len());
                    match chance.random_range(0..4) {
                        0 => bytes[at] = chance.random(),
                        1 => bytes[at] ^= 1 << chance.random_range(0..8),
                        2 => bytes.truncate(at.max(1)),
                        _ => bytes.insert(at, chance.random_range(0..4)),
                    }
                }
                let read = Datum::new(way, &bytes, None);
                match direct::read(source, ops, read.input()) {
                    Some(record) => {
                        // Not a number is not equal to itself.
                        let long = format!("{:?}", read.read_tracked(source));
                        assert_eq!(long, format!("{:?}", Ok::<_, Refusal>(record)), "{bytes:?}");
                        taken += 1;
                    }
                    None => {
                        assert!(round % 3 > 0, "{source}: a sound datum goes the short way");
                        left += 1;
                    }
                }
            }
        }
        assert!(taken > 7_000 && left > 1_000, "{taken} taken, {left} left");
    }
}
