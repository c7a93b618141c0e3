//! One value into its bytes, along a schema's plan: a union's branch is the first that the value fits.

use std::fmt;

use serde::ser::{self, Serialize, Serializer};

use super::plan::{Plan, Step};
use super::put_many::{PutEntries, PutFields, PutItems};

/// Why a value cannot be written.
#[derive(Debug)]
pub(super) enum PutError {
    /// A field comes after one that follows it in the schema: to be tried again with every field by itself.
    OutOfOrder,
    /// It does not fit the schema.
    Unfit(String),
}

impl fmt::Display for PutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PutError::OutOfOrder => f.write_str("fields out of order"),
            PutError::Unfit(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for PutError {}

impl ser::Error for PutError {
    fn custom<T: fmt::Display>(message: T) -> PutError {
        PutError::Unfit(message.to_string())
    }
}

/// A zig-zag varint.
pub(super) fn put_long(out: &mut Vec<u8>, number: i64) {
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_long(out, bytes.len() as i64); // no slice is longer than an i64 counts
    out.extend_from_slice(bytes);
}

/// Where a value goes.
pub(super) struct Put<'a, 'p> {
    pub(super) plan: &'p Plan,
    pub(super) step: usize,
    pub(super) out: &'a mut Vec<u8>,
    /// Records may bring their fields in any order.
    pub(super) any_order: bool,
}

impl<'a, 'p> Put<'a, 'p> {
    pub(super) fn new(plan: &'p Plan, out: &'a mut Vec<u8>, any_order: bool) -> Put<'a, 'p> {
        Put::at(plan, 0, out, any_order)
    }

    pub(super) fn at(plan: &'p Plan, step: usize, out: &'a mut Vec<u8>, any_order: bool) -> Put<'a, 'p> {
        Put {
            plan,
            step,
            out,
            any_order,
        }
    }

    /// The step that takes a value, behind the number of its branch where there is a union.
    fn choose(&mut self, value: &'static str, fits: impl Fn(&Step) -> bool) -> Result<&'p Step, PutError> {
        let step = &self.plan.steps[self.step];
        let Step::Union(branches) = step else {
            return if fits(step) { Ok(step) } else { Err(unfit(value)) };
        };
        // A union holds no union.
        for (index, branch) in branches.iter().enumerate() {
            let step = &self.plan.steps[*branch];
            if fits(step) {
                put_long(self.out, index as i64);
                self.step = *branch;
                return Ok(step);
            }
        }
        Err(unfit(value))
    }
}

pub(super) fn unfit(value: &'static str) -> PutError {
    PutError::Unfit(format!("{value} where the schema has something else"))
}

impl<'a, 'p> Serializer for Put<'a, 'p> {
    type Ok = ();
    type Error = PutError;
    type SerializeSeq = PutItems<'a, 'p>;
    type SerializeTuple = PutItems<'a, 'p>;
    type SerializeTupleStruct = PutItems<'a, 'p>;
    type SerializeTupleVariant = ser::Impossible<(), PutError>;
    type SerializeMap = PutEntries<'a, 'p>;
    type SerializeStruct = PutEntries<'a, 'p>;
    type SerializeStructVariant = ser::Impossible<(), PutError>;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(mut self, value: bool) -> Result<(), PutError> {
        self.choose("a boolean", |step| matches!(step, Step::Boolean))?;
        self.out.push(u8::from(value));
        Ok(())
    }

    fn serialize_i64(mut self, value: i64) -> Result<(), PutError> {
        let step = self.choose("a whole number", |step| {
            matches!(step, Step::Long | Step::Time(..) | Step::Double | Step::Float)
        })?;
        match step {
            // Milliseconds to what the schema counts in.
            Step::Time(times, parts) => {
                put_long(self.out, value.saturating_mul(*parts).div_euclid(*times));
            }
            Step::Double => self.out.extend_from_slice(&(value as f64).to_le_bytes()),
            Step::Float => self.out.extend_from_slice(&(value as f32).to_le_bytes()),
            _ => put_long(self.out, value),
        }
        Ok(())
    }

    fn serialize_u64(self, value: u64) -> Result<(), PutError> {
        let value = i64::try_from(value).map_err(|_| unfit("a number beyond 63 bits"))?;
        self.serialize_i64(value)
    }

    fn serialize_f64(mut self, value: f64) -> Result<(), PutError> {
        let step = self.choose("a number", |step| matches!(step, Step::Double | Step::Float))?;
        match step {
            Step::Float => self.out.extend_from_slice(&(value as f32).to_le_bytes()),
            _ => self.out.extend_from_slice(&value.to_le_bytes()),
        }
        Ok(())
    }

    fn serialize_str(mut self, text: &str) -> Result<(), PutError> {
        let step = self.choose("a text", |step| match step {
            Step::Text | Step::Bytes => true,
            Step::Enum(symbols) => symbols.symbols.iter().any(|symbol| symbol == text),
            _ => false,
        })?;
        match step {
            Step::Enum(symbols) => {
                let index = symbols.symbols.iter().position(|symbol| symbol == text);
                put_long(self.out, index.ok_or_else(|| unfit("a text"))? as i64);
            }
            _ => put_bytes(self.out, text.as_bytes()),
        }
        Ok(())
    }

    fn serialize_bytes(mut self, bytes: &[u8]) -> Result<(), PutError> {
        let step = self.choose("bytes", |step| match step {
            Step::Bytes => true,
            Step::Fixed(len) => *len == bytes.len(),
            _ => false,
        })?;
        match step {
            Step::Fixed(_) => self.out.extend_from_slice(bytes),
            _ => put_bytes(self.out, bytes),
        }
        Ok(())
    }

    fn serialize_none(mut self) -> Result<(), PutError> {
        self.choose("nothing", |step| matches!(step, Step::Null))?;
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), PutError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), PutError> {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), PutError> {
        self.serialize_none()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), PutError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), PutError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<(), PutError> {
        Err(unfit("an enum with data"))
    }

    fn serialize_seq(mut self, len: Option<usize>) -> Result<PutItems<'a, 'p>, PutError> {
        match self.choose("a list", |step| matches!(step, Step::Array(_)))? {
            Step::Array(items) => Ok(PutItems::new(self.at_step(*items), len)),
            _ => Err(unfit("a list")),
        }
    }

    fn serialize_tuple(self, len: usize) -> Result<PutItems<'a, 'p>, PutError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _name: &'static str, len: usize) -> Result<PutItems<'a, 'p>, PutError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeTupleVariant, PutError> {
        Err(unfit("an enum with data"))
    }

    fn serialize_map(mut self, len: Option<usize>) -> Result<PutEntries<'a, 'p>, PutError> {
        match self.choose("a record", |step| matches!(step, Step::Record(_) | Step::Map(_)))? {
            Step::Map(values) => Ok(PutEntries::Map(PutItems::new(self.at_step(*values), len))),
            Step::Record(record) => Ok(PutEntries::Record(PutFields::new(self, &record.fields))),
            _ => Err(unfit("a record")),
        }
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<PutEntries<'a, 'p>, PutError> {
        // The length counts fields that are then left out.
        self.serialize_map(None)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeStructVariant, PutError> {
        Err(unfit("an enum with data"))
    }

    fn serialize_i8(self, value: i8) -> Result<(), PutError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), PutError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), PutError> {
        self.serialize_i64(value.into())
    }

    fn serialize_u8(self, value: u8) -> Result<(), PutError> {
        self.serialize_i64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), PutError> {
        self.serialize_i64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), PutError> {
        self.serialize_i64(value.into())
    }

    fn serialize_f32(self, value: f32) -> Result<(), PutError> {
        self.serialize_f64(value.into())
    }

    fn serialize_char(self, value: char) -> Result<(), PutError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }
}

impl<'a, 'p> Put<'a, 'p> {
    fn at_step(self, step: usize) -> Put<'a, 'p> {
        Put { step, ..self }
    }
}
