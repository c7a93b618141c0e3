//! What things of one sort say alike beyond whole values: the names of their fields one after the other, and what one of them says
//! twice. So they lie in half the bytes, and are there again in less than a microsecond.

use lz4_flex::block::{compress_into_with_dict, decompress_into_with_dict, get_maximum_output_size};

use crate::error::RowError;
use crate::ints;

/// So long a sample is: twice as long a one saves another twentieth.
const SAMPLE_BYTES: usize = 16 << 10;

/// One thing in so many is taken into it, for the first ones may all be of one kind.
const ONE_IN: usize = 8;

/// Some of the things, as a dictionary for all that come later. It grows until it is long enough and stays as it is from then on.
#[derive(Debug, Default, Clone)]
pub(crate) struct Sample {
    bytes: Vec<u8>,
    passed: usize,
    is_whole: bool,
}

impl Sample {
    /// The bytes of a thing with what is in the sample left out: their length and the block, or 0 and the bytes.
    pub(crate) fn compress(&mut self, plain: &[u8]) -> Box<[u8]> {
        let mut out = Vec::new();
        if self.is_whole {
            ints::put(&mut out, plain.len() as u64);
            let from = out.len();
            out.resize(from + get_maximum_output_size(plain.len()), 0);
            if let Ok(len) = compress_into_with_dict(plain, &mut out[from..], &self.bytes)
                && len < plain.len()
            {
                out.truncate(from + len);
                return Box::from(&out[..]);
            }
            out.clear();
        } else {
            self.take(plain);
        }
        out.push(0);
        out.extend_from_slice(plain);
        Box::from(&out[..])
    }

    /// The bytes of the thing, in `room` or where they are.
    ///
    /// # Errors
    /// When they were not compressed with this sample.
    pub(crate) fn restore<'a>(&self, packed: &'a [u8], room: &'a mut Vec<u8>) -> Result<&'a [u8], RowError> {
        let mut at = 0;
        let len = usize::try_from(ints::take(packed, &mut at)?).unwrap_or(usize::MAX);
        let block = &packed[at..];
        if len == 0 {
            return Ok(block);
        }
        // No block is longer than so many times its bytes, so nothing that is no block asks for all memory.
        if len / 256 > block.len() {
            return Err(RowError::new("no block is so long"));
        }
        room.resize(len, 0);
        match decompress_into_with_dict(block, room, &self.bytes) {
            Ok(whole) if whole == len => Ok(room),
            _ => Err(RowError::new("it was not packed with this sample")),
        }
    }

    fn take(&mut self, plain: &[u8]) {
        if self.passed.is_multiple_of(ONE_IN) {
            let more = SAMPLE_BYTES - self.bytes.len();
            self.bytes.extend_from_slice(&plain[..plain.len().min(more)]);
            self.is_whole = self.bytes.len() == SAMPLE_BYTES;
        }
        self.passed += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thing(number: usize) -> Vec<u8> {
        format!(
            "a thing of a sort, its number {number}, and what all things say alike: {}",
            number % 7
        )
        .into_bytes()
    }

    #[test]
    fn what_is_alike_is_left_out_and_there_again() {
        let mut sample = Sample::default();
        let packed: Vec<Box<[u8]>> = (0..4_000).map(|number| sample.compress(&thing(number))).collect();
        assert!(sample.is_whole);
        let mut room = Vec::new();
        for (number, packed) in packed.iter().enumerate() {
            assert_eq!(sample.restore(packed, &mut room).unwrap(), thing(number));
        }
        assert!(
            packed[3_999].len() * 2 < packed[0].len(),
            "{}",
            packed[3_999].len()
        );
        assert_eq!(
            sample.restore(&sample.clone().compress(&[]), &mut room).unwrap(),
            b""
        );
    }

    #[test]
    fn what_is_no_block_of_it_is_refused() {
        let sample = Sample::default();
        for bytes in [
            &[][..],
            &[0xff, 0xff, 0xff, 0x7f, 0x10],
            &[9, 0xf0],
            &[9, 0x04, 1, 0xff, 0xff],
        ] {
            assert!(sample.restore(bytes, &mut Vec::new()).is_err(), "{bytes:?}");
        }
    }
}
