//! Records as maps of fields; arrays and maps item by item, through all their blocks.

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess};

use super::input::{AvroError, Input};
use super::plan::Part;

/// The fields of a record, as a map.
pub(super) struct Fields<'a, 'p, 'de> {
    input: &'a mut Input<'p, 'de>,
    parts: &'p [Part],
    value: Next<'p>,
}

/// Where the value of the key that was given last is.
enum Next<'p> {
    Read(usize),
    Default(&'p serde_json::Value),
}

impl<'a, 'p, 'de> Fields<'a, 'p, 'de> {
    pub(super) fn new(input: &'a mut Input<'p, 'de>, parts: &'p [Part]) -> Fields<'a, 'p, 'de> {
        Fields {
            input,
            parts,
            value: Next::Read(0),
        }
    }
}

impl<'de> MapAccess<'de> for Fields<'_, '_, 'de> {
    type Error = AvroError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, AvroError> {
        while let Some((part, rest)) = self.parts.split_first() {
            self.parts = rest;
            let name = match part {
                Part::Skip(step) => {
                    self.input.skip(*step)?;
                    continue;
                }
                Part::Field(name, step) => {
                    self.value = Next::Read(*step);
                    name
                }
                Part::Default(name, value) => {
                    self.value = Next::Default(value);
                    name
                }
            };
            return seed.deserialize(de::value::StrDeserializer::new(name)).map(Some);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, AvroError> {
        match self.value {
            Next::Read(step) => seed.deserialize(self.input.value(step)),
            // Owned, for the record may outlive the schema.
            Next::Default(value) => seed
                .deserialize(value.clone())
                .map_err(|error| AvroError::Record(error.to_string())),
        }
    }
}

/// The items of an array or map, block by block.
pub(super) struct Items<'a, 'p, 'de> {
    input: &'a mut Input<'p, 'de>,
    step: usize,
    left: usize,
    ended: bool,
}

impl<'a, 'p, 'de> Items<'a, 'p, 'de> {
    pub(super) fn new(input: &'a mut Input<'p, 'de>, step: usize) -> Items<'a, 'p, 'de> {
        Items {
            input,
            step,
            left: 0,
            ended: false,
        }
    }

    /// Whether another item follows.
    fn advance(&mut self) -> Result<bool, AvroError> {
        if self.left == 0 && !self.ended {
            self.left = self.input.block()?;
            self.ended = self.left == 0;
        }
        if self.ended {
            return Ok(false);
        }
        self.left -= 1;
        Ok(true)
    }

    /// A visitor that stops early leaves bytes behind that would be read as something else.
    pub(super) fn finish(mut self) -> Result<(), AvroError> {
        match self.advance()? {
            false => Ok(()),
            true => Err(AvroError::Broken("items that nobody wanted")),
        }
    }
}

impl<'de> SeqAccess<'de> for &mut Items<'_, '_, 'de> {
    type Error = AvroError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, AvroError> {
        if !self.advance()? {
            return Ok(None);
        }
        seed.deserialize(self.input.value(self.step)).map(Some)
    }
}

impl<'de> MapAccess<'de> for &mut Items<'_, '_, 'de> {
    type Error = AvroError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, AvroError> {
        if !self.advance()? {
            return Ok(None);
        }
        let key = self.input.text()?;
        seed.deserialize(de::value::BorrowedStrDeserializer::new(key))
            .map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, AvroError> {
        seed.deserialize(self.input.value(self.step))
    }
}
