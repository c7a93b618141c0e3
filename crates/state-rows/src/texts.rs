//! The texts of a row that were written already, by where they lie in it.

use std::hash::{Hash, Hasher};
use std::ops::Range;

use hashbrown::HashTable;
use rustc_hash::FxHasher;

use crate::tags::REMEMBERED;

/// So many are looked through one by one; more are found by a table.
const FEW: usize = 12;

#[derive(Debug, Default)]
pub(crate) struct Texts {
    places: Vec<Range<u32>>,
    table: HashTable<u32>,
}

/// What was known at a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known(usize);

impl Texts {
    /// The number of a text that is in `row` already.
    pub(crate) fn find(&self, row: &[u8], text: &[u8]) -> Option<usize> {
        if text.len() < REMEMBERED {
            return None;
        }
        let is_it = |number: usize| of(row, &self.places, number) == text;
        if self.places.len() <= FEW {
            return (0..self.places.len()).find(|number| is_it(*number));
        }
        let found = self.table.find(hash(text), |number| is_it(*number as usize));
        found.map(|number| *number as usize)
    }

    /// Notes that the last bytes of `row` are a text.
    pub(crate) fn note(&mut self, row: &[u8], len: usize) {
        // A row of four gigabytes is no record of any log; what lies beyond is not found again.
        let (Ok(from), Ok(to)) = (u32::try_from(row.len() - len), u32::try_from(row.len())) else {
            return;
        };
        if len < REMEMBERED {
            return;
        }
        self.places.push(from..to);
        match self.places.len() {
            many if many > FEW + 1 => self.enter(row, many - 1),
            many if many > FEW => (0..many).for_each(|number| self.enter(row, number)),
            _ => {}
        }
    }

    pub(crate) fn known(&self) -> Known {
        Known(self.places.len())
    }

    /// Forgets what came since; `row` still has it.
    pub(crate) fn forget(&mut self, row: &[u8], Known(known): Known) {
        let (first, most) = (if known > FEW { known } else { 0 }, self.places.len());
        if most > FEW {
            for number in first..most {
                let hash = hash(of(row, &self.places, number));
                if let Ok(entry) = self.table.find_entry(hash, |other| *other as usize == number) {
                    entry.remove();
                }
            }
        }
        self.places.truncate(known);
    }

    fn enter(&mut self, row: &[u8], number: usize) {
        let places = &self.places;
        self.table
            .insert_unique(hash(of(row, places, number)), number as u32, |other| {
                hash(of(row, places, *other as usize))
            });
    }
}

fn of<'a>(row: &'a [u8], places: &[Range<u32>], number: usize) -> &'a [u8] {
    let place = &places[number];
    &row[place.start as usize..place.end as usize]
}

fn hash(text: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    text.hash(&mut hasher);
    hasher.finish()
}
