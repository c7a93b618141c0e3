//! The bytes of a datum and its primitive values: each length is held against what is left, items are counted, depth is
//! bounded, and nothing is allocated for what has not been read.

use std::fmt;

use serde::de;

use super::datum::Value;
use super::plan::Plan;

/// Deepest nesting of a datum; our schemas need 6.
const MAX_DEPTH: u32 = 64;

/// Why a datum cannot be read.
#[derive(Debug)]
pub(super) enum AvroError {
    /// The bytes do not follow the schema.
    Broken(&'static str),
    /// A string is not UTF-8.
    BadUtf8,
    /// The record does not accept what the bytes say.
    Record(String),
}

impl fmt::Display for AvroError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AvroError::Broken(what) => f.write_str(what),
            AvroError::BadUtf8 => f.write_str("text that is not UTF-8"),
            AvroError::Record(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for AvroError {}

impl de::Error for AvroError {
    fn custom<T: fmt::Display>(message: T) -> AvroError {
        AvroError::Record(message.to_string())
    }
}

pub(super) struct Input<'p, 'de> {
    pub(super) plan: &'p Plan,
    /// What has not been read.
    pub(super) rest: &'de [u8],
    /// Items of arrays and maps that may still come.
    items_left: usize,
    depth: u32,
}

impl<'p, 'de> Input<'p, 'de> {
    pub(super) fn new(plan: &'p Plan, bytes: &'de [u8]) -> Input<'p, 'de> {
        // An item of nothing (an array of nulls) costs no byte: such items are paid from a fixed purse.
        Input {
            plan,
            rest: bytes,
            items_left: bytes.len() + 1_024,
            depth: 0,
        }
    }

    pub(super) fn value(&mut self, step: usize) -> Value<'_, 'p, 'de> {
        Value { input: self, step }
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'de [u8], AvroError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(AvroError::Broken("cut off"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// A zig-zag varint of at most ten bytes.
    pub(super) fn long(&mut self) -> Result<i64, AvroError> {
        // Lengths and branches, most of all numbers, are one byte.
        if let [byte @ 0..0x80, rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(i64::from(byte >> 1) ^ -i64::from(byte & 1));
        }
        self.long_of_many()
    }

    fn long_of_many(&mut self) -> Result<i64, AvroError> {
        let mut raw = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            if shift == 63 && byte > 1 {
                break;
            }
            raw |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok((raw >> 1) as i64 ^ -((raw & 1) as i64));
            }
        }
        Err(AvroError::Broken("a number longer than 64 bits"))
    }

    /// A time in milliseconds.
    pub(super) fn time(&mut self, times: i64, parts: i64) -> Result<i64, AvroError> {
        Ok(self.long()?.saturating_mul(times).div_euclid(parts))
    }

    pub(super) fn float(&mut self) -> Result<f64, AvroError> {
        let bits = self.take(4)?.first_chunk().copied().unwrap_or_default();
        Ok(f64::from(f32::from_le_bytes(bits)))
    }

    pub(super) fn double(&mut self) -> Result<f64, AvroError> {
        let bits = self.take(8)?.first_chunk().copied().unwrap_or_default();
        Ok(f64::from_le_bytes(bits))
    }

    pub(super) fn len(&mut self) -> Result<usize, AvroError> {
        usize::try_from(self.long()?).map_err(|_| AvroError::Broken("a negative length"))
    }

    pub(super) fn bytes(&mut self) -> Result<&'de [u8], AvroError> {
        let len = self.len()?;
        self.take(len)
    }

    pub(super) fn text(&mut self) -> Result<&'de str, AvroError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| AvroError::BadUtf8)
    }

    /// The items of the next block; 0 ends an array or map. A negative count is followed by the block's size.
    pub(super) fn block(&mut self) -> Result<usize, AvroError> {
        let count = self.long()?;
        if count < 0 {
            self.long()?;
        }
        let count = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
        self.items_left = self
            .items_left
            .checked_sub(count)
            .ok_or(AvroError::Broken("more items than bytes"))?;
        Ok(count)
    }
}

/// Reads one level down, never deeper than `MAX_DEPTH`.
pub(super) fn deeper<'p, 'de, T>(
    input: &mut Input<'p, 'de>,
    read: impl FnOnce(&mut Input<'p, 'de>) -> Result<T, AvroError>,
) -> Result<T, AvroError> {
    if input.depth == MAX_DEPTH {
        return Err(AvroError::Broken("nested too deeply"));
    }
    input.depth += 1;
    let result = read(input);
    input.depth -= 1;
    result
}
