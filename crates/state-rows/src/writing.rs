//! From a value to the bytes of a row.

use serde::ser::{self, Serialize};

use crate::error::RowError;
use crate::pieces::Pieces;
use crate::tags::*;
use crate::texts::Texts;
use crate::{ints, words};

pub(crate) struct Writer<'p> {
    out: Vec<u8>,
    texts: Texts,
    /// The last great number.
    last: i64,
    pieces: Option<&'p mut Pieces>,
}

impl<'p> Writer<'p> {
    pub(crate) fn new(pieces: Option<&'p mut Pieces>) -> Writer<'p> {
        Writer::into(Vec::new(), pieces)
    }

    /// Writes into memory that is there.
    pub(crate) fn into(out: Vec<u8>, pieces: Option<&'p mut Pieces>) -> Writer<'p> {
        Writer {
            out,
            texts: Texts::default(),
            last: 0,
            pieces,
        }
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    fn text(&mut self, text: &str) {
        if let Some(word) = words::number(text) {
            return match word.checked_sub(NEAR_WORDS) {
                None => self.byte(NEAR_WORD | word as u8),
                Some(far) => self.tagged(WORD, far as u64),
            };
        }
        let bytes = text.as_bytes();
        if let Some(number) = self.texts.find(&self.out, bytes) {
            return self.tagged(AGAIN, number as u64);
        }
        if bytes.len() <= SHORT_TEXT_MAX {
            self.byte(SHORT_TEXT | bytes.len() as u8);
        } else {
            self.tagged(TEXT, bytes.len() as u64);
        }
        self.out.extend_from_slice(bytes);
        self.texts.note(&self.out, bytes.len());
    }

    fn tagged(&mut self, tag: u8, number: u64) {
        self.byte(tag);
        ints::put(&mut self.out, number);
    }

    fn whole(&mut self, number: i64) {
        let (tag, size) = match u64::try_from(number) {
            Ok(small) if small <= SMALL_MAX => return self.byte(SMALL | small as u8),
            Ok(size) => (NUMBER, size),
            Err(_) => (BELOW, (!number).cast_unsigned()),
        };
        if !is_great(number) {
            if tag == NUMBER && ints::len(size) > 8 {
                return self.wide(size);
            }
            return self.tagged(tag, size);
        }
        let away = ints::fold(number.wrapping_sub(self.last));
        if ints::len(away) < ints::len(size) {
            self.tagged(FROM_LAST, away);
        } else {
            self.tagged(tag, size);
        }
        self.last = number;
    }

    fn wide(&mut self, number: u64) {
        self.byte(WIDE);
        self.out.extend_from_slice(&number.to_le_bytes());
    }

    /// The value of a field, whose name begins at `name`.
    fn value_of<T: Serialize + ?Sized>(&mut self, name: usize, value: &T) -> Result<(), RowError> {
        let is_shared = match (&self.pieces, self.out.get(name..)) {
            (Some(pieces), Some([word])) => pieces.shares(*word),
            _ => false,
        };
        if is_shared && self.shared(value)? {
            return Ok(());
        }
        value.serialize(&mut *self)
    }

    /// A field of a struct; one that says nothing is left out.
    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), RowError> {
        let (begun, known) = (self.out.len(), self.texts.known());
        self.text(name);
        let from = self.out.len();
        self.value_of(begun, value)?;
        if self.out[from..] == [NOTHING] {
            self.texts.forget(&self.out, known);
            self.out.truncate(begun);
        }
        Ok(())
    }

    /// Writes a value as a piece that is kept beside the row; `false` where it is too short for that, or there is no more room.
    fn shared<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<bool, RowError> {
        let mut alone = Writer::new(None);
        value.serialize(&mut alone)?;
        let Some(pieces) = &mut self.pieces else {
            return Ok(false);
        };
        let number = pieces.number(&alone.out);
        if let Some(number) = number {
            self.tagged(PIECE, u64::from(number));
        }
        Ok(number.is_some())
    }
}

impl<'w, 'p> ser::Serializer for &'w mut Writer<'p> {
    type Ok = ();
    type Error = RowError;
    type SerializeSeq = Open<'w, 'p>;
    type SerializeTuple = Open<'w, 'p>;
    type SerializeTupleStruct = Open<'w, 'p>;
    type SerializeTupleVariant = Open<'w, 'p>;
    type SerializeMap = Open<'w, 'p>;
    type SerializeStruct = Open<'w, 'p>;
    type SerializeStructVariant = Open<'w, 'p>;

    fn serialize_bool(self, value: bool) -> Result<(), RowError> {
        self.byte(if value { TRUE } else { FALSE });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), RowError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), RowError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), RowError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), RowError> {
        self.whole(value);
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Result<(), RowError> {
        self.serialize_i64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), RowError> {
        self.serialize_i64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), RowError> {
        self.serialize_i64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), RowError> {
        match i64::try_from(value) {
            Ok(value) => self.whole(value),
            Err(_) => self.wide(value),
        }
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), RowError> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), RowError> {
        self.byte(FLOAT);
        self.out.extend_from_slice(&value.to_le_bytes());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), RowError> {
        self.text(value.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), RowError> {
        self.text(value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), RowError> {
        self.tagged(BYTES, value.len() as u64);
        self.out.extend_from_slice(value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), RowError> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), RowError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), RowError> {
        self.byte(NOTHING);
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), RowError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), RowError> {
        self.text(variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), RowError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), RowError> {
        self.byte(VARIANT);
        self.text(variant);
        value.serialize(self)
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Open<'w, 'p>, RowError> {
        self.byte(SEQUENCE);
        Ok(Open(self))
    }

    fn serialize_tuple(self, _len: usize) -> Result<Open<'w, 'p>, RowError> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<Open<'w, 'p>, RowError> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Open<'w, 'p>, RowError> {
        self.byte(VARIANT);
        self.text(variant);
        self.serialize_seq(None)
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Open<'w, 'p>, RowError> {
        self.byte(MAP);
        Ok(Open(self))
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Open<'w, 'p>, RowError> {
        self.serialize_map(None)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Open<'w, 'p>, RowError> {
        self.byte(VARIANT);
        self.text(variant);
        self.serialize_map(None)
    }
}

/// A sequence or a map that is not at its end.
pub(crate) struct Open<'w, 'p>(&'w mut Writer<'p>);

impl Open<'_, '_> {
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), RowError> {
        value.serialize(&mut *self.0)
    }

    fn close(self) {
        self.0.byte(END);
    }
}

macro_rules! sequences {
    ($($of:ident::$put:ident)*) => {$(
        impl ser::$of for Open<'_, '_> {
            type Ok = ();
            type Error = RowError;

            fn $put<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), RowError> {
                self.value(value)
            }

            fn end(self) -> Result<(), RowError> {
                self.close();
                Ok(())
            }
        }
    )*};
}
sequences! {
    SerializeSeq::serialize_element SerializeTuple::serialize_element
    SerializeTupleStruct::serialize_field SerializeTupleVariant::serialize_field
}

macro_rules! structs {
    ($($of:ident)*) => {$(
        impl ser::$of for Open<'_, '_> {
            type Ok = ();
            type Error = RowError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), RowError> {
                self.0.field(name, value)
            }

            fn end(self) -> Result<(), RowError> {
                self.close();
                Ok(())
            }
        }
    )*};
}
structs! { SerializeStruct SerializeStructVariant }

impl ser::SerializeMap for Open<'_, '_> {
    type Ok = ();
    type Error = RowError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), RowError> {
        self.value(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), RowError> {
        self.value(value)
    }

    /// A struct with flattened parts is told so.
    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(
        &mut self,
        key: &K,
        value: &V,
    ) -> Result<(), RowError> {
        let begun = self.0.out.len();
        self.value(key)?;
        self.0.value_of(begun, value)
    }

    fn end(self) -> Result<(), RowError> {
        self.close();
        Ok(())
    }
}
