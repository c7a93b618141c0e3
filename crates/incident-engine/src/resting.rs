//! What is kept whole while it is looked at, and as a few bytes while it is not.
//!
//! Most incidents and events of a city lie untouched for hours. Whole, each is a tree of texts and sets; packed it is its row with
//! what many rows share kept once. Nothing that is decided depends on which of the two something is: whoever asks gets it whole.

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use city_model::Incident;
use serde::Serialize;
use serde::de::DeserializeOwned;
use state_rows::Pieces;

use crate::Held;

/// The fields whose values many rows share: paths of cells and the names of a city.
const SHARED: [&str; 16] = [
    "cells",
    "town",
    "layer",
    "code",
    "name",
    "unit",
    "also_affects",
    "source_system",
    "config_version",
    "storm_id",
    "metric",
    "algorithm",
    "algorithms",
    "kind",
    "group",
    "code_gb2013",
];

/// The pieces that incidents and events at rest share.
pub(crate) fn pieces() -> Pieces {
    Pieces::of_fields(&SHARED, 2)
}

/// What may be at rest.
pub(crate) trait Rests: Serialize + DeserializeOwned {
    /// The number of its sort: things of one sort say much alike.
    const SORT: usize;
}

impl Rests for Incident {
    const SORT: usize = 0;
}

impl Rests for Held {
    const SORT: usize = 1;
}

/// A thing that may be at rest.
#[derive(Debug)]
pub(crate) struct Resting<T> {
    whole: OnceCell<Arc<T>>,
    packed: Option<Box<[u8]>>,
    /// It was asked for since it woke or was last passed over.
    is_used: Cell<bool>,
}

impl<T: Rests> Resting<T> {
    /// A thing that is awake.
    pub(crate) fn awake(thing: Arc<T>) -> Resting<T> {
        Resting {
            whole: OnceCell::from(thing),
            packed: None,
            is_used: Cell::new(false),
        }
    }

    pub(crate) fn is_awake(&self) -> bool {
        self.whole.get().is_some()
    }

    /// The thing; `woken` is called where it was at rest.
    pub(crate) fn get(&self, pieces: &Pieces, woken: impl FnOnce()) -> &Arc<T> {
        let is_used = self.is_awake();
        let thing = self.whole.get_or_init(|| {
            woken();
            Arc::new(self.unpack(pieces))
        });
        self.is_used.set(is_used);
        thing
    }

    /// The thing, which stays as it is.
    pub(crate) fn glance(&self, pieces: &Pieces) -> Arc<T> {
        match self.whole.get() {
            Some(thing) => thing.clone(),
            None => Arc::new(self.unpack(pieces)),
        }
    }

    /// The thing, which is no longer kept.
    pub(crate) fn into_whole(self, pieces: &Pieces) -> Arc<T> {
        self.glance(pieces)
    }

    /// Packs it; with `spares`, only if nobody asked for it since this was last said. Answers whether it is at rest.
    pub(crate) fn rest(&mut self, pieces: &mut Pieces, spares: bool) -> bool {
        if self.is_used.replace(false) && spares {
            return false;
        }
        let Some(thing) = self.whole.get() else {
            return true;
        };
        if self.packed.is_none() {
            // What cannot be packed, which no row is, stays as it is.
            let Ok(packed) = pieces.pack(T::SORT, &**thing) else {
                return false;
            };
            self.packed = Some(packed);
        }
        self.whole.take();
        true
    }

    /// What was packed here a moment ago is read by the code that wrote it: anything else is a fault that must not go on quietly.
    /// A panic while deciding is told, and changes nothing; any other ends the worker, which begins again from the log.
    #[allow(
        clippy::panic,
        reason = "state that cannot be read must not be taken for state that is not there"
    )]
    fn unpack(&self, pieces: &Pieces) -> T {
        let packed = self.packed.as_deref().unwrap_or_default();
        match pieces.unpack(T::SORT, packed) {
            Ok(thing) => thing,
            Err(error) => panic!("what is at rest cannot be read: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use city_model::{EventKey, EventTime, Source, Turn};

    use super::*;

    impl Rests for Turn {
        const SORT: usize = 0;
    }

    fn turn(order: i64) -> Arc<Turn> {
        Arc::new(Turn {
            order: EventTime::from_millis(order),
            rank: Source::Hotline,
            key: EventKey::new("12345-hotline", "a ticket"),
        })
    }

    #[test]
    fn what_was_laid_down_is_there_again_and_says_so() {
        let mut pieces = pieces();
        let mut thing = Resting::awake(turn(7));
        thing.get(&pieces, || {});
        assert!(!thing.rest(&mut pieces, true), "somebody asked for it");
        assert!(thing.is_awake());
        assert!(thing.rest(&mut pieces, true));
        assert!(!thing.is_awake());
        assert_eq!(thing.glance(&pieces), turn(7));
        assert!(!thing.is_awake(), "a glance wakes nothing");
        let mut woken = 0;
        for _ in 0..2 {
            assert_eq!(*thing.get(&pieces, || woken += 1), turn(7));
        }
        assert_eq!(woken, 1);
        assert!(thing.rest(&mut pieces, false), "all are laid down");
        assert_eq!(thing.into_whole(&pieces), turn(7));
        assert_eq!(pieces.len(), 1, "the system is shared");
    }

    #[test]
    #[should_panic(expected = "cannot be read")]
    fn what_cannot_be_read_is_not_taken_for_nothing() {
        let mut own = pieces();
        let mut thing = Resting::awake(turn(7));
        thing.rest(&mut own, false);
        let _ = thing.get(&pieces(), || {});
    }
}
