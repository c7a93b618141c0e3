//! Four places and the numbers of what lies there, compared at once.

/// A place by its distance from the corner of a cell, in mm: less than 2^30 either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) number: u32,
    pub(crate) spread: Spread,
}

/// How far from its place something may have lain along an axis, in steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spread(u32);

impl Spread {
    /// Nowhere else.
    pub(crate) const NONE: Spread = Spread(0);
    /// Nobody knows how far.
    const ANY: u32 = 7;
    /// The first step; each is twice the one before.
    const FIRST_MM: i64 = 8_000;

    /// The step that so many millimetres lie in.
    pub(crate) fn of(mm: i64) -> Spread {
        let within = |step: &u32| mm <= Spread(*step).most_mm();
        Spread((0..Spread::ANY).find(within).unwrap_or(Spread::ANY))
    }

    /// The most that it may be.
    pub(crate) fn most_mm(self) -> i64 {
        match self.0 {
            0 => 0,
            Spread::ANY => i64::MAX,
            step => Spread::FIRST_MM << (step - 1),
        }
    }
}

const SLOTS: usize = 4;
/// The low bits of a slot's number are the incident's, half a billion of them; the spread has the others.
const NUMBER_BITS: u32 = 29;
const NUMBER: u32 = (1 << NUMBER_BITS) - 1;

/// Where nothing is: so far to the west that no look reaches it.
const EMPTY: Place = Place {
    x: i32::MIN,
    y: i32::MIN,
    number: NUMBER,
    spread: Spread::NONE,
};

/// Up to four places, the first slots first. Each coordinate lies beside its likes, for the processor to take four in one step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    x: [i32; SLOTS],
    y: [i32; SLOTS],
    number: [u32; SLOTS],
}

impl Block {
    pub(crate) fn of(place: Place) -> Block {
        let mut block = Block {
            x: [EMPTY.x; SLOTS],
            y: [EMPTY.y; SLOTS],
            number: [NUMBER; SLOTS],
        };
        block.put(0, place);
        block
    }

    fn get(&self, slot: usize) -> Place {
        Place {
            x: self.x[slot],
            y: self.y[slot],
            number: self.number[slot] & NUMBER,
            spread: Spread(self.number[slot] >> NUMBER_BITS),
        }
    }

    fn put(&mut self, slot: usize, place: Place) {
        self.x[slot] = place.x;
        self.y[slot] = place.y;
        debug_assert!(place.number <= NUMBER, "an incident takes hundreds of bytes");
        self.number[slot] = place.number | place.spread.0 << NUMBER_BITS;
    }

    fn len(&self) -> usize {
        self.x.iter().position(|x| *x == EMPTY.x).unwrap_or(SLOTS)
    }

    fn slot(&self, number: u32) -> Option<usize> {
        (0..self.len()).find(|slot| self.number[*slot] & NUMBER == number)
    }

    pub(crate) fn places(&self) -> impl Iterator<Item = Place> {
        (0..self.len()).map(|slot| self.get(slot))
    }

    /// Whether there was room for it.
    pub(crate) fn push(&mut self, place: Place) -> bool {
        let slot = self.len();
        if slot < SLOTS {
            self.put(slot, place);
        }
        slot < SLOTS
    }

    /// Takes the last one out; with it, whether it was the only one.
    pub(crate) fn pop(&mut self) -> Option<(Place, bool)> {
        let slot = self.len().checked_sub(1)?;
        let last = self.get(slot);
        self.put(slot, EMPTY);
        Some((last, slot == 0))
    }

    pub(crate) fn holds(&self, number: u32) -> bool {
        self.slot(number).is_some()
    }

    /// Puts a place where `number` is, if it is here.
    pub(crate) fn replace(&mut self, number: u32, place: Place) -> bool {
        let slot = self.slot(number);
        if let Some(slot) = slot {
            self.put(slot, place);
        }
        slot.is_some()
    }

    /// Calls `visit` with what lies within `reach` mm of a place; a distance counts rounded down.
    #[inline]
    pub(crate) fn near(&self, of: Place, reach: u32, mut visit: impl FnMut(Place)) {
        let mut is_near = self.in_square(of, reach);
        while is_near != 0 {
            let slot = is_near.trailing_zeros() as usize;
            is_near &= is_near - 1;
            let place = self.get(slot);
            if place.is_within(of, reach) {
                visit(place);
            }
        }
    }

    /// A bit for each that lies within `reach` along both axes.
    #[inline]
    fn in_square(&self, of: Place, reach: u32) -> u32 {
        let (west, south) = (
            of.x.wrapping_sub_unsigned(reach),
            of.y.wrapping_sub_unsigned(reach),
        );
        let mut bits = 0;
        for slot in 0..SLOTS {
            let east_of = self.x[slot].wrapping_sub(west).cast_unsigned();
            let north_of = self.y[slot].wrapping_sub(south).cast_unsigned();
            bits |= u32::from((east_of <= 2 * reach) & (north_of <= 2 * reach)) << slot;
        }
        bits
    }
}

impl Place {
    #[inline]
    fn is_within(self, of: Place, reach: u32) -> bool {
        let square = |a: i32, b: i32| u64::from(a.abs_diff(b)).pow(2);
        square(self.x, of.x) + square(self.y, of.y) < (u64::from(reach) + 1).pow(2)
    }
}
