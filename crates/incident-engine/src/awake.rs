//! Which of the things that may be at rest are awake, and how many of them.
//!
//! Waking a thing costs a hundred times what asking for one that is awake does. So what is asked for again and again stays awake,
//! however much that is up to a limit: a storm's neighbourhoods are many times those of a quiet day.

use std::cell::RefCell;

/// The numbers of what is awake, and of some that was, in the order in which they woke.
#[derive(Debug)]
pub(crate) struct Awake {
    numbers: RefCell<Vec<u32>>,
    /// Beyond so many, those that nobody asked for are laid down.
    most: usize,
    limits: (usize, usize),
}

impl Awake {
    /// Nothing is awake. `most` goes up and down between the limits with what is asked for.
    pub(crate) fn within(least: usize, ceiling: usize) -> Awake {
        Awake {
            numbers: RefCell::default(),
            most: least,
            limits: (least, ceiling),
        }
    }

    /// One woke.
    pub(crate) fn woke(&self, number: u32) {
        self.numbers.borrow_mut().push(number);
    }

    /// Once too many are awake, lays down those that nobody asked for since the last time; `all` of them at once where that is
    /// wanted. `rest(number, spares)` lays one down, unless it is to be spared and somebody asked for it, and answers whether it
    /// is at rest.
    pub(crate) fn rest(&mut self, all: bool, mut rest: impl FnMut(u32, bool) -> bool) {
        let numbers = self.numbers.get_mut();
        let (least, ceiling) = self.limits;
        if all {
            numbers.retain(|number| !rest(*number, false));
            self.most = least;
            numbers.shrink_to(least);
            return;
        }
        if numbers.len() <= self.most {
            return;
        }
        // Those that woke just now had no time to be asked for again.
        let newest = numbers.len() - numbers.len() / 4;
        let mut at = 0;
        numbers.retain(|number| {
            at += 1;
            at > newest || !rest(*number, true)
        });
        if numbers.len() > self.most / 2 && self.most < ceiling {
            self.most = (self.most * 2).min(ceiling);
        } else if numbers.len() > self.most / 2 {
            // No more may be: those that woke first go.
            let mut too_many = numbers.len() - self.most / 2;
            numbers.retain(|number| {
                let goes = too_many > 0;
                too_many -= usize::from(goes);
                !(goes && rest(*number, false))
            });
        } else if numbers.len() < self.most * 3 / 8 && self.most > least {
            self.most = (self.most / 2).max(least);
            numbers.shrink_to(self.most);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Things by their numbers: those that are awake, and those that were asked for.
    #[derive(Default)]
    struct Things {
        awake: BTreeSet<u32>,
        asked: BTreeSet<u32>,
    }

    impl Things {
        /// Asks for one; whether it had to wake.
        fn ask(&mut self, awake: &Awake, number: u32) -> bool {
            let woke = self.awake.insert(number);
            match woke {
                true => awake.woke(number),
                false => drop(self.asked.insert(number)),
            }
            woke
        }

        fn rest(&mut self, awake: &mut Awake, all: bool) {
            awake.rest(all, |number, spares| {
                let was_asked = self.asked.remove(&number);
                let rests = !(was_asked && spares);
                if rests {
                    self.awake.remove(&number);
                }
                rests
            });
        }
    }

    /// Goes round a circle of so many things; how many had to wake in the last two rounds.
    fn rounds(awake: &mut Awake, things: &mut Things, circle: u32) -> usize {
        let mut woken = 0;
        for round in 0..12 {
            for number in 0..circle {
                // Each is asked for some times in a row, as the neighbours of one place are.
                let mut woke = things.ask(awake, number);
                woke |= things.ask(awake, number);
                woken += usize::from(woke && round >= 10);
                things.rest(awake, false);
            }
        }
        woken
    }

    #[test]
    fn what_is_asked_for_again_and_again_stays_awake_up_to_the_ceiling() {
        let (mut awake, mut things) = (Awake::within(8, 64), Things::default());
        assert_eq!(rounds(&mut awake, &mut things, 30), 0);
        assert_eq!(things.awake.len(), 30);
        let (mut awake, mut things) = (Awake::within(8, 64), Things::default());
        rounds(&mut awake, &mut things, 1_000);
        assert!(things.awake.len() <= 65, "{}", things.awake.len());
    }

    #[test]
    fn what_is_asked_for_once_makes_no_room_for_itself() {
        let (mut awake, mut things) = (Awake::within(8, 64), Things::default());
        for number in 0..1_000 {
            things.ask(&awake, number);
            things.rest(&mut awake, false);
        }
        assert!(things.awake.len() <= 9, "{}", things.awake.len());
    }

    #[test]
    fn after_a_storm_it_needs_no_more_than_before() {
        let (mut awake, mut things) = (Awake::within(8, 64), Things::default());
        rounds(&mut awake, &mut things, 60);
        for number in 1_000..2_000 {
            things.ask(&awake, number);
            things.rest(&mut awake, false);
        }
        assert!(things.awake.len() <= 9, "{}", things.awake.len());
        things.rest(&mut awake, true);
        assert!(things.awake.is_empty());
    }
}
