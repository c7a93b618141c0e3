//! Whole numbers of as many bytes as they need: seven bits a byte, the least first.

use crate::error::RowError;

/// The sign in the lowest bit, so that what is near zero is short.
pub const fn fold(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

/// The number that was folded.
pub const fn unfold(folded: u64) -> i64 {
    (folded >> 1).cast_signed() ^ -((folded & 1).cast_signed())
}

/// How many bytes a number takes.
pub(crate) const fn len(number: u64) -> u32 {
    (70 - (number | 1).leading_zeros()) / 7
}

/// Writes a number to the end of `out`.
pub fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number as u8) | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes a number from the front of the bytes at `at`.
///
/// # Errors
/// When the bytes end within it, or it has more than 64 bits.
pub fn take(bytes: &[u8], at: &mut usize) -> Result<u64, RowError> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let Some(&byte) = bytes.get(*at) else {
            return Err(RowError::new("the row ends within a number"));
        };
        *at += 1;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            break;
        }
        number |= bits << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(RowError::new("a number has more than 64 bits"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_comes_back(number in any::<u64>(), shift in 0..64_u32) {
            let number = number >> shift;
            let mut out = Vec::new();
            put(&mut out, number);
            prop_assert_eq!(out.len() as u32, len(number));
            let mut at = 0;
            prop_assert_eq!(take(&out, &mut at), Ok(number));
            prop_assert_eq!(at, out.len());
            prop_assert_eq!(fold(unfold(number)), number);
        }
    }

    #[test]
    fn what_is_too_long_or_cut_off_is_refused() {
        for bytes in [&[0xff; 10][..], &[0x80; 3], &[]] {
            assert!(take(bytes, &mut 0).is_err(), "{bytes:?}");
        }
    }
}
