//! The first byte of each value in a row. They are for ever: a row is read by every later version.

/// Nothing: `None`, `()`.
pub(crate) const NOTHING: u8 = 0x00;
pub(crate) const FALSE: u8 = 0x01;
pub(crate) const TRUE: u8 = 0x02;
/// The end of a sequence or a map.
pub(crate) const END: u8 = 0x03;
/// Values up to an [`END`].
pub(crate) const SEQUENCE: u8 = 0x04;
/// Keys and values in turn, up to an [`END`].
pub(crate) const MAP: u8 = 0x05;
/// A name, then what the variant of that name holds. One that holds nothing is its name alone.
pub(crate) const VARIANT: u8 = 0x06;
/// A length and as many bytes.
pub(crate) const BYTES: u8 = 0x07;
/// Eight bytes of a floating-point number, the least first.
pub(crate) const FLOAT: u8 = 0x08;
/// A length and as many bytes of text.
pub(crate) const TEXT: u8 = 0x09;
/// The number of a text that came before in the row; those of fewer bytes than [`REMEMBERED`] are not counted.
pub(crate) const AGAIN: u8 = 0x0a;
/// A word by its number less [`NEAR_WORDS`].
pub(crate) const WORD: u8 = 0x0b;
/// A piece that is kept beside the rows, by its number; in memory only.
pub(crate) const PIECE: u8 = 0x0c;
/// A whole number.
pub(crate) const NUMBER: u8 = 0x0d;
/// A whole number below zero: as much below −1.
pub(crate) const BELOW: u8 = 0x0e;
/// Eight bytes of a whole number that is not below zero, the least first.
pub(crate) const WIDE: u8 = 0x0f;
/// How far a whole number is from the last great one.
pub(crate) const FROM_LAST: u8 = 0x10;

/// A text of fewer than 32 bytes: its length is in the tag.
pub(crate) const SHORT_TEXT: u8 = 0x20;
pub(crate) const SHORT_TEXT_MAX: usize = 0x1f;
/// A whole number below 64, in the tag.
pub(crate) const SMALL: u8 = 0x40;
pub(crate) const SMALL_MAX: u64 = 0x3f;
/// One of the first words, by its number in the tag.
pub(crate) const NEAR_WORD: u8 = 0x80;
pub(crate) const NEAR_WORDS: usize = 0x80;

/// A text of so many bytes may be meant again.
pub(crate) const REMEMBERED: usize = 3;

/// Whether a whole number is one that others may be near to: a time, a place, and no hash.
pub(crate) const fn is_great(number: i64) -> bool {
    let size = number.unsigned_abs();
    size >= 1 << 20 && size < 1 << 55
}

/// So deep may values lie in each other; an incident with eight commands, each in the next, lies 30 deep.
pub(crate) const DEEPEST: u8 = 120;
