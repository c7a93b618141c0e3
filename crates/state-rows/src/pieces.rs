//! Packing for memory: what many rows say alike is kept once, beside them.

use std::cell::RefCell;
use std::hash::{Hash, Hasher};

use hashbrown::HashTable;
use rustc_hash::FxHasher;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::RowError;
use crate::sample::Sample;
use crate::tags::{NEAR_WORD, NEAR_WORDS};
use crate::words;
use crate::writing::Writer;

/// So many pieces are kept; what is packed later keeps its own. A city has some thousands of cells, a few levels each.
const MOST: usize = 1 << 16;

/// A shorter value is written where it is: a number takes as much.
const SHORTEST: usize = 4;

/// The values that packed rows point at, by number. They are only ever added to, so what was packed can always be read; they belong
/// to one process, and nothing of them is written down.
#[derive(Debug)]
pub struct Pieces {
    /// By the number of a near word: whether a field of that name is shared.
    shares: [bool; NEAR_WORDS],
    all: Vec<Box<[u8]>>,
    table: HashTable<u32>,
    /// Of each sort of things, what they say alike.
    samples: Vec<Sample>,
    /// What was written last is written into again.
    spare: Vec<u8>,
    /// What was read last, likewise.
    room: RefCell<Vec<u8>>,
}

impl Pieces {
    /// None yet. Values of fields of these names are shared; only the first 128 of the words can be. So many sorts of things
    /// are packed.
    pub fn of_fields(names: &[&str], sorts: usize) -> Pieces {
        let mut shares = [false; NEAR_WORDS];
        for name in names {
            if let Some(shares) = words::number(name).and_then(|number| shares.get_mut(number)) {
                *shares = true;
            }
        }
        Pieces {
            shares,
            all: Vec::new(),
            table: HashTable::new(),
            samples: vec![Sample::default(); sorts],
            spare: Vec::new(),
            room: RefCell::default(),
        }
    }

    /// Packs a value that is of a sort.
    ///
    /// # Errors
    /// As [`crate::to_row`], and when there is no such sort.
    pub fn pack<T: Serialize + ?Sized>(&mut self, sort: usize, value: &T) -> Result<Box<[u8]>, RowError> {
        let out = std::mem::take(&mut self.spare);
        let mut writer = Writer::into(out, Some(self));
        value.serialize(&mut writer)?;
        let mut out = writer.into_bytes();
        let sample = self.samples.get_mut(sort).ok_or_else(no_sort)?;
        let packed = sample.compress(&out);
        out.clear();
        self.spare = out;
        Ok(packed)
    }

    /// The value that was packed with these pieces.
    ///
    /// # Errors
    /// When the bytes were not packed with them, or as another value.
    pub fn unpack<T: DeserializeOwned>(&self, sort: usize, packed: &[u8]) -> Result<T, RowError> {
        let sample = self.samples.get(sort).ok_or_else(no_sort)?;
        let mut room = self.room.take();
        let plain = sample.restore(packed, &mut room)?;
        let value = crate::read(plain, Some(self));
        self.room.replace(room);
        value
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether the value of a field is shared that is named by one byte.
    pub(crate) fn shares(&self, word: u8) -> bool {
        word >= NEAR_WORD && self.shares[usize::from(word - NEAR_WORD)]
    }

    pub(crate) fn get(&self, number: u64) -> Option<&[u8]> {
        let number = usize::try_from(number).ok()?;
        self.all.get(number).map(|piece| &**piece)
    }

    /// The number of a piece, new or known.
    pub(crate) fn number(&mut self, piece: &[u8]) -> Option<u32> {
        if piece.len() < SHORTEST {
            return None;
        }
        let all = &self.all;
        let is_it = |number: &u32| *all[*number as usize] == *piece;
        if let Some(number) = self.table.find(hash(piece), is_it) {
            return Some(*number);
        }
        if self.all.len() >= MOST {
            return None;
        }
        let number = self.all.len() as u32;
        self.all.push(piece.into());
        let all = &self.all;
        let rehash = |number: &u32| hash(&all[*number as usize]);
        self.table.insert_unique(hash(piece), number, rehash);
        Some(number)
    }
}

fn no_sort() -> RowError {
    RowError::new("no such sort of things")
}

fn hash(piece: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    piece.hash(&mut hasher);
    hasher.finish()
}
