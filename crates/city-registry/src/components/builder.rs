//! Components one by one into the store, without a second copy of anything.

use std::fmt;

use city_model::{Name, Position};

use super::{Components, Entry, find, hash};
use crate::id::{PackedId, Texts};

/// Shanghai's lists know some two hundred classes; far more means that another column was taken for the class.
const MOST_CLASSES: usize = 1 << 16;
/// Rows are numbered in 32 bits.
const MOST_ROWS: usize = u32::MAX as usize;

/// Takes components one by one. It keeps no second copy: rows are sorted where they lie.
#[derive(Default)]
pub struct ComponentsBuilder {
    built: Components,
}

impl ComponentsBuilder {
    /// Enters a component, one sigma of whose position is `u_mm` millimetres, if that is known. True if the id was
    /// entered before: this one stands in its place.
    ///
    /// # Errors
    /// When there is no room for it.
    pub fn add(
        &mut self,
        id: &str,
        class: &str,
        position: Position,
        u_mm: Option<i64>,
    ) -> Result<bool, RegistryFull> {
        let Components {
            ground,
            texts,
            ids,
            classes,
            class_of,
        } = &mut self.built;
        if id.len() > Texts::LONGEST {
            return Err(RegistryFull::Id);
        }
        let class = match class_of.get(class) {
            Some(class) => *class,
            None if classes.len() == MOST_CLASSES => return Err(RegistryFull::Classes),
            None => {
                let name = Name::from(class);
                classes.push(name.clone());
                *class_of.entry(name).or_insert((classes.len() - 1) as u32)
            }
        };
        let u_mm = u_mm.map_or(0, |u_mm| u32::try_from(u_mm.max(0)).unwrap_or(u32::MAX));
        if let Some(number) = find(ids, ground, texts, id) {
            let id = ground.spots()[number].what.id;
            ground.replace(number, class, position, Entry { id, u_mm });
            return Ok(true);
        }
        let number = ground.len();
        if number == MOST_ROWS {
            return Err(RegistryFull::Rows);
        }
        let packed = PackedId::of_digits(id).unwrap_or_else(|| texts.keep(id));
        ground.push(class, position, Entry { id: packed, u_mm });
        ids.insert_unique(hash(texts, packed), number as u32, |number| {
            hash(texts, ground.spots()[*number as usize].what.id)
        });
        Ok(false)
    }

    /// The components, ready to be asked.
    pub fn finish(self) -> Components {
        let Components {
            mut ground,
            mut texts,
            mut ids,
            classes,
            ..
        } = self.built;
        let mut sorted: Vec<(Name, usize)> = classes.into_iter().zip(0..).collect();
        sorted.sort_unstable();
        let mut rank = vec![0; sorted.len()];
        for (new, (_, old)) in sorted.iter().enumerate() {
            rank[*old] = new as u32;
        }
        ids.clear(); // its room is kept: the rows get other numbers, but there are as many
        ground.seal(sorted.len(), |class| rank[class as usize]);
        texts.shrink();
        for (number, spot) in ground.spots().iter().enumerate() {
            ids.insert_unique(hash(&texts, spot.what.id), number as u32, |number| {
                hash(&texts, ground.spots()[*number as usize].what.id)
            });
        }
        let classes: Vec<Name> = sorted.into_iter().map(|(name, _)| name).collect();
        Components {
            class_of: classes.iter().cloned().zip(0..).collect(),
            ground,
            texts,
            ids,
            classes,
        }
    }
}

/// Why a component finds no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistryFull {
    /// Beyond 4,294,967,295 components.
    Rows,
    /// Beyond 65,536 classes.
    Classes,
    /// An id of more than 65,535 bytes.
    Id,
}

impl fmt::Display for RegistryFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RegistryFull::Rows => write!(f, "more than {MOST_ROWS} components"),
            RegistryFull::Classes => {
                write!(f, "more than {MOST_CLASSES} classes; is this the class's column?")
            }
            RegistryFull::Id => write!(f, "the id has more than {} bytes", Texts::LONGEST),
        }
    }
}

impl std::error::Error for RegistryFull {}
