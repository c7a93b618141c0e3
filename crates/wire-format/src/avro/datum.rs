//! Reads one datum along its writer's plan, straight into its record; hostile bytes end in an error.

use city_model::{DeadLetterReason, EventTime, Source};
use serde::Deserialize;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::input::{AvroError, Input, deeper};
use super::items::{Fields, Items};
use super::plan::{Plan, Step};
use crate::fill::{Fill, Filled};
use crate::{Refusal, identity, refusal};

/// Bytes with the plan to read them by, and what stands in for fields that they lack.
pub(crate) struct Datum<'de> {
    plan: &'de Plan,
    bytes: &'de [u8],
    fill: Option<&'de Fill<'de>>,
}

impl<'de> Datum<'de> {
    pub(crate) fn new(plan: &'de Plan, bytes: &'de [u8], fill: Option<&'de Fill<'de>>) -> Datum<'de> {
        Datum { plan, bytes, fill }
    }

    /// The record of `source`; bytes left over are refused.
    pub(crate) fn read<T: DeserializeOwned>(&self, source: Source) -> Result<T, Refusal> {
        let mut input = self.input();
        if self.fill.is_none()
            && let Ok(record) = T::deserialize(input.value(0))
            && input.rest.is_empty()
        {
            return Ok(record);
        }
        self.read_tracked()
            .map_err(|refusal| refusal.of(self.identity(source)))
    }

    /// Any record, with the place of what is wrong with it.
    pub(crate) fn read_plain<T: DeserializeOwned>(&self) -> Result<T, String> {
        let mut input = self.input();
        let read = T::deserialize(input.value(0));
        match read {
            Ok(record) if input.rest.is_empty() => Ok(record),
            Ok(_) => Err(format!("{} bytes left over", input.rest.len())),
            Err(error) => {
                let at = self.bytes.len() - input.rest.len();
                Err(match error {
                    AvroError::Record(message) => message,
                    AvroError::BadUtf8 => format!("text that is not UTF-8 before byte {at}"),
                    AvroError::Broken(what) => format!("{what} at byte {at}"),
                })
            }
        }
    }

    fn input(&self) -> Input<'de> {
        Input::new(self.plan, self.bytes)
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
    fn read_tracked<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let mut input = self.input();
        let filled = Filled::new(input.value(0), self.fill.unwrap_or(&Fill::NOTHING));
        let error = match serde_path_to_error::deserialize::<_, T>(filled) {
            Ok(record) if input.rest.is_empty() => return Ok(record),
            Ok(_) => {
                let detail = format!("{} bytes left over", input.rest.len());
                return Err(Refusal::new(DeadLetterReason::BadAvro, detail));
            }
            Err(error) => error,
        };
        let at = self.bytes.len() - input.rest.len();
        let path = error.path().to_string();
        Err(match error.into_inner() {
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

const NO_SYMBOL: AvroError = AvroError::Broken("an enum symbol that does not exist");

pub(super) struct Value<'a, 'de> {
    pub(super) input: &'a mut Input<'de>,
    pub(super) step: usize,
}

impl<'a, 'de> Value<'a, 'de> {
    fn step(&self) -> &'de Step {
        &self.input.plan.steps[self.step] // a plan's numbers point into itself
    }

    fn branch(self, branches: &[usize]) -> Result<Value<'a, 'de>, AvroError> {
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

impl<'de> Deserializer<'de> for Value<'_, 'de> {
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
            Step::Time(times, parts) => {
                visitor.visit_i64(input.long()?.saturating_mul(*times).div_euclid(*parts))
            }
            Step::LocalTime(parts) => {
                let local = EventTime::from_millis(input.long()?.div_euclid(*parts)).to_string();
                visitor.visit_str(local.trim_end_matches('Z'))
            }
            Step::Float => {
                let bits = input.take(4)?.first_chunk().copied().unwrap_or_default();
                visitor.visit_f64(f64::from(f32::from_le_bytes(bits)))
            }
            Step::Double => {
                let bits = input.take(8)?.first_chunk().copied().unwrap_or_default();
                visitor.visit_f64(f64::from_le_bytes(bits))
            }
            Step::Bytes => visitor.visit_borrowed_bytes(input.bytes()?),
            Step::Fixed(len) => visitor.visit_borrowed_bytes(input.take(*len)?),
            Step::Text => visitor.visit_borrowed_str(input.text()?),
            Step::Promoted => visitor.visit_f64(input.long()? as f64),
            Step::Enum(symbols) => {
                let symbol = symbols.symbols.get(input.len()?).ok_or(NO_SYMBOL)?;
                visitor.visit_borrowed_str(symbol)
            }
            Step::Symbols(symbols) => {
                let symbol = symbols.get(input.len()?).ok_or(NO_SYMBOL)?;
                let symbol = symbol
                    .as_deref()
                    .ok_or(AvroError::Broken("an enum symbol that is not known here"))?;
                visitor.visit_borrowed_str(symbol)
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
        let symbol = <&str>::deserialize(value)?;
        visitor.visit_enum(BorrowedStrDeserializer::new(symbol))
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
