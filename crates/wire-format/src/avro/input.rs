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
    /// A stretch that was found to be UTF-8 as a whole, and how much is left behind it.
    sound: &'de str,
    left_behind: usize,
}

impl<'p, 'de> Input<'p, 'de> {
    pub(super) fn new(plan: &'p Plan, bytes: &'de [u8]) -> Input<'p, 'de> {
        // An item of nothing (an array of nulls) costs no byte: such items are paid from a fixed purse.
        Input {
            plan,
            rest: bytes,
            items_left: bytes.len() + 1_024,
            depth: 0,
            sound: "",
            left_behind: usize::MAX,
        }
    }

    pub(super) fn value(&mut self, step: usize) -> Value<'_, 'p, 'de> {
        Value { input: self, step }
    }

    #[inline]
    pub(super) fn take(&mut self, len: usize) -> Result<&'de [u8], AvroError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(AvroError::Broken("cut off"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// A zig-zag varint of at most ten bytes.
    #[inline]
    pub(super) fn long(&mut self) -> Result<i64, AvroError> {
        // Lengths and branches, most of all numbers, are one byte.
        if let [byte @ 0..0x80, rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(i64::from(byte >> 1) ^ -i64::from(byte & 1));
        }
        // Times are six bytes: all at once, where eight can be looked at.
        if let Some(chunk) = self.rest.first_chunk() {
            let word = u64::from_le_bytes(*chunk);
            let ends = !word & 0x8080_8080_8080_8080;
            if ends != 0 {
                self.rest = &self.rest[ends.trailing_zeros() as usize / 8 + 1..];
                let raw = sevens(word & (ends ^ (ends - 1)));
                return Ok((raw >> 1) as i64 ^ -((raw & 1) as i64));
            }
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

    #[inline]
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

    /// The same, out of a stretch that was looked at already where it lies in one; without saying what is wrong.
    #[inline]
    pub(super) fn lent(&mut self) -> Option<&'de str> {
        let (first, rest) = self.rest.split_first()?;
        if first & 0x81 != 0 {
            return self.text().ok(); // long, or less than nothing
        }
        let len = usize::from(first >> 1);
        if rest.len() >= self.left_behind {
            let from = self.sound.len() - (rest.len() - self.left_behind);
            if from + len <= self.sound.len() {
                self.rest = &rest[len..];
                return self.sound.get(from..from + len);
            }
        }
        let (text, rest) = rest.split_at_checked(len)?;
        self.rest = rest;
        std::str::from_utf8(text).ok()
    }

    /// Looks at the next `len` bytes as one text. Lengths below 64 and numbers of branches are ASCII, so that several texts are
    /// UTF-8 together just when each of them is; whether a text begins and ends with a character is seen when it is taken.
    #[inline]
    pub(super) fn look_ahead(&mut self, len: usize) {
        if let Some(Ok(sound)) = self.rest.get(..len).map(std::str::from_utf8) {
            self.sound = sound;
            self.left_behind = self.rest.len() - len;
        }
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

/// The lower seven bits of each byte, put together.
fn sevens(word: u64) -> u64 {
    let word = word & 0x7F7F_7F7F_7F7F_7F7F;
    let word = (word & 0x7F00_7F00_7F00_7F00) >> 1 | word & 0x007F_007F_007F_007F;
    let word = (word & 0x3FFF_0000_3FFF_0000) >> 2 | word & 0x0000_3FFF_0000_3FFF;
    (word & 0x0FFF_FFFF_0000_0000) >> 4 | word & 0x0FFF_FFFF
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

#[cfg(test)]
mod tests {
    use super::super::put::put_long;
    use super::*;

    #[test]
    fn numbers_of_every_length_with_and_without_bytes_behind() {
        let plan = Plan::default();
        let mut numbers = vec![i64::MIN, i64::MAX];
        for bit in 0..63 {
            let power = 1i64 << bit;
            numbers.extend([power - 1, power, power + 1, -power, 1 - power, -power - 1]);
        }
        for number in numbers {
            for behind in 0..9 {
                let mut bytes = Vec::new();
                put_long(&mut bytes, number);
                bytes.extend(vec![0xFF; behind]);
                let mut input = Input::new(&plan, &bytes);
                assert_eq!(input.long().unwrap(), number);
                assert_eq!(input.rest.len(), behind, "{number}");
            }
        }
        // Padded: two bytes for what one would hold.
        for behind in 0..9 {
            let bytes = [&[0x84, 0x00][..], &vec![0xFF; behind]].concat();
            let mut input = Input::new(&plan, &bytes);
            assert_eq!((input.long().unwrap(), input.rest.len()), (2, behind));
        }
        let endless = [0xFF; 20];
        assert!(Input::new(&plan, &endless).long().is_err());
    }

    #[test]
    fn texts_in_a_sound_stretch_still_begin_and_end_with_characters() {
        let plan = Plan::default();
        // "é" in one text, then the same cut in two: together they are UTF-8 as well.
        let bytes = b"\x04\xc3\xa9\x02a\x02\xc3\xa9";
        let mut input = Input::new(&plan, bytes);
        input.look_ahead(bytes.len());
        assert_eq!(input.lent(), Some("é"));
        assert_eq!(input.lent(), Some("a"));
        assert_eq!(input.lent(), None);
    }
}
