//! From the bytes of a row to a value.

use std::rc::Rc;

use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};

use crate::error::RowError;
use crate::pieces::Pieces;
use crate::shapes::{self, Shape};
use crate::tags::*;
use crate::{ints, words};

pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    texts: Vec<&'a str>,
    /// The texts of the piece that is being read begin here.
    first_text: usize,
    /// The last great number.
    last: i64,
    pieces: Option<&'a Pieces>,
    depth: u8,
}

/// What a text is.
enum Text<'a> {
    Word(usize),
    Told(&'a str),
}

impl<'a> Text<'a> {
    fn as_str(&self) -> &'a str {
        match self {
            Text::Word(number) => words::WORDS[*number],
            Text::Told(text) => text,
        }
    }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], pieces: Option<&'a Pieces>) -> Reader<'a> {
        Reader {
            bytes,
            at: 0,
            texts: Vec::new(),
            first_text: 0,
            last: 0,
            pieces,
            depth: 0,
        }
    }

    /// Nothing follows.
    pub(crate) fn end(&self) -> Result<(), RowError> {
        match self.bytes.len() - self.at {
            0 => Ok(()),
            more => Err(RowError::new(&format!("{more} bytes too many"))),
        }
    }

    fn peek(&self) -> Result<u8, RowError> {
        let byte = self.bytes.get(self.at).copied();
        byte.ok_or_else(|| RowError::new("the row ends within a value"))
    }

    fn tag(&mut self) -> Result<u8, RowError> {
        let tag = self.peek()?;
        self.at += 1;
        Ok(tag)
    }

    fn number(&mut self) -> Result<u64, RowError> {
        ints::take(self.bytes, &mut self.at)
    }

    fn slice(&mut self, len: u64) -> Result<&'a [u8], RowError> {
        let rest = &self.bytes[self.at..];
        let taken = usize::try_from(len).ok().and_then(|len| rest.get(..len));
        let taken = taken.ok_or_else(|| RowError::new("the row ends within a text"))?;
        self.at += taken.len();
        Ok(taken)
    }

    fn eight(&mut self) -> Result<[u8; 8], RowError> {
        let taken = self.slice(8)?;
        taken
            .try_into()
            .map_err(|_| RowError::new("eight bytes are missing"))
    }

    /// The text that a tag begins; `None` where it begins something else.
    fn text(&mut self, tag: u8) -> Result<Option<Text<'a>>, RowError> {
        let len = match tag {
            NEAR_WORD.. => return Ok(Some(Text::Word(usize::from(tag - NEAR_WORD)))),
            WORD => {
                let far = usize::try_from(self.number()?).unwrap_or(usize::MAX);
                let number = far.saturating_add(NEAR_WORDS);
                if number >= words::WORDS.len() {
                    return Err(RowError::new(&format!("word {number} is of a later version")));
                }
                return Ok(Some(Text::Word(number)));
            }
            AGAIN => {
                let number = usize::try_from(self.number()?).unwrap_or(usize::MAX);
                let known = self.texts.get(self.first_text.saturating_add(number));
                let known = known.ok_or_else(|| RowError::new("no such text before"))?;
                return Ok(Some(Text::Told(known)));
            }
            TEXT => self.number()?,
            SHORT_TEXT..SMALL => u64::from(tag - SHORT_TEXT),
            _ => return Ok(None),
        };
        let text = std::str::from_utf8(self.slice(len)?).map_err(|_| RowError::new("a text is no UTF-8"))?;
        if text.len() >= REMEMBERED {
            self.texts.push(text);
        }
        Ok(Some(Text::Told(text)))
    }

    fn whole(&mut self, number: i64) -> i64 {
        if is_great(number) {
            self.last = number;
        }
        number
    }

    /// Reads one value within another.
    fn deeper<R>(&mut self, read: impl FnOnce(&mut Self) -> Result<R, RowError>) -> Result<R, RowError> {
        if self.depth >= DEEPEST {
            return Err(RowError::new("values lie too deep in each other"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Reads a value where it is, or in its piece.
    fn here<R>(&mut self, read: impl FnOnce(&mut Self) -> Result<R, RowError>) -> Result<R, RowError> {
        if self.peek()? != PIECE {
            return read(self);
        }
        self.at += 1;
        let number = self.number()?;
        let piece = self.pieces.and_then(|pieces| pieces.get(number));
        let piece = piece.ok_or_else(|| RowError::new("no such piece"))?;
        self.deeper(|own| {
            let row = (own.bytes, own.at, own.first_text, own.last, own.pieces);
            own.first_text = own.texts.len();
            // A piece stands for itself: there is none in it.
            (own.bytes, own.at, own.last, own.pieces) = (piece, 0, 0, None);
            let result = read(own).and_then(|value| own.end().map(|()| value));
            own.texts.truncate(own.first_text);
            (own.bytes, own.at, own.first_text, own.last, own.pieces) = row;
            result
        })
    }

    fn sequence<V: Visitor<'a>>(&mut self, visitor: V) -> Result<V::Value, RowError> {
        self.deeper(|own| {
            let mut within = Within::new(own, None);
            let value = visitor.visit_seq(&mut within)?;
            within.close()?;
            Ok(value)
        })
    }

    fn map<V: Visitor<'a>>(&mut self, shape: Option<Rc<Shape>>, visitor: V) -> Result<V::Value, RowError> {
        self.deeper(|own| {
            let mut within = Within::new(own, shape);
            let value = visitor.visit_map(&mut within)?;
            within.close()?;
            Ok(value)
        })
    }

    fn any<V: Visitor<'a>>(&mut self, visitor: V) -> Result<V::Value, RowError> {
        let tag = self.tag()?;
        if let Some(text) = self.text(tag)? {
            return visitor.visit_borrowed_str(text.as_str());
        }
        match tag {
            SMALL..NEAR_WORD => visitor.visit_u64((tag - SMALL).into()),
            NUMBER => match self.number()? {
                number if number > i64::MAX.cast_unsigned() => visitor.visit_u64(number),
                number => visitor.visit_u64(self.whole(number.cast_signed()).cast_unsigned()),
            },
            BELOW => {
                let below = i64::try_from(self.number()?);
                let below = below.map_err(|_| RowError::new("a number has more than 64 bits"))?;
                visitor.visit_i64(self.whole(!below))
            }
            FROM_LAST => {
                let number = self.last.wrapping_add(ints::unfold(self.number()?));
                match self.whole(number) {
                    below @ ..0 => visitor.visit_i64(below),
                    number => visitor.visit_u64(number.cast_unsigned()),
                }
            }
            WIDE => visitor.visit_u64(u64::from_le_bytes(self.eight()?)),
            NOTHING => visitor.visit_unit(),
            FALSE => visitor.visit_bool(false),
            TRUE => visitor.visit_bool(true),
            FLOAT => visitor.visit_f64(f64::from_le_bytes(self.eight()?)),
            BYTES => {
                let len = self.number()?;
                visitor.visit_borrowed_bytes(self.slice(len)?)
            }
            SEQUENCE => self.sequence(visitor),
            MAP => self.map(None, visitor),
            // What reads any value takes a variant as a map of one.
            VARIANT => self.deeper(|own| visitor.visit_map(Variant { own, is_read: false })),
            _ => Err(RowError::new(&format!("no value begins with {tag:#04x}"))),
        }
    }
}

macro_rules! by_any {
    ($($name:ident)*) => {$(
        fn $name<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, RowError> {
            self.deserialize_any(visitor)
        }
    )*};
}

impl<'a> de::Deserializer<'a> for &mut Reader<'a> {
    type Error = RowError;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, RowError> {
        self.here(|own| own.any(visitor))
    }

    by_any! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16
        deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64 deserialize_char deserialize_str
        deserialize_string deserialize_bytes deserialize_byte_buf deserialize_unit deserialize_seq deserialize_map
        deserialize_identifier deserialize_ignored_any
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, RowError> {
        if self.peek()? == NOTHING {
            self.at += 1;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_unit_struct<V: Visitor<'a>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'a>>(self, _len: usize, visitor: V) -> Result<V::Value, RowError> {
        self.deserialize_any(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'a>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.here(|own| {
            if own.peek()? != MAP {
                return own.any(visitor);
            }
            own.at += 1;
            own.map(Some(shapes::of(fields)), visitor)
        })
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.here(|own| {
            own.deeper(|own| {
                let holds = own.peek()? == VARIANT;
                own.at += usize::from(holds);
                visitor.visit_enum(Named {
                    own,
                    shape: shapes::of(variants),
                    holds,
                })
            })
        })
    }
}

/// The values of a sequence or a map, up to its end.
struct Within<'r, 'a> {
    own: &'r mut Reader<'a>,
    shape: Option<Rc<Shape>>,
    is_over: bool,
}

impl<'r, 'a> Within<'r, 'a> {
    fn new(own: &'r mut Reader<'a>, shape: Option<Rc<Shape>>) -> Within<'r, 'a> {
        Within {
            own,
            shape,
            is_over: false,
        }
    }

    /// Whether nothing more is in it.
    fn is_over(&mut self) -> Result<bool, RowError> {
        if !self.is_over && self.own.peek()? == END {
            self.own.at += 1;
            self.is_over = true;
        }
        Ok(self.is_over)
    }

    /// Whoever read it must have read it to its end.
    fn close(mut self) -> Result<(), RowError> {
        if self.is_over()? {
            return Ok(());
        }
        Err(RowError::new("more values than are looked for"))
    }
}

impl<'a> de::SeqAccess<'a> for &mut Within<'_, 'a> {
    type Error = RowError;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>, RowError> {
        if self.is_over()? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.own).map(Some)
    }
}

impl<'a> de::MapAccess<'a> for &mut Within<'_, 'a> {
    type Error = RowError;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, RowError> {
        if self.is_over()? {
            return Ok(None);
        }
        let Some(shape) = &self.shape else {
            return seed.deserialize(&mut *self.own).map(Some);
        };
        let tag = self.own.tag()?;
        let name = self.own.text(tag)?;
        let name = name.ok_or_else(|| RowError::new("a field without a name"))?;
        identified(&name, shape, seed).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, RowError> {
        seed.deserialize(&mut *self.own)
    }
}

/// Tells which field or variant a name is: by its place where it has one.
fn identified<'a, S: DeserializeSeed<'a>>(
    name: &Text<'a>,
    shape: &Shape,
    seed: S,
) -> Result<S::Value, RowError> {
    let place = match name {
        Text::Word(word) => shape.place(*word),
        Text::Told(_) => None,
    };
    match place {
        Some(place) => seed.deserialize(u64::from(place).into_deserializer()),
        None => seed.deserialize(de::value::BorrowedStrDeserializer::new(name.as_str())),
    }
}

/// A variant of an enum.
struct Named<'r, 'a> {
    own: &'r mut Reader<'a>,
    shape: Rc<Shape>,
    /// Whether something follows its name.
    holds: bool,
}

impl<'a> de::EnumAccess<'a> for Named<'_, 'a> {
    type Error = RowError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'a>>(self, seed: V) -> Result<(V::Value, Self), RowError> {
        let tag = self.own.tag()?;
        let name = self.own.text(tag)?;
        let name = name.ok_or_else(|| RowError::new("a variant without a name"))?;
        Ok((identified(&name, &self.shape, seed)?, self))
    }
}

impl<'a> Named<'_, 'a> {
    fn must_hold(&self, holds: bool) -> Result<(), RowError> {
        if self.holds == holds {
            return Ok(());
        }
        Err(RowError::new(
            "a variant holds nothing, or should not hold anything",
        ))
    }
}

impl<'a> de::VariantAccess<'a> for Named<'_, 'a> {
    type Error = RowError;

    fn unit_variant(self) -> Result<(), RowError> {
        self.must_hold(false)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'a>>(self, seed: T) -> Result<T::Value, RowError> {
        self.must_hold(true)?;
        seed.deserialize(self.own)
    }

    fn tuple_variant<V: Visitor<'a>>(self, _len: usize, visitor: V) -> Result<V::Value, RowError> {
        self.must_hold(true)?;
        de::Deserializer::deserialize_seq(self.own, visitor)
    }

    fn struct_variant<V: Visitor<'a>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.must_hold(true)?;
        de::Deserializer::deserialize_struct(self.own, "", fields, visitor)
    }
}

/// A variant where any value may be: its name and what it holds.
struct Variant<'r, 'a> {
    own: &'r mut Reader<'a>,
    is_read: bool,
}

impl<'a> de::MapAccess<'a> for Variant<'_, 'a> {
    type Error = RowError;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, RowError> {
        if std::mem::replace(&mut self.is_read, true) {
            return Ok(None);
        }
        seed.deserialize(&mut *self.own).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, RowError> {
        seed.deserialize(&mut *self.own)
    }
}
