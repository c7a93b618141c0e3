//! Values of many parts into their bytes: lists, maps, and records with their defaults.

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, SerializeTupleStruct,
};

use super::plan::{Field, Plan};
use super::put::{Put, PutError, put_bytes, put_long, unfit};

/// The items of a list, or the values of a map: one block, with its count before it.
pub(super) struct PutItems<'a, 'p> {
    to: Put<'a, 'p>,
    /// Where the block begins when its length is not known beforehand.
    begin: Option<usize>,
    expected: usize,
    count: usize,
}

impl<'a, 'p> PutItems<'a, 'p> {
    pub(super) fn new(to: Put<'a, 'p>, len: Option<usize>) -> PutItems<'a, 'p> {
        let begin = len.is_none().then_some(to.out.len());
        if let Some(len @ 1..) = len {
            put_long(to.out, len as i64);
        }
        PutItems {
            to,
            begin,
            expected: len.unwrap_or(0),
            count: 0,
        }
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), PutError> {
        self.count += 1;
        let to = &mut self.to;
        value.serialize(Put::at(to.plan, to.step, to.out, to.any_order))
    }

    fn finish(self) -> Result<(), PutError> {
        match self.begin {
            Some(begin) if self.count > 0 => {
                let mut count = Vec::new();
                put_long(&mut count, self.count as i64);
                self.to.out.splice(begin..begin, count);
            }
            None if self.count != self.expected => {
                return Err(unfit("a list of another length than it said"));
            }
            _ => {}
        }
        if self.count > 0 {
            put_long(self.to.out, 0);
        } else {
            self.to.out.push(0);
        }
        Ok(())
    }
}

impl SerializeSeq for PutItems<'_, '_> {
    type Ok = ();
    type Error = PutError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), PutError> {
        self.item(value)
    }

    fn end(self) -> Result<(), PutError> {
        self.finish()
    }
}

impl SerializeTuple for PutItems<'_, '_> {
    type Ok = ();
    type Error = PutError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), PutError> {
        self.item(value)
    }

    fn end(self) -> Result<(), PutError> {
        self.finish()
    }
}

impl SerializeTupleStruct for PutItems<'_, '_> {
    type Ok = ();
    type Error = PutError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), PutError> {
        self.item(value)
    }

    fn end(self) -> Result<(), PutError> {
        self.finish()
    }
}

/// The fields of a record, in the schema's order. What is left out is written as its default.
pub(super) struct PutFields<'a, 'p> {
    plan: &'p Plan,
    out: &'a mut Vec<u8>,
    fields: &'p [Field],
    /// The field that is written next.
    next: usize,
    /// In any order: what each field came to.
    apart: Option<Vec<Option<Vec<u8>>>>,
}

impl<'a, 'p> PutFields<'a, 'p> {
    pub(super) fn new(to: Put<'a, 'p>, fields: &'p [Field]) -> PutFields<'a, 'p> {
        PutFields {
            plan: to.plan,
            out: to.out,
            fields,
            next: 0,
            apart: to.any_order.then(|| vec![None; fields.len()]),
        }
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), PutError> {
        let place = |fields: &[Field]| fields.iter().position(|field| field.name == name);
        if let Some(apart) = &mut self.apart {
            let index = place(self.fields).ok_or_else(|| lacks(name))?;
            let mut bytes = Vec::new();
            value.serialize(Put::at(self.plan, self.fields[index].step, &mut bytes, true))?;
            apart[index] = Some(bytes);
            return Ok(());
        }
        let Some(ahead) = place(&self.fields[self.next..]) else {
            return Err(place(self.fields).map_or_else(|| lacks(name), |_| PutError::OutOfOrder));
        };
        for _ in 0..ahead {
            // A mandatory field may still come.
            self.default().map_err(|_| PutError::OutOfOrder)?;
        }
        let step = self.fields[self.next].step;
        self.next += 1;
        value.serialize(Put::at(self.plan, step, self.out, false))
    }

    /// Writes the next field's default.
    fn default(&mut self) -> Result<(), PutError> {
        let field = &self.fields[self.next];
        self.next += 1;
        match &field.written_default {
            Some(bytes) => {
                self.out.extend_from_slice(bytes);
                Ok(())
            }
            None => Err(PutError::Unfit(format!("{} is missing", field.name))),
        }
    }

    fn finish(mut self) -> Result<(), PutError> {
        for came in self.apart.take().unwrap_or_default() {
            match came {
                Some(bytes) => {
                    self.out.extend_from_slice(&bytes);
                    self.next += 1;
                }
                None => self.default()?,
            }
        }
        while self.next < self.fields.len() {
            self.default()?;
        }
        Ok(())
    }
}

fn lacks(name: &str) -> PutError {
    PutError::Unfit(format!("the schema has no field {name}"))
}

/// A map, or a record given as one.
pub(super) enum PutEntries<'a, 'p> {
    Map(PutItems<'a, 'p>),
    Record(PutFields<'a, 'p>),
}

impl PutEntries<'_, '_> {
    fn entry<V: Serialize + ?Sized>(&mut self, name: &str, value: &V) -> Result<(), PutError> {
        match self {
            PutEntries::Map(items) => {
                put_bytes(items.to.out, name.as_bytes());
                items.item(value)
            }
            PutEntries::Record(fields) => fields.field(name, value),
        }
    }
}

impl SerializeStruct for PutEntries<'_, '_> {
    type Ok = ();
    type Error = PutError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), PutError> {
        self.entry(name, value)
    }

    fn end(self) -> Result<(), PutError> {
        SerializeMap::end(self)
    }
}

impl SerializeMap for PutEntries<'_, '_> {
    type Ok = ();
    type Error = PutError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _key: &T) -> Result<(), PutError> {
        Err(unfit("a key without its value"))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, _value: &T) -> Result<(), PutError> {
        Err(unfit("a value without its key"))
    }

    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(
        &mut self,
        key: &K,
        value: &V,
    ) -> Result<(), PutError> {
        // Keys that are texts come this way through maps alone, which no hot path writes.
        match serde_json::to_value(key) {
            Ok(serde_json::Value::String(name)) => self.entry(&name, value),
            _ => Err(unfit("a key that is no text")),
        }
    }

    fn end(self) -> Result<(), PutError> {
        match self {
            PutEntries::Map(items) => items.finish(),
            PutEntries::Record(fields) => fields.finish(),
        }
    }
}
